//! From sums of reports to de-biased shares with their covariance, and to means, counts, distributions and words.
//!
//! Here are the shares of frequency oracles; the modules have the other estimators. What is unbiased and has a standard
//! error ([`Estimate`], [`MeanLaw`], [`CountLaw`], [`heavy_hitters()`]) is for tests; what is projected or smoothed
//! ([`norm_sub`], [`square_wave`]) is for people to look at, and never tested on.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | k | symbols |
//! | n, c_v | reports; reports that support v |
//! | p, q | P\[support v, given x = v\]; given x ≠ v |
//! | r | P\[support u and v, given x = u\] |
//! | t | P\[support u and v, given x is neither\] |
//! | f | shares of the symbols, "no data" last |
//! | g | shares of the cells among devices with data: g = f / (1 − f_no data) |
//!
//! The estimate f̂_v = (c_v/n − q)/(p − q) is unbiased (Wang, Blocki, Li and Jha, USENIX Security 2017, theorem 1). Its covariance is that of one
//! report's support vector, divided by n (p−q)²: E\[y_u y_v\] = r (f_u + f_v) + t (1 − f_u − f_v) and E\[y_v\] = q + (p−q) f_v. It is evaluated at shares clipped to
//! \[0, 1\] and renormalized, while the estimate itself is never clipped. It treats devices as a sample; for a fixed fleet with
//! differing devices it errs on the safe side. g has its covariance by the delta method.
mod channel;
#[cfg(feature = "std")]
mod cholesky;
#[cfg(feature = "std")]
mod constraint;
#[cfg(feature = "std")]
mod count;
#[cfg(feature = "std")]
mod expectation;
#[cfg(feature = "std")]
mod heavy_hitters;
#[cfg(feature = "std")]
mod interval;
#[cfg(feature = "std")]
mod law;
#[cfg(feature = "std")]
mod matrix;
#[cfg(feature = "std")]
mod mean;
#[cfg(feature = "std")]
mod shares;
#[cfg(feature = "std")]
mod simplex;

pub use channel::Channel;
#[cfg(feature = "std")]
pub use cholesky::Cholesky;
#[cfg(feature = "std")]
pub use constraint::constrained;
#[cfg(feature = "std")]
pub use count::CountLaw;
#[cfg(feature = "std")]
pub use expectation::{Likeliest, Stop, maximize_likelihood, maximize_smoothed, square_wave, square_wave_half_width};
#[cfg(feature = "std")]
pub use heavy_hitters::{HeavyHitter, Search, heavy_hitters};
#[cfg(feature = "std")]
pub use interval::{Interval, Scalar, normal_quantile};
#[cfg(feature = "std")]
pub use law::{Law, Rows, Windows};
#[cfg(feature = "std")]
pub use matrix::Matrix;
#[cfg(feature = "std")]
pub use mean::{MeanEstimate, MeanLaw, mean_mechanism};
#[cfg(feature = "std")]
pub use shares::Estimate;
#[cfg(feature = "std")]
pub use shares::clipped;
#[cfg(feature = "std")]
pub use simplex::norm_sub;
