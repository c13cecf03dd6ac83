//! `instances`: the instances that the archive knows.

use clap::Args;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::listing::{Field, Listed};
use super::output_args::OutputArgs;
use super::{Context, archive, listing};
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
  dcs-history instances -o json --columns instance_id,tasks")]
pub(crate) struct InstancesArgs {
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
    let listed = Listed {
        view: View::Instances,
        fields: &FIELDS,
        condition: Condition::default(),
        order: Order::ascending("instance_id"),
        on_a_terminal: None,
        nothing: "no instance was read yet",
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
