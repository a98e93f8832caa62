//! What cannot be compared: the file, the line and the rule are named, and the exit code is 2.

use super::output;

#[track_caller]
fn check(reference: &[u8], current: &[u8], options: &[&str], code: i32, message: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let (reference, current) = (file("ref", reference), file("cur", current));
    let found = output(&[&[reference.as_str(), current.as_str()], options].concat());
    let text = String::from_utf8_lossy(&found.stderr);
    assert_eq!(found.status.code(), Some(code), "{text}");
    assert!(text.contains(message), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

const GOOD: &[u8] = b"a,b\n1,x\n2,y\n";

#[test]
fn files_that_are_no_table() {
    check(GOOD, GOOD, &[], 0, "");
    check(b"", GOOD, &[], 2, "/ref: the file is empty");
    check(GOOD, b"a,b\n", &[], 2, "/cur: the file has a header and no rows");
    check(GOOD, b"a,b\n1,x\n2\n", &[], 2, "/cur:3: 1 fields, but the header names 2");
    check(b"a,b\n1,x,9\n", GOOD, &[], 2, "/ref:2: 3 fields, but the header names 2");
    check(b"a,b\n1,\xff\n", GOOD, &[], 2, "/ref:2: not a CSV file in UTF-8");
    check(b"\x00\x01\x02\x03\n1\n", GOOD, &[], 2, "/ref:1: not a CSV file in UTF-8");
    check(b"a,a\n1,2\n", GOOD, &[], 2, "/ref:1: two columns are named \"a\"");
    check(GOOD, b"c,d\n1,2\n", &[], 2, "have no column of the same name");
    check(b"PAR1", GOOD, &[], 2, "/ref: not a readable Parquet file");
    check(GOOD, b"PAR1 and then nothing of a footerPAR1", &[], 2, "/cur: not a readable Parquet file");
    check(b"\x1f\x8b and no more", GOOD, &[], 1, "cannot read");
}

#[test]
fn options_that_do_not_fit() {
    check(GOOD, GOOD, &["--numeric", "b"], 2, "/ref:2: column \"b\" was said to be numeric, and this is no number");
    check(GOOD, GOOD, &["--categorical", "c"], 2, "--categorical \"c\": both files need a column of that name");
    check(GOOD, GOOD, &["--categorical", "a", "--numeric", "a"], 2, "\"a\" cannot be numeric and categorical");
    check(GOOD, GOOD, &["--delimiter", "ab"], 2, "must be one ASCII character");
    check(GOOD, GOOD, &["--alpha", "1"], 2, "must lie between 0 and 1");
    check(GOOD, GOOD, &["--html", "/no/such/directory/page.html"], 1, "cannot write");
    let missing = output(&["no-such-file", "no-such-file"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot read no-such-file"));
}

#[test]
fn odd_tables_are_compared() {
    // One row a side; a constant; infinite values; a column that turns categorical late, in the other file only; a
    // column that vanishes; a column without a name; other line ends, quotes and a byte order mark.
    let reference = b"\xef\xbb\xbfid,one,inf,late,gone,\r\n1,5,inf,1,7,0\r\n2,5,\"2\",2,8,1\r\n";
    let current = b"id,one,inf,late,gone,\n1,5,-inf,1,,0\n\n2,5,3,x,NaN,1\n";
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let found = super::compare(&file("ref", reference), &file("cur", current), &[]);
    let columns = &found["columns"];
    assert_eq!(columns["one"]["wasserstein_normed"], 0.0);
    assert_eq!(columns["inf"]["wasserstein"], serde_json::Value::Null);
    assert_eq!(columns["inf"]["ks"]["statistic"], 0.5);
    assert_eq!(columns["late"]["cells"]["labels"], serde_json::json!(["1", "2", "x"]));
    assert_eq!(columns["late"]["new_labels"]["count"], 1);
    assert_eq!(found["verdict"]["drifted"], serde_json::json!(["gone"]));
    let skipped = found["not_compared"].as_array().expect("a list");
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert_eq!(skipped[0]["reason"], "no row of the current window has a value");
    assert_eq!(skipped[1]["reason"], "the header gives it no name");

    let single = file("single", b"a;b\n1;NA\n");
    let options = ["--delimiter", ";", "--missing", "NA"].map(str::to_owned);
    let found = super::compare(&single, &single, &options);
    assert_eq!(found["columns"]["a"]["ks"]["p_value"], 1.0);
    assert_eq!(found["columns"]["a"]["cells"]["inner_edges"], serde_json::json!([1.0]));
    assert_eq!(found["not_compared"][0]["reason"], "no row of the reference has a value");
}

#[test]
fn random_bytes_never_panic() {
    let mut entropy = crate::support::SeededEntropy(4);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("window");
    for _ in 0..300 {
        let alphabet = b"ab,1.-eE\"\n\r\n,,;\x00\xff\x1f\x8b";
        let bytes: Vec<u8> = (0..entropy.below(60)).map(|_| alphabet[entropy.below(alphabet.len())]).collect();
        std::fs::write(&path, &bytes).expect("a file");
        let options = driftglass_central::compare::Options::default();
        if let Ok(found) = driftglass_central::compare::compare(&path, &path, &options) {
            assert_eq!(found.columns.iter().filter(|column| column.severity.is_drift()).count(), 0);
            assert!(driftglass_central::compare::page::page(&found).ends_with("</html>"));
        }
    }
}
