//! Entropy that the auditor controls, and a record of what was asked for.

use driftglass::privacy::{EntropyError, EntropySource};

/// What a randomizer under audit draws its private chance from.
#[derive(Debug, Default)]
pub struct Tape {
    script: Vec<u8>,
    at: usize,
    then: Option<Chance>,
    requests: Vec<u32>,
}

impl Tape {
    /// These bytes, and then no more entropy.
    #[must_use]
    pub fn script(bytes: Vec<u8>) -> Self {
        Self { script: bytes, ..Self::default() }
    }

    /// Bytes without end.
    #[must_use]
    pub fn endless(chance: Chance) -> Self {
        Self { then: Some(chance), ..Self::default() }
    }

    /// The source of an endless tape.
    #[must_use]
    pub fn into_chance(self) -> Option<Chance> {
        self.then
    }

    /// Starts over with other bytes.
    pub fn rewind(&mut self, bytes: &[u8]) {
        self.script.clear();
        self.script.extend_from_slice(bytes);
        self.at = 0;
        self.requests.clear();
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&mut self) {
        self.requests.clear();
    }

    /// The length of each request, one that could not be served included.
    #[must_use]
    pub fn requests(&self) -> &[u32] {
        &self.requests
    }

    /// Scripted bytes that were not asked for.
    #[must_use]
    pub fn left(&self) -> usize {
        self.script.len() - self.at
    }
}

impl EntropySource for Tape {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.requests.push(buffer.len() as u32);
        if let Some(bytes) = self.script.get(self.at..self.at + buffer.len()) {
            buffer.copy_from_slice(bytes);
            self.at += buffer.len();
            return Ok(());
        }
        match &mut self.then {
            Some(chance) => {
                chance.fill(buffer);
                Ok(())
            }
            None => Err(EntropyError),
        }
    }
}

/// Random bytes: the system's, or a stream that can be repeated.
#[derive(Debug)]
pub struct Chance {
    seed: Option<[u64; 4]>,
    block: Vec<u8>,
    at: usize,
}

impl Chance {
    const BLOCK: usize = 1 << 16;

    /// The system's generator.
    #[must_use]
    pub fn system() -> Self {
        Self { seed: None, block: Vec::new(), at: 0 }
    }

    /// A stream that a number fixes: xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
    /// generators", ACM TOMS 47(4), 2021), started by splitmix64.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^ (word >> 31)
        };
        Self { seed: Some([next(), next(), next(), next()]), block: Vec::new(), at: 0 }
    }

    /// Fills a buffer.
    ///
    /// # Panics
    ///
    /// If the system has no entropy: an audit cannot go on without.
    pub fn fill(&mut self, mut buffer: &mut [u8]) {
        while !buffer.is_empty() {
            if self.at == self.block.len() {
                self.refill();
            }
            let length = buffer.len().min(self.block.len() - self.at);
            let (now, later) = buffer.split_at_mut(length);
            now.copy_from_slice(&self.block[self.at..self.at + length]);
            self.at += length;
            buffer = later;
        }
    }

    /// A uniform word.
    pub fn word(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// An integer below a bound, uniform but for a bias of bound / 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// An integer below a bound, uniform but for a bias that the audit's choice of test points does not mind.
    pub fn below_u128(&mut self, bound: u128) -> u128 {
        (u128::from(self.word()) << 64 | u128::from(self.word())) % bound
    }

    fn refill(&mut self) {
        self.block.resize(Self::BLOCK, 0);
        self.at = 0;
        match &mut self.seed {
            None => getrandom::fill(&mut self.block).expect("the system gives entropy"),
            Some(state) => {
                for chunk in self.block.chunks_exact_mut(8) {
                    chunk.copy_from_slice(&xoshiro(state).to_be_bytes());
                }
            }
        }
    }
}

fn xoshiro(state: &mut [u64; 4]) -> u64 {
    let result = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
    let shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = state[3].rotate_left(45);
    result
}
