//! `coverage`: what the archive can vouch for; so far its ledger.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::listing::{Field, Listed, Look};
use super::output_args::OutputArgs;
use super::{Context, archive, instance_arg, listing};
use crate::output::Cell;
use crate::store::filter::Condition;
use crate::store::read;
use crate::store::read::{Order, View};

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
    #[arg(long, required_unless_present = "drift", conflicts_with = "drift")]
    walks: bool,
    /// Print the drift journal: what was met that the cloud's documentation does not know.
    #[arg(long, conflicts_with = "instance")]
    drift: bool,
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
    let instances = instance_arg::resolve(&archive, &args.instance)?;
    let listed = if args.drift {
        Listed {
            view: View::Drift,
            fields: &SIGHTING,
            condition: Condition::default(),
            order: Order::descending("first_seen_at"),
            on_a_terminal: None,
            nothing: "nothing undocumented was met",
        }
    } else {
        Listed {
            view: View::Walks,
            fields: &WALK,
            condition: Condition::of_instances(&instances),
            // Walks are numbered as they begin, and by number they need no sorting.
            order: Order::descending("walk_id"),
            on_a_terminal: None,
            nothing: "no walk yet",
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
    Field::new("reason", &["reason"], listing::plain),
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
