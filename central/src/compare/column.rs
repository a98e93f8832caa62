//! One column of one window as it is read: numbers while every value is one, otherwise counts of labels.
//!
//! A column starts as numbers. The first present text that is no number makes it categorical; if numbers were stored by
//! then, their text is gone and the reader has to begin again, which [`Builder::finish`] says. Missing are: the empty
//! text, `NaN` in any case, and texts that the caller names.
//!
//! Memory: 8 bytes for each present number; for labels, their distinct texts, at most [`MAX_LABELS`] of them.

use std::collections::{BTreeMap, HashMap};

/// Most labels of a column that is compared: beyond, a column is an identifier or free text.
pub const MAX_LABELS: usize = 10_000;

/// How a column is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Numeric if every present value is a number.
    Either,
    /// Numeric; a text is an error.
    Numeric,
    /// Categorical; a number is a label.
    Categorical,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Present numbers in the order of the file.
    Numbers(Vec<f64>),
    /// Rows of each label.
    Labels(BTreeMap<Box<str>, u64>),
    /// More than [`MAX_LABELS`] labels.
    TooManyLabels,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What is present.
    pub values: Values,
    /// How many rows have no value.
    pub missing: u64,
}

impl Column {
    /// Whether no row has a value.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.values {
            Values::Numbers(numbers) => numbers.is_empty(),
            Values::Labels(labels) => labels.is_empty(),
            Values::TooManyLabels => false,
        }
    }

    /// Whether the values are numbers.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        matches!(self.values, Values::Numbers(_))
    }
}

/// A text in a column that has to be numeric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

/// A column while it is read.
#[derive(Debug)]
pub struct Builder {
    state: State,
    wanted: Wanted,
    missing: u64,
}

#[derive(Debug)]
enum State {
    Numbers(Vec<f64>),
    Labels(HashMap<Box<str>, u64>),
    TooManyLabels,
    /// Was numbers and met a text.
    Turned,
}

impl Builder {
    /// A column without rows.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        let state = match wanted {
            Wanted::Either | Wanted::Numeric => State::Numbers(Vec::new()),
            Wanted::Categorical => State::Labels(HashMap::new()),
        };
        Self { state, wanted, missing: 0 }
    }

    /// A row without a value.
    pub fn push_missing(&mut self) {
        self.missing += 1;
    }

    /// A row with a text, and whether it stands for a missing value.
    ///
    /// # Errors
    ///
    /// The column has to be numeric and the text is no number.
    pub fn push_text(&mut self, text: &str, absent: &[String]) -> Result<(), NotANumber> {
        if is_missing(text, absent) {
            self.missing += 1;
            return Ok(());
        }
        match &mut self.state {
            State::Numbers(numbers) => match text.trim_ascii().parse::<f64>() {
                Ok(number) if number.is_nan() => self.missing += 1,
                // −0 and 0 are one value.
                Ok(number) => numbers.push(number + 0.0),
                Err(_) if self.wanted == Wanted::Numeric => return Err(NotANumber),
                Err(_) if numbers.is_empty() => {
                    self.state = State::Labels(HashMap::from([(text.into(), 1)]));
                }
                Err(_) => self.state = State::Turned,
            },
            State::Labels(_) => self.count(text),
            State::TooManyLabels | State::Turned => {}
        }
        Ok(())
    }

    /// A row with a number; `label` is its text, should the column be categorical.
    pub fn push_number(&mut self, number: f64, label: impl FnOnce() -> String) {
        match &mut self.state {
            _ if number.is_nan() => self.missing += 1,
            State::Numbers(numbers) => numbers.push(number + 0.0),
            State::Labels(_) => self.count(&label()),
            State::TooManyLabels | State::Turned => {}
        }
    }

    fn count(&mut self, label: &str) {
        let State::Labels(labels) = &mut self.state else { return };
        if let Some(count) = labels.get_mut(label) {
            *count += 1;
        } else if labels.len() < MAX_LABELS {
            labels.insert(label.into(), 1);
        } else {
            self.state = State::TooManyLabels;
        }
    }

    /// The column; `None` if it must be read again as [`Wanted::Categorical`].
    #[must_use]
    pub fn finish(self) -> Option<Column> {
        let values = match self.state {
            State::Numbers(numbers) => Values::Numbers(numbers),
            State::Labels(labels) => Values::Labels(labels.into_iter().collect()),
            State::TooManyLabels => Values::TooManyLabels,
            State::Turned => return None,
        };
        Some(Column { values, missing: self.missing })
    }
}

fn is_missing(text: &str, absent: &[String]) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("nan") || absent.iter().any(|token| token == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str], wanted: Wanted) -> Option<Column> {
        let mut builder = Builder::new(wanted);
        texts.iter().try_for_each(|text| builder.push_text(text, &["NA".to_owned()])).expect("a column");
        builder.finish()
    }

    fn labels(pairs: &[(&str, u64)]) -> Values {
        Values::Labels(pairs.iter().map(|(label, count)| ((*label).into(), *count)).collect())
    }

    #[test]
    fn numbers_labels_and_what_is_missing() {
        let column = read(&["1", "", " 2.5 ", "NaN", "NA", "-0", "+1e3", "nan"], Wanted::Either).expect("numbers");
        assert_eq!(column.values, Values::Numbers(vec![1.0, 2.5, 0.0, 1_000.0]));
        assert_eq!(column.missing, 4);
        let column = read(&["1", "", "01", "1"], Wanted::Categorical).expect("labels");
        assert_eq!((column.values, column.missing), (labels(&[("01", 1), ("1", 2)]), 1));
        let column = read(&["", "x", "1", "x"], Wanted::Either).expect("labels");
        assert_eq!(column.values, labels(&[("1", 1), ("x", 2)]));
        assert_eq!(read(&["1", "x"], Wanted::Either), None, "the text of the first is gone");
        assert!(read(&["", ""], Wanted::Either).expect("a column").is_blank());
        assert_eq!(Builder::new(Wanted::Numeric).push_text("x", &[]), Err(NotANumber));
    }

    #[test]
    fn labels_are_bounded() {
        let mut builder = Builder::new(Wanted::Categorical);
        for i in 0..MAX_LABELS {
            builder.push_number(i as f64, || i.to_string());
        }
        builder.push_number(0.0, || "0".to_owned());
        builder.push_number(f64::NAN, || unreachable!("missing"));
        assert!(matches!(builder.state, State::Labels(_)));
        builder.push_text("one more", &[]).expect("a label");
        assert_eq!(builder.finish().map(|column| column.values), Some(Values::TooManyLabels));
    }
}
