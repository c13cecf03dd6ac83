//! CSV after RFC 4180: quoted where needed, a header line first, lines end with a line feed.
//!
//! Two things differ from the record, because the file is opened in a spreadsheet or shown on a terminal sooner or
//! later. A text cell that a spreadsheet would take for a formula gets a leading apostrophe, which [`Guard::Off`] turns
//! off; numbers never get one. Control characters and marks of the reading order are written out (`\u{1b}`); line
//! breaks and tabs stay, inside quotes. An absent value is an empty cell. JSON is the format that changes nothing.

use std::borrow::Cow;
use std::io::{self, Write};

use super::text::{invisible, safe_multiline};
use super::{Cell, Column, Records};

/// Whether cells are kept from being taken for formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    On,
    Off,
}

pub(super) struct Csv<'a> {
    out: csv::Writer<&'a mut dyn Write>,
    header: bool,
    guard: Guard,
}

impl<'a> Csv<'a> {
    pub(super) fn new(out: &'a mut dyn Write, header: bool, guard: Guard) -> Self {
        Self {
            out: csv::Writer::from_writer(out),
            header,
            guard,
        }
    }

    fn record<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> io::Result<()> {
        for cell in cells {
            self.out.write_field(cell.as_bytes()).map_err(into_io)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(into_io)
    }
}

impl Records for Csv<'_> {
    fn header(&mut self, columns: &[Column]) -> io::Result<()> {
        if !self.header {
            return Ok(());
        }
        let guard = self.guard;
        self.record(columns.iter().map(|column| text(&column.name, guard)))
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let guard = self.guard;
        self.record(cells.iter().map(|cell| match cell {
            Cell::Text(value) => text(value, guard),
            Cell::Bytes(bytes) => match String::from_utf8_lossy(bytes) {
                Cow::Borrowed(value) => text(value, guard),
                Cow::Owned(value) => Cow::Owned(text(&value, guard).into_owned()),
            },
            Cell::Null | Cell::Integer(_) | Cell::Real(_) => cell.to_text(),
        }))
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the text of a cell as it is quoted.
fn text(value: &str, guard: Guard) -> Cow<'_, str> {
    let shown = safe_multiline(value);
    if guard == Guard::On && is_formula(value) {
        Cow::Owned(format!("'{shown}"))
    } else {
        shown
    }
}

/// Says whether a spreadsheet would take the text for a formula: by its first visible character, since an invisible one
/// before it may be dropped on the way. The wide forms count in East Asian settings.
fn is_formula(value: &str) -> bool {
    value
        .trim_start_matches(|character| invisible(character) || character == '\0')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// Takes the I/O error out again: its kind tells a reader that went away from a full disk.
fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
