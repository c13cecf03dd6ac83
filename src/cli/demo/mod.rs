//! `demo`: the product shown to somebody who has never seen it, in seconds and without an account.
//!
//! It promises that nothing in it is staged but the cloud: every command that it shows is run as it stands, through the
//! same door as one that is typed, and what is printed below is what that command printed. The story is a table of steps
//! (`story`), a step is done by `stage`, and here is what both stand on: a folder, a simulated cloud, the signals.

mod stage;
mod story;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::{CliError, Exit};
use super::simulate::Files;
use super::{Context, signals};
use crate::simulator;
use crate::simulator::world;
use stage::Stage;

/// See what this program is for: a story of six days in a simulated cloud, told in seconds.
///
/// Nothing is needed for it: no account, no network beyond this machine. A simulated cloud is started on 127.0.0.1, and
/// read into a new archive several times while it changes. A record is deleted there, an answer comes from a copy that
/// lags, and for some days nobody reads. Then the archive is asked what happened, what is gone, and what it cannot know.
/// Each command is shown with its real output, so that it can be typed again for the same archive.
///
/// The archive stays in a folder of its own, which is printed. Your own archive (--db, `DCS_HISTORY_DB`) and your other
/// settings are neither used nor touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dcs-history demo
  dcs-history demo --dir shown       # the archive is shown/history.db
  dcs-history demo | less")]
pub(crate) struct Args {
    /// The folder for the archive: a new one, or one that is empty [default: a new folder for temporary files].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The seed whose first week has all that the story tells.
const SEED: u64 = 139;

/// Records in a page of this cloud's: few, so that lists of some fifty tasks take several requests, as long ones do.
const PAGE_CAP: usize = 25;

/// The cloud that the story happens in; its clock stands still and is moved by the story alone.
fn options() -> simulator::Options {
    simulator::Options {
        world: world::Options {
            seed: SEED,
            ..world::Options::default()
        },
        page_cap: Some(PAGE_CAP),
        ..simulator::Options::default()
    }
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let signals = signals::listen()?;
    let folder = match &args.dir {
        Some(folder) => named(folder)?,
        None => temporary()?,
    };
    let cloud = simulator::start(options()).map_err(|error| {
        CliError::new(Exit::Machine, "cannot start the simulated cloud").because(&error)
    })?;
    // Gone at the end, like the cloud that they open.
    let files = Files::write(Some(&folder), &cloud)
        .map_err(|unwritten| unwritten.told(args.dir.is_some()))?;
    let terminal = context.out_is_terminal;
    let mut stage = Stage::new(&folder, cloud, &files.token, signals, context.out, terminal);
    stage.tell(story::STEPS)?;
    Ok(Exit::Done)
}

/// Takes a folder that somebody chose: only a new or an empty one, so that nothing is overwritten or mixed up.
fn named(folder: &Path) -> Result<PathBuf, CliError> {
    let shown = folder.display();
    let failed = |error: io::Error| {
        CliError::new(Exit::Machine, format!("cannot use the folder {shown}")).because(&error)
    };
    let folder = std::path::absolute(folder).map_err(failed)?;
    match DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => Ok(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_dir(&folder).map_err(failed)?.next().is_some() {
                return Err(CliError::usage(format!("the folder {shown} is not empty"))
                    .hint("name a folder that is new or empty with --dir, or leave it out"));
            }
            Ok(folder)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Makes a folder that nobody else has and nobody removes at the end.
fn temporary() -> Result<PathBuf, CliError> {
    let made = tempfile::Builder::new()
        .prefix("dcs-history-demo-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir();
    let made = made.map_err(|error| {
        CliError::new(Exit::Machine, "cannot make a folder for temporary files")
            .because(&error)
            .hint("name another place with --dir")
    })?;
    Ok(made.keep())
}
