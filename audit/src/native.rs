//! Randomizers of the crate itself, run natively: the sound ones of the self-test, and what the broken ones are made
//! from.

use driftglass::privacy::{Charge, Decoder, Draws, Ledger, MemoKey, Payload, Permit, decoder_of};
use driftglass::report::{Arm, Report};
use driftglass::spec::{Cap, MonitorSpec, SpecId};

use crate::probe::{Known, Probe, ProbeError};
use crate::tape::Tape;

/// A randomizer of the crate behind a probe.
#[derive(Debug)]
pub struct Native {
    randomizer: Box<dyn Decoder>,
    frame: Frame,
}

impl Native {
    /// The randomizer of a question.
    #[must_use]
    pub fn of(spec: &MonitorSpec, question: u16) -> Self {
        Self { randomizer: decoder_of(&spec.questions[usize::from(question)]), frame: Frame::of(spec, question) }
    }
}

impl Probe for Native {
    fn report(&mut self, symbol: u32, known: &Known, tape: &mut Tape) -> Result<Option<Vec<u8>>, ProbeError> {
        let (coin, memo) = split(known);
        let draws = Draws { coin: &coin, memo: &MemoKey::from_bytes(memo), entropy: tape };
        let payload = self.randomizer.privatize(permit(), u64::from(symbol), draws).ok();
        Ok(payload.map(|payload| self.frame.report(&coin, &payload)))
    }

    fn instructions(&self) -> Option<u64> {
        None
    }
}

/// What surrounds a payload.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    spec_id: SpecId,
    question: u16,
    payload_len: usize,
}

impl Frame {
    pub(crate) fn of(spec: &MonitorSpec, question: u16) -> Self {
        Self { spec_id: spec.id(), question, payload_len: spec.payload_len() }
    }

    pub(crate) fn report(&self, coin: &[u8; 16], payload: &Payload) -> Vec<u8> {
        self.report_of_bytes(coin, payload.to_bytes(self.payload_len))
    }

    pub(crate) fn report_of_bytes(&self, coin: &[u8; 16], payload: Vec<u8>) -> Vec<u8> {
        let (spec_id, question) = (self.spec_id, self.question);
        Report { arm: Arm::Stable, spec_id, window: 0, question, segment: 0, report_id: *coin, payload }.encode()
    }
}

/// Report id and memo key.
pub(crate) fn split(known: &Known) -> ([u8; 16], [u8; 32]) {
    let (mut coin, mut memo) = ([0; 16], [0; 32]);
    coin.copy_from_slice(&known[..16]);
    memo.copy_from_slice(&known[16..]);
    (coin, memo)
}

/// Paid for from a book of its own.
pub(crate) fn permit() -> Permit {
    let caps = [Cap { period_secs: 1, epsilon_micronats: 1 }];
    Ledger::default().spend(Charge { at_secs: 0, epsilon_micronats: 1 }, &caps).expect("an empty book pays 1 of 1")
}
