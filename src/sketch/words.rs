//! Counts of the words of one metric in one window, by their hash.

use alloc::vec::Vec;

use core::fmt;

/// One counter per word, up to a number of different words. Words that come when all counters are taken are not counted.
#[derive(Clone, Default)]
pub struct WordCounts {
    /// In increasing order of the hash.
    counts: Vec<(u32, u32)>,
    max_words: usize,
}

impl WordCounts {
    /// No words, and room for this many.
    #[must_use]
    pub fn new(max_words: usize) -> Self {
        Self { counts: Vec::new(), max_words }
    }

    /// Counts a word so many times more.
    pub(super) fn update(&mut self, word: u32, times: u32) {
        match self.counts.binary_search_by_key(&word, |(known, _)| *known) {
            Ok(place) => self.counts[place].1 = self.counts[place].1.saturating_add(times),
            Err(place) if self.counts.len() < self.max_words => self.counts.insert(place, (word, times)),
            Err(_) => {}
        }
    }

    /// The words with their counts, in increasing order of their hash.
    #[must_use]
    pub fn sorted(&self) -> &[(u32, u32)] {
        &self.counts
    }
}

impl fmt::Debug for WordCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WordCounts(at most {})", self.max_words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_words_are_not_counted() {
        let mut words = WordCounts::new(2);
        [7, 5, 7, 9, 5, 7].into_iter().for_each(|word| words.update(word, 1));
        assert_eq!(words.sorted(), [(5, 2), (7, 3)]);
    }
}
