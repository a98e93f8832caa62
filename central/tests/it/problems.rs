//! Each row of the table of problems: status, type, counter, and nothing stored.

use driftglass::spec::SpecId;

use crate::support::{Centre, Fleet, KEY, WINDOW, body, now_secs, post, spec};

/// Uploads a body that nothing is accepted from.
#[track_caller]
fn check(upload: &[u8], status: u16, problem: &str, counter: &str, counts: [u64; 5]) {
    let centre = Centre::new();
    let answer = centre.upload(upload);
    assert_eq!((answer.status, answer.problem(), answer.counts()), (status, problem, counts));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-expose-headers"), "retry-after");
    assert_eq!(answer.json["problems"][0]["type"], format!("/problems/{problem}"));
    assert_eq!(answer.json["problems"][0]["reports"], 1);
    assert_eq!(centre.counter(counter), 1);
    assert_eq!(centre.counter("accepted"), 0);
    assert_eq!(centre.count("SELECT count(*) FROM journal") + centre.count("SELECT count(*) FROM aggregate"), 0);
    assert_eq!(centre.upload(&body(&Fleet::new(9).reports(1))).status, 202, "the centre goes on");
}

fn report_with(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut report = Fleet::new(1).report().encode();
    change(&mut report);
    body(&[report])
}

#[test]
fn bodies_that_are_no_list() {
    let good = report_with(|_| ());
    for upload in [b"".as_slice(), b"x", &good[..good.len() - 1], &[good.as_slice(), b"\0"].concat()] {
        check(upload, 400, "malformed-report", "malformed", [0, 0, 0, 0, 1]);
    }
}

#[test]
fn bytes_that_are_no_report() {
    let magic = report_with(|report| report[0] = b'X');
    let arm = report_with(|report| report[3] = 2);
    let long = report_with(|report| report.push(0));
    let rank = report_with(|report| *report.last_mut().expect("a payload") = 0xFF);
    for upload in [magic, arm, long, rank] {
        check(&upload, 400, "malformed-report", "malformed", [0, 0, 0, 0, 1]);
    }
}

#[test]
fn another_version() {
    let upload = report_with(|report| report[2] = 2);
    check(&upload, 400, "unsupported-version", "malformed", [0, 0, 0, 0, 1]);
    assert_eq!(Centre::new().upload(&upload).json["supported"], serde_json::json!([1]));
}

#[test]
fn another_spec() {
    let mut report = Fleet::new(1).report();
    report.spec_id = SpecId::from_bytes([7; 16]);
    check(&body(&[report.encode()]), 422, "foreign-spec", "foreign", [0, 0, 0, 0, 1]);
}

#[test]
fn a_question_or_segment_that_is_not_there() {
    let mut report = Fleet::new(1).report();
    report.question = 7;
    check(&body(&[report.encode()]), 422, "unknown-question", "unknown_question", [0, 0, 0, 0, 1]);
    let mut report = Fleet::new(1).report();
    report.segment = 1;
    check(&body(&[report.encode()]), 422, "unknown-question", "unknown_question", [0, 0, 0, 0, 1]);
}

#[test]
fn windows_that_are_not_open() {
    let mut report = Fleet::new(1).report();
    report.window = WINDOW - 1;
    check(&body(&[report.encode()]), 422, "late-window", "late", [0, 0, 1, 0, 0]);
    report.window = WINDOW + 2;
    check(&body(&[report.encode()]), 422, "early-window", "early", [0, 0, 0, 1, 0]);
    report.window = u32::MAX;
    check(&body(&[report.encode()]), 422, "early-window", "early", [0, 0, 0, 1, 0]);
}

#[test]
fn keys_that_nobody_has() {
    let centre = Centre::new();
    let upload = report_with(|_| ());
    for query in ["", "?key=", "?key=nobody", "?key=%00", "?other=1", "?key=a&key=b"] {
        let answer = post(&format!("{}/v1/reports{query}", centre.url), &upload);
        assert_eq!((answer.status, answer.problem(), answer.counts()), (401, "unknown-key", [0; 5]), "{query}");
    }
    assert_eq!(centre.counter("unknown_key"), 6);
    assert_eq!(centre.count("SELECT count(*) FROM journal"), 0);
}

#[test]
fn bodies_above_the_limit() {
    let centre = Centre::new();
    let mut reports = Fleet::new(1).reports(1);
    reports.resize((1 << 20) / 47 + 1, reports[0].clone());
    let upload = body(&reports);
    assert!(upload.len() > 1 << 20 && upload.len() <= (1 << 20) + 47);
    let answer = centre.upload(&upload);
    assert_eq!((answer.status, answer.problem(), answer.counts()), (413, "body-too-large", [0; 5]));
    assert_eq!(answer.json["max_body_bytes"], 1 << 20);
    assert_eq!(centre.counter("oversized"), 1);
    let most = (1 << 20) / 47;
    assert_eq!(centre.upload(&body(&reports[..most])).counts(), [1, most as u64 - 1, 0, 0, 0]);
}

#[test]
fn good_reports_beside_bad_ones() {
    let centre = Centre::new();
    let mut fleet = Fleet::new(1);
    let mut late = fleet.report();
    late.window -= 1;
    let mut foreign = fleet.report();
    foreign.spec_id = SpecId::from_bytes([7; 16]);
    let good = fleet.report().encode();
    let upload = body(&[late.encode(), good.clone(), foreign.encode(), good, fleet.report().encode()]);
    let answer = centre.upload(&upload);
    assert_eq!((answer.status, answer.counts()), (202, [2, 1, 1, 0, 1]));
    let kinds: Vec<_> =
        answer.json["problems"].as_array().expect("a list").iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds, ["/problems/late-window", "/problems/foreign-spec", "/problems/duplicate-report"]);
    let again = centre.upload(&upload);
    assert_eq!(
        (again.status, again.problem(), again.counts()),
        (422, "late-window", [0, 3, 1, 0, 1]),
        "the first problem"
    );
    assert_eq!(centre.count("SELECT sum(reports) FROM report_count"), 2);
}

#[test]
fn answers_hold_nothing_of_a_report() {
    let centre = Centre::new();
    let mut report = Fleet::new(1).report();
    report.question = 0x7A7A;
    let answer = centre.upload(&body(&[report.encode()])).json.to_string();
    for sent in [0x7A7A.to_string(), spec().id().to_string(), KEY.to_owned(), WINDOW.to_string()] {
        assert!(!answer.contains(&sent), "{answer}");
    }
}

#[test]
fn paths_and_methods_that_are_not_there() {
    let centre = Centre::new();
    let check = |path: &str, status, problem: &str| {
        let answer = centre.get(path);
        assert_eq!((answer.status, answer.problem()), (status, problem), "{path}");
    };
    check("/v1/nothing", 404, "not-found");
    check("/v1/reports", 405, "method-not-allowed");
    check("/v1/specs/nothing", 404, "unknown-spec");
    check("/v1/specs/00000000000000000000000000000000", 404, "unknown-spec");
    check("/v1/specs/00000000000000000000000000000000/verdicts", 404, "unknown-spec");
    check(&format!("/v1/specs/{}/reference", spec().id()), 404, "no-reference");
    check("/../../etc/passwd", 404, "not-found");
    assert_eq!(centre.get("/healthz").json, serde_json::json!({ "status": "ok" }));
    assert_eq!(
        centre.get("/v1/status").json["clock"],
        serde_json::json!({ "mode": "simulated", "now_secs": now_secs() })
    );
}
