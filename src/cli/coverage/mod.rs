//! `coverage`: what the archive can vouch for, its ledger, and its drift journal.

pub(super) mod spans;
pub(super) mod survey;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::listing::{Field, Listed, Look};
use super::output_args::OutputArgs;
use super::period::{PeriodArgs, RulesArgs};
use super::{Context, archive, instance_arg, listing};
use crate::output::Cell;
use crate::store::filter::Condition;
use crate::store::read;
use crate::store::read::{Order, View};

/// Show what the archive can vouch for, and what it cannot.
///
/// For every instance, the time is divided into spans: vouched (between two proven walks: every record is here), caught up
/// (the same, but for an old record that shows up late), inherited (before the first proven walk: what had been deleted
/// by then is unknown), gap (walks too far apart, not proven, or none since: cannot know), closed and before (the
/// instance did not exist). The last lines are those of the list of instances, and of all together, where the weakest
/// state counts. An instance that was created and deleted between two readings of that list is not known at all.
///
/// With --walks the ledger is printed: one line a walk, which is one reading of a list from end to end. It is proven if
/// nothing can have been left out; else the reason says what was in doubt. On a terminal `read` is the number of records
/// received, `chg` that of tasks changed, and `#2` behind the kind a second attempt.
///
/// JSON and CSV have all columns: those of the views `walks` and `drift`, or those of a span.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history coverage --since 30d
  dcs-history coverage --gaps --period 2026-Q3   # what an audit of it must say
  dcs-history coverage --walks --columns started_at,proven,reason")]
pub(crate) struct CoverageArgs {
    /// Only what the archive cannot vouch for: gaps, and what is inherited.
    #[arg(long)]
    gaps: bool,
    /// Print the ledger: one line a walk.
    #[arg(long, conflicts_with_all = ["gaps", "max_gap", "settle"])]
    walks: bool,
    /// Print the drift journal: what was met that the cloud's documentation does not know.
    #[arg(long, conflicts_with_all = ["gaps", "walks", "instance", "max_gap", "settle"])]
    drift: bool,
    /// Only of this instance: its id, its name, or an unambiguous beginning of the id; repeatable.
    #[arg(long, value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    #[command(flatten)]
    period: PeriodArgs,
    #[command(flatten)]
    rules: RulesArgs,
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
    if !args.walks && !args.drift {
        return spans::print(args, &archive, context);
    }
    let period = args.period.window((context.now)())?;
    let listed = if args.drift {
        Listed {
            view: View::Drift,
            fields: &SIGHTING,
            condition: Condition::default().and_period("first_seen_at", period),
            order: Order::descending("first_seen_at"),
            on_a_terminal: None,
            nothing: "nothing undocumented was met",
        }
    } else {
        let instances = instance_arg::resolve(&archive, &args.instance)?;
        Listed {
            view: View::Walks,
            fields: &WALK,
            condition: Condition::of_instances(&instances).and_period("started_at", period),
            // Walks are numbered as they begin, and by number they need no sorting.
            order: Order::descending("walk_id"),
            on_a_terminal: None,
            nothing: "no walk matches",
        }
    };
    listing::print(&listed, &args.output, &archive, context)?;
    Ok(Exit::Done)
}

/// What a line shows of a walk; on a terminal the attempt goes into the kind.
const WALK: [Field; 10] = [
    Field::new("walk_id", &["walk_id"], listing::plain)
        .rigid()
        .drawn_as("walk"),
    Field::new("started_at", &["started_at"], listing::minute).rigid(),
    Field::new("instance_id", &["instance_id"], listing::instance)
        .rigid()
        .drawn_as("instance"),
    Field::new("attempt", &["attempt"], listing::plain).not_drawn(),
    Field::new("kind", &["kind", "attempt"], kind),
    Field::new("proven", &["proven"], listing::yes_no).rigid(),
    Field::new("received", &["received"], listing::plain)
        .rigid()
        .drawn_as("read"),
    Field::new("new", &["new"], listing::plain).rigid(),
    Field::new("changed", &["changed"], listing::plain)
        .rigid()
        .drawn_as("chg"),
    Field::new("reason", &["reason"], listing::plain).wrapped(),
];

/// The kind of a walk, on a terminal with its attempt if it is not the first.
fn kind(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Text(kind), Cell::Integer(attempt)] if look.is_drawn && *attempt > 1 => {
            Cell::Text(format!("{kind} #{attempt}"))
        }
        _ => listing::plain(read, look),
    }
}

/// What a line shows of the drift journal.
const SIGHTING: [Field; 4] = [
    Field::new("first_seen_at", &["first_seen_at"], listing::time).rigid(),
    Field::new("kind", &["kind"], listing::plain).rigid(),
    Field::new("what", &["what"], listing::plain),
    Field::new("sample", &["sample"], listing::plain),
];
