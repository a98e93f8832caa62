//! The law of a report given each symbol, as a linear map.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | x | `symbol` | true symbol, one of `symbols()` |
//! | y | | reported output, one of `outputs()` |
//! | A | | A_yx = P\[y is reported, given x\]; its columns sum to 1 |
//! | f | `shares` | a share for each symbol |
//! | g | `values` | a value for each output |
//!
//! All that estimators need of a law are two products: A f, how often each output is reported by a fleet with shares f,
//! and Aᵀ g, the mean of g(y) given each symbol. [`Rows`] holds any law, in O(symbols · outputs) a product; [`Windows`]
//! the laws of the sliding windows, which have two values only, in O(symbols + outputs).

use crate::privacy::DiscreteLaplace;
use crate::spec::Weights;

/// The law of a report given each symbol.
pub trait Law {
    /// Number of symbols.
    fn symbols(&self) -> usize;

    /// Number of outputs.
    fn outputs(&self) -> usize;

    /// A f: for each output, the probability that it is reported when the symbols have these shares.
    ///
    /// # Panics
    ///
    /// If there is not one share for each symbol.
    fn reported(&self, shares: &[f64]) -> Vec<f64>;

    /// Aᵀ g: for each symbol, the mean of the value of what is reported.
    ///
    /// # Panics
    ///
    /// If there is not one value for each output.
    fn expected(&self, values: &[f64]) -> Vec<f64>;
}

/// A law by its probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    outputs: usize,
    /// For each symbol, the probabilities of the outputs.
    rows: Vec<Vec<f64>>,
}

impl Rows {
    /// The law in which output y has probability `probability(x, y)` given symbol x.
    #[must_use]
    pub fn from_fn(symbols: usize, outputs: usize, probability: impl Fn(usize, usize) -> f64) -> Self {
        let row = |symbol| (0..outputs).map(|output| probability(symbol, output)).collect();
        Self { outputs, rows: (0..symbols).map(row).collect() }
    }

    /// The law of the discrete Laplace mechanism over the counts below `domain_size`.
    ///
    /// # Panics
    ///
    /// As [`DiscreteLaplace::new`].
    #[must_use]
    pub fn of_laplace(domain_size: usize, weights: Weights) -> Self {
        let laplace = DiscreteLaplace::new(domain_size as u64, weights);
        let total = laplace.row(0).iter().sum::<u128>() as f64;
        Self::from_fn(domain_size, domain_size, |count, report| laplace.row(count)[report] as f64 / total)
    }

    /// The probabilities of the outputs given a symbol.
    #[must_use]
    pub fn row(&self, symbol: usize) -> &[f64] {
        &self.rows[symbol]
    }
}

impl Law for Rows {
    fn symbols(&self) -> usize {
        self.rows.len()
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn reported(&self, shares: &[f64]) -> Vec<f64> {
        assert_eq!(shares.len(), self.rows.len(), "one share for each symbol");
        let mut sums = vec![0.0; self.outputs];
        for (row, share) in self.rows.iter().zip(shares) {
            sums.iter_mut().zip(row).for_each(|(sum, probability)| *sum += share * probability);
        }
        sums
    }

    fn expected(&self, values: &[f64]) -> Vec<f64> {
        assert_eq!(values.len(), self.outputs, "one value for each output");
        let mean = |row: &Vec<f64>| row.iter().zip(values).map(|(probability, value)| probability * value).sum();
        self.rows.iter().map(mean).collect()
    }
}

/// A law with two probabilities: one for the outputs of a window that depends on the symbol, one for all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// For each symbol, the first output of its window.
    starts: Vec<usize>,
    width: usize,
    outputs: usize,
    /// W_t/Z.
    near: f64,
    /// W_f/Z.
    far: f64,
}

impl Windows {
    /// The law of [`SlidingWindow`](crate::privacy::SlidingWindow).
    #[must_use]
    pub fn sliding(domain_size: usize, half_width: u32, weights: Weights) -> Self {
        Self::at((0..domain_size).collect(), half_width, weights)
    }

    /// The law of [`SquareWave`](crate::privacy::SquareWave): the last symbol, "no data", lies a window behind the
    /// cells.
    ///
    /// # Panics
    ///
    /// If there are no symbols.
    #[must_use]
    pub fn square_wave(domain_size: usize, half_width: u32, weights: Weights) -> Self {
        let no_data = domain_size - 1;
        let places = (0..no_data).chain([no_data + 2 * half_width as usize]);
        Self::at(places.collect(), half_width, weights)
    }

    /// The same law of finer symbols: each but the last stands for `parts` that are reported alike.
    #[must_use]
    pub fn refined(&self, parts: usize) -> Self {
        let (last, cells) = self.starts.split_last().expect("a law has symbols");
        let starts = cells.iter().flat_map(|start| core::iter::repeat_n(*start, parts)).chain([*last]).collect();
        Self { starts, ..*self }
    }

    fn at(starts: Vec<usize>, half_width: u32, weights: Weights) -> Self {
        let width = 2 * half_width as usize + 1;
        let outputs = starts.last().map_or(0, |last| last + width);
        let (of_true, of_false) = (weights.of_true as f64, weights.of_false as f64);
        let total = width as f64 * of_true + (outputs - width) as f64 * of_false;
        Self { starts, width, outputs, near: of_true / total, far: of_false / total }
    }

    /// Number of outputs in a window.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// P\[y\] for y in the window less that outside of it.
    #[must_use]
    pub fn contrast(&self) -> f64 {
        self.near - self.far
    }
}

impl Law for Windows {
    fn symbols(&self) -> usize {
        self.starts.len()
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn reported(&self, shares: &[f64]) -> Vec<f64> {
        assert_eq!(shares.len(), self.starts.len(), "one share for each symbol");
        // Where windows begin and end; then how much lies over each output.
        let mut steps = vec![0.0; self.outputs + 1];
        for (start, share) in self.starts.iter().zip(shares) {
            steps[*start] += share;
            steps[start + self.width] -= share;
        }
        let (far, mut over) = (self.far * shares.iter().sum::<f64>(), 0.0);
        let probability = |step: &f64| {
            over += step;
            far + self.contrast() * over
        };
        steps[..self.outputs].iter().map(probability).collect()
    }

    fn expected(&self, values: &[f64]) -> Vec<f64> {
        assert_eq!(values.len(), self.outputs, "one value for each output");
        let mut sums = Vec::with_capacity(self.outputs + 1);
        let mut total = 0.0;
        sums.push(total);
        for value in values {
            total += value;
            sums.push(total);
        }
        let mean = |start: &usize| self.far * total + self.contrast() * (sums[start + self.width] - sums[*start]);
        self.starts.iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Weights = Weights { of_true: 3, of_false: 1 };

    fn rows_of(windows: &Windows) -> Rows {
        Rows::from_fn(windows.symbols(), windows.outputs(), |symbol, output| {
            let start = windows.starts[symbol];
            if (start..start + windows.width).contains(&output) { windows.near } else { windows.far }
        })
    }

    #[test]
    fn laws_of_a_small_square_wave() {
        // 3 cells, "no data" and windows of 3: 3 + 1 + 4 outputs, Z = 3 · 3 + 5 · 1.
        let law = rows_of(&Windows::square_wave(4, 1, THREE));
        let row = |near: core::ops::Range<usize>| -> Vec<f64> {
            (0..8).map(|output| if near.contains(&output) { 3.0 / 14.0 } else { 1.0 / 14.0 }).collect()
        };
        assert_eq!([0, 1, 2, 3].map(|symbol| law.row(symbol).to_vec()), [row(0..3), row(1..4), row(2..5), row(5..8)]);
    }

    #[test]
    fn finer_symbols_are_reported_alike() {
        let law = Windows::square_wave(3, 2, THREE);
        let reported = law.refined(4).reported(&[0.1, 0.1, 0.0, 0.2, 0.3, 0.0, 0.0, 0.0, 0.3]);
        let expected = law.reported(&[0.4, 0.3, 0.3]);
        assert!(reported.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-15));
    }

    /// Sums of at most 33 terms below 1, in another order: 1e-13 is 450 ulp.
    #[test]
    fn windows_are_rows() {
        for windows in
            [Windows::sliding(9, 3, THREE), Windows::sliding(2, 0, THREE), Windows::square_wave(12, 5, THREE)]
        {
            let rows = rows_of(&windows);
            let shares: Vec<f64> = (0..windows.symbols()).map(|symbol| 1.0 / (2.0 + symbol as f64)).collect();
            let values: Vec<f64> = (0..windows.outputs()).map(|output| (output as f64 - 3.0) / 32.0).collect();
            let same =
                |a: Vec<f64>, b: Vec<f64>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-13) && a.len() == b.len();
            assert!(same(windows.reported(&shares), rows.reported(&shares)));
            assert!(same(windows.expected(&values), rows.expected(&values)));
            assert!(same(rows.expected(&vec![1.0; rows.outputs()]), vec![1.0; rows.symbols()]));
        }
    }
}
