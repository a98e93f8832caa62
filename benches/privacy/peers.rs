//! What other libraries need for the same data: Zipf(1.1) shares at ε = 1.
//!
//! Each peer is timed in its own process, with its own generator, in processor time; ours are the native figures,
//! tape included. A Python library pays for its
//! language: the table says what a user of it pays. "client ×" and "server ×" compare with our randomizer of the same
//! kind, "error ×" with the mechanism that
//! the chooser picks. The errors of peers are of one run, so their relative standard error is about √(2/k).

use std::path::Path;
use std::process::Command;

use driftglass::chooser::{self, Limits};
use serde::Deserialize;
use serde_json::json;

use crate::error::{Shares, simulate_one};
use crate::outcome::Outcome;
use crate::time::measure;
use crate::work::{Case, best_of, describe};

const EPSILON: u32 = 1;
const DOMAINS: [usize; 3] = [16, 128, 1_024];
/// Of the simulation of ours.
const STANDARD_ERROR: f64 = 0.01;

/// A line of a peer.
#[derive(Debug, Deserialize)]
struct Line {
    peer: String,
    mechanism: String,
    k: usize,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Figures {
    Measured { reports: u64, client_us: f64, server_us: f64, n_var: f64 },
    Failed { failed: String },
}

/// Ours, of one mechanism.
struct Own {
    client_us: f64,
    server_us: f64,
}

pub(crate) fn run(quick: bool, python: Option<&Path>, opendp: Option<&Path>, outcome: &mut Outcome) {
    println!("\nPeers: ε = {EPSILON}, shares in proportion to 1/rank^1.1; µs per report; error is n·Var");
    let domains = DOMAINS.map(|k| k.to_string());
    let epsilon = EPSILON.to_string();
    let mut lines = Vec::new();
    let seconds = if quick { "0.5" } else { "3" };
    let reports = if quick { "20000" } else { "1000000" };
    let peers = [
        ("pure-ldp and multi-freq-ldpy", python, vec!["benches/peers/peers.py", &epsilon, seconds]),
        ("opendp", opendp, vec![&epsilon, reports]),
    ];
    for (name, program, arguments) in peers {
        let Some(program) = program else {
            println!("  {name}: not installed; `cargo xtask bench privacy` does, and says why if it cannot");
            continue;
        };
        match Command::new(program).args(arguments).args(&domains).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                lines.extend(text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()));
                if !output.status.success() {
                    println!("  {name} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
                }
            }
            Err(error) => println!("  {name} cannot be started: {error}"),
        }
    }
    println!(
        "{:<23}{:<20}{:>5}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>9}",
        "library", "mechanism", "k", "reports", "client", "client ×", "server", "server ×", "error", "error ×",
    );
    let mut rows = Vec::new();
    for k in DOMAINS {
        let limits = Limits { max_influence: f64::INFINITY, ..Limits::default() };
        let chosen = chooser::choose(k, u64::from(EPSILON) * 1_000_000, &limits).expect("something fits").randomizer;
        let error = simulate_one(k, chosen, Shares::Zipf, STANDARD_ERROR).measured;
        let ours = own(Case { k, epsilon: EPSILON, randomizer: chosen }, quick);
        let name = describe(&chosen.mechanism);
        println!(
            "{:<23}{name:<20}{k:>5}{:>9}{:>10.4}{:>10}{:>10.4}{:>10}{error:>10.3}{:>9}",
            "driftglass, chosen", "", ours.client_us, "", ours.server_us, "", "",
        );
        rows.push(json!({
            "library": "driftglass, chosen", "mechanism": name, "k": k, "client_us": ours.client_us,
            "server_us": ours.server_us, "n_var": error,
        }));
        for line in lines.iter().filter(|line| line.k == k) {
            let Line { peer, mechanism, .. } = line;
            match &line.figures {
                Figures::Failed { failed } => {
                    println!("{peer:<23}{mechanism:<20}{k:>5}  failed: {failed}");
                    rows.push(json!({ "library": peer, "mechanism": mechanism, "k": k, "failed": failed }));
                }
                Figures::Measured { reports, client_us, server_us, n_var } => {
                    let same = same_kind(mechanism, k).map(|case| own(case, quick));
                    let times = |theirs: f64, ours: Option<f64>| {
                        ours.map_or("–".to_owned(), |ours| format!("{:.1}", theirs / ours))
                    };
                    println!(
                        "{peer:<23}{mechanism:<20}{k:>5}{reports:>9}{client_us:>10.3}{:>10}{server_us:>10.4}{:>10}{n_var:>10.3}{:>9.2}",
                        times(*client_us, same.as_ref().map(|own| own.client_us)),
                        times(*server_us, same.as_ref().map(|own| own.server_us)),
                        n_var / error,
                    );
                    rows.push(json!({
                        "library": peer, "mechanism": mechanism, "k": k, "reports": reports, "client_us": client_us,
                        "server_us": server_us, "n_var": n_var, "error_ratio": n_var / error,
                        "client_ratio": same.as_ref().map(|own| client_us / own.client_us),
                        "server_ratio": same.as_ref().map(|own| server_us / own.server_us),
                    }));
                }
            }
        }
    }
    println!("  multi-freq-ldpy clips its shares and scales them, so its error is biased and not to be compared.");
    outcome.keep("peers", rows);
}

/// Our randomizer of the same kind, unless it needs more than 256 bits.
fn same_kind(mechanism: &str, k: usize) -> Option<Case> {
    let found = chooser::candidates(k, u64::from(EPSILON) * 1_000_000);
    let fits = found.iter().any(|candidate| candidate.randomizer.mechanism.name() == mechanism);
    fits.then(|| Case { k, epsilon: EPSILON, randomizer: best_of(mechanism, k, EPSILON) })
}

fn own(case: Case, quick: bool) -> Own {
    let times = measure(&case, if quick { 5 } else { 25 });
    Own { client_us: times.privatize / 1e3, server_us: times.decode() / 1e3 }
}
