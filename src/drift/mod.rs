//! Reference against current: what is known about the difference, and what follows from it.
//!
//! For one question in one window [`assess`] gives a test ([`wald()`]), an effect with its interval ([`effect()`]) and a verdict ([`Verdict`]), all from
//! aggregates, all with the noise of the channel inside their covariance, and with the finite sample of the reference.
//!
//! [`one_shot()`] gives every test of one [`Comparison`] at one time: omnibus, location, scale, KS, W1, the largest cell,
//! and one p-value from them.

mod anchored;
mod batch;
mod cauchy;
mod cause;
mod change_point;
mod comparison;
mod debiased;
mod device_moments;
mod divergence;
mod effect;
mod influence;
mod kept_laws;
mod largest_cell;
mod multinomial;
mod norm_law;
mod normal_draws;
mod one_shot;
mod ordered;
pub mod performance;
mod plan;
mod quadratic_form;
mod question_mix;
mod rare_cells;
mod reference;
pub mod sequential;
mod special;
mod support_law;
mod threshold_mix;
mod verdict;
mod wald;

pub use anchored::{AnchoredTest, CellScore, RowShift, anchored_test};
pub use batch::{Evaluation, Evaluator};
pub use cauchy::{cauchy_combination, combined_log_p};
pub use cause::{Group, Suspect, moved, moved_together, rank};
pub use change_point::{ChangePoint, WindowDifference, change_point};
pub use comparison::{Comparison, Sample};
pub use debiased::{Debiased, DebiasedPair, Distance};
pub use device_moments::{DeviceMoments, LengthMismatch};
pub use divergence::{CountPair, DivergenceError, PSI_ZERO, TwoSample};
pub use effect::{Effect, Measure, effect};
pub use influence::{Coverage, Influence, Supports};
pub use kept_laws::NormLaws;
pub use multinomial::{pearson_known, pearson_two_sample};
pub use norm_law::{NormLaw, norm_laws};
pub use normal_draws::{COORDINATES, DRAWS, normal_draws};
pub use one_shot::{Norm, OneShot, Shape, one_shot};
pub use ordered::{Contrast, linear_contrast, location_shift, scale_shift};
pub use plan::{Conditions, Detector, Direction, Look};
pub use quadratic_form::{eigenvalues, quadratic_form_survival};
pub use question_mix::{
    ANCHORED_TO_SAMPLED, Fleet, HETEROGENEOUS, MIN_GAIN, QuestionMix, combined_p_value, question_mix, slope,
};
pub use rare_cells::{LEAST_EXPECTED, RareCells};
pub use reference::{
    Calendar, Departure, Draft, ErrorSource, Expectation, Fallback, MIN_BLOCKS, NotCovered, QuestionReference,
    RawShares, Reference, ReferenceError, ReferenceVersion, SeasonKind, SeasonalReference, SpanPart, pooled,
};
pub use special::{chi_squared_survival, log_chi_squared_survival, noncentral_chi_squared_survival, normal_quantile};
pub use support_law::SupportLaw;
pub use threshold_mix::{
    MIN_THRESHOLD_GAIN, THRESHOLD_TO_HISTOGRAM, ThresholdMix, location_information, threshold_mix,
};
pub use verdict::{Assessment, MIN_ANSWERS, Verdict, assess};
pub use wald::{Wald, projected_wald, unary_wald, wald};
