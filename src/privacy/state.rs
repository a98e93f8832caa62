//! What a device keeps between visits: its secret, its ledger and the next window it may answer.
//!
//! The host stores the bytes and nothing else; it commits them together with the report they paid for. Layout, integers
//! most significant byte first: version (1), app (16), secret (32), spec id (16), next window (4), number of debits
//! (4), then 16 bytes per debit: time and cost (8 each), number of paid epochs (2), then 6 bytes per epoch: question (2)
//! and epoch (4). It is described for readers of a store in `docs/report-format.md`.
//!
//! Version 1 had no app. It was never released, so it is not read: a device that holds it is purged and joins anew.

use alloc::vec::Vec;

use super::app::AppId;
use super::entropy::{EntropyError, EntropySource};
use super::ledger::{Charge, Ledger};
use super::secret::DeviceSecret;
use crate::spec::{Join, MonitorSpec, SpecId, WindowIndex};

const VERSION: u8 = 2;
const HEADER: usize = 1 + AppId::BYTES + DeviceSecret::BYTES + SpecId::BYTES + 4 + 4;
const PER_CHARGE: usize = 16;
const PER_EPOCH: usize = 6;

/// A device's lasting state.
#[derive(Debug, Clone)]
pub struct DeviceState {
    /// Its secret.
    pub secret: DeviceSecret,
    /// Its budget book.
    pub ledger: Ledger,
    /// The app whose ledger it is.
    app: AppId,
    /// The spec it takes part in.
    spec_id: SpecId,
    /// The next window it may answer: later than each that was answered, so that a window is answered at most once.
    next_window: WindowIndex,
    /// Epochs in which memoized answers are paid for: the newest of each question, in the order of questions.
    paid: Vec<(u16, u32)>,
}

/// A stored state that cannot be used here. The device then answers nothing until the host purges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
#[non_exhaustive]
pub enum StateError {
    /// The bytes are no device state of this version.
    Unreadable,
    /// The state is another app's: its ledger neither pays for this one nor shows what this one spent.
    OtherApp,
}

impl StateError {
    /// The error for people.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Unreadable => "the stored device state cannot be read; purge it to start anew",
            Self::OtherApp => "the stored device state belongs to another app; give each app a store of its own",
        }
    }
}

impl DeviceState {
    /// A new device.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when there is no entropy for a secret.
    pub fn join(spec: &MonitorSpec, now_secs: u64, entropy: &mut dyn EntropySource) -> Result<Self, EntropyError> {
        Ok(Self {
            secret: DeviceSecret::generate(entropy)?,
            ledger: Ledger::default(),
            app: AppId::of(&spec.app),
            spec_id: spec.id(),
            next_window: first_window(spec, now_secs),
            paid: Vec::new(),
        })
    }

    /// Enters a spec of the device's app: one that is new to it, or the one it is in. Secret and ledger stay.
    ///
    /// Windows up to the newest debit are over for good, whatever the clock says: a device that comes back to a spec
    /// answers none of its windows again. Beyond them the device waits for no window later than a device that joins now
    /// would: what a clock that ran ahead put off, without a debit, is taken back.
    ///
    /// # Errors
    ///
    /// [`StateError::OtherApp`] when the spec is one of another app; then nothing changed.
    pub fn enter(&mut self, spec: &MonitorSpec, now_secs: u64) -> Result<(), StateError> {
        self.check_app(spec)?;
        let earliest = match self.ledger.charges().last() {
            Some(newest) => first_window(spec, now_secs).max(spec.window.index_at(newest.at_secs).saturating_add(1)),
            None => first_window(spec, now_secs),
        };
        if self.is_in(spec) {
            self.next_window = self.next_window.min(earliest);
        } else {
            self.spec_id = spec.id();
            self.next_window = earliest;
            self.paid.clear();
        }
        Ok(())
    }

    /// Whether it takes part in this spec. A device answers no other; as the app is part of a spec's id, none of
    /// another app.
    #[must_use]
    pub fn is_in(&self, spec: &MonitorSpec) -> bool {
        self.spec_id == spec.id()
    }

    /// Refuses a state of another app.
    ///
    /// # Errors
    ///
    /// [`StateError::OtherApp`] when the spec is one of another app.
    pub fn check_app(&self, spec: &MonitorSpec) -> Result<(), StateError> {
        if self.app == AppId::of(&spec.app) { Ok(()) } else { Err(StateError::OtherApp) }
    }

    /// The next window it may answer.
    #[must_use]
    pub fn next_window(&self) -> WindowIndex {
        self.next_window
    }

    /// Marks a window, and all before it, as answered or missed.
    pub fn pass(&mut self, window: WindowIndex) {
        self.next_window = self.next_window.max(window.saturating_add(1));
    }

    /// Whether memoized answers to a question are paid for in an epoch.
    #[must_use]
    pub fn has_paid(&self, question: u16, epoch: u32) -> bool {
        self.paid.contains(&(question, epoch))
    }

    /// Marks memoized answers to a question as paid for in an epoch, and in no other.
    pub fn mark_paid(&mut self, question: u16, epoch: u32) {
        let place = self.paid.partition_point(|(earlier, _)| *earlier < question);
        self.paid.retain(|(paid, _)| *paid != question);
        self.paid.insert(place, (question, epoch));
    }

    /// The bytes that the host stores.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let charges = self.ledger.charges();
        let mut bytes = Vec::with_capacity(HEADER + PER_CHARGE * charges.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(self.app.as_bytes());
        bytes.extend_from_slice(self.secret.as_bytes());
        bytes.extend_from_slice(self.spec_id.as_bytes());
        bytes.extend_from_slice(&self.next_window.to_be_bytes());
        // Fits: a ledger holds at most 16,384 debits.
        bytes.extend_from_slice(&(charges.len() as u32).to_be_bytes());
        for charge in charges {
            bytes.extend_from_slice(&charge.at_secs.to_be_bytes());
            bytes.extend_from_slice(&charge.epsilon_micronats.to_be_bytes());
        }
        // Fits: a spec has at most 256 questions.
        bytes.extend_from_slice(&(self.paid.len() as u16).to_be_bytes());
        for (question, epoch) in &self.paid {
            bytes.extend_from_slice(&question.to_be_bytes());
            bytes.extend_from_slice(&epoch.to_be_bytes());
        }
        bytes
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    ///
    /// [`StateError::Unreadable`] when they are not what [`DeviceState::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let (version, rest) = take::<1>(bytes)?;
        let (app, rest) = take(rest)?;
        let (secret, rest) = take(rest)?;
        let (spec_id, rest) = take(rest)?;
        let (next_window, rest) = take(rest)?;
        let (count, rest) = take(rest)?;
        let count = u32::from_be_bytes(count) as usize;
        if version != [VERSION] || count > Ledger::MAX_CHARGES || rest.len() < count * PER_CHARGE {
            return Err(StateError::Unreadable);
        }
        let (charges, rest) = rest.split_at(count * PER_CHARGE);
        let (epochs, rest) = take(rest)?;
        if rest.len() != usize::from(u16::from_be_bytes(epochs)) * PER_EPOCH {
            return Err(StateError::Unreadable);
        }
        let mut book = Vec::with_capacity(count);
        for entry in charges.chunks_exact(PER_CHARGE) {
            let (at_secs, entry) = take(entry)?;
            let (cost, _) = take(entry)?;
            book.push(Charge { at_secs: u64::from_be_bytes(at_secs), epsilon_micronats: u64::from_be_bytes(cost) });
        }
        let mut paid: Vec<(u16, u32)> = Vec::with_capacity(usize::from(u16::from_be_bytes(epochs)));
        for entry in rest.chunks_exact(PER_EPOCH) {
            let (question, entry) = take(entry)?;
            let (epoch, _) = take(entry)?;
            let question = u16::from_be_bytes(question);
            if paid.last().is_some_and(|(earlier, _)| *earlier >= question) {
                return Err(StateError::Unreadable);
            }
            paid.push((question, u32::from_be_bytes(epoch)));
        }
        Ok(Self {
            secret: DeviceSecret::from_bytes(secret),
            ledger: Ledger::from_charges(book).ok_or(StateError::Unreadable)?,
            app: AppId::from_bytes(app),
            spec_id: SpecId::from_bytes(spec_id),
            next_window: WindowIndex::from_be_bytes(next_window),
            paid,
        })
    }
}

fn first_window(spec: &MonitorSpec, now_secs: u64) -> WindowIndex {
    let current = spec.window.index_at(now_secs);
    match spec.window.join {
        Join::NextWindow => current.saturating_add(1),
        Join::Immediately => current,
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), StateError> {
    bytes.split_first_chunk().map(|(head, rest)| (*head, rest)).ok_or(StateError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::super::entropy::tests::Tape;
    use super::*;

    const SHIPPED: &str = include_str!("../../pkg-config.json");
    const WEEK: u64 = 604_800;

    /// The shipped spec, for another app or with another description of what is measured.
    fn spec(old: &str, new: &str) -> MonitorSpec {
        assert!(SHIPPED.contains(old));
        MonitorSpec::parse(&SHIPPED.replacen(old, new, 1)).expect("a valid spec")
    }

    fn shipped() -> MonitorSpec {
        spec("", "")
    }

    fn joined(now_secs: u64) -> DeviceState {
        DeviceState::join(&shipped(), now_secs, &mut Tape(vec![7; 32])).expect("entropy")
    }

    #[test]
    fn a_state_of_another_app_is_refused() {
        let other = spec(&format!("\"app\": \"{}\"", shipped().app), "\"app\": \"other\"");
        let mut state = DeviceState::from_bytes(&joined(5 * WEEK).to_bytes()).expect("a state");
        let before = state.to_bytes();
        assert_eq!(state.enter(&other, 9 * WEEK), Err(StateError::OtherApp));
        assert_eq!(state.check_app(&other), Err(StateError::OtherApp));
        assert_eq!(state.to_bytes(), before, "nothing changed");
        assert_eq!(state.enter(&shipped(), 9 * WEEK), Ok(()));
    }

    #[test]
    fn an_epoch_is_paid_for_until_the_next_one() {
        let mut state = joined(0);
        state.mark_paid(3, 7);
        state.mark_paid(1, 4);
        let mut state = DeviceState::from_bytes(&state.to_bytes()).expect("the bytes of a state");
        assert!(state.has_paid(3, 7) && state.has_paid(1, 4) && !state.has_paid(3, 4));
        state.mark_paid(3, 8);
        assert!(state.has_paid(3, 8) && !state.has_paid(3, 7), "an epoch that is over is forgotten");
    }

    #[test]
    fn every_other_version_is_refused() {
        let good = joined(0).to_bytes();
        assert_eq!((good[0], good.len()), (2, 75));
        for version in (0..=u8::MAX).filter(|version| *version != 2) {
            let mut bytes = good.clone();
            bytes[0] = version;
            assert_eq!(DeviceState::from_bytes(&bytes).err(), Some(StateError::Unreadable));
        }
        // What version 1 wrote: no app.
        let old = [&[1], &good[17..]].concat();
        assert_eq!(DeviceState::from_bytes(&old).err(), Some(StateError::Unreadable));
    }

    #[test]
    fn a_device_that_joined_while_its_clock_was_ahead_waits_no_longer_than_a_new_one() {
        let mut state = joined(900 * WEEK);
        state.enter(&shipped(), 5 * WEEK).expect("the same app");
        assert_eq!(state.next_window(), 6);
        state.enter(&shipped(), 8 * WEEK).expect("the same app");
        assert_eq!(state.next_window(), 6, "and a window that it has joined is not put off");
    }

    #[test]
    fn what_was_paid_for_while_the_clock_was_ahead_is_over() {
        let mut state = joined(5 * WEEK);
        let charge = Charge { at_secs: 900 * WEEK, epsilon_micronats: 1 };
        state.ledger.spend(charge, &[]).map(|_permit| ()).expect("no cap");
        state.pass(900);
        state.enter(&shipped(), 5 * WEEK).expect("the same app");
        assert_eq!(state.next_window(), 901);
    }
}
