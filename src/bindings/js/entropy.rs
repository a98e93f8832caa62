//! Entropy straight from the platform for every draw, so that an auditor can script the import of the shipped file.

#[cfg(not(feature = "seeded-entropy"))]
use crate::privacy::start_up;
use crate::privacy::{EntropyError, EntropySource};

/// The platform's generator, or the seeded stream of a test build.
pub(super) struct Platform;

impl Platform {
    /// The generator, once it has passed the start-up tests. A failure is not remembered: the next answer tests again.
    #[cfg(not(feature = "seeded-entropy"))]
    pub(super) fn tested() -> Result<Self, EntropyError> {
        use core::sync::atomic::{AtomicBool, Ordering};
        static PASSED: AtomicBool = AtomicBool::new(false);
        if !PASSED.load(Ordering::Relaxed) {
            start_up(&mut Self)?;
            PASSED.store(true, Ordering::Relaxed);
        }
        Ok(Self)
    }

    /// The stream, which is what its seed makes it.
    #[cfg(feature = "seeded-entropy")]
    pub(super) fn tested() -> Result<Self, EntropyError> {
        Ok(Self)
    }
}

#[cfg(not(feature = "seeded-entropy"))]
impl EntropySource for Platform {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(buffer).map_err(|_| EntropyError)
    }
}

#[cfg(feature = "seeded-entropy")]
mod seeded {
    use std::cell::RefCell;

    use sha2::{Digest, Sha256};
    use wasm_bindgen::prelude::wasm_bindgen;

    use super::{EntropyError, EntropySource, Platform};

    thread_local! {
        static STREAM: RefCell<Option<Stream>> = const { RefCell::new(None) };
    }

    /// SHA-256(seed ‖ counter) for counter = 0, 1, …, as `docs/report-format.md` defines it.
    struct Stream {
        seed: Vec<u8>,
        counter: u64,
        block: Vec<u8>,
    }

    impl Stream {
        fn next(&mut self) -> u8 {
            if self.block.is_empty() {
                let digest = Sha256::new().chain_update(&self.seed).chain_update(self.counter.to_be_bytes()).finalize();
                self.block = digest.iter().rev().copied().collect();
                self.counter += 1;
            }
            // Cannot fail: the block was just filled if it was empty.
            self.block.pop().expect("a block of 32 bytes")
        }
    }

    /// Starts the entropy stream of this test build anew.
    #[wasm_bindgen(js_name = setEntropySeed)]
    pub fn set_entropy_seed(seed: &[u8]) {
        STREAM.set(Some(Stream { seed: seed.to_vec(), counter: 0, block: Vec::new() }));
    }

    impl EntropySource for Platform {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            STREAM.with_borrow_mut(|stream| {
                let stream = stream.as_mut().ok_or(EntropyError)?;
                buffer.iter_mut().for_each(|byte| *byte = stream.next());
                Ok(())
            })
        }
    }
}
