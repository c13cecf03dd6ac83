//! `report`: what happened in a period, for people who never open a terminal.

mod attention;
mod chapters;
mod document;
mod evidence;
mod front;
mod gather;
mod method;
mod redact;
mod rows;
mod say;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{Args, ValueEnum};
use rusqlite::Connection;

use self::gather::{Asked, Report};
use super::error::{CliError, Exit};
use super::files::{self, Present, Unfinished};
use super::messages::{self, Level};
use super::period::{PeriodArgs, RulesArgs};
use super::stop::{Stop, stoppable};
use super::{Context, archive, instance_arg, paths, zone};
use crate::model::time::HOUR;
use crate::output::document::{self as documents, Document};
use crate::output::{self, phrase::size, zone::Zone};
use crate::report::redact::{Redactor, What};
use crate::store::filter::{ChangeFilter, Created, TaskFilter};
use crate::store::read::{self, Order, Select, View};

/// Rows that each list keeps unless told otherwise: what somebody may read, and a browser opens at once.
const KEPT: u64 = 1_000;

/// Most tasks take minutes; what takes more than an hour is worth a question.
const LONG: i64 = HOUR;

/// Write an audit report of a period, for people who never open a terminal.
///
/// Page one answers whether there was a change, by whom, whether it succeeded, and what the archive cannot know; then what
/// needs attention. The chapters behind it have the changes of each instance with old and new values, users, failures, long
/// and stuck tasks, changes of exposure (public access, whitelist, TLS, port, password), records that the cloud no longer
/// lists, changes that do not fit together, and what the cloud's documentation does not know.
///
/// HTML is one file that needs no script and no network, for a mail or a print. Markdown has the same without charts. JSON
/// has the same tables as data; its members are explained in the README. CSV has the changes alone, one line each.
///
/// A task belongs to the period that it was created in; what only ended in it is listed apart. How a task ended is what the
/// archive knows today. The same archive and the same period give the same bytes; so name the end of the period, which is
/// now unless told otherwise.
///
/// --evidence writes a folder for an auditor: the report in all formats, every record that it rests on as it was received,
/// the ledger lines, the queries, and how to check all of it with sha256sum and sqlite3 alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history report --period 2026-10 --out october.html
  dcs-history report --period 2026-Q3 --instance orders-cache -o markdown
  dcs-history report --period 2026-Q3 --evidence q3-evidence")]
pub(crate) struct ReportArgs {
    /// Only of this instance: its id, its name, or an unambiguous beginning of the id; repeatable.
    #[arg(long, value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    /// The title; without it one that names the period.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    title: Option<String>,
    #[command(flatten)]
    period: PeriodArgs,
    /// The format; without it, what the name of FILE ends with, else HTML.
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    output: Option<Format>,
    /// Write into this file, which only its owner may read.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Write the report in all formats, the records that it rests on and how to check them into this folder, which must be new
    /// or empty and which only its owner may look into.
    ///
    /// Nothing goes to standard output then; with --out the report goes into that file as well.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    evidence: Option<PathBuf>,
    /// Show times in this zone, and cut days there (HTML, Markdown): `local`, an offset such as +02:00, or a name such as
    /// Europe/Berlin.
    ///
    /// Each time carries its offset then. Times that you type are UTC all the same, unless they have an offset of their own,
    /// and JSON and CSV keep times in UTC; days, weeks and months are cut in the zone there too.
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        value_parser = zone::parse,
        allow_hyphen_values = true,
        env = "DCS_HISTORY_TZ",
        hide_env_values = true,
        help_heading = "Output"
    )]
    tz: Zone,
    /// Keep at most this many rows in each list, and of the changes of all instances together (1000 unless told otherwise);
    /// 0 keeps all. CSV always has all.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        env = "DCS_HISTORY_LIMIT",
        hide_env_values = true,
        help_heading = "Output"
    )]
    limit: Option<u64>,
    /// Leave out what shall not be shown: `users` (they become user-1, user-2), `params` (parameters of tasks, whitelists
    /// among them), `addresses` (address-1 in place of an IP address, in any text); several separated by commas.
    ///
    /// Names and ids of instances stay, and so does the title. The numbers hold within one report.
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        env = "DCS_HISTORY_REDACT",
        hide_env_values = true,
        help_heading = "Output"
    )]
    redact: Vec<Redact>,
    /// What takes longer than this, or is open for longer, is listed as long [default: 1h].
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = super::duration::parse,
        env = "DCS_HISTORY_LONG",
        hide_env_values = true,
        help_heading = "Rules"
    )]
    long: Option<Duration>,
    #[command(flatten)]
    rules: RulesArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    Markdown,
    Json,
    Csv,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Html, Self::Markdown, Self::Json, Self::Csv]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Html => {
                PossibleValue::new("html").help("One file for browsers, mails and printers")
            }
            Self::Markdown => PossibleValue::new("markdown").help("For documents and tickets"),
            Self::Json => PossibleValue::new("json").help("One object with every table as data"),
            Self::Csv => {
                PossibleValue::new("csv").help("The changes, a line each, for spreadsheets")
            }
        })
    }
}

/// What a report can leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Redact {
    Users,
    Params,
    Addresses,
}

impl Redact {
    fn what(asked: &[Self]) -> What {
        What {
            users: asked.contains(&Self::Users),
            params: asked.contains(&Self::Params),
            addresses: asked.contains(&Self::Addresses),
        }
    }
}

impl Format {
    /// The format that the name of a file asks for.
    fn by_ending(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "html" | "htm" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

pub(crate) fn run(args: &ReportArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let mut archive = archive::for_reading(context.global)?;
    let Some(folder) = &args.evidence else {
        return write(args, &archive, context);
    };
    // There is something to clear away when a signal comes.
    let stop = stoppable(&mut archive, context)?;
    let written = with_evidence(args, folder, &archive, &stop, context);
    written.map_err(|error| stop.phrase(error))
}

fn write(
    args: &ReportArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    judge_force(args)?;
    let archive = read::snapshot(archive)?;
    let asked = asked(args, &archive, context)?;
    let format = args.format();
    let Some(path) = &args.out else {
        return render(format, &archive, asked, context.out, &super::output_failed)
            .map(|()| Exit::Done);
    };
    let (file, bytes) = unfinished(args, path, context, |out, failed| {
        render(format, &archive, asked, out, failed)
    })?;
    files::put_in_place(vec![file], Present::of(args.force))?;
    let line = format!("report {}: {}", path.display(), size(bytes));
    messages::write(context.err, context.global, Level::Result, &line);
    Ok(Exit::Done)
}

/// The same with a pack, for which everything is gathered once.
fn with_evidence(
    args: &ReportArgs,
    folder: &Path,
    archive: &Connection,
    stop: &Stop,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    judge_force(args)?;
    if args.output.is_some() && args.out.is_none() {
        let message = "-o is the format of a report beside the evidence, and none is named";
        return Err(
            CliError::usage(message).hint("name one with --out FILE; the folder has all formats")
        );
    }
    evidence::judge(folder, args.out.as_deref(), context)?;
    let archive = read::snapshot(archive)?;
    let mut report = gather::gather(&archive, asked(args, &archive, context)?)?;
    // One for all files, so that a pseudonym means the same in each.
    let mut redactor = redact::redactor(&archive, &report.asked)?;
    redact::report(&mut report, &mut redactor);
    let document = document::document(&report);
    let file = match &args.out {
        None => Vec::new(),
        Some(path) => {
            let (file, _bytes) =
                unfinished(args, path, context, |out, failed| match args.format() {
                    Format::Csv => changes(&archive, &report.asked, &mut redactor, out, failed),
                    format => write_as(format, &document, out).map_err(|error| failed(&error)),
                })?;
            vec![file]
        }
    };
    let pack = evidence::build(folder, &archive, &report, &document, &mut redactor)?;
    stop.check()?;
    let place = || files::put_in_place(file, Present::of(args.force));
    pack.put_in_place(place, context)?;
    Ok(Exit::Done)
}

fn judge_force(args: &ReportArgs) -> Result<(), CliError> {
    if args.force && args.out.is_none() {
        return Err(
            CliError::usage("--force replaces a file, and none is named")
                .hint("name one with --out FILE"),
        );
    }
    Ok(())
}

/// Writes a file that has no name yet, and returns its length too.
fn unfinished(
    args: &ReportArgs,
    path: &Path,
    context: &Context<'_>,
    write: impl FnOnce(&mut dyn Write, &dyn Fn(&io::Error) -> CliError) -> Result<(), CliError>,
) -> Result<(Unfinished, u64), CliError> {
    let db = paths::db(context.global.db.as_deref())?;
    files::judge(path, db.path(), Present::of(args.force))?;
    let file = Unfinished::new(path)?;
    let failed = |error: &io::Error| files::failed(path, error);
    let mut out = io::BufWriter::new(file.file());
    write(&mut out, &failed)?;
    out.flush().map_err(|error| failed(&error))?;
    drop(out);
    let bytes = file.complete().map_err(|error| failed(&error))?;
    Ok((file, bytes))
}

impl ReportArgs {
    fn format(&self) -> Format {
        let by_ending = self.out.as_deref().and_then(Format::by_ending);
        self.output.or(by_ending).unwrap_or(Format::Html)
    }
}

/// Understands what was typed.
fn asked(
    args: &ReportArgs,
    archive: &Connection,
    context: &Context<'_>,
) -> Result<Asked, CliError> {
    let now = (context.now)();
    let period = args.period.window(now)?;
    let Some(since) = period.since else {
        return Err(
            CliError::usage("a report is about a period, and none is named")
                .hint("--period 2026-10 is a month; --since 7d the last week"),
        );
    };
    let until = period.until.unwrap_or(now);
    if since >= until {
        return Err(CliError::usage(format!(
            "the period begins at {since}, which is not over yet"
        ))
        .hint("--until ends it later than now"));
    }
    let millis = |long: Duration| i64::try_from(long.as_millis()).unwrap_or(i64::MAX);
    Ok(Asked {
        title: args.title.clone(),
        named: instance_arg::resolve(archive, &args.instance)?,
        since,
        until,
        rules: args.rules.rules(),
        zone: args.tz.clone(),
        long: args.long.map_or(LONG, millis),
        redact: Redact::what(&args.redact),
        limit: match args.limit {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => Some(KEPT),
        },
    })
}

/// Writes a report in a format.
fn render(
    format: Format,
    archive: &Connection,
    asked: Asked,
    out: &mut dyn Write,
    failed: &dyn Fn(&io::Error) -> CliError,
) -> Result<(), CliError> {
    let mut redactor = redact::redactor(archive, &asked)?;
    if format == Format::Csv {
        return changes(archive, &asked, &mut redactor, out, failed);
    }
    let mut report: Report = gather::gather(archive, asked)?;
    redact::report(&mut report, &mut redactor);
    write_as(format, &document::document(&report), out).map_err(|error| failed(&error))
}

/// Writes a document in a format that has all of it.
fn write_as(format: Format, document: &Document, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Markdown => documents::markdown::write(out, document),
        Format::Json => documents::json::write(out, document),
        Format::Html | Format::Csv => documents::html::write(out, document),
    }
}

/// Writes every change of the period, as `changes` prints them, the oldest first.
fn changes(
    archive: &Connection,
    asked: &Asked,
    redactor: &mut Redactor,
    out: &mut dyn Write,
    failed: &dyn Fn(&io::Error) -> CliError,
) -> Result<(), CliError> {
    let filter = ChangeFilter {
        tasks: TaskFilter {
            instances: asked.named.clone(),
            created: Created::In(asked.period()),
            ..TaskFilter::default()
        },
        ..ChangeFilter::default()
    };
    let select = Select {
        view: View::Changes,
        columns: View::Changes.all(),
        condition: filter.condition(),
        order: Some(Order::ascending("created_at")),
        limit: None,
    };
    rows::write(archive, &select, output::Format::Csv, redactor, out, failed).map(|_rows| ())
}
