//! What people read: no text moves the cursor, turns the reading order round, forges a line or leaves its width; and JSON
//! says exactly what it was given.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::csv::{rows, written};
use super::{every_case, mutate};
use crate::output::sheet::{self, Body, Section, Sheet};
use crate::output::text::{safe, width};
use crate::output::{Cell, Column, Format, Guard, Settings, phrase};
use crate::simulator::rng::Rng;

const EVERYDAY: u64 = 1_000;

/// Marks and overrides of the reading order, and separators that break a line.
pub(super) fn is_order_mark(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn is_harmless(text: &str) {
    for letter in text.chars() {
        assert!(
            letter == '\n' || !letter.is_control() && !is_order_mark(letter),
            "{letter:?} is in {text:?}"
        );
    }
}

/// Every line fits, but for the few signs that a cell cannot be cut below.
#[track_caller]
fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(
            width(line) <= columns,
            "{} of {columns}: {line:?}",
            width(line)
        );
    }
}

#[test]
fn no_text_moves_the_cursor_forges_a_line_or_leaves_its_width() {
    every_case("terminal", EVERYDAY, |rng| {
        let names: Vec<_> = (0..=rng.index(7)).map(|_| mutate::text(rng)).collect();
        let rows = rows(names.len(), rng);
        let settings = Settings {
            format: Format::Table,
            header: true,
            guard: Guard::On,
            width: Some(20 + rng.index(200)),
            color: false,
        };
        table(settings, &names, &rows);
        formats(settings, &names, &rows);
        drawn_sheet(settings, &names, &rows, rng);
        phrases(rng);
    });
}

fn table(settings: Settings, names: &[String], rows: &[Vec<Cell>]) {
    let drawn = written(settings, names, rows);
    is_harmless(&drawn);
    fits(&drawn, settings.width.unwrap());
    let piped = Settings {
        width: None,
        ..settings
    };
    let piped = written(piped, names, rows);
    is_harmless(&piped);
    // A line a record: none is forged, none is lost. No rows is no output.
    let lines = if rows.is_empty() { 0 } else { rows.len() + 1 };
    assert_eq!(piped.matches('\n').count(), lines, "{piped:?}");
}

fn formats(settings: Settings, names: &[String], rows: &[Vec<Cell>]) {
    let as_format = |format| written(Settings { format, ..settings }, names, rows);
    let markdown = as_format(Format::Markdown);
    is_harmless(&markdown);
    for line in markdown.lines() {
        let borders = line.replace("\\\\", "").replace("\\|", "");
        assert_eq!(borders.matches('|').count(), names.len() + 1, "{line:?}");
        assert!(!line.contains('<'), "{line:?}");
    }
    let lines = as_format(Format::Jsonl);
    assert_eq!(lines.lines().count(), rows.len(), "{lines:?}");
    for (line, row) in lines.lines().zip(rows) {
        let read: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap();
        for (name, cell) in names.iter().zip(row) {
            // Of columns of one name a map keeps the last.
            if names.iter().filter(|other| *other == name).count() == 1 {
                same(read[name], cell);
            }
        }
    }
    let array: Value = serde_json::from_str(&as_format(Format::Json)).unwrap();
    assert_eq!(array.as_array().unwrap().len(), rows.len());
}

/// The text of a number is read here: the library's own reader of numbers rounds some of them.
fn same(read: &RawValue, cell: &Cell) {
    let text = || serde_json::from_str::<String>(read.get()).unwrap();
    match cell {
        Cell::Integer(number) => assert_eq!(read.get().parse(), Ok(*number)),
        // JSON has no infinity.
        Cell::Real(number) if number.is_finite() => {
            let read: f64 = read.get().parse().unwrap();
            assert_eq!(read.to_bits(), number.to_bits());
        }
        Cell::Null | Cell::Real(_) => assert_eq!(read.get(), "null"),
        Cell::Text(sent) => assert_eq!(text(), *sent),
        Cell::Bytes(bytes) => assert_eq!(text(), String::from_utf8_lossy(bytes)),
    }
}

fn drawn_sheet(settings: Settings, names: &[String], rows: &[Vec<Cell>], rng: &mut Rng) {
    let columns: Vec<_> = names.iter().map(Column::new).collect();
    let fields = names
        .iter()
        .cloned()
        .zip(rows.first().cloned().unwrap_or_default());
    let sheet = Sheet {
        title: mutate::text(rng),
        sections: vec![
            Section {
                title: mutate::text(rng),
                body: Body::Fields(fields.collect()),
            },
            Section {
                title: mutate::text(rng),
                body: Body::Table(columns, rows.to_vec()),
            },
        ],
    };
    for format in [Format::Table, Format::Markdown] {
        let mut out = Vec::new();
        sheet::write(Settings { format, ..settings }, &mut out, &sheet).unwrap();
        is_harmless(&String::from_utf8(out).unwrap());
    }
}

fn phrases(rng: &mut Rng) {
    let (one, other) = (mutate::text(rng), mutate::text(rng));
    let shown = safe(&one);
    is_harmless(&shown);
    assert!(!shown.contains('\n'), "{shown:?}");
    assert_eq!(safe(&shown), shown, "what is harmless stays as it is");
    is_harmless(&safe(&phrase::change(Some(&one), Some(&other))));
    is_harmless(&safe(&phrase::attribute("params", &one)));
    let (long, short) = (rng.draw().cast_signed(), rng.between(0, 1 << 40));
    is_harmless(&phrase::duration(long));
    is_harmless(&phrase::age(long, short));
    is_harmless(&phrase::size(rng.draw()));
    assert!(width(&phrase::bar(short, 1 << 40, 20)) <= 20);
}
