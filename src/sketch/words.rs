//! Counts of the words of one metric in one window, by their hash.

use alloc::vec::Vec;

use core::fmt;

use hashbrown::HashMap;

/// One counter per word, up to a number of different words. Words that come when all counters are taken are not counted.
#[derive(Clone, Default)]
pub struct WordCounts {
    counts: HashMap<u32, u32>,
    max_words: usize,
}

impl WordCounts {
    /// No words, and room for this many.
    #[must_use]
    pub fn new(max_words: usize) -> Self {
        Self { counts: HashMap::new(), max_words }
    }

    pub(super) fn update(&mut self, word: u32) {
        if let Some(count) = self.counts.get_mut(&word) {
            *count = count.saturating_add(1);
        } else if self.counts.len() < self.max_words {
            self.counts.insert(word, 1);
        }
    }

    /// The words with their counts, in increasing order of their hash.
    #[must_use]
    pub fn sorted(&self) -> Vec<(u32, u32)> {
        let mut words: Vec<(u32, u32)> = self.counts.iter().map(|(word, count)| (*word, *count)).collect();
        words.sort_unstable();
        words
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
        [7, 5, 7, 9, 5, 7].into_iter().for_each(|word| words.update(word));
        assert_eq!(words.sorted(), [(5, 2), (7, 3)]);
    }
}
