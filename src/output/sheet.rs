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

/// Columns that a value has on a terminal at least; a name that leaves less has lines of its own.
const LEAST_VALUE: usize = 20;

/// The indent of fields, and the gap between a name and its value.
const MARGIN: usize = 2;

fn fields(settings: Settings, out: &mut dyn Write, fields: &[(String, Cell)]) -> io::Result<()> {
    let most = settings.width.map_or(WIDEST_NAME, |limit| {
        WIDEST_NAME.min(limit.saturating_sub(LEAST_VALUE + 2 * MARGIN))
    });
    let widths = fields.iter().map(|(name, _)| width(&safe(name)));
    let widest = widths.fold(0, usize::max).min(most);
    for (name, cell) in fields {
        let value = cell.to_text();
        if settings.format == Format::Markdown {
            let text = markdown::escape(&value);
            writeln!(out, "- {}: {text}", markdown::escape(name))?;
        } else {
            field(settings, out, widest, &safe(name), &safe(&value))?;
        }
    }
    Ok(())
}

/// Writes a name and its value, on as many lines as they need on a terminal.
fn field(
    settings: Settings,
    out: &mut dyn Write,
    widest: usize,
    name: &str,
    value: &str,
) -> io::Result<()> {
    let tone = Tone::of(name, value);
    let Some(limit) = settings.width else {
        let pad = widest.saturating_sub(width(name)) + MARGIN;
        let value = paint(value, tone, settings.color);
        return writeln!(out, "{:MARGIN$}{name}{:pad$}{value}", "", "");
    };
    let indent = 2 * MARGIN + widest;
    let room = |indent: usize| limit.saturating_sub(indent).max(1);
    let mut begun = 0;
    for part in wrap(name, room(MARGIN)) {
        if begun > 0 {
            writeln!(out)?;
        }
        write!(out, "{:MARGIN$}{part}", "")?;
        begun = MARGIN + width(part);
    }
    if begun + MARGIN > indent {
        writeln!(out)?;
        begun = 0;
    }
    for part in wrap(value, room(indent)) {
        let pad = indent - begun;
        writeln!(out, "{:pad$}{}", "", paint(part, tone, settings.color))?;
        begun = 0;
    }
    Ok(())
}
