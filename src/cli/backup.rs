//! `backup`: a whole copy of the archive, also while a sync writes to it.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PathBufValueParser;
use clap::builder::TypedValueParser as _;

use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::{Context, paths, signals};
use crate::output::phrase::size;
use crate::store::Error;
use crate::store::backup::{self, Copied, Failure};
use crate::store::error::{Class, Kind};

/// Copy the archive into another file, also while a sync is running.
///
/// The copy is the archive as it was at one moment, complete and checked: it is made under another name beside FILE
/// (FILE.new), looked through, written to the disk, and only then given its name. A sync that runs meanwhile is neither
/// stopped nor waited for; what it had not finished when the copy began is not in the copy, as it was not shown by the
/// archive. A file that is there already is replaced only with --force, and only if it is an archive of this program.
///
/// The copy is a usual archive, readable by its owner only: every command takes it with --db, and to restore it, move it
/// to where the archive was while no sync runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history backup /backup/history-$(date +%F).db
  dcs-history backup --force /backup/history.db && ls -l /backup
  dcs-history --db /backup/history.db list --since 7d  # it is an archive too")]
pub(crate) struct BackupArgs {
    /// The file to make; its folder must exist.
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new().try_map(named))]
    file: PathBuf,
    /// Replace FILE if it is an archive of this program.
    #[arg(long)]
    force: bool,
}

fn named(path: PathBuf) -> Result<PathBuf, &'static str> {
    match path.file_name() {
        Some(_) => Ok(path),
        None => Err("it names no file"),
    }
}

pub(crate) fn run(args: &BackupArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let db = paths::db(context.global.db.as_deref())?;
    let signals = match context.signals {
        Some(told) => told.clone(),
        None => signals::listen()?,
    };
    let told = signals.clone();
    let is_stopped = move || told.borrow().is_some();
    let copied = backup::backup(
        db.path(),
        &args.file,
        args.force,
        (context.now)(),
        &is_stopped,
    );
    let copied = copied.map_err(|failure| phrase(failure, args, &signals))?;
    messages::write(context.err, context.global, Level::Result, &line(&copied));
    Ok(Exit::Done)
}

fn line(copied: &Copied) -> String {
    let last = match &copied.last_sync {
        Some((id, finished, outcome)) => {
            format!("last sync {id} ({outcome}) of {finished}")
        }
        None => "no sync".to_owned(),
    };
    format!(
        "backup {}: {}, {} tasks, {last}",
        copied.path.display(),
        size(copied.bytes),
        copied.tasks,
    )
}

fn phrase(failure: Failure, args: &BackupArgs, signals: &signals::Told) -> CliError {
    let file = args.file.display();
    match failure {
        Failure::Source(error) => CliError::from(error),
        Failure::Exists => CliError::usage(format!("{file} is there already"))
            .hint("--force replaces it, if it is an archive of this program"),
        Failure::Refused(why) => CliError::usage(format!("no backup is written to {file}: {why}"))
            .hint("nothing was changed; name another file"),
        Failure::Stopped => {
            let exit = signals.borrow().map_or(Exit::Interrupted, signals::exit);
            CliError::new(exit, "stopped by a signal: no backup was made")
        }
        Failure::Target(Kind::NoFolder) => CliError::usage(format!(
            "cannot write the backup {file}: its folder does not exist"
        ))
        .hint("make the folder first"),
        Failure::Target(Kind::NotAFile(why)) => {
            CliError::usage(format!("cannot write the backup {file}: {why}"))
        }
        Failure::Target(kind) => {
            let error = Error::from(kind);
            let exit = match error.class() {
                Class::Busy => Exit::Busy,
                Class::Archive | Class::Machine => Exit::Machine,
            };
            let message = format!("cannot write the backup {file}");
            let told = CliError::new(exit, message).because(&error.kind);
            error.hints().into_iter().fold(told, CliError::hint)
        }
    }
}
