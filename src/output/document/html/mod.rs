//! A document as one HTML file that needs nothing but itself: no script, no picture, no letters from elsewhere.
//!
//! The file forbids itself everything (its content security policy allows the one style sheet in it, by its digest), so even
//! a fault here could not make a hostile name do anything. Text from elsewhere is escaped by [`Visible`], which every value of a
//! template passes through, and nothing in it is obeyed or hidden. It is written as it is made: a report of a thousand
//! instances is never in memory as text.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use askama::Template;
use askama::filters::{Escaper, Html};
use ring::digest;

use super::chart::{Drawn, described, draw};
use super::{Block, Document, Heading, Level, Section, Shown, Table, Tone};
use crate::output::text::safe;

const STYLE: &str = include_str!("style.css");

/// Letters of a value that is kept on one line; a longer one would push the rest of its table out of sight.
const LONGEST_UNBROKEN: usize = 40;

/// Parts of a chapter that the contents name; more of them would hide the chapters.
const MOST_PARTS: usize = 20;

/// Writes the whole document.
pub(crate) fn write(out: &mut dyn Write, document: &Document) -> io::Result<()> {
    // Templates write a few letters at a time, which a file or a pipe should not have to.
    let mut out = io::BufWriter::with_capacity(64 * 1024, out);
    Page::new(document).write_into(&mut out)?;
    out.flush()
}

/// Text as the file shows it: what a browser would obey is written out, what it would read as markup is escaped.
#[derive(Clone, Copy)]
pub(super) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, out: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(out, &safe(text))
    }
}

#[derive(Template)]
#[template(path = "page.html", config = "src/output/document/html/askama.toml")]
struct Page<'a> {
    document: &'a Document,
    style: &'static str,
    style_digest: String,
    /// The title of each section, by its id.
    titles: HashMap<&'a str, &'a str>,
}

/// An entry of the table of contents.
struct Entry<'a> {
    chapter: &'a Section,
    /// None at all if there are too many of them.
    parts: Vec<&'a Section>,
}

impl<'a> Page<'a> {
    fn new(document: &'a Document) -> Self {
        let sections = document.sections.iter();
        let titles = sections.map(|section| (section.id.as_str(), section.title.as_str()));
        Self {
            document,
            style: STYLE,
            style_digest: base64(digest::digest(&digest::SHA256, STYLE.as_bytes()).as_ref()),
            titles: titles.collect(),
        }
    }

    fn front(&self) -> impl Iterator<Item = &'a Section> {
        let sections = self.document.sections.iter();
        sections.filter(|section| section.level == Level::Front)
    }

    fn rest(&self) -> impl Iterator<Item = &'a Section> {
        let sections = self.document.sections.iter();
        sections.filter(|section| section.level != Level::Front)
    }

    fn contents(&self) -> Vec<Entry<'a>> {
        let mut entries: Vec<Entry<'_>> = Vec::new();
        for section in self.rest() {
            match entries.last_mut() {
                Some(entry) if section.level == Level::Part => entry.parts.push(section),
                _ => entries.push(Entry {
                    chapter: section,
                    parts: Vec::new(),
                }),
            }
        }
        for entry in &mut entries {
            if entry.parts.len() > MOST_PARTS {
                entry.parts.clear();
            }
        }
        entries
    }

    /// The section that a link leads to, with its title. A link that leads nowhere is none.
    fn leads(&self, link: Option<&'a String>) -> Option<(&'a str, &'a str)> {
        let (id, title) = self.titles.get_key_value(link?.as_str())?;
        Some((id, title))
    }
}

/// The cells of a row, each with the classes of its column.
fn cells<'a>(
    table: &'a Table,
    row: &'a [Shown],
) -> impl Iterator<Item = (&'static str, &'a Shown)> {
    let headings = table.headings.iter();
    headings
        .zip(row)
        .map(|(heading, shown)| (class(heading, shown), shown))
}

fn class(heading: &Heading, shown: &Shown) -> &'static str {
    let is_long = shown.text.chars().nth(LONGEST_UNBROKEN).is_some();
    match (heading.is_number, heading.is_code) {
        (true, _) => "n",
        (_, true) if is_long => "c l",
        (_, true) => "c",
        _ if is_long => "l",
        _ => "",
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..4 {
            let index = (bits >> (18 - 6 * letter) & 63) as usize;
            text.push(if letter > group.len() {
                '='
            } else {
                char::from(LETTERS[index])
            });
        }
    }
    text
}
