//! Holds the boundaries of the source: what may be named where, and which way imports go.
//!
//! A boundary is an absence, and an absence can be checked by reading the files. Comments and literals are blanked
//! before a rule looks, and modules under `#[cfg(test)]` too, so that a rule sees shipped code only. The second half of
//! this file plants a violation of each rule in a string: a checker that cannot fail proves nothing.
//!
//! Not protected: names that a macro of another crate expands to, and paths renamed by `use … as`.

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// One file, as the rules see it.
struct Source {
    /// Relative to the workspace root, with `/`.
    path: String,
    text: String,
    /// `text` with comments, literals of text and test modules blanked: same bytes per line, same lines.
    code: String,
}

/// A line that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// An identifier that belongs in some places only.
struct Place {
    /// Matches whole identifiers; with `*` at the end, those that begin so.
    name: &'static str,
    /// Where files are looked at.
    within: &'static [&'static str],
    /// Where the name is at home.
    except: &'static [&'static str],
    why: &'static str,
}

const DEVICE: &[&str] = &["src/"];
const SHARED_MATHEMATICS: &[&str] = &["src/", "central/src/"];
const JS_EDGE: &[&str] = &["src/bindings/js/", "src/bindings/js.rs"];
const WASI_EDGE: &[&str] = &["src/bindings/wasi/"];
const EDGES: &[&str] = &["src/bindings/"];
const INFERENCE: &[&str] = &["src/infer/", "src/infer.rs"];
const NOWHERE: &[&str] = &[];

const PLACES: &[Place] = &[
    Place { name: "wasm_bindgen*", within: DEVICE, except: JS_EDGE, why: "only src/bindings/js knows JavaScript" },
    Place { name: "js_sys", within: DEVICE, except: JS_EDGE, why: "only src/bindings/js knows JavaScript" },
    Place { name: "web_sys", within: DEVICE, except: JS_EDGE, why: "only src/bindings/js knows JavaScript" },
    Place { name: "serde_wasm_bindgen", within: DEVICE, except: JS_EDGE, why: "only src/bindings/js knows JavaScript" },
    Place {
        name: "wit_bindgen",
        within: DEVICE,
        except: WASI_EDGE,
        why: "only src/bindings/wasi knows the WIT bindings",
    },
    Place { name: "tract*", within: DEVICE, except: INFERENCE, why: "only src/infer knows the inference engine" },
    Place { name: "getrandom", within: DEVICE, except: EDGES, why: "entropy is an argument outside src/bindings" },
    Place { name: "unsafe", within: SHARED_MATHEMATICS, except: NOWHERE, why: "no unsafe code" },
    Place {
        name: "mul_add",
        within: SHARED_MATHEMATICS,
        except: NOWHERE,
        why: "slow and differently rounded on wasm32",
    },
    Place { name: "println", within: DEVICE, except: NOWHERE, why: "the device prints nothing" },
    Place { name: "print", within: DEVICE, except: NOWHERE, why: "the device prints nothing" },
    Place { name: "eprintln", within: DEVICE, except: NOWHERE, why: "the device prints nothing" },
    Place { name: "eprint", within: DEVICE, except: NOWHERE, why: "the device prints nothing" },
    Place { name: "dbg", within: DEVICE, except: NOWHERE, why: "the device prints nothing" },
    Place { name: "todo", within: SHARED_MATHEMATICS, except: NOWHERE, why: "finish it or leave it out" },
    Place { name: "unimplemented", within: SHARED_MATHEMATICS, except: NOWHERE, why: "finish it or leave it out" },
];

/// Where the device's code stands in for the world: time, network and files are arguments.
const WORLD: [&str; 3] = ["time", "net", "fs"];

/// Functions of f64 that std leaves to the platform: their last bit differs between native and wasm32. What IEEE 754
/// rounds exactly (`sqrt`, `abs`, `floor`, `round`) is not among them; `mul_add` has its place above.
const PLATFORM_FLOATS: [&str; 28] = [
    "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "powi", "cbrt", "hypot", "sin", "cos",
    "tan", "sin_cos", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "gamma",
    "ln_gamma",
];

/// From the answer to the bytes: exact integers, so that the law of a report is exactly the one declared.
const PRIVATIZE_PATH: [&str; 2] = ["src/privacy/", "src/report/"];

/// Functions that have a secret in their hands, by their names: their second parameter is one, after `self`, `permit`,
/// `draws` and `entropy`. Their bodies neither branch nor look up an element by it. What is computed from the secret is
/// not followed: the rule is about words.
const SECRET_FUNCTIONS: [&str; 5] = ["privatize", "respond", "choose_others", "meet", "bucket"];

/// What branches, as words; and as signs.
const BRANCHES: [&str; 5] = ["if", "match", "while", "loop", "else"];
const SHORT_CIRCUITS: [&str; 2] = ["&&", "||"];

/// A module may use those before it.
const ORDER: [&str; 8] = ["spec", "observe", "sketch", "privacy", "report", "aggregate", "estimate", "drift"];

/// Modules beside the flow, and all they may use.
const BESIDE: [(&str, &[&str]); 4] = [
    ("upload", &["report"]),
    ("infer", &["spec", "observe"]),
    ("chooser", &["spec", "estimate"]),
    ("accounting", &["spec"]),
];

/// What ties the modules together may use all of them.
const TIES: [&str; 3] = ["src/lib.rs", "src/monitor.rs", "src/bindings/"];

fn check_all(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    module_docs(source, &mut findings);
    places(source, &mut findings);
    world(source, &mut findings);
    platform_floats(source, &mut findings);
    no_floats(source, &mut findings);
    no_branches(source, &mut findings);
    imports(source, &mut findings);
    findings.sort_by_key(|finding| finding.line);
    findings
}

fn module_docs(source: &Source, findings: &mut Vec<Finding>) {
    if !source.text.starts_with("//!") {
        findings.push(source.finding(0, "a file opens with `//!` and what it is for".into()));
    }
}

fn places(source: &Source, findings: &mut Vec<Finding>) {
    let applies = |place: &&Place| source.is_in(place.within) && !source.is_in(place.except);
    let places: Vec<&Place> = PLACES.iter().filter(applies).collect();
    for word in words(&source.code) {
        let name = &source.code[word.clone()];
        if let Some(place) = places.iter().find(|place| place.names(name)) {
            findings.push(source.finding(word.start, format!("`{name}`: {}", place.why)));
        }
    }
}

impl Place {
    fn names(&self, word: &str) -> bool {
        self.name.strip_suffix('*').map_or(word == self.name, |prefix| word.starts_with(prefix))
    }
}

fn world(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_in(DEVICE) || source.is_in(EDGES) {
        return;
    }
    for (at, module) in children_of(&source.code, "std") {
        if WORLD.contains(&module) {
            findings.push(source.finding(at, format!("`std::{module}`: time, network and files are arguments")));
        }
    }
}

/// Calls on a value, `x.exp()`, and paths, `f64::exp`; not `libm::exp`, and no field of that name.
fn platform_floats(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_in(DEVICE) {
        return;
    }
    for word in words(&source.code) {
        let name = &source.code[word.clone()];
        let (before, after) = (source.code[..word.start].trim_end(), source.code[word.end..].trim_start());
        let called = before.ends_with('.') && after.starts_with('(');
        let path = before.strip_suffix("::").map(str::trim_end);
        let named = path.is_some_and(|path| ["f64", "f32"].iter().any(|float| path.ends_with(float)));
        if PLATFORM_FLOATS.contains(&name) && (called || named) {
            findings.push(source.finding(
                word.start,
                format!("`{name}`: take that of libm, as the bits of std's depend on the platform"),
            ));
        }
    }
}

fn no_floats(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_in(&PRIVATIZE_PATH) {
        return;
    }
    for word in words(&source.code) {
        let name = &source.code[word.clone()];
        // A number is a word too: `2f64` and `1e9` are caught here, `0.5` by its point.
        let number = name.starts_with(|c: char| c.is_ascii_digit());
        let float = if number { is_float(&source.code, &word) } else { matches!(name, "f32" | "f64") };
        if float {
            findings.push(source.finding(word.start, format!("`{name}`: no float on the privatize path")));
        }
    }
}

/// Whether the number at `word` is a float: a suffix, an exponent, or a point that starts no range, field or method.
fn is_float(code: &str, word: &Range<usize>) -> bool {
    let digits = &code[word.clone()];
    let radix = ["0x", "0o", "0b"].iter().any(|prefix| digits.starts_with(prefix));
    // `pair.0.1` reads a field of a field.
    if radix || code[..word.start].ends_with('.') && !code[..word.start].ends_with("..") {
        return false;
    }
    let suffix = digits.ends_with("f32") || digits.ends_with("f64");
    let exponent = digits.contains(['e', 'E']) && !digits.contains("size");
    let mut rest = code[word.end..].chars();
    let point = rest.next() == Some('.') && !rest.next().is_some_and(|c| c == '.' || c == '_' || c.is_alphabetic());
    suffix || exponent || point
}

/// No branch and no address depends on the symbol, as far as the words of a body show it. `assert!` and `?` stay: their
/// limits and errors do not depend on it, or end the program. `for` over a public range stays too.
fn no_branches(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_in(&["src/privacy/"]) {
        return;
    }
    for (name, secrets, body) in secret_functions(&source.code) {
        let code = &source.code[body.clone()];
        let mut found = |at: usize, what: &str| {
            findings.push(source.finding(body.start + at, format!("`{what}` in `{name}`: no branch on a secret")));
        };
        for word in words(code).into_iter().filter(|word| BRANCHES.contains(&&code[word.clone()])) {
            found(word.start, &code[word.clone()]);
        }
        for sign in SHORT_CIRCUITS {
            code.match_indices(sign).for_each(|(at, sign)| found(at, sign));
        }
        for (at, inside) in indices(code) {
            let holds = |secret: &&String| words(inside).iter().any(|word| inside[word.clone()] == ***secret);
            if let Some(secret) = secrets.iter().find(holds) {
                found(at, &format!("[{secret}]"));
            }
        }
    }
}

/// Name, secret parameters and body of each secret function.
fn secret_functions(code: &str) -> Vec<(&str, Vec<String>, Range<usize>)> {
    const KNOWN: [&str; 6] = ["self", "mut", "permit", "draws", "entropy", "direction"];
    let mut found = Vec::new();
    for pair in words(code).windows(2) {
        let name = &code[pair[1].clone()];
        if &code[pair[0].clone()] != "fn" || !SECRET_FUNCTIONS.contains(&name) {
            continue;
        }
        let open = pair[1].end;
        let Some(close) = balanced(&code[open..], '(', ')') else { continue };
        let parameters = code[open + 1..open + close].split(',').filter_map(|parameter| {
            let name = parameter.split(':').next().unwrap_or_default();
            words(name).last().map(|word| name[word.clone()].to_owned())
        });
        let secrets = parameters.filter(|name| !KNOWN.contains(&name.as_str())).collect();
        let after = open + close;
        // A declaration without a body ends with a semicolon.
        let Some(start) = code[after..].find(['{', ';']).filter(|at| code[after + at..].starts_with('{')) else {
            continue;
        };
        let Some(end) = balanced(&code[after + start..], '{', '}') else { continue };
        found.push((name, secrets, after + start..after + start + end));
    }
    found
}

/// Where the bracket that text begins with is closed.
fn balanced(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    text.char_indices().find_map(|(at, c)| {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
        }
        (depth == 0).then_some(at)
    })
}

/// What stands in the brackets of `value[…]`, with its position. A list, `[…]` after no value, is none.
fn indices(code: &str) -> Vec<(usize, &str)> {
    let follows_value =
        |at: usize| code[..at].ends_with(|c: char| c == '_' || c == ')' || c == ']' || c.is_alphanumeric());
    let opened = code.match_indices('[').filter(|(at, _)| follows_value(*at));
    opened.filter_map(|(at, _)| Some((at, &code[at + 1..at + balanced(&code[at..], '[', ']')?]))).collect()
}

fn imports(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_in(DEVICE) || source.is_in(&TIES) {
        return;
    }
    let module = source.path["src/".len()..].split(['/', '.']).next().unwrap_or_default();
    let beside = BESIDE.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
    let before = ORDER.iter().position(|name| *name == module).map(|index| &ORDER[..index]);
    let Some(allowed) = beside.or(before) else {
        findings.push(source.finding(0, format!("module `{module}` has no place in the order of imports")));
        return;
    };
    let climbing =
        children_of(&source.code, "super").into_iter().filter(|(at, name)| source.reaches_root(*at) && is_module(name));
    for (at, used) in children_of(&source.code, "crate").into_iter().chain(climbing) {
        if used != module && !allowed.contains(&used) {
            let may = if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
            findings.push(source.finding(at, format!("`{module}` uses `crate::{used}`; it may use {may}")));
        }
    }
}

/// Whether the crate has such a module. A `super::name` inside a file may also be an item of that file.
fn is_module(name: &str) -> bool {
    ORDER.contains(&name) || BESIDE.iter().any(|(beside, _)| *beside == name) || matches!(name, "monitor" | "bindings")
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into(), code: without_tests(&blanked(text)) }
    }

    /// Whether the file is one of these, or lies in one of these directories.
    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| if place.ends_with('/') { self.path.starts_with(place) } else { self.path == *place })
    }

    /// Whether the `super::super::…` that ends at `at` climbs out of the module: from
    /// `src/m/mod.rs` once, from `src/m/x.rs` twice.
    fn reaches_root(&self, at: usize) -> bool {
        let climbs =
            std::iter::successors(self.code[..at].strip_suffix("super::"), |rest| rest.strip_suffix("super::"));
        let inner = self.path.strip_suffix("/mod.rs").unwrap_or(&self.path);
        climbs.count() >= inner.split('/').count() - 1
    }

    fn finding(&self, at: usize, message: String) -> Finding {
        let line = 1 + self.text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        Finding { path: self.path.clone(), line, message }
    }
}

/// Identifiers, keywords and numbers, as ranges of bytes.
fn words(code: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, c) in code.char_indices().filter(|(_, c)| *c == '_' || c.is_alphanumeric()) {
        match found.last_mut() {
            Some(word) if word.end == at => word.end = at + c.len_utf8(),
            _ => found.push(at..at + c.len_utf8()),
        }
    }
    found
}

/// The first segments named after `root::`, with their positions, also inside `root::{a, b::{c}}`.
fn children_of<'a>(code: &'a str, root: &str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for word in words(code) {
        if &code[word.clone()] != root {
            continue;
        }
        let Some(rest) = code[word.end..].trim_start().strip_prefix("::") else { continue };
        let rest = rest.trim_start();
        let start = code.len() - rest.len();
        if !rest.starts_with('{') {
            found.extend(words(leading_word(rest)).first().map(|name| (start, &rest[name.clone()])));
            continue;
        }
        // Segments of the group itself: after `{` or `,` at depth one.
        let (mut depth, mut expects) = (0, false);
        for (at, c) in rest.char_indices() {
            match c {
                '{' => (depth, expects) = (depth + 1, depth == 0),
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' => expects = depth == 1,
                _ if c.is_whitespace() => {}
                _ => {
                    if expects {
                        found.push((start + at, leading_word(&rest[at..])));
                    }
                    expects = false;
                }
            }
        }
    }
    found
}

fn leading_word(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

/// Comments and literals of text become spaces; line breaks stay.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let length = if rest.starts_with(b"//") {
            rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if rest[0] == b'"' {
            quoted(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !in_word) {
            length
        } else if let Some(length) = character(&text[at..]) {
            length
        } else {
            // Leaves `at` on a character boundary: only whole characters are stepped over.
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        for byte in &mut out[at..at + length] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += length;
    }
    // Whole literals and comments were replaced by ASCII, so what is left is still UTF-8.
    String::from_utf8(out).expect("only whole characters are blanked")
}

fn block_comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at.min(bytes.len())
}

fn quoted(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The length of `r"…"`, `r#"…"#`, `br"…"` or `cr"…"`.
fn raw_string(bytes: &[u8]) -> Option<usize> {
    let prefix = ["r", "br", "cr"]
        .into_iter()
        .find(|prefix| bytes.starts_with(prefix.as_bytes()) && matches!(bytes.get(prefix.len()), Some(b'"' | b'#')))?;
    let hashes = bytes[prefix.len()..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix.len() + hashes;
    // `r#type` is an identifier.
    (bytes.get(open) == Some(&b'"')).then_some(())?;
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = bytes[open + 1..].windows(close.len()).position(|window| window == close);
    Some(body.map_or(bytes.len(), |body| open + 1 + body + close.len()))
}

/// The length of `'x'` or `'\n'`; a lifetime has no closing quote.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    if let Some(escape) = body.strip_prefix('\\') {
        let skipped = escape.chars().next().map_or(0, char::len_utf8);
        return Some(2 + skipped + escape[skipped..].find('\'')? + 1);
    }
    let c = body.chars().next()?;
    body[c.len_utf8()..].starts_with('\'').then_some(2 + c.len_utf8())
}

/// Blanks what `#[cfg(test)]` stands before: up to the end of the braces, or the semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let mut depth = 0_usize;
        let mut end = code.len();
        for (at, byte) in code.bytes().enumerate().skip(start + MARK.len()) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                end = at + 1;
                break;
            }
        }
        for byte in &mut out[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    String::from_utf8(out).expect("a test module ends at a character boundary")
}

/// The `.rs` files below a directory of the workspace. Files of tests alone (`tests.rs`) are left out.
fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut pending = vec![directory.trim_end_matches('/').to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(root.join(&directory)).unwrap_or_else(|error| panic!("{directory}: {error}")) {
            let entry = entry.unwrap_or_else(|error| panic!("{directory}: {error}"));
            let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                pending.push(path);
            } else if path.ends_with(".rs") && !path.ends_with("/tests.rs") {
                let text = fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
                found.push(Source::new(&path, &text));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

#[test]
fn the_source_keeps_its_boundaries() {
    let sources: Vec<Source> = ["src", "central/src"].into_iter().flat_map(sources).collect();
    let findings: Vec<String> = sources.iter().flat_map(check_all).map(|finding| finding.to_string()).collect();
    assert!(findings.is_empty(), "{} lines break a boundary:\n{}", findings.len(), findings.join("\n"));
}

/// A rule for a file that has moved would hold for ever.
#[test]
fn the_rules_name_files_that_exist() {
    let paths: Vec<String> = sources("src").into_iter().map(|source| source.path).collect();
    for path in PRIVATIZE_PATH {
        assert!(
            paths.iter().any(|found| found.starts_with(path)),
            "{path} is on the privatize path and does not exist"
        );
    }
    let secret: Vec<String> = sources("src/privacy")
        .iter()
        .flat_map(|source| {
            secret_functions(&source.code).into_iter().map(|(name, ..)| name.to_owned()).collect::<Vec<_>>()
        })
        .collect();
    for name in SECRET_FUNCTIONS {
        assert!(secret.iter().any(|found| found == name), "{name} has a secret in its hands and does not exist");
    }
    assert!(secret.iter().filter(|name| *name == "privatize").count() >= 12, "the randomizers are looked at");
    let modules = ORDER.iter().chain(BESIDE.iter().map(|(name, _)| name));
    for directory in modules.map(|name| format!("src/{name}/")).chain(["src/bindings/js/".to_owned()]) {
        assert!(
            paths.iter().any(|found| found.starts_with(&directory)),
            "{directory} is named in a rule and does not exist"
        );
    }
}

/// Plants `text` at `path`; `expected` are the lines that a rule must name, with a part of each message.
fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
    let findings = check_all(&Source::new(path, text));
    let found: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(findings.len(), expected.len(), "in {text:?}\nfound {found:#?}");
    for (finding, (line, part)) in findings.iter().zip(expected) {
        assert!(finding.line == *line && finding.message.contains(part), "wanted {line}: {part}\nfound {finding}");
    }
}

#[test]
fn a_planted_name_out_of_its_place_is_found() {
    check("src/sketch/mod.rs", "//! A.\nuse wasm_bindgen::prelude::*;\n", &[(2, "`wasm_bindgen`")]);
    check("src/monitor.rs", "//! A.\nfn f(x: js_sys::Object) {}\n", &[(2, "`js_sys`")]);
    check("src/observe/mod.rs", "//! A.\nuse tract_onnx::prelude::Tensor;\n", &[(2, "`tract_onnx`")]);
    check("src/privacy/mod.rs", "//! A.\n\nfn f() { getrandom::fill(&mut []).ok(); }\n", &[(3, "`getrandom`")]);
    check("src/drift/mod.rs", "//! A.\nfn f(x: f64) -> f64 { x.mul_add(x, x) }\n", &[(2, "`mul_add`")]);
    check("central/src/main.rs", "//! A.\nfn f() { unsafe { g() } }\n", &[(2, "`unsafe`")]);
    check("src/bindings/js/mod.rs", "//! A.\n#[unsafe(no_mangle)]\nfn f() {}\n", &[(2, "`unsafe`")]);
    check(
        "src/lib.rs",
        "//! A.\nfn f() {\n    println!(\"{}\", 1);\n    todo!()\n}\n",
        &[(3, "`println`"), (4, "`todo`")],
    );
}

#[test]
fn a_name_in_its_place_passes() {
    check("src/bindings/js/mod.rs", "//! A.\nuse wasm_bindgen::prelude::*;\nuse getrandom::fill;\n", &[]);
    check("src/infer/mod.rs", "//! A.\nuse tract_onnx::prelude::*;\n", &[]);
    check("central/src/keys.rs", "//! A.\nuse std::{fs, time::Instant};\nfn f() { println!(); }\n", &[]);
    check("src/sketch/mod.rs", "//! A.\n/// Not `wasm_bindgen`, /* not */ unsafe.\nfn f() {} // tract\n", &[]);
    check(
        "src/sketch/mod.rs",
        "//! A.\n/* tract /* unsafe */ dbg!() */\nconst A: &str = \"unsafe \\\" tract\";\n",
        &[],
    );
    check(
        "src/sketch/mod.rs",
        "//! A.\nconst A: &str = r#\"\" unsafe \"#;\nconst B: char = '\"';\nfn f<'a>(r#type: &'a str) {}\n",
        &[],
    );
    check("src/sketch/mod.rs", "//! A.\nfn extract() { contract(); unsafe_free(); }\n", &[]);
}

#[test]
fn what_follows_a_literal_is_still_seen() {
    check(
        "src/sketch/mod.rs",
        "//! A.\nconst A: char = '\\'';\nconst B: &str = \"\\\\\"; use js_sys::A;\n",
        &[(3, "`js_sys`")],
    );
    check(
        "src/sketch/mod.rs",
        "//! A.\nfn f<'a>(é: &'a str, b: char) { g('é', b'\"', \"a\nb\") }\nuse js_sys::A;\n",
        &[(4, "`js_sys`")],
    );
}

#[test]
fn a_planted_look_at_the_world_is_found() {
    check("src/monitor.rs", "//! A.\nuse std::time::Instant;\n", &[(2, "`std::time`")]);
    check("src/spec/mod.rs", "//! A.\nuse std::{\n    fmt,\n    fs::{self, File},\n};\n", &[(4, "`std::fs`")]);
    check("src/upload/mod.rs", "//! A.\nfn f() { ::std::net::TcpStream::connect(\"\").ok(); }\n", &[(2, "`std::net`")]);
    check("src/upload/mod.rs", "//! A.\nuse std::{collections::{self, BTreeMap}, fmt};\nuse std::fmt::Display;\n", &[]);
    check("src/bindings/wasi.rs", "//! A.\nuse std::time::Duration;\n", &[]);
}

#[test]
fn a_planted_float_function_of_the_platform_is_found() {
    let path = "src/drift/special.rs";
    for name in PLATFORM_FLOATS {
        let message = format!("`{name}`");
        let planted: [(usize, &str); 1] = [(2, &message)];
        check(path, &format!("//! A.\nfn f(x: f64) -> f64 {{ 1.0 + x.{name}() }}\n"), &planted);
        check(path, &format!("//! A.\nfn f(x: Vec<f64>) {{ g(x.map(f64::{name})) }}\n"), &planted);
        check("src/estimate/mod.rs", &format!("//! A.\nfn f() {{ std::primitive::f64::{name}(a) }}\n"), &planted);
        check(path, &format!("//! A.\nfn f(x: f64) -> f64 {{ libm::{name}(x.sqrt().abs()) + self.{name} }}\n"), &[]);
        check("tests/it/one_shot.rs", &format!("//! A.\nfn f() {{ x.{name}(); }}\n"), &[]);
    }
    check("src/chooser/mod.rs", "//! A.\nfn f() {\n    x\n        .powi (2)\n}\n", &[(4, "`powi`")]);
    check("src/accounting/mod.rs", "//! A.\nfn f() { (2.0_f64).ln() }\n", &[(2, "`ln`")]);
    check(path, "//! A. `x.exp()`\nfn f() { log(x); }\n#[cfg(test)]\nmod tests { fn f() { x.exp() } }\n", &[]);
}

#[test]
fn a_planted_float_on_the_privatize_path_is_found() {
    let path = "src/privacy/randomizer/subset_selection.rs";
    check(path, "//! A.\nfn f(x: u64) -> f64 { x as f64 }\n", &[(2, "`f64`"), (2, "`f64`")]);
    for float in ["0.5", "1.", "2e3", "1f32", "1_000.0", "1.0f64", "3E-2"] {
        let lines = [(2, "no float")];
        check("src/report/mod.rs", &format!("//! A.\nconst A: T = {float};\n"), &lines);
    }
    for exact in ["1..2", "0..=9", "a.0.1", "0xe1", "1_u64", "7usize", "5.max(6)", "[0; 4]", "t.0"] {
        check(path, &format!("//! A 0.5.\nconst A: T = {exact};\n"), &[]);
    }
    check(path, "//! A.\n#[cfg(test)]\nmod tests {\n    const P: f64 = 0.5;\n}\n", &[]);
    check(path, "//! A.\n#[cfg(test)]\nmod tests { mod a {} }\nconst P: f64 = P;\n", &[(4, "`f64`")]);
    check("src/estimate/mod.rs", "//! A.\nconst P: f64 = 0.5;\n", &[]);
}

#[test]
fn a_planted_branch_on_a_secret_is_found() {
    let path = "src/privacy/randomizer/k_ary.rs";
    let body = |body: &str| {
        let head = "//! A.\nimpl R {\n    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> P {";
        format!("{head}\n        {body}\n    }}\n}}\n")
    };
    for (planted, found) in [
        ("if keep { symbol } else { other }", &["`if`", "`else`"][..]),
        ("match keep { true => symbol, false => other }", &["`match`"]),
        ("while left > 0 { left -= 1; }", &["`while`"]),
        ("loop { break; }", &["`loop`"]),
        ("let both = keep && known; f(both)", &["`&&`"]),
        ("f(keep || known)", &["`||`"]),
        ("self.table[symbol as usize]", &["`[symbol]`"]),
        ("self.rows()[2 * (symbol as usize)..][0]", &["`[symbol]`"]),
    ] {
        let lines: Vec<(usize, &str)> = found.iter().map(|part| (4, *part)).collect();
        check(path, &body(planted), &lines);
        // The same is nobody's business elsewhere.
        check("src/estimate/mod.rs", &body(planted), &[]);
        check(path, &body(planted).replace("privatize", "accumulate"), &[]);
    }
    check(
        path,
        "//! A.\nfn respond(&self, place: u32, entropy: &mut dyn E) -> u32 {\n    self.t[place]\n}\n",
        &[(3, "`[place]`")],
    );
    for sound in [
        "assert!(symbol < self.k); let Permit { .. } = permit; draw(self.k)?",
        "for place in 0..self.k { bits[place] |= bit; } [symbol, other]",
        "u64::conditional_select(&other, &symbol, keep)",
    ] {
        check(path, &body(sound), &[]);
    }
    check(
        path,
        "//! A.\ntrait R {\n    fn privatize(&self, symbol: u64) -> P;\n}\nfn f() { if a { b[symbol] } }\n",
        &[],
    );
}

#[test]
fn a_planted_import_against_the_flow_is_found() {
    check(
        "src/spec/mod.rs",
        "//! A.\nuse crate::privacy::Permit;\n",
        &[(2, "`spec` uses `crate::privacy`; it may use nothing")],
    );
    check("src/sketch/counts.rs", "//! A.\nuse crate::{spec::A, drift, observe::{B, C}};\n", &[(2, "`crate::drift`")]);
    check("src/privacy/mod.rs", "//! A.\nfn f() -> crate::report::Report { g() }\n", &[(2, "`crate::report`")]);
    check(
        "src/upload/mod.rs",
        "//! A.\nuse crate::spec::SpecId;\nuse crate::report::Report;\n",
        &[(2, "it may use report")],
    );
    check("src/sketch/mod.rs", "//! A.\nuse crate::monitor::Monitor;\n", &[(2, "`crate::monitor`")]);
    check("src/sketch/mod.rs", "//! A.\nuse super::report::Report;\n", &[(2, "`crate::report`")]);
    check("src/sketch/kll.rs", "//! A.\nuse super::super::drift::A;\n", &[(2, "`crate::drift`")]);
    check("src/sketch/kll.rs", "//! A.\nuse super::{drift::A, Profile};\nuse super::super::spec::B;\n", &[]);
    check("src/sketch/mod.rs", "//! A.\nmod a { use super::{bins, Profile}; }\n", &[]);
    check("src/clock.rs", "//! A.\n", &[(1, "no place in the order")]);
    check("src/drift/mod.rs", "//! A.\nuse crate::{estimate::A, spec, drift::B};\npub(crate) fn f() {}\n", &[]);
    check("src/monitor.rs", "//! A.\nuse crate::drift::Verdict;\n", &[]);
    check(
        "src/spec/mod.rs",
        "//! A.\n/// See [`crate::privacy`].\nfn f() {}\n#[cfg(test)]\nmod tests { use crate::privacy; }\n",
        &[],
    );
}

#[test]
fn a_file_without_a_purpose_is_found() {
    check("src/spec/mod.rs", "use core::fmt;\n", &[(1, "`//!`")]);
}
