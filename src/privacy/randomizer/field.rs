//! Small finite fields: of prime order, or of characteristic 2. Constant time in their elements.
//!
//! Elements are the integers below the order. In characteristic 2 an element's bits are the coefficients of a
//! polynomial, taken
//! modulo an irreducible one (Lidl and Niederreiter, "Finite fields", 1997, table C).

/// Irreducible polynomials over GF(2) of degree 1 to 10, bit i being the coefficient of xⁱ.
const IRREDUCIBLE: [u32; 10] =
    [0b11, 0b111, 0b1011, 0b1_0011, 0b10_0101, 0b100_0011, 0b1000_0011, 0b1_0001_1011, 0b10_0001_0001, 0b100_0000_1001];

/// A finite field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    order: u32,
    /// ⌊2^40 / order⌋ + 1: (x · inverse) >> 40 is ⌊x / order⌋ for every x below 2^24, as x · order < 2^40 for orders
    /// up to 2^10 (Granlund and
    /// Montgomery, "Division by invariant integers using multiplication", PLDI 1994, theorem 4.2).
    inverse: u64,
    characteristic_two: bool,
    /// In characteristic 2, the degree of the polynomial that products are taken modulo, and that polynomial.
    degree: u32,
    modulus: u32,
}

impl Field {
    /// The field of this order: a prime, or a power of two, at most 1,024.
    pub(super) fn of_order(order: u32) -> Self {
        let characteristic_two = order.is_power_of_two();
        let degree = if characteristic_two { order.trailing_zeros() } else { 1 };
        Self {
            order,
            inverse: (1 << 40) / u64::from(order) + 1,
            characteristic_two,
            degree,
            modulus: IRREDUCIBLE[degree as usize - 1],
        }
    }

    pub(super) fn order(self) -> u32 {
        self.order
    }

    /// ⌊x / order⌋ and the remainder, for x below 2^24.
    pub(super) fn divide(self, x: u32) -> (u32, u32) {
        if self.characteristic_two {
            return (x >> self.degree, x & (self.order - 1));
        }
        let quotient = ((u64::from(x) * self.inverse) >> 40) as u32;
        (quotient, x - quotient * self.order)
    }

    pub(super) fn add(self, a: u32, b: u32) -> u32 {
        if self.characteristic_two { a ^ b } else { self.divide(a + b).1 }
    }

    pub(super) fn negate(self, a: u32) -> u32 {
        if self.characteristic_two { a } else { self.divide(self.order - a).1 }
    }

    pub(super) fn multiply(self, a: u32, b: u32) -> u32 {
        self.inner_product([(a, b)].into_iter())
    }

    /// Σ a b over the pairs, of which there are at most 12: reduced once, as 12 products of primes below 2^10 stay
    /// below 2^24.
    pub(super) fn inner_product(self, pairs: impl Iterator<Item = (u32, u32)>) -> u32 {
        if self.characteristic_two {
            self.reduce(pairs.fold(0, |sum, (a, b)| sum ^ self.multiply_polynomials(a, b)))
        } else {
            self.divide(pairs.fold(0, |sum, (a, b)| sum + a * b)).1
        }
    }

    /// The product of two polynomials of degrees below that of the field. Masks in place of branches.
    fn multiply_polynomials(self, a: u32, b: u32) -> u32 {
        (0..self.degree).fold(0, |product, bit| product ^ (a << bit) & (b >> bit & 1).wrapping_neg())
    }

    /// The remainder of such a product. Masks in place of branches.
    fn reduce(self, product: u32) -> u32 {
        let step =
            |rest: u32, bit: u32| rest ^ (self.modulus << bit) & (rest >> (bit + self.degree) & 1).wrapping_neg();
        (0..self.degree - 1).rev().fold(product, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Geometry;

    fn fields() -> impl Iterator<Item = Field> {
        let known = |order: &u32| Geometry::of(*order, 2).is_some();
        (0..=Geometry::MAX_FIELD_SIZE).filter(known).map(Field::of_order)
    }

    /// A product by a nonzero element is a permutation: so there are no divisors of zero, and every element has an
    /// inverse.
    #[test]
    fn products_by_an_element_are_permutations() {
        for field in fields().filter(|field| field.order() <= 64 || field.order().is_power_of_two()) {
            for a in 1..field.order() {
                let mut seen = vec![false; field.order() as usize];
                (0..field.order()).for_each(|b| seen[field.multiply(a, b) as usize] = true);
                assert!(seen.into_iter().all(|seen| seen), "order {} element {a}", field.order());
                assert_eq!(field.multiply(a, 1), a);
                assert_eq!(field.add(a, field.negate(a)), 0);
            }
        }
    }

    #[test]
    fn products_distribute_over_sums() {
        for order in [4, 5, 8, 13] {
            let field = Field::of_order(order);
            for (a, b, c) in (0..order).flat_map(|a| (0..order).flat_map(move |b| (0..order).map(move |c| (a, b, c)))) {
                let (left, right) =
                    (field.multiply(a, field.add(b, c)), field.add(field.multiply(a, b), field.multiply(a, c)));
                assert_eq!(left, right, "order {order}");
                assert_eq!(field.multiply(a, field.multiply(b, c)), field.multiply(field.multiply(a, b), c));
            }
        }
    }

    #[test]
    fn division_is_exact_up_to_its_limit() {
        for field in fields() {
            let limit = 1 << 24;
            let near = (0..2_000).chain(limit - 2_000..limit).chain((0..limit).step_by(9_973));
            for x in near {
                assert_eq!(field.divide(x), (x / field.order(), x % field.order()), "order {}", field.order());
            }
        }
    }
}
