//! The simulated clock: forward only, by its owner only, and not there otherwise.

use driftglass_central::clock::Clock;
use driftglass_central::writer::QueueLimits;

use crate::support::{Answer, Centre, Process, client, data_dir, now_secs};

#[test]
fn moves_forward_only() {
    let centre = Centre::new();
    let moved = centre.set_clock(now_secs() + 10);
    assert_eq!((moved.status, &moved.json["now_secs"]), (200, &serde_json::json!(now_secs() + 10)));
    let back = centre.set_clock(now_secs());
    assert_eq!((back.status, back.problem()), (409, "clock-backwards"));
    assert_eq!(centre.get("/v1/status").json["clock"]["now_secs"], now_secs() + 10);
}

#[test]
fn needs_the_token() {
    let centre = Centre::new();
    let with = |authorization: &str, body: &str| {
        let request = client().post(format!("{}/v1/clock", centre.url)).header("authorization", authorization);
        Answer::of(request.send(body))
    };
    let later = format!("{{\"now_secs\": {}}}", now_secs() + 10);
    let token = centre.token();
    for wrong in ["", "Bearer ", "Bearer 00", &token, &format!("Basic {token}"), &format!("Bearer {token}0")] {
        let answer = with(wrong, &later);
        assert_eq!((answer.status, answer.problem()), (401, "unauthorized"));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let right = format!("Bearer {token}");
    for malformed in ["", "{}", "1", "{\"now_secs\": -1}", "{\"now_secs\": 1.5}", "{\"now_secs\": 9007199254740992}"] {
        assert_eq!(with(&right, malformed).problem(), "malformed-request", "{malformed}");
    }
    assert_eq!(centre.get("/v1/status").json["clock"]["now_secs"], now_secs());
    assert_eq!(with(&right, &later).status, 200);
}

#[cfg(unix)]
#[test]
fn the_token_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let centre = Centre::new();
    let file = std::fs::metadata(centre.dir.path().join("admin-token")).expect("a token");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_systems_clock_cannot_be_moved() {
    let centre = Centre::start(data_dir(), Clock::System, QueueLimits::default());
    assert_eq!(centre.get("/v1/status").json["clock"]["mode"], "system");
    // The token is there for references, and moves no clock.
    let bearer = format!("Bearer {}", centre.token());
    let request = client().post(format!("{}/v1/clock", centre.url)).header("authorization", bearer);
    let answer = Answer::of(request.send("{\"now_secs\": 1}"));
    assert_eq!((answer.status, answer.problem()), (404, "not-found"));
}

/// Windows that a simulated clock closed would stay closed under the system's.
#[test]
fn a_directory_stays_with_its_clock() {
    let dir = data_dir();
    drop(Process::serve(dir.path()));
    let output =
        crate::support::run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &dir.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("filled under a simulated clock"));
}
