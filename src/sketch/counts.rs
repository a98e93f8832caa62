//! Counts of one metric in one window.

use alloc::{vec, vec::Vec};

use core::fmt;

use super::binning::Place;

/// One counter per cell, and two for what has none. Counters saturate at 2^32 − 1.
#[derive(Clone, Default)]
pub struct CellCounts {
    cells: Vec<u32>,
    missing: u32,
    other: u32,
}

impl CellCounts {
    /// Zero counts over a number of cells.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self { cells: vec![0; cells], missing: 0, other: 0 }
    }

    pub(super) fn update(&mut self, place: Place) {
        match place {
            Place::Cell(_) => {}
            Place::Missing(_) => self.missing = self.missing.saturating_add(1),
            Place::Other(_) => self.other = self.other.saturating_add(1),
        }
        if let Some(cell) = place.cell() {
            self.cells[cell] = self.cells[cell].saturating_add(1);
        }
    }

    /// Adds counts over the same cells.
    pub(super) fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.cells.len(), other.cells.len(), "counts of one metric");
        self.counters().zip(other.all()).for_each(|(count, more)| *count = count.saturating_add(more));
    }

    /// All counters: those of the cells, then missing and other.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> + '_ {
        self.cells.iter().copied().chain([self.missing, self.other])
    }

    /// The same counters, to be changed.
    pub(super) fn counters(&mut self) -> impl Iterator<Item = &mut u32> {
        self.cells.iter_mut().chain([&mut self.missing, &mut self.other])
    }

    /// The count of each cell.
    #[must_use]
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// How many values were missing or NaN.
    #[must_use]
    pub fn missing(&self) -> u32 {
        self.missing
    }

    /// How many values were no label of the metric: new categories, or of the wrong type.
    #[must_use]
    pub fn other(&self) -> u32 {
        self.other
    }

    /// How many values fell into a cell.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.cells.iter().map(|count| u64::from(*count)).sum()
    }
}

impl fmt::Debug for CellCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellCounts({} cells)", self.cells.len())
    }
}
