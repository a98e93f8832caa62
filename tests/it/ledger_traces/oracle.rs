//! The oracle: recomputes from bytes what a device may have spent, and shares no code with the ledger.
//!
//! It reads reports and states by the offsets of `docs/report-format.md`. What it knows: every byte string that was
//! sent, every entry that ever stood in the outbox, and the state that is stored. What it holds, after each action:
//!
//! | Fault | Promise that is broken |
//! | --- | --- |
//! | `Overspent` | in every span of a cap's period the distinct reports sent by a device cost at most the cap |
//! | `TwoAnswers` | a device sends at most one distinct byte string for a window |
//! | `RetryDiffers` | what is sent under a report id is the same bytes each time |
//! | `NotPaid` | each report that can be sent has a debit of its own cost at its own window |
//! | `ChargedTwice` | no window is debited twice |
//! | `ChargedForNothing` | no window is debited without a report |
//! | `WithoutEntropy` | when a draw of entropy fails, nothing is made |
//! | `Unreadable` | reports and states keep their format |

use std::collections::BTreeSet;

use driftglass::spec::{Cap, MAX_CAP_PERIOD_SECS, MonitorSpec};

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Overspent,
    TwoAnswers,
    RetryDiffers,
    NotPaid,
    ChargedTwice,
    ChargedForNothing,
    WithoutEntropy,
    Unreadable,
}

/// A report, as far as its bytes and the spec tell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Paid {
    device: u32,
    at_secs: u64,
    cost: u64,
    report_id: [u8; 16],
    bytes: Vec<u8>,
}

/// What has been seen of one trace.
pub(crate) struct Oracle<'s> {
    specs: &'s [MonitorSpec],
    caps: &'s [Cap],
    /// Distinct byte strings that were sent.
    sent: Vec<Paid>,
    /// Reports of the current device that ever stood in the outbox.
    made: Vec<Paid>,
    pub(crate) faults: BTreeSet<Fault>,
}

impl<'s> Oracle<'s> {
    /// An oracle for devices of these specs, all of which have the same caps.
    pub(crate) fn new(specs: &'s [MonitorSpec]) -> Self {
        let caps = &specs[0].caps[..];
        assert!(specs.iter().all(|spec| spec.caps == caps && spec.app == specs[0].app));
        Self { specs, caps, sent: Vec::new(), made: Vec::new(), faults: BTreeSet::new() }
    }

    /// Distinct byte strings that were sent.
    pub(crate) fn released(&self) -> usize {
        self.sent.len()
    }

    /// A device sent these bytes. False if it had sent them before.
    pub(crate) fn sends(&mut self, device: u32, bytes: &[u8]) -> bool {
        let Some(report) = self.read(device, bytes) else {
            self.faults.insert(Fault::Unreadable);
            return true;
        };
        if self.sent.contains(&report) {
            return false;
        }
        let earlier = || self.sent.iter().filter(|earlier| earlier.device == device);
        if earlier().any(|earlier| earlier.report_id == report.report_id) {
            self.faults.insert(Fault::RetryDiffers);
        }
        if earlier().any(|earlier| earlier.at_secs == report.at_secs) {
            self.faults.insert(Fault::TwoAnswers);
        }
        self.sent.push(report);
        if self.caps.iter().any(|cap| self.most_sent(device, cap.period_secs) > cap.epsilon_micronats) {
            self.faults.insert(Fault::Overspent);
        }
        true
    }

    /// The storage was cleared: who joins now is another device.
    pub(crate) fn storage_cleared(&mut self) {
        self.made.clear();
    }

    /// The store holds this state, and these bytes in its outbox.
    pub(crate) fn sees_store<'b>(&mut self, device: u32, state: Option<&[u8]>, outbox: impl Iterator<Item = &'b [u8]>) {
        for bytes in outbox {
            match self.read(device, bytes) {
                Some(report) if !self.made.contains(&report) => self.made.push(report),
                Some(_) => {}
                None => drop(self.faults.insert(Fault::Unreadable)),
            }
        }
        let Some(state) = state else { return };
        let Some(debits) = debits(state) else {
            self.faults.insert(Fault::Unreadable);
            return;
        };
        let times: BTreeSet<u64> = debits.iter().map(|(at_secs, _)| *at_secs).collect();
        if times.len() < debits.len() {
            self.faults.insert(Fault::ChargedTwice);
        }
        // A debit that no cap can see any more may be forgotten.
        let newest = times.last().copied().unwrap_or(0);
        let remembered = |report: &&Paid| report.at_secs + MAX_CAP_PERIOD_SECS > newest;
        let paid = |report: &Paid| debits.contains(&(report.at_secs, report.cost));
        if !self.made.iter().filter(remembered).all(paid) {
            self.faults.insert(Fault::NotPaid);
        }
        let earned = |debit: &(u64, u64)| self.made.iter().any(|report| (report.at_secs, report.cost) == *debit);
        if !debits.iter().all(earned) {
            self.faults.insert(Fault::ChargedForNothing);
        }
    }

    /// The most that a device's reports cost in any span of this length. Such a span can be moved until it begins with
    /// a report.
    fn most_sent(&self, device: u32, period_secs: u64) -> u64 {
        let reports = || self.sent.iter().filter(|report| report.device == device);
        let cost = |first: &Paid| {
            let span = first.at_secs..first.at_secs + period_secs;
            reports().filter(|report| span.contains(&report.at_secs)).map(|report| report.cost).sum()
        };
        reports().map(cost).max().unwrap_or(0)
    }

    fn read(&self, device: u32, bytes: &[u8]) -> Option<Paid> {
        let spec = self.specs.iter().find(|spec| bytes.get(4..20) == Some(spec.id().as_bytes()))?;
        let window = u32::from_be_bytes(bytes.get(20..24)?.try_into().ok()?);
        let question = u16::from_be_bytes(bytes.get(24..26)?.try_into().ok()?);
        let fits = bytes.starts_with(b"DG\x01") && bytes.len() == 44 + spec.payload_len();
        fits.then_some(Paid {
            device,
            at_secs: u64::from(window) * spec.window.length_secs,
            cost: spec.questions.get(usize::from(question))?.epsilon_micronats,
            report_id: bytes[28..44].try_into().ok()?,
            bytes: bytes.to_vec(),
        })
    }
}

/// Time and cost of each debit of a stored state. No question of these traces is memoized, so no epoch follows them.
fn debits(state: &[u8]) -> Option<Vec<(u64, u64)>> {
    let count = u32::from_be_bytes(state.get(69..73)?.try_into().ok()?) as usize;
    let word = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
    let entries = state[73..].strip_suffix(&[0, 0])?.chunks(16);
    let debits: Vec<_> =
        entries.map(|entry| Some((word(entry.get(..8)?)?, word(&entry[8..])?))).collect::<Option<_>>()?;
    (debits.len() == count).then_some(debits)
}
