//! Whether a model fits a spec.

use alloc::{borrow::ToOwned, string::String};

use super::text::{Part, sentence};
use super::{MonitorSpec, Source};

/// What a session says of its model: names of the tensors, and their dimensions where they are fixed.
#[derive(Debug, Clone, Copy)]
pub struct ModelShape<'a> {
    /// SHA-256 of the model file.
    pub sha256: &'a [u8; 32],
    /// Inputs: name and dimensions, `None` for one that the caller chooses.
    pub inputs: &'a [(&'a str, &'a [Option<usize>])],
    /// Names of the outputs.
    pub outputs: &'a [&'a str],
}

/// A model that may not run under a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
#[non_exhaustive]
pub enum ModelRefused {
    /// Its hash is on no list of the spec.
    NotListed,
    /// It lacks a tensor that a metric reads.
    MissingTensor {
        /// "input" or "output".
        role: &'static str,
        /// The tensor that the spec names.
        tensor: String,
        /// The metric that reads it.
        metric: String,
    },
    /// A metric reads an element that the tensor does not have.
    IndexOutside {
        /// The tensor that the spec names.
        tensor: String,
        /// Elements for one observation.
        elements: usize,
        /// The metric that reads it.
        metric: String,
    },
    /// A tensor has another length than the vectors of a codebook.
    OtherLength {
        /// The tensor that the spec names.
        tensor: String,
        /// Elements for one observation.
        elements: usize,
        /// The metric that reads it.
        metric: String,
    },
}

impl ModelRefused {
    /// The error for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        use Part::{Number, Text};
        match self {
            Self::NotListed => "the model is not on the spec's list of models (/models)".to_owned(),
            Self::MissingTensor { role, tensor, metric } => sentence(&[
                Text("the model has no "),
                Text(role),
                Text(" \""),
                Text(tensor),
                Text("\", which the metric \""),
                Text(metric),
                Text("\" reads"),
            ]),
            Self::IndexOutside { tensor, elements, metric } => sentence(&[
                Text("the model's input \""),
                Text(tensor),
                Text("\" has "),
                Number(*elements as u64),
                Text(" elements, but the metric \""),
                Text(metric),
                Text("\" reads one beyond them"),
            ]),
            Self::OtherLength { tensor, elements, metric } => sentence(&[
                Text("the model's input \""),
                Text(tensor),
                Text("\" has "),
                Number(*elements as u64),
                Text(" elements, but not so the vectors of the metric \""),
                Text(metric),
                Text("\""),
            ]),
        }
    }
}

impl MonitorSpec {
    /// Checks that a model may run and that every metric finds its tensor.
    ///
    /// # Errors
    ///
    /// [`ModelRefused`] says what does not fit.
    pub fn admit(&self, model: &ModelShape<'_>) -> Result<(), ModelRefused> {
        if !self.lists_model(model.sha256) {
            return Err(ModelRefused::NotListed);
        }
        for metric in &self.metrics {
            let (tensor, of_output, read) = match &metric.source {
                Source::Input { tensor, index } => (tensor, false, Reads::Element(*index)),
                Source::Output { tensor, .. } | Source::Argmax { tensor } | Source::Max { tensor } => {
                    (tensor, true, Reads::Anything)
                }
                Source::Codebook(codebook) if codebook.of_output => (&codebook.tensor, true, Reads::Anything),
                Source::Codebook(codebook) => (&codebook.tensor, false, Reads::All(codebook.dimension())),
                Source::Latency | Source::Error | Source::Outcome | Source::Pair { .. } | Source::Joint { .. } => {
                    continue;
                }
            };
            let input = model.inputs.iter().find(|(name, _)| name == tensor);
            let known = if of_output { model.outputs.iter().any(|name| name == tensor) } else { input.is_some() };
            let (tensor, metric) = (tensor.clone(), metric.name.clone());
            if !known {
                let role = if of_output { "output" } else { "input" };
                return Err(ModelRefused::MissingTensor { role, tensor, metric });
            }
            match (read, input.and_then(|(_, dims)| elements(dims))) {
                (Reads::Element(index), Some(elements)) if index >= elements => {
                    return Err(ModelRefused::IndexOutside { tensor, elements, metric });
                }
                (Reads::All(length), Some(elements)) if elements != length => {
                    return Err(ModelRefused::OtherLength { tensor, elements, metric });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a metric reads of a tensor.
enum Reads {
    Anything,
    Element(usize),
    All(usize),
}

/// Elements of one observation: the product of the fixed dimensions, the first being a batch of one if the caller chooses it.
fn elements(dims: &[Option<usize>]) -> Option<usize> {
    let (first, rest) = dims.split_first()?;
    rest.iter().try_fold(first.unwrap_or(1), |product, dim| dim.map(|dim| product * dim))
}
