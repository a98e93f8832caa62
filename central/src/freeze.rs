//! From a draft to a spec: a question without a randomizer gets the best one, with all that fixes its law.

use driftglass::chooser::{Limits, recommend};
use driftglass::spec::{Mechanism, MonitorSpec, Randomizer, SpecError, Weights};
use serde_json::{Map, Value, json};

/// Why a draft does not become a spec.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// It breaks a rule that has nothing to do with randomizers.
    #[error(transparent)]
    Rule(#[from] SpecError),
    /// No mechanism keeps to the limits.
    #[error("question {0}: no mechanism keeps to the limits of bits and influence at this epsilon")]
    NothingFits(String),
    /// The document cannot be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The draft with a randomizer in each question, as text, and the names of the questions that got one. Questions that have one keep it.
///
/// # Errors
///
/// [`FreezeError`].
pub fn freeze(draft: &str, limits: &Limits) -> Result<(String, Vec<String>), FreezeError> {
    let Ok(mut document) = serde_json::from_str::<Value>(draft) else {
        // The parser says where it is not JSON.
        return Err(MonitorSpec::parse(draft).err().map_or(FreezeError::NothingFits(String::new()), FreezeError::Rule));
    };
    let open: Vec<usize> = questions(&mut document)
        .enumerate()
        .filter(|(_, question)| !question.contains_key("randomizer"))
        .map(|(index, _)| index)
        .collect();
    // With any valid randomizer in its place the draft is a spec, and says how many symbols a question has.
    for (_, question) in questions(&mut document).enumerate().filter(|(index, _)| open.contains(index)) {
        let stand_in = stand_in(question);
        question.insert("randomizer".to_owned(), stand_in);
    }
    let provisional = MonitorSpec::parse(&document.to_string())?;
    let mut named = Vec::new();
    for (index, question) in questions(&mut document).enumerate().filter(|(index, _)| open.contains(index)) {
        let asked = &provisional.questions[index];
        let randomizer = recommend(&asked.kind, asked.domain_size, asked.epsilon_micronats, limits)
            .ok_or_else(|| FreezeError::NothingFits(asked.name.clone()))?;
        question.insert("randomizer".to_owned(), document_of(&randomizer));
        named.push(asked.name.clone());
    }
    let text = serde_json::to_string_pretty(&document)? + "\n";
    MonitorSpec::parse(&text)?;
    Ok((text, named))
}

/// The questions of a draft that are objects; what is none, the parser refuses.
fn questions(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let list = document.pointer_mut("/measurement/questions").and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// A mechanism that any question of the kind may have, at any epsilon.
fn stand_in(question: &Map<String, Value>) -> Value {
    let weights = Weights::within(10_000);
    let mechanism = match question.get("kind").and_then(Value::as_str) {
        Some("mean") => Mechanism::DuchiBit,
        Some("event-count") => Mechanism::DiscreteLaplace,
        Some("open-vocabulary") => Mechanism::LocalHashing { hash_range: 2 },
        _ => Mechanism::KAry,
    };
    document_of(&Randomizer { mechanism, weights })
}

/// A randomizer as a spec has it.
fn document_of(randomizer: &Randomizer) -> Value {
    let mut object = Map::new();
    object.insert("mechanism".to_owned(), json!(randomizer.mechanism.name()));
    for (name, value) in randomizer.mechanism.parameters() {
        object.insert(name.to_owned(), json!(value));
    }
    object.insert("weight_true".to_owned(), json!(randomizer.weights.of_true));
    object.insert("weight_false".to_owned(), json!(randomizer.weights.of_false));
    Value::Object(object)
}
