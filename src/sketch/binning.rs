//! From a value to a cell.

use alloc::vec::Vec;

use super::label::Labels;
use crate::observe::Value;
use crate::spec::{CellKind, Cells};

/// The cells of one metric, ready for look-up.
#[derive(Debug, Clone)]
pub struct Binning {
    shape: Shape,
    other: Option<usize>,
    missing: Option<usize>,
    range: Option<OutOfRange>,
    nan: Option<usize>,
    wrong_type: Option<usize>,
}

/// Numbers that should not occur.
#[derive(Debug, Clone, Copy)]
struct OutOfRange {
    low: f64,
    high: f64,
    below: usize,
}

#[derive(Debug, Clone)]
enum Shape {
    Numeric { edges: Vec<f64> },
    Category { labels: Labels },
    Text,
}

/// Where a value falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Cell(usize),
    Missing(Option<usize>),
    Other(Option<usize>),
}

impl Place {
    pub(super) fn cell(self) -> Option<usize> {
        match self {
            Self::Cell(cell) => Some(cell),
            Self::Missing(cell) | Self::Other(cell) => cell,
        }
    }
}

impl Binning {
    /// The look-up of these cells.
    #[must_use]
    pub fn of(cells: &Cells) -> Self {
        let shape = match &cells.kind {
            CellKind::Numeric { edges } => Shape::Numeric { edges: edges.clone() },
            CellKind::Category { labels } => Shape::Category { labels: Labels::new(labels) },
            CellKind::Text { .. } => Shape::Text,
        };
        let range = cells.codes.range.zip(cells.below_cell());
        Self {
            shape,
            other: cells.other_cell(),
            missing: cells.missing_cell(),
            range: range.map(|([low, high], below)| OutOfRange { low, high, below }),
            nan: cells.nan_cell(),
            wrong_type: cells.wrong_type_cell(),
        }
    }

    /// The cell that a value falls into, if it falls into one.
    #[must_use]
    pub fn cell(&self, value: Value<'_>) -> Option<usize> {
        self.place(value).cell()
    }

    pub(super) fn place(&self, value: Value<'_>) -> Place {
        match (&self.shape, value) {
            (_, Value::Missing) => Place::Missing(self.missing),
            (_, Value::NotANumber) => Place::Missing(self.nan.or(self.missing)),
            // Right-closed cells: a value on an edge belongs below it.
            (Shape::Numeric { edges }, Value::Number(number)) => Place::Cell(match self.range {
                Some(range) if number < range.low => range.below,
                Some(range) if number > range.high => range.below + 1,
                _ => edges.partition_point(|edge| *edge < number),
            }),
            (Shape::Category { labels }, Value::Text(label)) => self.known(labels.number(label)),
            (Shape::Category { .. }, Value::Number(number)) if number < 0.0 || libm::floor(number) != number => {
                Place::Other(self.wrong_type.or(self.other))
            }
            (Shape::Category { labels }, Value::Number(number)) => self.known(
                (0..labels.len())
                    .contains(&(number as usize))
                    .then_some(number as usize)
                    .filter(|cell| *cell as f64 == number),
            ),
            (Shape::Numeric { .. }, Value::Text(_)) | (Shape::Text, _) => Place::Other(self.wrong_type.or(self.other)),
        }
    }

    fn known(&self, cell: Option<usize>) -> Place {
        cell.map_or(Place::Other(self.other), Place::Cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::QualityCodes;

    fn numeric(missing: bool) -> Binning {
        Binning::of(&Cells {
            kind: CellKind::Numeric { edges: vec![-5.0, 0.0, 15.0] },
            other: false,
            missing,
            codes: QualityCodes::default(),
            spellings: Vec::new(),
        })
    }

    fn category(other: bool) -> Binning {
        let labels = ["AA", "B6", "UA"].map(str::to_owned).to_vec();
        Binning::of(&Cells {
            kind: CellKind::Category { labels },
            other,
            missing: false,
            codes: QualityCodes::default(),
            spellings: Vec::new(),
        })
    }

    #[test]
    fn values_that_should_not_occur_have_cells_if_asked_for() {
        let codes = QualityCodes { range: Some([-10.0, 100.0]), nan: true, wrong_type: true };
        let kind = CellKind::Numeric { edges: vec![0.0, 15.0] };
        let spellings = ["0", "15", "-10", "100"].map(str::to_owned).to_vec();
        let cells = Cells { kind, other: false, missing: true, codes, spellings };
        let labels = ["≤ 0", "(0, 15]", "> 15", "missing", "below -10", "above 100", "NaN", "wrong type"];
        assert!(cells.labels() == labels && cells.count() == 8 && !cells.ordered());
        let cell = |value| Binning::of(&cells).place(value).cell();
        let numbers = [-10.5, -10.0, 100.0, 100.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        assert_eq!(numbers.map(|number| cell(Value::from(number))), [4, 0, 2, 5, 5, 4, 6].map(Some));
        assert_eq!([Value::Missing, Value::Text("15")].map(cell), [Some(3), Some(7)]);

        let labels = ["AA", "B6"].map(str::to_owned).to_vec();
        let codes = QualityCodes { wrong_type: true, ..QualityCodes::default() };
        let kind = CellKind::Category { labels };
        let cells = Cells { kind, other: true, missing: true, codes, spellings: Vec::new() };
        let cell = |value| Binning::of(&cells).place(value).cell();
        assert_eq!([Value::Text("ZZ"), Value::Number(7.0), Value::Number(0.5)].map(cell), [Some(2), Some(2), Some(4)]);
        assert_eq!(cell(Value::NotANumber), Some(3), "NaN is missing where it has no cell");
    }

    #[test]
    fn numeric_cells_are_right_closed_and_the_ends_open() {
        let cell = |number| numeric(false).place(Value::Number(number)).cell();
        assert_eq!([-6.0, -5.0, -4.9, 0.0, 15.0, 15.1].map(cell), [0, 0, 1, 1, 2, 3].map(Some));
        assert_eq!(cell(f64::INFINITY), Some(3));
        assert_eq!(cell(f64::NEG_INFINITY), Some(0));
    }

    #[test]
    fn missing_values_have_a_cell_only_if_asked_for() {
        assert_eq!(numeric(false).place(Value::Missing).cell(), None);
        assert_eq!(numeric(true).place(Value::Missing).cell(), Some(4));
    }

    #[test]
    fn categories_take_labels_and_indices() {
        let cell = |value| category(true).place(value).cell();
        assert_eq!(cell(Value::Text("B6")), Some(1));
        assert_eq!(cell(Value::Number(2.0)), Some(2));
        for new in [
            Value::Text("ZZ"),
            Value::Number(3.0),
            Value::Number(0.5),
            Value::Number(-1.0),
            Value::Number(f64::INFINITY),
        ] {
            assert_eq!(cell(new), Some(3));
            assert_eq!(category(false).place(new).cell(), None);
        }
    }
}
