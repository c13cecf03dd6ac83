//! Lists of tasks: those that failed, took long, concern exposure, only ended in the period, or are no longer listed.

use super::{chapter, table, text, values};
use crate::cli::report::gather::Report;
use crate::cli::report::say::{
    self, Say, anchor, cell, changed, code, figures, heading, nothing, optional, stated, status,
    time_cell,
};
use crate::model::fact::{Change, Outcome};
use crate::output::Cell;
use crate::output::document::{Block, Heading, Section, Shown, Tone};
use crate::output::json::Value;
use crate::output::phrase;
use crate::report::audit::{Entries, Entry};

/// A task as data, in every list that has whole tasks.
pub(super) const TASK: &[&str] = &[
    "project_id",
    "instance_id",
    "instance_name",
    "task_id",
    "name",
    "status",
    "outcome",
    "user_name",
    "created_at",
    "updated_at",
    "took_ms",
    "error_code",
    "missing_since",
    "missing_confirmed",
    "missing_as",
    "changes",
];

pub(super) fn task(report: &Report, entry: &Entry) -> Vec<Value> {
    let instance = &report.survey.lanes[entry.instance].instance;
    let change = &entry.change;
    let missing = change.missing.as_ref();
    let mut data = values([
        Cell::text(&instance.key.project_id),
        Cell::text(&instance.key.instance_id),
        cell(instance.name.as_deref()),
        Cell::text(&change.task_id),
        cell(change.name.as_deref()),
        cell(change.status.as_deref()),
        Cell::text(match change.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::Ended => "ended",
            Outcome::Open => "open",
        }),
        cell(change.user_name.as_deref()),
        time_cell(change.created),
        time_cell(change.updated),
        change
            .took(report.scope.server_now)
            .map_or(Cell::Null, Cell::Integer),
        cell(change.error_code.as_deref()),
        time_cell(missing.map(|missing| missing.since)),
        missing.map_or(Cell::Null, |missing| {
            Cell::Integer(i64::from(missing.is_confirmed))
        }),
        cell(missing.and_then(|missing| missing.looks.as_deref())),
    ]);
    data.push(stated(change));
    data
}

pub(super) fn took(report: &Report, change: &Change) -> Shown {
    let took = change.took(report.scope.server_now);
    let shown = say::duration(took);
    if took.is_some_and(|took| took > report.asked.long) {
        shown.toned(Tone::Doubtful)
    } else {
        shown
    }
}

pub(super) fn of(report: &Report, say: &Say<'_>, entry: &Entry) -> Shown {
    let name = say.instance(&report.survey.lanes[entry.instance].instance);
    let shown = Shown::new(name);
    if report.facts.instances[entry.instance].counts.tasks > 0 {
        shown.linked(anchor(entry.instance))
    } else {
        shown
    }
}

/// A chapter that is one list of tasks, with a column of its own.
pub(super) fn list(
    report: &Report,
    say: &Say<'_>,
    name: &'static str,
    entries: &Entries,
    own: (Heading, &dyn Fn(&Entry) -> Shown),
    none: &str,
) -> Block {
    let headings = vec![
        code("Created"),
        heading("Instance"),
        heading("Operation"),
        heading("User"),
        own.0,
        heading("Outcome"),
        figures("Took"),
    ];
    let mut table = table(name, headings, TASK, none);
    table.total = entries.total();
    for entry in entries.kept() {
        let change = &entry.change;
        table.rows.push(vec![
            say.time(change.created),
            of(report, say, entry),
            say::operation(change.name.as_deref()),
            optional(change.user_name.as_deref()),
            own.1(entry),
            status(change),
            took(report, change),
        ]);
        table.data.push(task(report, entry));
    }
    Block::Table(table)
}

pub(super) fn failures(report: &Report, say: &Say<'_>) -> Section {
    let error = |entry: &Entry| optional(entry.change.error_code.as_deref());
    let words = "Tasks of the period that failed. They are taken to have changed nothing, which is an inference.";
    chapter(
        "failures",
        "Failures",
        vec![
            text(words),
            list(
                report,
                say,
                "failures",
                &report.facts.failures,
                (code("Error"), &error),
                "No task of the period failed.",
            ),
        ],
    )
}

pub(super) fn long(report: &Report, say: &Say<'_>) -> Section {
    let words = format!(
        "Tasks that took longer than {0}, or have been open for longer than that at the last reading; also those that were created before the period and are still open.",
        say::length(report.asked.long)
    );
    let what = |entry: &Entry| changed(&entry.change);
    chapter(
        "long",
        "Long and stuck tasks",
        vec![
            text(words),
            list(
                report,
                say,
                "long_tasks",
                &report.facts.long,
                (heading("What changed"), &what),
                "There is none.",
            ),
        ],
    )
}

pub(super) fn exposure(report: &Report, say: &Say<'_>) -> Section {
    let what = |entry: &Entry| {
        let found = entry.exposures.iter();
        let said: Vec<_> = found
            .map(|one| {
                let values = phrase::change(one.old.as_deref(), one.new.as_deref());
                let kind = one.kind.as_str();
                let turn = one.turn.as_str();
                if values.is_empty() {
                    format!("{kind} {turn}")
                } else {
                    format!("{kind} {turn}: {values}")
                }
            })
            .collect();
        Shown::lines(said).unwrap_or_else(nothing)
    };
    let words = "Tasks that concern who can reach an instance: public access, IP whitelist, TLS, port, password, accounts. Those \
        that failed are listed too, and changed nothing as far as can be told.";
    chapter(
        "exposure",
        "Changes of exposure",
        vec![
            text(words),
            list(
                report,
                say,
                "exposure",
                &report.facts.exposures,
                (heading("What"), &what),
                "No task of the period concerns who can reach an instance.",
            ),
        ],
    )
}

pub(super) fn finished(report: &Report, say: &Say<'_>) -> Section {
    let ended = |entry: &Entry| say.time(entry.change.updated);
    chapter(
        "finished",
        "Created before, ended in the period",
        vec![
            text(
                "These are not counted among the tasks of the period, which are those that were created in it.",
            ),
            list(
                report,
                say,
                "finished",
                &report.facts.finished,
                (code("Ended"), &ended),
                "There is none.",
            ),
        ],
    )
}

pub(super) fn undated(report: &Report, say: &Say<'_>) -> Section {
    let seen = |entry: &Entry| say.time(entry.change.first_seen);
    chapter(
        "undated",
        "Tasks without a time of creation",
        vec![
            text(
                "The cloud sent no time of creation that can be read. They were created before they were first seen, and so perhaps in the period.",
            ),
            list(
                report,
                say,
                "undated",
                &report.facts.undated,
                (code("First seen"), &seen),
                "There is none.",
            ),
        ],
    )
}

pub(super) fn missing(report: &Report, say: &Say<'_>) -> Section {
    let since = |entry: &Entry| {
        let Some(missing) = &entry.change.missing else {
            return nothing();
        };
        let looks = match missing.looks.as_deref() {
            Some("aged_out") => "aged out",
            Some("removed") => "removed",
            _ => "not told apart yet",
        };
        let confirmed = if missing.is_confirmed {
            ""
        } else {
            ", not confirmed yet"
        };
        let tone = if looks == "removed" {
            Tone::Bad
        } else {
            Tone::Plain
        };
        Shown::new(format!(
            "{} ({looks}{confirmed})",
            say.moment(missing.since)
        ))
        .toned(tone)
    };
    let words = "Records of the period that the cloud no longer lists, and older ones that were missed in it. Aged out: older ones \
        are gone as well. Removed: older ones are still listed, so this one was taken out. The archive has kept what each said.";
    chapter(
        "missing",
        "Records that are no longer listed",
        vec![
            text(words),
            list(
                report,
                say,
                "missing",
                &report.facts.missing,
                (heading("Missing since"), &since),
                "The cloud still lists every record of the period.",
            ),
        ],
    )
}
