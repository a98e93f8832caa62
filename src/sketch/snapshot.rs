//! Sketches as bytes, for the device's own store and for nothing else.
//!
//! A page that is reloaded would forget its window. So the host keeps a [`Snapshot`] beside the device's state, and
//! wipes both together. It holds the counts as they are, without noise: it must never be sent, and no type that is sent
//! can hold it. Nothing but a report can be encoded for leaving.
//!
//! | Part | Bytes |
//! | --- | --- |
//! | version | 1 |
//! | spec id, which covers the app | 16 |
//! | number of profiles, at most 2; each: | varint |
//! | – window, increasing | varint |
//! | – for each metric: its counters, missing, other | varints |
//! | – where words are counted: their number, then hash and count of each, hashes increasing | varints |
//! | number of predictions that wait, the oldest first; each: | varint |
//! | – key: length, UTF-8; time | varint, bytes, varint |
//! | – for each metric: 0, or 1 + cell | varint |
//! | number of outcomes that wait; each: | varint |
//! | – key and time | as above |
//! | – for each metric that is an outcome: 0 in a cell, 1 missing, 2 other | varint |
//! | &nbsp;&nbsp; then 0, or 1 + cell; then 0, or 1 + hash of the word | varints |
//!
//! A varint has 7 bits in each byte, the least significant first, in as few bytes as hold the number. Every number is
//! checked against the spec, so that no bytes, whoever wrote them, make a device panic or hold more than the spec lets
//! it.

use alloc::{borrow::ToOwned, vec::Vec};

use core::fmt;

use super::binning::Place;
use super::pending::PendingPredictions;
use super::profile::{Placed, Profile};
use super::sketches::{Sketches, Told};
use crate::spec::{MonitorSpec, Source, SpecId};

const VERSION: u8 = 1;

/// Encoded sketches. They stay in the store of the device that made them.
///
/// ```compile_fail
/// fn leaves<T: serde::Serialize>() {}
/// leaves::<driftglass::sketch::Snapshot>();
/// ```
pub struct Snapshot {
    bytes: Vec<u8>,
}

/// Stored bytes that are no snapshot of this version under this spec. The device then begins its window anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::SENTENCE)]
pub struct SnapshotError;

impl SnapshotError {
    /// The error for people.
    pub const SENTENCE: &str = "the stored sketches are of another spec, or cannot be read";
}

impl Snapshot {
    /// Encodes sketches.
    #[must_use]
    pub fn of(spec: &MonitorSpec, sketches: &Sketches) -> Self {
        let mut out = Writer { bytes: Vec::new() };
        out.bytes.push(VERSION);
        out.bytes.extend_from_slice(spec.id().as_bytes());
        out.size(sketches.profiles().len());
        for profile in sketches.profiles() {
            out.number(u64::from(profile.window()));
            for (index, counts) in profile.metrics().iter().enumerate() {
                counts.all().for_each(|count| out.number(u64::from(count)));
                if spec.metrics[index].cells.max_words() > 0 {
                    let words = profile.words()[index].sorted();
                    out.size(words.len());
                    for (word, count) in words {
                        out.number(u64::from(*word));
                        out.number(u64::from(*count));
                    }
                }
            }
        }
        out.size(sketches.pending().len());
        for waiting in sketches.pending().iter() {
            out.event(&waiting.key, waiting.at_secs);
            waiting.cells.iter().for_each(|cell| out.optional(cell.map(|cell| cell as u64)));
        }
        out.size(sketches.told().len());
        for told in sketches.told() {
            out.event(&told.key, told.at_secs);
            for placed in told.outcomes.iter().flatten() {
                out.number(match placed.place {
                    Place::Cell(_) => 0,
                    Place::Missing(_) => 1,
                    Place::Other(_) => 2,
                });
                out.optional(placed.place.cell().map(|cell| cell as u64));
                out.optional(placed.word.map(u64::from));
            }
        }
        Self { bytes: out.bytes }
    }

    /// Bytes that the device's own store gave back.
    #[must_use]
    pub fn from_store(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Bytes for the device's own store.
    #[must_use]
    pub fn into_store(self) -> Vec<u8> {
        self.bytes
    }

    /// The sketches.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the bytes are none of this version and spec.
    pub fn sketches(&self, spec: &MonitorSpec) -> Result<Sketches, SnapshotError> {
        read(spec, &self.bytes).ok_or(SnapshotError)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot(..)")
    }
}

fn read(spec: &MonitorSpec, bytes: &[u8]) -> Option<Sketches> {
    let (header, rest) = bytes.split_first_chunk::<{ 1 + SpecId::BYTES }>()?;
    if header[0] != VERSION || header[1..] != spec.id().as_bytes()[..] {
        return None;
    }
    let mut input = Reader { rest };
    let mut profiles: Vec<Profile> = Vec::new();
    for _ in 0..input.size(2)? {
        let profile = profile(spec, &mut input)?;
        if profiles.last().is_some_and(|earlier| earlier.window() >= profile.window()) {
            return None;
        }
        profiles.push(profile);
    }
    let mut pending = PendingPredictions::new(spec.outcome);
    for place in 0..input.size(spec.outcome.max_pending)? {
        let (key, at_secs) = input.event()?;
        let mut cells = Vec::with_capacity(spec.metrics.len());
        for metric in &spec.metrics {
            cells.push(input.cell(metric.cells.count())?);
        }
        pending.insert(key, at_secs, cells);
        // No key twice.
        if pending.len() != place + 1 {
            return None;
        }
    }
    let mut told = Vec::new();
    for _ in 0..input.size(spec.outcome.max_pending)? {
        let (key, at_secs) = input.event()?;
        let mut outcomes = Vec::with_capacity(spec.metrics.len());
        for metric in &spec.metrics {
            let is_outcome = metric.source == Source::Outcome;
            outcomes.push(if is_outcome { Some(placed(metric.cells.count(), &mut input)?) } else { None });
        }
        told.push(Told { key: key.to_owned(), at_secs, outcomes });
    }
    input.rest.is_empty().then(|| Sketches::of(spec.outcome, profiles, pending, told))
}

fn profile(spec: &MonitorSpec, input: &mut Reader<'_>) -> Option<Profile> {
    let mut profile = Profile::new(spec, input.number()?);
    for ((counts, words), metric) in profile.counters().zip(&spec.metrics) {
        for count in counts.counters() {
            *count = input.number()?;
        }
        let max_words = metric.cells.max_words();
        if max_words > 0 {
            let mut least = 0;
            for _ in 0..input.size(max_words)? {
                let word: u32 = input.number()?;
                let count: u32 = input.number()?;
                if u64::from(word) < least || count == 0 {
                    return None;
                }
                least = u64::from(word) + 1;
                words.update(word, count);
            }
        }
    }
    Some(profile)
}

fn placed(cells: usize, input: &mut Reader<'_>) -> Option<Placed> {
    let kind = input.size(2)?;
    let cell = input.cell(cells)?;
    let place = match (kind, cell) {
        (0, Some(cell)) => Place::Cell(cell),
        (1, _) => Place::Missing(cell),
        (2, _) => Place::Other(cell),
        _ => return None,
    };
    // Fits: below 2^32.
    let word = input.optional(1 << 32)?.map(|word| word as u32);
    Some(Placed { place, word })
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number > 0x7F {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn size(&mut self, size: usize) {
        self.number(size as u64);
    }

    fn optional(&mut self, number: Option<u64>) {
        self.number(number.map_or(0, |number| number + 1));
    }

    fn event(&mut self, key: &str, at_secs: u64) {
        self.size(key.len());
        self.bytes.extend_from_slice(key.as_bytes());
        self.number(at_secs);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn wide(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 || shift > 0 && *byte == 0 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn number(&mut self) -> Option<u32> {
        u32::try_from(self.wide()?).ok()
    }

    /// A number of things, at most so many.
    fn size(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.wide()?).ok().filter(|size| *size <= most)
    }

    /// Nothing, or a number below a bound.
    fn optional(&mut self, bound: u64) -> Option<Option<u64>> {
        let number = self.wide()?;
        (number <= bound).then(|| number.checked_sub(1))
    }

    /// Nothing, or one of so many cells.
    fn cell(&mut self, cells: usize) -> Option<Option<usize>> {
        // Fits: below a number of cells.
        Some(self.optional(cells as u64)?.map(|cell| cell as usize))
    }

    fn event(&mut self) -> Option<(&'a str, u64)> {
        let length = self.size(self.rest.len())?;
        let (key, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some((core::str::from_utf8(key).ok()?, self.wide()?))
    }
}
