//! Entropy and exact uniform integers.

/// Where random bytes come from: the platform at the edges, a tape in tests and audits.
pub trait EntropySource {
    /// Fills the buffer with fresh random bytes.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the platform has none to give; then no report is made.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError>;

    /// A uniform 64-bit word.
    ///
    /// # Errors
    ///
    /// As [`EntropySource::fill`].
    fn word(&mut self) -> Result<u64, EntropyError> {
        let mut buffer = [0; 8];
        self.fill(&mut buffer)?;
        Ok(u64::from_be_bytes(buffer))
    }
}

/// The platform gave no entropy. The caller fails closed: no entropy, no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::SENTENCE)]
pub struct EntropyError;

impl EntropyError {
    /// The error for people.
    pub const SENTENCE: &str = "the platform gave no entropy; nothing was reported";
}

/// Draws after which a source is taken for broken. A good one is refused so often with probability 2^-128 at most; without a limit one that is stuck at a value that is refused
/// would never let go.
const MAX_DRAWS: usize = 128;

/// A uniform integer below `bound`, by rejection.
///
/// Draws the fewest whole bytes that hold `bound − 1`, keeps its low bits, and repeats until the value is below
/// `bound`: at most 2 draws on average. The loop depends on `bound`, which is public, and on fresh entropy only. For a
/// bound of 1 nothing is drawn.
///
/// # Panics
///
/// If `bound` is 0.
pub(super) fn uniform_below(bound: u128, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    assert!(bound > 0, "no integer lies below 0");
    let bits = u128::BITS - (bound - 1).leading_zeros();
    let bytes = bits.div_ceil(8) as usize;
    let mask = if bits == 0 { 0 } else { u128::MAX >> (u128::BITS - bits) };
    for _ in 0..MAX_DRAWS {
        let value = big_endian(bytes, entropy)? & mask;
        if value < bound {
            return Ok(value);
        }
    }
    Err(EntropyError)
}

/// A uniform 32-bit integer below `bound`, from one word of four bytes nearly always.
///
/// ⌊word · bound / 2^32⌋, and a new word when the low half of the product lies below 2^32 mod `bound` (Lemire, "Fast
/// random integer generation in an interval", ACM TOMACS 29(1), 2019, algorithm 5). Each value is left with ⌊2^32 /
/// bound⌋ words exactly. A new word is needed with probability below `bound` / 2^32, whatever the value. For a bound of
/// 1 a word is drawn all the same.
///
/// # Panics
///
/// If `bound` is 0.
pub(super) fn uniform_below_u32(bound: u32, entropy: &mut dyn EntropySource) -> Result<u32, EntropyError> {
    let mut word = [0; 4];
    entropy.fill(&mut word)?;
    accept_below_u32(word, bound, entropy)
}

/// [`uniform_below_u32`], the first word being drawn already.
pub(super) fn accept_below_u32(
    mut word: [u8; 4],
    bound: u32,
    entropy: &mut dyn EntropySource,
) -> Result<u32, EntropyError> {
    for _ in 0..MAX_DRAWS {
        let product = u64::from(u32::from_be_bytes(word)) * u64::from(bound);
        let low = product as u32;
        // 2^32 mod bound is below bound, so the division is needed for few words.
        if low >= bound || low >= bound.wrapping_neg() % bound {
            return Ok((product >> 32) as u32);
        }
        entropy.fill(&mut word)?;
    }
    Err(EntropyError)
}

fn big_endian(bytes: usize, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    let mut buffer = [0; 16];
    entropy.fill(&mut buffer[16 - bytes..])?;
    Ok(u128::from_be_bytes(buffer))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Replays bytes, then fails.
    pub(crate) struct Tape(pub(crate) Vec<u8>);

    impl EntropySource for Tape {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            if self.0.len() < buffer.len() {
                return Err(EntropyError);
            }
            buffer.copy_from_slice(&self.0[..buffer.len()]);
            self.0.drain(..buffer.len());
            Ok(())
        }
    }

    #[test]
    fn rejects_values_at_or_above_the_bound() {
        let mut tape = Tape(vec![0x07, 0x06, 0x05, 0x04]);
        assert_eq!(uniform_below(5, &mut tape), Ok(4), "7, 6 and 5 are drawn again");
        assert!(tape.0.is_empty());
    }

    #[test]
    fn keeps_the_low_bits() {
        assert_eq!(uniform_below(4, &mut Tape(vec![0xFE])), Ok(2));
        assert_eq!(uniform_below(257, &mut Tape(vec![0xFF, 0x00])), Ok(256));
        assert_eq!(uniform_below(1 << 100, &mut Tape(vec![0xFF; 13])), Ok((1 << 100) - 1));
    }

    #[test]
    fn a_bound_of_one_draws_nothing() {
        assert_eq!(uniform_below(1, &mut Tape(vec![])), Ok(0));
    }

    #[test]
    fn every_value_is_reached_equally_often() {
        let mut seen = [0; 10];
        for byte in 0..=255 {
            if let Ok(value) = uniform_below(10, &mut Tape(vec![byte])) {
                seen[value as usize] += 1;
            }
        }
        assert_eq!(seen, [16; 10], "of 256 bytes, 16 give each value and the others are drawn again");
    }

    #[test]
    fn fails_closed() {
        assert_eq!(uniform_below(10, &mut Tape(vec![])), Err(EntropyError));
        assert_eq!(uniform_below_u32(10, &mut Tape(vec![1, 2, 3])), Err(EntropyError));
        // Stuck at a value that is refused: 7 is not below 5, and word 0 is one too many for a bound of 5.
        assert_eq!(uniform_below(5, &mut Tape(vec![7; 1_000])), Err(EntropyError));
        assert_eq!(uniform_below_u32(5, &mut Tape(vec![0; 1_000])), Err(EntropyError));
    }

    /// 2^32 = 5 · 858,993,459 + 1: one word in 2^32 is drawn again, the one whose product has low half 0.
    #[test]
    fn words_are_divided_equally() {
        let below_5 = |word: u32| uniform_below_u32(5, &mut Tape(word.to_be_bytes().to_vec()));
        assert_eq!(below_5(0), Err(EntropyError), "drawn again, and the tape is empty");
        assert_eq!(below_5(1), Ok(0));
        assert_eq!((below_5(858_993_459), below_5(858_993_460)), (Ok(0), Ok(1)));
        assert_eq!(below_5(u32::MAX), Ok(4));
        assert_eq!(uniform_below_u32(1, &mut Tape(vec![9, 9, 9, 9])), Ok(0), "a word is drawn for a bound of 1 too");
    }

    /// The words of a value follow each other, from ⌈value 2^32/bound⌉ on; of them only the first can be rejected, as
    /// the low half of the product grows by `bound` from word to word and the limit of rejection is below `bound`. So
    /// the words that are left can be counted from the first: ⌊2^32/bound⌋ for every value. Its ends are tried.
    #[test]
    fn every_value_has_equally_many_words() {
        let given = |bound: u32, word: u64| uniform_below_u32(bound, &mut Tape((word as u32).to_be_bytes().to_vec()));
        for bound in (1..=200).chain([255, 256, 257, 1_023, 1_024, 65_535, 65_536, (1 << 31) + 1, u32::MAX]) {
            let wide = u64::from(bound);
            let limit = (1 << 32) % wide;
            for value in (0..wide).step_by((wide as usize).div_ceil(100)).chain([wide - 1]) {
                let (start, end) = ((value << 32).div_ceil(wide), ((value + 1) << 32).div_ceil(wide));
                let first_is_rejected = start * wide - (value << 32) < limit;
                let left = end - start - u64::from(first_is_rejected);
                assert_eq!(left, (1 << 32) / wide, "bound {bound} value {value}");
                let expected = if first_is_rejected { Err(EntropyError) } else { Ok(value as u32) };
                assert_eq!(given(bound, start), expected, "bound {bound} value {value}");
                if left > 0 {
                    let first = start + u64::from(first_is_rejected);
                    for word in [first, first + (left - 1) / 2, end - 1] {
                        assert_eq!(given(bound, word), Ok(value as u32), "bound {bound} word {word}");
                    }
                }
            }
        }
    }
}
