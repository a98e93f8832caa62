//! Reference against current: what is known about the difference, and what follows from it.
//!
//! For one question in one window [`assess`] gives a test ([`wald()`]), an effect with its interval ([`effect()`]) and a verdict ([`Verdict`]), all from
//! aggregates, all with the noise of the channel inside their covariance, and with the finite sample of the reference.

mod anchored;
mod cause;
mod change_point;
mod debiased;
mod effect;
mod gaussian;
mod influence;
mod plan;
mod quadratic_form;
mod question_mix;
mod reference;
mod special;
mod verdict;
mod wald;

pub use anchored::{AnchoredTest, CellScore, RowShift, anchored_test};
pub use cause::{Group, Suspect, combined_log_p, moved, moved_together, rank};
pub use change_point::{ChangePoint, WindowDifference, change_point};
pub use debiased::{Comparison, Debiased, Distance};
pub use effect::{Effect, Measure, effect};
pub use influence::{Coverage, Influence, Supports};
pub use plan::{Conditions, Detector, Direction, Look};
pub use quadratic_form::{eigenvalues, quadratic_form_survival};
pub use question_mix::{
    ANCHORED_TO_SAMPLED, Fleet, HETEROGENEOUS, MIN_GAIN, QuestionMix, combined_p_value, question_mix, slope,
};
pub use reference::{QuestionReference, Reference};
pub use special::{chi_squared_survival, log_chi_squared_survival, noncentral_chi_squared_survival, normal_quantile};
pub use verdict::{Assessment, MIN_ANSWERS, Verdict, assess};
pub use wald::{Wald, wald};
