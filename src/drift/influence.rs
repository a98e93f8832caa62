//! Trust beside an estimate: what liars could have done to it, and how many of those asked it rests on.
//!
//! A report is at most one more support of each symbol. So m fake reports among n honest ones move a share by little, and
//! by an amount that the channel fixes, whatever the liars send and however they agree on it.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k, p, q | | symbols; P\[support v\] for a device whose symbol is v, and for another | |
//! | w | [`Supports`] | symbols that one report supports, at least and at most | 0–k |
//! | A, a | `cells` | a set of symbols and its size: a single cell, or the cells up to a cut | 1–k |
//! | F | `share` | estimated share of A: Σ_{v ∈ A} (c_v/n − q)/(p − q) | |
//! | n, m | | honest reports; fake ones | |
//! | H, L | [`Influence::highest`], [`Influence::lowest`] | what a report counts for A at most and at least | |
//!
//! A report that supports s symbols of A counts for it (s − aq)/(p − q), and s ≤ min(a, w), s ≥ max(0, w − (k − a)). So H =
//! (min(a, w_max) − aq)/(p − q), L = (max(0, w_min − (k − a)) − aq)/(p − q). The estimate from all n + m reports is (n F + m
//! x)/(n + m) with x between L and H:
//!
//! - **moved** up by at most m (H − F)/(n + m), down by m (F − L)/(n + m);
//! - **faking** a shift of δ up takes m = ⌈n δ/(H − F − δ)⌉ fakes, more than any number if δ ≥ H − F. The same number
//!   hides a true shift of δ down; so |effect| of KS or L∞ is bounded by the worse of both directions.
//!
//! For a = 1 and w ≥ 1, H = (1 − q)/(p − q): [`Channel::influence`]. Fakes are *added*; liars who hold enrolled devices
//! *replace* honest reports, which moves the share by m (H − L)/n at most.
//!
//! | Mechanism | w |
//! | --- | --- |
//! | k-ary; subset selection of w | 1; w |
//! | optimized unary | 0 to k |
//! | projective geometry, hashing, Hadamard | 0 to k as a bound: which sets one report can support is not searched |
//!
//! **Claim, limits.** Exact for k-ary, subset selection and unary reports about shares of symbols. Shares among devices with
//! data are quotients by the share with data f: their moves are at most 1/f of these to first order. Nothing here tells
//! how likely fakes are; rate limits and enrolment decide what m costs.

use crate::estimate::{Channel, Estimate, Scalar};
use crate::spec::{Mechanism, Question};

/// How many symbols one report supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supports {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

impl Supports {
    /// Those of a mechanism over a domain that shares are counted from.
    #[must_use]
    pub fn of(mechanism: Mechanism, domain_size: usize) -> Self {
        match mechanism {
            Mechanism::KAry => Self { least: 1, most: 1 },
            Mechanism::SubsetSelection { subset_size } => Self { least: subset_size, most: subset_size },
            _ => Self { least: 0, most: domain_size },
        }
    }
}

/// What fake reports can do to the share of a set of symbols.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// H, above 1 but for a set of all symbols.
    pub highest: f64,
    /// L, below 0.
    pub lowest: f64,
    reports: f64,
    share: f64,
}

impl Influence {
    /// The influence on the share of `cells` symbols together, estimated as `share` from `reports` reports. `None` for a
    /// question without shares.
    ///
    /// # Panics
    ///
    /// If there are not 1 to k such symbols.
    #[must_use]
    pub fn of(question: &Question, cells: usize, share: f64, reports: u64) -> Option<Self> {
        let k = question.domain_size;
        let channel = Channel::of(&question.randomizer, k).filter(|_| question.has_shares())?;
        assert!((1..=k).contains(&cells), "a set of 1 to {k} symbols");
        let supports = Supports::of(question.randomizer.mechanism, k);
        let (p, q) = (channel.keep_probability(), channel.false_probability());
        let counts = |supported: usize| (supported as f64 - cells as f64 * q) / (p - q);
        Some(Self {
            highest: counts(supports.most.min(cells)),
            lowest: counts(supports.least.saturating_sub(k - cells)),
            reports: reports as f64,
            share,
        })
    }

    /// By how much this many added fakes can move the share: down and up, both ≥ 0.
    #[must_use]
    pub fn moved_by(&self, fakes: u64) -> [f64; 2] {
        let part = fakes as f64 / (self.reports + fakes as f64).max(1.0);
        [part * (self.share - self.lowest).max(0.0), part * (self.highest - self.share).max(0.0)]
    }

    /// Fewest added fakes that move the share by `shift` in the direction that is easier: so many can fake a drift of that
    /// size, or hide one. `None` if no number can.
    #[must_use]
    pub fn fakes_for(&self, shift: f64) -> Option<u64> {
        let room = (self.highest - self.share).max(self.share - self.lowest);
        // Rounded down by a hair first, so that an integer stays itself.
        let needed = libm::ceil(self.reports * shift / (room - shift) * (1.0 - 1e-12));
        (room > shift && needed < 9e15).then_some(needed.max(0.0) as u64)
    }

    /// By how much this many of the reports themselves can have moved the share, if they were fakes.
    #[must_use]
    pub fn replaced_by(&self, fakes: u64) -> f64 {
        if self.reports > 0.0 {
            (fakes as f64).min(self.reports) / self.reports * (self.highest - self.lowest)
        } else {
            0.0
        }
    }
}

/// What an estimate rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Reports over those expected from the devices that were asked; above 1 when there are more devices than thought.
    pub response_rate: Option<f64>,
    /// Share of the answers that carry data; of a question about outcomes, the label coverage. De-biased, with the
    /// noise of the channel, so it may lie outside 0–1.
    pub with_data: Scalar,
}

impl Coverage {
    /// Of the shares of all symbols, "no data" last, from `reports` reports where `expected` were scheduled.
    ///
    /// # Panics
    ///
    /// If there is no symbol.
    #[must_use]
    pub fn of(symbols: &Estimate, reports: u64, expected: f64) -> Self {
        let no_data = symbols.share(symbols.shares.len() - 1);
        Self {
            response_rate: (expected > 0.0).then(|| reports as f64 / expected),
            with_data: Scalar { value: 1.0 - no_data.value, standard_error: no_data.standard_error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{QuestionKind, Randomizer, Weights};

    fn question(mechanism: Mechanism) -> Question {
        Question {
            name: "question".to_owned(),
            metric: 0,
            kind: QuestionKind::SampledEvent,
            weight: 1,
            epsilon_micronats: 1_000_000,
            randomizer: Randomizer { mechanism, weights: Weights::within(1_000_000) },
            domain_size: 6,
        }
    }

    const HONEST: u64 = 2_000;
    const FAKES: u64 = 100;

    /// Adds fakes that support a set of symbols, one of `ways` to do so after the other, to honest counts, and compares the
    /// moves of the share of the first `cells` symbols with the bound: never beyond, and the best of them at it.
    fn check(mechanism: Mechanism, cells: usize, ways: &[&[usize]]) {
        let question = question(mechanism);
        let channel = Channel::of(&question.randomizer, 6).expect("counted");
        // As many supports as honest reports have: two each where the mechanism does not say.
        let Supports { least, .. } = Supports::of(mechanism, 6);
        let honest = [420, 360, 340, 320, 300, 260].map(|count| count * if least > 0 { least as u64 } else { 2 });
        let share = |fakes: u64, way: &[usize]| -> f64 {
            let mut support = honest;
            way.iter().for_each(|symbol| support[*symbol] += fakes);
            channel.shares(HONEST + fakes, &support).expect("reports")[..cells].iter().sum()
        };
        let before = share(0, &[]);
        let influence = Influence::of(&question, cells, before, HONEST).expect("it has shares");
        let [down, up] = influence.moved_by(FAKES);
        let moves: Vec<f64> = ways.iter().map(|way| share(FAKES, way) - before).collect();
        let largest = moves.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let smallest = moves.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((largest - up).abs() < 1e-12, "{mechanism:?}, {cells} cells: up {largest}, bound {up}");
        assert!((smallest + down).abs() < 1e-12, "{mechanism:?}, {cells} cells: down {smallest}, bound {down}");
        // And back: the number of fakes for that move is the number of fakes.
        let easier = up.max(down);
        assert_eq!(influence.fakes_for(easier), Some(FAKES));
    }

    #[test]
    fn the_bound_is_reached_and_not_passed() {
        check(Mechanism::KAry, 1, &[&[0], &[1]]);
        check(Mechanism::KAry, 3, &[&[0], &[2], &[5]]);
        check(Mechanism::SubsetSelection { subset_size: 2 }, 1, &[&[0, 1], &[4, 5]]);
        check(Mechanism::SubsetSelection { subset_size: 2 }, 3, &[&[0, 1], &[0, 5], &[4, 5]]);
        check(Mechanism::SubsetSelection { subset_size: 3 }, 5, &[&[0, 1, 2], &[3, 4, 5]]);
        check(Mechanism::OptimizedUnary, 3, &[&[], &[0], &[0, 1, 2], &[0, 1, 2, 3, 4, 5], &[3, 4]]);
    }

    #[test]
    fn one_cell_is_the_channels_influence() {
        for mechanism in [Mechanism::KAry, Mechanism::OptimizedUnary, Mechanism::Hadamard] {
            let question = question(mechanism);
            let channel = Channel::of(&question.randomizer, 6).expect("counted");
            let influence = Influence::of(&question, 1, 0.2, HONEST).expect("it has shares");
            assert!((influence.highest - channel.influence()).abs() < 1e-12);
            assert_eq!(influence.fakes_for(1e6), None);
        }
    }

    #[test]
    fn coverage() {
        let channel = Channel::of(&question(Mechanism::KAry).randomizer, 6).expect("counted");
        let symbols = channel.estimate(1_000, &[200, 200, 150, 150, 150, 150]).expect("reports");
        let found = Coverage::of(&symbols, 1_000, 1_250.0);
        assert_eq!(found.response_rate, Some(0.8));
        assert!(
            (found.with_data.value - 1.0 + symbols.shares[5]).abs() < 1e-15 && found.with_data.standard_error > 0.0
        );
        assert_eq!(Coverage::of(&symbols, 1_000, 0.0).response_rate, None);
    }
}
