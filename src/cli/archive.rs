//! The way from a command to the archive: which file, for what, and how its errors are told.

use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;

use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::signals::{self, Told};
use super::{Context, Global, paths};
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::error::Class;
use crate::store::open::{self, Writable};

/// How often a held archive is tried again: soon enough for a person, and a few system calls.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Opens the archive of this call for writing; in the default place it is made with its folder.
pub(crate) fn for_writing(global: &Global, now: Timestamp) -> Result<Writable, CliError> {
    let db = paths::db(global.db.as_deref())?;
    db.make_folder().map_err(|error| {
        let path = db.path().display();
        CliError::new(Exit::Machine, format!("cannot make the folder of {path}"))
            .because(&error)
            .hint("name another archive with `--db PATH`")
    })?;
    open::writable(db.path(), now).map_err(store_error)
}

/// The same, and waits so long for another program that holds it; a signal ends the waiting.
pub(crate) fn for_writing_within(
    wait: Duration,
    signals: &Told,
    context: &mut Context<'_>,
) -> Result<Writable, CliError> {
    let first = for_writing(context.global, (context.now)());
    match first {
        Err(error) if error.exit == Exit::Busy && !wait.is_zero() => {
            messages::write(
                context.err,
                context.global,
                Level::Note,
                "another program holds the archive; waiting for it",
            );
        }
        opened => return opened,
    }
    let runtime = crate::cli::runtime()?;
    let mut signals = signals.clone();
    runtime.block_on(async {
        let until = Instant::now() + wait;
        loop {
            let told = tokio::time::timeout(LOOK_AGAIN, signals.wait_for(Option::is_some)).await;
            if let Ok(Ok(signal)) = told.map(|told| told.map(|signal| *signal))
                && let Some(signal) = signal
            {
                return Err(CliError::new(
                    signals::exit(signal),
                    "stopped by a signal while waiting for the archive",
                ));
            }
            match for_writing(context.global, (context.now)()) {
                Err(error) if error.exit == Exit::Busy && Instant::now() < until => {}
                opened => return opened,
            }
        }
    })
}

/// Opens the archive of this call for reading.
pub(crate) fn for_reading(global: &Global) -> Result<Connection, CliError> {
    let db = paths::db(global.db.as_deref())?;
    open::readable(db.path()).map_err(store_error)
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        store_error(error)
    }
}

/// Phrases an error of the archive.
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it can be handed to `map_err`"
)]
pub(crate) fn store_error(error: Error) -> CliError {
    store_problem(&error)
}

/// The same for an error that is kept.
pub(crate) fn store_problem(error: &Error) -> CliError {
    let exit = match error.class() {
        Class::Archive => Exit::Archive,
        Class::Busy => Exit::Busy,
        Class::Machine => Exit::Machine,
    };
    let told = CliError::new(exit, error.to_string()).because(&error.kind);
    error.hints().into_iter().fold(told, CliError::hint)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::LogFormat;
    use crate::store::error::Kind;

    fn told(kind: Kind) -> (Exit, String) {
        let error = store_error(Error::new(Path::new("/data/h.db"), kind));
        let mut text = Vec::new();
        error.write(&mut text, LogFormat::Text, false).unwrap();
        (error.exit, String::from_utf8(text).unwrap())
    }

    #[test]
    fn every_class_has_its_exit_code_and_a_missing_archive_names_the_command_that_makes_one() {
        let (exit, text) = told(Kind::Missing);
        assert_eq!(exit, Exit::Archive);
        assert_eq!(
            text,
            "error: cannot use the archive /data/h.db\n  caused by: there is no archive there yet\n\
             hint: `dcs-history sync --endpoint URL --project-id ID --instance ID` makes one\n"
        );
        assert_eq!(told(Kind::Busy { holder: None }).0, Exit::Busy);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let (exit, text) = told(Kind::Machine {
            doing: "writing",
            source: full.into(),
        });
        assert_eq!(exit, Exit::Machine);
        assert!(
            text.contains("  caused by: writing failed\n  caused by: no storage space\n"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_archive_names_the_backup_and_the_rescue() {
        let (exit, text) = told(Kind::Damaged("page 3 is not a page".into()));
        assert_eq!(exit, Exit::Archive);
        for part in [
            "page 3 is not a page",
            "backup",
            "sqlite3 '/data/h.db' .recover",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
