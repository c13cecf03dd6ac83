//! CSV: another reader gets the same cells from it, and no spreadsheet a formula.

use super::{every_case, mutate};
use crate::output::{self, Cell, Column, Format, Guard, Settings};
use crate::simulator::rng::Rng;

const EVERYDAY: u64 = 2_000;

/// A cell that may hold anything.
pub(super) fn cell(rng: &mut Rng) -> Cell {
    match rng.below(10) {
        0 => Cell::Null,
        1 => Cell::Integer(rng.draw().cast_signed()),
        2 => Cell::Real(f64::from_bits(rng.draw())),
        3 => {
            let mut bytes = mutate::text(rng).into_bytes();
            mutate::bytes(&mut bytes, 2, &[b"\xff"], rng);
            Cell::Bytes(bytes)
        }
        _ => Cell::Text(mutate::text(rng)),
    }
}

pub(super) fn rows(columns: usize, rng: &mut Rng) -> Vec<Vec<Cell>> {
    let count = rng.index(8);
    let row = |_| (0..columns).map(|_| cell(rng)).collect();
    (0..count).map(row).collect()
}

/// Writes rows in a format, under a header of hostile names.
pub(super) fn written(settings: Settings, names: &[String], rows: &[Vec<Cell>]) -> String {
    let mut out = Vec::new();
    {
        let mut records = output::records(settings, &mut out);
        let columns: Vec<_> = names.iter().map(Column::new).collect();
        records.header(&columns).unwrap();
        for row in rows {
            records.row(row).unwrap();
        }
        records.end().unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn another_reader_gets_the_same_cells_and_no_formula() {
    every_case("csv", EVERYDAY, |rng| {
        let guard = rng.pick([Guard::On, Guard::On, Guard::Off]);
        let last = rng.index(5);
        // A byte order mark at the very beginning is the reader's; names of columns are ours and have none.
        let name = |_| mutate::text(rng).trim_start_matches('\u{feff}').to_owned();
        let names: Vec<_> = (0..=last).map(name).collect();
        let rows = rows(names.len(), rng);
        let settings = Settings {
            format: Format::Csv,
            header: true,
            guard,
            width: None,
            color: false,
        };
        let text = written(settings, &names, &rows);
        let mut expected = vec![names.into_iter().map(Cell::Text).collect::<Vec<_>>()];
        expected.extend(rows);
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let read: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(read.len(), expected.len(), "{text:?}");
        for (read, row) in read.iter().zip(&expected) {
            assert_eq!(read.len(), row.len(), "{text:?}");
            for (read, cell) in read.iter().zip(row) {
                holds(read, cell, guard);
            }
        }
        assert_eq!(
            independent(&text),
            read.iter()
                .map(|row| row.iter().map(str::to_owned).collect())
                .collect::<Vec<Vec<_>>>()
        );
    });
}

/// A cell as it was read against the one that was written.
fn holds(read: &str, cell: &Cell, guard: Guard) {
    let sent = match cell {
        Cell::Null => return assert_eq!(read, ""),
        Cell::Integer(number) => return assert_eq!(read.parse(), Ok(*number)),
        Cell::Real(number) => {
            let read: f64 = read.parse().unwrap();
            return assert!(read.to_bits() == number.to_bits() || read.is_nan() && number.is_nan());
        }
        Cell::Text(text) => text.clone(),
        Cell::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    if guard == Guard::On {
        let seen = read.trim_start_matches(['\u{200b}', '\u{feff}', '\u{2060}']);
        let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
        assert!(!seen.starts_with(begins), "{sent:?} became {read:?}");
    }
    let bare = read
        .strip_prefix('\'')
        .filter(|_| guard == Guard::On && !sent.starts_with('\''));
    let bare = bare.unwrap_or(read);
    let is_plain = |letter: char| !letter.is_control() && !super::terminal::is_order_mark(letter);
    if sent.chars().all(is_plain) {
        assert_eq!(bare, sent);
    }
    let mut before = None;
    for letter in read.chars().rev() {
        let is_line_end = letter == '\r' && before == Some('\n');
        assert!(
            is_plain(letter) || matches!(letter, '\n' | '\t') || is_line_end,
            "{letter:?} of {sent:?} is in {read:?}"
        );
        before = Some(letter);
    }
}

/// Reads CSV as RFC 4180 has it, in a few lines that know no library.
fn independent(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            letter => cell.push(letter),
        }
    }
    assert!(
        row.is_empty() && cell.is_empty() && !quoted,
        "the last line has no end"
    );
    rows
}
