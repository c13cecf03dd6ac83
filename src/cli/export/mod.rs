//! `export`: whole views for other engines, of one moment, to standard output or into files.

mod plan;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser, PossibleValue};
use clap::{Args, ValueEnum};
use rusqlite::Connection;

use self::plan::{Asked, Plan, Target};
use super::error::{CliError, Exit};
use super::files::{self, Folder, Present, Unfinished, failed};
use super::messages::{self, Level};
use super::output_args::{cells, written};
use super::period::PeriodArgs;
use super::stop::{Stop, stoppable};
use super::{Context, LogFormat, When, archive, instance_arg, output_failed, paths};
use crate::model::coverage::Window;
use crate::output::Guard;
use crate::output::export::{self, Format, Progress, Settings};
use crate::output::phrase::size;
use crate::store::export::{Filter, kind, select};
use crate::store::read::{self, ColumnName, View};

/// Write whole views for other engines: Parquet, JSON lines or CSV.
///
/// One view goes to standard output or into a file (--out), several go into a folder (--out-dir), a file each; all of them
/// if none is named. What is written is one moment of the archive, also while a sync is running: a task and its changes
/// fit together. Equal archives give equal files.
///
/// Parquet has types: times are timestamps in UTC, what is 0 or 1 is a boolean, `raw` of rejected records is bytes. JSON
/// lines and CSV are those of the other commands. What the columns mean stands in the README, under "The archive in SQL".
///
/// --instance and the period keep a task with its details, changes and revisions (the period is that of its creation),
/// walks, and what a list of instances told; of the period (by their beginning) also syncs, and first sightings of drift.
/// What belongs to no instance, or to no time, is left out of an export of all views then, and refused where it is named.
///
/// A file is built under another name, readable by its owner only, and gets its own when everything is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history export --out-dir history          # every view, as Parquet
  dcs-history export tasks --out tasks.csv --period 2026-10
  dcs-history export changes --format jsonl | gzip > changes.jsonl.gz")]
pub(crate) struct ExportArgs {
    /// The views to write; all, if none is named.
    #[arg(value_name = "VIEW")]
    views: Vec<View>,
    /// The format; without it, what the name of FILE ends with, else Parquet.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "DCS_HISTORY_FORMAT",
        hide_env_values = true
    )]
    format: Option<Format>,
    /// Write one view into this file.
    #[arg(long, value_name = "FILE", conflicts_with = "out_dir")]
    out: Option<PathBuf>,
    /// Write a file for each view into this folder, such as tasks.parquet; a new folder is made.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Replace files that are there already.
    #[arg(long)]
    force: bool,
    /// Only what belongs to this instance: its id, its name, or an unambiguous beginning of the id; repeatable.
    #[arg(long, value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    #[command(flatten)]
    period: PeriodArgs,
    /// The columns to write, in this order, separated by commas; of one view only.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    columns: Vec<String>,
    /// Leave out the line with the names of the columns (CSV).
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_NO_HEADER",
        hide_env_values = true,
        help_heading = "Output"
    )]
    no_header: bool,
    /// Write CSV cells as they are, also those that a spreadsheet would run as formulas.
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_RAW_CSV",
        hide_env_values = true,
        help_heading = "Output"
    )]
    raw_csv: bool,
}

impl ValueEnum for View {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.name());
        Some(match self {
            Self::Parquet => value.help("Typed columns, for DuckDB, pandas and other engines"),
            Self::Jsonl => value.help("One JSON object a line"),
            Self::Csv => value.help("Comma-separated values, for spreadsheets"),
        })
    }
}

pub(crate) fn run(args: &ExportArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let period = args.period.window((context.now)())?;
    let plan = plan::plan(&Asked {
        views: &args.views,
        format: args.format,
        out: args.out.as_deref(),
        out_dir: args.out_dir.as_deref(),
        columns: &args.columns,
        of_instances: !args.instance.is_empty(),
        of_period: period != Window::default(),
        out_is_terminal: context.out_is_terminal,
    })?;
    if args.force && plan.target == Target::Out {
        return Err(CliError::usage("--force replaces files, and none is named")
            .hint("name one with --out FILE, or a folder with --out-dir DIR"));
    }
    let mut archive = archive::for_reading(context.global)?;
    let stop = stopped(&plan, &mut archive, context)?;
    // All that follows is read from one moment.
    let moment = read::snapshot(&archive)?;
    let filter = Filter {
        instances: instance_arg::resolve(&moment, &args.instance)?,
        period,
    };
    let export = Export {
        archive: &moment,
        settings: Settings {
            format: plan.format,
            header: !args.no_header,
            guard: if args.raw_csv { Guard::Off } else { Guard::On },
        },
        filter,
        stop,
    };
    let result = match &plan.target {
        Target::Out => export.to_out(&plan, context),
        Target::File(file) => {
            let file = file.clone();
            export.to_files(&plan, &[file], Present::of(args.force), context)
        }
        Target::Folder(folder) => {
            let name = |(view, _): &(View, _)| {
                folder.join(format!("{}.{}", view.name(), plan.format.name()))
            };
            let files: Vec<_> = plan.views.iter().map(name).collect();
            let folder = Folder::new(folder)?;
            let done = export.to_files(&plan, &files, Present::of(args.force), context);
            done.inspect(|_| folder.keep())
        }
    };
    result.map_err(|error| export.stop.phrase(error))
}

/// Listens for signals where there is something to clear away: a file of which only a part is written.
fn stopped(plan: &Plan, archive: &mut Connection, context: &Context<'_>) -> Result<Stop, CliError> {
    match plan.target {
        Target::Out => Ok(Stop::NEVER),
        Target::File(_) | Target::Folder(_) => stoppable(archive, context),
    }
}

fn progress(context: &Context<'_>, is_data_on_terminal: bool) -> Progress {
    let global = context.global;
    let is_quiet = global.quiet > 0 || global.log_format != LogFormat::Text;
    Progress::new(match global.progress {
        When::Always => true,
        When::Never => false,
        When::Auto => context.err_is_terminal && !is_quiet && !is_data_on_terminal,
    })
}

/// Bytes that are written to a file together.
const BUFFER: usize = 256 << 10;

/// One moment of the archive, and how it is written.
struct Export<'a> {
    archive: &'a Connection,
    settings: Settings,
    filter: Filter,
    stop: Stop,
}

impl Export<'_> {
    fn to_out(&self, plan: &Plan, context: &mut Context<'_>) -> Result<Exit, CliError> {
        let mut progress = progress(context, context.out_is_terminal);
        for view in &plan.views {
            progress.view(view.0.name(), 1, 1);
            self.write(view, context.out, &output_failed, &mut progress)?;
        }
        written(context.out.flush())?;
        Ok(Exit::Done)
    }

    fn to_files(
        &self,
        plan: &Plan,
        files: &[PathBuf],
        present: Present,
        context: &mut Context<'_>,
    ) -> Result<Exit, CliError> {
        let db = paths::db(context.global.db.as_deref())?;
        for file in files {
            files::judge(file, db.path(), present)?;
        }
        let mut progress = progress(context, false);
        let (mut done, mut rows, mut bytes) = (Vec::new(), 0, 0);
        for (view, file) in plan.views.iter().zip(files) {
            progress.view(view.0.name(), done.len() + 1, files.len());
            let unfinished = Unfinished::new(file)?;
            let failed = |error: &io::Error| failed(file, error);
            let mut out = BufWriter::with_capacity(BUFFER, unfinished.file());
            rows += self.write(view, &mut out, &failed, &mut progress)?;
            out.flush().map_err(|error| failed(&error))?;
            drop(out);
            bytes += unfinished.complete().map_err(|error| failed(&error))?;
            done.push(unfinished);
        }
        self.stop.check()?;
        files::put_in_place(done, present)?;
        drop(progress);
        summarise(plan, (rows, bytes), context);
        Ok(Exit::Done)
    }

    /// Writes the rows of a view, and returns how many there were.
    fn write(
        &self,
        (view, columns): &(View, Vec<ColumnName>),
        out: &mut dyn Write,
        failed: &dyn Fn(&io::Error) -> CliError,
        progress: &mut Progress,
    ) -> Result<u64, CliError> {
        let select = select(*view, columns.clone(), &self.filter);
        let kinds = columns
            .iter()
            .map(|column| (column.as_str(), kind(*view, *column)));
        let kinds: Vec<_> = kinds.collect();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::InvalidData => altered(*view, &error),
            _ => failed(&error),
        };
        let mut records =
            export::records(self.settings, view.name(), &kinds, out).map_err(failed)?;
        let mut rows = 0;
        read::stream(self.archive, &select, |row| {
            self.stop.check()?;
            rows += 1;
            progress.row();
            records.row(&cells(row)).map_err(failed)
        })?;
        records.end().map_err(failed)?;
        Ok(rows)
    }
}

/// Says what was written where, and what was left out.
fn summarise(plan: &Plan, (rows, bytes): (u64, u64), context: &mut Context<'_>) {
    let what = match plan.views.as_slice() {
        [(view, _)] => view.name().to_owned(),
        views => format!("{} views", views.len()),
    };
    let place = match &plan.target {
        Target::Out => return,
        Target::File(path) | Target::Folder(path) => path.display(),
    };
    let line = format!("export {place}: {what}, {rows} rows, {}", size(bytes));
    messages::write(context.err, context.global, Level::Result, &line);
    if !plan.left_out.is_empty() {
        let names = plan::names(&plan.left_out);
        let line = format!("left out, since the filter cannot be asked of them: {names}");
        messages::write(context.err, context.global, Level::Note, &line);
    }
}

/// The error for a value that no column of its kind can hold: the program does not write such ones.
fn altered(view: View, error: &io::Error) -> CliError {
    CliError::new(
        Exit::Archive,
        format!("cannot export the view {}", view.name()),
    )
    .because(error)
    .hint("somebody altered the archive: put the latest backup in its place")
    .hint("--format jsonl writes values as they are")
}
