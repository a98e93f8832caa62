//! One randomizer at a time, for auditors: the code that privatizes an answer, with a symbol of the auditor's choice.
//!
//! What it returns is a report like any other, paid for from a book of its own. It reads and changes no device state.

use alloc::{boxed::Box, vec::Vec};

use wasm_bindgen::prelude::wasm_bindgen;

use super::entropy::Platform;
use super::error::{Thrown, coded, thrown};
use crate::monitor::AnswerError;
use crate::privacy::{Charge, Draws, Ledger, LocalRandomizer, MemoKey, randomizer_of};
use crate::report::{Arm, Report};
use crate::spec::{Cap, MonitorSpec};

/// The randomizers of a spec.
#[wasm_bindgen(js_name = RandomizerProbe)]
#[derive(Debug)]
pub struct Probe {
    spec: MonitorSpec,
    randomizers: Vec<Box<dyn LocalRandomizer>>,
    /// Counted once: ranks of subsets take some divisions of 256 bits.
    payload_len: usize,
}

#[wasm_bindgen(js_class = RandomizerProbe)]
impl Probe {
    /// Reads the spec.
    #[wasm_bindgen(constructor)]
    pub fn new(spec: &str) -> Result<Self, Thrown> {
        let spec = super::spec_of(spec)?;
        let randomizers = spec.questions.iter().map(randomizer_of).collect();
        Ok(Self { payload_len: spec.payload_len(), spec, randomizers })
    }

    /// A report of window 0 that hides `symbol`. The 48 bytes of `chance` are the report id, which is the public
    /// coin, and the key of memoized answers. Nothing when the platform gave no entropy.
    pub fn report(&self, question: u16, symbol: u32, chance: &[u8]) -> Result<Option<Vec<u8>>, Thrown> {
        let malformed =
            || coded("malformed-probe", "a probe names a question and a symbol of the spec, and 48 bytes of chance");
        let index = usize::from(question);
        let randomizer = self.randomizers.get(index).ok_or_else(malformed)?;
        let (coin, memo) = chance.split_first_chunk::<16>().ok_or_else(malformed)?;
        let memo = MemoKey::from_bytes(memo.try_into().map_err(|_| malformed())?);
        if u64::from(symbol) >= randomizer.domain_size() {
            return Err(malformed());
        }
        let epsilon_micronats = self.spec.questions[index].epsilon_micronats;
        let caps = [Cap { period_secs: 1, epsilon_micronats }];
        let permit = Ledger::default()
            .spend(Charge { at_secs: 0, epsilon_micronats }, &caps)
            .map_err(|error| thrown(AnswerError::from(error)))?;
        let draws = Draws { coin, memo: &memo, entropy: &mut Platform };
        let payload = randomizer.privatize(permit, u64::from(symbol), draws);
        let report = |payload: crate::privacy::Payload| Report {
            arm: Arm::Stable,
            spec_id: self.spec.id(),
            window: 0,
            question,
            segment: 0,
            report_id: *coin,
            payload: payload.to_bytes(self.payload_len),
        };
        Ok(payload.ok().map(|payload| report(payload).encode()))
    }
}
