use super::card;
use crate::audit::{Effort, Seeds, question};
use crate::claims;
use crate::native::Native;
use crate::secondary;
use crate::self_test;
use crate::verdict::{AUDIT_VERSION, Audit, Check, ModuleFacts, Part};
use driftglass::spec::MonitorSpec;

const PACKAGE: &str = include_str!("../../../pkg-config.json");

/// An audit of the crate's own randomizers, with few reports, and a name for the file.
fn audited(text: &str) -> Audit {
    let spec = MonitorSpec::parse(text).expect("a spec");
    let effort = Effort { reports: 2_000, foretell: 50 };
    let seeds = Seeds { points: 1, choices: 2, entropy: Some(3) };
    let questions = (0..spec.questions.len() as u16)
        .map(|index| question(&mut Native::of(&spec, index), &spec, index, effort, 1e-7, seeds))
        .collect();
    let mut facts = claims::of_spec(&spec);
    for cap in &mut facts.caps {
        cap.accounting = secondary::accounting(&spec, cap.basic_micronats);
    }
    Audit {
        audit_version: AUDIT_VERSION,
        passed: true,
        spec: facts,
        module: ModuleFacts {
            file: "somewhere/driftglass_bg.wasm".to_owned(),
            sha256: "ab".repeat(32),
            bytes: 509_538,
            entropy_import: "entropy".to_owned(),
            other_imports: 0,
        },
        questions,
        self_test: self_test::quick(4),
        checks: vec![Check::new("planted-bugs", Part::SelfTest, true, "all")],
        limits: vec!["A limit of the audit.".to_owned()],
    }
}

/// What a reader sees: the page without its tags, white space as one space.
fn seen(page: &str) -> String {
    let body = &page[page.find("<body").expect("a body")..];
    let mut out = String::new();
    for piece in body.split('<') {
        out.push_str(piece.split_once('>').map_or("", |(_, text)| text));
        out.push(' ');
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_essentials_are_on_the_page() {
    let audit = audited(PACKAGE);
    let page = card(&audit);
    let text = seen(&page);
    for essential in [
        "Whatever your device did in the window of one week",
        "= 20.1 times likelier than if it had done anything else",
        "the unit of privacy is the device-window",
        "ε ≤ 39",
        "ε ≤ 159",
        "13 weeks 39 13 of 13 39",
        "one year 159 53 of 53 159",
        "δ = 10 −8",
        "of 10,000 devices only shuffled",
        "44 bytes of header + 1 byte of payload = 45 bytes",
        "86266724207 4294967296",
        "driftglass_bg.wasm",
        "5 of 5 bugs planted on purpose were caught, 0 of",
        "What is not claimed",
        "A limit of the audit.",
        audit.spec.id.as_str(),
        audit.module.sha256.as_str(),
        audit.spec.models[0].sha256.as_str(),
    ] {
        assert!(text.contains(essential), "{essential} is missing from: {text}");
    }
    for question in &audit.questions {
        assert!(
            page.contains(&question.name.replace('_', "_<wbr>")) && text.contains(&question.law_in_words),
            "{}",
            question.name
        );
    }
    assert!(page.contains("PASS") && !page.contains("FAIL"), "{text}");
}

#[test]
fn a_failure_is_shown_where_it_happened_and_on_top() {
    let mut audit = audited(PACKAGE);
    audit.passed = false;
    audit.questions[2].checks[0] = Check::new("law", Part::Exact, false, "the ratio is too large");
    let text = seen(&card(&audit));
    // On top, at the question, at the part.
    assert_eq!(text.matches("FAIL").count(), 3, "{text}");
    assert!(text.contains("prediction_and_outcome: law: the ratio is too large"), "{text}");
    audit.checks.clear();
    assert_eq!(seen(&card(&audit)).matches("FAIL").count(), 4, "a part without checks has shown nothing");
}

#[test]
fn what_a_spec_says_is_text_and_never_markup() {
    let hostile = "<script>alert('&\"')</script>";
    let mut audit = audited(PACKAGE);
    audit.spec.app = hostile.to_owned();
    audit.spec.description = hostile.to_owned();
    audit.spec.segments = vec![hostile.to_owned()];
    audit.spec.models[0].version = hostile.to_owned();
    audit.module.file = hostile.to_owned();
    audit.questions[0].name = hostile.to_owned();
    audit.questions[0].metric = hostile.to_owned();
    audit.questions[0].metric_unit = hostile.to_owned();
    audit.questions[0].checks[0] = Check::new("law", Part::Exact, false, hostile);
    if let Some(found) = &mut audit.spec.caps[0].accounting {
        found.renyi_question = Some(hostile.to_owned());
    }
    let page = card(&audit);
    assert!(!page.contains("<script"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 8, "{page}");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="), "{page}");
}
