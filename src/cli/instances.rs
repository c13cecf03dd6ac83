//! `instances`: the instances that the archive knows.

use clap::Args;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::listing::{Field, Listed};
use super::output_args::OutputArgs;
use super::{Context, archive, instance_arg, listing};
use crate::store::filter::Condition;
use crate::store::read;
use crate::store::read::{Order, View};

/// List the instances that the archive knows, and how far each is read.
///
/// A table has the instance, its status, its tasks (all, those still open, those that the cloud no longer lists), the
/// beginning of its last proven walk, and when it was found gone. JSON and CSV have all columns of the view `instances`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history instances
  dcs-history instances --sort last_proven_at          # longest unproven first
  dcs-history instances --history --instance orders    # renamed, resized
  dcs-history instances -o json --columns instance_id,tasks")]
pub(crate) struct InstancesArgs {
    /// These only: an id, a name, or the beginning of an id. May be repeated.
    #[arg(long, value_name = "ID|NAME")]
    instance: Vec<String>,
    /// Show each state that the list of instances told of them, the latest first.
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &InstancesArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &InstancesArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let condition = Condition::of_instances(&instance_arg::resolve(&archive, &args.instance)?);
    let listed = if args.history {
        Listed {
            view: View::InstanceRevisions,
            fields: &HISTORY,
            condition,
            order: Order::descending("observed_at"),
            on_a_terminal: None,
            nothing: "no list of instances was read yet",
        }
    } else {
        Listed {
            view: View::Instances,
            fields: &FIELDS,
            condition,
            order: Order::ascending("instance_id"),
            on_a_terminal: None,
            nothing: "no instance was read yet",
        }
    };
    listing::print(&listed, &args.output, &archive, context)?;
    Ok(Exit::Done)
}

/// What a line shows of an instance.
const FIELDS: [Field; 8] = [
    Field::new("instance_id", &["instance_id"], listing::instance)
        .rigid()
        .drawn_as("instance"),
    Field::new("name", &["name"], listing::plain),
    Field::new("status", &["status"], listing::plain),
    Field::new("tasks", &["tasks"], listing::plain).rigid(),
    Field::new("open", &["open_tasks"], listing::plain).rigid(),
    Field::new("missing", &["missing_tasks"], listing::plain).rigid(),
    Field::new("last_proven_at", &["last_proven_at"], listing::minute).rigid(),
    Field::new("gone_at", &["gone_at"], listing::minute).rigid(),
];

/// What a line shows of a state of an instance.
const HISTORY: [Field; 7] = [
    Field::new("observed_at", &["observed_at"], listing::minute).rigid(),
    Field::new("instance_id", &["instance_id"], listing::instance)
        .rigid()
        .drawn_as("instance"),
    Field::new("name", &["name"], listing::plain),
    Field::new("status", &["status"], listing::plain),
    Field::new("capacity_gb", &["capacity_gb"], listing::plain).rigid(),
    Field::new("engine_version", &["engine_version"], listing::plain).drawn_as("version"),
    Field::new("spec_code", &["spec_code"], listing::plain),
];
