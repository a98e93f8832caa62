//! A full queue refuses at once and loses nothing.

use std::time::Duration;

use driftglass_central::clock::Clock;
use driftglass_central::writer::QueueLimits;

use crate::support::{Centre, Fleet, body, data_dir, database, now_secs};

#[test]
fn more_reports_than_the_queue_holds() {
    let queue = QueueLimits { uploads: 10, reports: 10 };
    let centre = Centre::start(data_dir(), Clock::simulated(now_secs()), queue);
    let reports = Fleet::new(1).reports(11);
    let answer = centre.upload(&body(&reports));
    assert_eq!((answer.status, answer.problem(), answer.counts()), (503, "overloaded", [0; 5]));
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(centre.upload(&body(&reports[..10])).counts(), [10, 0, 0, 0, 0], "the room was given back");
}

#[test]
fn uploads_behind_a_busy_writer() {
    let queue = QueueLimits { uploads: 2, reports: 1_000 };
    let centre = Centre::start(data_dir(), Clock::simulated(now_secs()), queue);
    let reports = Fleet::new(1).reports(8);
    let mut other = database(centre.dir.path());
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("the only writer");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uploads: Vec<_> = reports
            .iter()
            .map(|report| {
                std::thread::sleep(Duration::from_millis(50));
                let centre = &centre;
                scope.spawn(move || centre.upload(&body(&[report])).status)
            })
            .collect();
        drop(held);
        uploads.into_iter().map(|upload| upload.join().expect("no panic")).collect()
    });
    let accepted = statuses.iter().filter(|status| **status == 202).count();
    assert!(
        accepted >= 2 && statuses.contains(&503),
        "one at work, at least one waiting, others refused: {statuses:?}"
    );
    assert!(statuses.iter().all(|status| [202, 503].contains(status)));
    assert_eq!(centre.count("SELECT sum(reports) FROM report_count"), accepted as i64);
    for report in &reports {
        assert!([202, 409].contains(&centre.upload(&body(&[report])).status), "the same bytes again");
    }
    assert_eq!(centre.count("SELECT sum(reports) FROM report_count"), 8);
}
