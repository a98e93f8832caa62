//! Sketches that outlive a page: several tabs with one store remember what one tab would have.

use driftglass::monitor::Monitor;
use driftglass::observe::Value;
use driftglass::sketch::{Sketches, Snapshot};
use driftglass::spec::{MonitorSpec, WindowIndex};
use proptest::prelude::*;
use serde_json::json;

use crate::entropy::Generator;
use crate::pipeline::{self, bytes_near, config, document, monitor, parse};

/// A spec with every kind of metric, one of them words that are told later; windows of an hour.
fn spec() -> MonitorSpec {
    let mut document = document();
    let measurement = &mut document["measurement"];
    measurement["window"] = json!({"length_secs": 3600, "grace_secs": 600, "join": "next_window"});
    measurement["outcome"] = json!({"horizon_secs": 1800, "max_pending": 64});
    let cells = json!({"kind": "text", "max_words": 9});
    let metrics = measurement["metrics"].as_array_mut().expect("metrics");
    metrics.push(json!({"name": "said", "source": {"kind": "outcome"}, "cells": cells}));
    parse(&document)
}

/// One random inference.
fn observe(device: &mut Monitor, key: Option<&str>, now_secs: u64, seed: u64) {
    pipeline::observe(device, now_secs, &mut Generator::new(seed), |_| key);
}

/// What the device's store holds.
#[derive(Default)]
struct Store {
    bytes: Option<Vec<u8>>,
    unknown_outcomes: usize,
}

impl Store {
    fn snapshot(&self) -> Option<Snapshot> {
        self.bytes.clone().map(Snapshot::from_store)
    }

    fn commit(&mut self, tab: &mut Monitor, now_secs: u64) {
        let delta = tab.take_delta();
        let merged = tab.merged(self.snapshot().as_ref(), delta.as_ref(), now_secs).expect("its own delta");
        assert!(!merged.discarded);
        self.unknown_outcomes += merged.unknown_outcomes;
        self.bytes = Some(merged.snapshot.into_store());
    }
}

/// The counts of two windows, and how many predictions wait.
fn contents(spec: &MonitorSpec, sketches: &Sketches, newest: WindowIndex) -> impl PartialEq + std::fmt::Debug {
    let of_window = |window| {
        let profile = sketches.profile(window)?;
        let counts = |metric: usize| {
            let counts = &profile.metrics()[metric];
            (counts.cells().to_vec(), counts.missing(), counts.other(), profile.words()[metric].sorted().to_vec())
        };
        Some((0..spec.metrics.len()).map(counts).collect::<Vec<_>>())
    };
    (of_window(newest), of_window(newest - 1), sketches.pending().len())
}

/// Random lives: inferences and outcomes in one of three tabs, which commit, fail to commit and are closed and opened
/// now and then. An outcome may be told in another tab than the prediction, once that was committed.
#[test]
fn tabs_that_share_a_store_remember_what_one_would() {
    let spec = spec();
    for seed in 0..40 {
        let mut generator = Generator::new(seed);
        let mut pick = |below: u64| generator.next() % below;
        let (mut tabs, mut alone) = ([0; 3].map(|_| monitor(&spec)), monitor(&spec));
        let mut store = Store::default();
        let mut waiting: Vec<(String, usize)> = Vec::new();
        let mut now_secs = 1_000_000;
        let mut told = 0;
        for step in 0..400 {
            now_secs += pick(60);
            // No tab keeps what it has for longer than the horizon lasts.
            if step % 30 == 0 {
                tabs.iter_mut().for_each(|tab| store.commit(tab, now_secs));
            }
            let tab = pick(3) as usize;
            match pick(8) {
                0..4 => {
                    let key = format!("key {step}");
                    let event = pick(u64::MAX);
                    observe(&mut tabs[tab], Some(&key), now_secs, event);
                    observe(&mut alone, Some(&key), now_secs, event);
                    waiting.push((key, tab));
                }
                4..6 if !waiting.is_empty() => {
                    let (key, owner) = waiting.remove(waiting.len() - 1 - pick(waiting.len().min(20) as u64) as usize);
                    if owner != tab {
                        store.commit(&mut tabs[owner], now_secs);
                    }
                    let value = ["yes", "no", "later"][pick(3) as usize];
                    tabs[tab].outcome(&key, Value::Text(value), now_secs);
                    alone.outcome(&key, Value::Text(value), now_secs);
                    told += 1;
                }
                6 => {
                    // A transaction that fails, and time goes on before the next one.
                    if let Some(delta) = tabs[tab].take_delta() {
                        observe(&mut tabs[tab], None, now_secs, step);
                        observe(&mut alone, None, now_secs, step);
                        tabs[tab].give_back(&delta, now_secs).expect("its own delta");
                    }
                }
                _ => {
                    store.commit(&mut tabs[tab], now_secs);
                    tabs[tab] = monitor(&spec);
                }
            }
        }
        tabs.iter_mut().for_each(|tab| store.commit(tab, now_secs));
        let newest = spec.window.index_at(now_secs);
        let mut reference = Store::default();
        reference.commit(&mut alone, now_secs);
        let read = |store: &Store| store.snapshot().expect("committed").sketches(&spec).expect("readable");
        let (together, alone) = (read(&store), read(&reference));
        assert!(contents(&spec, &together, newest) == contents(&spec, &alone, newest), "seed {seed}");
        assert_eq!(store.unknown_outcomes, reference.unknown_outcomes, "seed {seed}");
        assert!(store.unknown_outcomes < told / 2, "most outcomes find their prediction");
        assert!(together.profile(newest).is_some() && !together.pending().is_empty());
    }
}

#[test]
fn an_outcome_is_counted_once() {
    let spec = spec();
    let (mut first, mut second, mut store) = (monitor(&spec), monitor(&spec), Store::default());
    observe(&mut first, Some("key"), 7_000, 1);
    store.commit(&mut first, 7_000);
    assert!(!first.outcome("key", Value::Text("yes"), 7_300), "the prediction is in the store");
    assert!(!second.outcome("key", Value::Text("yes"), 7_301));
    store.commit(&mut second, 7_400);
    store.commit(&mut first, 7_400);
    assert_eq!(store.unknown_outcomes, 1);
    let sketches = store.snapshot().expect("committed").sketches(&spec).expect("readable");
    let words = sketches.profile(2).expect("the window of the outcome").words().last().expect("metrics").sorted();
    assert_eq!(words.iter().map(|(_, count)| count).sum::<u32>(), 1);
}

#[test]
fn what_is_stored_under_another_spec_is_begun_anew() {
    let (spec, mut other) = (spec(), document());
    other["app"] = json!("another-app");
    let mut device = monitor(&parse(&other));
    observe(&mut device, None, 7_000, 1);
    let foreign = device.take_delta().expect("an inference");
    let mut here = monitor(&spec);
    assert!(foreign.sketches(&spec).is_err() && here.give_back(&foreign, 7_000).is_err());
    assert!(here.merged(None, Some(&foreign), 7_000).is_err());
    observe(&mut here, None, 7_000, 1);
    let delta = here.take_delta();
    let merged = here.merged(Some(&foreign), delta.as_ref(), 7_000).expect("its own delta");
    assert!(merged.discarded);
    let sketches = merged.snapshot.sketches(&spec).expect("readable");
    assert_eq!(sketches.profile(1).expect("a window").metrics()[0].total(), 1);
}

#[test]
fn an_answer_counts_what_is_stored() {
    let spec = spec();
    let (mut before, mut store) = (monitor(&spec), Store::default());
    observe(&mut before, None, 7_000, 1);
    store.commit(&mut before, 7_000);
    let mut after = monitor(&spec);
    observe(&mut after, None, 7_100, 2);
    let all = after.with_stored(&store.snapshot().expect("committed"), 7_200);
    assert_eq!(all.profile(1).expect("a window").metrics()[0].total(), 2);
    assert_eq!(after.profile(1).expect("a window").metrics()[0].total(), 1, "and the monitor holds its own alone");
}

#[test]
fn nothing_is_taken_where_nothing_was_added() {
    let spec = spec();
    let mut device = monitor(&spec);
    assert!(device.take_delta().is_none());
    observe(&mut device, None, 0, 1);
    assert!(device.take_delta().is_some() && device.take_delta().is_none());
    device.outcome("key", Value::Text("yes"), 0);
    assert!(device.take_delta().is_some(), "an outcome that waits");
    observe(&mut device, None, 0, 1);
    device.purge();
    assert!(device.take_delta().is_none());
}

/// A snapshot with everything in it.
fn full(spec: &MonitorSpec) -> Vec<u8> {
    let mut device = monitor(spec);
    for event in 0..40 {
        observe(&mut device, Some(&event.to_string()), 3_000 + event * 60, event);
    }
    for value in [Value::Text("yes"), Value::Number(9.0), Value::Missing, Value::NotANumber] {
        device.outcome("7", value, 5_000);
    }
    device.take_delta().expect("events").into_store()
}

#[test]
fn only_one_encoding_is_read() {
    let spec = spec();
    let bytes = full(&spec);
    let again = Snapshot::of(&spec, &Snapshot::from_store(bytes.clone()).sketches(&spec).expect("readable"));
    assert_eq!(again.into_store(), bytes);
    for end in 0..bytes.len() {
        assert!(Snapshot::from_store(bytes[..end].to_vec()).sketches(&spec).is_err(), "cut at {end}");
    }
    assert!(Snapshot::from_store([&bytes[..], &[0]].concat()).sketches(&spec).is_err(), "left over");
    for version in (0..=u8::MAX).filter(|version| *version != bytes[0]) {
        let other = [&[version], &bytes[1..]].concat();
        assert!(Snapshot::from_store(other).sketches(&spec).is_err(), "version {version}");
    }
}

#[test]
fn no_value_is_shown() {
    let spec = spec();
    let snapshot = Snapshot::from_store(full(&spec));
    assert_eq!(format!("{snapshot:?}"), "Snapshot(..)");
    let shown = format!("{:?}", snapshot.sketches(&spec).expect("readable"));
    assert_eq!(shown, "Sketches { windows: [0, 1], pending: PendingPredictions(39 waiting), .. }");
}

proptest! {
    #![proptest_config(config(4_096))]

    /// Whatever bytes a store gives back: nothing panics, and what is read is what would be written.
    #[test]
    fn bytes_are_refused_or_canonical(bytes in bytes_near(&[full(&spec())])) {
        let spec = spec();
        if let Ok(sketches) = Snapshot::from_store(bytes.clone()).sketches(&spec) {
            prop_assert_eq!(Snapshot::of(&spec, &sketches).into_store(), bytes.clone());
            let stored = Snapshot::from_store(bytes);
            let merged = monitor(&spec).merged(Some(&stored), Some(&stored), 5_000).expect("readable");
            prop_assert!(merged.snapshot.sketches(&spec).is_ok());
        }
    }
}
