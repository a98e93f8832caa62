//! A JSON document as a tree, and its canonical form (RFC 8785, JCS).
//!
//! The tree knows how each number is spelled canonically, which is as ECMAScript's `Number.prototype.toString` does
//! it. Whoever reads the text gives the spelling: in JavaScript the engine has it, and elsewhere a library. So a device
//! downloads neither a JSON parser nor the tables of a number formatter.

use alloc::{string::String, vec::Vec};

/// A value of the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Value>),
    /// Members in the order of the document; no name twice.
    Object(Vec<(String, Value)>),
}

/// A finite number with its canonical spelling.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) spelling: String,
}

impl Value {
    /// The member of an object with this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(number.value) } else { None }
    }

    /// The number, if it is an integer from 0 to 2^53, up to where each has a spelling of its own.
    pub(crate) fn integer(&self) -> Option<u64> {
        let number = self.number().filter(|number| (0.0..=9_007_199_254_740_992.0).contains(number))?;
        // Exact where it is an integer: the range is that of exact integers.
        Some(number as u64).filter(|integer| *integer as f64 == number)
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The canonical form.
    #[cfg(feature = "std")]
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    /// The same tree as the library has it.
    #[cfg(feature = "std")]
    pub(crate) fn to_json(&self) -> serde_json::Value {
        // Cannot fail: the canonical form is JSON.
        serde_json::from_str(&self.canonical()).expect("JSON")
    }

    /// Appends the canonical form.
    pub(crate) fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.spelling),
            Self::Text(text) => write_text(text, out),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_canonical(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                // RFC 8785, section 3.2.3: by UTF-16 code units. Inserted one by one: objects are small, and a sort is not.
                let mut sorted: Vec<&(String, Value)> = Vec::with_capacity(members.len());
                for member in members {
                    let before = |other: &&(String, Value)| other.0.encode_utf16().lt(member.0.encode_utf16());
                    sorted.insert(sorted.partition_point(before), member);
                }
                out.push('{');
                for (index, (name, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write_canonical(out);
                }
                out.push('}');
            }
        }
    }
}

/// RFC 8785, section 3.2.2.2: the short escapes where there are some, `\u00xx` for other controls, all else as it is.
fn write_text(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                out.push_str("\\u00");
                out.push(char::from(DIGITS[c as usize >> 4]));
                out.push(char::from(DIGITS[c as usize & 15]));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Reads JSON text; `Err` has line and column.
#[cfg(feature = "text")]
pub(crate) fn from_text(text: &str) -> Result<Value, (usize, usize)> {
    let read: serde_json::Value = serde_json::from_str(text).map_err(|error| (error.line(), error.column()))?;
    Ok(tree(read))
}

#[cfg(feature = "text")]
fn tree(read: serde_json::Value) -> Value {
    use serde_json::Value as Read;
    match read {
        Read::Null => Value::Null,
        Read::Bool(truth) => Value::Bool(truth),
        Read::Number(number) => {
            // Cannot fail: JSON has finite numbers alone, and the parser refuses what is out of range.
            let value = number.as_f64().expect("a finite number");
            Value::Number(Number { value, spelling: ryu_js::Buffer::new().format_finite(value).into() })
        }
        Read::String(text) => Value::Text(text),
        Read::Array(items) => Value::Array(items.into_iter().map(tree).collect()),
        Read::Object(members) => Value::Object(members.into_iter().map(|(name, item)| (name, tree(item))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> String {
        from_text(text).expect("JSON").canonical()
    }

    /// RFC 8785, sections 3.2.2 and 3.2.3.
    #[test]
    fn the_examples_of_the_rfc() {
        let text = r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
        let wanted = concat!(
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(canonical(text), wanted);
        let keys = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(keys), sorted);
    }

    proptest! {
        /// What the library writes for a whole document is what the tree writes.
        #[test]
        fn agrees_with_the_library(
            numbers in prop::collection::vec(any::<f64>(), 0..9),
            texts in prop::collection::vec(".*", 0..9),
        ) {
            let finite: Vec<f64> = numbers.into_iter().filter(|number| number.is_finite()).collect();
            let member = |text: &String| (text.clone(), serde_json::json!(text));
            let members: serde_json::Map<_, _> = texts.iter().map(member).collect();
            let document = serde_json::json!({ "numbers": finite, "texts": texts, "members": members });
            let library = serde_json_canonicalizer::to_string(&document).expect("finite");
            prop_assert_eq!(canonical(&document.to_string()), library);
        }
    }

    #[test]
    fn integers_are_exact() {
        let integer = |text: &str| from_text(text).expect("JSON").integer();
        assert_eq!([integer("10"), integer("10.0"), integer("1e1")], [Some(10); 3]);
        assert_eq!([integer("0.5"), integer("-1"), integer("1e300"), integer("null")], [None; 4]);
        assert_eq!(integer("9007199254740991"), Some((1 << 53) - 1));
    }
}
