//! A document as Markdown, in the dialect of GitHub: for tickets, wikis and mails.
//!
//! Text shows as it is and obeys nothing: no markup, link or HTML in it comes alive. A chart is left out, because the table
//! that it was drawn from stands there; of a timeline there is one line that says what it shows.

use std::io::{self, Write};

use super::super::markdown::escape;
use super::chart::described;
use super::{Answer, Block, Chart, Document, Drawing, Level, Section, Shown, Table};

/// Writes the whole document.
pub(crate) fn write(out: &mut dyn Write, document: &Document) -> io::Result<()> {
    writeln!(out, "# {}\n", line(&document.title))?;
    writeln!(out, "{}", line(&document.subtitle))?;
    for section in &document.sections {
        write_section(out, section)?;
    }
    writeln!(out, "\n---\n\n{}", line(&document.colophon))
}

fn write_section(out: &mut dyn Write, section: &Section) -> io::Result<()> {
    let mark = match section.level {
        Level::Front | Level::Chapter => "##",
        Level::Part => "###",
    };
    writeln!(out, "\n{mark} {}", line(&section.title))?;
    for block in &section.blocks {
        write_block(out, block)?;
    }
    Ok(())
}

fn write_block(out: &mut dyn Write, block: &Block) -> io::Result<()> {
    match block {
        Block::Text(text) => writeln!(out, "\n{}", line(text)),
        Block::Answers(answers) => answers
            .iter()
            .try_for_each(|answer| write_answer(out, answer)),
        Block::Points(points) => {
            out.write_all(b"\n")?;
            points
                .iter()
                .try_for_each(|point| writeln!(out, "- {}", line(&point.text)))
        }
        Block::Fields(fields) => {
            out.write_all(b"\n")?;
            fields.iter().try_for_each(|(name, shown)| {
                writeln!(out, "- **{}:** {}", line(name), line(&shown.text))
            })
        }
        Block::Chart(chart) | Block::Figure(chart, _) => {
            write_timeline(out, chart)?;
            match block {
                Block::Figure(_, table) => write_table(out, table),
                _ => Ok(()),
            }
        }
        Block::Table(table) => write_table(out, table),
    }
}

fn write_answer(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    writeln!(
        out,
        "\n**{}** {}",
        line(&answer.question),
        line(&answer.answer)
    )?;
    if !answer.details.is_empty() {
        out.write_all(b"\n")?;
    }
    for detail in &answer.details {
        writeln!(out, "- {}", line(detail))?;
    }
    Ok(())
}

fn write_timeline(out: &mut dyn Write, chart: &Chart) -> io::Result<()> {
    match &chart.drawing {
        Drawing::Timeline(_) => writeln!(
            out,
            "\n{}: {}",
            line(&chart.title),
            line(&described(&chart.drawing))
        ),
        Drawing::Columns(_) | Drawing::Bars(_) => Ok(()),
    }
}

fn write_table(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    if !table.caption.is_empty() {
        writeln!(out, "\n**{}**", line(&table.caption))?;
    }
    if table.rows.is_empty() {
        return writeln!(out, "\n{}", line(&table.nothing));
    }
    out.write_all(b"\n")?;
    for heading in &table.headings {
        write!(out, "| {} ", escape(heading.title))?;
    }
    out.write_all(b"|\n")?;
    for heading in &table.headings {
        out.write_all(if heading.is_number {
            b"| ---: "
        } else {
            b"| --- "
        })?;
    }
    out.write_all(b"|\n")?;
    for row in &table.rows {
        write_row(out, row)?;
    }
    if let Some(remark) = table.remark() {
        writeln!(out, "\n{}", line(&remark))?;
    }
    Ok(())
}

fn write_row(out: &mut dyn Write, row: &[Shown]) -> io::Result<()> {
    for shown in row {
        write!(out, "| {}", escape(&shown.text))?;
        for more in &shown.more {
            write!(out, "<br>{}", escape(more))?;
        }
        write!(out, " ")?;
    }
    out.write_all(b"|\n")
}

/// Returns the text so that it can begin a line: nothing at its front makes a heading, a list, a rule or code of it. Blanks at
/// its ends are dropped, because they would undo the marks around it.
fn line(text: &str) -> String {
    let escaped = escape(text.trim());
    let digits = escaped.bytes().take_while(u8::is_ascii_digit).count();
    let begins_a_block = match escaped.as_bytes().get(digits) {
        Some(b'#' | b'+' | b'-' | b'=') => digits == 0,
        Some(b'.' | b')') => digits > 0,
        _ => false,
    };
    if begins_a_block {
        format!("{}\\{}", &escaped[..digits], &escaped[digits..])
    } else {
        escaped
    }
}
