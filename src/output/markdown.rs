//! Markdown: a pipe table that shows text and passes no markup, link or HTML.

use std::io::{self, Write};

use super::text::safe;
use super::{Cell, Column, Records};

pub(super) struct Markdown<'a> {
    out: &'a mut dyn Write,
    header: bool,
}

impl<'a> Markdown<'a> {
    pub(super) fn new(out: &'a mut dyn Write, header: bool) -> Self {
        Self { out, header }
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        for cell in cells {
            write!(self.out, "| {cell} ")?;
        }
        self.out.write_all(b"|\n")
    }
}

impl Records for Markdown<'_> {
    fn header(&mut self, columns: &[Column]) -> io::Result<()> {
        if !self.header {
            return Ok(());
        }
        self.line(columns.iter().map(|column| escape(&column.name)))?;
        self.line(columns.iter().map(|_| "---".to_owned()))
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.line(cells.iter().map(|cell| match cell {
            Cell::Null | Cell::Integer(_) | Cell::Real(_) => cell.to_text().into_owned(),
            Cell::Text(_) | Cell::Bytes(_) => escape(&cell.to_text()),
        }))
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the text so that a Markdown reader shows it and obeys nothing in it.
pub(super) fn escape(text: &str) -> String {
    let text = safe(text);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut characters = text.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Between letters an underscore never begins emphasis, and names of columns are full of them.
            '_' if previous.is_alphanumeric()
                && characters.peek().is_some_and(|next| next.is_alphanumeric()) =>
            {
                out.push('_');
            }
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                out.push('\\');
                out.push(character);
            }
            // GitHub makes links of bare addresses, and mails to people and teams of bare names.
            ':' if characters.peek() == Some(&'/') => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            '.' if previous == 'w' || previous == 'W' => out.push_str("&#46;"),
            _ => out.push(character),
        }
        previous = character;
    }
    out
}
