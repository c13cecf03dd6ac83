//! The report as it is printed, without anybody to ask.

use super::*;
use crate::output::{Format, Guard, Settings};

fn printed(format: Format) -> String {
    let mut report = Report::default();
    report.add("endpoint", "url", "https://dcs.example", "");
    report.add("endpoint", "latency", "12 ms", "until the first answer");
    report.add(
        "upstream",
        "count",
        "cannot be told",
        "said: \u{1b}[2J\nx = \"a|b\"",
    );
    let settings = Settings {
        format,
        header: true,
        guard: Guard::On,
        width: None,
        color: false,
    };
    let mut out = Vec::new();
    report.write(settings, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn people_get_sections_and_programs_rows() {
    insta::assert_snapshot!(printed(Format::Table), @r#"
    dcs-history doctor

    endpoint
      url      https://dcs.example
      latency  12 ms (until the first answer)

    upstream
      count  cannot be told (said: \u{1b}[2J\nx = "a|b")
    "#);
    assert!(printed(Format::Markdown).contains("\n## upstream\n\n- count: cannot be told (said: "));
    insta::assert_snapshot!(printed(Format::Csv).lines().next().unwrap(), @"section,name,value,note");
    let rows = printed(Format::Jsonl);
    let rows: Vec<serde_json::Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(rows[0]["note"], serde_json::Value::Null);
    assert_eq!(rows[2]["note"], "said: \u{1b}[2J\nx = \"a|b\"");
}

#[test]
fn the_help_promises_as_many_requests_as_are_sent_at_most() {
    let mut command = crate::cli::command();
    command.build();
    let doctor = command.find_subcommand("doctor").unwrap();
    let help = doctor.get_long_about().unwrap().to_string();
    let promised = format!("It sends {} requests at most", probe::MOST_REQUESTS);
    assert!(help.contains(&promised), "{help}");
}
