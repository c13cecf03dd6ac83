//! `list`: the tasks of the archive, filtered and ordered; today's, or those of a moment in the past.

mod then;

use std::fmt::Write as _;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;

use crate::cli::error::{CliError, Exit};
use crate::cli::listing::{Field, Listed, Look, ON_A_TERMINAL, WIDE};
use crate::cli::output_args::OutputArgs;
use crate::cli::period::PeriodArgs;
use crate::cli::{Context, archive, instance_arg, listing, near, when};
use crate::model::operation;
use crate::model::status as statuses;
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::report::history::Moment;
use crate::store::filter::{Created, TaskFilter};
use crate::store::read;
use crate::store::read::{Names, Order, View};

/// The longest text that is searched for: the database compares patterns of up to 50,000 bytes.
const LONGEST_TEXT: usize = 10_000;

/// List what was done to your instances, newest first.
///
/// Each line is one task: an operation such as a resize or a new port, with its outcome, who asked for it and how long it
/// took. Tasks that the cloud no longer lists are here as well, with `(missing)` behind their status.
///
/// A table has the columns `created_at` (UTC), instance, name, operation (the same in plain words, where a terminal has 120
/// columns), status, `user_name` and duration; JSON and CSV have all columns of the view `tasks`. On a terminal 50 tasks are shown and ids are shortened; into a pipe or a file goes everything.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history list --since 7d                          # the last seven days
  dcs-history list --as-of 2026-09-30T18:00:00Z        # as it was that evening
  dcs-history list --operation EXTEND --status failed -o csv > failed.csv")]
pub(crate) struct ListArgs {
    /// Show what was true at this time: what had begun by then, in the state that the cloud's own times say.
    ///
    /// A task is final if the time of its last change says so by then. Where only later states were ever seen, its state is
    /// unknown: `(unknown)`, in data null. Columns about the archive itself tell what it knows today. Written as for --since.
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new(), help_heading = "Past", conflicts_with_all = ["observed_at", "new"])]
    as_of: Option<String>,
    /// Show what this archive knew at this time: what it had seen by then, in the last state that it had read.
    ///
    /// What no sync had seen yet is absent, however long ago it happened. Written as for --since.
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new(), help_heading = "Past", conflicts_with = "new")]
    observed_at: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ListArgs {
    /// Returns the moment in the past that was asked for.
    fn moment(&self, now: Timestamp) -> Result<Option<Moment>, CliError> {
        let read = |option: &str, typed: &str| {
            when::parse(typed, now).map_err(|error| CliError::usage(format!("{option}: {error}")))
        };
        Ok(match (&self.as_of, &self.observed_at) {
            (Some(typed), _) => Some(Moment::AsOf(read("--as-of", typed)?)),
            (None, Some(typed)) => Some(Moment::ObservedAt(read("--observed-at", typed)?)),
            (None, None) => None,
        })
    }
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
    #[arg(
        long,
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new(),
        long_help = operations_explained()
    )]
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

/// The long help of `--operation`: every name that is known, with what it means.
fn operations_explained() -> String {
    let mut help = "Only this operation, in any case, under every name that the cloud has for it; repeatable. An operation \
        that is not listed here goes by the name that the cloud gives it.\n"
        .to_owned();
    let widest = operation::PLAIN.iter().map(|(name, _)| name.len()).max();
    let widest = widest.unwrap_or_default() + 2;
    for (name, plain) in operation::PLAIN {
        // A string takes whatever is written to it.
        let _infallible = write!(help, "\n  {name:widest$}{plain}");
    }
    help
}

/// Which tasks are wanted, and of when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters (all must hold; of a repeated one, any)")]
pub(crate) struct FilterArgs {
    #[command(flatten)]
    task: TaskArgs,
    /// Only tasks that the cloud no longer lists.
    #[arg(long)]
    missing: bool,
    /// Only tasks first seen by the last sync that has finished.
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    period: PeriodArgs,
}

impl TaskArgs {
    /// Turns what was typed into a filter; instances are looked up in the archive.
    ///
    /// An operation or a status that neither the archive nor the documentation knows is refused, because a slip would look
    /// like a true "none"; one that is documented and was never seen is a question with an answer.
    pub(crate) fn filter(&self, archive: &Connection) -> Result<TaskFilter, CliError> {
        for text in self.text.iter().chain(&self.user) {
            if text.len() > LONGEST_TEXT {
                return Err(CliError::usage(format!(
                    "the text to look for is longer than {LONGEST_TEXT} bytes"
                )));
            }
        }
        known(
            "operation",
            archive,
            &self.operation,
            Names::Operations,
            &operation::PLAIN.map(|(name, _)| name),
        )?;
        known(
            "status",
            archive,
            &self.status,
            Names::Statuses,
            &statuses::DOCUMENTED,
        )?;
        Ok(TaskFilter {
            instances: instance_arg::resolve(archive, &self.instance)?,
            operations: self.operation.clone(),
            statuses: self.status.clone(),
            users: self.user.clone(),
            text: self.text.clone(),
            ..TaskFilter::default()
        })
    }

    /// Says that nothing matches, and why that may be: a user is no error, since "nothing by them" is an answer.
    pub(crate) fn nothing(&self, archive: &Connection, said: &str) -> Result<String, CliError> {
        if self.user.is_empty() {
            return Ok(said.to_owned());
        }
        let known = read::names(archive, Names::Users)?;
        let is_unknown = |user: &&String| {
            let part = user.to_ascii_lowercase();
            let mut names = known.iter();
            !names.any(|name| name.to_ascii_lowercase().contains(&part))
        };
        let mut said = vec![said.to_owned()];
        said.extend(self.user.iter().filter(is_unknown).map(|user| {
            let near = near::near(user, &known);
            match near.as_slice() {
                [] => format!("no user {user:?} is known"),
                near => format!(
                    "no user {user:?} is known, did you mean {}?",
                    near.join(" or ")
                ),
            }
        }));
        Ok(said.join("; "))
    }
}

impl FilterArgs {
    /// Turns what was typed into a filter.
    pub(crate) fn filter(
        &self,
        archive: &Connection,
        context: &Context<'_>,
    ) -> Result<TaskFilter, CliError> {
        Ok(TaskFilter {
            created: Created::In(self.period.window((context.now)())?),
            missing: self.missing,
            new: self.new,
            ..self.task.filter(archive)?
        })
    }

    /// Says that nothing matches, and why that may be.
    pub(crate) fn nothing(&self, archive: &Connection, said: &str) -> Result<String, CliError> {
        self.task.nothing(archive, said)
    }
}

/// Refuses a name that neither the archive nor the documentation knows.
fn known(
    what: &str,
    archive: &Connection,
    typed: &[String],
    kind: Names,
    documented: &[&str],
) -> Result<(), CliError> {
    if typed.is_empty() {
        return Ok(());
    }
    let mut known = read::names(archive, kind)?;
    for name in documented {
        if !known.iter().any(|known| known == name) {
            known.push((*name).to_owned());
        }
    }
    let is_unknown = |name: &&String| !known.iter().any(|known| known.eq_ignore_ascii_case(name));
    match typed.iter().find(is_unknown) {
        Some(name) => Err(near::unknown(what, name, &known)),
        None => Ok(()),
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
    if let Some(moment) = args.moment((context.now)())? {
        then::print(args, moment, &archive, context)?;
        return Ok(Exit::Done);
    }
    let listed = Listed {
        view: View::Tasks,
        fields: &FIELDS,
        condition: args.filter.filter(&archive, context)?.condition(),
        order: Order::descending("created_at"),
        on_a_terminal: Some(ON_A_TERMINAL),
        nothing: &args.filter.nothing(&archive, "no task matches")?,
    };
    listing::print(&listed, &args.output, &archive, context)?;
    Ok(Exit::Done)
}

/// What a line shows of a task.
pub(super) const FIELDS: [Field; 8] = [
    Field::new("created_at", &["created_at"], listing::time).rigid(),
    Field::new(
        "instance",
        &["instance_id", "instance_name"],
        listing::instance,
    )
    .rigid(),
    Field::new("name", &["name"], listing::plain),
    Field::new("operation", &["name"], listing::operation).wide_from(WIDE),
    Field::new("status", &["status", "missing_since"], status),
    Field::new("user_name", &["user_name"], listing::plain),
    Field::new("duration", &["duration_ms"], listing::elapsed).rigid(),
    // What `show` asks for: an id of 32 characters beside the instance's of 36.
    Field::new("task_id", &["task_id"], listing::id)
        .rigid()
        .on_width(150),
];

/// The status; of a task that the cloud no longer lists it says so.
fn status(read: &[Cell], _: &Look) -> Cell {
    match read {
        [status, Cell::Null] => status.clone(),
        [Cell::Null, _] => Cell::text("(missing)"),
        [status, _] => Cell::Text(format!("{} (missing)", status.to_text())),
        _ => Cell::Null,
    }
}
