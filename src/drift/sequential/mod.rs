//! Statements that hold however often one looks: e-processes, e-detectors, confidence sequences, and selection among
//! many.
//!
//! A test at 5 % that is repeated at every window alarms at some window for sure. What is here may be looked at after
//! every window: P\[a false alarm, ever\] ≤ α for an e-process, a wished average run length for an e-detector.
//!
//! | Module | Holds | Null hypothesis |
//! | --- | --- | --- |
//! | [`stream`] | the state of one question, segment and arm | nothing moved from the reference |
//! | [`seasonal`] | the same against a reference with seasons | each window says what its season lets expect |
//! | [`alarms`] | *false alarms per year* turned into thresholds | |
//! | [`dirichlet`] | exact mixture e-process of symbols that were sent | their probabilities are known |
//! | [`wald_mixture`] | any channel, noisy references, repeated devices | shares differ by a persistent offset |
//! | [`arms`] | canary against stable, any channel, devices that answer often | both arms answer alike in every window |
//! | [`two_sample`] | the same exactly, where devices answer once with one symbol | two groups answer alike |
//! | [`detector`], [`bet`] | e-detectors, and bets that learn | nothing changes |
//! | [`interval`], [`nprr`] | confidence sequences for contrasts, effects and private means | |
//! | [`selection`] | e-BH at every look; BH and BY for one look | |
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | t, τ | a look; a look chosen by looking |
//! | E_t | e-process: E\[E_τ\] ≤ 1 under the null hypothesis. Held as ln E |
//! | α | P\[E_t ≥ 1/α at any t\] ≤ α (Ville's inequality) |
//!
//! Values are held as logarithms, computed with `libm` alone, and depend on the closed windows and their order only.
//! Survey: Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical
//! Science 38(4), 2023. Each module says what breaks it.

pub mod alarms;
pub mod arms;
mod basis;
pub mod bet;
pub mod detector;
pub mod dirichlet;
mod filter;
pub mod interval;
mod logarithm;
pub mod nprr;
mod sampling;
pub mod seasonal;
pub mod selection;
pub mod stream;
pub mod two_sample;
pub mod wald_mixture;

pub use alarms::{AlarmBudget, AlarmBudgetError};
pub use arms::{ArmEffect, ArmRepetition, ArmSettings, ArmStep, ArmSums, Arms};
pub use bet::{Detection, DirichletDetector, ShiftDetector};
pub use detector::{Cusum, ShiryaevRoberts, log_threshold};
pub use dirichlet::{Dirichlet, log_dirichlet_mixture};
pub use interval::{EffectBounds, effect_bounds};
pub use seasonal::{SeasonalSettings, SeasonalStream};
pub use selection::{benjamini_hochberg, benjamini_yekutieli, e_bh};
pub use stream::{Comparison, LookError, Repetition, Step, Stream, StreamSettings, replay};
pub use two_sample::TwoSample;
pub use wald_mixture::{WaldMixture, log_gaussian_mixture};
