//! Parquet: typed columns for engines that read a column at a time, in row groups of bounded size.
//!
//! Times are TIMESTAMP(MILLIS, UTC), integers INT64, numbers with a point DOUBLE, what is 0 or 1 BOOLEAN, texts UTF-8, and
//! what need not be text plain bytes. Every column may hold nulls. Rows are gathered until they take [`GROUP_BYTES`] or are
//! [`GROUP_ROWS`], and are written then, compressed with Snappy; so memory does not grow with their number, apart from
//! the index at the file's end, which has a kilobyte or so a group. Nothing in the file depends on when or where it is
//! written: equal rows make equal bytes.

mod column;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use self::column::Column;
use super::{Cell, Records};
use crate::model::kind::Kind;

/// The most rows in a group. Engines share a file among their threads by groups, and `DuckDB` works best with some hundred
/// thousand rows in each: this is the number that it uses itself.
const GROUP_ROWS: usize = 122_880;

/// The most bytes of values that wait for their group to be full.
const GROUP_BYTES: usize = 32 << 20;

/// A value does not fit its column's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unfit;

/// Writes a file. The names and kinds of its columns are known from the beginning.
pub(crate) struct Parquet<'a> {
    out: &'a mut dyn Write,
    /// It writes to memory, from where each group goes out as it is finished.
    file: SerializedFileWriter<Vec<u8>>,
    names: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl<'a> Parquet<'a> {
    /// Begins a file of such columns; `name` stands for all of them in its schema.
    pub(crate) fn new(
        out: &'a mut dyn Write,
        name: &str,
        columns: &[(&str, Kind)],
    ) -> io::Result<Self> {
        let schema = schema(name, columns).map_err(into_io)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("dcs-history version ", env!("CARGO_PKG_VERSION")).to_owned())
            // Of each page they would be kept in memory until the end.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .build();
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties));
        Ok(Self {
            out,
            file: file.map_err(into_io)?,
            names: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            columns: columns.iter().map(|(_, kind)| Column::new(*kind)).collect(),
            rows: 0,
            bytes: 0,
        })
    }

    /// Writes the gathered rows as a group.
    fn group(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group().map_err(into_io)?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column().map_err(into_io)? else {
                return Err(io::Error::other(
                    "the group has fewer columns than the rows",
                ));
            };
            column.write(&mut writer).map_err(into_io)?;
            writer.close().map_err(into_io)?;
        }
        group.close().map_err(into_io)?;
        (self.rows, self.bytes) = (0, 0);
        self.pass_on()
    }

    /// Hands out what was written to memory.
    fn pass_on(&mut self) -> io::Result<()> {
        let written = std::mem::take(self.file.inner_mut());
        self.out.write_all(&written)
    }
}

impl Records for Parquet<'_> {
    fn header(&mut self, _: &[super::Column]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        for ((column, name), cell) in self.columns.iter_mut().zip(&self.names).zip(cells) {
            self.bytes += column.push(cell).map_err(|Unfit| unfit(name, cell))?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.group()?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.group()?;
        self.file.finish().map_err(into_io)?;
        self.pass_on()?;
        self.out.flush()
    }
}

fn schema(name: &str, columns: &[(&str, Kind)]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|(name, kind)| field(name, *kind));
    let fields = fields.collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder(name).with_fields(fields).build();
    schema.map(Arc::new)
}

fn field(name: &str, kind: Kind) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Time => {
            let utc = LogicalType::timestamp(true, TimeUnit::MILLIS);
            (Physical::INT64, Some(utc))
        }
        Kind::Integer => (Physical::INT64, None),
        Kind::Real => (Physical::DOUBLE, None),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Bytes => (Physical::BYTE_ARRAY, None),
    };
    let field = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build();
    field.map(Arc::new)
}

/// The error for a value that the archive should not have, told by its kind: [`io::ErrorKind::InvalidData`].
fn unfit(name: &str, cell: &Cell) -> io::Error {
    let value: String = cell.to_text().chars().take(40).collect();
    let message = format!("{value:?} is not what the column {name} holds");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Nothing can fail where memory is written to, but for what the library itself refuses.
fn into_io(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
