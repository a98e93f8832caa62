//! Has a known distribution changed? The exact mixture e-process of answers with one symbol each.
//!
//! If nothing changed, the counts c of the symbols that were *sent* are multinomial with known probabilities π. Against
//! that stands the mixture in which π is drawn once from a Dirichlet law around it. The ratio of the two probabilities
//! of what was seen is an e-process: its mean is 1 at every look, and at every look that was chosen by looking.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `probabilities.len()` | symbols that can be sent | ≥ 2 |
//! | π | `probabilities` | P\[symbol is sent\] if nothing changed | (0, 1), sum 1 |
//! | c, n | `counts` | how often each was sent since the first look; their sum | integers |
//! | K | `concentration` | how near to π the mixture stays: its counts weigh as K answers | > 0 |
//! | E | [`log_dirichlet_mixture`] gives ln E | evidence that π changed | (0, ∞) |
//!
//! ln E = lnΓ(K) − lnΓ(K+n) + Σ_j \[lnΓ(Kπ_j + c_j) − lnΓ(Kπ_j)\] − Σ_j c_j ln π_j.
//!
//! **Argument.** Given a probability vector θ, Π (θ_j/π_j)^{c_j} is a product of likelihood ratios of single answers,
//! hence a martingale with mean 1 under π (Ville, 1939; Wald, *Sequential Analysis*, 1947). A mixture over θ with
//! weights that do not depend on the data is one too (Robbins, "Statistical methods related to the law of the iterated
//! logarithm", Ann. Math. Stat. 41(5), 1970), and over Dir(Kπ) the integral is the formula above
//! (Dirichlet-multinomial). So P\[E ≥ 1/α at any look\] ≤ α. An average over several K is again a mixture:
//! [`Dirichlet`] averages over 100, 1,000 and 10,000, because K sets the size of the shift that is found soonest, and
//! the average costs ln 3 at most.
//!
//! **Cost**: 2k log-gamma functions for each K, a look. Memory: the k counts.
//!
//! **Does not hold when** an answer supports several symbols (unary, Hadamard, hashing: see
//! [`super::wald_mixture`]), when π is itself an estimate, or when a device sends in several looks: then the counts are
//! not multinomial with this π, and the persistent null of [`super::wald_mixture`] is the one to use.

use super::logarithm::log_mean;

/// The concentrations that [`Dirichlet`] averages over.
pub const CONCENTRATIONS: [f64; 3] = [1e2, 1e3, 1e4];

/// ln E of counts against the probabilities π, mixing with concentration K.
///
/// # Panics
///
/// If the lengths differ or the concentration is not positive.
#[must_use]
pub fn log_dirichlet_mixture(probabilities: &[f64], counts: &[u64], concentration: f64) -> f64 {
    assert_eq!(probabilities.len(), counts.len(), "one count for each probability");
    assert!(concentration > 0.0, "a positive concentration");
    let n: u64 = counts.iter().sum();
    let term = |(p, count): (&f64, &u64)| {
        // Rising by a count of 0 is exactly 0, whatever p.
        if *count == 0 {
            return 0.0;
        }
        rise(concentration * p, *count as f64) - *count as f64 * libm::log(*p)
    };
    probabilities.iter().zip(counts).map(term).sum::<f64>() - rise(concentration, n as f64)
}

/// lnΓ(a + c) − lnΓ(a).
fn rise(a: f64, c: f64) -> f64 {
    libm::lgamma(a + c) - libm::lgamma(a)
}

/// The e-process of one stream of answers: an average over [`CONCENTRATIONS`].
#[derive(Debug, Clone, PartialEq)]
pub struct Dirichlet {
    probabilities: Vec<f64>,
    counts: Vec<u64>,
}

impl Dirichlet {
    /// The process before the first look; `None` if the probabilities are fewer than two, not positive, or do not sum
    /// to 1 within 1e-9.
    #[must_use]
    pub fn new(probabilities: &[f64]) -> Option<Self> {
        let proper = probabilities.len() >= 2
            && probabilities.iter().all(|p| *p > 0.0)
            && libm::fabs(probabilities.iter().sum::<f64>() - 1.0) <= 1e-9;
        proper.then(|| Self { probabilities: probabilities.to_vec(), counts: vec![0; probabilities.len()] })
    }

    /// Adds the counts of a look; gives ln E after it.
    ///
    /// # Panics
    ///
    /// If there is not one count for each symbol.
    pub fn look(&mut self, counts: &[u64]) -> f64 {
        assert_eq!(self.counts.len(), counts.len(), "one count for each probability");
        self.counts.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        self.log_e()
    }

    /// ln E of all looks so far.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        log_mean(&CONCENTRATIONS.map(|k| log_dirichlet_mixture(&self.probabilities, &self.counts, k)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over all outcomes of n answers E has mean exactly 1: the sum over the multinomial law of three symbols, n = 6.
    /// The terms are rounded to 1e-13 each.
    #[test]
    fn mean_one_over_all_outcomes() {
        let p: [f64; 3] = [0.2, 0.3, 0.5];
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let n = 6_u64;
        let mut mean = 0.0;
        for a in 0..=n {
            for b in 0..=n - a {
                let c = n - a - b;
                let chance = choose(n, a)
                    * choose(n - a, b)
                    * libm::pow(p[0], a as f64)
                    * libm::pow(p[1], b as f64)
                    * libm::pow(p[2], c as f64);
                let mut process = Dirichlet::new(&p).expect("probabilities");
                process.look(&[a, 0, 0]);
                mean += chance * libm::exp(process.look(&[0, b, c]));
            }
        }
        assert!((mean - 1.0).abs() < 1e-11, "{mean}");
    }

    #[test]
    fn improper_probabilities_are_refused() {
        for bad in [&[1.0][..], &[0.5, 0.6], &[1.0, 0.0], &[f64::NAN, 1.0]] {
            assert_eq!(Dirichlet::new(bad), None);
        }
    }
}
