//! The JSON document of a reference, and its version: `docs/references.md` is normative.
//!
//! The version is the SHA-256 of the document in canonical form (RFC 8785, JCS), lineage included: the same numbers
//! from another source are another version, the same document spelled differently is not.

use core::fmt;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Calendar, Fallback, QuestionReference, Reference, SeasonKind, SeasonalReference};
use crate::estimate::Matrix;
use crate::spec::{self, MonitorSpec, Node, Question, SpecError, SpecId, json as read_json, read};

/// What a share may be: de-biased shares of few reports leave \[0, 1\].
const SHARES: core::ops::RangeInclusive<f64> = -1.0..=2.0;

/// Hash of a reference's document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferenceVersion([u8; 32]);

impl ReferenceVersion {
    pub(super) fn of(document: &spec::Value) -> Self {
        Self(Sha256::digest(document.canonical().as_bytes()).into())
    }

    /// The version of a document, which need not be a valid reference.
    ///
    /// # Errors
    ///
    /// [`SpecError`] when the text is no JSON, or too long.
    pub fn of_text(text: &str) -> Result<Self, SpecError> {
        Ok(Self::of(&read_json(text)?))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ReferenceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReferenceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReferenceVersion({self})")
    }
}

impl Reference {
    /// The spec that a document names, which may break other rules.
    ///
    /// # Errors
    ///
    /// [`SpecError`] when it names none.
    pub fn spec_id_of(text: &str) -> Result<SpecId, SpecError> {
        let document = read_json(text)?;
        read(&document, |root| SpecId::from_bytes(root.field("spec_id").hex()))
    }

    /// Reads a reference from JSON text.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the JSON pointer, the rule and the limit.
    pub fn parse(text: &str, spec: &MonitorSpec) -> Result<Self, SpecError> {
        let document = read_json(text)?;
        read(&document, |root| Self::read(root, spec))
    }

    fn read(root: Node<'_>, spec: &MonitorSpec) -> Self {
        root.object("spec_id lineage season questions");
        let id = root.field("spec_id");
        if id.hex() != *spec.id().as_bytes() {
            id.note("must be the id of the spec it is registered with");
        }
        let (calendar, fallback, independent_seasons) =
            root.optional("season").map_or((Calendar::none(), Fallback::Wait, false), season);
        let names: Vec<&str> = spec.questions.iter().map(|question| question.name.as_str()).collect();
        let questions = root.field("questions");
        questions.object(&names.join(" "));
        let of_question = |question: &Question| {
            // What is said of a question without shares is checked and kept, though nothing compares with it.
            let node = questions.optional(&question.name).filter(|_| question.domain_size > 0);
            node.map(|node| seasonal(node, question.data_cells(), calendar.kind))
        };
        Self {
            spec_id: spec.id(),
            version: ReferenceVersion::of(root.value()),
            lineage: root.optional("lineage").map_or(Value::Null, |node| node.value().to_json()),
            calendar,
            fallback,
            independent_seasons,
            questions: spec.questions.iter().map(of_question).collect(),
            departures: Vec::new(),
        }
    }
}

fn season(node: Node<'_>) -> (Calendar, Fallback, bool) {
    node.object("kind utc_offset_secs fallback independent");
    let names = SeasonKind::NAMED.map(|(name, _)| name).join(" ");
    let (_, kind) = SeasonKind::NAMED[node.field("kind").word(&names)];
    let utc_offset_secs = node.optional("utc_offset_secs").map_or(0, |node| {
        let most = Calendar::MAX_OFFSET_SECS;
        let limit = f64::from(most);
        let number = node.number(-limit..=limit, &format!("must be a number, from -{most} to {most}"));
        if libm::trunc(number) != number {
            node.note("must be an integer");
        }
        // Fits: the range does.
        number as i32
    });
    let fallback = node.optional("fallback").map_or(0, |node| node.word("wait all-seasons"));
    let fallback = [Fallback::Wait, Fallback::AllSeasons][fallback];
    (Calendar { kind, utc_offset_secs }, fallback, node.flag("independent"))
}

fn seasonal(node: Node<'_>, cells: usize, kind: SeasonKind) -> SeasonalReference {
    if kind == SeasonKind::None {
        return SeasonalReference { seasons: [(0, question(node, cells, ""))].into(), all: None };
    }
    node.object("seasons all");
    let all = node.optional("all").map(|node| question(node, cells, ""));
    let mut seasons = BTreeMap::new();
    node.field("seasons").items(0..=kind.seasons().count()).each(|entry| {
        let range = u64::from(*kind.seasons().start())..=u64::from(*kind.seasons().end());
        let number = entry.field("season");
        // Fits: the range does.
        let season = number.integer(range) as u16;
        if seasons.insert(season, question(entry, cells, " season")).is_some() {
            number.note("must be a season that no earlier entry has");
        }
    });
    SeasonalReference { seasons, all }
}

fn question(node: Node<'_>, cells: usize, beside: &str) -> QuestionReference {
    node.object(&["device_windows shares covariance", beside].concat());
    let device_windows = node.field("device_windows").integer(2..=u64::from(u32::MAX));
    let list = node.field("shares");
    let shares = list.items(cells..=cells).each(|share| share.number(SHARES, "must be a number, from -1 to 2"));
    if libm::fabs(shares.iter().sum::<f64>() - 1.0) > 1e-9 {
        list.note("must sum to 1 within 1e-9");
    }
    let given = node.field("covariance");
    let row = |node: Node<'_>| {
        let entries = node.items(cells..=cells);
        entries.each(|entry| entry.number(-1.0..=1.0, "must be a number, from -1 to 1"))
    };
    let rows: Vec<Vec<f64>> = given.items(cells..=cells).each(row);
    let entry = |row: usize, column: usize| rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0.0);
    let symmetric = |row: usize, column: usize| libm::fabs(entry(row, column) - entry(column, row)) <= 1e-12;
    let proper = (0..cells).all(|row| entry(row, row) >= 0.0 && (0..row).all(|column| symmetric(row, column)));
    if !proper {
        given.note("must be symmetric within 1e-12 and have no negative variance");
    }
    QuestionReference { device_windows, shares, covariance: Matrix::from_fn(cells, entry) }
}

/// A reference that was just made and has no version yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where it comes from.
    pub lineage: Value,
    /// Which seasons it tells apart.
    pub calendar: Calendar,
    /// What stands for a season that a question does not have.
    pub fallback: Fallback,
    /// Whether the errors of different seasons are independent.
    pub independent_seasons: bool,
    /// One per question, in the order of the spec; `None` for a question that it does not cover.
    pub questions: Vec<Option<SeasonalReference>>,
}

impl Draft {
    /// The document, which [`Reference::parse`] reads. Numbers are written exactly.
    #[must_use]
    pub fn document(&self, spec: &MonitorSpec) -> String {
        let plain = self.calendar.kind == SeasonKind::None;
        let of = |known: &SeasonalReference| {
            if plain {
                return known.seasons.values().next().map(|only| Value::Object(entry(only)));
            }
            let numbered = |(season, of_season): (&u16, &QuestionReference)| {
                let mut object = entry(of_season);
                object.insert("season".to_owned(), json!(season));
                Value::Object(object)
            };
            let mut object = Map::new();
            object.insert("seasons".to_owned(), known.seasons.iter().map(numbered).collect());
            if let Some(all) = &known.all {
                object.insert("all".to_owned(), Value::Object(entry(all)));
            }
            Some(Value::Object(object))
        };
        let named = spec.questions.iter().zip(&self.questions);
        let questions: Map<String, Value> =
            named.filter_map(|(question, known)| Some((question.name.clone(), of(known.as_ref()?)?))).collect();
        let mut document = json!({
            "spec_id": spec.id().to_string(),
            "lineage": self.lineage,
            "questions": questions,
        });
        if !plain {
            document["season"] = json!({
                "kind": self.calendar.kind.name(),
                "utc_offset_secs": self.calendar.utc_offset_secs,
                "fallback": match self.fallback {
                    Fallback::Wait => "wait",
                    Fallback::AllSeasons => "all-seasons",
                },
                "independent": self.independent_seasons,
            });
        }
        document.to_string()
    }
}

fn entry(reference: &QuestionReference) -> Map<String, Value> {
    let size = reference.covariance.size();
    let row = |row| (0..size).map(|column| reference.covariance.at(row, column)).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = (0..size).map(row).collect();
    let fields = [
        ("device_windows", json!(reference.device_windows)),
        ("shares", json!(reference.shares)),
        ("covariance", json!(rows)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> MonitorSpec {
        MonitorSpec::parse(include_str!("../../../pkg-config.json")).expect("the shipped spec")
    }

    fn plain(cells: usize) -> Value {
        let mut shares = vec![0.0; cells];
        (shares[0], shares[1]) = (0.1, 0.9);
        json!({ "device_windows": 50, "shares": shares, "covariance": vec![vec![0.0; cells]; cells] })
    }

    fn document(season: Value, of_question: &dyn Fn(usize) -> Value) -> Value {
        let spec = spec();
        let named = |question: &Question| (question.name.clone(), of_question(question.data_cells()));
        let questions: Map<String, Value> = spec.questions.iter().map(named).collect();
        let mut document = json!({ "spec_id": spec.id().to_string(), "questions": questions });
        if !season.is_null() {
            document["season"] = season;
        }
        document
    }

    fn months(cells: usize) -> Value {
        let mut may = plain(cells);
        may["season"] = json!(5);
        let mut june = may.clone();
        (june["season"], june["shares"][0], june["shares"][1]) = (json!(6), json!(1.2), json!(-0.2));
        json!({ "seasons": [may, june], "all": plain(cells) })
    }

    #[test]
    fn documents_without_seasons_are_read_as_before() {
        let text = document(Value::Null, &plain).to_string();
        let read = Reference::parse(&text, &spec()).expect("a reference");
        assert_eq!((read.calendar, read.fallback, read.lineage), (Calendar::none(), Fallback::Wait, Value::Null));
        let known = read.questions[0].as_ref().expect("a question");
        assert_eq!(known.seasons[&0].shares, [0.1, 0.9]);
        let spelled: String = text.replace("0.9", "9e-1").replace("{\"", "{ \"");
        assert_ne!(spelled, text);
        assert_eq!(Reference::parse(&spelled, &spec()).expect("the same").version, read.version);
        let other = text.replace("50", "51");
        assert_ne!(Reference::parse(&other, &spec()).expect("another").version, read.version);
        assert_eq!(ReferenceVersion::of_text(&text), Ok(read.version));
        assert_eq!(read.version.to_string().len(), 64);
    }

    #[test]
    fn what_a_draft_writes_is_read_back() {
        let season =
            json!({ "kind": "month", "utc_offset_secs": -18_000, "fallback": "all-seasons", "independent": true });
        let read = Reference::parse(&document(season, &months).to_string(), &spec()).expect("a reference");
        assert_eq!(read.calendar, Calendar { kind: SeasonKind::Month, utc_offset_secs: -18_000 });
        assert_eq!((read.fallback, read.independent_seasons), (Fallback::AllSeasons, true));
        let mut questions = read.questions.clone();
        questions[1] = None;
        questions[0].as_mut().expect("a question").all = None;
        let draft = Draft {
            lineage: json!({ "source": "test" }),
            calendar: read.calendar,
            fallback: read.fallback,
            independent_seasons: read.independent_seasons,
            questions,
        };
        let again = Reference::parse(&draft.document(&spec()), &spec()).expect("a reference");
        assert_eq!(again.lineage, draft.lineage);
        assert!(again.questions[1].is_none());
        let known = again.questions[0].as_ref().expect("a question");
        assert!(known.all.is_none() && known.seasons.len() == 2);
        assert_eq!(known.seasons[&6].shares, [1.2, -0.2]);
        let third = again.questions[2].as_ref().expect("a question");
        assert_eq!(third.all.as_ref().expect("an average").device_windows, 50);
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), pointer: &str, rule: &str) {
        let mut changed = document(json!({ "kind": "month" }), &months);
        change(&mut changed);
        let error = Reference::parse(&changed.to_string(), &spec()).expect_err("a rule");
        assert_eq!((error.pointer.as_str(), error.rule.as_str()), (pointer, rule));
    }

    #[test]
    fn faults_name_pointer_rule_and_limit() {
        let name = spec().questions[0].name.clone();
        let at = |rest: &str| format!("/questions/{name}{rest}");
        check(
            |d| d["season"]["kind"] = json!("year"),
            "/season/kind",
            "must be one of: none, month, day-of-week, hour-of-week",
        );
        check(
            |d| d["season"]["utc_offset_secs"] = json!(50_401),
            "/season/utc_offset_secs",
            "must be a number, from -50400 to 50400",
        );
        check(|d| d["season"]["utc_offset_secs"] = json!(0.5), "/season/utc_offset_secs", "must be an integer");
        check(|d| d["season"]["fallback"] = json!("guess"), "/season/fallback", "must be one of: wait, all-seasons");
        let first = |d: &mut Value, field: &str, value: Value| d["questions"][&name]["seasons"][0][field] = value;
        check(|d| first(d, "season", json!(13)), &at("/seasons/0/season"), "must be an integer, from 1 to 12");
        check(|d| first(d, "season", json!(6)), &at("/seasons/1/season"), "must be a season that no earlier entry has");
        check(|d| first(d, "shares", json!([0.5, 0.6])), &at("/seasons/0/shares"), "must sum to 1 within 1e-9");
        check(
            |d| first(d, "weight", json!(1)),
            &at("/seasons/0/weight"),
            "unknown field; known here: device_windows, shares, covariance, season",
        );
        check(
            |d| d["spec_id"] = json!("00".repeat(16)),
            "/spec_id",
            "must be the id of the spec it is registered with",
        );
        check(|d| d["season"] = Value::Null, "/season", "must be an object");
    }
}
