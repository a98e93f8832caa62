//! Asking a profile: one true symbol for a question.

use super::anchored::{anchored_bit, row_of};
use super::profile::Profile;
use crate::spec::{Question, QuestionKind, word};

impl Profile {
    /// The true symbol of a question.
    ///
    /// `coin` is the public coin of the report and `draw` a uniform 64-bit word. An event is drawn as number ⌊draw · m / 2^64⌋ of the m events
    /// that the question can see, so no event is favored by more than m / 2^64; a mean is rounded up with probability equal to its remainder, to within 2^-64. These
    /// biases concern the estimate, never the privacy, which holds for any symbol.
    #[must_use]
    pub fn answer(&self, question: &Question, coin: &[u8; 16], draw: u64) -> u64 {
        let cells = self.metrics()[question.metric].cells();
        let sum = |cells: &[u32]| cells.iter().copied().map(u64::from).sum::<u64>();
        let symbol = match &question.kind {
            QuestionKind::SampledEvent => drawn(cells.iter().copied().map(u64::from), draw),
            QuestionKind::ThresholdBit { cells_below, cells_seen, .. } => {
                let sides = [sum(&cells[..*cells_below]), sum(&cells[*cells_below..*cells_seen])];
                drawn(sides.into_iter(), draw)
            }
            QuestionKind::AnchoredBit { baseline } => {
                return anchored_bit(cells, row_of(coin, cells.len()), baseline, draw) as u64;
            }
            QuestionKind::Mean => mean(cells, draw),
            QuestionKind::EventCount { cells_below, cells_seen, .. } => {
                return sum(&cells[*cells_below..*cells_seen]).min(question.domain_size as u64 - 1);
            }
            QuestionKind::OpenVocabulary => {
                let words = self.words()[question.metric].sorted();
                let place = drawn(words.iter().map(|(_, count)| u64::from(*count)), draw);
                return place.map_or(Self::unanswered(question, draw), |place| u64::from(words[place].0));
            }
        };
        symbol.map_or(Self::unanswered(question, draw), |symbol| symbol as u64)
    }

    /// The symbol of a device that saw nothing in a window.
    #[must_use]
    pub fn unanswered(question: &Question, draw: u64) -> u64 {
        match question.kind {
            QuestionKind::SampledEvent | QuestionKind::ThresholdBit { .. } => question.no_data() as u64,
            QuestionKind::AnchoredBit { .. } => draw >> 63,
            QuestionKind::Mean => mean_of(question.domain_size as u64 - 1, 2, draw),
            QuestionKind::EventCount { .. } => 0,
            QuestionKind::OpenVocabulary => u64::from(word("")),
        }
    }
}

/// The cell of the drawn event; all cells are visited whichever it is.
fn drawn(counts: impl Iterator<Item = u64> + Clone, draw: u64) -> Option<usize> {
    let total: u64 = counts.clone().sum();
    let event = ((u128::from(draw) * u128::from(total)) >> 64) as u64;
    let mut before = 0_u64;
    let mut cell = 0;
    for count in counts {
        before += count;
        cell += usize::from(before <= event);
    }
    (total > 0).then_some(cell)
}

/// The mean number of the cells that events fall into, rounded at random.
fn mean(cells: &[u32], draw: u64) -> Option<usize> {
    let total: u64 = cells.iter().copied().map(u64::from).sum();
    let sum: u64 = cells.iter().zip(0_u64..).map(|(count, cell)| cell * u64::from(*count)).sum();
    (total > 0).then(|| mean_of(sum, total, draw) as usize)
}

/// ⌊sum / total⌋, or one more with probability equal to the remainder's share.
fn mean_of(sum: u64, total: u64, draw: u64) -> u64 {
    let point = ((u128::from(draw) * u128::from(total)) >> 64) as u64;
    sum / total + u64::from(point < sum % total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: u64 = 1 << 62;

    #[test]
    fn each_event_is_drawn_by_its_share_of_the_words() {
        let cell = |draw| drawn([1, 0, 2, 1].into_iter(), draw);
        assert_eq!([0, 1, 2, 3].map(|quarter| cell(quarter * QUARTER + 5)), [0, 2, 2, 3].map(Some));
        assert_eq!(cell(u64::MAX), Some(3));
        assert_eq!(drawn([0, 0].into_iter(), 7), None);
    }

    #[test]
    fn means_are_rounded_up_by_their_remainder() {
        // (0 + 3 · 3) / 4 = 2 + 1/4.
        let place = |draw| mean(&[1, 0, 0, 3], draw);
        assert_eq!([0, 1, 2, 3].map(|quarter| place(quarter * QUARTER + 5)), [3, 2, 2, 2].map(Some));
        assert_eq!(mean(&[0, 0], 7), None);
        assert_eq!(mean(&[0, 0, 9], u64::MAX), Some(2));
    }
}
