//! The ledger under crashes: random traces over the real monitor, state and ledger, on a model of the host's store.
//!
//! A trace is 120 actions: events, time, clocks set back and ahead, transactions of two processes taken step by step,
//! kills between any two, uploads whose answer is lost, old copies of the outbox sent again, cleared storage, other
//! specs of the same app, failing entropy. After each action an oracle of its own recomputes what was spent from the
//! bytes that were sent. Both are described in their modules.
//!
//! Here the seed is fixed and the traces are few; `cargo xtask kill-test` runs [`as_many_as_asked`], a million with a
//! fresh seed. A trace that fails names its seed: the same seed with one trace runs it again.

mod host;
mod oracle;

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use driftglass::spec::MonitorSpec;
use serde_json::{Value, json};

use host::{Bench, Host, Tally};
use oracle::Fault;

/// Three specs of one app that differ in windows, rotation, joining and questions, under caps that bind: two or three
/// answers in six hours, about twenty in a hundred.
fn specs() -> Vec<MonitorSpec> {
    let faults: Value = serde_json::from_str(include_str!("../vectors/spec-faults.json")).expect("JSON");
    let mut base = faults["base"].clone();
    base["measurement"]["questions"].as_array_mut().expect("questions").truncate(2);
    base["detection"]["deltas"] = json!({"late": 0.05, "which": 0.05});
    base["measurement"]["privacy"]["caps"] = json!([
        {"period_secs": 21_600, "epsilon_micronats": 4_000_000},
        {"period_secs": 360_000, "epsilon_micronats": 30_000_000},
    ]);
    let spec = |hours: u64, join: &str, rotation: Option<u32>| {
        let mut document = base.clone();
        let measurement = &mut document["measurement"];
        measurement["window"] = json!({"length_secs": hours * 3600, "grace_secs": 3600, "join": join});
        if let Some(windows) = rotation {
            measurement["privacy"]["rotation_windows"] = json!(windows);
            measurement["questions"][1]["weight"] = json!(9);
        }
        MonitorSpec::parse(&document.to_string()).expect("a valid spec")
    };
    vec![spec(1, "next_window", None), spec(2, "next_window", None), spec(1, "immediately", Some(2))]
}

/// Runs traces on all cores. Trace number i has the seed `first_seed` + i.
///
/// # Panics
///
/// At the first fault of the honest host.
fn run(traces: u64, first_seed: u64, progress: &(dyn Fn(u64) + Sync)) -> Tally {
    const BATCH: u64 = 500;
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let specs = specs();
    let work = || {
        let mut bench = Bench::new(&specs);
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= traces {
                return;
            }
            let mut tally = Tally::default();
            for number in first..traces.min(first + BATCH) {
                let seed = first_seed.wrapping_add(number);
                if let Some((fault, step)) = bench.trace(Host::Honest, seed, &mut tally) {
                    panic!("{fault:?} at step {step} of the trace with seed {seed}");
                }
            }
            let mut total = total.lock().expect("no thread failed");
            total.add(&tally);
            progress(total.traces);
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    total.into_inner().expect("no thread failed")
}

#[test]
fn twenty_thousand_traces_keep_every_promise() {
    let tally = run(20_000, 2_026, &|_| {});
    assert_eq!(tally.traces, 20_000);
    // A driver that never came to the point would find nothing.
    let met = [
        ("crashes in a transaction", tally.crashes_in_transaction),
        ("distinct reports", tally.released),
        ("reports sent again", tally.resent),
        ("waits for the other writer", tally.waits_for_other_writer),
        ("transactions that were overtaken", tally.overtaken),
        ("clocks set back", tally.clock_set_back),
        ("cleared storages", tally.cleared),
        ("changes of spec", tally.spec_changes),
        ("refusals of a cap", tally.cap_refusals),
        ("refusals of a window that is not due", tally.not_due),
        ("failures of entropy", tally.entropy_failures),
    ];
    for (what, count) in met {
        assert!(count > tally.traces / 10, "{what}: {count} in {} traces", tally.traces);
    }
}

/// A checker that cannot fail proves nothing: each planted fault breaks the promises that it should.
#[test]
fn the_oracle_finds_each_planted_fault() {
    let specs = specs();
    let mut bench = Bench::new(&specs);
    let mut check = |host: Host, expected: &[Fault]| {
        let mut found = BTreeMap::new();
        for seed in 0..1_000 {
            bench.faults(host, seed).into_iter().for_each(|fault| *found.entry(fault).or_insert(0) += 1);
        }
        for fault in expected {
            assert!(found.contains_key(fault), "{host:?} must break {fault:?}; found {found:?}");
        }
        assert!(!expected.is_empty() || found.is_empty(), "{host:?}: {found:?}");
    };
    check(Host::Honest, &[]);
    check(Host::CommitsOutboxAlone, &[Fault::NotPaid, Fault::TwoAnswers, Fault::RetryDiffers, Fault::Overspent]);
    check(Host::CommitsStateAlone, &[Fault::ChargedForNothing]);
    check(Host::LetsTransactionsOverlap, &[Fault::NotPaid, Fault::Overspent]);
    check(Host::ForgetsOnJumpBack, &[Fault::NotPaid, Fault::TwoAnswers, Fault::RetryDiffers, Fault::Overspent]);
    check(Host::PrivatizesAnew, &[Fault::RetryDiffers, Fault::TwoAnswers, Fault::Overspent]);
    check(Host::DebitsAnew, &[Fault::ChargedTwice, Fault::ChargedForNothing]);
    check(Host::SwallowsFailureOfEntropy, &[Fault::WithoutEntropy]);
}

/// For `cargo xtask kill-test`: traces and seed from the environment, progress and figures on standard error.
#[test]
#[ignore = "runs for minutes; `cargo xtask kill-test` starts it"]
fn as_many_as_asked() {
    let number = |name: &str| -> u64 {
        let value = env::var(name).unwrap_or_else(|_| panic!("{name} must be set"));
        value.parse().unwrap_or_else(|_| panic!("{name} must be a number"))
    };
    let (traces, seed) = (number("DRIFTGLASS_TRACES"), number("DRIFTGLASS_SEED"));
    let shown = AtomicU64::new(0);
    let say = |text: &str| std::io::stderr().write_all(text.as_bytes()).expect("standard error");
    let tally = run(traces, seed, &|done| {
        let percent = done * 100 / traces;
        if shown.fetch_max(percent, Ordering::Relaxed) < percent {
            say(&format!("\r    {percent:>3} % of {traces} traces"));
        }
    });
    // `run` panics at the first fault, so the zeros below are what it found.
    let Tally { traces, steps, crashes, crashes_in_transaction, released, resent, .. } = tally;
    say(&format!(
        "\n    traces {traces}, steps {steps}, crashes {crashes} ({crashes_in_transaction} inside a transaction)\n    \
         reports released {released}, sent again {resent}, overspends 0, double charges 0\n    {tally:?}\n"
    ));
}
