//! Memoized hashing: what is reported over and over about a value that does not change is hidden once for all.
//!
//! LOLOHA (Arcolezi, Pinzón, Palamidessi and Gambs, "Frequency estimation of evolving data under local differential
//! privacy", EDBT 2023, section 3), with the second round calibrated exactly: see `accounting::memoized`.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–1,024 |
//! | C | `cohorts` | hashes that devices share; a device keeps one for an epoch | 1–4,096 |
//! | g | `hash_range` | buckets | 2–256 |
//! | W_t, W_f | `weights` | of the first, memoized round | ln(W_t/W_f) = ε_∞ |
//! | W′_t, W′_f | `fresh` | of the second round | |
//! | p₁, q₁; p₂, q₂ | | W_t/(W_t+(g−1)W_f), W_f/(…); the same of the second round | |
//! | P, Q | | p₁p₂ + (g−1)q₁q₂; p₁q₂ + q₁p₂ + (g−2)q₁q₂ | |
//!
//! **Claim.** One report is ln(P/Q)-LDP; all reports of an epoch together are g·ε_∞-LDP. *Argument.* The cohort and the
//! memoized answers are pseudo-random functions of a key of the device and the epoch. A report has probability P if it
//! is the bucket of the symbol and Q if not. All reports of an epoch are functions of fresh entropy and of the memoized
//! answers, one for each bucket that occurred; each of these is ε_∞-LDP in its bucket and there are at most g.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε_∞, and the ledger is charged
//! g·ε_∞ for an epoch.
//!
//! **Cost**: ⌈log2 (C g)⌉ bits, three HMACs. **Variance** of a share from n reports: q*(1−q*)/(n (P−q*)²) with q* =
//! 1/g. **Bias**: the C hashes are fixed, so two symbols meet in 1/g of them only to within √((1/g)(1−1/g)/C); a share
//! f of another symbol moves an estimate by about f/√((g−1) C): many cohorts, or wide tolerances. **Does not protect**
//! against linking: a device keeps its cohort for an epoch, log2 C bits that its reports have in common. A change of
//! the value shows as a change of reports.

use alloc::vec::Vec;

use super::hashing::{BucketHash, LocalHashing};
use super::k_ary::KAryResponse;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, uniform_below_u32};
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// Memoized hashing over a domain.
#[derive(Debug, Clone)]
pub struct MemoizedHashing {
    domain_size: u32,
    hash_range: u32,
    cohorts: u32,
    first: KAryResponse,
    second: KAryResponse,
}

impl MemoizedHashing {
    /// Most symbols.
    pub const MAX_DOMAIN: u64 = LocalHashing::MAX_DOMAIN;

    /// Over `domain_size` symbols with `hash_range` buckets.
    ///
    /// # Panics
    ///
    /// If there are more symbols than [`MemoizedHashing::MAX_DOMAIN`], fewer than 2 buckets, or no cohort.
    #[must_use]
    pub fn new(domain_size: u64, hash_range: u32, cohorts: u32, weights: Weights, fresh: Weights) -> Self {
        assert!(domain_size <= Self::MAX_DOMAIN, "the hash is independent for three symbols below 2^10");
        assert!(cohorts > 0, "a device is in some cohort");
        Self {
            domain_size: domain_size as u32,
            hash_range,
            cohorts,
            first: KAryResponse::new(u64::from(hash_range), weights),
            second: KAryResponse::new(u64::from(hash_range), fresh),
        }
    }

    /// The hash of a cohort: fixed for all time, so that reports need not carry it.
    fn hash(&self, cohort: u32) -> BucketHash {
        use sha2::{Digest, Sha256};
        let digest =
            Sha256::new().chain_update(b"driftglass cohort hash v1").chain_update(cohort.to_be_bytes()).finalize();
        BucketHash::of(&digest, self.hash_range)
    }

    fn outputs(&self) -> u64 {
        u64::from(self.cohorts) * u64::from(self.hash_range)
    }
}

impl LocalRandomizer for MemoizedHashing {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let cohort = uniform_below_u32(self.cohorts, &mut draws.memo.stream(b"cohort", 0))?;
        let bucket = self.hash(cohort).bucket(symbol as u32);
        let memoized = self.first.respond(bucket, &mut draws.memo.stream(b"answer", bucket))?;
        let reported = self.second.respond(memoized, draws.entropy)?;
        Ok(Payload::from_number(u64::from(cohort) * u64::from(self.hash_range) + u64::from(reported)))
    }
}

impl Decoder for MemoizedHashing {
    fn counters(&self) -> usize {
        self.domain_size as usize
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(self.outputs()).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        let number = payload.number_below(self.outputs())?;
        let (cohort, bucket) = (number / u64::from(self.hash_range), number % u64::from(self.hash_range));
        self.hash(cohort as u32).count(bucket as u32, counters);
        Ok(())
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

impl FrequencyOracle for MemoizedHashing {
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        counters.to_vec()
    }
}
