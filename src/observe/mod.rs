//! One inference, or one later outcome, as the device saw it. Never leaves.
//!
//! An [`Observation`] borrows what the runtime has in its hands. Nothing encodes it, not even for the device's own
//! store, and its `Debug` shows its shape alone:
//!
//! ```
//! use driftglass::observe::{Observation, Values};
//! let inputs = [("numeric", Values::F32(&[12.5]))];
//! let seen = Observation { inputs: &inputs, ..Observation::default() };
//! assert!(!format!("{seen:?}").contains("12.5"));
//! ```

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use core::fmt;

use crate::spec::{Codebook, Source};

/// What the device saw of one inference.
#[derive(Clone, Copy, Default)]
pub struct Observation<'a> {
    /// Input tensors by name.
    pub inputs: &'a [(&'a str, Values<'a>)],
    /// Output tensors by name.
    pub outputs: &'a [(&'a str, Values<'a>)],
    /// Duration of the inference in milliseconds.
    pub latency_ms: Option<f64>,
    /// Whether the inference failed; then it has no outputs.
    pub failed: bool,
}

/// The elements of a tensor, in row-major order.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 64-bit floats.
    F64(&'a [f64]),
    /// 64-bit floats of which some are not there.
    Optional(&'a [Option<f64>]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// 64-bit integers.
    I64(&'a [i64]),
    /// Bytes, or truth values as 0 and 1.
    U8(&'a [u8]),
    /// Text.
    Text(&'a [String]),
}

/// One value of a metric.
#[derive(Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A number; never NaN.
    Number(f64),
    /// Text.
    Text(&'a str),
    /// Nothing there.
    Missing,
    /// NaN.
    NotANumber,
}

impl<'a> Observation<'a> {
    /// The value of a metric's source. Outcomes and pairs have none yet; joint metrics follow from others.
    #[must_use]
    pub fn value(&self, source: &Source) -> Value<'a> {
        match source {
            Source::Input { tensor, index } => at(self.inputs, tensor, *index),
            Source::Output { tensor, index } => at(self.outputs, tensor, *index),
            Source::Argmax { tensor } => largest(self.outputs, tensor, |index, _| index as f64),
            Source::Max { tensor } => largest(self.outputs, tensor, |_, value| value),
            Source::Latency => self.latency_ms.map_or(Value::Missing, Value::from),
            Source::Error => Value::Number(f64::from(u8::from(self.failed))),
            Source::Codebook(codebook) => {
                let tensors = if codebook.of_output { self.outputs } else { self.inputs };
                find(tensors, &codebook.tensor).map_or(Value::Missing, |values| nearest(values, codebook))
            }
            Source::Outcome | Source::Pair { .. } | Source::Joint { .. } => Value::Missing,
        }
    }
}

fn find<'a>(tensors: &[(&str, Values<'a>)], name: &str) -> Option<Values<'a>> {
    tensors.iter().find(|(given, _)| *given == name).map(|(_, values)| *values)
}

fn at<'a>(tensors: &[(&str, Values<'a>)], name: &str, index: usize) -> Value<'a> {
    find(tensors, name).map_or(Value::Missing, |values| values.get(index))
}

/// Number of the first vector at the least Euclidean distance. Missing if the tensor has another length or holds what
/// is no number; NaN if it holds one.
fn nearest<'a>(values: Values<'a>, codebook: &Codebook) -> Value<'a> {
    if values.len() != codebook.dimension() {
        return Value::Missing;
    }
    let mut point = Vec::with_capacity(values.len());
    for index in 0..values.len() {
        match values.get(index) {
            Value::Number(number) => point.push(number),
            Value::NotANumber => return Value::NotANumber,
            Value::Text(_) | Value::Missing => return Value::Missing,
        }
    }
    let distance = |vector: &[f64]| vector.iter().zip(&point).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let mut best: Option<(usize, f64)> = None;
    for (index, vector) in codebook.vectors.iter().enumerate() {
        let distance = distance(vector);
        if best.is_none_or(|(_, least)| distance < least) {
            best = Some((index, distance));
        }
    }
    best.map_or(Value::Missing, |(index, _)| Value::Number(index as f64))
}

/// Index and value of the first largest element. Missing if the tensor is or holds what is no number, NaN if it holds
/// one.
fn largest<'a>(tensors: &[(&str, Values<'a>)], name: &str, pick: fn(usize, f64) -> f64) -> Value<'a> {
    let Some(values) = find(tensors, name) else { return Value::Missing };
    let mut best: Option<(usize, f64)> = None;
    for index in 0..values.len() {
        let number = match values.get(index) {
            Value::Number(number) => number,
            Value::NotANumber => return Value::NotANumber,
            Value::Text(_) | Value::Missing => return Value::Missing,
        };
        if best.is_none_or(|(_, largest)| number > largest) {
            best = Some((index, number));
        }
    }
    best.map_or(Value::Missing, |(index, number)| Value::from(pick(index, number)))
}

impl<'a> Values<'a> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Optional(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of one row of a batch; all of them if they do not divide into rows.
    #[must_use]
    pub fn row(&self, row: usize, rows: usize) -> Self {
        if rows == 0 || row >= rows || !self.len().is_multiple_of(rows) {
            return *self;
        }
        let width = self.len() / rows;
        let range = row * width..(row + 1) * width;
        match self {
            Self::F32(values) => Self::F32(&values[range]),
            Self::F64(values) => Self::F64(&values[range]),
            Self::Optional(values) => Self::Optional(&values[range]),
            Self::I32(values) => Self::I32(&values[range]),
            Self::I64(values) => Self::I64(&values[range]),
            Self::U8(values) => Self::U8(&values[range]),
            Self::Text(values) => Self::Text(&values[range]),
        }
    }

    /// One element, missing if there is none.
    #[must_use]
    pub fn get(&self, index: usize) -> Value<'a> {
        let number = match self {
            Self::F32(values) => values.get(index).map(|value| f64::from(*value)),
            Self::F64(values) => values.get(index).copied(),
            Self::Optional(values) => values.get(index).copied().flatten(),
            Self::I32(values) => values.get(index).map(|value| f64::from(*value)),
            Self::I64(values) => values.get(index).map(|value| *value as f64),
            Self::U8(values) => values.get(index).map(|value| f64::from(*value)),
            Self::Text(values) => return values.get(index).map_or(Value::Missing, |text| Value::Text(text)),
        };
        number.map_or(Value::Missing, Value::from)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        if number.is_nan() { Self::NotANumber } else { Self::Number(number) }
    }
}

impl fmt::Debug for Observation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |tensors: &[(&str, Values<'_>)]| -> Vec<(String, usize)> {
            tensors.iter().map(|(name, values)| ((*name).to_owned(), values.len())).collect()
        };
        f.debug_struct("Observation")
            .field("inputs", &names(self.inputs))
            .field("outputs", &names(self.outputs))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values(len {})", self.len())
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: Source, expected: Option<f64>) {
        check_value(source, expected.map_or(Value::Missing, Value::Number));
    }

    fn check_value(source: Source, expected: Value<'_>) {
        let inputs = [("numeric", Values::F32(&[1.5, f32::NAN])), ("code", Values::I64(&[7]))];
        let outputs = [("probabilities", Values::F32(&[0.25, 0.5, 0.25])), ("broken", Values::F32(&[0.5, f32::NAN]))];
        let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms: Some(3.0), failed: true };
        assert!(seen.value(&source) == expected, "{source:?}");
    }

    #[test]
    fn rows_of_a_batch() {
        let batch = Values::F32(&[1.0, 2.0, 3.0, 4.0]);
        assert!(batch.row(1, 2).get(0) == Value::Number(3.0));
        assert_eq!(batch.row(1, 2).len(), 2);
        assert_eq!(batch.row(0, 3).len(), 4, "not divisible: left whole");
    }

    #[test]
    fn sources_find_their_value() {
        let tensor = |name: &str| name.to_owned();
        check(Source::Input { tensor: tensor("numeric"), index: 0 }, Some(1.5));
        check_value(Source::Input { tensor: tensor("numeric"), index: 1 }, Value::NotANumber);
        check(Source::Input { tensor: tensor("numeric"), index: 2 }, None);
        check(Source::Input { tensor: tensor("absent"), index: 0 }, None);
        check(Source::Input { tensor: tensor("code"), index: 0 }, Some(7.0));
        check(Source::Output { tensor: tensor("probabilities"), index: 2 }, Some(0.25));
        check(Source::Argmax { tensor: tensor("probabilities") }, Some(1.0));
        check(Source::Max { tensor: tensor("probabilities") }, Some(0.5));
        check_value(Source::Max { tensor: tensor("broken") }, Value::NotANumber);
        check(Source::Latency, Some(3.0));
        check(Source::Outcome, None);
        check(Source::Error, Some(1.0));
    }

    #[test]
    fn tensors_fall_to_the_nearest_vector() {
        let vectors = vec![vec![0.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0]];
        let source = Source::Codebook(Codebook { tensor: "embedding".to_owned(), of_output: true, vectors });
        let value =
            |values: Values<'_>| match (Observation { outputs: &[("embedding", values)], ..Observation::default() })
                .value(&source)
            {
                Value::Number(number) => Ok(number),
                Value::NotANumber => Err("NaN"),
                _ => Err("missing"),
            };
        assert_eq!(value(Values::F32(&[0.2, 0.9])), Ok(2.0));
        assert_eq!(value(Values::F64(&[7.0, 1.0])), Ok(1.0), "the first of equals");
        assert_eq!(value(Values::F64(&[f64::NAN, 1.0])), Err("NaN"));
        assert_eq!(value(Values::Optional(&[None, Some(1.0)])), Err("missing"));
        assert_eq!(value(Values::F64(&[1.0])), Err("missing"));
        assert_eq!(value(Values::F64(&[f64::INFINITY, 0.0])), Ok(0.0), "all infinitely far");
    }
}
