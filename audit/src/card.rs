//! The privacy card: what an audit found, as one page for people who are no engineers.
//!
//! The page is one file without scripts, fonts or pictures; it asks no server for anything and says so to the browser.
//! Whatever comes from a spec or from a path is escaped by `maud`. Figures that bound from above are rounded up.

mod sections;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::verdict::Audit;

/// What the page may load: its own styles, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
#[must_use]
pub fn card(audit: &Audit) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Privacy card: " (audit.spec.app) }
                style { (PreEscaped(include_str!("card/card.css"))) }
            }
            body {
                main {
                    (sections::head(audit))
                    (sections::in_short(audit))
                    (sections::over_time(audit))
                    (sections::bytes(audit))
                    (sections::questions(audit))
                    (sections::audited(audit))
                    (sections::limits(audit))
                    footer {
                        "Made by " code { "driftglass audit --html" } ", which repeats every figure on this page from "
                        "the spec and the file named above."
                    }
                }
            }
        }
    }
    .into_string()
}

/// PASS or FAIL.
fn outcome(passed: bool) -> Markup {
    html! { span.outcome.pass[passed].fail[!passed] { (if passed { "PASS" } else { "FAIL" }) } }
}

#[cfg(test)]
mod tests;
