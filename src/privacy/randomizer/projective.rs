//! Projective geometry response: symbols are hyperplanes of a projective space, and a report is a point of it.
//!
//! Feldman, Nelson, Nguyen and Talwar, "Private frequency estimation via projective geometry", ICML 2022 (sections 3 and 4). Nearly the variance of
//! subset selection in ⌈log2 K⌉ bits, where K is about k.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–q^(t−1) |
//! | q | `field_size` | order of the field, e^ε + 1 or near | prime or power of two, 2–1,024 |
//! | t | `dimension` | coordinates of a point | 2–13 |
//! | K | `points` | points, (q^t − 1)/(q − 1) | below 2^24 |
//! | c | `on_hyperplane` | points on a hyperplane, (q^(t−1) − 1)/(q − 1) | |
//! | c′ | | points on two hyperplanes, (q^(t−2) − 1)/(q − 1) | |
//! | Z | | W_t c + W_f (K − c) | |
//! | p, q′ | | P\[y lies on hyperplane v, given x = v\] = W_t c / Z; given x ≠ v: (W_t c′ + W_f (c − c′)) / Z | |
//!
//! Symbol v stands for the hyperplane y_0 + a_1 y_1 + … + a_{t−1} y_{t−1} = 0, where a_1 … a_{t−1} are the digits of v to base q. A point is either (1, 0, …, 0), which
//! lies on none of them, or (y_0, z) with z = (y_1, …, y_{t−1}) scaled so that its last nonzero coordinate is 1: c choices of z and q of y_0.
//! Number 0 is the first, number 1 + q·(index of z) + y_0 the others.
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP. *Argument.* A point is reported with probability W_t/Z if it lies on the true symbol's hyperplane and W_f/Z if not, and Z is the same for all
//! symbols, as all hyperplanes have c points. The code draws `u` uniform below Z = W_f + c (W_t + (q−1) W_f). Below W_f it
//! reports (1, 0, …, 0). Otherwise z is uniform among c, and y_0 is −Σ a_i y_i, the value on the hyperplane, in c W_t cases, and one of
//! the q − 1 others in c (q−1) W_f cases: W_t/Z and W_f/Z for each point.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε; q is the order of a field here.
//!
//! **Cost**: ⌈log2 K⌉ bits, O(t) products; one counter per report, and all counts by one transform of O(t q K) sums. **Variance** of a share f from n
//! reports: (f p(1−p) + (1−f) q′(1−q′)) / (n (p−q′)²). **Does not protect** more than the one answer.

use alloc::{vec, vec::Vec};

use subtle::ConditionallySelectable;

use super::compare::is_below;
use super::field::Field;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, uniform_below, uniform_below_u32};
use crate::privacy::permit::Permit;
use crate::spec::{Geometry, Weights};

/// Projective geometry response over a domain.
#[derive(Debug, Clone)]
pub struct ProjectiveGeometry {
    domain_size: u32,
    field: Field,
    /// Coordinates besides y_0.
    coordinates: usize,
    on_hyperplane: u32,
    apart_weight: u128,
    keep_weight: u128,
    total_weight: u128,
}

impl ProjectiveGeometry {
    /// Over `domain_size` symbols, in the projective space of `dimension` coordinates over the field of order `field_size`.
    ///
    /// # Panics
    ///
    /// If there is no such field or space here, or if it has fewer hyperplanes than there are symbols.
    #[must_use]
    pub fn new(domain_size: u64, field_size: u32, dimension: u32, weights: Weights) -> Self {
        let geometry = Geometry::of(field_size, dimension).expect("a projective space with fewer than 2^24 points");
        let field = Field::of_order(field_size);
        assert!(domain_size <= u64::from(geometry.symbols), "a hyperplane for each symbol");
        let (of_true, of_false) = (u128::from(weights.of_true), u128::from(weights.of_false));
        let on_hyperplane = u128::from(geometry.on_hyperplane);
        Self {
            domain_size: domain_size as u32,
            field,
            coordinates: dimension as usize - 1,
            on_hyperplane: geometry.on_hyperplane,
            apart_weight: of_false,
            keep_weight: of_false + on_hyperplane * of_true,
            total_weight: of_false + on_hyperplane * (of_true + u128::from(field_size - 1) * of_false),
        }
    }

    /// The other symbols whose hyperplanes hold all points that those of two symbols share: u + λ (v − u) for the λ that are neither 0 nor 1.
    ///
    /// # Panics
    ///
    /// If the symbols are equal or not below the domain size.
    pub fn pencil(&self, u: usize, v: usize) -> impl Iterator<Item = usize> + '_ {
        assert!(u != v && u.max(v) < self.domain_size as usize, "two symbols of the domain");
        (2..self.field.order())
            .map(move |scale| {
                let (mut from, mut to, mut place, mut symbol) = (u as u32, v as u32, 1_u64, 0_u64);
                for _ in 0..self.coordinates {
                    let ((next_from, a), (next_to, b)) = (self.field.divide(from), self.field.divide(to));
                    let step = self.field.multiply(scale, self.field.add(b, self.field.negate(a)));
                    symbol += place * u64::from(self.field.add(a, step));
                    (from, to, place) = (next_from, next_to, place * u64::from(self.field.order()));
                }
                symbol as usize
            })
            .filter(|symbol| *symbol < self.domain_size as usize)
    }

    fn points(&self) -> u64 {
        1 + u64::from(self.on_hyperplane) * u64::from(self.field.order())
    }

    /// The coordinates y_1 … y_{t−1} with an index: those whose last nonzero one is at place j follow each other, in the order of the digits before it.
    fn direction(&self, mut index: u32) -> [u32; Geometry::MAX_DIMENSION] {
        let mut coordinates = [0; Geometry::MAX_DIMENSION];
        let (mut last, mut count) = (0, 1);
        while index >= count {
            index -= count;
            count *= self.field.order();
            last += 1;
        }
        for coordinate in &mut coordinates[..last] {
            (index, *coordinate) = self.field.divide(index);
        }
        coordinates[last] = 1;
        coordinates
    }

    /// −Σ a_i y_i, the y_0 of the point on a symbol's hyperplane.
    fn meet(&self, symbol: u32, direction: &[u32; Geometry::MAX_DIMENSION]) -> u32 {
        let mut rest = symbol;
        let pairs = direction[..self.coordinates].iter().map(|coordinate| {
            let (quotient, digit) = self.field.divide(rest);
            rest = quotient;
            (digit, *coordinate)
        });
        self.field.negate(self.field.inner_product(pairs))
    }
}

impl LocalRandomizer for ProjectiveGeometry {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let u = uniform_below(self.total_weight, draws.entropy)?;
        let index = uniform_below_u32(self.on_hyperplane, draws.entropy)?;
        let other = 1 + uniform_below_u32(self.field.order() - 1, draws.entropy)?;

        let (apart, keep) = (is_below(u, self.apart_weight), is_below(u, self.keep_weight));
        let offset = u32::conditional_select(&other, &0, keep);
        let first = self.field.add(self.meet(symbol as u32, &self.direction(index)), offset);
        let point = 1 + index * self.field.order() + first;
        Ok(Payload::from_number(u64::from(u32::conditional_select(&point, &0, apart))))
    }
}

impl Decoder for ProjectiveGeometry {
    /// For each point, how often it was reported.
    fn counters(&self) -> usize {
        self.points() as usize
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(self.points()).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        counters[payload.number_below(self.points())? as usize] += 1;
        Ok(())
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

impl FrequencyOracle for ProjectiveGeometry {
    /// How many reported points lie on each symbol's hyperplane.
    ///
    /// The points whose last nonzero coordinate besides y_0 is y_{j+1} = 1 are counted by (y_1, …, y_j, y_0). Summing over one coordinate y_i at a time, with y_0 shifted by
    /// a_i y_i, turns that axis into the digit a_i: q sums for each entry. What is left at y_0 = −a_{j+1} is the count for all symbols with these digits.
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        let q = self.field.order() as usize;
        let mut support = vec![0; self.domain_size as usize];
        let (mut start, mut block) = (1, q);
        for place in 0..self.coordinates {
            let mut entries = counters[start..start + block].to_vec();
            let mut stride = q;
            for _ in 0..place {
                entries = self.sum_over_axis(&entries, stride);
                stride *= q;
            }
            for (symbol, count) in support.iter_mut().enumerate() {
                // Entry (a_1 … a_j, y_0) begins at q · (symbol mod q^j), and a_{j+1} is the next digit.
                let width = block / q;
                let digit = (symbol / width % q) as u32;
                *count += entries[q * (symbol % width) + self.field.negate(digit) as usize];
            }
            start += block;
            block *= q;
        }
        support
    }
}

impl ProjectiveGeometry {
    /// Entry (…, a, …, y_0) = Σ_y entry (…, y, …, y_0 − …): the points with coordinate y on this axis, seen from the line that digit a shifts them by.
    fn sum_over_axis(&self, entries: &[u64], stride: usize) -> Vec<u64> {
        let q = self.field.order();
        let mut sums = vec![0; entries.len()];
        for (at, sum) in sums.iter_mut().enumerate() {
            let y_0 = (at % q as usize) as u32;
            let digit = (at / stride % q as usize) as u32;
            let base = at - digit as usize * stride - y_0 as usize;
            for y in 0..q {
                // On the hyperplane y_0 + a y + … = 0 the rest of the sum is y_0 here, so the point has y_0 − a y.
                let shifted = self.field.add(y_0, self.field.negate(self.field.multiply(digit, y)));
                *sum += entries[base + y as usize * stride + shifted as usize];
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: Weights = Weights { of_true: 3, of_false: 1 };

    #[test]
    fn every_hyperplane_has_its_points_and_two_share_theirs() {
        for (q, t) in [(2, 4), (3, 3), (4, 3), (5, 2), (8, 3)] {
            let geometry = Geometry::of(q, t).expect("a geometry");
            let space = ProjectiveGeometry::new(u64::from(geometry.symbols), q, t, WEIGHTS);
            let on = |symbol: u32| -> Vec<u32> {
                (0..geometry.on_hyperplane)
                    .map(|index| index * q + space.meet(symbol, &space.direction(index)))
                    .collect()
            };
            assert_eq!(space.points(), u64::from(geometry.points));
            let planes: Vec<Vec<u32>> = (0..geometry.symbols).map(on).collect();
            for (u, plane) in planes.iter().enumerate() {
                for other in &planes[..u] {
                    let shared = plane.iter().filter(|point| other.contains(point)).count();
                    assert_eq!(shared, geometry.on_two as usize, "q {q} t {t}");
                }
            }
        }
    }

    #[test]
    fn the_transform_counts_what_a_plain_sum_counts() {
        for (q, t, k) in [(2, 5, 13), (3, 4, 27), (4, 3, 16), (7, 3, 40), (16, 2, 16)] {
            let space = ProjectiveGeometry::new(k, q, t, WEIGHTS);
            let counters: Vec<u64> = (0..space.points()).map(|point| point * point % 101).collect();
            let plain = |symbol: u32| -> u64 {
                let point = |index: u32| 1 + index * q + space.meet(symbol, &space.direction(index));
                (0..space.on_hyperplane).map(|index| counters[point(index) as usize]).sum()
            };
            let expected: Vec<u64> = (0..k as u32).map(plain).collect();
            assert_eq!(space.support(&counters), expected, "q {q} t {t}");
        }
    }
}
