//! The options of every command that prints records, and what follows from them.

use std::io;

use clap::builder::{BoolishValueParser, PossibleValue};
use clap::{ArgAction, Args, ValueEnum};
use rusqlite::types::Value;

use super::error::CliError;
use super::{Context, output_failed, zone};
use crate::output::zone::Zone;
use crate::output::{Cell, Format, Guard, Settings};
use crate::store::read::{ColumnName, Order};

/// The width of a terminal that does not tell: the one of the first terminals, and of most windows since.
const USUAL_WIDTH: usize = 80;

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Table,
            Self::Json,
            Self::Jsonl,
            Self::Csv,
            Self::Markdown,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Table => PossibleValue::new("table").help("Columns for reading"),
            Self::Json => PossibleValue::new("json").help("One JSON array"),
            Self::Jsonl => PossibleValue::new("jsonl").help("One JSON object a line"),
            Self::Csv => PossibleValue::new("csv").help("Comma-separated values, for spreadsheets"),
            Self::Markdown => {
                PossibleValue::new("markdown").help("A table for documents and tickets")
            }
        })
    }
}

/// How the output is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatArgs {
    /// The format of the output.
    ///
    /// A table shows what matters most, shortened on a terminal; Markdown the same, not shortened. JSON and CSV hold
    /// everything: times are UTC with milliseconds, what is absent is null or an empty cell.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        env = "DCS_HISTORY_OUTPUT",
        hide_env_values = true
    )]
    pub(crate) output: Format,
    /// Show times in this zone (table, Markdown): `local`, an offset such as +02:00, or a name such as Europe/Berlin.
    ///
    /// Each time carries its offset then. Times that you type are UTC all the same, unless they have an offset of their own,
    /// and JSON and CSV stay UTC.
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        value_parser = zone::parse,
        allow_hyphen_values = true,
        env = "DCS_HISTORY_TZ",
        hide_env_values = true
    )]
    pub(crate) tz: Zone,
    /// Leave out the line with the names of the columns (table, CSV, Markdown).
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_NO_HEADER",
        hide_env_values = true
    )]
    pub(crate) no_header: bool,
    /// Write CSV cells as they are.
    ///
    /// Without this option a text that a spreadsheet would run as a formula (one that begins with = + - @, a tab or a line
    /// break) gets a leading apostrophe.
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_RAW_CSV",
        hide_env_values = true
    )]
    pub(crate) raw_csv: bool,
    /// The width that a table is drawn for.
    // Text, because a shell may hold anything in COLUMNS and no command shall fail over it.
    #[arg(
        long,
        value_name = "COLUMNS",
        env = "COLUMNS",
        hide = true,
        hide_env_values = true
    )]
    pub(crate) terminal_width: Option<String>,
}

impl FormatArgs {
    pub(crate) fn settings(&self, context: &Context<'_>) -> Settings {
        let width = width(self.terminal_width.as_deref());
        Settings {
            format: self.output,
            header: !self.no_header,
            guard: if self.raw_csv { Guard::Off } else { Guard::On },
            width: context.out_is_terminal.then_some(width),
            color: context.global.colored.out,
        }
    }
}

/// Returns the width that a table is drawn for: what was typed, else the terminal's own.
fn width(typed: Option<&str>) -> usize {
    let typed = typed.and_then(|width| width.trim().parse().ok());
    // Shells seldom export COLUMNS, so the terminal itself is asked next.
    let asked = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    typed
        .or_else(asked)
        .filter(|width| *width > 0)
        .unwrap_or(USUAL_WIDTH)
}

/// The settings of a command whose only choice is the format.
pub(crate) fn plain(format: Format, context: &Context<'_>) -> Settings {
    Settings {
        format,
        header: true,
        guard: Guard::On,
        width: context.out_is_terminal.then(|| width(None)),
        color: context.global.colored.out,
    }
}

/// How the output is written, and what of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// The columns to print, in this order, separated by commas.
    ///
    /// Names are those of the JSON fields; a wrong one is answered with all of them.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        action = ArgAction::Append,
        env = "DCS_HISTORY_COLUMNS",
        hide_env_values = true
    )]
    pub(crate) columns: Vec<String>,
    /// Print at most this many rows; 0 prints all.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        env = "DCS_HISTORY_LIMIT",
        hide_env_values = true
    )]
    pub(crate) limit: Option<u64>,
    /// Order by this column; with `:desc` from the greatest to the least.
    ///
    /// What has no value in that column comes last either way.
    #[arg(
        long,
        value_name = "COLUMN[:desc]",
        env = "DCS_HISTORY_SORT",
        hide_env_values = true
    )]
    pub(crate) sort: Option<String>,
}

impl OutputArgs {
    /// Returns the columns that were asked for by name; `None` leaves the choice to the command.
    pub(crate) fn columns(
        &self,
        known: &[&'static str],
    ) -> Result<Option<Vec<ColumnName>>, CliError> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        let named = self.columns.iter().map(|name| column(known, name));
        named.collect::<Result<_, _>>().map(Some)
    }

    /// Returns the order that was asked for.
    pub(crate) fn order(&self, known: &[&'static str]) -> Result<Option<Order>, CliError> {
        let Some(sort) = &self.sort else {
            return Ok(None);
        };
        let (name, descending) = match sort.rsplit_once(':') {
            Some((name, "desc")) => (name, true),
            Some((name, "asc")) => (name, false),
            Some((_, other)) => {
                let message = format!("cannot sort by {sort:?}: {other:?} is no direction");
                return Err(CliError::usage(message).hint("write COLUMN or COLUMN:desc"));
            }
            None => (sort.as_str(), false),
        };
        Ok(Some(Order {
            column: column(known, name)?,
            descending,
        }))
    }

    /// Returns the number of rows to print, if there is a bound: the one that was typed, else the command's own, which
    /// holds on a terminal only.
    pub(crate) fn limit(&self, on_a_terminal: Option<u64>, out_is_terminal: bool) -> Option<u64> {
        match self.limit {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => on_a_terminal.filter(|_| out_is_terminal),
        }
    }
}

fn column(known: &[&'static str], name: &str) -> Result<ColumnName, CliError> {
    ColumnName::among(known, name.trim()).ok_or_else(|| {
        CliError::usage(format!("there is no column {name:?}"))
            .hint(format!("the columns are {}", known.join(", ")))
    })
}

/// Turns a row of the archive into cells of the output.
pub(crate) fn cells(row: Vec<Value>) -> Vec<Cell> {
    row.into_iter().map(cell).collect()
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Integer(number),
        Value::Real(number) => Cell::Real(number),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
    }
}

/// Turns the outcome of writing output into that of a command.
pub(crate) fn written(result: io::Result<()>) -> Result<(), CliError> {
    result.map_err(|error| output_failed(&error))
}
