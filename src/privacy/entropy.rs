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
#[error("the platform gave no entropy; nothing was reported")]
pub struct EntropyError;

/// A uniform integer below `bound`, by rejection.
///
/// Draws the fewest whole bytes that hold `bound − 1`, keeps its low bits, and repeats until the value is below `bound`:
/// at most 2 draws on average. The loop depends on `bound`, which is public, and on fresh entropy only. For a bound of 1
/// nothing is drawn.
///
/// # Panics
///
/// If `bound` is 0.
pub(super) fn uniform_below(bound: u128, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    assert!(bound > 0, "no integer lies below 0");
    let bits = u128::BITS - (bound - 1).leading_zeros();
    let bytes = bits.div_ceil(8) as usize;
    let mask = if bits == 0 { 0 } else { u128::MAX >> (u128::BITS - bits) };
    loop {
        let value = big_endian(bytes, entropy)? & mask;
        if value < bound {
            return Ok(value);
        }
    }
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
    }
}
