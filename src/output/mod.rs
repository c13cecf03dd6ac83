//! The windows: rows become bytes, in the format that was asked for.
//!
//! A writer is handed column names, then rows, then told that this was the end. Every format but the table writes each
//! row at once, so a million rows take no more memory than one; the table holds back a bounded number of rows to see
//! how wide its columns are. Nothing here reads the archive, the environment or the terminal: the width is a parameter.

mod csv;
pub(crate) mod document;
pub(crate) mod export;
pub(crate) mod json;
mod markdown;
pub(crate) mod metrics;
pub(crate) mod paint;
pub(crate) mod parquet;
pub(crate) mod phrase;
pub(crate) mod pretty;
pub(crate) mod progress;
pub(crate) mod sheet;
mod table;
pub(crate) mod text;
pub(crate) mod zone;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, Write};

pub(crate) use self::csv::Guard;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
    Markdown,
}

impl Format {
    /// Says whether people are the readers: then a cell may be phrased for them.
    pub(crate) const fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    /// Text whose bytes are not UTF-8.
    Bytes(Vec<u8>),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the value as plain text, as yet unescaped; an absent one is empty.
    pub(crate) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            // The debug form keeps the point of a whole number, as JSON does: 4.0 is a REAL.
            Self::Real(number) => Cow::Owned(format!("{number:?}")),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Real(_))
    }
}

/// What stands above the cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// A drawn table does not cut its cells shorter than this.
    least: usize,
    /// As the last column of a drawn table it goes on in the lines below.
    is_wrapped: bool,
}

impl Column {
    /// A column that may be cut down to a few characters.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            least: 6,
            is_wrapped: false,
        }
    }

    /// A column that somebody asked for by name: enough of it must be seen to tell one value from the next.
    pub(crate) fn wanted(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            least: 12,
            is_wrapped: false,
        }
    }

    /// A column that is useless when cut: a time, a number, a key.
    pub(crate) fn rigid(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            least: usize::MAX,
            is_wrapped: false,
        }
    }

    /// Sentences, of which a beginning says too little.
    pub(crate) const fn wrapped(mut self) -> Self {
        self.is_wrapped = true;
        self
    }
}

/// What was asked of the output, beside the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    /// Names of columns are written first (table, CSV, Markdown).
    pub(crate) header: bool,
    pub(crate) guard: Guard,
    /// The width of the terminal that a table is drawn for; without one it is neither cut nor ruled.
    pub(crate) width: Option<usize>,
    /// Tables and sheets are coloured; no other format ever is.
    pub(crate) color: bool,
}

/// A format that writes rows one at a time.
pub(crate) trait Records {
    /// Comes first, once.
    fn header(&mut self, columns: &[Column]) -> io::Result<()>;
    /// Takes as many cells as there are columns.
    fn row(&mut self, cells: &[Cell]) -> io::Result<()>;
    /// Comes last, once; without it the output is cut off.
    fn end(&mut self) -> io::Result<()>;
}

/// Returns the writer of the format.
pub(crate) fn records<'a>(settings: Settings, out: &'a mut dyn Write) -> Box<dyn Records + 'a> {
    match settings.format {
        Format::Table => Box::new(table::Table::new(out, settings)),
        Format::Json => Box::new(json::Json::new(out, json::Framing::Array)),
        Format::Jsonl => Box::new(json::Json::new(out, json::Framing::Lines)),
        Format::Csv => Box::new(csv::Csv::new(out, settings.header, settings.guard)),
        Format::Markdown => Box::new(markdown::Markdown::new(out, settings.header)),
    }
}
