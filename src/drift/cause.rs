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
//! **Exact sums.** True differences sum to 0 and estimated ones need not: all tests are of [`constrained`] differences.
//! It is what gives unary channels their power.
//!
//! **Combination.** [`moved`] takes the omnibus with location and scale over ordered cells, with M over others, by the
//! Cauchy rule in logarithms ([`combined_log_p`]).
//!
//! **Groups.** Devices answer one question each, so aggregates hold no correlation of metrics. What they hold is when
//! each moved: suspects whose confidence sets for the first changed window have a window in common may have one cause.
//! Strongest first, each joins the first group that leaves a common window, so every group has one, and no chain of
//! overlaps joins what is far apart.
//!
//! **Cost**: O(k³) a suspect, O(m log m) to rank m. **Does not hold when** the covariance is not that of the data
//! (events of one device counted as independent): ranks then follow the error. Groups state coincidence, not cause.

use super::cauchy::combined_log_p;
use super::special::{log_chi_squared_survival, normal_quantile};
use super::wald::{Wald, wald};
use crate::estimate::{Matrix, clipped, constrained};

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

/// Groups the suspects with at least `threshold` evidence by when they moved, the group with the strongest member
/// first. A suspect without a change point stands alone.
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
    let Wald { statistic, df, .. } = wald(difference, covariance)?;
    let (d, covariance) = constrained(difference, covariance, 0.0);
    let mut logs = vec![log_chi_squared_survival(statistic, df as f64)];
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

    /// With exact sums the projection changes nothing, and two cells are Wald's test.
    #[test]
    fn two_cells_are_wald() {
        let covariance = Matrix::symmetric(2, |u, v| if u == v { 1e-4 } else { -1e-4 });
        let evidence = moved(&[0.02, -0.02], &covariance, &[0.5, 0.5], true).expect("a direction");
        let p = wald(&[0.02, -0.02], &covariance).expect("a direction").p_value;
        assert!((libm::exp(-evidence) / p - 1.0).abs() < 1e-9);
    }
}
