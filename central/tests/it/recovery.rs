//! `kill -9` in the middle of uploads: what was acknowledged is there once, and nothing is there twice.
//!
//! Clients send reports one by one and in batches, send acknowledged ones again on purpose, and take every answer that
//! did not come for a failure. After the last start all that was never acknowledged is sent again, so that the oracle
//! is exact: each report counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use driftglass::privacy::{Payload, decoder_of};
use driftglass::report::{Arm, Report};

use crate::support::{Answer, Fleet, KEY, Process, SeededEntropy, body, count, data_dir, database, run, spec};

const KILLS: u64 = 5;
const CLIENTS: usize = 4;
const REPORTS_PER_CLIENT: usize = 1_500;

#[derive(Default)]
struct Client {
    unsent: Vec<Vec<u8>>,
    acknowledged: Vec<Vec<u8>>,
}

impl Client {
    /// Sends until the centre is gone or nothing is left.
    fn upload(&mut self, url: &str, random: &mut SeededEntropy) {
        let agent = crate::support::client();
        while !self.unsent.is_empty() {
            let size = [1, 1, 1, 20][random.below(4)].min(self.unsent.len());
            let fresh = self.unsent.split_off(self.unsent.len() - size);
            let mut reports = fresh.clone();
            if !self.acknowledged.is_empty() && random.below(4) == 0 {
                reports.push(self.acknowledged[random.below(self.acknowledged.len())].clone());
            }
            let sent = agent.post(format!("{url}/v1/reports?key={KEY}")).send(&body(&reports));
            match Answer::try_of(sent) {
                Ok(answer) if [202, 409].contains(&answer.status) => self.acknowledged.extend(fresh),
                Ok(answer) => panic!("{answer:?}"),
                Err(_) => {
                    self.unsent.extend(fresh);
                    return;
                }
            }
        }
    }
}

/// Sums by question and counter.
type Sums = BTreeMap<(i64, i64), i64>;

fn stored_sums(dir: &Path) -> Sums {
    let connection = database(dir);
    let mut statement =
        connection.prepare("SELECT question, counter, sum(count) FROM aggregate GROUP BY 1, 2").expect("a query");
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("integers")
}

fn folded(reports: &BTreeSet<Vec<u8>>) -> Sums {
    let randomizers: Vec<_> = spec().questions.iter().map(decoder_of).collect();
    let mut sums = Sums::new();
    for bytes in reports {
        let report = Report::decode(bytes).expect("a report");
        let randomizer = &randomizers[usize::from(report.question)];
        let mut counters = vec![0; randomizer.counters()];
        let payload = Payload::from_bytes(&report.payload).expect("at most 32 bytes");
        randomizer.accumulate(&payload, &report.report_id, &mut counters).expect("an output");
        for (counter, count) in counters.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            *sums.entry((i64::from(report.question), counter as i64)).or_default() += count as i64;
        }
    }
    sums
}

/// The reports of the journal, as they were sent.
fn journal(dir: &Path) -> BTreeSet<Vec<u8>> {
    let connection = database(dir);
    let mut statement =
        connection.prepare("SELECT window, report_id, question, segment, payload FROM journal").expect("a query");
    let report = |row: &rusqlite::Row<'_>| {
        let (window, report_id, question, segment, payload) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let report = Report { arm: Arm::Stable, spec_id: spec().id(), window, question, segment, report_id, payload };
        Ok(report.encode())
    };
    statement.query_map([], report).expect("rows").collect::<Result<_, _>>().expect("reports")
}

#[test]
fn acknowledged_reports_survive_kills_and_count_once() {
    let dir = data_dir();
    let mut fleet = Fleet::new(1);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| Mutex::new(Client { unsent: fleet.reports(REPORTS_PER_CLIENT), ..Client::default() }))
        .collect();
    let mut random = SeededEntropy(2);
    let mut killed_midway = 0;
    for round in 0..=KILLS {
        let mut process = Process::serve(dir.path());
        let pause = Duration::from_millis(50 + random.below(250) as u64);
        std::thread::scope(|scope| {
            for (number, client) in clients.iter().enumerate() {
                let (url, seed) = (&process.url, 100 * round + number as u64);
                scope.spawn(move || client.lock().expect("no panic").upload(url, &mut SeededEntropy(seed)));
            }
            if round < KILLS {
                std::thread::sleep(pause);
                process.child.kill().expect("a running process");
                process.child.wait().expect("an end");
            }
        });
        let all_sent = clients.iter().all(|client| client.lock().expect("no panic").unsent.is_empty());
        killed_midway += u64::from(round < KILLS && !all_sent);
        assert!(all_sent || round < KILLS, "the last round sends all");

        let stored = journal(dir.path());
        for client in &clients {
            let client = client.lock().expect("no panic");
            assert!(client.acknowledged.iter().all(|report| stored.contains(report)), "an acknowledged report is lost");
        }
        assert_eq!(stored_sums(dir.path()), folded(&stored), "sums are the fold of the journal");
        assert_eq!(count(dir.path(), "SELECT value FROM counter WHERE name = 'accepted'"), stored.len() as i64);
    }
    assert!(killed_midway > 0, "at least one kill hit clients at work");
    assert_eq!(journal(dir.path()).len(), CLIENTS * REPORTS_PER_CLIENT);
    let list = run(&["spec", "list", "--data-dir", &dir.path().display().to_string()]);
    assert!(list.status.success());
}

/// A signal to stop lets open uploads finish and leaves one file.
#[cfg(unix)]
#[test]
fn a_graceful_stop_loses_nothing() {
    let dir = data_dir();
    let mut process = Process::serve(dir.path());
    let client = Mutex::new(Client { unsent: Fleet::new(1).reports(2_000), ..Client::default() });
    std::thread::scope(|scope| {
        scope.spawn(|| client.lock().expect("no panic").upload(&process.url, &mut SeededEntropy(3)));
        std::thread::sleep(Duration::from_millis(100));
        let signal = std::process::Command::new("kill").arg("-TERM").arg(process.child.id().to_string()).status();
        assert!(signal.expect("kill runs").success());
    });
    assert_eq!(process.child.wait().expect("an end").code(), Some(0));
    assert!(!dir.path().join("driftglass.sqlite-wal").exists(), "the log is written back");
    let client = client.into_inner().expect("no panic");
    let stored = journal(dir.path());
    assert!(client.acknowledged.iter().all(|report| stored.contains(report)));
    assert_eq!(stored_sums(dir.path()), folded(&stored));
}
