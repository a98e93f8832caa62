//! A report counts once, however often and however it is sent.

use driftglass_central::clock::Clock;
use driftglass_central::writer::QueueLimits;

use crate::support::{Centre, Fleet, WINDOW, body, now_secs, spec};

#[test]
fn across_bodies_and_restarts() {
    let centre = Centre::new();
    let upload = body(&Fleet::new(1).reports(10));
    assert_eq!(centre.upload(&upload).counts(), [10, 0, 0, 0, 0]);
    let again = centre.upload(&upload);
    assert_eq!((again.status, again.problem(), again.counts()), (409, "duplicate-report", [0, 10, 0, 0, 0]));

    let restarted = Centre::start(centre.stop(), Clock::simulated(now_secs()), QueueLimits::default());
    assert_eq!(restarted.upload(&upload).status, 409);
    assert_eq!((restarted.counter("accepted"), restarted.counter("duplicate")), (10, 20));
    assert_eq!(restarted.count("SELECT sum(reports) FROM report_count"), 10);
}

#[test]
fn the_first_of_two_reports_with_one_id_stands() {
    let centre = Centre::new();
    let mut fleet = Fleet::new(1);
    let mut first = fleet.report();
    first.question = 0;
    let mut second = fleet.report();
    (second.report_id, second.question) = (first.report_id, 0);
    (second.payload, first.payload) = (vec![1], vec![2]);
    assert_eq!(centre.upload(&body(&[first.encode(), second.encode()])).counts(), [1, 1, 0, 0, 0]);
    let stored: Vec<u8> = crate::support::database(centre.dir.path())
        .query_row("SELECT payload FROM journal", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(stored, first.payload);
}

#[test]
fn one_id_in_two_windows_is_no_duplicate() {
    let centre = Centre::new();
    let mut report = Fleet::new(1).report();
    assert_eq!(centre.upload(&body(&[report.encode()])).status, 202);
    report.window = WINDOW + 1;
    assert_eq!(centre.upload(&body(&[report.encode()])).status, 202);
}

#[test]
fn at_the_same_time() {
    let centre = Centre::new();
    let reports = Fleet::new(1).reports(200);
    let upload = |offset: usize| {
        let (centre, reports) = (&centre, &reports);
        move || {
            let of = |index: usize| centre.upload(&body(&[&reports[(index + offset) % reports.len()]]));
            (0..reports.len()).filter(|&index| of(index).status == 202).count()
        }
    };
    let accepted: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|client| scope.spawn(upload(50 * client))).collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).sum()
    });
    assert_eq!(accepted, 200);
    assert_eq!(centre.count("SELECT sum(reports) FROM report_count"), 200);
    assert_eq!(centre.counter("duplicate"), 600);
}

/// Once a window is closed its reports are forgotten, and refused as late even if the clock steps back.
#[test]
fn of_closed_windows() {
    let centre = Centre::new();
    let upload = body(&Fleet::new(1).reports(10));
    assert_eq!(centre.upload(&upload).status, 202);
    assert_eq!(centre.set_clock(now_secs() + spec().window.grace_secs).status, 200);
    assert_eq!(centre.upload(&upload).problem(), "late-window");
    let began = std::time::Instant::now();
    while centre.count("SELECT count(*) FROM journal") > 0 {
        assert!(began.elapsed().as_secs() < 10, "the journal of a closed window is cleared");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let stepped_back = Centre::start(centre.stop(), Clock::simulated(now_secs()), QueueLimits::default());
    assert_eq!(stepped_back.upload(&upload).problem(), "late-window");
    assert_eq!(stepped_back.upload(&body(&Fleet::new(2).reports(1))).problem(), "late-window");
    assert_eq!(stepped_back.count("SELECT sum(reports) FROM report_count"), 10);
    assert_eq!(stepped_back.counter("late"), 21);
}
