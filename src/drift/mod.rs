//! Reference against current: what is known about the difference, and what follows from it.
//!
//! For one question in one window [`assess`] gives a test ([`wald()`]), an effect with its interval ([`effect()`]) and a verdict ([`Verdict`]), all from
//! aggregates, all with the noise of the channel inside their covariance, and with the finite sample of the reference.

mod effect;
mod reference;
mod special;
mod verdict;
mod wald;

pub use effect::{Effect, Measure, effect};
pub use reference::{QuestionReference, Reference};
pub use special::{chi_squared_survival, normal_quantile};
pub use verdict::{Assessment, MIN_ANSWERS, Verdict, assess};
pub use wald::{Wald, wald};
