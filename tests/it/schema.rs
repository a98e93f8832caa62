//! The spec's schema and its parser say the same, fault by fault.
//!
//! `tests/vectors/spec-faults.json` holds a valid spec and a list of edits, each of which breaks one rule: `at` is the
//! pointer of the edited value, `set` its new value (absent: it is removed), `pointer` and `rule` what the error names,
//! and `schema` whether `docs/monitor-spec.schema.json` refuses it too. What it does not refuse joins two fields, which
//! is beyond a schema.
//!
//! The validator below knows the keywords that the schema uses and refuses all others. The flags were compared with an
//! independent implementation (`jsonschema` 4.26 of Python) when they were made; as a dependency of the tests, the
//! crate of that name would bring thirty others.

use driftglass::spec::{MonitorSpec, SpecError};
use serde::Deserialize;
use serde_json::{Map, Value};

const SCHEMA: &str = include_str!("../../docs/monitor-spec.schema.json");
const SHIPPED: &str = include_str!("../../pkg-config.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    base: Value,
    faults: Vec<Fault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    at: String,
    #[serde(default, deserialize_with = "present")]
    set: Option<Value>,
    pointer: String,
    rule: String,
    schema: bool,
}

/// A `null` that is set differs from a value that is removed.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn planted() -> Planted {
    serde_json::from_str(include_str!("../vectors/spec-faults.json")).expect("the file of faults")
}

impl Fault {
    fn planted_in(&self, base: &Value) -> Value {
        let mut document = base.clone();
        let Some((parent, last)) = self.at.rsplit_once('/') else {
            return self.set.clone().expect("the root is not removed");
        };
        let last = last.replace("~1", "/").replace("~0", "~");
        match (document.pointer_mut(parent).expect("a parent"), &self.set) {
            (Value::Object(members), Some(value)) => drop(members.insert(last, value.clone())),
            (Value::Object(members), None) => drop(members.remove(&last).expect("something to remove")),
            (Value::Array(items), Some(value)) => items[last.parse::<usize>().expect("an index")] = value.clone(),
            _ => panic!("nothing can be planted at {}", self.at),
        }
        document
    }

    /// No marker and no number that was planted stands in the error.
    fn is_not_quoted_in(&self, error: &SpecError) {
        let Some(value) = &self.set else { return };
        if value.to_string().contains("planted") {
            assert!(!error.to_string().contains("planted"), "{}: {error}", self.at);
        }
        if value.is_number() {
            // Whole words: 0 was planted where the limit is 3600.
            let number = value.to_string();
            let mut words = error.rule.split([' ', ',', ';']);
            assert!(words.all(|word| word != number), "{}: {error}", self.at);
        }
    }
}

fn parse(document: &Value) -> Result<MonitorSpec, SpecError> {
    MonitorSpec::parse(&document.to_string())
}

#[test]
fn valid_specs_pass_both() {
    let schema = Schema::read();
    let shipped: Value = serde_json::from_str(SHIPPED).expect("JSON");
    let vectors: Value = serde_json::from_str(include_str!("../vectors/report-v1.json")).expect("JSON");
    let others = vectors["specs"].as_array().expect("specs").iter().map(|spec| spec["document"].clone());
    for document in [planted().base, shipped].into_iter().chain(others) {
        assert_eq!(schema.refuses(&document), None);
        assert!(parse(&document).is_ok(), "{:?}", parse(&document).err());
    }
}

#[test]
fn each_planted_fault_is_named_with_its_pointer_and_limit() {
    let planted = planted();
    assert!(planted.faults.len() >= 40);
    for fault in &planted.faults {
        let Err(error) = parse(&fault.planted_in(&planted.base)) else {
            panic!("{} set to {:?} must be refused: {}", fault.at, fault.set, fault.rule);
        };
        assert_eq!(error.pointer, fault.pointer, "{}: {error}", fault.at);
        assert!(error.rule.contains(&fault.rule), "{}: {error}; expected: {}", fault.at, fault.rule);
        fault.is_not_quoted_in(&error);
    }
}

#[test]
fn the_schema_refuses_what_it_can_express() {
    let (planted, schema) = (planted(), Schema::read());
    for fault in &planted.faults {
        let refused = schema.refuses(&fault.planted_in(&planted.base));
        assert_eq!(refused.is_some(), fault.schema, "{} set to {:?}: {refused:?}", fault.at, fault.set);
    }
    let refused = planted.faults.iter().filter(|fault| fault.schema).count();
    assert!(refused * 4 > planted.faults.len() * 3, "most faults: {refused} of {}", planted.faults.len());
}

/// JSON that cannot be read says where, and nothing of what stands there.
#[test]
fn broken_json_is_not_quoted() {
    for text in ["", "planted", "{\"planted\": planted}", "{\"app\": \"planted", "[1, 2, 3", "{} planted"] {
        let error = MonitorSpec::parse(text).expect_err("no JSON");
        assert!(error.pointer.is_empty() && error.rule.starts_with("must be JSON (line "), "{error}");
        assert!(!error.to_string().contains("planted"), "{error}");
    }
    // A member that stands twice: whichever counts, it must keep the rules.
    let shipped = SHIPPED.replacen("\"spec_version\": 1", "\"spec_version\": 1, \"spec_version\": 2", 1);
    assert!(MonitorSpec::parse(&shipped).is_err());
}

#[test]
fn the_validator_can_fail() {
    let check = |schema: &str, good: &str, bad: &str| {
        let schema = Schema { root: serde_json::from_str(schema).expect("JSON") };
        let refuses = |text: &str| schema.refuses(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(refuses(good), None, "{good}");
        assert!(refuses(bad).is_some(), "{bad}");
    };
    check(r#"{"type": "integer"}"#, "1.0", "1.5");
    check(r#"{"type": "integer", "minimum": 2}"#, "2", "1");
    check(r#"{"maximum": 9007199254740991}"#, "9007199254740991", "9007199254740992");
    check(r#"{"type": "string", "minLength": 2, "maxLength": 2}"#, "\"éé\"", "\"é\"");
    check(r#"{"pattern": "^[a-z0-9-]+$"}"#, "\"a-9\"", "\"a_9\"");
    check(r#"{"pattern": "^[0-9a-f]{4}$"}"#, "\"09af\"", "\"09afa\"");
    check(r#"{"pattern": "^[a-z]+$"}"#, "\"a\"", "\"\"");
    check(r#"{"items": {"const": 1}, "minItems": 1, "maxItems": 2}"#, "[1, 1]", "[1, 2]");
    check(r#"{"uniqueItems": true}"#, "[1, 2]", "[1, 1]");
    check(r#"{"additionalProperties": false, "properties": {"a": true}}"#, r#"{"a": 1}"#, r#"{"b": 1}"#);
    check(r#"{"propertyNames": {"maxLength": 1}}"#, r#"{"a": 1}"#, r#"{"ab": 1}"#);
    check(r#"{"oneOf": [{"const": 1}, {"type": "integer"}]}"#, "2", "1");
    check(r##"{"$ref": "#/$defs/a", "$defs": {"a": {"enum": [3]}}}"##, "3", "4");
    check(r#"{"if": {"const": 1}, "then": false, "else": {"type": "integer"}}"#, "2", "1");
    check(r#"{"if": {"const": 1}, "then": false, "else": {"type": "integer"}}"#, "2", "1.5");
}

/// A schema of draft 2020-12, as far as its keywords are used here.
struct Schema {
    root: Value,
}

impl Schema {
    fn read() -> Self {
        let root: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        assert_eq!(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
        Self { root }
    }

    /// Where and by which keyword a document is refused, or `None` if it is valid.
    fn refuses(&self, document: &Value) -> Option<String> {
        self.check(&self.root, document, "")
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        match schema {
            Value::Bool(allowed) => (!allowed).then(|| format!("{at}: nothing may stand here")),
            Value::Object(keywords) => keywords.iter().find_map(|(keyword, limit)| {
                self.keyword(keywords, keyword, limit, value, at)
                    .map(|inner| if inner.is_empty() { format!("{at}: {keyword}") } else { inner })
            }),
            _ => panic!("a schema is an object or a truth value"),
        }
    }

    /// `Some` if the keyword refuses the value: what a schema inside it says, or nothing.
    fn keyword(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        limit: &Value,
        value: &Value,
        at: &str,
    ) -> Option<String> {
        let refused = |broken: bool| broken.then(String::new);
        let inside = |part: &str| format!("{at}/{part}");
        let members = value.as_object();
        let count = || limit.as_u64().expect("a count") as usize;
        let length = value.as_str().map(|text| text.chars().count());
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "then" | "else" => None,
            "$ref" => {
                let pointer = limit.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference inside");
                self.check(self.root.pointer(pointer).expect("a definition"), value, at)
            }
            "type" => refused(!is_of_type(value, limit.as_str().expect("one type"))),
            "const" => refused(!equal(limit, value)),
            "enum" => refused(!limit.as_array().expect("a list").iter().any(|item| equal(item, value))),
            "minimum" => refused(value.is_number() && compare(value, limit).is_lt()),
            "maximum" => refused(value.is_number() && compare(value, limit).is_gt()),
            "minLength" => refused(length.is_some_and(|length| length < count())),
            "maxLength" => refused(length.is_some_and(|length| length > count())),
            "pattern" => refused(value.as_str().is_some_and(|text| !matches(limit.as_str().expect("a pattern"), text))),
            "minItems" => refused(value.as_array().is_some_and(|items| items.len() < count())),
            "maxItems" => refused(value.as_array().is_some_and(|items| items.len() > count())),
            "uniqueItems" => refused(value.as_array().is_some_and(|items| {
                (1..items.len()).any(|place| items[..place].iter().any(|earlier| equal(earlier, &items[place])))
            })),
            "items" => {
                let mut items = value.as_array()?.iter().enumerate();
                items.find_map(|(place, item)| self.check(limit, item, &inside(&place.to_string())))
            }
            "required" => {
                let members = members?;
                let mut names = limit.as_array().expect("a list").iter();
                refused(names.any(|name| !members.contains_key(name.as_str().expect("a name"))))
            }
            "properties" => {
                let mut properties = limit.as_object().expect("an object").iter();
                properties.find_map(|(name, schema)| self.check(schema, members?.get(name)?, &inside(name)))
            }
            "additionalProperties" => {
                let known = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
                let mut others = members?.iter().filter(|(name, _)| !known(name));
                others.find_map(|(name, member)| self.check(limit, member, &inside(name)))
            }
            "propertyNames" => {
                let name = |name: &String| self.check(limit, &Value::String(name.clone()), &inside(name));
                members?.keys().find_map(name)
            }
            "oneOf" => {
                let fits = |schema: &&Value| self.check(schema, value, at).is_none();
                refused(limit.as_array().expect("a list").iter().filter(fits).count() != 1)
            }
            "if" => {
                let branch = if self.check(limit, value, at).is_none() { "then" } else { "else" };
                schema.get(branch).and_then(|schema| self.check(schema, value, at))
            }
            _ => panic!("the validator does not know the keyword {keyword}"),
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => panic!("the validator does not know the type {name}"),
    }
}

/// JSON Schema compares numbers by value.
fn equal(left: &Value, right: &Value) -> bool {
    if left.is_number() && right.is_number() { compare(left, right).is_eq() } else { left == right }
}

fn compare(left: &Value, right: &Value) -> std::cmp::Ordering {
    match (left.as_u64(), right.as_u64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_f64().partial_cmp(&right.as_f64()).expect("JSON has no NaN"),
    }
}

/// Patterns of one form: `^[…]+$` or `^[…]{n}$`, with ranges of characters in the brackets.
fn matches(pattern: &str, text: &str) -> bool {
    let (class, times) = pattern.strip_prefix("^[").and_then(|rest| rest.split_once(']')).expect("a known form");
    let length = text.chars().count();
    let fits = match times {
        "+$" => length > 0,
        _ => {
            let times = times.strip_prefix('{').and_then(|rest| rest.strip_suffix("}$")).expect("a known form");
            length == times.parse::<usize>().expect("a number")
        }
    };
    let class: Vec<char> = class.chars().collect();
    let mut ranges = Vec::new();
    let mut place = 0;
    while place < class.len() {
        let ranged = class.get(place + 1) == Some(&'-') && place + 2 < class.len();
        ranges.push(if ranged { class[place]..=class[place + 2] } else { class[place]..=class[place] });
        place += if ranged { 3 } else { 1 };
    }
    fits && text.chars().all(|c| ranges.iter().any(|range| range.contains(&c)))
}
