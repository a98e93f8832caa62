//! Pearson's test on the answers themselves, without undoing the channel.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | c_y | `counts` | reports whose answer is y |
//! | n | | Σ c_y |
//! | π_y | `law` | probability of answer y if nothing changed |
//! | T | [`Wald::statistic`] | the statistic, χ² with (answers − 1) degrees of freedom |
//!
//! Where a report is one answer out of finitely many, the counts of the answers are multinomial, whatever the
//! mechanism: no covariance has to be known. Known law: T = Σ (c − nπ)²/(nπ) (Pearson 1900); for k-ary response at π_j
//! = q + (p−q) f_j this is the test of Gaboardi and Rogers, ICML 2018, and equal to [`wald()`](super::wald()). Two
//! samples: the 2 × m table, T = Σ over both of (c − nπ̂)²/(nπ̂) with π̂ the pooled shares.
//!
//! Answers expected less than `least` times in the smaller sample are merged into one ([`RareCells`]). **Cost** O(m log
//! m). **Limits.** An answer alphabet larger than that of the symbols (subsets, points of a projective geometry) adds
//! directions that no change of shares moves, and loses power to them: then prefer [`wald()`](super::wald()).

use super::rare_cells::RareCells;
use super::wald::Wald;
use crate::estimate::Channel;

impl Channel {
    /// π: the probability that a report supports each symbol, q + (p−q) f_j. For k-ary response the law of the answer.
    #[must_use]
    pub fn support_law(&self, shares: &[f64]) -> Vec<f64> {
        let (p, q) = (self.keep_probability(), self.false_probability());
        shares.iter().map(|share| q + (p - q) * share).collect()
    }
}

/// The test of counts against a known law. `None` for fewer than two answers after merging.
///
/// # Panics
///
/// If there is not one probability for each count.
#[must_use]
pub fn pearson_known(counts: &[u64], law: &[f64], least: f64) -> Option<Wald> {
    assert_eq!(counts.len(), law.len(), "a probability for each answer");
    let n = counts.iter().sum::<u64>() as f64;
    let expected: Vec<f64> = law.iter().map(|probability| n * probability).collect();
    let merged = RareCells::new(&expected, false, least);
    let statistic = merged
        .sums(counts.iter().map(|count| *count as f64))
        .iter()
        .zip(merged.sums(expected.iter().copied()))
        .filter(|(_, expected)| *expected > 0.0)
        .map(|(count, expected)| (count - expected) * (count - expected) / expected)
        .sum();
    (merged.groups > 1).then(|| Wald::of(statistic, merged.groups - 1))
}

/// The test of two samples of counts. `None` for fewer than two answers after merging, or a sample without reports.
/// Answers that neither sample has are left out.
///
/// # Panics
///
/// If the samples have different numbers of answers.
#[must_use]
pub fn pearson_two_sample(current: &[u64], reference: &[u64], least: f64) -> Option<Wald> {
    assert_eq!(current.len(), reference.len(), "the same answers in both samples");
    let seen = || current.iter().zip(reference).filter(|(now, then)| **now + **then > 0);
    let n = seen().fold([0.0, 0.0], |[now, then], (a, b)| [now + *a as f64, then + *b as f64]);
    if n.contains(&0.0) {
        return None;
    }
    let all = n[0] + n[1];
    let expected: Vec<f64> = seen().map(|(now, then)| (*now + *then) as f64 / all * n[0].min(n[1])).collect();
    let merged = RareCells::new(&expected, false, least);
    let now = merged.sums(seen().map(|(now, _)| *now as f64));
    let then = merged.sums(seen().map(|(_, then)| *then as f64));
    // Σ (a/n₁ − b/n₂)² n₁n₂/(a + b): both rows of the table in one term.
    let term = |(now, then): (&f64, &f64)| {
        let difference = now / n[0] - then / n[1];
        difference * difference * n[0] * n[1] / (now + then)
    };
    (merged.groups > 1).then(|| Wald::of(now.iter().zip(&then).map(term).sum(), merged.groups - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 and 70 where 50 and 50 are expected: (20² + 20²)/50 = 16.
    #[test]
    fn known_law() {
        let found = pearson_known(&[30, 70], &[0.5, 0.5], 5.0).expect("two answers");
        assert!((found.statistic - 16.0).abs() < 1e-12 && found.df == 1);
        assert_eq!(pearson_known(&[2, 3], &[0.5, 0.5], 5.0), None);
    }

    /// Both have 100 reports, so that T = Σ (a − b)²/(a + b).
    #[test]
    fn two_samples() {
        let found = pearson_two_sample(&[30, 20, 50, 0], &[40, 45, 15, 0], 5.0).expect("three answers");
        // (30, 20, 50) against (40, 45, 15).
        let expected = 100.0 / 70.0 + 625.0 / 65.0 + 1_225.0 / 65.0;
        assert!((found.statistic - expected).abs() < 1e-12 && found.df == 2);
        assert_eq!(pearson_two_sample(&[0, 0], &[1, 2], 0.0), None);
    }

    #[test]
    fn rare_answers_are_one() {
        let found = pearson_two_sample(&[50, 2, 3, 1], &[50, 1, 2, 3], 5.0).expect("two groups");
        assert_eq!(found.df, 1);
        assert!((found.statistic - 0.0).abs() < 1e-12, "56 each, 6 of them rare");
    }
}
