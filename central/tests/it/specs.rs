//! Specs are registered while the centre runs.

use crate::support::{Centre, Fleet, SPEC, body, run, spec};

fn add(centre: &Centre, document: &str, reference: Option<&str>) -> serde_json::Value {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("spec.json");
    std::fs::write(&file, document).expect("a file");
    let mut arguments = vec!["spec".to_owned(), "add".to_owned(), file.display().to_string()];
    arguments.extend(["--json".to_owned(), "--data-dir".to_owned(), centre.dir.path().display().to_string()]);
    if let Some(text) = reference {
        let file = dir.path().join("reference.json");
        std::fs::write(&file, text).expect("a file");
        arguments.extend(["--reference".to_owned(), file.display().to_string()]);
    }
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_new_spec_is_seen_at_once() {
    let centre = Centre::new();
    let added = add(&centre, &SPEC.replace("nyc-late-arrival", "another-app"), None);
    assert_eq!(added["added"], true);
    let url = format!("{}/v1/reports?key={}", centre.url, added["ingest_key"].as_str().expect("a key"));
    let answer = crate::support::post(&url, &body(&Fleet::new(1).reports(1)));
    assert_eq!(
        (answer.status, answer.problem()),
        (422, "foreign-spec"),
        "the key is known, the report is of the first spec"
    );
    let listed = centre.get("/v1/specs").json;
    assert_eq!(listed.as_array().expect("a list").len(), 2);
    assert_eq!(listed[1]["spec_id"], added["spec_id"]);
}

#[test]
fn a_known_spec_keeps_its_key() {
    let centre = Centre::new();
    let path = format!("/v1/specs/{}", spec().id());
    let before = centre.get(&path).json;
    assert_eq!(before["document"], serde_json::from_str::<serde_json::Value>(SPEC).expect("JSON"));

    let changed = SPEC.replace("\"span_windows\": 4", "\"span_windows\": 2");
    let again = add(&centre, &changed, Some(&crate::verdicts::reference(0.9)));
    assert_eq!((&again["added"], &again["ingest_key"]), (&serde_json::json!(false), &before["ingest_key"]));
    let after = centre.get(&path).json;
    assert_eq!(after["document"]["detection"]["span_windows"], 2);
    assert_eq!(
        (&before["has_reference"], &after["has_reference"]),
        (&serde_json::json!(false), &serde_json::json!(true))
    );
    assert_eq!(centre.get(&format!("{path}/verdicts")).json["span_windows"], 2);
    assert_eq!(centre.get(&format!("{path}/reference")).json["spec_id"], spec().id().to_string());

    add(&centre, SPEC, None);
    assert_eq!(centre.get(&path).json["has_reference"], true, "without a new reference the old one stays");
}
