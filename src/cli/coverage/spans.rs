//! `coverage` without a switch: every stretch of time with its state.

use rusqlite::Connection;

use super::CoverageArgs;
use super::survey::{self, Scope, Told};
use crate::cli::error::{CliError, Exit};
use crate::cli::listing::{self, Field, Look, Made};
use crate::cli::{Context, instance_arg};
use crate::model::coverage::State;
use crate::model::time::Timestamp;
use crate::output::Cell;

/// The columns of a span.
pub(crate) const COLUMNS: [&str; 10] = [
    "scope",
    "project_id",
    "instance_id",
    "instance_name",
    "state",
    "since",
    "until",
    "duration_ms",
    "widest_ms",
    "reason",
];

/// What a line shows of a span.
pub(crate) const FIELDS: [Field; 6] = [
    Field::new(
        "instance",
        &["instance_id", "instance_name", "scope"],
        whose,
    )
    .rigid(),
    Field::new("state", &["state"], state).rigid(),
    Field::new("since", &["since"], bound).rigid(),
    Field::new("until", &["until"], bound).rigid(),
    Field::new("length", &["duration_ms"], listing::elapsed).rigid(),
    Field::new("reason", &["reason"], listing::plain).wrapped(),
];

pub(super) fn print(
    args: &CoverageArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let named = instance_arg::resolve(archive, &args.instance)?;
    let now = (context.now)();
    let mut period = args.period.window(now)?;
    period.until = period.until.or(Some(now));
    let survey = survey::survey(archive, &named, args.rules.rules(), period)?;
    let mut told = survey.parts.clone();
    if survey.instances != 1 || named.is_empty() {
        told.extend(survey.overall());
    }
    if args.gaps {
        told.retain(|span| matches!(span.state, State::Gap | State::Inherited));
    }
    let rows = told.into_iter().map(row).collect();
    let nothing = if args.gaps {
        "no gap"
    } else {
        "nothing was read yet"
    };
    let made = Made {
        known: &COLUMNS,
        hidden: &[],
        fields: &FIELDS,
        nothing,
    };
    listing::print_rows(&made, rows, &args.output, archive, context)?;
    Ok(Exit::Done)
}

/// Returns the cells of the columns of a span.
pub(crate) fn row(told: Told) -> Vec<Cell> {
    let optional = |text: Option<String>| text.map_or(Cell::Null, Cell::Text);
    let time = |time: Option<Timestamp>| optional(time.map(|time| time.to_string()));
    let number = |number: Option<i64>| number.map_or(Cell::Null, Cell::Integer);
    let scope = Cell::text(told.scope.as_str());
    let (project_id, instance_id, name) = match told.scope {
        Scope::Instance(instance) => (
            Some(instance.key.project_id),
            Some(instance.key.instance_id),
            instance.name,
        ),
        Scope::List(project_id) => (Some(project_id), None, None),
        Scope::All => (None, None, None),
    };
    vec![
        scope,
        optional(project_id),
        optional(instance_id),
        optional(name),
        Cell::text(told.state.as_str()),
        time(told.window.since),
        time(told.window.until),
        number(told.window.length()),
        number(told.widest),
        Cell::Text(told.reason),
    ]
}

/// Whose span it is: an instance as everywhere, and words for what is none.
fn whose(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Null, _, Cell::Text(scope)] if scope == "list" => Cell::text("(their list)"),
        [Cell::Null, _, _] => Cell::text("(all)"),
        _ => listing::instance(read, look),
    }
}

/// A state in words.
fn state(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Text(state)] => Cell::Text(state.replace('_', " ")),
        _ => listing::plain(read, look),
    }
}

/// A bound: to the minute on a terminal.
fn bound(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Null] => Cell::text("…"),
        _ => listing::minute(read, look),
    }
}
