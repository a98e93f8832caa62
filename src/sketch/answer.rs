//! Asking a profile: one true symbol for a question.

use super::profile::Profile;
use crate::spec::{Question, QuestionKind};

impl Profile {
    /// The true symbol: of one event drawn uniformly among those the question can see, or "no data" if there is none.
    ///
    /// `draw` is a uniform 64-bit word; event number ⌊draw · m / 2^64⌋ of the m events is taken, so no event is favoured by more than
    /// m / 2^64. This bias concerns the estimate, never the privacy, which holds for any symbol.
    #[must_use]
    pub fn answer(&self, question: &Question, draw: u64) -> usize {
        let cells = self.metrics()[question.metric].cells();
        match question.kind {
            QuestionKind::SampledEvent => {
                drawn(cells.iter().copied().map(u64::from), draw).unwrap_or(question.no_data())
            }
            QuestionKind::ThresholdBit { cells_below, cells_seen, .. } => {
                let sum = |cells: &[u32]| cells.iter().copied().map(u64::from).sum::<u64>();
                let sides = [sum(&cells[..cells_below]), sum(&cells[cells_below..cells_seen])];
                drawn(sides.into_iter(), draw).unwrap_or(question.no_data())
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_drawn_by_its_share_of_the_words() {
        let word = |quarter: u64| (quarter << 62) + 5;
        let cell = |draw| drawn([1, 0, 2, 1].into_iter(), draw);
        assert_eq!([0, 1, 2, 3].map(|quarter| cell(word(quarter))), [0, 2, 2, 3].map(Some));
        assert_eq!(cell(u64::MAX), Some(3));
        assert_eq!(drawn([0, 0].into_iter(), 7), None);
    }
}
