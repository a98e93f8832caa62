//! From a value to a cell.

use hashbrown::HashMap;

use crate::observe::Value;
use crate::spec::{CellKind, Cells};

/// The cells of one metric, ready for look-up.
#[derive(Debug, Clone)]
pub struct Binning {
    shape: Shape,
    other: Option<usize>,
    missing: Option<usize>,
}

#[derive(Debug, Clone)]
enum Shape {
    Numeric { edges: Vec<f64> },
    Category { cells: HashMap<String, usize> },
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
            CellKind::Category { labels } => {
                let numbered = labels.iter().cloned().enumerate().map(|(cell, label)| (label, cell));
                Shape::Category { cells: numbered.collect() }
            }
            CellKind::Text { .. } => Shape::Text,
        };
        Self { shape, other: cells.other_cell(), missing: cells.missing_cell() }
    }

    /// The cell that a value falls into, if it falls into one.
    #[must_use]
    pub fn cell(&self, value: Value<'_>) -> Option<usize> {
        self.place(value).cell()
    }

    pub(super) fn place(&self, value: Value<'_>) -> Place {
        match (&self.shape, value) {
            (_, Value::Missing) => Place::Missing(self.missing),
            // Right-closed cells: a value on an edge belongs below it.
            (Shape::Numeric { edges }, Value::Number(number)) => {
                Place::Cell(edges.partition_point(|edge| *edge < number))
            }
            (Shape::Category { cells }, Value::Text(label)) => self.known(cells.get(label).copied()),
            (Shape::Category { cells }, Value::Number(number)) => self.known(
                (0..cells.len())
                    .contains(&(number as usize))
                    .then_some(number as usize)
                    .filter(|cell| *cell as f64 == number),
            ),
            (Shape::Numeric { .. }, Value::Text(_)) | (Shape::Text, _) => Place::Other(self.other),
        }
    }

    fn known(&self, cell: Option<usize>) -> Place {
        cell.map_or(Place::Other(self.other), Place::Cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(missing: bool) -> Binning {
        Binning::of(&Cells { kind: CellKind::Numeric { edges: vec![-5.0, 0.0, 15.0] }, other: false, missing })
    }

    fn category(other: bool) -> Binning {
        let labels = ["AA", "B6", "UA"].map(str::to_owned).to_vec();
        Binning::of(&Cells { kind: CellKind::Category { labels }, other, missing: false })
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
