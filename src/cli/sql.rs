//! `sql`: any question that SQL can put to the views, and nothing else.

use std::io::{self, Read as _};
use std::time::Duration;

use clap::Args;
use rusqlite::types::Value;

use super::error::{CliError, Exit};
use super::listing;
use super::messages::remark;
use super::output_args::{FormatArgs, cells, written};
use super::{Context, archive, duration};
use crate::output;
use crate::output::{Cell, Column};
use crate::store::query;
use crate::store::query::{Answer, Error, LONGEST_SQL, Question};

/// Ask the archive anything, in SQL.
///
/// QUERY is one statement of SQLite's SQL that reads the views: tasks, `task_details`, `task_changes`, `task_revisions`,
/// instances, syncs, walks, rejected, drift. What their columns mean stands in the README; the table `sqlite_schema` shows
/// how they are made. Whatever would write, attach, load or set something is refused, and the archive is opened for reading
/// only. Order and choose inside the query: there is no --sort.
///
/// Times are text such as 2026-10-01T08:30:00.000Z: UTC, and in order when compared as text.
#[derive(Debug, Args)]
#[command(after_help = query::EXAMPLES)]
pub(crate) struct SqlArgs {
    /// The query; `-` reads it from standard input.
    #[arg(value_name = "QUERY")]
    query: String,
    /// Bind a value to the parameter :NAME (or @NAME, $NAME) of the query; repeatable.
    ///
    /// What is written like a number (8, -3, 0.50) is bound as one, anything else as text; NAME:text=VALUE binds a text that
    /// is written like a number.
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = param)]
    param: Vec<(String, Value)>,
    /// Give up when SQLite has worked on the answer for so long.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        value_parser = duration::positive,
        env = "DCS_HISTORY_DEADLINE",
        hide_env_values = true
    )]
    deadline: Duration,
    #[command(flatten)]
    format: FormatArgs,
    /// The columns to print, in this order, separated by commas.
    ///
    /// Names are those of the answer, where the second `name` is `name_2`; a wrong one is answered with all of them.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    columns: Vec<String>,
    /// Print at most this many rows; 0 prints all.
    #[arg(short = 'n', long, value_name = "N", help_heading = "Output")]
    limit: Option<u64>,
}

pub(crate) fn run(args: &SqlArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let question = Question {
        sql: text(&args.query)?,
        params: distinct(&args.param)?,
        time: args.deadline,
    };
    let answer = query::ask(archive::for_reading(context.global)?, question).map_err(refused)?;
    print(args, answer, context)
}

fn print(args: &SqlArgs, mut answer: Answer, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let settings = args.format.settings(context);
    let names = unique(&answer.columns);
    let chosen = choose(&names, &args.columns)?;
    let header: Vec<_> = chosen
        .iter()
        .map(|index| Column::new(&*names[*index]))
        .collect();
    let most = args.limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
    let mut records = output::records(settings, &mut *context.out);
    written(records.header(&header))?;
    let mut shown = 0;
    while shown < most
        && let Some(row) = answer.next().map_err(refused)?
    {
        let row = cells(row);
        let cells = chosen.iter().map(|index| row[*index].clone());
        let cells: Vec<Cell> = if settings.format.is_for_people() {
            let named = cells.zip(&header);
            named
                .map(|(cell, column)| listing::in_zone(&column.name, cell, &args.format.tz))
                .collect()
        } else {
            cells.collect()
        };
        written(records.row(&cells))?;
        shown += 1;
    }
    written(records.end())?;
    drop(records);
    if shown == 0 && settings.format.is_for_people() {
        remark(context, "no rows");
    }
    Ok(Exit::Done)
}

/// Phrases a question without an answer. Only what the archive or the machine did is not the query's fault.
fn refused(error: Error) -> CliError {
    if let Error::Archive(error) = error {
        return error.into();
    }
    let told = CliError::usage("cannot answer the query").because(&error);
    error.hints().into_iter().fold(told, CliError::hint)
}

/// Returns the query that was typed, or the one on standard input.
fn text(typed: &str) -> Result<String, CliError> {
    if typed != "-" {
        return Ok(typed.to_owned());
    }
    // One byte more than is allowed shows that there was more.
    let most = u64::try_from(LONGEST_SQL)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|error| {
        CliError::new(Exit::Machine, "cannot read the query from standard input").because(&error)
    })?;
    String::from_utf8(bytes)
        .map_err(|_| CliError::usage("the query on standard input is not UTF-8"))
}

/// Reads `NAME=VALUE` or `NAME:text=VALUE`.
fn param(typed: &str) -> Result<(String, Value), String> {
    let Some((name, value)) = typed.split_once('=') else {
        return Err("write NAME=VALUE".to_owned());
    };
    let (name, is_text) = match name.strip_suffix(":text") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let name = name.strip_prefix([':', '@', '$']).unwrap_or(name);
    if name.is_empty() {
        return Err("a name is missing before `=`".to_owned());
    }
    let number = if is_text { None } else { number(value) };
    Ok((
        name.to_owned(),
        number.unwrap_or_else(|| Value::Text(value.to_owned())),
    ))
}

/// Reads an integer or a decimal number as SQL writes them. A zero in front makes it a code, as in `007`.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) || text == "-0" {
        return None;
    }
    match fraction {
        None => text.parse().ok().map(Value::Integer),
        Some(fraction) if is_digits(fraction) => {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.map(Value::Real)
        }
        Some(_) => None,
    }
}

/// Refuses a parameter that was given two values.
fn distinct(params: &[(String, Value)]) -> Result<Vec<(String, Value)>, CliError> {
    for (index, (name, _)) in params.iter().enumerate() {
        if params[..index].iter().any(|(before, _)| before == name) {
            return Err(CliError::usage(format!(
                "two values for the parameter {name:?}"
            )));
        }
    }
    Ok(params.to_vec())
}

/// Gives columns of one name different ones, since a JSON object holds a name once: the second `name` is `name_2`.
fn unique(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let numbered = (2..).map(|number| format!("{column}_{number}"));
        // A name that the answer has itself is not taken from it.
        let mut free = numbered.filter(|name| !names.contains(name) && !columns.contains(name));
        let name = if names.contains(column) {
            free.next()
        } else {
            None
        };
        names.push(name.unwrap_or_else(|| column.clone()));
    }
    names
}

/// Returns the places of the columns that were asked for; of all, if none was.
fn choose(names: &[String], wanted: &[String]) -> Result<Vec<usize>, CliError> {
    if wanted.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let place = |wanted: &String| {
        let wanted = wanted.trim();
        names.iter().position(|name| name == wanted).ok_or_else(|| {
            CliError::usage(format!("the answer has no column {wanted:?}"))
                .hint(format!("its columns are {}", names.join(", ")))
        })
    };
    wanted.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_like_a_number_is_bound_as_one() {
        let text = |text: &str| Value::Text(text.to_owned());
        let cases = [
            ("a=8", "a", Value::Integer(8)),
            ("a=0", "a", Value::Integer(0)),
            ("a=-3", "a", Value::Integer(-3)),
            ("a=0.5", "a", Value::Real(0.5)),
            ("a=-1.10", "a", Value::Real(-1.1)),
            ("a=9223372036854775807", "a", Value::Integer(i64::MAX)),
            ("a=9223372036854775808", "a", text("9223372036854775808")),
            ("a=007", "a", text("007")),
            ("a=-0", "a", text("-0")),
            ("a=00.5", "a", text("00.5")),
            ("a=.5", "a", text(".5")),
            ("a=5.", "a", text("5.")),
            ("a=1e5", "a", text("1e5")),
            ("a=+5", "a", text("+5")),
            ("a= 5", "a", text(" 5")),
            ("a=-", "a", text("-")),
            ("a=٥", "a", text("٥")),
            ("a=", "a", text("")),
            ("a=b=c", "a", text("b=c")),
            ("a=x:text=y", "a", text("x:text=y")),
            ("a:text=8", "a", text("8")),
            (":a=1", "a", Value::Integer(1)),
            ("$a:text=1", "a", text("1")),
        ];
        for (typed, name, value) in cases {
            assert_eq!(param(typed), Ok((name.to_owned(), value)), "{typed}");
        }
        for typed in ["a", "", "=1", ":=1", ":text=1"] {
            assert!(param(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn no_two_columns_keep_one_name() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&["a", "b"], &["a", "b"]),
            (&["a", "a", "a"], &["a", "a_2", "a_3"]),
            (&["a", "a", "a_2"], &["a", "a_3", "a_2"]),
            (&["", ""], &["", "_2"]),
        ];
        for (columns, expected) in cases {
            let columns: Vec<_> = columns.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(unique(&columns), expected);
        }
    }
}
