//! Every format on the same rows, hostile ones among them.

use super::*;

fn written(settings: Settings, columns: &[&str], rows: &[Vec<Cell>]) -> String {
    let mut out = Vec::new();
    {
        let mut records = records(settings, &mut out);
        let columns: Vec<_> = columns.iter().map(|name| Column::new(*name)).collect();
        records.header(&columns).unwrap();
        for row in rows {
            records.row(row).unwrap();
        }
        records.end().unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn settings(format: Format) -> Settings {
    Settings {
        format,
        header: true,
        guard: Guard::On,
        width: None,
        color: false,
    }
}

const COLUMNS: [&str; 4] = ["id", "user_name", "size", "note"];

fn hostile() -> Vec<Vec<Cell>> {
    let row = |id, name: &str, size, note: &str| {
        vec![Cell::Integer(id), Cell::text(name), size, Cell::text(note)]
    };
    vec![
        row(1, "ann", Cell::Real(4.0), "plain, with \"quotes\""),
        row(2, "\u{1b}[2Jeve\r\u{0}", Cell::Null, "=cmd|' /C calc'!A0"),
        row(3, "user\u{202e}nimda", Cell::Real(-0.125), "-1+1"),
        row(-4, "実例太郎", Cell::Integer(7), "a|b\\c\nsecond line"),
        row(
            5,
            "🙂 ❤\u{fe0f}",
            Cell::Null,
            "<script>alert(1)</script> & _so_ on",
        ),
        vec![
            Cell::Integer(6),
            Cell::Bytes(b"\xffx".to_vec()),
            Cell::Null,
            Cell::Null,
        ],
    ]
}

#[test]
fn json_is_one_array_with_a_record_on_each_line() {
    insta::assert_snapshot!(written(settings(Format::Json), &COLUMNS, &hostile()), @r#"
    [
    {"id":1,"user_name":"ann","size":4.0,"note":"plain, with \"quotes\""},
    {"id":2,"user_name":"\u001b[2Jeve\r\u0000","size":null,"note":"=cmd|' /C calc'!A0"},
    {"id":3,"user_name":"user\u202enimda","size":-0.125,"note":"-1+1"},
    {"id":-4,"user_name":"実例太郎","size":7,"note":"a|b\\c\nsecond line"},
    {"id":5,"user_name":"🙂 ❤\ufe0f","size":null,"note":"<script>alert(1)</script> & _so_ on"},
    {"id":6,"user_name":"�x","size":null,"note":null}
    ]
    "#);
}

#[test]
fn json_lines_are_read_back_as_what_was_written() {
    let text = written(settings(Format::Jsonl), &COLUMNS, &hostile());
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[1]["user_name"], "\u{1b}[2Jeve\r\u{0}");
    assert_eq!(rows[2]["user_name"], "user\u{202e}nimda");
    assert_eq!(rows[3]["note"], "a|b\\c\nsecond line");
    assert_eq!(rows[5]["user_name"], "\u{fffd}x");
    assert!(rows[5]["note"].is_null());
    let every: String = ('\0'..=char::MAX).collect();
    let text = written(
        settings(Format::Jsonl),
        &["x"],
        &[vec![Cell::text(every.clone())]],
    );
    assert!(!text.trim_end().contains(text::obeyed));
    let row: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(row["x"], every);
}

#[test]
fn csv_starts_no_formula_and_moves_no_cursor() {
    insta::assert_snapshot!(written(settings(Format::Csv), &COLUMNS, &hostile()), @r#"
    id,user_name,size,note
    1,ann,4.0,"plain, with ""quotes"""
    2,\u{1b}[2Jeve\r\u{0},,'=cmd|' /C calc'!A0
    3,user\u{202e}nimda,-0.125,'-1+1
    -4,実例太郎,7,"a|b\c
    second line"
    5,🙂 ❤️,,<script>alert(1)</script> & _so_ on
    6,�x,,
    "#);
}

#[test]
fn every_beginning_of_a_formula_gets_an_apostrophe_unless_told_otherwise() {
    let cases = [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\\rx"),
        ("\nx", "\"'\nx\""),
        ("\u{feff}=1", "'\u{feff}=1"),
        ("\0=1", "'\\u{0}=1"),
        ("＝1", "'＝1"),
        ("=\"a\"", "\"'=\"\"a\"\"\""),
        ("a=1", "a=1"),
        ("1-1", "1-1"),
        ("", "\"\""),
    ];
    for (text, expected) in cases {
        let row = [vec![Cell::text(text)]];
        let mut settings = settings(Format::Csv);
        settings.header = false;
        assert_eq!(written(settings, &["x"], &row), format!("{expected}\n"));
        settings.guard = Guard::Off;
        let raw = expected.replacen('\'', "", 1);
        assert_eq!(written(settings, &["x"], &row), format!("{raw}\n"));
    }
    let numbers = [vec![Cell::Integer(-1), Cell::Real(-0.5)]];
    assert_eq!(
        written(settings(Format::Csv), &["a", "b"], &numbers),
        "a,b\n-1,-0.5\n"
    );
}

#[test]
fn csv_is_read_back_cell_by_cell() {
    let cells = ["a,b", "say \"x\"", "two\nlines", "", " blank ", "実例"];
    let row: Vec<_> = cells.iter().map(|cell| Cell::text(*cell)).collect();
    let text = written(
        settings(Format::Csv),
        &["a", "b", "c", "d", "e", "f"],
        &[row],
    );
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let read = reader.records().next().unwrap().unwrap();
    assert_eq!(read.iter().collect::<Vec<_>>(), cells);
}

#[test]
fn markdown_passes_no_markup() {
    insta::assert_snapshot!(written(settings(Format::Markdown), &COLUMNS, &hostile()), @r#"
    | id | user_name | size | note |
    | --- | --- | --- | --- |
    | 1 | ann | 4.0 | plain, with "quotes" |
    | 2 | \\u{1b}\[2Jeve\\r\\u{0} |  | =cmd\|' /C calc'!A0 |
    | 3 | user\\u{202e}nimda | -0.125 | -1+1 |
    | -4 | 実例太郎 | 7 | a\|b\\c\\nsecond line |
    | 5 | 🙂 ❤️ |  | &lt;script&gt;alert(1)&lt;/script&gt; &amp; \_so\_ on |
    | 6 | �x |  |  |
    "#);
    let links = "[x](javascript:y) ![i](http://e) www.e.example *b* `c` @all ~~s~~ $x$ <a&b> a_b";
    insta::assert_snapshot!(markdown::escape(links), @r"\[x\](javascript:y) !\[i\](http&#58;//e) www&#46;e.example \*b\* \`c\` &#64;all \~\~s\~\~ \$x\$ &lt;a&amp;b&gt; a_b");
}

#[test]
fn a_piped_table_is_neither_cut_off_nor_ruled() {
    insta::assert_snapshot!(written(settings(Format::Table), &COLUMNS, &hostile()), @r#"
    id  user_name              size  note
     1  ann                     4.0  plain, with "quotes"
     2  \u{1b}[2Jeve\r\u{0}       -  =cmd|' /C calc'!A0
     3  user\u{202e}nimda    -0.125  -1+1
    -4  実例太郎                  7  a|b\c\nsecond line
     5  🙂 ❤️                     -  <script>alert(1)</script> & _so_ on
     6  �x                        -  -
    "#);
}

#[test]
fn a_drawn_table_fits_the_terminal() {
    let mut settings = settings(Format::Table);
    settings.width = Some(50);
    let text = written(settings, &COLUMNS, &hostile());
    insta::assert_snapshot!(text, @r#"
    id  user_name             size  note
    ──  ──────────────────  ──────  ──────────────────
     1  ann                    4.0  plain, with "quot…
     2  \u{1b}[2Jeve\r\u{…       -  =cmd|' /C calc'!A0
     3  user\u{202e}nimda   -0.125  -1+1
    -4  実例太郎                 7  a|b\c\nsecond line
     5  🙂 ❤️                    -  <script>alert(1)<…
     6  �x                       -  -
    "#);
    for width in 13..120 {
        settings.width = Some(width);
        for line in written(settings, &COLUMNS, &hostile()).lines() {
            assert!(text::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn rigid_columns_are_cut_last() {
    let mut out = Vec::new();
    let mut settings = settings(Format::Table);
    settings.width = Some(30);
    let mut table = records(settings, &mut out);
    table
        .header(&[Column::rigid("when"), Column::new("what")])
        .unwrap();
    table
        .row(&[
            Cell::text("2026-10-01 08:30:00"),
            Cell::text("something long"),
        ])
        .unwrap();
    table.end().unwrap();
    drop(table);
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("2026-10-01 08:30:00  somethin…\n"), "{text}");
}

#[test]
fn no_rows_is_an_empty_table_array_or_file() {
    let cases = [
        (Format::Table, ""),
        (Format::Json, "[]\n"),
        (Format::Jsonl, ""),
        (Format::Csv, "a,b\n"),
        (Format::Markdown, "| a | b |\n| --- | --- |\n"),
    ];
    for (format, expected) in cases {
        assert_eq!(written(settings(format), &["a", "b"], &[]), expected);
    }
}

#[test]
fn a_header_is_left_out_on_request() {
    let rows = [vec![Cell::Integer(1), Cell::text("x")]];
    for (format, expected) in [
        (Format::Table, "1  x\n"),
        (Format::Csv, "1,x\n"),
        (Format::Markdown, "| 1 | x |\n"),
    ] {
        let mut settings = settings(format);
        settings.header = false;
        assert_eq!(written(settings, &["long name", "b"], &rows), expected);
    }
}

/// Counts what passes and fails once the given number of bytes has passed.
struct Throttle {
    passed: usize,
    most: usize,
}

impl Write for Throttle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.passed > self.most {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.passed += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn rows_are_written_as_they_come_and_a_reader_that_left_is_noticed() {
    for format in [
        Format::Table,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Markdown,
    ] {
        let mut out = Throttle {
            passed: 0,
            most: 100_000,
        };
        let mut records = records(settings(format), &mut out);
        records.header(&[Column::new("a")]).unwrap();
        let row = [Cell::text("x".repeat(1_000))];
        let failed = (0..10_000).find_map(|count| Some((count, records.row(&row).err()?)));
        let (count, error) = failed.unwrap();
        assert!(count < 2_000, "{format:?} held back {count} rows");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format:?}");
    }
}

#[test]
fn one_long_value_does_not_blow_up_every_line() {
    let mut rows = vec![vec![Cell::text("x".repeat(100_000)), Cell::Integer(1)]];
    rows.extend((0..100).map(|_| vec![Cell::text("y"), Cell::Integer(2)]));
    let text = written(settings(Format::Table), &["a", "b"], &rows);
    assert!(text.len() < 120_000);
    assert!(text.contains(&"x".repeat(100_000)));
}

#[test]
fn a_record_with_more_columns_than_have_room_is_a_block_of_lines() {
    let names = ["task_key", "user_name", "status", "params", "size"];
    let row = |key, status: &str, params: &str| {
        vec![
            Cell::Integer(key),
            Cell::text("anna.meyer"),
            Cell::text(status),
            Cell::text(params),
            Cell::Null,
        ]
    };
    let long = "a value that is longer than the line has columns, \u{1b}[2J";
    let rows = [row(1, "SUCCESS", long), row(2, "FAILED", "{}")];
    let mut out = Vec::new();
    let mut settings = settings(Format::Table);
    settings.width = Some(40);
    let mut table = records(settings, &mut out);
    let columns = names.map(Column::wanted);
    table.header(&columns).unwrap();
    for row in &rows {
        table.row(row).unwrap();
    }
    table.end().unwrap();
    drop(table);
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
    ── 1 ───────────────────────────────────
    task_key   1
    user_name  anna.meyer
    status     SUCCESS
    params     a value that is longer than
               the line has columns,
               \u{1b}[2J
    size       -
    ── 2 ───────────────────────────────────
    task_key   2
    user_name  anna.meyer
    status     FAILED
    params     {}
    size       -
    ");
}

#[test]
fn colour_takes_no_room_and_is_for_tables_only() {
    let names = ["status", "note"];
    let rows = [
        vec![Cell::text("FAILED"), Cell::Null],
        vec![Cell::text("EXECUTING"), Cell::text("\u{1b}[31mred")],
        vec![Cell::text("SUCCESS"), Cell::text("x")],
    ];
    let mut settings = settings(Format::Table);
    settings.width = Some(80);
    let plain = written(settings, &names, &rows);
    settings.color = true;
    let colored = written(settings, &names, &rows);
    insta::assert_snapshot!(colored.replace('\u{1b}', "ESC"), @r"
    ESC[1mstatusESC[0m     ESC[1mnoteESC[0m
    ESC[2m─────────ESC[0m  ESC[2m─────────────ESC[0m
    ESC[1mESC[31mFAILEDESC[0m     ESC[2m-ESC[0m
    ESC[33mEXECUTINGESC[0m  \u{1b}[31mred
    SUCCESS    x
    ");
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped += before;
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(stripped + rest, plain);
    for format in [Format::Json, Format::Jsonl, Format::Csv, Format::Markdown] {
        settings.format = format;
        assert!(
            !written(settings, &names, &rows).contains('\u{1b}'),
            "{format:?}"
        );
    }
}
