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
            let missing = |role, tensor: &String| ModelRefused::MissingTensor {
                role,
                tensor: tensor.clone(),
                metric: metric.name.clone(),
            };
            match &metric.source {
                Source::Input { tensor, index } => {
                    let found = model.inputs.iter().find(|(name, _)| name == tensor);
                    let (_, dims) = found.ok_or_else(|| missing("input", tensor))?;
                    if let Some(elements) = elements(dims).filter(|elements| index >= elements) {
                        return Err(ModelRefused::IndexOutside {
                            tensor: tensor.clone(),
                            elements,
                            metric: metric.name.clone(),
                        });
                    }
                }
                Source::Output { tensor, .. } | Source::Argmax { tensor } | Source::Max { tensor } => {
                    if !model.outputs.iter().any(|name| name == tensor) {
                        return Err(missing("output", tensor));
                    }
                }
                Source::Codebook(codebook) if codebook.of_output => {
                    if !model.outputs.iter().any(|name| *name == codebook.tensor) {
                        return Err(missing("output", &codebook.tensor));
                    }
                }
                Source::Codebook(codebook) => {
                    let found = model.inputs.iter().find(|(name, _)| *name == codebook.tensor);
                    let (_, dims) = found.ok_or_else(|| missing("input", &codebook.tensor))?;
                    if let Some(elements) = elements(dims).filter(|elements| *elements != codebook.dimension()) {
                        return Err(ModelRefused::OtherLength {
                            tensor: codebook.tensor.clone(),
                            elements,
                            metric: metric.name.clone(),
                        });
                    }
                }
                Source::Latency | Source::Error | Source::Outcome | Source::Pair { .. } | Source::Joint { .. } => {}
            }
        }
        Ok(())
    }
}

/// Elements of one observation: the product of the fixed dimensions, the first being a batch of one if the caller chooses it.
fn elements(dims: &[Option<usize>]) -> Option<usize> {
    let (first, rest) = dims.split_first()?;
    rest.iter().try_fold(first.unwrap_or(1), |product, dim| dim.map(|dim| product * dim))
}
