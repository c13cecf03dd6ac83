//! How much was done when, by operation and by user.

use super::{chapter, table, values};
use crate::cli::report::gather::{Counted, Report};
use crate::cli::report::say::{
    self, cell, code, figures, heading, number, number_cell, optional, toned,
};
use crate::output::Cell;
use crate::output::document::{
    Block, Chart, Drawing, Heading, Section, Series, Shown, Stacks, Table, Tone,
};
use crate::output::json::Value;
use crate::report::stats::{Counts, Cut};

/// The measures of a group, as people see them.
pub(super) fn measures(counts: &Counts) -> [Shown; 6] {
    [
        number(counts.tasks),
        number(counts.succeeded),
        toned(counts.failed, Tone::Bad),
        number(counts.ended()),
        toned(counts.open, Tone::Doubtful),
        toned(counts.missing, Tone::Doubtful),
    ]
}

pub(super) fn measured(counts: &Counts) -> [Cell; 6] {
    [
        number_cell(counts.tasks),
        number_cell(counts.succeeded),
        number_cell(counts.failed),
        number_cell(counts.ended()),
        number_cell(counts.open),
        number_cell(counts.missing),
    ]
}

pub(super) const MEASURES: [Heading; 6] = [
    figures("Tasks"),
    figures("Succeeded"),
    figures("Failed"),
    figures("Other"),
    figures("Open"),
    figures("Missing"),
];

fn series(counted: &[Counted]) -> Vec<Series> {
    let one = |name, tone, value: fn(&Counts) -> u64| Series {
        name,
        tone,
        values: counted.iter().map(|one| value(&one.counts)).collect(),
    };
    vec![
        one("succeeded", Tone::Good, |counts| counts.succeeded),
        one("failed", Tone::Bad, |counts| counts.failed),
        one("ended otherwise", Tone::Plain, Counts::ended),
        one("open", Tone::Doubtful, |counts| counts.open),
    ]
}

pub(super) fn activity(report: &Report) -> Section {
    let (over_time, pieces) = by_time(report);
    let (by_operation, operations) = by_operation(report);
    chapter(
        "activity",
        "Activity",
        vec![
            Block::Figure(over_time, pieces),
            Block::Figure(by_operation, operations),
        ],
    )
}

/// What there is to say where there was no task.
const NONE: &str = "No task was created in this period.";

fn by_time(report: &Report) -> (Chart, Table) {
    let (title, unit, columns): (_, _, &'static [&'static str]) = match report.cut {
        Cut::Day => (
            "Tasks a day",
            "Day",
            &[
                "day",
                "tasks",
                "succeeded",
                "failed",
                "ended",
                "open",
                "missing",
            ],
        ),
        Cut::Week => (
            "Tasks a week",
            "Week",
            &[
                "week",
                "tasks",
                "succeeded",
                "failed",
                "ended",
                "open",
                "missing",
            ],
        ),
        Cut::Month => (
            "Tasks a month",
            "Month",
            &[
                "month",
                "tasks",
                "succeeded",
                "failed",
                "ended",
                "open",
                "missing",
            ],
        ),
    };
    let mut headings = vec![code(unit)];
    headings.extend(MEASURES);
    let mut pieces = table("activity", headings, columns, NONE);
    // The chart has every day; a table of empty rows would be long and say nothing.
    for piece in report.pieces.iter().filter(|piece| piece.counts.tasks > 0) {
        let mut row = vec![optional(piece.name.as_deref())];
        row.extend(measures(&piece.counts));
        let mut data = vec![Value::Cell(cell(piece.name.as_deref()))];
        data.extend(values(measured(&piece.counts)));
        pieces.add(row, data);
    }
    let over_time = Chart {
        title: title.to_owned(),
        drawing: Drawing::Columns(Stacks {
            labels: report.pieces.iter().map(label).collect(),
            series: series(&report.pieces),
        }),
    };
    (over_time, pieces)
}

fn by_operation(report: &Report) -> (Chart, Table) {
    let mut operations = grouped(
        ("operations", "Operation", &OPERATION),
        &report.operations,
        say::operation,
    );
    "By operation; how long they took is of those that ended".clone_into(&mut operations.caption);
    let by_operation = Chart {
        title: "How tasks ended, by operation".to_owned(),
        drawing: Drawing::Bars(Stacks {
            labels: report
                .operations
                .iter()
                .map(|one| say::operation(one.name.as_deref()).text)
                .collect(),
            series: series(&report.operations),
        }),
    };
    (by_operation, operations)
}

fn label(piece: &Counted) -> String {
    piece.name.clone().unwrap_or_default()
}

const OPERATION: [&str; 9] = [
    "name",
    "tasks",
    "succeeded",
    "failed",
    "ended",
    "open",
    "missing",
    "median_ms",
    "max_ms",
];

const USER: [&str; 9] = {
    let mut columns = OPERATION;
    columns[0] = "user_name";
    columns
};

/// A table of groups: its name, the heading of what they have in common, and its columns; how a name is said.
fn grouped(
    (name, common, columns): (&'static str, &'static str, &'static [&'static str]),
    groups: &[Counted],
    say: impl Fn(Option<&str>) -> Shown,
) -> Table {
    let mut headings = vec![heading(common)];
    headings.extend(MEASURES);
    headings.extend([figures("Median"), figures("Longest")]);
    let mut table = table(name, headings, columns, NONE);
    for one in groups {
        let mut row = vec![say(one.name.as_deref())];
        row.extend(measures(&one.counts));
        let durations = one.durations;
        let (median, max) = (
            durations.map(|durations| durations.median),
            durations.map(|durations| durations.max),
        );
        row.extend([say::duration(median), say::duration(max)]);
        let mut data = vec![Value::Cell(cell(one.name.as_deref()))];
        data.extend(values(measured(&one.counts)));
        let millis = |millis: Option<i64>| millis.map_or(Cell::Null, Cell::Integer);
        data.extend(values([millis(median), millis(max)]));
        table.add(row, data);
    }
    table
}

pub(super) fn users(report: &Report) -> Section {
    let users = grouped(("users", "User", &USER), &report.users, optional);
    chapter("users", "By user", vec![Block::Table(users)])
}
