//! Reads a Parquet file one column at a time.
//!
//! Numbers are integers, floats and decimals; dates and times count as the integers they are stored as. Texts and
//! booleans are categorical. A field of a record is a column named `record.field`. Not read: lists and maps,
//! half-precision floats, and bytes that are no text. Pages may be plain, dictionary- or delta-coded; compressed by
//! snappy, gzip or zstd.
//!
//! Memory: the column that is read ([`super::column`]), the pages that are decoded, and the footer.

use std::collections::HashMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Type};
use parquet::column::page::PageReader;
use parquet::column::reader::{get_column_reader, get_typed_column_reader};
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{SerializedFileReader, SerializedPageReader};
use parquet::schema::types::ColumnDescriptor;

use super::column::{Builder, Column, Wanted};
use super::error::{CompareError, FileFault, LineFault};
use super::source::{Skipped, first_repeated};
use super::zstd_pages::ZstdPages;

/// Rows that are decoded at a time.
const BATCH: usize = 8_192;

/// An open file and its footer.
pub(super) struct ParquetFile {
    path: PathBuf,
    bytes: Arc<File>,
    reader: SerializedFileReader<File>,
    names: Vec<String>,
    index: HashMap<String, usize>,
    rows: u64,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("path", &self.path).field("names", &self.names).finish_non_exhaustive()
    }
}

/// What a column of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    Boolean,
    Int32,
    Int64,
    Unsigned32,
    Unsigned64,
    Timestamp96,
    Float,
    Double,
    Text,
    /// A big-endian integer.
    FixedDecimal,
    BytesDecimal,
}

impl ParquetFile {
    pub(super) fn open(path: &Path) -> Result<Self, CompareError> {
        let failed = |error| CompareError::Read { file: path.to_owned(), error };
        let refused = |fault| CompareError::File { file: path.to_owned(), fault };
        let bytes = File::open(path).map_err(failed)?;
        let clone = bytes.try_clone().map_err(failed)?;
        let reader = caught(|| SerializedFileReader::new(clone))
            .map_err(|error| refused(FileFault::Parquet(error.to_string())))?;
        let metadata = reader.metadata().file_metadata();
        let names: Vec<String> =
            metadata.schema_descr().columns().iter().map(|column| column.path().parts().join(".")).collect();
        let rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
        if let Some(name) = first_repeated(&names) {
            return Err(refused(FileFault::Repeated(name)));
        }
        if rows == 0 || names.is_empty() {
            return Err(refused(FileFault::NoRows));
        }
        let index = names.iter().cloned().enumerate().map(|(index, name)| (name, index)).collect();
        Ok(Self { path: path.to_owned(), bytes: Arc::new(bytes), reader, names, index, rows })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn is_text(&self, name: &str) -> bool {
        let stored = self.index.get(name).and_then(|index| stored(&self.descriptor(*index)));
        matches!(stored, Some(Stored::Text | Stored::Boolean))
    }

    fn descriptor(&self, index: usize) -> Arc<ColumnDescriptor> {
        self.reader.metadata().file_metadata().schema_descr().column(index)
    }

    pub(super) fn column(
        &self,
        name: &str,
        wanted: Wanted,
        absent: &[String],
    ) -> Result<Result<Column, Skipped>, CompareError> {
        let Some((index, kind)) =
            self.index.get(name).and_then(|index| Some((*index, stored(&self.descriptor(*index))?)))
        else {
            return Ok(Err(Skipped::Type));
        };
        let wanted = match (wanted, kind) {
            (Wanted::Either, Stored::Text | Stored::Boolean) => Wanted::Categorical,
            (wanted, _) => wanted,
        };
        let mut reader = ColumnRead { builder: Builder::new(wanted), row: 0, stop: None };
        let scale = self.descriptor(index).type_scale();
        let decimal = (self.descriptor(index).converted_type() == ConvertedType::DECIMAL && scale > 0)
            .then(|| 10_f64.powi(scale.min(400)));
        let scaled = |number: f64| decimal.map_or(number, |power| number / power);
        let done = caught(|| match kind {
            Stored::Boolean => self
                .each::<BoolType>(index, |value| reader.text(value.map(|v| if *v { "true" } else { "false" }), absent)),
            Stored::Int32 => self.each::<Int32Type>(index, |value| reader.number(value.map(|v| scaled(f64::from(*v))))),
            Stored::Unsigned32 => {
                self.each::<Int32Type>(index, |value| reader.number(value.map(|v| f64::from(*v as u32))))
            }
            Stored::Int64 => {
                self.each::<Int64Type>(index, |value| reader.integer(value.copied().map(i128::from), decimal))
            }
            Stored::Unsigned64 => {
                self.each::<Int64Type>(index, |value| reader.integer(value.map(|v| i128::from(*v as u64)), None))
            }
            Stored::Timestamp96 => {
                self.each::<Int96Type>(index, |value| reader.integer(value.map(|v| i128::from(v.to_millis())), None))
            }
            Stored::Float => self.each::<FloatType>(index, |value| reader.number(value.map(|v| f64::from(*v)))),
            Stored::Double => self.each::<DoubleType>(index, |value| reader.number(value.copied())),
            Stored::Text => {
                self.each::<ByteArrayType>(index, |value| match value.map(|v| std::str::from_utf8(v.data())) {
                    None => reader.text(None, absent),
                    Some(Ok(text)) => reader.text(Some(text), absent),
                    Some(Err(_)) => reader.stop(Stop::Type),
                })
            }
            Stored::FixedDecimal => {
                self.each::<FixedLenByteArrayType>(index, |value| match value.map(|v| big_endian(v.data())) {
                    None => reader.integer(None, decimal),
                    Some(Some(integer)) => reader.integer(Some(integer), decimal),
                    Some(None) => reader.stop(Stop::Type),
                })
            }
            Stored::BytesDecimal => {
                self.each::<ByteArrayType>(index, |value| match value.map(|v| big_endian(v.data())) {
                    None => reader.integer(None, decimal),
                    Some(Some(integer)) => reader.integer(Some(integer), decimal),
                    Some(None) => reader.stop(Stop::Type),
                })
            }
        });
        done.map_err(|error| CompareError::File {
            file: self.path.clone(),
            fault: FileFault::Parquet(format!("column {name:?}: {error}")),
        })?;
        match reader.stop {
            Some(Stop::Type) => return Ok(Err(Skipped::Type)),
            Some(Stop::NoNumber) => {
                let fault = LineFault::NoNumber(name.to_owned());
                return Err(CompareError::Line { file: self.path.clone(), line: reader.row, fault });
            }
            None => {}
        }
        // A text column is read as labels from its first row on, so that it never turns.
        Ok(reader.builder.finish().ok_or(Skipped::Type))
    }

    /// Hands each row of a column to `row`, `None` where it has no value.
    fn each<T: DataType>(
        &self,
        index: usize,
        mut row: impl FnMut(Option<&T::T>) -> ControlFlow<()>,
    ) -> Result<(), ParquetError> {
        let max_level = self.descriptor(index).max_def_level();
        let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        // A few bytes of a broken page can claim billions of rows; the footer says how many there are.
        let mut left = self.rows;
        let unlike = || ParquetError::General("the column has not as many rows as the file".to_owned());
        for group in 0..self.reader.metadata().num_row_groups() {
            let pages = get_column_reader(self.descriptor(index), self.pages(group, index)?);
            let mut column = get_typed_column_reader::<T>(pages);
            loop {
                values.clear();
                levels.clear();
                let (rows, ..) = column.read_records(BATCH, Some(&mut levels), None, &mut values)?;
                if rows == 0 {
                    break;
                }
                left = left.checked_sub(rows as u64).ok_or_else(unlike)?;
                let mut present = values.iter();
                for at in 0..rows {
                    let is_present = max_level == 0 || levels.get(at) == Some(&max_level);
                    let value = if is_present {
                        Some(present.next().ok_or_else(|| ParquetError::EOF("a page is too short".into()))?)
                    } else {
                        None
                    };
                    if row(value).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        if left == 0 { Ok(()) } else { Err(unlike()) }
    }

    fn pages(&self, group: usize, index: usize) -> Result<Box<dyn PageReader>, ParquetError> {
        let group = self.reader.metadata().row_group(group);
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let chunk = group.column(index);
        if !matches!(chunk.compression(), Compression::ZSTD(_)) {
            return Ok(Box::new(SerializedPageReader::new(Arc::clone(&self.bytes), chunk, rows, None)?));
        }
        let plain = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        Ok(Box::new(ZstdPages::new(SerializedPageReader::new(Arc::clone(&self.bytes), &plain, rows, None)?)))
    }
}

/// Runs a reader of the library. Some of its decoders panic on pages that contradict themselves; what they were reading
/// is given up with them, so that no half-changed state is seen.
fn caught<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let contradiction = |_| Err(ParquetError::General("a page contradicts itself".to_owned()));
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(contradiction)
}

/// What the column holds; `None` for what is not read.
fn stored(column: &ColumnDescriptor) -> Option<Stored> {
    if column.max_rep_level() > 0 {
        return None;
    }
    let decimal = column.converted_type() == ConvertedType::DECIMAL;
    let logical = column.logical_type_ref();
    Some(match column.physical_type() {
        Type::BOOLEAN => Stored::Boolean,
        Type::INT32 if column.converted_type() == ConvertedType::UINT_32 => Stored::Unsigned32,
        Type::INT64 if column.converted_type() == ConvertedType::UINT_64 => Stored::Unsigned64,
        Type::INT32 => Stored::Int32,
        Type::INT64 => Stored::Int64,
        Type::INT96 => Stored::Timestamp96,
        Type::FLOAT => Stored::Float,
        Type::DOUBLE => Stored::Double,
        Type::BYTE_ARRAY if decimal => Stored::BytesDecimal,
        Type::BYTE_ARRAY if matches!(logical, None | Some(LogicalType::String | LogicalType::Enum)) => Stored::Text,
        Type::FIXED_LEN_BYTE_ARRAY if decimal => Stored::FixedDecimal,
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => return None,
    })
}

/// Two's complement of at most 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1_i128 } else { 0 };
    (bytes.len() <= 16).then(|| bytes.iter().fold(start, |number, byte| (number << 8) | i128::from(*byte)))
}

/// Why a column is not read to its end.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Type,
    NoNumber,
}

/// A column and the row that it is at.
struct ColumnRead {
    builder: Builder,
    row: u64,
    stop: Option<Stop>,
}

impl ColumnRead {
    fn stop(&mut self, reason: Stop) -> ControlFlow<()> {
        self.stop = Some(reason);
        ControlFlow::Break(())
    }

    fn text(&mut self, text: Option<&str>, absent: &[String]) -> ControlFlow<()> {
        self.row += 1;
        match text {
            None => self.builder.push_missing(),
            Some(text) if self.builder.push_text(text, absent).is_err() => return self.stop(Stop::NoNumber),
            Some(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn number(&mut self, number: Option<f64>) -> ControlFlow<()> {
        self.row += 1;
        match number {
            None => self.builder.push_missing(),
            Some(number) => self.builder.push_number(number, || number.to_string()),
        }
        ControlFlow::Continue(())
    }

    /// An integer, whose text is exact although its number may be rounded.
    fn integer(&mut self, integer: Option<i128>, decimal: Option<f64>) -> ControlFlow<()> {
        let Some(power) = decimal else {
            self.row += 1;
            match integer {
                None => self.builder.push_missing(),
                Some(integer) => self.builder.push_number(integer as f64, || integer.to_string()),
            }
            return ControlFlow::Continue(());
        };
        self.number(integer.map(|integer| integer as f64 / power))
    }
}
