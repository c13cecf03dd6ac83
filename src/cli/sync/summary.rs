//! What a sync says of itself: a line for people, or the whole summary for programs.

use std::io;

use crate::cli::error::{CliError, Exit};
use crate::cli::messages::{self, Level};
use crate::cli::{Context, output_failed};
use crate::model::ledger::Counts;
use crate::output::json::{self, Framing, Value};
use crate::output::{self, Cell, Column, Format, Guard, Settings, phrase};
use crate::sync::Summary;
use crate::sync::attempt::ListReport;

/// What there is to say of one run.
pub(super) struct Told {
    pub(super) profile: Option<String>,
    pub(super) outcome: &'static str,
    pub(super) exit: Exit,
    pub(super) summary: Summary,
    /// The head of the hash chain with this sync's link; nothing where its last words could not be written.
    pub(super) head: Option<String>,
}

/// Writes the line to standard error.
pub(super) fn tell(told: &Told, context: &mut Context<'_>) {
    let line = line(told);
    let line = match context.effective.told_name() {
        Some(name) => format!("{name}: {line}"),
        None => line,
    };
    messages::write(context.err, context.global, Level::Result, &line);
    if let Some(head) = &told.head {
        let line = format!("the head of the hash chain is {head}");
        messages::write(context.err, context.global, Level::Detail, &line);
    }
}

/// Writes the summaries to standard output, unless the format is the table, which is the line.
pub(super) fn write(
    format: Format,
    all: &[&Told],
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let objects = || all.iter().map(|told| whole(told)).collect::<Vec<_>>();
    let written = match format {
        Format::Table => Ok(()),
        Format::Json => json::write(context.out, Framing::Array, &objects()),
        Format::Jsonl => json::write(context.out, Framing::Lines, &objects()),
        Format::Csv | Format::Markdown => rows(format, all, context),
    };
    written.map_err(|error| output_failed(&error))
}

fn rows(format: Format, all: &[&Told], context: &mut Context<'_>) -> io::Result<()> {
    let settings = Settings {
        format,
        header: true,
        guard: Guard::On,
        width: None,
        color: false,
    };
    let mut records = output::records(settings, context.out);
    for (place, told) in all.iter().enumerate() {
        let (names, cells): (Vec<_>, Vec<_>) = members(told).into_iter().unzip();
        if place == 0 {
            let columns: Vec<Column> = names.into_iter().map(Column::new).collect();
            records.header(&columns)?;
        }
        records.row(&cells)?;
    }
    records.end()
}

/// What the run is called, and what became of an instance that it read: a backfill vouches for nothing.
pub(super) fn words(summary: &Summary) -> (&'static str, &'static str) {
    if summary.is_backfill {
        ("backfill", "read to the end")
    } else {
        ("sync", "proven")
    }
}

fn line(told: &Told) -> String {
    let summary = &told.summary;
    let counts = summary.counts();
    let (name, done) = words(summary);
    let requests = match summary.requests {
        1 => "1 request".to_owned(),
        number => format!("{number} requests"),
    };
    format!(
        "{name} {}: {}: {} of {} instances {done}; {} new, {} changed, {} missing, {} rejected; {requests}, {}",
        summary.sync_id,
        told.outcome,
        summary.proven(),
        summary.instances.len(),
        counts.new,
        counts.changed,
        counts.missing,
        counts.rejected,
        phrase::duration(summary.finished.distance(summary.started)),
    )
}

fn number(number: u64) -> Cell {
    Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn counted(counts: Counts) -> [(&'static str, Cell); 7] {
    [
        ("new", counts.new),
        ("changed", counts.changed),
        ("same", counts.same),
        ("older", counts.older),
        ("rejected", counts.rejected),
        ("missing", counts.missing),
        ("reappeared", counts.reappeared),
    ]
    .map(|(name, count)| (name, number(count)))
}

/// The summary with the names of the `syncs` view.
fn members(told: &Told) -> Vec<(&'static str, Cell)> {
    let summary = &told.summary;
    let lists = || summary.list.iter().chain(&summary.instances);
    let walks = lists().map(|report| u64::from(report.walks)).sum();
    let proven = lists().filter(|report| report.end.is_proven()).count();
    let mut members = vec![
        ("sync_id", Cell::Integer(summary.sync_id)),
        ("started_at", Cell::text(summary.started.to_string())),
        ("finished_at", Cell::text(summary.finished.to_string())),
        ("outcome", Cell::text(told.outcome)),
        ("exit_code", number(u64::from(told.exit.code()))),
        ("version", Cell::text(env!("CARGO_PKG_VERSION"))),
        ("instances", number(summary.instances.len() as u64)),
        ("walks", number(walks)),
        ("proven", number(proven as u64)),
        ("requests", number(summary.requests)),
        ("retries", number(summary.retries)),
    ];
    members.extend(counted(summary.counts()));
    let profile = told.profile.as_deref();
    members.push(("profile", profile.map_or(Cell::Null, Cell::text)));
    members.push(("head", told.head.as_deref().map_or(Cell::Null, Cell::text)));
    members
}

/// The same with what the list of instances came to, under `list`, and each instance, under `results`.
fn whole(told: &Told) -> Value {
    let summary = &told.summary;
    let object = |members: Vec<(&'static str, Cell)>| {
        members
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), Value::Cell(cell)))
            .collect::<Vec<_>>()
    };
    let end = |report: &ListReport| {
        vec![
            ("outcome", Cell::text(report.end.as_str())),
            ("reason", Cell::text(report.reason.as_str())),
            ("walks", number(u64::from(report.walks))),
        ]
    };
    let results = summary.instances.iter().map(|report| {
        let id = report.list.instance_id().unwrap_or_default();
        let mut members = vec![("instance_id", Cell::text(id))];
        members.extend(end(report));
        members.extend(counted(report.counts));
        Value::Object(object(members))
    });
    let list = summary.list.as_ref().map(|report| {
        let mut members = end(report);
        members.extend(counted(report.counts));
        Value::Object(object(members))
    });
    let mut all = object(members(told));
    all.push(("list".to_owned(), list.unwrap_or(Value::Cell(Cell::Null))));
    all.push(("results".to_owned(), Value::Array(results.collect())));
    Value::Object(all)
}
