//! Reads a CSV file, plain or gzipped, in one pass, or in two if a column turns out to be categorical late.
//!
//! The first line names the columns. Quotes and line ends are those of RFC 4180, and a line end alone is enough; a line
//! without any character is skipped, as the field has it. A row with more or fewer fields than the header is an error.
//!
//! Memory: the columns ([`super::column`]) and one record.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use flate2::read::MultiGzDecoder;

use super::column::{Builder, Column, Wanted};
use super::error::{CompareError, FileFault, LineFault};
use super::source::{Reading, Table, first_repeated};

/// A table in memory.
pub(super) fn read(file: &Path, reading: &Reading, text: &BTreeSet<String>) -> Result<Table, CompareError> {
    let mut text = text.clone();
    loop {
        let (table, turned) = pass(file, reading, &text)?;
        if turned.is_empty() {
            return Ok(table);
        }
        text.extend(turned);
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, CompareError> {
    let failed = |error| CompareError::Read { file: file.to_owned(), error };
    let gzipped = super::source::magic(file).map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    let bytes = BufReader::with_capacity(1 << 16, File::open(file).map_err(failed)?);
    Ok(if gzipped { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) })
}

/// The columns that could be read, and the names of those that turned out to be categorical.
fn pass(file: &Path, reading: &Reading, text: &BTreeSet<String>) -> Result<(Table, Vec<String>), CompareError> {
    let mut reader =
        ReaderBuilder::new().delimiter(reading.delimiter).buffer_capacity(1 << 16).from_reader(open(file)?);
    let at = |line, fault| CompareError::Line { file: file.to_owned(), line, fault };
    let refused = |fault| CompareError::File { file: file.to_owned(), fault };
    let header = reader.byte_headers().map_err(|error| translate(file, error))?;
    if header.is_empty() {
        return Err(refused(FileFault::Empty));
    }
    let names: Vec<String> = header
        .iter()
        .map(|name| text_of(name).map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| at(1, LineFault::Encoding))?;
    if let Some(name) = first_repeated(&names) {
        return Err(at(1, LineFault::Repeated(name)));
    }
    let wanted = |name: &String| if text.contains(name) { Wanted::Categorical } else { reading.wanted(name) };
    let mut builders: Vec<Builder> = names.iter().map(|name| Builder::new(wanted(name))).collect();
    let (mut record, mut rows) = (ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).map_err(|error| translate(file, error))? {
        let line = || record.position().map_or(0, csv::Position::line);
        for (index, (builder, field)) in builders.iter_mut().zip(&record).enumerate() {
            let field = text_of(field).ok_or_else(|| at(line(), LineFault::Encoding))?;
            builder
                .push_text(field, &reading.missing)
                .map_err(|_| at(line(), LineFault::NoNumber(names[index].clone())))?;
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(refused(FileFault::NoRows));
    }
    let (mut columns, mut turned): (BTreeMap<String, Column>, _) = (BTreeMap::new(), Vec::new());
    for (name, builder) in names.iter().zip(builders) {
        match builder.finish() {
            Some(column) => drop(columns.insert(name.clone(), column)),
            None => turned.push(name.clone()),
        }
    }
    Ok((Table { names, rows, columns }, turned))
}

/// A zero byte is valid UTF-8, but no text.
fn text_of(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field).ok().filter(|text| !text.contains('\0'))
}

fn translate(file: &Path, error: csv::Error) -> CompareError {
    let file = file.to_owned();
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        ErrorKind::Io(error) => CompareError::Read { file, error },
        ErrorKind::UnequalLengths { expected_len: expected, len: found, .. } => {
            CompareError::Line { file, line, fault: LineFault::Ragged { found, expected } }
        }
        _ => CompareError::Line { file, line, fault: LineFault::Encoding },
    }
}
