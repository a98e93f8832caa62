//! Start-up tests of the entropy source: a broken one is noticed before anything is hidden with it.
//!
//! NIST SP 800-90B, sections 4.3 and 4.4: the repetition count test and the adaptive proportion test, over the first 1,024 bytes, with
//! the cutoffs of a source of 8 bits per byte. They find a source that is stuck or grossly biased, and say nothing about one that
//! is predictable.
//!
//! | Symbol | Meaning | Value |
//! | --- | --- | --- |
//! | α | probability that a good source fails one test at one place | below 2^-40 |
//! | C_R | equal bytes in a row that fail: 1 + ⌈40 / 8⌉ | 6 |
//! | W | window of the adaptive proportion test | 512 |
//! | C_A | occurrences of the first byte of a window in it that fail; P\[B(512, 1/256) ≥ 20\] < 2^-43 | 20 |

use super::entropy::{EntropyError, EntropySource};

const BYTES: usize = 1_024;
const REPETITIONS: usize = 6;
const WINDOW: usize = 512;
const OCCURRENCES: usize = 20;

/// Draws 1,024 bytes and tests them. Done once, before the first answer.
///
/// # Errors
///
/// [`EntropyError`] when there is no entropy, or when what there is fails a test.
pub fn start_up(entropy: &mut dyn EntropySource) -> Result<(), EntropyError> {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes)?;
    let repeats = bytes.chunk_by(|a, b| a == b).any(|run| run.len() >= REPETITIONS);
    let crowded = |window: &[u8]| window.iter().filter(|byte| **byte == window[0]).count() >= OCCURRENCES;
    if repeats || bytes.chunks_exact(WINDOW).any(crowded) { Err(EntropyError) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::entropy::tests::Tape;

    /// Bytes that look random: a full period of an odd multiplier, folded.
    fn fair() -> Vec<u8> {
        (0..BYTES as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 15) as u8).collect()
    }

    fn check(change: impl FnOnce(&mut [u8]), passes: bool) {
        let mut bytes = fair();
        change(&mut bytes);
        assert_eq!(start_up(&mut Tape(bytes)).is_ok(), passes);
    }

    #[test]
    fn broken_sources_are_refused() {
        check(|_| {}, true);
        check(|bytes| bytes.fill(7), false);
        check(|bytes| bytes[100..106].fill(7), false);
        check(|bytes| bytes[100..105].fill(7), true);
        let every =
            |step: usize| move |bytes: &mut [u8]| bytes[WINDOW..].iter_mut().step_by(step).for_each(|byte| *byte = 7);
        check(every(16), false);
        check(every(64), true);
        assert_eq!(start_up(&mut Tape(vec![1; 3])), Err(EntropyError), "none at all");
    }

    /// P[B(512, 1/256) ≥ 20], by its first term and the ratio of the next ones.
    #[test]
    fn cutoffs_keep_to_alpha() {
        let (n, p, c) = (WINDOW as f64, 1.0 / 256.0, OCCURRENCES);
        let term: f64 = (0..c).map(|i| (n - i as f64) / (c - i) as f64 * p).product();
        let tail = term * (1.0 - p).powi((WINDOW - c) as i32) / (1.0 - n * p / (c as f64 + 1.0));
        assert!(tail < 2.0_f64.powi(-43), "{tail}");
        assert!(256.0_f64.powi(-(REPETITIONS as i32 - 1)) <= 2.0_f64.powi(-40));
    }
}
