//! Comparisons of secret integers: the borrow of a subtraction, which is one or two instructions.
//!
//! A bit that decides what is sent goes through [`Choice`], which the optimizer cannot see through, so that it makes
//! no branch of it. Where a bit is only added and shifted,
//! in the loop of selection sampling, nothing can become a branch, and the bit is used as it is.

use subtle::Choice;

/// Whether a < b.
pub(super) fn is_below(a: u128, b: u128) -> Choice {
    Choice::from(u8::from(a.overflowing_sub(b).1))
}

/// 1 if a < b, else 0.
pub(super) fn borrow(a: u32, b: u32) -> u32 {
    (u64::from(a).wrapping_sub(u64::from(b)) >> 63) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_agree_with_the_operator() {
        let edges = [0, 1, 2, u32::MAX - 1, u32::MAX];
        for (a, b) in edges.into_iter().flat_map(|a| edges.map(|b| (a, b))) {
            assert_eq!(borrow(a, b) == 1, a < b, "{a} {b}");
            for shift in [0, 32, 96] {
                let (a, b) = (u128::from(a) << shift, u128::from(b) << shift);
                assert_eq!(bool::from(is_below(a, b)), a < b, "{a} {b}");
            }
        }
    }
}
