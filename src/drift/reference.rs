//! What the current window is compared with.
//!
//! A reference holds, for each question, the shares of its data cells averaged over device-windows, and the covariance of that average, so that the finite sample
//! of the reference enters every test.

use serde_json::Value;

use crate::estimate::Matrix;
use crate::spec::{MonitorSpec, Node, SpecError, SpecId};

/// The reference of a spec.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The spec whose questions it answers.
    pub spec_id: SpecId,
    /// One per question, in the order of the spec.
    pub questions: Vec<QuestionReference>,
}

/// The reference of one question.
#[derive(Debug, Clone)]
pub struct QuestionReference {
    /// Device-windows with data that were averaged.
    pub device_windows: u64,
    /// Shares of the data cells; they sum to 1.
    pub shares: Vec<f64>,
    /// Covariance of the shares.
    pub covariance: Matrix,
}

impl Reference {
    /// Reads a reference from JSON text.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the JSON pointer, the rule and the limit.
    pub fn parse(text: &str, spec: &MonitorSpec) -> Result<Self, SpecError> {
        let document: Value = crate::spec::json(text)?;
        let root = Node::root(&document);
        let top = root.object(&["spec_id", "lineage", "questions"])?;
        let id = top.field("spec_id")?;
        if id.hex()? != *spec.id().as_bytes() {
            return Err(id.error("must be the id of the spec it is registered with"));
        }
        let names: Vec<&str> = spec.questions.iter().map(|question| question.name.as_str()).collect();
        let object = top.field("questions")?.object(&names)?;
        let read =
            |question: &crate::spec::Question| self::question(&object.field(&question.name)?, question.data_cells());
        Ok(Self { spec_id: spec.id(), questions: spec.questions.iter().map(read).collect::<Result<_, _>>()? })
    }
}

fn question(node: &Node<'_>, cells: usize) -> Result<QuestionReference, SpecError> {
    let object = node.object(&["device_windows", "shares", "covariance"])?;
    let device_windows = object.field("device_windows")?.integer(2..=u64::from(u32::MAX))?;
    let list = object.field("shares")?;
    let shares: Vec<f64> =
        list.items(cells..=cells)?.iter().map(|share| share.number(0.0..=1.0)).collect::<Result<_, _>>()?;
    if libm::fabs(shares.iter().sum::<f64>() - 1.0) > 1e-9 {
        return Err(list.error("must sum to 1 within 1e-9"));
    }
    let row = |node: &Node<'_>| node.items(cells..=cells)?.iter().map(|entry| entry.number(-1.0..=1.0)).collect();
    let rows: Vec<Vec<f64>> =
        object.field("covariance")?.items(cells..=cells)?.iter().map(row).collect::<Result<_, _>>()?;
    let covariance = Matrix::from_fn(cells, |row, column| rows[row][column]);
    let symmetric = |row: usize, column: usize| libm::fabs(rows[row][column] - rows[column][row]) <= 1e-12;
    let proper = (0..cells).all(|row| rows[row][row] >= 0.0 && (0..row).all(|column| symmetric(row, column)));
    if !proper {
        return Err(object.field("covariance")?.error("must be symmetric within 1e-12 and have no negative variance"));
    }
    Ok(QuestionReference { device_windows, shares, covariance })
}
