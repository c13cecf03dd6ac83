//! JSON, as one array or as one object a line.
//!
//! The array holds one object a line as well, so that `grep` and `head` work on it. Fields stand in the order of the
//! columns and bear their names; what is absent is `null`; times are the text of the column; bytes that are not UTF-8
//! become U+FFFD. Characters that a terminal would obey are written as `\uXXXX`, which every reader of JSON undoes.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::ser::Formatter;

use super::text::{invisible, obeyed};
use super::{Cell, Column, Records};

/// A value with parts: what `show` prints.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Cell(Cell),
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
}

impl Value {
    /// Makes an object of a row and the names of its columns.
    pub(crate) fn row(columns: &[&str], cells: Vec<Cell>) -> Self {
        let names = columns.iter().map(|name| (*name).to_owned());
        Self::Object(names.zip(cells.into_iter().map(Self::Cell)).collect())
    }
}

/// How objects follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Array,
    Lines,
}

/// Writes values one after the other, in the framing of the format.
pub(super) struct Json<'a> {
    out: &'a mut dyn Write,
    framing: Framing,
    columns: Vec<String>,
    is_empty: bool,
}

impl<'a> Json<'a> {
    pub(super) fn new(out: &'a mut dyn Write, framing: Framing) -> Self {
        Self {
            out,
            framing,
            columns: Vec::new(),
            is_empty: true,
        }
    }

    fn value(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.framing == Framing::Array {
            self.out
                .write_all(if self.is_empty { b"[\n" } else { b",\n" })?;
        }
        self.is_empty = false;
        harmless(self.out, value)?;
        match self.framing {
            Framing::Array => Ok(()),
            Framing::Lines => self.out.write_all(b"\n"),
        }
    }
}

impl Records for Json<'_> {
    fn header(&mut self, columns: &[Column]) -> io::Result<()> {
        self.columns = columns.iter().map(|column| column.name.clone()).collect();
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let columns = std::mem::take(&mut self.columns);
        let written = self.value(&Row {
            columns: &columns,
            cells,
        });
        self.columns = columns;
        written
    }

    fn end(&mut self) -> io::Result<()> {
        match (self.framing, self.is_empty) {
            (Framing::Array, true) => self.out.write_all(b"[]\n"),
            (Framing::Array, false) => self.out.write_all(b"\n]\n"),
            (Framing::Lines, _) => Ok(()),
        }
    }
}

/// Writes values in the given framing.
pub(crate) fn write(out: &mut dyn Write, framing: Framing, values: &[Value]) -> io::Result<()> {
    let mut json = Json::new(out, framing);
    for value in values {
        json.value(value)?;
    }
    json.end()
}

/// Writes one value, on one line that it does not end.
pub(super) fn harmless(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Harmless);
    value.serialize(&mut serializer)?;
    Ok(())
}

/// One record, serialised without a copy of it.
pub(super) struct Row<'a, Name, Cell> {
    pub(super) columns: &'a [Name],
    pub(super) cells: &'a [Cell],
}

impl<Name: AsRef<str>, Cell: Serialize> Serialize for Row<'_, Name, Cell> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.columns.len()))?;
        for (name, cell) in self.columns.iter().zip(self.cells) {
            object.serialize_entry(name.as_ref(), cell)?;
        }
        object.end()
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Cell(cell) => cell.serialize(serializer),
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
            Self::Array(values) => {
                let mut array = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    array.serialize_element(value)?;
                }
                array.end()
            }
        }
    }
}

/// Compact JSON in which nothing stands raw that a terminal would obey.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices() {
            if obeyed(character) || invisible(character) {
                writer.write_all(&fragment.as_bytes()[written..at])?;
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                written = at + character.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}
