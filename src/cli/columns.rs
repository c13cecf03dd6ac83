//! What each column means, for `--help` and the manual: said once for all views that have it.

use std::fmt::Write as _;

use clap::Command;

use super::coverage::spans;
use super::{doctor, state, stats};
use crate::output::text::wrap;
use crate::store::read::View;

/// Where help is wrapped: a terminal of 80 columns, without its last one.
const WIDTH: usize = 79;

/// The kinds of records that a command prints: what they are called there, and their columns.
type Printed = (&'static str, &'static [&'static str]);

const PRINTED: [(&str, &[Printed]); 8] = [
    ("list", &[("tasks", View::Tasks.columns())]),
    ("changes", &[("changes", View::Changes.columns())]),
    (
        "show",
        &[
            ("changes", View::TaskChanges.columns()),
            ("revisions", View::Revisions.columns()),
        ],
    ),
    (
        "state",
        &[
            ("attributes", &state::COLUMNS),
            ("--breaks", &state::breaks::COLUMNS),
        ],
    ),
    ("stats", &[("groups", &stats::COLUMNS)]),
    (
        "instances",
        &[
            ("instances", View::Instances.columns()),
            ("--history", View::InstanceRevisions.columns()),
        ],
    ),
    (
        "coverage",
        &[
            ("spans", &spans::COLUMNS),
            ("--walks", View::Walks.columns()),
            ("--drift", View::Drift.columns()),
        ],
    ),
    ("doctor", &[("report", &doctor::COLUMNS)]),
];

/// A column's name and meaning, in these kinds of records or, if none is named, in all that have it.
struct Meaning(&'static [&'static str], &'static str, &'static str);

/// Of several that fit, the first counts.
const MEANINGS: &[Meaning] = &[
    Meaning(
        &["attributes"],
        "attribute",
        "its name in `changes`, or in the list of instances",
    ),
    Meaning(&["attributes"], "value", "null: unknown, or none any more"),
    Meaning(&["attributes"], "since", "the end of the task that set it"),
    Meaning(&["attributes"], "task_id", "that task"),
    Meaning(&["attributes"], "name", "that task's operation"),
    Meaning(
        &["attributes"],
        "user_name",
        "who asked for it: the name, or else the id",
    ),
    Meaning(
        &["attributes"],
        "certainty",
        "vouched, caught_up, as_of, inherited, gap, contradicted, inferred, listed, unknown; pending: of a task under way",
    ),
    Meaning(&["attributes"], "as_of", "up to when that holds"),
    Meaning(
        &["attributes"],
        "listed_value",
        "what the list of instances tells of it",
    ),
    Meaning(&["attributes"], "listed_at", "when it was last told"),
    Meaning(
        &["attributes", "--breaks"],
        "note",
        "what else there is to know",
    ),
    Meaning(&["--breaks"], "attribute", "what does not fit together"),
    Meaning(&["--breaks"], "since", "the end of the earlier task"),
    Meaning(&["--breaks"], "until", "the beginning of the later one"),
    Meaning(&["--breaks"], "left_value", "what the earlier one left"),
    Meaning(&["--breaks"], "found_value", "what the later one found"),
    Meaning(&["--breaks"], "earlier_task_id", "the earlier one"),
    Meaning(&["--breaks"], "later_task_id", "the later one"),
    Meaning(
        &["--breaks"],
        "state",
        "the weakest state of `coverage` between the two",
    ),
    Meaning(&["groups"], "day", "the day of creation, 2026-10-01"),
    Meaning(&["groups"], "week", "its week by ISO 8601, 2026-W40"),
    Meaning(&["groups"], "month", "its month, 2026-10"),
    Meaning(&["groups"], "tasks", "how many tasks"),
    Meaning(&["groups"], "succeeded", "of these, those that did it"),
    Meaning(&["groups"], "failed", "those that failed"),
    Meaning(&["groups"], "open", "those that are not final"),
    Meaning(
        &["groups"],
        "missing",
        "of all, those that the cloud no longer lists",
    ),
    Meaning(
        &["groups"],
        "timed",
        "those that ended and whose times can be believed",
    ),
    Meaning(
        &["groups"],
        "median_ms",
        "what half of the timed ones did not exceed",
    ),
    Meaning(&["groups"], "p95_ms", "what 95 of a hundred did not exceed"),
    Meaning(&["groups"], "max_ms", "how long the longest took"),
    Meaning(
        &["groups"],
        "operation",
        "the same in plain words, if it is documented",
    ),
    Meaning(
        &[],
        "task_key",
        "the task's number in this archive, for joins",
    ),
    Meaning(&[], "project_id", "the project of the instance"),
    Meaning(
        &["--walks"],
        "instance_id",
        "the instance; null: the list of instances",
    ),
    Meaning(&[], "instance_id", "the instance"),
    Meaning(&[], "task_id", "the task's id, as the cloud sent it"),
    Meaning(&[], "instance_name", "the instance's name, if it is known"),
    Meaning(
        &["instances"],
        "name",
        "the instance's name, if it is known",
    ),
    Meaning(&["--history"], "name", "its name then"),
    Meaning(&["report"], "name", "what is told"),
    Meaning(&[], "name", "the operation, as the cloud calls it"),
    Meaning(&["revisions", "--history"], "status", "its status then"),
    Meaning(
        &["instances"],
        "status",
        "the instance's status, if it is known",
    ),
    Meaning(&[], "status", "how it stands or ended, as sent"),
    Meaning(&[], "is_final", "1: the task will not change any more"),
    Meaning(&[], "user_id", "who asked for it: the id"),
    Meaning(&[], "user_name", "who asked for it: the name"),
    Meaning(
        &["instances", "--history"],
        "created_at",
        "when it was made, if that is known",
    ),
    Meaning(&[], "created_at", "when the task began"),
    Meaning(
        &["revisions", "--history"],
        "updated_at",
        "its last change then",
    ),
    Meaning(&[], "updated_at", "when it last changed"),
    Meaning(&["spans"], "duration_ms", "its length in milliseconds"),
    Meaning(
        &["spans"],
        "reason",
        "on what that rests, or what was in doubt",
    ),
    Meaning(&[], "scope", "instance, list (of instances) or all"),
    Meaning(
        &[],
        "state",
        "vouched, caught_up, inherited, gap, closed, before",
    ),
    Meaning(&[], "since", "where it begins; null: at the beginning"),
    Meaning(&[], "until", "where it ends"),
    Meaning(&[], "widest_ms", "the longest time between two walks in it"),
    Meaning(
        &[],
        "duration_ms",
        "milliseconds from one to the other; null unless final",
    ),
    Meaning(&[], "params", "the parameters, as sent"),
    Meaning(&[], "error_code", "the cloud's code of a failure"),
    Meaning(&[], "revisions", "how many states of it were seen"),
    Meaning(&["--drift"], "first_seen_at", "when it was first met"),
    Meaning(
        &["instances"],
        "first_seen_at",
        "the first walk that showed it",
    ),
    Meaning(
        &["instances"],
        "last_seen_at",
        "the last walk that showed it",
    ),
    Meaning(&[], "first_seen_at", "the walk that first showed it"),
    Meaning(&[], "last_seen_at", "the last walk known to have shown it"),
    Meaning(
        &[],
        "vouched_at",
        "up to when the archive knows its instance",
    ),
    Meaning(&[], "missing_since", "the proven walk that first lacked it"),
    Meaning(&[], "missing_confirmed_at", "the proven walk that agreed"),
    Meaning(&[], "missing_as", "aged_out (among the oldest) or removed"),
    Meaning(&[], "reappeared_at", "the walk in which it was back"),
    Meaning(&[], "source", "where it was stated: details or params"),
    Meaning(
        &[],
        "attribute",
        "what is set or changed; old_x and new_x are x",
    ),
    Meaning(&[], "old_value", "the value before"),
    Meaning(&[], "new_value", "the value after"),
    Meaning(&[], "revision", "1, 2, … in the order seen"),
    Meaning(&[], "is_current", "1: the one that counts"),
    Meaning(&[], "observed_at", "the walk that saw it"),
    Meaning(
        &["--drift"],
        "sync_id",
        "the sync that met it; null: `doctor` did",
    ),
    Meaning(&[], "sync_id", "the sync's number"),
    Meaning(&[], "raw_sha256", "the record's SHA-256"),
    Meaning(&[], "raw", "the record's text, exactly as received"),
    Meaning(&[], "walk_id", "the walk's number"),
    Meaning(&[], "attempt", "1 to 4 within its sync"),
    Meaning(
        &["--drift"],
        "kind",
        "field, status, operation, type or upstream",
    ),
    Meaning(&[], "kind", "full, incremental, backfill or instances"),
    Meaning(
        &[],
        "window_start",
        "where the query begins; null: at the beginning",
    ),
    Meaning(&[], "window_end", "where it ends; null: open"),
    Meaning(&[], "started_at", "when it began, by the server's clock"),
    Meaning(&[], "finished_at", "when it ended"),
    Meaning(&[], "proven", "1: it saw everything"),
    Meaning(&[], "reason", "on what evidence, or what was in doubt"),
    Meaning(&[], "requests", "how many were sent"),
    Meaning(
        &[],
        "server_total",
        "the largest count that the cloud named",
    ),
    Meaning(&[], "received", "how many records came"),
    Meaning(&[], "new", "tasks (or instances) never seen before"),
    Meaning(&[], "changed", "those with a new state"),
    Meaning(&[], "same", "those seen unchanged"),
    Meaning(&[], "older", "those seen in a state that does not count"),
    Meaning(&[], "rejected", "records that could not be read"),
    Meaning(
        &[],
        "missing",
        "tasks first lacked; instances known and not listed",
    ),
    Meaning(&[], "reappeared", "those that were missing and are back"),
    Meaning(&[], "mark_before", "the instance's mark before"),
    Meaning(&[], "mark_after", "and after"),
    Meaning(&[], "error", "what ended the walk early"),
    Meaning(&[], "engine", "what it runs, if that is known"),
    Meaning(&[], "engine_version", "in which version"),
    Meaning(&[], "spec_code", "its specification"),
    Meaning(&[], "capacity_gb", "its memory, in GB"),
    Meaning(&[], "gone_at", "when it was established that it is gone"),
    Meaning(&[], "last_proven_at", "when its last proven walk began"),
    Meaning(&[], "last_full_at", "when its last proven full walk began"),
    Meaning(
        &[],
        "high_water_mark",
        "the latest change that a proven walk saw",
    ),
    Meaning(&[], "tasks", "how many tasks it has here"),
    Meaning(&[], "open_tasks", "how many of them are not final"),
    Meaning(&[], "missing_tasks", "how many the cloud no longer lists"),
    Meaning(&[], "left_out", "1: the last sync was told not to read it"),
    Meaning(
        &[],
        "section",
        "program, configuration, credentials, endpoint, clock, permission, upstream, archive",
    ),
    Meaning(&[], "value", "what it is; never a secret"),
    Meaning(
        &[],
        "note",
        "where it comes from, on what it rests, or what follows",
    ),
    Meaning(&[], "what", "what was met"),
    Meaning(&[], "sample", "a piece of it, as sent"),
];

/// A name and what it means.
type Explained = (&'static str, &'static str);

/// Returns what a command prints, each kind of records with its columns and their meanings.
pub(crate) fn of(command: &str) -> Vec<(&'static str, Vec<Explained>)> {
    let printed = PRINTED.iter().find(|(name, _)| *name == command);
    let kinds = printed.map_or(&[][..], |(_, kinds)| kinds);
    let explained = kinds.iter().map(|(kind, columns)| {
        let columns = columns.iter();
        let columns = columns.filter_map(|name| Some((*name, meaning(kind, name)?)));
        (*kind, columns.collect())
    });
    explained.collect()
}

fn meaning(kind: &str, column: &str) -> Option<&'static str> {
    let fits = |one: &&Meaning| one.1 == column && (one.0.is_empty() || one.0.contains(&kind));
    MEANINGS.iter().find(fits).map(|one| one.2)
}

/// Puts the columns before the examples of every command that prints records, in its long help.
pub(crate) fn explained(command: Command) -> Command {
    PRINTED.iter().fold(command, |command, (name, _)| {
        command.mut_subcommand(name, |command| {
            let examples = command.get_after_help().map(ToString::to_string);
            let help = format!("{}{}", table(name), examples.unwrap_or_default());
            command.after_long_help(help)
        })
    })
}

fn table(command: &str) -> String {
    let mut help = String::new();
    for (title, columns) in of(command) {
        let names = columns.iter().map(|(name, _)| name.len());
        let indent = names.max().unwrap_or_default() + 4;
        // A string takes whatever is written to it.
        let _infallible = writeln!(help, "Columns ({title}):");
        for (name, meaning) in columns {
            for (index, part) in wrap(meaning, WIDTH - indent).into_iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                let width = indent - 2;
                let _infallible = writeln!(help, "  {name:width$}{part}");
            }
        }
        help.push('\n');
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_is_printed_has_a_meaning_and_no_meaning_is_left_over() {
        let kinds = || PRINTED.iter().flat_map(|(_, kinds)| *kinds);
        for (kind, columns) in kinds() {
            for column in *columns {
                assert!(meaning(kind, column).is_some(), "{kind}: {column}");
            }
        }
        for one in MEANINGS {
            let mut printed = kinds().filter(|(_, columns)| columns.contains(&one.1));
            assert!(
                printed.any(|(kind, _)| meaning(kind, one.1) == Some(one.2)),
                "{}: {} explains nothing that is printed",
                one.1,
                one.2
            );
        }
    }

    #[test]
    fn the_table_of_columns_fits_a_terminal() {
        for (command, _) in PRINTED {
            for line in table(command).lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }
}
