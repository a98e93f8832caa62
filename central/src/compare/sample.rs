//! Two samples of numbers, as they are: distances of their distribution functions, cells, mean and spread.
//!
//! | Symbol | Name | Meaning |
//! | --- | --- | --- |
//! | F, G | distribution functions | share of values ≤ x, in the reference and in the current window |
//! | D | [`Distance::ks`] | max \|F − G\|, Kolmogorov–Smirnov |
//! | W₁ | [`Distance::wasserstein`] | ∫ \|F − G\|, the mean way that values moved, in the unit of the column |
//! | q_i | [`Sample::deciles`] | inner edges: the quantiles 0.1 … 0.9 of the reference, each once |
//!
//! Quantiles interpolate linearly (type 7 of Hyndman and Fan, *The American Statistician* 50, 1996), and in numpy's
//! order of operations: an edge that is one bit off would move all rows that lie on it into another cell. Cells are
//! (lo, hi], the outer two without end.
//!
//! Cost: sorting, 8 bytes per value; all else is linear. Infinite values are counted in cells and in D; mean, spread
//! and W₁ are then not finite.

/// Numbers in ascending order.
#[derive(Debug, Clone)]
pub struct Sample {
    sorted: Vec<f64>,
}

/// How far two samples are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// Largest distance of the distribution functions.
    pub ks: f64,
    /// Area between them.
    pub wasserstein: f64,
}

impl Sample {
    /// At least one value, none NaN.
    #[must_use]
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self { sorted: values }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Least and greatest value.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        (self.sorted[0], self.sorted[self.sorted.len() - 1])
    }

    /// Arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sorted.iter().sum::<f64>() / self.sorted.len() as f64
    }

    /// Standard deviation of the values themselves: the sum of squares is divided by their number.
    #[must_use]
    pub fn std(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
        (squares / self.sorted.len() as f64).sqrt()
    }

    /// `numpy.quantile(values, q)`.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let last = self.sorted.len() - 1;
        let at = last as f64 * q;
        let (low, part) = (at.floor() as usize, at - at.floor());
        let (below, above) = (self.sorted[low], self.sorted[(low + 1).min(last)]);
        let step = above - below;
        if below == above {
            below
        } else if part >= 0.5 {
            above - step * (1.0 - part)
        } else {
            below + step * part
        }
    }

    /// The inner edges of the cells: the distinct finite ones among nine deciles.
    #[must_use]
    pub fn deciles(&self) -> Vec<f64> {
        let mut edges: Vec<f64> =
            (1..10).map(|i| self.quantile(f64::from(i) / 10.0)).filter(|edge| edge.is_finite()).collect();
        edges.dedup();
        edges
    }

    /// How many values lie in each of the cells that the ascending `edges` bound: one more than there are edges.
    #[must_use]
    pub fn cells(&self, edges: &[f64]) -> Vec<u64> {
        let mut below = 0;
        let mut cells = Vec::with_capacity(edges.len() + 1);
        for edge in edges {
            let up_to = self.sorted.partition_point(|value| value <= edge);
            cells.push((up_to - below) as u64);
            below = up_to;
        }
        cells.push((self.sorted.len() - below) as u64);
        cells
    }

    /// How many values lie outside of `range`.
    #[must_use]
    pub fn outside(&self, (least, greatest): (f64, f64)) -> u64 {
        let below = self.sorted.partition_point(|value| *value < least);
        let within = self.sorted.partition_point(|value| *value <= greatest);
        (below + self.sorted.len() - within) as u64
    }

    /// How far `other` is from this sample.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        let (left, right) = (&self.sorted, &other.sorted);
        let (n1, n2) = (left.len() as f64, right.len() as f64);
        let (mut i, mut j) = (0, 0);
        let (mut ks, mut wasserstein) = (0.0_f64, 0.0);
        while i < left.len() || j < right.len() {
            let value = match (left.get(i), right.get(j)) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(a), None) => *a,
                (None, Some(b)) => *b,
                (None, None) => break,
            };
            while left.get(i) == Some(&value) {
                i += 1;
            }
            while right.get(j) == Some(&value) {
                j += 1;
            }
            let apart = (i as f64 / n1 - j as f64 / n2).abs();
            ks = ks.max(apart);
            let next = match (left.get(i), right.get(j)) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(a), None) => *a,
                (None, Some(b)) => *b,
                (None, None) => break,
            };
            if apart > 0.0 {
                wasserstein += apart * (next - value);
            }
        }
        Distance { ks, wasserstein }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.quantile` of numpy 2: the order of operations, bit by bit.
    #[test]
    fn quantiles_are_those_of_numpy() {
        let sample = Sample::new(vec![7.3, 0.1, 0.2, 5.7, 1e3, -4.4, 0.3]);
        for (q, expected) in [
            (0.1, -1.6999999999999995),
            (0.2, 0.12000000000000002),
            (0.3, 0.18),
            (0.4, 0.24000000000000005),
            (0.5, 0.3),
            (0.6, 3.5399999999999983),
            (0.7, 6.019999999999999),
            (0.8, 6.980000000000001),
            (0.9, 404.3800000000004),
        ] {
            assert_eq!(sample.quantile(q), expected);
        }
    }

    #[test]
    fn cells_are_closed_on_the_right() {
        let sample = Sample::new(vec![1.0, 2.0, 2.0, 3.0, f64::INFINITY]);
        assert_eq!(sample.cells(&[1.0, 2.0]), [1, 2, 2]);
        assert_eq!(sample.cells(&[]), [5]);
        assert_eq!(sample.outside((2.0, 3.0)), 2);
        assert_eq!(Sample::new(vec![4.0; 30]).deciles(), [4.0]);
        assert_eq!(Sample::new(vec![f64::INFINITY; 3]).deciles(), [0.0; 0]);
    }

    #[test]
    fn distances_of_small_samples() {
        let (left, right) = (Sample::new(vec![0.0, 1.0, 3.0]), Sample::new(vec![5.0, 6.0, 8.0]));
        let Distance { ks, wasserstein } = left.distance(&right);
        assert_eq!((ks, wasserstein), (1.0, 5.0));
        assert_eq!(left.distance(&left), Distance { ks: 0.0, wasserstein: 0.0 });
        // Ties on both sides are one step: F and G meet at 1, at 2 they are 1 and 2/3.
        let (left, right) = (Sample::new(vec![1.0, 2.0]), Sample::new(vec![1.0, 2.0, 4.0]));
        let Distance { ks, wasserstein } = left.distance(&right);
        assert!((ks - 1.0 / 3.0).abs() < 1e-15, "{ks}");
        assert!((wasserstein - (1.0 / 6.0 + 2.0 / 3.0)).abs() < 1e-15, "{wasserstein}");
        let infinite = Sample::new(vec![0.0, f64::INFINITY]).distance(&Sample::new(vec![0.0, 0.0]));
        assert_eq!((infinite.ks, infinite.wasserstein), (0.5, f64::INFINITY));
    }

    #[test]
    fn mean_and_spread() {
        let sample = Sample::new(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((sample.mean(), sample.std(), sample.range()), (5.0, 2.0, (2.0, 9.0)));
    }
}
