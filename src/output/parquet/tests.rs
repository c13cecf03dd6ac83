//! What is written is read back by the library's own reader.

use std::fs::File;

use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use super::*;

const KINDS: [(&str, Kind); 6] = [
    ("time", Kind::Time),
    ("integer", Kind::Integer),
    ("real", Kind::Real),
    ("flag", Kind::Flag),
    ("text", Kind::Text),
    ("bytes", Kind::Bytes),
];

fn file(rows: &[[Cell; 6]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut parquet = Parquet::new(&mut out, "view", &KINDS).unwrap();
    for row in rows {
        parquet.row(row).unwrap();
    }
    parquet.end().unwrap();
    drop(parquet);
    out
}

/// A file's reader.
fn reader(bytes: &[u8]) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    SerializedFileReader::new(file).unwrap()
}

/// The fields of every row, through all groups.
fn fields(bytes: &[u8]) -> Vec<Vec<Field>> {
    let rows = reader(bytes).into_iter().map(Result::unwrap);
    let fields = rows.map(|row| row.into_columns().into_iter().map(|(_, field)| field));
    fields.map(Iterator::collect).collect()
}

fn time(text: &str) -> Cell {
    Cell::text(text)
}

fn nothing() -> [Cell; 6] {
    [const { Cell::Null }; 6]
}

#[test]
fn every_kind_is_read_back_with_its_nulls() {
    let rows = [
        [
            time("2020-06-17T08:18:06.597Z"),
            Cell::Integer(i64::MAX),
            Cell::Real(-0.5),
            Cell::Integer(1),
            Cell::text("a\0\u{202e}実 🙂"),
            Cell::Bytes(vec![0, 0xff]),
        ],
        nothing(),
        [
            time("0000-01-01T00:00:00.000Z"),
            Cell::Integer(i64::MIN),
            Cell::Real(f64::MAX),
            Cell::Integer(0),
            Cell::text(""),
            Cell::text("text"),
        ],
        [
            time("9999-12-31T23:59:59.999Z"),
            Cell::Null,
            Cell::Real(4.0),
            Cell::Null,
            // As JSON does.
            Cell::Bytes(b"a\xed\xa0\x80b".to_vec()),
            Cell::Bytes(Vec::new()),
        ],
    ];
    let null = Field::Null;
    let bytes = |bytes: &[u8]| Field::Bytes(bytes.to_vec().into());
    let text = |text: &str| Field::Str(text.to_owned());
    let expected = [
        vec![
            Field::TimestampMillis(1_592_381_886_597),
            Field::Long(i64::MAX),
            Field::Double(-0.5),
            Field::Bool(true),
            text("a\0\u{202e}実 🙂"),
            bytes(&[0, 0xff]),
        ],
        vec![null.clone(); 6],
        vec![
            Field::TimestampMillis(-62_167_219_200_000),
            Field::Long(i64::MIN),
            Field::Double(f64::MAX),
            Field::Bool(false),
            text(""),
            bytes(b"text"),
        ],
        vec![
            Field::TimestampMillis(253_402_300_799_999),
            null.clone(),
            Field::Double(4.0),
            null,
            text("a\u{fffd}\u{fffd}\u{fffd}b"),
            bytes(b""),
        ],
    ];
    assert_eq!(fields(&file(&rows)), expected);
}

#[test]
fn the_schema_says_what_each_column_is() {
    let bytes = file(&[]);
    let reader = reader(&bytes);
    let metadata = reader.metadata();
    assert_eq!(metadata.num_row_groups(), 0);
    let schema = metadata.file_metadata().schema_descr();
    let told: Vec<_> = schema
        .columns()
        .iter()
        .map(|column| {
            (
                column.name(),
                column.physical_type(),
                column.logical_type_ref(),
            )
        })
        .collect();
    let utc = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let expected = [
        ("time", Physical::INT64, Some(&utc)),
        ("integer", Physical::INT64, None),
        ("real", Physical::DOUBLE, None),
        ("flag", Physical::BOOLEAN, None),
        ("text", Physical::BYTE_ARRAY, Some(&LogicalType::String)),
        ("bytes", Physical::BYTE_ARRAY, None),
    ];
    assert_eq!(told, expected);
    assert!(
        schema
            .columns()
            .iter()
            .all(|column| column.self_type().is_optional())
    );
    assert_eq!(schema.name(), "view");
}

#[test]
fn groups_end_by_rows_or_by_bytes_and_nothing_is_lost_between_them() {
    let many: Vec<_> = (0..GROUP_ROWS + 3)
        .map(|number| {
            let mut row = nothing();
            row[1] = Cell::Integer(i64::try_from(number).unwrap());
            row[4] = if number % 3 == 0 {
                Cell::Null
            } else {
                Cell::text(number.to_string())
            };
            row
        })
        .collect();
    let written = file(&many);
    let groups = |bytes: &[u8]| -> Vec<i64> {
        let metadata = reader(bytes).metadata().clone();
        metadata
            .row_groups()
            .iter()
            .map(RowGroupMetaData::num_rows)
            .collect()
    };
    assert_eq!(groups(&written), [i64::try_from(GROUP_ROWS).unwrap(), 3]);
    for (number, row) in fields(&written).into_iter().enumerate() {
        assert_eq!(row[1], Field::Long(i64::try_from(number).unwrap()));
        let text = if number % 3 == 0 {
            Field::Null
        } else {
            Field::Str(number.to_string())
        };
        assert_eq!(row[4], text);
    }

    let ten = 10 << 20;
    let heavy: Vec<_> = (0..5)
        .map(|number: u8| {
            let mut row = nothing();
            row[5] = Cell::Bytes(vec![number; ten]);
            row
        })
        .collect();
    let written = file(&heavy);
    assert_eq!(groups(&written), [4, 1]);
    for (number, row) in (0_u8..).zip(fields(&written)) {
        assert_eq!(row[5], Field::Bytes(vec![number; ten].into()));
    }
}

#[test]
fn equal_rows_make_equal_bytes() {
    let rows: Vec<_> = (0..5_000)
        .map(|number| {
            let mut row = nothing();
            row[4] = Cell::text(format!("{}", number * 7 % 500));
            row
        })
        .collect();
    assert_eq!(file(&rows), file(&rows));
}

#[test]
fn a_value_that_does_not_fit_is_an_error_of_its_own() {
    let cases = [
        (0, Cell::text("yesterday")),
        (0, Cell::text("2020-06-17 08:18:06.597Z")),
        (0, Cell::text("2020-06-17T08:18:06Z")),
        (0, Cell::text("2020-06-17T08:18:06+02:0")),
        (0, Cell::Integer(1)),
        (1, Cell::text("1")),
        (1, Cell::Real(1.0)),
        (2, Cell::text("x")),
        (3, Cell::Integer(2)),
        (3, Cell::text("true")),
    ];
    for (index, cell) in cases {
        let mut row = nothing();
        row[index] = cell.clone();
        let mut out = Vec::new();
        let mut parquet = Parquet::new(&mut out, "view", &KINDS).unwrap();
        let error = parquet.row(&row).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{cell:?}");
        let told = error.to_string();
        assert!(
            told.ends_with(&format!("the column {} holds", KINDS[index].0)),
            "{told}"
        );
    }
}

#[test]
fn a_writer_that_fails_is_told_by_its_own_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut full = Full;
    let mut parquet = Parquet::new(&mut full, "view", &KINDS).unwrap();
    parquet.row(&nothing()).unwrap();
    let error = parquet.end().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}
