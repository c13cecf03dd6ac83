//! The table: columns side by side, for eyes.
//!
//! Drawn for a terminal it has a rule under its header and every line fits the width, cut cells ending in `…`; where more
//! columns were asked for than have room side by side, each record is a block of lines instead. Written to anything else
//! it is never cut and has no rule. Widths come from the rows that are held back, a bounded number; a later cell that is
//! longer is cut on a terminal and pushes its neighbours aside elsewhere. No rows is no output.

use std::borrow::Cow;
use std::io::{self, Write};

use super::paint::{Tone, paint};
use super::text::{cut, safe, width, wrap};
use super::{Cell, Column, Records, Settings};

/// Rows held back to see how wide the columns are: a few screens of them.
const HELD_ROWS: usize = 1_000;

/// Bytes held back at most: one value may have ten million.
const HELD_BYTES: usize = 1 << 20;

/// The widest that a column is made where nothing is cut: one long value shall not blow up a thousand lines.
const WIDEST: usize = 100;

/// Lines that the last cell of a line takes, at most: enough for a sentence in a quarter of a narrow terminal.
const CELL_LINES: usize = 6;

/// The least room for sentences in a line: with less, they stand below it.
const SENTENCE: usize = 32;

/// Lines that a value takes in a block, at most: `show` tells the rest.
const VALUE_LINES: usize = 8;

const GAP: usize = 2;

/// What an absent value looks like: a sign of its own, so that columns can be counted.
const ABSENT: &str = "-";

pub(super) struct Table<'a> {
    out: &'a mut dyn Write,
    settings: Settings,
    columns: Vec<Column>,
    held: Vec<Vec<Shown>>,
    held_bytes: usize,
    /// Known once the held rows are written.
    layout: Option<Layout>,
    written: usize,
}

/// A cell as it will be seen.
struct Shown {
    text: String,
    tone: Tone,
    is_number: bool,
    is_absent: bool,
}

/// How records are laid out.
#[derive(Clone, Debug)]
enum Layout {
    /// A line a record.
    Lines(Vec<Place>),
    /// A line a record, and the last cell below it with this much room.
    Below { places: Vec<Place>, room: usize },
    /// A block a record: as wide as the terminal, the names this wide.
    Blocks { limit: usize, names: usize },
}

/// Where a cell stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    width: usize,
    to_the_right: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(out: &'a mut dyn Write, settings: Settings) -> Self {
        Self {
            out,
            settings,
            columns: Vec::new(),
            held: Vec::new(),
            held_bytes: 0,
            layout: None,
            written: 0,
        }
    }

    /// Fixes the widths and writes what was held back.
    fn release(&mut self) -> io::Result<()> {
        let layout = self.measure();
        if let Layout::Lines(places) | Layout::Below { places, .. } = &layout
            && self.settings.header
        {
            let names: Vec<_> = self
                .columns
                .iter()
                .map(|column| safe(&column.name))
                .collect();
            let names = names.iter().map(|name| (name.as_ref(), Tone::Title));
            line(self.out, places, self.settings, names)?;
            if self.settings.width.is_some() {
                let rules: Vec<_> = places.iter().map(|place| "─".repeat(place.width)).collect();
                let rules = rules.iter().map(|rule| (rule.as_str(), Tone::Faint));
                line(self.out, places, self.settings, rules)?;
            }
        }
        for row in std::mem::take(&mut self.held) {
            self.record(&layout, &row)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn record(&mut self, layout: &Layout, row: &[Shown]) -> io::Result<()> {
        self.written += 1;
        match layout {
            Layout::Lines(places) => self.line(places, row),
            Layout::Below { places, room } => self.line_and_below(places, *room, row),
            Layout::Blocks { limit, names } => self.block(*limit, *names, row),
        }
    }

    /// Writes a record as a line, with what is left of a wrapped last cell below it.
    fn line(&mut self, places: &[Place], row: &[Shown]) -> io::Result<()> {
        let cells = |last| {
            let cells = row.iter().enumerate();
            cells.map(move |(index, cell)| match last {
                Some(part) if index + 1 == row.len() => (part, cell.tone),
                _ => (cell.text.as_str(), cell.tone),
            })
        };
        let is_wrapped = self.settings.width.is_some()
            && self.columns.last().is_some_and(|column| column.is_wrapped);
        let (Some(cell), Some((place, before)), true) =
            (row.last(), places.split_last(), is_wrapped)
        else {
            return line(self.out, places, self.settings, cells(None));
        };
        let text = cut(&cell.text, place.width * CELL_LINES);
        let indent: usize = before.iter().map(|place| place.width + GAP).sum();
        for (index, part) in wrap(&text, place.width).into_iter().enumerate() {
            if index == 0 {
                line(self.out, places, self.settings, cells(Some(part)))?;
            } else {
                let part = paint(part, cell.tone, self.settings.color);
                writeln!(self.out, "{:indent$}{part}", "")?;
            }
        }
        Ok(())
    }

    /// Writes a record as a line, and its last cell below, under the second one.
    fn line_and_below(&mut self, places: &[Place], room: usize, row: &[Shown]) -> io::Result<()> {
        let cells = row.iter().map(|cell| (cell.text.as_str(), cell.tone));
        line(self.out, places, self.settings, cells)?;
        let Some(cell) = row.last().filter(|cell| !cell.is_absent) else {
            return Ok(());
        };
        let indent = indent(places);
        let text = cut(&cell.text, room * CELL_LINES);
        for part in wrap(&text, room) {
            let part = paint(part, cell.tone, self.settings.color);
            writeln!(self.out, "{:indent$}{part}", "")?;
        }
        Ok(())
    }

    /// Writes a record as a block: its number, then a line for each name and value.
    fn block(&mut self, limit: usize, names: usize, row: &[Shown]) -> io::Result<()> {
        let number = format!("── {} ", self.written);
        let rule = "─".repeat(limit.saturating_sub(width(&number)));
        let title = cut(&number, limit);
        writeln!(
            self.out,
            "{}",
            paint(&format!("{title}{rule}"), Tone::Faint, self.settings.color)
        )?;
        let room = limit.saturating_sub(names + GAP).max(1);
        for (column, cell) in self.columns.iter().zip(row) {
            let name = safe(&column.name);
            let name = cut(&name, names);
            let pad = names + GAP - width(&name);
            let name = paint(&name, Tone::Title, self.settings.color);
            write!(self.out, "{name}{:pad$}", "")?;
            let value = cut(&cell.text, room * VALUE_LINES);
            for (index, part) in wrap(&value, room).into_iter().enumerate() {
                let indent = if index == 0 { 0 } else { names + GAP };
                let part = paint(part, cell.tone, self.settings.color);
                writeln!(self.out, "{:indent$}{part}", "")?;
            }
        }
        Ok(())
    }

    fn measure(&self) -> Layout {
        let place = |(index, column): (usize, &Column)| {
            let cells = || self.held.iter().filter_map(move |row| row.get(index));
            let name = if self.settings.header {
                width(&safe(&column.name))
            } else {
                0
            };
            let widest = cells().map(|cell| width(&cell.text)).fold(name, usize::max);
            let mut present = cells().filter(|cell| !cell.is_absent).peekable();
            Place {
                width: widest,
                to_the_right: present.peek().is_some() && present.all(|cell| cell.is_number),
            }
        };
        let mut places: Vec<_> = self.columns.iter().enumerate().map(place).collect();
        let Some(limit) = self.settings.width else {
            for place in &mut places {
                place.width = place.width.min(WIDEST);
            }
            return Layout::Lines(places);
        };
        let natural = places.clone();
        let fits = fit(&mut places, &self.columns, limit);
        if let (Some((whole, before)), Some(drawn)) = (natural.split_last(), places.last())
            && self.columns.last().is_some_and(|column| column.is_wrapped)
            && (!fits || drawn.width < whole.width.min(SENTENCE))
        {
            let mut places = before.to_vec();
            let fits = fit(&mut places, &self.columns[..before.len()], limit);
            let room = limit.saturating_sub(indent(&places));
            if fits && room >= SENTENCE {
                return Layout::Below { places, room };
            }
        }
        if fits {
            return Layout::Lines(places);
        }
        let names = self.columns.iter().map(|column| width(&safe(&column.name)));
        Layout::Blocks {
            limit,
            names: names.fold(0, usize::max).min(limit / 3),
        }
    }

    fn shown(&self, row: &[Cell]) -> Vec<Shown> {
        let cells = row.iter().zip(&self.columns);
        cells.map(|(cell, column)| shown(cell, column)).collect()
    }
}

impl Records for Table<'_> {
    fn header(&mut self, columns: &[Column]) -> io::Result<()> {
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let row = self.shown(cells);
        if let Some(layout) = self.layout.take() {
            let written = self.record(&layout, &row);
            self.layout = Some(layout);
            return written;
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

fn shown(cell: &Cell, column: &Column) -> Shown {
    let is_absent = *cell == Cell::Null;
    let text = if is_absent {
        ABSENT.to_owned()
    } else {
        safe(&cell.to_text()).into_owned()
    };
    Shown {
        tone: if is_absent {
            Tone::Faint
        } else {
            Tone::of(&column.name, &text)
        },
        text,
        is_number: cell.is_number(),
        is_absent,
    }
}

/// Where the second cell begins, so that what stands below is told from the next record.
fn indent(places: &[Place]) -> usize {
    places.first().map_or(0, |place| place.width + GAP)
}

/// Narrows the columns that may be cut until all fit the line, the widest first; says whether that was enough. A line of
/// which every cell is cut to nothing helps nobody.
fn fit(places: &mut [Place], columns: &[Column], limit: usize) -> bool {
    let gaps = GAP * places.len().saturating_sub(1);
    let needed = places.iter().map(|place| place.width).sum::<usize>() + gaps;
    for _ in limit..needed {
        let widest = places
            .iter_mut()
            .zip(columns)
            .filter(|(place, column)| place.width > column.least)
            .max_by_key(|(place, _)| place.width);
        let Some((place, _)) = widest else {
            return false;
        };
        place.width -= 1;
    }
    true
}

/// Writes one line, without blanks at its end.
fn line<'c>(
    out: &mut dyn Write,
    places: &[Place],
    settings: Settings,
    cells: impl Iterator<Item = (&'c str, Tone)>,
) -> io::Result<()> {
    // Padding is owed until something follows it.
    let mut owed = 0;
    for ((cell, tone), place) in cells.zip(places) {
        let cell = if settings.width.is_some() {
            cut(cell, place.width)
        } else {
            Cow::Borrowed(cell)
        };
        let pad = place.width.saturating_sub(width(&cell));
        let (before, after) = if place.to_the_right {
            (pad, 0)
        } else {
            (0, pad)
        };
        if cell.is_empty() {
            owed += before;
        } else {
            let cell = paint(&cell, tone, settings.color);
            write!(out, "{:1$}{cell}", "", owed + before)?;
            owed = 0;
        }
        owed += after + GAP;
    }
    out.write_all(b"\n")
}
