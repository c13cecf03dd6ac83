//! `reprocess`: makes the rows follow the raw text, and says what changed.

use clap::Args;

use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::output_args::{FormatArgs, written};
use super::{Context, archive, shows_progress};
use crate::output::progress::Progress;
use crate::output::{self, Cell, Column};
use crate::store::read;
use crate::store::reprocess::{self, Rebuilt};
use crate::store::write::Archive;
use crate::sync::READING;

/// Rebuild what the archive keeps beside the raw text, offline.
///
/// Every record stands in the archive as it was received; columns, changes and counters are read out of it. When a new
/// version reads records better, or a column was altered, this reads every text again and makes the rows follow, in one
/// transaction; where nothing differs, nothing is written. The raw text, the ledger, marks and the hash chain stay as
/// they are. A record whose text is not the one that was received (see `verify`) is left alone, and the exit code is 3.
///
/// Printed is how many rows changed in which column; of a change, the attribute.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history reprocess --dry-run  # what would change
  dcs-history reprocess && dcs-history verify")]
pub(crate) struct ReprocessArgs {
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn run(args: &ReprocessArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let progress = Progress::steps(shows_progress(context));
    progress.stage("tasks", None);
    let mut step = |done: u64| {
        if done.is_multiple_of(1024) {
            progress.step(done);
        }
    };
    // Opened for reading first: an archive that is not there must not be made.
    let connection = archive::for_reading(context.global)?;
    let rebuilt = if args.dry_run {
        let moment = read::snapshot(&connection)?;
        reprocess::rehearse(&moment, READING, &mut step)?
    } else {
        drop(connection);
        let writable = archive::for_writing(context.global, (context.now)())?;
        let mut archive = Archive::new(writable, READING);
        let rebuilt = archive.reprocess(&mut step)?;
        archive.close()?;
        rebuilt
    };
    progress.finish();
    print(&rebuilt, args, context)?;
    Ok(if rebuilt.left == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn print(
    rebuilt: &Rebuilt,
    args: &ReprocessArgs,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let settings = args.format.settings(context);
    let mut records = output::records(settings, &mut *context.out);
    let columns = ["table", "column", "rows"].map(Column::wanted);
    written(records.header(&columns))?;
    for ((table, name), rows) in &rebuilt.rows {
        let rows = Cell::Integer(i64::try_from(*rows).unwrap_or(i64::MAX));
        written(records.row(&[Cell::text(*table), Cell::text(name.as_str()), rows]))?;
    }
    written(records.end())?;
    drop(records);
    let would = if args.dry_run { "would be " } else { "" };
    messages::remark(
        context,
        &format!(
            "{} of {} tasks {would}changed, {} rows in all",
            rebuilt.touched,
            rebuilt.tasks,
            rebuilt.rows.values().sum::<u64>()
        ),
    );
    if rebuilt.left > 0 {
        let line = format!(
            "{} are left as they are: their raw text is not the one that was received; `dcs-history verify` names them",
            rebuilt.left
        );
        messages::write(context.err, context.global, Level::Warning, &line);
    }
    Ok(())
}
