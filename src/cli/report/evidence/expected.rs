//! The lines that `check.sql` must print, from the figures of the report itself: so that it is the report that is checked,
//! and not the pack against itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::report::gather::{Counted, Report};
use crate::output::Cell;
use crate::output::json::{self, Framing, Value};
use crate::report::stats::Counts;
use crate::store::evidence::COLUMNS;

/// Returns the lines; how many records were written is counted by whoever wrote them.
pub(super) fn lines(report: &Report, unit: &str, records: u64) -> String {
    let facts = &report.facts;
    let mut lines = format!("{COLUMNS}\n");
    line(&mut lines, "totals", "", &facts.counts);
    groups(&mut lines, "operation", named(&report.operations));
    groups(&mut lines, "user", named(&report.users));
    let lanes = report.survey.lanes.iter().zip(&facts.instances);
    let instances = lanes.map(|(lane, facts)| {
        let id = lane.instance.key.instance_id.as_str();
        (quoted(Some(id)), facts.counts)
    });
    groups(&mut lines, "instance", instances);
    // Names of days, weeks and months stand as they are.
    let pieces = report.pieces.iter();
    let pieces = pieces.map(|one| (one.name.clone().unwrap_or_default(), one.counts));
    groups(&mut lines, unit, pieces);
    for (what, count) in [
        ("finished", facts.finished.total()),
        ("undated", facts.undated.total()),
        ("unlisted", facts.missing.total()),
        ("records", records),
        ("incomplete", 0),
        ("stray", 0),
    ] {
        let _infallible = writeln!(lines, "{what}||{count}");
    }
    lines
}

fn named(counted: &[Counted]) -> impl Iterator<Item = (String, Counts)> {
    let quoted = |one: &Counted| (quoted(one.name.as_deref()), one.counts);
    counted.iter().map(quoted)
}

/// Writes the groups that have any task, by their names; those of one name (two users may share one) are one here.
fn groups(lines: &mut String, what: &str, groups: impl Iterator<Item = (String, Counts)>) {
    let mut sorted: BTreeMap<String, Counts> = BTreeMap::new();
    for (name, counts) in groups.filter(|(_, counts)| counts.tasks > 0) {
        let sum = sorted.entry(name).or_default();
        sum.tasks += counts.tasks;
        sum.succeeded += counts.succeeded;
        sum.failed += counts.failed;
        sum.open += counts.open;
        sum.missing += counts.missing;
    }
    for (name, counts) in &sorted {
        line(lines, what, name, counts);
    }
}

fn line(lines: &mut String, what: &str, name: &str, counts: &Counts) {
    let Counts {
        tasks,
        succeeded,
        failed,
        open,
        missing,
    } = counts;
    let ended = counts.ended();
    let _infallible = writeln!(
        lines,
        "{what}|{name}|{tasks}|{succeeded}|{failed}|{ended}|{open}|{missing}"
    );
}

/// Writes a name as it stands in the pack's lines of JSON.
fn quoted(name: Option<&str>) -> String {
    let value = Value::Cell(name.map_or(Cell::Null, Cell::text));
    let mut line = Vec::new();
    // A vector takes whatever is written.
    let _infallible = json::write(&mut line, Framing::Lines, &[value]);
    String::from_utf8_lossy(&line)
        .trim_end_matches('\n')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tasks: u64, failed: u64) -> Counts {
        Counts {
            tasks,
            failed,
            ..Counts::default()
        }
    }

    #[test]
    fn a_name_is_one_word_of_a_line_whatever_is_in_it() {
        let cases = [
            (None, "null"),
            (Some("null"), r#""null""#),
            (Some(""), r#""""#),
            (Some("ann"), r#""ann""#),
            (Some("a\nb|\"c\""), r#""a\nb|\"c\"""#),
            (Some("a\0\u{1b}\u{202e}"), r#""a\u0000\u001b\u202e""#),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted(name), expected, "{name:?}");
        }
    }

    #[test]
    fn groups_come_by_name_and_those_of_one_name_are_one() {
        let mut lines = String::new();
        let given = [
            (quoted(Some("b")), counts(3, 1)),
            (quoted(None), counts(1, 0)),
            (quoted(Some("a")), counts(2, 2)),
            (quoted(Some("b")), counts(4, 2)),
            (quoted(Some("c")), counts(0, 0)),
        ];
        groups(&mut lines, "user", given.into_iter());
        assert_eq!(
            lines,
            "user|\"a\"|2|0|2|0|0|0\nuser|\"b\"|7|0|3|4|0|0\nuser|null|1|0|0|1|0|0\n"
        );
    }
}
