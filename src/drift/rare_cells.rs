//! Cells that few reports support are merged before a test, by what is expected of them and never by their difference.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | e_j | `expected` | supports expected in cell j of the smaller sample if nothing changed |
//! | | [`LEAST_EXPECTED`] | what a cell needs to be tested alone |
//! | | [`RareCells::group`] | the group of each cell |
//!
//! A quadratic form is χ² as far as each share is normal, which a share is not when it rests on a handful of reports
//! (Cochran, "Some methods for strengthening the common χ² tests", Biometrics 10(4), 1954: at least five expected). At
//! small ε the noise itself supports every cell a thousand times, and nothing is merged however rare a symbol is; at
//! large ε the reports are the data, and rare symbols are.
//!
//! - Ordered cells merge with a neighbour, from the first to the last, until each group has enough; what is left at the
//!   end joins the group before it.
//! - Unordered cells that are rare become one cell. If that is too rare itself, the next rarest joins it.
//!
//! **Cost** O(k) (ordered), O(k log k). **Limits.** A change within a group is not seen. Expected supports come from
//! the known or pooled shares, which are independent of the difference if nothing changed; chosen by the current sample
//! alone the level would suffer.

/// Supports that a cell needs, expected in the smaller sample.
pub const LEAST_EXPECTED: f64 = 5.0;

/// Which cells are tested together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RareCells {
    /// For each cell its group, numbered from 0 without gaps.
    pub group: Vec<usize>,
    /// Number of groups.
    pub groups: usize,
}

impl RareCells {
    /// Groups of at least `least` expected supports, where there are as many in all.
    #[must_use]
    pub fn new(expected: &[f64], ordered: bool, least: f64) -> Self {
        if ordered { Self::neighbours(expected, least) } else { Self::one(expected, least) }
    }

    /// Sums of values of the cells by group.
    pub(super) fn sums(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.groups];
        self.group.iter().zip(values).for_each(|(group, value)| sums[*group] += value);
        sums
    }

    fn neighbours(expected: &[f64], least: f64) -> Self {
        let (mut group, mut current, mut sum) = (Vec::with_capacity(expected.len()), 0, 0.0);
        for (cell, count) in expected.iter().enumerate() {
            if cell > 0 && sum >= least {
                (current, sum) = (current + 1, 0.0);
            }
            group.push(current);
            sum += count;
        }
        if current > 0 && sum < least {
            group.iter_mut().for_each(|group| *group = (*group).min(current - 1));
            current -= 1;
        }
        let groups = if group.is_empty() { 0 } else { current + 1 };
        Self { group, groups }
    }

    fn one(expected: &[f64], least: f64) -> Self {
        let mut order: Vec<usize> = (0..expected.len()).collect();
        order.sort_by(|a, b| expected[*a].total_cmp(&expected[*b]));
        let (mut rare, mut sum) = (vec![false; expected.len()], 0.0);
        for cell in order {
            let alone = expected[cell] >= least && (sum == 0.0 || sum >= least);
            if !alone {
                rare[cell] = true;
                sum += expected[cell];
            }
        }
        let mut group = vec![0; expected.len()];
        let mut groups = 0;
        for (group, _) in group.iter_mut().zip(&rare).filter(|(_, rare)| !**rare) {
            *group = groups;
            groups += 1;
        }
        if rare.contains(&true) {
            group.iter_mut().zip(&rare).filter(|(_, rare)| **rare).for_each(|(group, _)| *group = groups);
            groups += 1;
        }
        Self { group, groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &[f64], ordered: bool, groups: &[usize]) {
        let found = RareCells::new(expected, ordered, LEAST_EXPECTED);
        assert_eq!(found.group, groups);
        assert_eq!(found.groups, groups.iter().max().map_or(0, |most| most + 1));
    }

    #[test]
    fn ordered_cells_join_a_neighbour() {
        check(&[6.0, 7.0, 8.0], true, &[0, 1, 2]);
        check(&[6.0, 2.0, 8.0], true, &[0, 1, 1]);
        check(&[1.0, 2.0, 3.0, 9.0, 1.0], true, &[0, 0, 0, 1, 1]);
        check(&[9.0, 9.0, 1.0, 1.0], true, &[0, 1, 1, 1]);
        check(&[1.0, 1.0], true, &[0, 0]);
        check(&[], true, &[]);
    }

    #[test]
    fn unordered_cells_become_one() {
        check(&[6.0, 7.0, 8.0], false, &[0, 1, 2]);
        check(&[3.0, 7.0, 4.0, 9.0], false, &[2, 0, 2, 1]);
        // Two rare cells have 3 together: the next rarest joins them.
        check(&[1.0, 7.0, 2.0, 9.0], false, &[1, 1, 1, 0]);
        check(&[1.0, 2.0], false, &[0, 0]);
        check(&[], false, &[]);
    }
}
