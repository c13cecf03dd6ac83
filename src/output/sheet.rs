//! A sheet: one thing, told in sections, for people. As plain text, or as Markdown.

use std::io::{self, Write};

use super::paint::{Tone, paint};
use super::text::{safe, width, wrap};
use super::{Cell, Column, Format, Settings, markdown, records};

/// What is told, from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    /// Empty where the sheet's own title says enough.
    pub(crate) title: String,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    /// Names and what they stand for.
    Fields(Vec<(String, Cell)>),
    Table(Vec<Column>, Vec<Vec<Cell>>),
    /// Text whose lines stay lines.
    Text(String),
    /// One sentence in place of something that there is none of.
    Remark(&'static str),
}

/// Writes the sheet: as Markdown if that was asked for, else as plain text.
pub(crate) fn write(settings: Settings, out: &mut dyn Write, sheet: &Sheet) -> io::Result<()> {
    let is_markdown = settings.format == Format::Markdown;
    if is_markdown {
        writeln!(out, "# {}", markdown::escape(&sheet.title))?;
    } else {
        writeln!(out, "{}", title(settings, &sheet.title))?;
    }
    for section in &sheet.sections {
        writeln!(out)?;
        match (section.title.is_empty(), is_markdown) {
            (true, _) => {}
            (false, true) => writeln!(out, "## {}\n", markdown::escape(&section.title))?,
            (false, false) => writeln!(out, "{}", title(settings, &section.title))?,
        }
        body(settings, out, &section.body)?;
    }
    Ok(())
}

fn body(settings: Settings, out: &mut dyn Write, body: &Body) -> io::Result<()> {
    match body {
        Body::Fields(fields) => self::fields(settings, out, fields),
        Body::Table(columns, rows) => {
            let mut table = records(settings, out);
            table.header(columns)?;
            for row in rows {
                table.row(row)?;
            }
            table.end()
        }
        Body::Text(text) => {
            // Four blanks make a code block that nothing inside can end, which a fence cannot promise.
            let indent = if settings.format == Format::Markdown {
                "    "
            } else {
                ""
            };
            for line in text.lines() {
                writeln!(out, "{indent}{}", safe(line))?;
            }
            Ok(())
        }
        Body::Remark(remark) => writeln!(out, "{remark}"),
    }
}

fn title(settings: Settings, title: &str) -> String {
    paint(&safe(title), Tone::Title, settings.color).into_owned()
}

/// The widest that the names beside fields are aligned for: some come from upstream.
const WIDEST_NAME: usize = 32;

/// Columns that a value has on a terminal at least, however long its name is.
const LEAST_VALUE: usize = 20;

fn fields(settings: Settings, out: &mut dyn Write, fields: &[(String, Cell)]) -> io::Result<()> {
    let widths = fields.iter().map(|(name, _)| width(&safe(name)));
    let widest = widths.fold(0, usize::max).min(WIDEST_NAME);
    for (name, cell) in fields {
        if settings.format == Format::Markdown {
            let text = markdown::escape(&cell.to_text());
            writeln!(out, "- {}: {text}", markdown::escape(name))?;
            continue;
        }
        let value = cell.to_text();
        let (shown, value) = (safe(name), safe(&value));
        let indent = 2 + widest.max(width(&shown)) + 2;
        let pad = indent - 2 - width(&shown);
        write!(out, "  {shown}{:pad$}", "")?;
        let room = settings.width.map_or(usize::MAX, |limit| {
            limit.saturating_sub(indent).max(LEAST_VALUE)
        });
        let tone = Tone::of(name, &value);
        for (index, part) in wrap(&value, room).into_iter().enumerate() {
            let indent = if index == 0 { 0 } else { indent };
            writeln!(out, "{:indent$}{}", "", paint(part, tone, settings.color))?;
        }
    }
    Ok(())
}
