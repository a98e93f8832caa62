//! Reference against current: what is known about the difference, and what follows from it.
//!
//! For one question in one window [`assess`] gives a test ([`wald()`]), an effect with its interval ([`effect()`]) and a verdict ([`Verdict`]), all from
//! aggregates, all with the noise of the channel inside their covariance, and with the finite sample of the reference.

mod anchored;
mod divergence;
mod effect;
mod quadratic_form;
mod question_mix;
mod reference;
mod special;
mod verdict;
mod wald;

pub use anchored::{AnchoredTest, CellScore, RowShift, anchored_test};
pub use divergence::{CountPair, DivergenceError, PSI_ZERO, TwoSample};
pub use effect::{Effect, Measure, effect};
pub use quadratic_form::{eigenvalues, quadratic_form_survival};
pub use question_mix::{
    ANCHORED_TO_SAMPLED, Fleet, HETEROGENEOUS, MIN_GAIN, QuestionMix, combined_p_value, question_mix, slope,
};
pub use reference::{QuestionReference, Reference};
pub use special::{chi_squared_survival, normal_quantile};
pub use verdict::{Assessment, MIN_ANSWERS, Verdict, assess};
pub use wald::{Wald, wald};
