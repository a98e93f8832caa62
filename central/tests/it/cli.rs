//! The command line: output, errors, exit codes.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use driftglass_central::clock::Clock;
use driftglass_central::writer::QueueLimits;

use crate::support::{Centre, Fleet, Process, SPEC, body, data_dir, now_secs, register, run, spec};
use crate::verdicts::reference;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn check(output: &Output, code: i32, stdout: &str, stderr: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(out.contains(stdout), "{out}");
    assert!(err.contains(stderr), "{err}");
}

fn with_file(content: &str, act: impl FnOnce(&str)) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("spec.json");
    std::fs::write(&file, content).expect("a file");
    act(&file.display().to_string());
}

#[test]
fn valid_documents() {
    let valid = format!("valid: spec {}, 7 questions, reports of 45 bytes", spec().id());
    with_file(SPEC, |file| check(&run(&["spec", "check", file]), 0, &valid, ""));
}

#[test]
fn invalid_documents_name_pointer_rule_and_limit() {
    let negative = SPEC.replace("\"weight\": 4", "\"weight\": 4000");
    with_file(&negative, |file| {
        let output = run(&["spec", "check", file]);
        check(&output, 2, "", "/measurement/questions/0/weight: must be an integer, from 1 to 1000");
        assert!(!text(&output.stderr).contains("4000"), "no value of the document");
    });
    with_file("{", |file| check(&run(&["spec", "check", file]), 2, "", "(root): must be JSON (line 1, column 1)"));
    with_file(SPEC, |file| check(&run(&["spec", "check", file, "--reference", file]), 2, "", "unknown field"));
    check(&run(&["spec", "check", "no-such-file"]), 1, "", "cannot read no-such-file");
}

#[test]
fn wrong_usage() {
    check(&run::<&str>(&[]), 2, "", "Usage: driftglass");
    check(&run(&["serve"]), 2, "", "--data-dir");
    check(&run(&["serve", "--data-dir", "d", "--clock", "simulated"]), 2, "", "--start-secs");
    check(&run(&["serve", "--data-dir", "d", "--start-secs", "1"]), 2, "", "--start-secs is for --clock simulated");
    check(&run(&["spec", "list", "--data-dir", "no-such-directory"]), 1, "", "holds no database");
    assert!(!Path::new("no-such-directory").exists());
}

#[test]
fn specs_are_listed() {
    let dir = data_dir();
    let directory = dir.path().display().to_string();
    let list = run(&["spec", "list", "--data-dir", &directory]);
    check(&list, 0, &format!("{}  nyc-late-arrival  key {}  no reference", spec().id(), crate::support::KEY), "");
    let list = run(&["spec", "list", "--json", "--data-dir", &directory]);
    let specs: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(specs[0]["spec_id"], spec().id().to_string());
}

#[test]
fn one_server_for_a_directory() {
    let dir = data_dir();
    let _first = Process::serve(dir.path());
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &dir.path().display().to_string()]);
    check(&second, 1, "", "another process serves this data directory");
}

#[test]
fn a_draft_gets_the_randomizers_of_the_shipped_spec() {
    let mut draft: serde_json::Value = serde_json::from_str(SPEC).expect("JSON");
    for question in draft["measurement"]["questions"].as_array_mut().expect("questions") {
        question.as_object_mut().expect("an object").remove("randomizer");
    }
    with_file(&draft.to_string(), |file| {
        let frozen = run(&["spec", "freeze", file]);
        let text = text(&frozen.stdout);
        let read = driftglass::spec::MonitorSpec::parse(&text).expect("a spec");
        assert_eq!(read.id(), spec().id(), "the shipped spec has what the rule chooses");
        let refused = run(&["spec", "freeze", file, "--max-influence", "1"]);
        check(&refused, 2, "", "question departed_late: no mechanism keeps to the limits");
    });
    with_file("{", |file| check(&run(&["spec", "freeze", file]), 2, "", "must be JSON"));
}

#[test]
fn each_randomizer_is_explained() {
    with_file(SPEC, |file| {
        let explained = run(&["spec", "explain", file]);
        check(&explained, 0, "k-ary: the least variance that fits 256 bits and influence 6", "");
        check(
            &run(&["spec", "explain", file, "--max-bits", "1"]),
            0,
            "less variance than hadamard, the best that fits 1 bits",
            "",
        );
        let json = run(&["spec", "explain", file, "--json"]);
        let said: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
        assert_eq!(said.as_array().map(Vec::len), Some(7));
        assert_eq!(said[0]["noise_over_best"], 1.0);
    });
}

/// All devices saw a departure after 0 minutes; the reference expects 90 % before.
#[test]
fn what_drifted_is_told_and_drawn() {
    let dir = data_dir();
    let directory = dir.path().display().to_string();
    let drift = |more: &[&str]| run(&[&["drift", "--data-dir", &directory], more].concat());
    check(&drift(&[]), 0, "Nothing has been judged yet", "");
    register(dir.path(), Some(&reference(0.9)));
    let centre = Centre::start(Arc::clone(&dir), Clock::simulated(now_secs()), QueueLimits::default());
    assert_eq!(centre.upload(&body(&Fleet::new(1).reports(3_000))).status, 202);
    assert_eq!(centre.set_clock(now_secs() + spec().window.grace_secs).status, 200);
    let served = centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json;
    let behind = centre.get(&format!("/v1/specs/{}/causes", spec().id())).json;
    centre.stop();

    check(&drift(&["--fail-on-drift"]), 3, "departed_late               drift", "");
    let printed: serde_json::Value = serde_json::from_slice(&drift(&["--json"]).stdout).expect("JSON");
    assert_eq!(printed["verdicts"], served, "the command and the route say the same");
    assert_eq!(printed["causes"], behind, "of the causes too");
    let departed = &printed["causes"]["questions"][0];
    assert_eq!(departed["question"], "departed_late", "the most evidence first");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    assert!(number(&departed["evidence"]) > 50.0 && number(&departed["tests"]["combined"]) < 1e-9);
    assert!(number(&departed["effects"]["ks"]["lower"]) > 0.5, "{}", departed["effects"]);
    assert!(number(&departed["trust"]["fakes_for_delta"]) > 5.0 && departed["change"].is_null(), "one window");
    let file = dir.path().join("drift.html");
    check(&drift(&["--html", &file.display().to_string()]), 0, "drifted", "");
    let page = std::fs::read_to_string(file).expect("a page");
    assert!(page.contains("dep_delay above 0 min differs from the reference by"));
    assert!(!page.contains("<script") && !page.contains("://"), "one file that asks no server");

    let other = "0".repeat(32);
    check(&drift(&["--spec-id", &other]), 2, "", "no such spec is registered");
    check(&run(&["drift", "--data-dir", "no-such-directory"]), 1, "", "holds no database");
}
