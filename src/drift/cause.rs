//! Root cause: which metrics in which segments moved, ranked by evidence, and which of them moved together.
//!
//! A large estimated effect is what few reports, many cells or a small ε give when nothing happened; so suspects are
//! ranked by how improbable their data are without change, and the effect is only shown beside. Evidence is a natural
//! logarithm, −ln p or ln e, since the p-values of the suspects of a real incident are all 0 in `f64`.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | d, Σ | `difference`, `covariance` | difference of shares and its covariance if nothing changed, k cells |
//! | T₀ | | omnibus: dᵀ Σ⁻¹ d on the differences that sum to 0, χ² with k − 1 degrees of freedom |
//! | T₁, T₂ | | (lᵀd)²/(lᵀΣl) for l the normal scores of the cells (location) and their squares (scale), χ² with 1 |
//! | M | | largest of d_v²/Σ_vv, its p-value times k (Bonferroni): one cell that moved |
//! | p_i, w_i | | p-values of the parts, weights 1/m |
//!
//! **Exact sums.** True differences sum to 0 and estimated ones need not; d − Σ1 (1ᵀd)/(1ᵀΣ1), with its covariance, uses
//! that (generalized least squares). It is what gives unary channels their power.
//!
//! **Combination.** [`moved`] takes the omnibus with location and scale over ordered cells, with M over others, by the
//! Cauchy rule: T = Σ w_i tan((½ − p_i)π), p = ½ − arctan(T)/π, whose level holds in the tail under any dependence (Liu
//! and Xie, "Cauchy combination test", JASA 115, 2020, theorem 1). For p_i → 0 it is 1/Σ(w_i/p_i), which is what is
//! computed below 10⁻¹², in logarithms.
//!
//! **Groups.** Devices answer one question each, so aggregates hold no correlation of metrics. What they hold is when
//! each moved: suspects whose confidence sets for the first changed window have a window in common may have one cause.
//! Strongest first, each joins the first group that leaves a common window, so every group has one, and no chain of
//! overlaps joins what is far apart.
//!
//! **Cost**: O(k³) a suspect, O(m log m) to rank m. **Does not hold when** the covariance is not that of the data (events
//! of one device counted as independent): ranks then follow the error. Groups state coincidence, not cause.

use super::special::{log_chi_squared_survival, normal_quantile};
use crate::estimate::{Matrix, clipped};

/// One metric in one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// Index of the metric or question.
    pub metric: usize,
    /// Index of the segment.
    pub segment: usize,
    /// −ln p or ln e, the same kind for all suspects; above 0 speaks for change.
    pub evidence: f64,
    /// First and last window that may be the first changed one, where a change point was sought.
    pub changed: Option<[u32; 2]>,
}

/// Suspects that moved together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Indices of the suspects, most evidence first.
    pub members: Vec<usize>,
    /// The windows, first and last, that may be the first changed one for every member; `None` for members without a
    /// change point.
    pub changed: Option<[u32; 2]>,
    /// The one segment that all members are of, if they are of one.
    pub segment: Option<usize>,
}

/// The indices of the suspects, most evidence first; of equals the earlier one, and NaN last.
#[must_use]
pub fn rank(suspects: &[Suspect]) -> Vec<usize> {
    let evidence = |index: usize| match suspects[index].evidence {
        evidence if evidence.is_nan() => f64::NEG_INFINITY,
        evidence => evidence,
    };
    let mut order: Vec<usize> = (0..suspects.len()).collect();
    order.sort_by(|a, b| evidence(*b).total_cmp(&evidence(*a)));
    order
}

/// Groups the suspects with at least `threshold` evidence by when they moved, the group with the strongest member first.
/// A suspect without a change point stands alone.
#[must_use]
pub fn moved_together(suspects: &[Suspect], threshold: f64) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for index in rank(suspects).into_iter().filter(|index| suspects[*index].evidence >= threshold) {
        let suspect = &suspects[index];
        let common = |group: &Group| {
            let ([a, b], [c, d]) = (group.changed?, suspect.changed?);
            Some([a.max(c), b.min(d)]).filter(|[first, last]| first <= last)
        };
        match groups.iter().position(|group| common(group).is_some()) {
            Some(place) => {
                let group = &mut groups[place];
                group.changed = common(group);
                group.members.push(index);
                group.segment = group.segment.filter(|segment| *segment == suspect.segment);
            }
            None => {
                groups.push(Group { members: vec![index], changed: suspect.changed, segment: Some(suspect.segment) });
            }
        }
    }
    groups
}

/// −ln of the p-value of "no share changed", from all cells together and from where shares of this kind often move. At
/// most 0 evidence is 0. `None` for fewer than two cells or a covariance that leaves no direction.
///
/// `pooled` are the shares if nothing changed; they place the cells on the normal scale.
///
/// # Panics
///
/// If the three sizes differ.
#[must_use]
pub fn moved(difference: &[f64], covariance: &Matrix, pooled: &[f64], ordered: bool) -> Option<f64> {
    let k = difference.len();
    assert!(covariance.size() == k && pooled.len() == k, "one size");
    let df = k.checked_sub(1).filter(|df| *df > 0)?;
    let (d, covariance) = summing_to_zero(difference, covariance);
    let omnibus = covariance.leading(df).inverse_quadratic(&d[..df])?;
    let mut logs = vec![log_chi_squared_survival(omnibus, df as f64)];
    let contrast = |l: &[f64]| {
        let size: f64 = l.iter().zip(&d).map(|(l, d)| l * d).sum();
        let variance = covariance.quadratic(l);
        (variance > 0.0).then(|| log_chi_squared_survival(size * size / variance, 1.0))
    };
    if ordered && k > 2 {
        let scores = normal_scores(pooled);
        logs.extend(contrast(&scores));
        logs.extend(contrast(&scores.iter().map(|score| score * score).collect::<Vec<_>>()));
    } else if k > 2 {
        let cell = |v: usize| contrast(&(0..k).map(|u| f64::from(u8::from(u == v))).collect::<Vec<_>>());
        let least = (0..k).filter_map(cell).fold(0.0, f64::min);
        logs.push((least + libm::log(k as f64)).min(0.0));
    }
    Some(-combined_log_p(&logs))
}

/// ln p of the Cauchy combination of p-values that are given by their logarithms, with equal weights.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn combined_log_p(logs: &[f64]) -> f64 {
    /// Below, tan((½ − p)π) = 1/(pπ) to 20 digits, and p = ½ − arctan(T)/π cancels.
    const TAIL: f64 = -27.6;
    assert!(!logs.is_empty(), "a p-value");
    let weight = 1.0 / logs.len() as f64;
    let least = logs.iter().copied().fold(0.0, f64::min);
    if least < TAIL {
        return least - libm::log(logs.iter().map(|log| weight * libm::exp(least - log)).sum());
    }
    // tan((½ − p)π) = 1/tan(pπ), which does not cancel. p = 1 would be minus infinity: it must not outweigh the others.
    let score = |log: &f64| 1.0 / libm::tan(libm::exp(*log).min(1.0 - 1e-9) * core::f64::consts::PI);
    let statistic: f64 = logs.iter().map(|log| weight * score(log)).sum();
    // arctan(1/T)/π = ½ − arctan(T)/π for T > 0, without cancellation.
    let p = if statistic > 0.0 {
        libm::atan(1.0 / statistic) / core::f64::consts::PI
    } else {
        0.5 - libm::atan(statistic) / core::f64::consts::PI
    };
    libm::log(p)
}

/// d − Σ1 (1ᵀd)/(1ᵀΣ1) with its covariance; d itself where its sum is known exactly.
fn summing_to_zero(difference: &[f64], covariance: &Matrix) -> (Vec<f64>, Matrix) {
    let k = difference.len();
    let rows: Vec<f64> = (0..k).map(|row| (0..k).map(|column| covariance.at(row, column)).sum()).collect();
    let total: f64 = rows.iter().sum();
    let size: f64 = (0..k).map(|cell| covariance.at(cell, cell)).sum();
    if total <= size * 1e-9 {
        return (difference.to_vec(), covariance.clone());
    }
    let sum: f64 = difference.iter().sum();
    let exact = difference.iter().zip(&rows).map(|(d, row)| d - row * sum / total).collect();
    (exact, Matrix::symmetric(k, |u, v| covariance.at(u, v) - rows[u] * rows[v] / total))
}

/// Φ⁻¹ of the middle of each cell's share.
fn normal_scores(pooled: &[f64]) -> Vec<f64> {
    let mut below = 0.0;
    let score = |share: f64| {
        let middle: f64 = below + share / 2.0;
        below += share;
        normal_quantile(middle.clamp(1e-6, 1.0 - 1e-6))
    };
    clipped(pooled).into_iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::wald;

    fn suspect(evidence: f64, segment: usize, changed: Option<[u32; 2]>) -> Suspect {
        Suspect { metric: 0, segment, evidence, changed }
    }

    #[test]
    fn evidence_ranks() {
        let suspects = [2.0, f64::NAN, 900.0, 1_200.0, 2.0].map(|evidence| suspect(evidence, 0, None));
        assert_eq!(rank(&suspects), [3, 2, 0, 4, 1]);
    }

    #[test]
    fn groups_share_a_window() {
        let suspects = [
            suspect(50.0, 1, Some([10, 14])),
            suspect(40.0, 1, Some([13, 18])),
            // Overlaps the second but leaves no window for all three.
            suspect(30.0, 1, Some([16, 20])),
            suspect(20.0, 2, Some([12, 13])),
            suspect(9.0, 1, None),
            suspect(1.0, 1, Some([10, 14])),
        ];
        let groups = moved_together(&suspects, 5.0);
        assert_eq!(groups.len(), 3);
        let first = Group { members: vec![0, 1, 3], changed: Some([13, 13]), segment: None };
        assert_eq!(groups[0], first);
        assert_eq!((&groups[1].members[..], groups[1].segment), (&[2][..], Some(1)));
        assert_eq!((&groups[2].members[..], groups[2].changed), (&[4][..], None));
    }

    /// Equal p-values combine to themselves, a p-value of 1 takes nothing but its weight, and the two formulas meet.
    #[test]
    fn cauchy_rule() {
        for p in [1e-10, 0.001, 0.3, 0.7] {
            let log = libm::log(p);
            assert!((libm::exp(combined_log_p(&[log, log, log])) / p - 1.0).abs() < 1e-9);
        }
        let [above, below] = [-27.59, -27.61].map(|log| combined_log_p(&[log, -3.0]));
        assert!((above - below - 0.02).abs() < 1e-6);
        assert!((combined_log_p(&[-2_000.0, -5.0]) + 2_000.0 - libm::log(2.0)).abs() < 1e-9);
    }

    /// With exact sums the projection changes nothing, and two cells are Wald's test.
    #[test]
    fn two_cells_are_wald() {
        let covariance = Matrix::symmetric(2, |u, v| if u == v { 1e-4 } else { -1e-4 });
        let evidence = moved(&[0.02, -0.02], &covariance, &[0.5, 0.5], true).expect("a direction");
        let p = wald(&[0.02, -0.02], &covariance).expect("a direction").p_value;
        assert!((libm::exp(-evidence) / p - 1.0).abs() < 1e-9);
    }

    /// A sum that is wrong by noise: independent errors of equal variance, so each cell loses a quarter of the sum.
    #[test]
    fn sums_are_made_exact() {
        let covariance = Matrix::symmetric(4, |u, v| if u == v { 4.0 } else { 0.0 });
        let (d, covariance) = summing_to_zero(&[1.0, 2.0, -0.5, 1.5], &covariance);
        assert_eq!(d, [0.0, 1.0, -1.5, 0.5]);
        assert!((covariance.at(0, 0) - 3.0).abs() < 1e-12 && (covariance.at(0, 1) + 1.0).abs() < 1e-12);
    }
}
