//! Looking texts up without a hash table: numbers first, then the text itself.

use alloc::{string::String, vec::Vec};

/// A number that texts are told apart by, most of the time: FNV-1a, 32 bits.
///
/// For look-ups on the device that compare the text itself too. Nothing is stored or sent under it.
pub(super) fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Labels with their numbers.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    labels: Vec<String>,
    /// Fingerprints and numbers of the labels, in increasing order.
    sorted: Vec<(u32, u32)>,
}

impl Labels {
    /// These labels, numbered in their order.
    pub(super) fn new(labels: &[String]) -> Self {
        let mut sorted = Vec::with_capacity(labels.len());
        // A spec has at most 1,021 labels, which a sort in place would not pay for.
        for (label, number) in labels.iter().zip(0..) {
            let entry = (fingerprint(label), number);
            sorted.insert(sorted.partition_point(|earlier| *earlier < entry), entry);
        }
        Self { labels: labels.to_vec(), sorted }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The number of a label.
    pub(super) fn number(&self, label: &str) -> Option<usize> {
        let mark = fingerprint(label);
        let first = self.sorted.partition_point(|(earlier, _)| *earlier < mark);
        let same = self.sorted[first..].iter().take_while(|(other, _)| *other == mark);
        same.map(|(_, number)| *number as usize).find(|number| self.labels[*number] == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_its_number_and_no_other_text_has_one() {
        let labels: Vec<String> = (0..1_021).map(|number| format!("label {number}")).collect();
        let known = Labels::new(&labels);
        assert_eq!(known.len(), 1_021);
        for (number, label) in labels.iter().enumerate() {
            assert_eq!(known.number(label), Some(number));
        }
        assert_eq!([known.number(""), known.number("label 1021")], [None; 2]);
    }

    /// Two texts that FNV-1a takes for one.
    #[test]
    fn labels_with_one_fingerprint_are_told_apart() {
        assert_eq!(fingerprint("costarring"), fingerprint("liquid"));
        let known = Labels::new(&["liquid", "costarring"].map(String::from));
        assert_eq!([known.number("costarring"), known.number("liquid")], [Some(1), Some(0)]);
    }
}
