//! Frequent words of an open vocabulary, found by their prefixes.
//!
//! The prefix extending method (Wang, Li and Jha, "Locally differentially private heavy hitter identification", IEEE
//! TDSC 18(2), 2021, section 4) on reports of [`OpenVocabulary`], whose public coin divides devices into levels.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | l | `level` | its reports are about prefixes of 8 (l+1) bits | 0–3 |
//! | n_l, m_l | | reports of a level; candidates of a level | |
//! | c | | reports of the level that support a prefix | |
//! | p, q | | P\[a report supports a prefix\], if the device's word has it; if not: 1/g | |
//! | α | `false_alarm` | probability that a search finds any word that no device has | (0, 1) |
//!
//! At level 0 every byte is a candidate; at a later level, all extensions by a byte of the prefixes that were kept. A
//! prefix that no device has is supported by each report with probability q independently, as every report has a coin
//! of its own; so c is binomial. A candidate is kept when P\[Bin(n_l, q) ≥ c\] ≤ α/(4 m_l). **Claim.** The probability
//! that any absent prefix is kept at any level is at most α. *Argument.* Candidates of a level depend on reports of
//! other levels, thus of other devices, alone; the union bound over m_l candidates and 4 levels. (Buckets hold 2³²/g
//! hash values up to rounding, so q is 1/g within 2⁻³² relative to one.)
//!
//! **Estimates.** The share of a word is (c/n_3 − q)/(p − q) over the reports of the last level, with the standard
//! error √(μ(1−μ)/n_3)/(p−q), μ = q + (p−q)f. Both are those of one word named in advance; among words that were found
//! since they passed a threshold, the faint ones come out somewhat too frequent.
//!
//! **Cost**: at most 256 · `max_prefixes` candidates a level, each one multiplication less addition for each report of
//! the level: O(256 · `max_prefixes` · n) in all, and 8 bytes a candidate. **Limits**: a word is found when its share
//! stands some 5 standard errors of a quarter of the reports above 0, at all four levels. Two words with one hash are
//! one word.

use super::channel::kept;
use super::interval::Scalar;
use crate::privacy::{Coin, MalformedPayload, OpenVocabulary, Payload};
use crate::spec::{Weights, word};

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// α: the probability that any word is found that no device has.
    pub false_alarm: f64,
    /// Most prefixes that are extended from one level to the next: those with the most support.
    pub max_prefixes: usize,
}

impl Default for Search {
    /// One false word in a hundred searches, and up to 256 prefixes: shares have sum 1, and one that stands out of the
    /// noise of 60,000 reports at ε = 3 is above 1/60.
    fn default() -> Self {
        Self { false_alarm: 0.01, max_prefixes: 256 }
    }
}

/// A frequent word.
#[derive(Debug, Clone, PartialEq)]
pub struct HeavyHitter {
    /// Its hash, see [`word`].
    pub hash: u32,
    /// The words of the dictionary with this hash; none when it is in no dictionary.
    pub words: Vec<String>,
    /// Its share of the devices.
    pub share: Scalar,
}

impl HeavyHitter {
    /// Whether this stands for "no data".
    #[must_use]
    pub fn is_no_data(&self) -> bool {
        self.hash == word("")
    }

    /// For people: the word, "no data", or `#` and eight hexadecimal digits for a word of no dictionary.
    #[must_use]
    pub fn label(&self) -> String {
        match self.words.as_slice() {
            _ if self.is_no_data() => "no data".to_owned(),
            [] => format!("#{:08x}", self.hash),
            words => words.join(" | "),
        }
    }
}

/// The frequent words behind reports with their coins, the most frequent first.
///
/// # Errors
///
/// [`MalformedPayload`] when a payload is no output of the mechanism.
///
/// # Panics
///
/// If α is not in (0, 1), or `hash_range` is below 2.
pub fn heavy_hitters<'a>(
    hash_range: u32,
    weights: Weights,
    reports: &[(Payload, Coin)],
    dictionary: impl IntoIterator<Item = &'a str>,
    search: Search,
) -> Result<Vec<HeavyHitter>, MalformedPayload> {
    assert!(search.false_alarm > 0.0 && search.false_alarm < 1.0, "a level strictly between 0 and 1");
    let vocabulary = OpenVocabulary::new(hash_range, weights);
    let (p, q) = (kept(weights, f64::from(hash_range)), 1.0 / f64::from(hash_range));
    let mut found = vec![(0, 0)];
    let mut n = 0;
    for level in 0..OpenVocabulary::LEVELS {
        let of_level: Vec<&(Payload, Coin)> =
            reports.iter().filter(|(_, coin)| OpenVocabulary::level(coin) == level).collect();
        n = of_level.len() as u64;
        let alarm = search.false_alarm / f64::from(OpenVocabulary::LEVELS) / (256 * found.len()) as f64;
        let least = least_support(n, q, alarm);
        let mut extended = Vec::new();
        for (prefix, _) in found {
            let mut support = [0; 256];
            for (payload, coin) in &of_level {
                vocabulary.count_extensions(payload, coin, prefix, &mut support)?;
            }
            // Fits: a prefix that is extended has at most 24 bits.
            let extensions = (0_u32..).zip(support).map(|(byte, support)| (prefix << 8 | byte, support));
            extended.extend(extensions.filter(|(_, support)| *support >= least));
        }
        extended.sort_unstable_by_key(|(prefix, support)| (core::cmp::Reverse(*support), *prefix));
        extended.truncate(search.max_prefixes);
        found = extended;
    }
    let share = |support: u64| {
        let rate = support as f64 / n as f64;
        let value = (rate - q) / (p - q);
        let mean = q + (p - q) * value.clamp(0.0, 1.0);
        Scalar { value, standard_error: libm::sqrt(mean * (1.0 - mean) / n as f64) / (p - q) }
    };
    let hitter = |(hash, support)| HeavyHitter { hash, words: Vec::new(), share: share(support) };
    let mut hitters: Vec<HeavyHitter> = found.into_iter().map(hitter).collect();
    for text in dictionary {
        let hash = word(text);
        if let Some(hitter) = hitters.iter_mut().find(|hitter| hitter.hash == hash)
            && !hitter.words.iter().any(|known| known == text)
        {
            hitter.words.push(text.to_owned());
        }
    }
    Ok(hitters)
}

/// The least c with P\[Bin(n, q) ≥ c\] ≤ `alarm`; n + 1 if there is none.
fn least_support(n: u64, q: f64, alarm: f64) -> u64 {
    let (mut low, mut high) = (0, n + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if upper_tail(n, q, middle) <= alarm { high = middle } else { low = middle + 1 }
    }
    low
}

/// P\[Bin(n, q) ≥ c\] for 0 ≤ c ≤ n: the first term by logarithms of factorials, the others by their ratios, up to
/// those that no longer count.
fn upper_tail(n: u64, q: f64, c: u64) -> f64 {
    let log_factorial = |m: u64| libm::lgamma(m as f64 + 1.0);
    let ways = log_factorial(n) - log_factorial(c) - log_factorial(n - c);
    let first = ways + c as f64 * libm::log(q) + (n - c) as f64 * libm::log1p(-q);
    // Relative to the first term, which may be too small for a double where the sum is not.
    let (mut term, mut sum, mut scale) = (1.0, 1.0, first);
    for j in c..n {
        term *= (n - j) as f64 / (j + 1) as f64 * q / (1.0 - q);
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
        if sum > 1e200 {
            (term, sum, scale) = (term / sum, 1.0, scale + libm::log(sum));
        }
    }
    libm::exp(scale + libm::log(sum)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values by Python's integers: Σ C(n, j) qʲ (1−q)ⁿ⁻ʲ in fractions. Logarithms near 10⁴ hold 12 digits after the
    /// point.
    #[test]
    fn binomial_tails() {
        let check = |n, q, c, expected: f64| {
            let found = upper_tail(n, q, c);
            assert!((found / expected - 1.0).abs() < 1e-9, "P[Bin({n}, {q}) ≥ {c}]: {found}, not {expected}");
        };
        check(4, 0.5, 3, 5.0 / 16.0);
        check(4, 0.5, 4, 1.0 / 16.0);
        check(10, 0.25, 0, 1.0);
        check(1_000, 1.0 / 21.0, 80, 6.588605709063427e-06);
        check(15_000, 1.0 / 21.0, 850, 2.2597957436048426e-07);
        check(60_000, 1.0 / 4.0, 15_600, 9.097939899547028e-09);
        check(2_000, 1.0 / 2.0, 700, 1.0);
    }

    #[test]
    fn the_least_support_is_the_least() {
        for (n, q, alarm) in [(15_000, 1.0 / 21.0, 1e-6), (40, 0.25, 0.01), (3, 0.5, 0.2), (200_000, 0.001, 1e-9)] {
            let least = least_support(n, q, alarm);
            assert!(upper_tail(n, q, least) <= alarm && upper_tail(n, q, least - 1) > alarm, "{n} {q}: {least}");
        }
        assert_eq!(least_support(3, 0.5, 0.1), 4, "even 3 of 3 have probability 1/8");
        assert_eq!(least_support(0, 0.5, 0.1), 1);
    }

    #[test]
    fn labels() {
        let label = |hash, words: &[&str]| {
            let words = words.iter().map(|text| (*text).to_owned()).collect();
            HeavyHitter { hash, words, share: Scalar { value: 0.5, standard_error: 0.1 } }.label()
        };
        assert_eq!(label(0xAB, &[]), "#000000ab");
        assert_eq!(label(0xAB, &["rain"]), "rain");
        assert_eq!(label(0xAB, &["rain", "snow"]), "rain | snow");
        assert_eq!(label(word(""), &[]), "no data");
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let weights = Weights { of_true: 20, of_false: 1 };
        assert_eq!(heavy_hitters(21, weights, &[], ["rain"], Search::default()), Ok(vec![]));
        let foreign = Payload::from_bytes(&[21]).expect("one byte");
        assert_eq!(heavy_hitters(21, weights, &[(foreign, [0; 16])], [], Search::default()), Err(MalformedPayload));
    }
}
