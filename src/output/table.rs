//! The table: columns side by side, for eyes.
//!
//! Drawn for a terminal it has a rule under its header and every line fits the width, cut cells ending in `…`. Written to
//! anything else it is never cut and has no rule. Widths come from the rows that are held back, a bounded number; a
//! later cell that is longer is cut on a terminal and pushes its neighbours aside elsewhere. No rows is no output.

use std::borrow::Cow;
use std::io::{self, Write};

use super::text::{cut, safe, width};
use super::{Cell, Column, Records};

/// Rows held back to see how wide the columns are: a few screens of them.
const HELD_ROWS: usize = 1_000;

/// Bytes held back at most: one value may have ten million.
const HELD_BYTES: usize = 1 << 20;

/// The widest that a column is made where nothing is cut: one long value shall not blow up a thousand lines.
const WIDEST: usize = 100;

const GAP: usize = 2;

/// What an absent value looks like: a sign of its own, so that columns can be counted.
const ABSENT: &str = "-";

pub(super) struct Table<'a> {
    out: &'a mut dyn Write,
    header: bool,
    /// The width of the terminal.
    limit: Option<usize>,
    columns: Vec<Column>,
    held: Vec<Vec<Shown>>,
    held_bytes: usize,
    /// Known once the held rows are written.
    layout: Option<Vec<Layout>>,
}

/// A cell as it will be seen.
struct Shown {
    text: String,
    is_number: bool,
    is_absent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    width: usize,
    to_the_right: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(out: &'a mut dyn Write, header: bool, limit: Option<usize>) -> Self {
        Self {
            out,
            header,
            limit,
            columns: Vec::new(),
            held: Vec::new(),
            held_bytes: 0,
            layout: None,
        }
    }

    /// Fixes the widths and writes what was held back.
    fn release(&mut self) -> io::Result<()> {
        let layout = self.measure();
        if self.header {
            let names: Vec<_> = self
                .columns
                .iter()
                .map(|column| safe(&column.name))
                .collect();
            line(
                self.out,
                &layout,
                self.limit,
                names.iter().map(AsRef::as_ref),
            )?;
            if self.limit.is_some() {
                let rules: Vec<_> = layout
                    .iter()
                    .map(|column| "─".repeat(column.width))
                    .collect();
                line(
                    self.out,
                    &layout,
                    self.limit,
                    rules.iter().map(AsRef::as_ref),
                )?;
            }
        }
        for row in std::mem::take(&mut self.held) {
            line(
                self.out,
                &layout,
                self.limit,
                row.iter().map(|cell| cell.text.as_str()),
            )?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn measure(&self) -> Vec<Layout> {
        let column = |(index, column): (usize, &Column)| {
            let cells = || self.held.iter().filter_map(move |row| row.get(index));
            let name = if self.header {
                width(&safe(&column.name))
            } else {
                0
            };
            let widest = cells().map(|cell| width(&cell.text)).fold(name, usize::max);
            let mut present = cells().filter(|cell| !cell.is_absent).peekable();
            Layout {
                width: widest.min(self.limit.unwrap_or(WIDEST)),
                to_the_right: present.peek().is_some() && present.all(|cell| cell.is_number),
            }
        };
        let mut layout: Vec<_> = self.columns.iter().enumerate().map(column).collect();
        if let Some(limit) = self.limit {
            let rigid: Vec<_> = self.columns.iter().map(|column| column.is_rigid).collect();
            fit(&mut layout, &rigid, limit);
        }
        layout
    }
}

impl Records for Table<'_> {
    fn header(&mut self, columns: &[Column]) -> io::Result<()> {
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let row: Vec<_> = cells.iter().map(shown).collect();
        if let Some(layout) = &self.layout {
            return line(
                self.out,
                layout,
                self.limit,
                row.iter().map(|cell| cell.text.as_str()),
            );
        }
        self.held_bytes += row.iter().map(|cell| cell.text.len()).sum::<usize>();
        self.held.push(row);
        if self.held.len() >= HELD_ROWS || self.held_bytes >= HELD_BYTES {
            self.release()?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.layout.is_none() && !self.held.is_empty() {
            self.release()?;
        }
        Ok(())
    }
}

fn shown(cell: &Cell) -> Shown {
    let text = match cell {
        Cell::Null => ABSENT.to_owned(),
        _ => safe(&cell.to_text()).into_owned(),
    };
    Shown {
        text,
        is_number: cell.is_number(),
        is_absent: *cell == Cell::Null,
    }
}

/// Narrows columns until they fit the line: first those that may be cut, then all; the widest first.
fn fit(layout: &mut [Layout], rigid: &[bool], limit: usize) {
    /// A cut column keeps at least so much, as long as others can give.
    const LEAST: usize = 6;
    let gaps = GAP * layout.len().saturating_sub(1);
    let room = limit.saturating_sub(gaps);
    for (least, rigid_too) in [(LEAST, false), (LEAST, true), (1, true)] {
        let mut excess = layout
            .iter()
            .map(|column| column.width)
            .sum::<usize>()
            .saturating_sub(room);
        while excess > 0 {
            let widest = layout
                .iter_mut()
                .zip(rigid)
                .filter(|(column, is_rigid)| (rigid_too || !**is_rigid) && column.width > least)
                .max_by_key(|(column, _)| column.width);
            let Some((column, _)) = widest else { break };
            column.width -= 1;
            excess -= 1;
        }
    }
}

/// Writes one line, without blanks at its end.
fn line<'c>(
    out: &mut dyn Write,
    layout: &[Layout],
    limit: Option<usize>,
    cells: impl Iterator<Item = &'c str>,
) -> io::Result<()> {
    // Padding is owed until something follows it.
    let mut owed = 0;
    for (cell, column) in cells.zip(layout) {
        let cell = if limit.is_some() {
            cut(cell, column.width)
        } else {
            Cow::Borrowed(cell)
        };
        let pad = column.width.saturating_sub(width(&cell));
        let (before, after) = if column.to_the_right {
            (pad, 0)
        } else {
            (0, pad)
        };
        if cell.is_empty() {
            owed += before;
        } else {
            write!(out, "{:1$}{cell}", "", owed + before)?;
            owed = 0;
        }
        owed += after + GAP;
    }
    out.write_all(b"\n")
}
