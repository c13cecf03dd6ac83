//! `changes`: what changed, when, by whom, from what to what.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::list::FilterArgs;
use super::listing::{Field, Listed, Look, ON_A_TERMINAL};
use super::output_args::OutputArgs;
use super::{Context, archive, listing, near};
use crate::output::Cell;
use crate::output::phrase;
use crate::store::filter::ChangeFilter;
use crate::store::read;
use crate::store::read::{Names, Order, View};

/// List what changed: old and new values, newest first.
///
/// What changed, when, by whom, from what to what, across all instances. Each line is one attribute of one task: a capacity, a port, a specification. A task that states no attribute (a switch
/// of master and standby, say) has one line without one, because it happened. Look at the status: a task that FAILED
/// changed nothing, and one that is EXECUTING has not done so yet.
///
/// Attributes that a task merely repeats (`ha → ha`) are left out, in every format, unless --all is given. A single value
/// was stated without an old one; `4 → (nothing)` was stated without a new one.
///
/// A table has the columns `created_at` (UTC), instance, name, operation (the same in plain words), `user_name`, attribute,
/// change and status; a terminal of less than 150 columns gives all that names a change one column, `what`. JSON and CSV have all columns of the view `changes`, with `old_value` and
/// `new_value` apart. On a terminal 50 lines are shown and ids are shortened; into a pipe or a file goes everything.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history changes --since 7d                  # the last seven days
  dcs-history changes --attribute capacity        # every resize
  dcs-history changes --instance 1f4c2a90 --status success -o csv > changed.csv")]
pub(crate) struct ChangesArgs {
    /// Only this attribute, in any case, such as `capacity` or `port`; repeatable.
    ///
    /// The cloud's fields `old_x` and `new_x` are the attribute `x`. `params.x` is an attribute of a task's parameters only.
    #[arg(
        long,
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Filters (all must hold; of a repeated one, any)"
    )]
    attribute: Vec<String>,
    /// Also attributes that stayed as they were.
    #[arg(long, help_heading = "Filters (all must hold; of a repeated one, any)")]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &ChangesArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &ChangesArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let filter = ChangeFilter {
        tasks: args.filter.filter(&archive, context)?,
        attributes: attributes(&archive, &args.attribute)?,
        unchanged: args.all,
    };
    let width = args.output.format.settings(context).width;
    let is_narrow = width.is_some_and(|width| width < WIDE);
    let listed = Listed {
        view: View::Changes,
        fields: if is_narrow { &NARROW } else { &FIELDS },
        condition: filter.condition(),
        order: Order::descending("created_at"),
        on_a_terminal: Some(ON_A_TERMINAL),
        nothing: &args.filter.nothing(&archive, "no change matches")?,
    };
    listing::print(&listed, &args.output, &archive, context)?;
    Ok(Exit::Done)
}

/// Returns the attributes that were named, each of which the archive or the documentation knows.
fn attributes(archive: &Connection, typed: &[String]) -> Result<Vec<String>, CliError> {
    let mut known = Vec::new();
    if !typed.is_empty() {
        known = read::names(archive, Names::Attributes)?;
        known.extend(documented().map(str::to_owned));
        known.sort_unstable();
        known.dedup();
    }
    for name in typed {
        let plain = name.strip_prefix("params.").unwrap_or(name);
        let is_known =
            |known: &String| known.eq_ignore_ascii_case(plain) || known.eq_ignore_ascii_case(name);
        if !known.iter().any(is_known) {
            return Err(near::unknown("attribute", name, &known));
        }
    }
    Ok(typed.to_vec())
}

/// The attributes that the documented fields state.
fn documented() -> impl Iterator<Item = &'static str> {
    // The keys come first.
    let fields = View::Details.columns().iter().skip(4);
    fields.map(|field| {
        let old = field.strip_prefix("old_");
        old.or_else(|| field.strip_prefix("new_")).unwrap_or(field)
    })
}

/// From this width on a line has room for the operation beside the attribute and an instance's whole id.
const WIDE: usize = 150;

const CREATED_AT: Field = Field::new("created_at", &["created_at"], listing::minute).rigid();
const INSTANCE: Field = Field::new(
    "instance",
    &["instance_id", "instance_name"],
    listing::instance,
)
.rigid();
const USER_NAME: Field = Field::new("user_name", &["user_name"], listing::plain);
const CHANGE: Field = Field::new("change", &["old_value", "new_value"], change);
const STATUS: Field = Field::new("status", &["status"], listing::plain).rigid();

/// What a line shows of a change.
const FIELDS: [Field; 8] = [
    CREATED_AT,
    INSTANCE,
    Field::new("name", &["name"], listing::plain),
    Field::new("operation", &["name"], listing::operation),
    USER_NAME,
    Field::new("attribute", &["source", "attribute"], attribute),
    CHANGE,
    STATUS,
];

/// What a line of a narrower terminal shows: the attribute tells the operation, and where there is none the operation stands there.
const NARROW: [Field; 6] = [
    CREATED_AT,
    INSTANCE,
    USER_NAME,
    Field::new("what", &["source", "attribute", "name"], what),
    CHANGE,
    STATUS,
];

/// The attribute; one of the parameters says so.
fn attribute(read: &[Cell], _: &Look) -> Cell {
    match read {
        [Cell::Text(source), Cell::Text(name), ..] => Cell::Text(phrase::attribute(source, name)),
        [_, name, ..] => name.clone(),
        _ => Cell::Null,
    }
}

/// The attribute, or the operation where none is stated: in plain words, if it has any.
fn what(read: &[Cell], look: &Look) -> Cell {
    match read {
        [_, Cell::Null, name] => match listing::operation(std::slice::from_ref(name), look) {
            Cell::Null => name.clone(),
            plain => plain,
        },
        _ => attribute(read, look),
    }
}

/// The old and the new value.
fn change(read: &[Cell], _: &Look) -> Cell {
    match read {
        [Cell::Null, new] => new.clone(),
        [old, new] => {
            let new = (*new != Cell::Null).then(|| new.to_text());
            Cell::Text(phrase::change(Some(&old.to_text()), new.as_deref()))
        }
        _ => Cell::Null,
    }
}
