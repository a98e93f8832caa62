//! Secondary privacy figures: what many reports compose to, and what an anonymous crowd adds.
//!
//! The ledger enforces pure ε and the headline is always pure. A privacy officer also wants to know what 52 windows
//! compose to at a stated δ, and what the centre's operator learns when reports arrive without a sender. These are
//! those figures. Nothing here permits a report: the module is beside the flow and no other module of the device's path
//! imports it.
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`pair_law`](mod@pair_law) | the law of a randomizer on its worst pair of inputs; Rényi divergence, zCDP |
//! | [`composition`] | many reports of one device: basic, optimal, Rényi, zCDP |
//! | [`shuffle`] | anonymous reports, for any randomizer: bounds from above and below |
//! | [`blanket`] | anonymous reports, for one randomizer: the privacy blanket |
//! | `law` | the pair law of each mechanism of a spec |
//! | [`memoized`] | two rounds of randomized response over a hash: exact calibration, real and integer |
//!
//! **Which way figures are rounded.** Bounds from above are the upper ends of their brackets, and mass that a truncated
//! sum cuts off is added; bounds from below are the lower ends and drop it. Sums carry an allowance for rounding that
//! each module states. The inputs themselves (ε, masses) are floats and taken as given.
//!
//! ```
//! use driftglass::accounting::{Delta, Epsilon, PairLaw, Summary};
//!
//! let law = PairLaw::randomized_response(Epsilon::new(0.5)?);
//! let year = Summary::of(&law, 52, Delta::new(1e-8)?);
//! assert_eq!(year.basic, 26.0);
//! assert!(year.optimal < year.renyi && year.renyi < year.basic);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binomial;
pub mod blanket;
pub mod composition;
mod law;
pub mod memoized;
pub mod pair_law;
pub mod shuffle;
mod solve;

pub use law::pair_law;
pub use pair_law::{PairLaw, PairLawError};

/// A pure privacy parameter in nats: 0, or from [`Epsilon::MIN`] to [`Epsilon::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Epsilon(f64);

/// A number that is no privacy parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// See [`Epsilon::new`].
    #[error("epsilon must be 0 or lie in 1e-6 to 64")]
    Epsilon,
    /// See [`Delta::new`].
    #[error("delta must lie strictly between 0 and 1")]
    Delta,
}

impl Epsilon {
    /// The smallest ε above 0: a micro-nat, the unit of the ledger. Far below it the rounding of masses near 1/2 would
    /// drown what is accounted for.
    pub const MIN: f64 = 1e-6;

    /// The largest ε that is accounted for. e^−64 is below 2^−92: a randomizer with more hides nothing that any figure
    /// here could show.
    pub const MAX: f64 = 64.0;

    /// # Errors
    ///
    /// [`ParameterError::Epsilon`] unless 0 or in the range above.
    pub fn new(nats: f64) -> Result<Self, ParameterError> {
        let is_known = nats == 0.0 || (Self::MIN..=Self::MAX).contains(&nats);
        if is_known { Ok(Self(nats)) } else { Err(ParameterError::Epsilon) }
    }

    /// In nats.
    #[must_use]
    pub fn nats(self) -> f64 {
        self.0
    }
}

/// The probability δ with which a figure may fail to hold: in (0, 1).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Delta(f64);

impl Delta {
    /// # Errors
    ///
    /// [`ParameterError::Delta`] unless strictly between 0 and 1.
    pub fn new(probability: f64) -> Result<Self, ParameterError> {
        if probability > 0.0 && probability < 1.0 { Ok(Self(probability)) } else { Err(ParameterError::Delta) }
    }

    /// As a probability.
    #[must_use]
    pub fn probability(self) -> f64 {
        self.0
    }
}

/// What `count` reports of one device compose to, in nats: four bounds of the same thing, each valid by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The sum; holds with δ = 0. What the ledger enforces.
    pub basic: f64,
    /// The best that follows from ε alone ([`composition::optimal`]).
    pub optimal: f64,
    /// From the exact law of the randomizer, by Rényi divergences of all orders ([`composition::renyi`]).
    pub renyi: f64,
    /// From one number of the law, ρ ([`composition::zcdp`]).
    pub zcdp: f64,
}

impl Summary {
    /// Composes `count` reports, each made by a randomizer with this law on its worst pair of inputs.
    #[must_use]
    pub fn of(law: &PairLaw, count: u32, delta: Delta) -> Self {
        let epsilon = law.epsilon();
        Self {
            basic: composition::basic(epsilon, count),
            optimal: composition::optimal(epsilon, count, delta),
            renyi: composition::renyi(law, count, delta),
            zcdp: composition::zcdp(law.zcdp(), epsilon, count, delta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_outside_their_range_are_refused() {
        for nats in [-0.1, 9e-7, 64.1, f64::INFINITY, f64::NAN] {
            assert_eq!(Epsilon::new(nats), Err(ParameterError::Epsilon), "{nats}");
        }
        for probability in [0.0, 1.0, -1e-9, f64::NAN] {
            assert_eq!(Delta::new(probability), Err(ParameterError::Delta), "{probability}");
        }
        for nats in [0.0, 1e-6, 64.0] {
            assert_eq!(Epsilon::new(nats).map(Epsilon::nats), Ok(nats));
        }
    }
}
