//! From distances to a verdict: evidence, corrected for how much was looked at, *and* an effect that matters.
//!
//! With many rows every trifle is significant, and with few rows every distance is large by chance; so neither alone
//! alarms.
//!
//! | Severity | Evidence: adjusted p < α | Effect |
//! | --- | --- | --- |
//! | none | no | any |
//! | trifle | yes | below the next line |
//! | moderate | yes | moved share ≥ 0.05, or normed Wasserstein ≥ 0.1, or missing share changed by ≥ 0.02 |
//! | severe | yes | moved share ≥ 0.2, or normed Wasserstein ≥ 0.5, or missing share changed by ≥ 0.1 |
//!
//! Moderate and severe count as drift. Evidence is Kolmogorov–Smirnov's p for numbers, χ² with rare cells pooled for
//! labels, and χ² on present against missing rows; an effect counts only with the evidence for its own kind. All
//! p-values of a comparison are adjusted together (Benjamini and Hochberg, Journal of the Royal Statistical Society B
//! 57, 1995), so that of the columns called drifted a share of α at most is expected to be false, if tests are
//! independent or positively dependent.
//!
//! The moved share is the total variation distance over the cells, less what chance alone moves. For a normal column,
//! 0.05 is a shift of the mean by 0.13 standard deviations, and 0.2 one by 0.5. A normed Wasserstein distance of 0.1 is
//! where Evidently draws its line, and is what sees a changed tail, which deciles do not.
//!
//! Does not hold when: rows depend on each other, as days in a row do: evidence is then too strong; or one looks again
//! and again at growing windows: this is a comparison for one look.

use driftglass::drift::CountPair;

use super::comparison::{ColumnComparison, LEAST_EXPECTED};

/// Share of false columns among those called drifted.
pub const DEFAULT_ALPHA: f64 = 0.05;

/// Least effects of one severity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects {
    /// Share of rows that moved to other cells, beyond chance.
    pub moved: f64,
    /// Wasserstein distance over the reference's standard deviation.
    pub wasserstein_normed: f64,
    /// Change of the share of missing rows.
    pub missing: f64,
}

/// From here on drift is moderate.
pub const MODERATE: Effects = Effects { moved: 0.05, wasserstein_normed: 0.1, missing: 0.02 };
/// From here on drift is severe.
pub const SEVERE: Effects = Effects { moved: 0.2, wasserstein_normed: 0.5, missing: 0.1 };

/// How much a column drifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing that chance does not do.
    None,
    /// Real, and too small to matter.
    Trifle,
    /// Real, and large enough to look at.
    Moderate,
    /// Real and large.
    Severe,
}

impl Severity {
    /// Its word in output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Trifle => "trifle",
            Self::Moderate => "moderate",
            Self::Severe => "severe",
        }
    }

    /// Whether this is drift that matters.
    #[must_use]
    pub fn is_drift(self) -> bool {
        self >= Self::Moderate
    }

    fn of(evidence: bool, effect: impl Fn(&Effects) -> bool) -> Self {
        match (evidence, effect(&SEVERE), effect(&MODERATE)) {
            (false, ..) => Self::None,
            (true, true, _) => Self::Severe,
            (true, false, true) => Self::Moderate,
            (true, false, false) => Self::Trifle,
        }
    }
}

/// Whether the share of missing rows changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissingTest {
    /// Shares of the reference and of the current window.
    pub shares: (f64, f64),
    /// Two-sample χ²; `None` if fewer than 5 missing or present rows are to be expected in a window.
    pub p_value: Option<f64>,
    /// After correction for all tests of the comparison.
    pub p_adjusted: Option<f64>,
}

impl MissingTest {
    pub(super) fn new(present: (u64, u64), missing: (u64, u64)) -> Self {
        let share = |present: u64, missing: u64| missing as f64 / (present as f64 + missing as f64);
        let (reference, current) = ([present.0, missing.0], [present.1, missing.1]);
        let pair = CountPair::new(&reference, &current).ok();
        let testable = pair.filter(|pair| !pair.rare(LEAST_EXPECTED).any(|rare| rare));
        let p_value = testable.map(|pair| pair.chi_squared().p_value);
        Self { shares: (share(present.0, missing.0), share(present.1, missing.1)), p_value, p_adjusted: p_value }
    }

    /// Current share less the reference's.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.shares.1 - self.shares.0
    }
}

/// Adjusts all p-values together and names the severity of each column.
pub(super) fn judge(columns: &mut [ColumnComparison], alpha: f64) {
    let values = columns.iter().map(|column| column.p_value);
    let missing = columns.iter().filter_map(|column| column.missing_test.p_value);
    let mut adjusted = benjamini_hochberg(&values.chain(missing).collect::<Vec<_>>()).into_iter();
    // In the order in which they were collected: values first, then missing rows where they were tested.
    for column in columns.iter_mut() {
        column.p_adjusted = adjusted.next().unwrap_or(1.0);
    }
    for column in columns {
        let test = &mut column.missing_test;
        test.p_adjusted = test.p_value.and_then(|_| adjusted.next());
        let missing = Severity::of(test.p_adjusted.is_some_and(|p| p < alpha), |least| {
            column.missing_test.change().abs() >= least.missing
        });
        let (moved, normed) = (column.moved(), column.numeric.map_or(0.0, |numeric| numeric.wasserstein_normed));
        let values =
            Severity::of(column.p_adjusted < alpha, |least| moved >= least.moved || normed >= least.wasserstein_normed);
        column.severity = values.max(missing);
    }
}

/// min over ranks j ≥ i of m p_(j)/j, in the order of the input.
fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let (mut adjusted, mut least, m) = (vec![1.0; p_values.len()], 1.0_f64, p_values.len());
    for (place, index) in order.into_iter().enumerate() {
        least = least.min(p_values[index] * m as f64 / (m - place) as f64);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.false_discovery_control` of scipy 1.17.
    #[test]
    fn adjusted_as_by_scipy() {
        let found = benjamini_hochberg(&[0.01, 0.8, 0.02, 0.04, 0.03, 0.0]);
        for (found, expected) in found.into_iter().zip([0.03, 0.8, 0.04, 0.048, 0.045, 0.0]) {
            assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn evidence_and_effect() {
        let least = |moved: f64| move |effects: &Effects| moved >= effects.moved;
        assert_eq!(Severity::of(false, least(0.9)), Severity::None);
        assert_eq!(Severity::of(true, least(0.049)), Severity::Trifle);
        assert_eq!(Severity::of(true, least(0.05)), Severity::Moderate);
        assert_eq!(Severity::of(true, least(0.2)), Severity::Severe);
        assert!(!Severity::Trifle.is_drift() && Severity::Moderate.is_drift());
    }

    #[test]
    fn missing_rows() {
        let test = MissingTest::new((900, 980), (100, 20));
        assert!(test.p_value.is_some_and(|p| p < 1e-12) && (test.change() + 0.08).abs() < 1e-12);
        assert_eq!(MissingTest::new((900, 980), (0, 0)).p_value, None);
        assert_eq!(MissingTest::new((900, 980), (4, 5)).p_value, None, "too few for χ²");
    }
}
