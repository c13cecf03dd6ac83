//! `list`: the tasks of the archive, filtered and ordered.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::listing::{Field, Listed, ON_A_TERMINAL};
use super::output_args::OutputArgs;
use super::{Context, archive, instance_arg, listing, period};
use crate::store::filter::{Created, TaskFilter};
use crate::store::read;
use crate::store::read::{Order, View};

/// The longest text that is searched for: the database compares patterns of up to 50,000 bytes.
const LONGEST_TEXT: usize = 10_000;

/// List what was done to your instances, newest first.
///
/// Each line is one task: an operation such as a resize or a new port, with its outcome, who asked for it and how long it
/// took. Tasks that the cloud has forgotten since are listed as well.
///
/// A table has the columns `created_at` (UTC), instance, name, status, `user_name` and duration; JSON and CSV have all columns
/// of the view `tasks`. On a terminal 50 tasks are shown and ids are shortened; into a pipe or a file goes everything.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history list --since 7d                          # the last seven days
  dcs-history list --since 2026-09 --until 2026-10     # September: --until is excluded
  dcs-history list --operation EXTEND --status failed -o csv > failed.csv")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Which tasks are wanted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters (all must hold; of a repeated one, any)")]
pub(crate) struct TaskArgs {
    /// Only tasks of this instance: its id, its name, or an unambiguous beginning of the id; repeatable.
    #[arg(long, value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    /// Only this operation, in any case, under every name that the cloud has for it (`EXTEND` is `ChangeInstanceSpec`);
    /// repeatable.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    operation: Vec<String>,
    /// Only tasks with this status, such as SUCCESS, FAILED or EXECUTING, in any case; repeatable.
    #[arg(long, value_name = "STATUS", value_parser = NonEmptyStringValueParser::new())]
    status: Vec<String>,
    /// Only tasks of this user: part of the name, or the whole id, in any case; repeatable.
    #[arg(long, value_name = "NAME|ID", value_parser = NonEmptyStringValueParser::new())]
    user: Vec<String>,
    /// Only tasks that contain this text, in any case: in name, status, user, parameters, error code, a changed value, or
    /// the record as the cloud sent it, in any of its revisions.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    text: Option<String>,
}

/// Which tasks are wanted, and of when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters (all must hold; of a repeated one, any)")]
pub(crate) struct FilterArgs {
    #[command(flatten)]
    task: TaskArgs,
    /// Only tasks created at this time or later.
    ///
    /// A time (2026-10-01T08:30:00Z), a date, a month (2026-10), a quarter (2026-Q3), a year, `now`, `today`, `yesterday`,
    /// or an age (90m, 36h, 7d, 2w). A period stands for its beginning; a time without a zone is UTC.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only tasks created before this time.
    ///
    /// Written as for --since. A period stands for its beginning here too: --until 2026-10 ends before October.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only tasks that the cloud no longer lists.
    #[arg(long)]
    missing: bool,
    /// Only tasks first seen by the last sync that has finished.
    #[arg(long)]
    new: bool,
}

impl TaskArgs {
    /// Turns what was typed into a filter; instances are looked up in the archive.
    pub(crate) fn filter(&self, archive: &Connection) -> Result<TaskFilter, CliError> {
        for text in self.text.iter().chain(&self.user) {
            if text.len() > LONGEST_TEXT {
                return Err(CliError::usage(format!(
                    "the text to look for is longer than {LONGEST_TEXT} bytes"
                )));
            }
        }
        Ok(TaskFilter {
            instances: instance_arg::resolve(archive, &self.instance)?,
            operations: self.operation.clone(),
            statuses: self.status.clone(),
            users: self.user.clone(),
            text: self.text.clone(),
            ..TaskFilter::default()
        })
    }
}

impl FilterArgs {
    /// Turns what was typed into a filter.
    pub(crate) fn filter(
        &self,
        archive: &Connection,
        context: &Context<'_>,
    ) -> Result<TaskFilter, CliError> {
        let (since, until) = (self.since.as_deref(), self.until.as_deref());
        Ok(TaskFilter {
            created: Created::In(period::window(since, until, (context.now)())?),
            missing: self.missing,
            new: self.new,
            ..self.task.filter(archive)?
        })
    }
}

pub(crate) fn run(args: &ListArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &ListArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let listed = Listed {
        view: View::Tasks,
        fields: &FIELDS,
        condition: args.filter.filter(&archive, context)?.condition(),
        order: Order::descending("created_at"),
        on_a_terminal: Some(ON_A_TERMINAL),
        nothing: "no task matches",
    };
    listing::print(&listed, &args.output, &archive, context)?;
    Ok(Exit::Done)
}

/// What a line shows of a task.
pub(super) const FIELDS: [Field; 7] = [
    Field::new("created_at", &["created_at"], listing::time).rigid(),
    Field::new(
        "instance",
        &["instance_id", "instance_name"],
        listing::instance,
    )
    .rigid(),
    Field::new("name", &["name"], listing::plain),
    Field::new("status", &["status"], listing::plain),
    Field::new("user_name", &["user_name"], listing::plain),
    Field::new("duration", &["duration_ms"], listing::elapsed).rigid(),
    // What `show` asks for: an id of 32 characters beside the instance's of 36.
    Field::new("task_id", &["task_id"], listing::id)
        .rigid()
        .on_width(150),
];
