//! `stats`: how many tasks, how they ended, how long they took; by one or two keys.

use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum};
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::list::FilterArgs;
use super::listing::{Field, Look, Made, WIDE};
use super::messages::remark;
use super::output_args::OutputArgs;
use super::{Context, archive, listing};
use crate::model::operation;
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::output::zone::Zone;
use crate::report::stats::{Cut, Group, Key, KeyValue, Tally};
use crate::store::facts::{self, Names};
use crate::store::read;

/// A table of three dimensions is not read by anybody.
const MOST_KEYS: usize = 2;

/// Count tasks and time them, by operation, status, user, instance, day, week or month.
///
/// Each line is a group of tasks: how many, how many of them failed, are still open, or are no longer listed by the cloud
/// (they are counted all the same), and how long those took that ended: half of them no longer than the median, 95 of a
/// hundred no longer than p95. Both are exact, and each is a duration that occurred. A task that ended and whose times
/// cannot be believed (before 1971, ahead of the cloud's clock, an end before the beginning) is counted and not timed.
///
/// The largest group comes first, and of days, weeks (ISO 8601) and months the newest. They are UTC; with --tz a table or
/// Markdown cuts them at midnight there. The period is that of creation. A terminal draws the numbers of tasks as bars.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history stats --since 30d                      # what is done most
  dcs-history stats --by user --by status --period 2026-Q3
  dcs-history stats --by month --operation EXTEND -o csv > resizes.csv")]
pub(crate) struct StatsArgs {
    /// What tasks are grouped by; a second one divides the groups of the first [default: operation].
    #[arg(long, value_name = "KEY", value_delimiter = ',', action = ArgAction::Append)]
    by: Vec<By>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A key as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct By(Key);

impl ValueEnum for By {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(Key::Operation),
            Self(Key::Status),
            Self(Key::User),
            Self(Key::Instance),
            Self(Key::Created(Cut::Day)),
            Self(Key::Created(Cut::Week)),
            Self(Key::Created(Cut::Month)),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(title(self.0)))
    }
}

const fn title(key: Key) -> &'static str {
    match key {
        Key::Operation => "operation",
        Key::Status => "status",
        Key::User => "user",
        Key::Instance => "instance",
        Key::Created(Cut::Day) => "day",
        Key::Created(Cut::Week) => "week",
        Key::Created(Cut::Month) => "month",
    }
}

/// The columns that a key has.
const fn key_columns(key: Key) -> &'static [&'static str] {
    match key {
        Key::Operation => &["name", "operation"],
        Key::Status => &["status"],
        Key::User => &["user_id", "user_name"],
        Key::Instance => &["project_id", "instance_id", "instance_name"],
        Key::Created(Cut::Day) => &["day"],
        Key::Created(Cut::Week) => &["week"],
        Key::Created(Cut::Month) => &["month"],
    }
}

/// The columns of every group, behind those of its keys.
const MEASURES: [&str; 9] = [
    "tasks",
    "succeeded",
    "failed",
    "open",
    "missing",
    "timed",
    "median_ms",
    "p95_ms",
    "max_ms",
];

/// Every column that there can be.
pub(crate) const COLUMNS: [&str; 20] = [
    "name",
    "operation",
    "status",
    "user_id",
    "user_name",
    "project_id",
    "instance_id",
    "instance_name",
    "day",
    "week",
    "month",
    "tasks",
    "succeeded",
    "failed",
    "open",
    "missing",
    "timed",
    "median_ms",
    "p95_ms",
    "max_ms",
];

/// What bars are drawn against: the largest number of tasks in a group.
const MOST: &str = "most";

pub(crate) fn run(args: &StatsArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &StatsArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let keys = keys(&args.by)?;
    let archive = read::snapshot(archive)?;
    let condition = args.filter.filter(&archive, context)?.condition();
    let is_for_people = args.output.format.output.is_for_people();
    // Data stays UTC, whatever zone somebody likes to read in.
    let zone = if is_for_people {
        args.output.format.tz.clone()
    } else {
        Zone::UTC
    };
    let clock = |time: Timestamp| zone.clock(time);
    let now = (context.now)();
    let names = Names::read(&archive)?;
    let read_until = facts::read_until(&archive)?.unwrap_or(now);
    let mut tally = Tally::new(&keys, &clock, read_until);
    facts::tasks(&archive, &names, &condition, |task| tally.add(task))?;
    let groups = tally.groups(|key, value| said(&names, key, value));

    let missing: u64 = groups.iter().map(|group| group.counts.missing).sum();
    let most = groups.iter().map(|group| group.counts.tasks).max();
    let most = number(most.unwrap_or_default());
    let rows = groups
        .iter()
        .map(|group| row(&names, &keys, group, most.clone()));
    let known = [columns(&keys).as_slice(), &MEASURES].concat();
    let made = Made {
        known: &known,
        hidden: &[MOST],
        fields: &fields(&keys),
        nothing: &args.filter.nothing(&archive, "no task matches")?,
    };
    listing::print_rows(&made, rows.collect(), &args.output, &archive, context)?;
    if missing > 0 && is_for_people {
        let tasks = match missing {
            1 => "1 of these tasks is".to_owned(),
            many => format!("{many} of these tasks are"),
        };
        remark(
            context,
            &format!("{tasks} no longer listed by the cloud, and counted here"),
        );
    }
    Ok(Exit::Done)
}

/// Returns the keys that were asked for.
fn keys(typed: &[By]) -> Result<Vec<Key>, CliError> {
    let keys: Vec<_> = typed.iter().map(|by| by.0).collect();
    match keys.as_slice() {
        [] => Ok(vec![Key::Operation]),
        [one, other] if one == other => Err(CliError::usage(format!(
            "--by {} is given twice",
            title(*one)
        ))),
        several if several.len() > MOST_KEYS => {
            let message = format!("--by takes at most {MOST_KEYS} keys");
            let hint = "a filter such as --status leaves a part of them; `dcs-history sql` groups by anything";
            Err(CliError::usage(message).hint(hint))
        }
        _ => Ok(keys),
    }
}

fn columns(keys: &[Key]) -> Vec<&'static str> {
    let columns = keys.iter().flat_map(|key| key_columns(*key));
    columns.copied().collect()
}

/// Says the value of a key, by which groups of one size are ordered.
fn said(names: &Names, key: Key, value: KeyValue) -> String {
    let mut cells = key_cells(names, key, value);
    // Of a user and an instance the name says more than the id before it.
    if key != Key::Operation {
        cells.reverse();
    }
    let texts: Vec<_> = cells.iter().map(Cell::to_text).collect();
    texts.join(" ")
}

/// Returns the cells of the columns of a key.
fn key_cells(names: &Names, key: Key, value: KeyValue) -> Vec<Cell> {
    let text = |text: Option<&str>| text.map_or(Cell::Null, Cell::text);
    match key {
        Key::Operation => {
            let name = value.and_then(|key| names.operations.get(&key));
            let name = name.map(String::as_str);
            vec![text(name), text(name.and_then(operation::plain))]
        }
        Key::Status => vec![text(value.and_then(|key| names.status(key)))],
        Key::User => {
            let user = value.and_then(|key| names.users.get(&key));
            let id = user.and_then(|user| user.id.as_deref());
            vec![text(id), text(user.and_then(|user| user.name.as_deref()))]
        }
        Key::Instance => {
            let instance = value.and_then(|key| names.instances.get(&key));
            let key = instance.map(|instance| &instance.key);
            vec![
                text(key.map(|key| key.project_id.as_str())),
                text(key.map(|key| key.instance_id.as_str())),
                text(instance.and_then(|instance| instance.name.as_deref())),
            ]
        }
        Key::Created(cut) => vec![value.map_or(Cell::Null, |number| Cell::Text(cut.name(number)))],
    }
}

/// Returns a group as a row of all columns.
fn row(names: &Names, keys: &[Key], group: &Group, most: Cell) -> Vec<Cell> {
    let counts = &group.counts;
    let keys = keys.iter().zip(&group.keys);
    let mut row: Vec<_> = keys
        .flat_map(|(key, value)| key_cells(names, *key, *value))
        .collect();
    let duration = |millis: Option<i64>| millis.map_or(Cell::Null, Cell::Integer);
    let durations = group.durations;
    row.extend([
        number(counts.tasks),
        number(counts.succeeded),
        number(counts.failed),
        number(counts.open),
        number(counts.missing),
        number(durations.map_or(0, |durations| durations.timed)),
        duration(durations.map(|durations| durations.median)),
        duration(durations.map(|durations| durations.p95)),
        duration(durations.map(|durations| durations.max)),
        most,
    ]);
    row
}

fn number(count: u64) -> Cell {
    Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Returns what people see of a group with these keys.
fn fields(keys: &[Key]) -> Vec<Field> {
    let mut fields: Vec<_> = keys.iter().flat_map(|key| key_fields(*key)).collect();
    // Two keys leave a usual terminal no room for it.
    let bar_from = if keys.len() > 1 { WIDE } else { 0 };
    fields.extend([
        Field::new("tasks", &["tasks"], listing::plain).rigid(),
        Field::new("", &["tasks", MOST], listing::bar)
            .rigid()
            .on_width(bar_from),
        Field::new("failed", &["failed"], listing::plain).rigid(),
        Field::new("open", &["open"], listing::plain).rigid(),
        Field::new("missing", &["missing"], listing::plain).rigid(),
        Field::new("median", &["median_ms"], listing::elapsed).rigid(),
        Field::new("p95", &["p95_ms"], listing::elapsed).rigid(),
        Field::new("max", &["max_ms"], listing::elapsed).rigid(),
    ]);
    fields
}

fn key_fields(key: Key) -> Vec<Field> {
    match key {
        Key::Operation => vec![
            Field::new("name", &["name"], listing::plain),
            Field::new("operation", &["operation"], listing::plain).wide_from(WIDE),
        ],
        Key::Status => vec![Field::new("status", &["status"], listing::plain)],
        Key::User => vec![Field::new("user_name", &["user_name", "user_id"], user)],
        Key::Instance => vec![
            Field::new(
                "instance",
                &["instance_id", "instance_name"],
                listing::instance,
            )
            .rigid(),
        ],
        Key::Created(Cut::Day) => vec![Field::new("day", &["day"], listing::plain).rigid()],
        Key::Created(Cut::Week) => vec![Field::new("week", &["week"], listing::plain).rigid()],
        Key::Created(Cut::Month) => vec![Field::new("month", &["month"], listing::plain).rigid()],
    }
}

/// A user's name, or the id where no name was sent.
fn user(read: &[Cell], _: &Look) -> Cell {
    match read {
        [Cell::Null, id] => id.clone(),
        [name, ..] => name.clone(),
        [] => Cell::Null,
    }
}
