//! Two windows of one column: every distance, the test, and what was counted.
//!
//! Both windows are counted over the same cells. Numeric: cells are bounded by the deciles of the reference
//! ([`super::sample`]). Categorical: the labels of either window, in the order of their text. All divergences follow
//! from these counts alone, so that a monitor that keeps counts only finds the same; KS and Wasserstein take the rows.

use std::collections::{BTreeMap, BTreeSet};

use driftglass::drift::{CountPair, TwoSample};

use super::kolmogorov::two_sample_p;
use super::sample::{Distance, Sample};
use super::verdict::{MissingTest, Severity};

/// Below this a spread does not divide: a constant column would make every distance infinite.
pub const LEAST_STD: f64 = 0.001;
/// A cell that expects fewer rows in a window is pooled with the others like it before χ² decides.
pub const LEAST_EXPECTED: f64 = 5.0;

/// What the rows were counted over.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Inner edges, ascending: one cell more than there are edges, each (lo, hi], the outer two without end.
    Intervals(Vec<f64>),
    /// Labels in the order of their text.
    Labels(Vec<Box<str>>),
}

/// What only numbers have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numeric {
    /// KS and Wasserstein distance of the rows.
    pub distance: Distance,
    /// Wasserstein distance over the reference's standard deviation, or over [`LEAST_STD`] if that is larger.
    pub wasserstein_normed: f64,
    /// Probability of such a KS distance when nothing changed.
    pub ks_p: f64,
    /// Means of the reference and the current window.
    pub means: (f64, f64),
    /// Standard deviations (sum of squares over n).
    pub stds: (f64, f64),
    /// Least and greatest values.
    pub ranges: ((f64, f64), (f64, f64)),
    /// Share of current values outside of the reference's range.
    pub outside: f64,
}

/// Distances over the cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergences {
    /// Population stability index; a share of zero counts as 1e-4.
    pub psi: f64,
    /// Jensen–Shannon distance, natural logarithm.
    pub js_distance: f64,
    /// Jensen–Shannon distance, logarithm of base 2.
    pub js_distance_base2: f64,
    /// Hellinger distance.
    pub hellinger: f64,
    /// Total variation distance.
    pub tvd: f64,
    /// Total variation distance to expect when nothing changed.
    pub tvd_by_chance: f64,
    /// Largest difference of two shares.
    pub l_inf: f64,
    /// Two-sample χ² over all cells that any row is in.
    pub chi2: TwoSample,
    /// The same after rare cells were pooled.
    pub chi2_pooled: TwoSample,
}

/// Where a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Kolmogorov and Smirnov, on the rows.
    Ks,
    /// Pearson's χ² on the cells, rare ones pooled.
    ChiSquaredPooled,
}

/// A column in both windows.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnComparison {
    /// Its name.
    pub name: String,
    /// Present values of the reference and the current window.
    pub present: (u64, u64),
    /// Rows without a value.
    pub missing: (u64, u64),
    /// What the rows were counted over.
    pub cells: Cells,
    /// Rows of each cell.
    pub counts: (Vec<u64>, Vec<u64>),
    /// Distances over the cells.
    pub divergences: Divergences,
    /// `None` for a categorical column.
    pub numeric: Option<Numeric>,
    /// Which test the verdict rests on.
    pub test: Test,
    /// Its p-value.
    pub p_value: f64,
    /// The p-value after correction for all tests of the comparison.
    pub p_adjusted: f64,
    /// Whether the share of missing rows changed.
    pub missing_test: MissingTest,
    /// What follows.
    pub severity: Severity,
}

impl ColumnComparison {
    /// The share of rows that moved to other cells, beyond what chance moves.
    #[must_use]
    pub fn moved(&self) -> f64 {
        (self.divergences.tvd - self.divergences.tvd_by_chance).max(0.0)
    }

    /// The least adjusted p-value of the column: of its values or of its missing rows.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.p_adjusted.min(self.missing_test.p_adjusted.unwrap_or(1.0))
    }

    /// Labels of the current window that the reference never had, and their share of its present rows.
    #[must_use]
    pub fn new_labels(&self) -> (usize, f64) {
        let new = || self.counts.0.iter().zip(&self.counts.1).filter(|(r, c)| **r == 0 && **c > 0).map(|(_, c)| *c);
        match self.cells {
            Cells::Labels(_) => (new().count(), new().sum::<u64>() as f64 / self.present.1 as f64),
            Cells::Intervals(_) => (0, 0.0),
        }
    }
}

/// Compares numbers; neither window is empty.
pub(super) fn numeric(name: String, missing: (u64, u64), reference: Vec<f64>, current: Vec<f64>) -> ColumnComparison {
    let (reference, current) = (Sample::new(reference), Sample::new(current));
    let edges = reference.deciles();
    let counts = (reference.cells(&edges), current.cells(&edges));
    let distance = reference.distance(&current);
    let ks_p = two_sample_p(reference.len(), current.len(), distance.ks);
    let stds = (reference.std(), current.std());
    let numeric = Numeric {
        distance,
        wasserstein_normed: distance.wasserstein / stds.0.max(LEAST_STD),
        ks_p,
        means: (reference.mean(), current.mean()),
        stds,
        ranges: (reference.range(), current.range()),
        outside: current.outside(reference.range()) as f64 / current.len() as f64,
    };
    let present = (reference.len() as u64, current.len() as u64);
    column(name, present, missing, Cells::Intervals(edges), counts, Some(numeric))
}

/// Compares labels; neither window is empty.
pub(super) fn categorical(
    name: String,
    missing: (u64, u64),
    reference: &BTreeMap<Box<str>, u64>,
    current: &BTreeMap<Box<str>, u64>,
) -> ColumnComparison {
    let labels: BTreeSet<&Box<str>> = reference.keys().chain(current.keys()).collect();
    let count = |window: &BTreeMap<Box<str>, u64>| -> Vec<u64> {
        labels.iter().map(|label| window.get(*label).copied().unwrap_or(0)).collect()
    };
    let counts = (count(reference), count(current));
    let present = (counts.0.iter().sum(), counts.1.iter().sum());
    let labels = labels.into_iter().cloned().collect();
    column(name, present, missing, Cells::Labels(labels), counts, None)
}

fn column(
    name: String,
    present: (u64, u64),
    missing: (u64, u64),
    cells: Cells,
    counts: (Vec<u64>, Vec<u64>),
    numeric: Option<Numeric>,
) -> ColumnComparison {
    let divergences = divergences(&counts.0, &counts.1);
    let (test, p_value) = match &numeric {
        Some(numeric) => (Test::Ks, numeric.ks_p),
        None => (Test::ChiSquaredPooled, divergences.chi2_pooled.p_value),
    };
    ColumnComparison {
        name,
        present,
        missing,
        cells,
        counts,
        divergences,
        numeric,
        test,
        p_value,
        // Both wait for the other columns: `super::verdict`.
        p_adjusted: p_value,
        missing_test: MissingTest::new(present, missing),
        severity: Severity::None,
    }
}

fn divergences(reference: &[u64], current: &[u64]) -> Divergences {
    // Both windows have present rows, and both were counted over the same cells.
    let pair = CountPair::new(reference, current).expect("two windows over the same cells");
    let pooled = pooled(&pair, reference, current);
    let chi2_pooled = CountPair::new(&pooled.0, &pooled.1).expect("the same rows").chi_squared();
    Divergences {
        psi: pair.psi(),
        js_distance: pair.js_distance(),
        js_distance_base2: pair.js_distance_base2(),
        hellinger: pair.hellinger(),
        tvd: pair.tvd(),
        tvd_by_chance: pair.tvd_by_chance(),
        l_inf: pair.l_inf(),
        chi2: pair.chi_squared(),
        chi2_pooled,
    }
}

/// The counts with all rare cells in one; if that is rare itself, the smallest other cell is in it too.
fn pooled(pair: &CountPair<'_>, reference: &[u64], current: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let (mut kept, mut pool): (Vec<(u64, u64)>, (u64, u64)) = (Vec::new(), (0, 0));
    for ((r, c), rare) in reference.iter().zip(current).zip(pair.rare(LEAST_EXPECTED)) {
        if rare {
            pool = (pool.0 + r, pool.1 + c);
        } else {
            kept.push((*r, *c));
        }
    }
    kept.sort_by_key(|(r, c)| std::cmp::Reverse(r + c));
    let mut cells: (Vec<u64>, Vec<u64>) = kept.into_iter().chain([pool]).unzip();
    let last_is_rare =
        CountPair::new(&cells.0, &cells.1).is_ok_and(|pair| pair.rare(LEAST_EXPECTED).last() == Some(true));
    if last_is_rare && cells.0.len() > 1 {
        for counts in [&mut cells.0, &mut cells.1] {
            // There are two cells at least.
            let pool = counts.pop().unwrap_or(0);
            if let Some(last) = counts.last_mut() {
                *last += pool;
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_cells_are_pooled() {
        let check = |reference: &[u64], current: &[u64], expected: (&[u64], &[u64])| {
            let pair = CountPair::new(reference, current).expect("counts");
            let pooled = pooled(&pair, reference, current);
            assert_eq!((pooled.0.as_slice(), pooled.1.as_slice()), expected);
        };
        check(&[50, 3, 2, 45], &[40, 4, 6, 50], (&[45, 50, 5], &[50, 40, 10]));
        check(&[50, 1, 49], &[40, 0, 60], (&[49, 51], &[60, 40]));
        check(&[50, 50], &[60, 40], (&[50, 50], &[60, 40]));
        check(&[1, 2], &[2, 1], (&[3], &[3]));
    }

    #[test]
    fn labels_of_either_window() {
        let window = |pairs: &[(&str, u64)]| pairs.iter().map(|(label, n)| ((*label).into(), *n)).collect();
        let column =
            categorical("c".into(), (0, 0), &window(&[("b", 90), ("10", 10)]), &window(&[("b", 60), ("9", 40)]));
        assert_eq!(column.cells, Cells::Labels(vec!["10".into(), "9".into(), "b".into()]));
        assert_eq!(column.counts, (vec![10, 0, 90], vec![0, 40, 60]));
        assert_eq!(column.new_labels(), (1, 0.4));
        assert!((column.divergences.tvd - 0.4).abs() < 1e-15);
    }
}
