//! `coverage`: what the archive can vouch for; so far its ledger.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::error::{CliError, Exit};
use super::instance_arg::Short;
use super::output_args::{OutputArgs, cell, note, written};
use super::{Context, archive, instance_arg};
use crate::output;
use crate::output::phrase::{Precision, moment};
use crate::output::{Cell, Column};
use crate::store::filter::Condition;
use crate::store::read;
use crate::store::read::{ColumnName, Select, View};

/// Show what the archive can vouch for.
///
/// A walk is one reading of an instance's task list from end to end. It is proven if nothing can have been left out; else
/// the reason says what was in doubt. With --walks the ledger of all walks is printed, newest first.
///
/// On a terminal the table is shortened: `read` is the number of records received, `chg` that of tasks changed, and `#2`
/// behind the kind a second attempt. JSON and CSV have all columns of the view `walks`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history coverage --walks -n 20
  dcs-history coverage --walks --instance 1f4c2a90 --columns started_at,proven,reason,error
  dcs-history coverage --walks -o jsonl")]
pub(crate) struct CoverageArgs {
    /// Print the ledger: one line a walk.
    #[arg(long, required = true)]
    walks: bool,
    /// Only walks of this instance: its id, its name, or an unambiguous beginning of the id; repeatable.
    #[arg(long, value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &CoverageArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &CoverageArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let settings = args.output.format.settings(context.out_is_terminal);
    let instances = instance_arg::resolve(&archive, &args.instance)?;
    let named = args.output.columns(View::Walks)?;
    let shape = match named {
        Some(named) => Shape::Named(named),
        None if !settings.format.is_for_people() => Shape::Named(View::Walks.all()),
        None if settings.width.is_some() => Shape::Drawn(Short::of(&read::instances(&archive)?)),
        None => Shape::Readable,
    };
    let select = Select {
        view: View::Walks,
        columns: shape.columns(),
        condition: Condition::of_instances(&instances),
        // Walks are numbered as they begin, and by number they need no sorting.
        order: Some(args.output.order(View::Walks, "walk_id")?),
        limit: args.output.limit(None, context.out_is_terminal),
    };
    let mut is_empty = true;
    let mut records = output::records(settings, &mut *context.out);
    written(records.header(&shape.header()))?;
    read::stream(&archive, &select, |row| {
        is_empty = false;
        written(records.row(&shape.cells(row)))
    })?;
    written(records.end())?;
    drop(records);
    if is_empty && settings.format.is_for_people() {
        note(context, "no walk yet");
    }
    Ok(Exit::Done)
}

/// What a line shows of a walk.
enum Shape {
    /// Columns of the view, as they are.
    Named(Vec<ColumnName>),
    /// The usual columns, nothing shortened.
    Readable,
    /// The usual columns, shortened for a line of a terminal.
    Drawn(Short),
}

/// The usual columns, with the names that a line of 80 columns has room for; the attempt goes into the kind there.
const USUAL: [(&str, Option<&str>); 10] = [
    ("walk_id", Some("walk")),
    ("started_at", Some("started_at")),
    ("instance_id", Some("instance")),
    ("attempt", None),
    ("kind", Some("kind")),
    ("proven", Some("proven")),
    ("received", Some("read")),
    ("new", Some("new")),
    ("changed", Some("chg")),
    ("reason", Some("reason")),
];

impl Shape {
    fn columns(&self) -> Vec<ColumnName> {
        match self {
            Self::Named(columns) => columns.clone(),
            Self::Readable | Self::Drawn(_) => USUAL
                .iter()
                .filter_map(|(name, _)| View::Walks.column(name))
                .collect(),
        }
    }

    fn header(&self) -> Vec<Column> {
        match self {
            Self::Named(columns) => columns
                .iter()
                .map(|column| Column::new(column.as_str()))
                .collect(),
            Self::Readable => USUAL.iter().map(|(name, _)| Column::new(*name)).collect(),
            Self::Drawn(_) => USUAL
                .iter()
                .filter_map(|(name, short)| match (*name, *short) {
                    (_, None) => None,
                    ("kind" | "reason", Some(short)) => Some(Column::new(short)),
                    (_, Some(short)) => Some(Column::rigid(short)),
                })
                .collect(),
        }
    }

    fn cells(&self, row: Vec<Value>) -> Vec<Cell> {
        let cells = row.into_iter().map(cell);
        if matches!(self, Self::Named(_)) {
            return cells.collect();
        }
        let mut attempt = 1;
        let usual = cells.zip(USUAL).filter_map(|(cell, (name, _))| {
            Some(match (name, self, cell) {
                ("proven", _, Cell::Integer(proven)) => {
                    Cell::text(if proven == 0 { "no" } else { "yes" })
                }
                ("started_at", Self::Drawn(_), Cell::Text(time)) => {
                    Cell::Text(moment(&time, Precision::Minute))
                }
                ("instance_id", Self::Drawn(short), Cell::Text(id)) => Cell::Text(short.cut(&id)),
                ("attempt", Self::Drawn(_), number) => {
                    if let Cell::Integer(number) = number {
                        attempt = number;
                    }
                    return None;
                }
                ("kind", Self::Drawn(_), Cell::Text(kind)) if attempt > 1 => {
                    Cell::Text(format!("{kind} #{attempt}"))
                }
                (_, _, cell) => cell,
            })
        });
        usual.collect()
    }
}
