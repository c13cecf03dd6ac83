//! Whatever stands in the cells, what is written is read back equal by other readers than ours.

use std::collections::HashMap;
use std::fs::File;

use parquet::file::reader::SerializedFileReader;
use parquet::record::Field;
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::output::Cell;
use crate::output::text::safe_multiline;

const COLUMNS: [(&str, Kind); 3] = [
    ("integer", Kind::Integer),
    ("real", Kind::Real),
    ("text", Kind::Text),
];

/// A row of that form; texts of every character, and often of those that mean something to a format.
fn row() -> impl Strategy<Value = [Cell; 3]> {
    let odd = prop::sample::select(vec![
        '"', ',', '\n', '\r', '\t', '\'', '=', '+', '-', '@', '\\', '\0', '\u{1b}', '\u{202e}',
        '＝', ' ', 'a',
    ]);
    let text = prop_oneof![
        any::<String>(),
        prop::collection::vec(odd, 0..12).prop_map(String::from_iter),
    ];
    let real = any::<f64>().prop_filter("a number", |number| number.is_finite());
    (
        prop::option::of(any::<i64>()),
        prop::option::of(real),
        prop::option::of(text),
    )
        .prop_map(|(integer, real, text)| {
            [
                integer.map_or(Cell::Null, Cell::Integer),
                real.map_or(Cell::Null, Cell::Real),
                text.map_or(Cell::Null, Cell::Text),
            ]
        })
}

fn write(format: Format, guard: Guard, rows: &[[Cell; 3]]) -> Vec<u8> {
    let settings = Settings {
        format,
        header: true,
        guard,
    };
    let mut out = Vec::new();
    let mut records = records(settings, "view", &COLUMNS, &mut out).unwrap();
    for row in rows {
        records.row(row).unwrap();
    }
    records.end().unwrap();
    drop(records);
    out
}

/// Reads a value of JSON back as the cell that it was; numbers by their digits, since the library rounds them.
fn cell_of(kind: Kind, raw: &RawValue) -> Cell {
    match kind {
        _ if raw.get() == "null" => Cell::Null,
        Kind::Integer => Cell::Integer(raw.get().parse().unwrap()),
        Kind::Real => Cell::Real(raw.get().parse().unwrap()),
        _ => Cell::Text(serde_json::from_str(raw.get()).unwrap()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_lines_are_read_back_equal(rows in prop::collection::vec(row(), 0..8)) {
        let written = String::from_utf8(write(Format::Jsonl, Guard::On, &rows)).unwrap();
        let lines: Vec<_> = written.split_terminator('\n').collect();
        prop_assert_eq!(lines.len(), rows.len());
        for (line, row) in lines.into_iter().zip(&rows) {
            let object: HashMap<String, Box<RawValue>> = serde_json::from_str(line).unwrap();
            let cells = COLUMNS.map(|(name, kind)| cell_of(kind, &object[name]));
            prop_assert_eq!(&cells, row);
        }
    }

    #[test]
    fn csv_is_read_back_as_it_is_shown_and_never_as_a_formula(rows in prop::collection::vec(row(), 0..8)) {
        for guard in [Guard::On, Guard::Off] {
            let written = write(Format::Csv, guard, &rows);
            let mut reader = csv::Reader::from_reader(written.as_slice());
            prop_assert_eq!(reader.headers().unwrap(), vec!["integer", "real", "text"]);
            let records: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), rows.len());
            for (record, row) in records.iter().zip(&rows) {
                for (field, cell) in record.iter().zip(row) {
                    let plain = cell.to_text();
                    let shown = match cell {
                        Cell::Text(text) => safe_multiline(text),
                        _ => plain,
                    };
                    let begins = |field: &str| field.starts_with(['=', '+', '@', '\t', '\r', '\n', '＝']);
                    let bare = if guard == Guard::On { field.strip_prefix('\'').unwrap_or(field) } else { field };
                    prop_assert!(field == shown || bare == shown, "{:?} for {:?}", field, cell);
                    prop_assert!(guard == Guard::Off || !begins(field), "{:?}", field);
                }
            }
        }
    }

    #[test]
    fn parquet_is_read_back_equal(rows in prop::collection::vec(row(), 0..40)) {
        let mut file: File = tempfile::tempfile().unwrap();
        file.write_all(&write(Format::Parquet, Guard::On, &rows)).unwrap();
        let read = SerializedFileReader::new(file).unwrap().into_iter().map(|row| {
            let fields = row.unwrap().into_columns().into_iter();
            fields.map(|(_, field)| field).collect::<Vec<_>>()
        });
        let field = |cell: &Cell| match cell {
            Cell::Integer(number) => Field::Long(*number),
            Cell::Real(number) => Field::Double(*number),
            Cell::Text(text) => Field::Str(text.clone()),
            Cell::Null | Cell::Bytes(_) => Field::Null,
        };
        let expected: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(field).collect()).collect();
        prop_assert_eq!(read.collect::<Vec<_>>(), expected);
    }
}
