//! The archive, opened for a command that only reads it.

use std::path::Path;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use super::Context;
use super::error::{CliError, Exit};

/// 'DCSH' in ASCII: what an archive of this program bears in its header.
const APPLICATION_ID: i64 = 0x4443_5348;

/// Opens the archive that was asked for.
pub(crate) fn readable(context: &Context<'_>) -> Result<Connection, CliError> {
    let Some(path) = &context.global.db else {
        return Err(CliError::usage("no archive was named").hint("name it with --db PATH"));
    };
    open(path)
}

fn open(path: &Path) -> Result<Connection, CliError> {
    if !path.exists() {
        let message = format!("there is no archive at {}", path.display());
        return Err(CliError::new(Exit::Archive, message)
            .hint("`dcs-history sync` makes one; --db or DCS_HISTORY_DB names another file"));
    }
    let failed = |error: Error| {
        let mut failed = CliError::from(error);
        failed.message = format!("cannot read the archive {}", path.display());
        failed
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let archive = Connection::open_with_flags(path, flags).map_err(failed)?;
    archive
        .pragma_update(None, "trusted_schema", false)
        .map_err(failed)?;
    let id: i64 = archive
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    if id != APPLICATION_ID {
        let message = format!("{} is not an archive of dcs-history", path.display());
        return Err(CliError::new(Exit::Archive, message));
    }
    Ok(archive)
}

/// A failed read, told by whose fault it is.
impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let exit = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Exit::Busy,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied,
            ) => Exit::Machine,
            _ => Exit::Archive,
        };
        Self::new(exit, "cannot read the archive").because(&error)
    }
}
