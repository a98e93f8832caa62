//! Randomizers that are broken on purpose: an auditor that cannot catch them proves nothing.
//!
//! Each makes one mistake that was made in practice, in an otherwise sound randomizer, and has the shape of a report
//! about it.

use driftglass::privacy::{EntropyError, EntropySource};
use driftglass::spec::{Mechanism, MonitorSpec};

use crate::native::{Frame, split};
use crate::plan::rejected_word;
use crate::probe::{Known, Probe, ProbeError};
use crate::tape::{Chance, Tape};

/// The mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Decides with floats.
    Float,
    /// Reports a set in the order in which it was made.
    Order,
    /// Takes the remainder in place of drawing again.
    Modulo,
    /// Leaves leading zeros out.
    Length,
    /// Draws entropy once and stretches it over all reports.
    Seed,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Float, Self::Order, Self::Modulo, Self::Length, Self::Seed];

    /// A short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Float => "float-threshold",
            Self::Order => "order-leak",
            Self::Modulo => "modulo-bias",
            Self::Length => "length-leak",
            Self::Seed => "reused-seed",
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Float => {
                "the decision to keep the answer compares floats of 32 bits; the chance to keep is off by some 10^-8"
            }
            Self::Order => "the set is sent in the order in which it was made, the true answer first when it was kept",
            Self::Modulo => {
                "a random integer is reduced by its remainder, which favors small ones, in place of being drawn again"
            }
            Self::Length => "leading zeros are left out, so that the length of a report tells part of the answer",
            Self::Seed => "entropy is drawn for the first report alone; the others are made from it",
        }
    }
}

/// A randomizer with a mistake: k-ary randomized response, but for [`Mistake::Order`], which selects a subset.
#[derive(Debug)]
pub struct Planted {
    mistake: Mistake,
    frame: Frame,
    domain: u32,
    subset: u32,
    of_true: u64,
    of_false: u64,
    payload_len: usize,
    seed: Option<Tape>,
}

impl Planted {
    /// In the place of a question's randomizer.
    #[must_use]
    pub fn of(spec: &MonitorSpec, index: u16, mistake: Mistake) -> Self {
        let question = &spec.questions[usize::from(index)];
        let subset = match question.randomizer.mechanism {
            Mechanism::SubsetSelection { subset_size } => subset_size as u32,
            _ => 1,
        };
        Self {
            mistake,
            frame: Frame::of(spec, index),
            domain: question.domain_size as u32,
            subset,
            of_true: question.randomizer.weights.of_true,
            of_false: question.randomizer.weights.of_false,
            payload_len: spec.payload_len(),
            seed: None,
        }
    }

    fn payload(&mut self, symbol: u32, tape: &mut Tape) -> Result<Vec<u8>, EntropyError> {
        match self.mistake {
            Mistake::Order => self.ordered_set(symbol, tape),
            Mistake::Seed => {
                if self.seed.is_none() {
                    let mut seed = [0; 8];
                    tape.fill(&mut seed)?;
                    self.seed = Some(Tape::endless(Chance::seeded(u64::from_be_bytes(seed))));
                }
                let mut stretched = self.seed.take().ok_or(EntropyError)?;
                let reported = self.respond(symbol, &mut stretched);
                self.seed = Some(stretched);
                Ok(self.padded(reported?))
            }
            Mistake::Length => {
                let reported = self.respond(symbol, tape)?;
                let mut payload = self.padded(reported);
                while payload.len() > 1 && payload[0] == 0 {
                    payload.remove(0);
                }
                Ok(payload)
            }
            Mistake::Float | Mistake::Modulo => {
                let reported = self.respond(symbol, tape)?;
                Ok(self.padded(reported))
            }
        }
    }

    fn padded(&self, reported: u32) -> Vec<u8> {
        let bytes = u64::from(reported).to_be_bytes();
        let mut payload = vec![0; self.payload_len.saturating_sub(8)];
        payload.extend_from_slice(&bytes[8 - self.payload_len.min(8)..]);
        payload
    }

    /// k-ary randomized response.
    fn respond(&self, symbol: u32, tape: &mut Tape) -> Result<u32, EntropyError> {
        let total = self.of_true + u64::from(self.domain - 1) * self.of_false;
        let draw = match self.mistake {
            Mistake::Modulo => masked(total, tape)? % total,
            _ => wide(total, tape)?,
        };
        let keep = match self.mistake {
            Mistake::Float => (draw as f64 / total as f64) as f32 <= (self.of_true as f64 / total as f64) as f32,
            _ => draw < self.of_true,
        };
        let other = below(self.domain - 1, tape)?;
        Ok(if keep { symbol } else { other + u32::from(other >= symbol) })
    }

    /// Subset selection, the members as digits of four bits.
    fn ordered_set(&self, symbol: u32, tape: &mut Tape) -> Result<Vec<u8>, EntropyError> {
        let (k, w) = (u64::from(self.domain), u64::from(self.subset));
        let keep = wide(w * self.of_true + (k - w) * self.of_false, tape)? < w * self.of_true;
        let mut members = Vec::new();
        members.extend(keep.then_some(symbol));
        for step in 0..self.domain - 1 {
            let missing = self.subset - members.len() as u32;
            if below(self.domain - 1 - step, tape)? < missing {
                members.push(if step == symbol { self.domain - 1 } else { step });
            }
        }
        let digits = members.iter().fold(0, |digits, member| digits << 4 | member);
        Ok(self.padded(digits))
    }
}

impl Probe for Planted {
    fn report(&mut self, symbol: u32, known: &Known, tape: &mut Tape) -> Result<Option<Vec<u8>>, ProbeError> {
        let (coin, _) = split(known);
        Ok(self.payload(symbol, tape).ok().map(|payload| self.frame.report_of_bytes(&coin, payload)))
    }

    fn instructions(&self) -> Option<u64> {
        None
    }
}

/// Some bits of the fewest bytes that hold the integers below a bound.
fn masked(bound: u64, tape: &mut Tape) -> Result<u64, EntropyError> {
    let bits = u64::BITS - (bound - 1).leading_zeros();
    let mut bytes = [0; 8];
    tape.fill(&mut bytes[8 - bits.div_ceil(8) as usize..])?;
    Ok(u64::from_be_bytes(bytes) & (u64::MAX >> (u64::BITS - bits)))
}

fn wide(bound: u64, tape: &mut Tape) -> Result<u64, EntropyError> {
    loop {
        let value = masked(bound, tape)?;
        if value < bound {
            return Ok(value);
        }
    }
}

fn below(bound: u32, tape: &mut Tape) -> Result<u32, EntropyError> {
    loop {
        let mut word = [0; 4];
        tape.fill(&mut word)?;
        let word = u32::from_be_bytes(word);
        let value = ((u64::from(word) * u64::from(bound)) >> 32) as u32;
        if rejected_word(bound, value) != Some(word) {
            return Ok(value);
        }
    }
}
