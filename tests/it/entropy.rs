//! Sources of entropy for tests: the stream of the vectors, a fast generator, a tape, and one that fails.

use driftglass::privacy::{EntropyError, EntropySource};
use sha2::{Digest, Sha256};

/// SHA-256(seed ‖ counter) for counter = 0, 1, …, as `docs/report-format.md` defines it.
pub(crate) struct SeedStream {
    seed: Vec<u8>,
    counter: u64,
    block: Vec<u8>,
    /// Bytes drawn so far.
    pub(crate) drawn: usize,
}

impl SeedStream {
    pub(crate) fn new(seed: &[u8]) -> Self {
        Self { seed: seed.to_vec(), counter: 0, block: Vec::new(), drawn: 0 }
    }
}

impl EntropySource for SeedStream {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        while self.block.len() < buffer.len() {
            let digest = Sha256::new().chain_update(&self.seed).chain_update(self.counter.to_be_bytes()).finalize();
            self.block.extend_from_slice(&digest);
            self.counter += 1;
        }
        buffer.copy_from_slice(&self.block[..buffer.len()]);
        self.block.drain(..buffer.len());
        self.drawn += buffer.len();
        Ok(())
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): fast and seeded, for simulations.
pub(crate) struct Generator(u64);

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }
}

impl EntropySource for Generator {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(8) {
            let length = chunk.len();
            chunk.copy_from_slice(&self.next().to_be_bytes()[..length]);
        }
        Ok(())
    }
}

/// Replays bytes, then fails.
pub(crate) struct Tape<'a> {
    bytes: &'a [u8],
}

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Bytes not drawn yet.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }
}

impl EntropySource for Tape<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let (now, later) = self.bytes.split_at_checked(buffer.len()).ok_or(EntropyError)?;
        buffer.copy_from_slice(now);
        self.bytes = later;
        Ok(())
    }
}
