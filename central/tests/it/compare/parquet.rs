//! Parquet says what CSV says, whoever wrote it.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use driftglass_central::compare::{CompareError, Options, compare as compare_files, json::json};
use parquet::basic::{Compression, GzipLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::{categorical, compare, expected, vectors, window};

/// Rows of a window, as text.
fn rows(case: &str, which: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let path = window(case, which);
    let file = File::open(&path).expect("a window");
    let bytes: Box<dyn std::io::Read> =
        if path.ends_with(".gz") { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
    let mut reader = csv::Reader::from_reader(bytes);
    let names = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
    (names, rows)
}

/// Writes a window: numbers as doubles, the columns named in `labels` as texts, empty fields as nulls.
fn write(path: &Path, case: &str, which: &str, labels: &[String], properties: WriterProperties) {
    let (names, rows) = rows(case, which);
    let kind = |name| if labels.contains(name) { "BYTE_ARRAY" } else { "DOUBLE" };
    let suffix = |name| if labels.contains(name) { " (UTF8)" } else { "" };
    let fields: String = names.iter().map(|name| format!("OPTIONAL {} {name}{};", kind(name), suffix(name))).collect();
    let schema = Arc::new(parse_message_type(&format!("message window {{ {fields} }}")).expect("a schema"));
    let file = File::create(path).expect("a file");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).expect("a writer");
    // Two row groups, so that a column goes on in the second.
    for rows in rows.chunks(rows.len() / 2 + 1) {
        let mut group = writer.next_row_group().expect("a group");
        for (index, name) in names.iter().enumerate() {
            let levels: Vec<i16> = rows.iter().map(|row| i16::from(!row[index].is_empty())).collect();
            let present = || rows.iter().map(|row| &row[index]).filter(|field| !field.is_empty());
            let mut column = group.next_column().expect("a column").expect("a column");
            if labels.contains(name) {
                let values: Vec<ByteArray> = present().map(|field| field.as_str().into()).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).expect("written");
            } else {
                let values: Vec<f64> = present().map(|field| field.parse().expect("a number")).collect();
                column.typed::<DoubleType>().write_batch(&values, Some(&levels), None).expect("written");
            }
            column.close().expect("closed");
        }
        group.close().expect("closed");
    }
    writer.close().expect("closed");
}

fn columns(found: &Value) -> &Value {
    &found["columns"]
}

#[test]
fn a_copy_in_parquet_gives_the_same_numbers() {
    let case = "flights_oct_vs_dec";
    let options = categorical(&expected()[case]);
    let labels: Vec<String> = options.iter().skip(1).step_by(2).cloned().collect();
    let (reference, current) = (window(case, "ref"), window(case, "cur"));
    let from_csv = compare(&reference, &current, &options);
    let dir = tempfile::tempdir().expect("a directory");
    let properties = [
        WriterProperties::builder().set_compression(Compression::SNAPPY).build(),
        WriterProperties::builder()
            .set_compression(Compression::GZIP(GzipLevel::default()))
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_dictionary_enabled(false)
            .set_data_page_row_count_limit(1_000)
            .build(),
    ];
    for properties in properties {
        let paths = ["ref", "cur"].map(|which| {
            let path = dir.path().join(which);
            write(&path, case, which, &labels, properties.clone());
            path.display().to_string()
        });
        assert_eq!(columns(&compare(&paths[0], &paths[1], &[])), columns(&from_csv));
        assert_eq!(columns(&compare(&paths[0], &current, &options)), columns(&from_csv), "a file of each kind");
    }
}

/// 60 rows written by pyarrow 26, once with snappy and dictionaries, once with zstd and pages of the second version;
/// the same rows as CSV.
#[test]
fn files_of_other_writers() {
    let file = |name: &str| vectors().join("pyarrow").join(name).display().to_string();
    let csv = compare(&file("rows.csv"), &file("rows.csv"), &["--categorical".to_owned(), "flag".to_owned()]);
    for name in ["snappy.parquet", "zstd.parquet"] {
        let found = compare(&file(name), &file(name), &[]);
        assert_eq!(columns(&found), columns(&csv), "{name}");
        assert_eq!(found["not_compared"][0]["name"], "list.list.element");
        assert_eq!(found["not_compared"][0]["reason"], "neither numbers nor text");
        let mixed = compare(&file(name), &file("rows.csv"), &[]);
        assert_eq!(columns(&mixed), columns(&csv), "{name} against CSV");
        assert_eq!(mixed["only_in_ref"], serde_json::json!(["list.list.element"]));
    }
}

/// Every 23rd byte in turn is another one: the file is refused or read, and nothing panics.
#[test]
fn broken_files_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("broken.parquet");
    let (mut refused, mut read) = (0, 0);
    for name in ["snappy.parquet", "zstd.parquet"] {
        let whole = fs::read(vectors().join("pyarrow").join(name)).expect("a file");
        for at in (4..whole.len()).step_by(23) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).expect("a file");
            match compare_files(&path, &path, &Options::default()) {
                Ok(found) => drop(json(&found)),
                Err(error) => {
                    assert!(matches!(error, CompareError::File { .. } | CompareError::Line { .. }), "{error}");
                    refused += 1;
                }
            }
            read += 1;
        }
    }
    assert!(refused > read / 20, "{refused} of {read} were refused");
}
