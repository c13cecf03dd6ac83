//! Where the tasks of an instance do not fit together, and whether the archive vouches for the time between: `state --breaks`,
//! and the notes of `verify`.

use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::listing::{self, Field, Look, Made};
use crate::cli::output_args::OutputArgs;
use crate::model::coverage::{self, Ledger, Rules, State, Window};
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::output::phrase;
use crate::report::continuity::{self, Break};
use crate::store;
use crate::store::facts;
use crate::store::filter::InstanceKey;
use crate::store::history;
use crate::store::ledger::{self, Around};
use crate::store::read;

/// The columns of a break.
pub(crate) const COLUMNS: [&str; 13] = [
    "project_id",
    "instance_id",
    "instance_name",
    "source",
    "attribute",
    "since",
    "left_value",
    "earlier_task_id",
    "until",
    "found_value",
    "later_task_id",
    "state",
    "note",
];

/// Those that tell of the two tasks, without what the archive vouches for between them.
pub(crate) const TASKS: &[&str] = COLUMNS.split_at(11).0;

/// What a line shows of a break.
const FIELDS: [Field; 7] = [
    Field::new(
        "instance",
        &["instance_id", "instance_name"],
        listing::instance,
    )
    .rigid(),
    Field::new("attribute", &["source", "attribute"], attribute),
    Field::new("since", &["since"], listing::minute).rigid(),
    Field::new("left", &["left_value"], listing::plain),
    Field::new("until", &["until"], listing::minute).rigid(),
    Field::new("found", &["found_value"], listing::plain),
    Field::new("note", &["note"], listing::plain).wrapped(),
];

pub(super) fn print(
    named: &[InstanceKey],
    rules: Rules,
    args: &OutputArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let made = Made {
        known: &COLUMNS,
        hidden: &[],
        fields: &FIELDS,
        nothing: "no break: every task found what the one before it left",
    };
    let now = (context.now)();
    if args.sort.is_some() {
        let mut rows = Vec::new();
        each(archive, named, rules, now, |row| {
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        })?;
        return listing::print_rows(&made, rows, args, archive, context);
    }
    listing::print_made(&made, None, args, archive, context, |row| {
        each(archive, named, rules, now, row)
    })
}

/// Hands over the breaks of these instances, or of all if none is named, in the order of instances and of time, each as a
/// row of all columns. The tasks of one instance at a time are in memory.
pub(crate) fn each(
    archive: &Connection,
    named: &[InstanceKey],
    rules: Rules,
    now: Timestamp,
    mut take: impl FnMut(Vec<Cell>) -> Result<ControlFlow<()>, CliError>,
) -> Result<(), CliError> {
    let server_now = facts::read_until(archive)?.unwrap_or(now);
    let mut instances = read::instances(archive)?;
    instances.retain(|instance| named.is_empty() || named.contains(&instance.key));
    for instance in instances {
        let rows = of_instance(archive, &instance, rules, server_now, |found, state| {
            row(&instance, found, state)
        })?;
        for one in rows {
            if take(one)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Makes something of each break of one instance, in the order of time, and of the weakest state of the time between the
/// two tasks; that is nothing where there is no time between them.
pub(crate) fn of_instance<T>(
    archive: &Connection,
    instance: &read::Instance,
    rules: Rules,
    server_now: Timestamp,
    make: impl Fn(&Break<'_>, Option<State>) -> T,
) -> Result<Vec<T>, store::Error> {
    let changes = history::changes(archive, &instance.key)?;
    let breaks = continuity::breaks(&changes, server_now);
    if breaks.is_empty() {
        // Most have none, and years of walks need not be read to say so.
        return Ok(Vec::new());
    }
    let key = std::slice::from_ref(&instance.key);
    let around = Around::of(Window::default(), rules);
    let known = ledger::instances(archive, key, around)?.pop();
    let ledger = known.map(|known| known.ledger).unwrap_or_default();
    let made = breaks
        .iter()
        .map(|found| make(found, between(&ledger, found, rules)));
    Ok(made.collect())
}

fn row(instance: &read::Instance, found: &Break<'_>, state: Option<State>) -> Vec<Cell> {
    vec![
        Cell::text(&instance.key.project_id),
        Cell::text(&instance.key.instance_id),
        instance.name.as_ref().map_or(Cell::Null, Cell::text),
        Cell::text(found.attribute.source.as_str()),
        Cell::text(found.attribute.name),
        Cell::Text(found.since.to_string()),
        Cell::text(found.left),
        Cell::text(&found.earlier.task_id),
        Cell::Text(found.until.to_string()),
        Cell::text(found.found),
        Cell::text(&found.later.task_id),
        state.map_or(Cell::Null, |state| Cell::text(state.as_str())),
        Cell::text(meaning(state)),
    ]
}

fn between(ledger: &Ledger, found: &Break<'_>, rules: Rules) -> Option<State> {
    let window = Window {
        since: Some(found.since),
        until: Some(found.until),
    };
    let spans = coverage::cover(ledger, rules, window);
    spans.iter().map(|span| span.state).max()
}

/// What a break means, by what the archive can vouch for.
pub(crate) const fn meaning(state: Option<State>) -> &'static str {
    match state {
        None | Some(State::Vouched | State::CaughtUp | State::Closed | State::Before) => {
            "every record of that time is here: it was changed without a task, or by one that was deleted between two walks"
        }
        Some(State::Inherited) => {
            "the record of a change may have been deleted before the first proven walk"
        }
        Some(State::Gap) => "the archive has a gap there: a change may be missing",
    }
}

/// The attribute; one of the parameters says so.
fn attribute(read: &[Cell], _: &Look) -> Cell {
    match read {
        [Cell::Text(source), Cell::Text(name)] => Cell::Text(phrase::attribute(source, name)),
        _ => Cell::Null,
    }
}
