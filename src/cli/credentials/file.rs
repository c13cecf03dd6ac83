//! Files with secrets: read once, and a secret is taken only from one that nobody else could have read or written.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::api::secret::{Secret, SecretError};
use crate::cli::error::CliError;

use super::{hidden::Hidden, surroundings::Held, token_from};

/// The longest file that is read for a token. Servers refuse headers far shorter than this; a larger file is a mistake,
/// and may be a device without end.
const LONGEST: u64 = 64 * 1024;

/// The longest file of settings that is read: a thousand profiles are shorter.
const LONGEST_SETTINGS: u64 = 1024 * 1024;

/// Why a file gives no token. Says nothing about what is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("cannot read the token file {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot find out who runs this program, which decides whether the token file {} is safe", path.display())]
    WhoAmI { path: PathBuf, source: io::Error },
    #[error("the token file {} is refused: {reason}", path.display())]
    Unsafe { path: PathBuf, reason: &'static str },
    #[error("the token file {} is larger than a token can be", path.display())]
    TooLong { path: PathBuf },
    #[error("the token file {} holds no token", path.display())]
    NotAToken { path: PathBuf, source: SecretError },
}

impl FileError {
    /// Returns what to do about it, where that is plain.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Unsafe { path, .. } => Some(format!(
                "make it yours alone: chown it to the user that runs this, and chmod 600 {}",
                path.display()
            )),
            _ => None,
        }
    }
}

/// Reads a token from a file, or from standard input if the path is `-`.
pub(super) fn read(path: &Path, stdin: &mut dyn Read) -> Result<Secret, FileError> {
    let owned = || path.to_owned();
    let unreadable = |source| FileError::Unreadable {
        path: owned(),
        source,
    };
    let bytes = if path == Path::new("-") {
        bounded(stdin, LONGEST)
    } else {
        let file = File::open(path).map_err(unreadable)?;
        // The open file is judged, not the path: a link is judged by its target, and nobody can swap it in between.
        let metadata = file.metadata().map_err(unreadable)?;
        let me = effective_user().map_err(|source| FileError::WhoAmI {
            path: owned(),
            source,
        })?;
        if let Some(reason) = objection(metadata.mode(), metadata.uid(), me) {
            return Err(FileError::Unsafe {
                path: owned(),
                reason,
            });
        }
        bounded(file, LONGEST)
    };
    let bytes = bytes
        .map_err(unreadable)?
        .ok_or_else(|| FileError::TooLong { path: owned() })?;
    token_from(bytes).map_err(|source| FileError::NotAToken {
        path: owned(),
        source,
    })
}

/// Looks at a file of settings, which may or may not hold secrets: what is in it, and what speaks against it.
pub(super) fn look(path: &Path) -> Held {
    match look_closely(path) {
        Ok(held) => held,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Held::Absent,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Held::Absent,
        Err(error) => Held::Unreadable(error.to_string()),
    }
}

fn look_closely(path: &Path) -> io::Result<Held> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let objection = match effective_user() {
        Ok(me) => objection(metadata.mode(), metadata.uid(), me),
        Err(_) => Some("whether it belongs to the user that runs this cannot be found out"),
    };
    let Some(bytes) = bounded(file, LONGEST_SETTINGS)? else {
        return Ok(Held::Unreadable("it is larger than 1 MiB".to_owned()));
    };
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Held::Text {
            text: Hidden::new(text),
            objection,
        },
        Err(_) => Held::Unreadable("it is not UTF-8 text".to_owned()),
    })
}

/// Returns the error for a file whose secret others may have read or written.
pub(crate) fn unsafe_file(path: &Path, objection: &str) -> CliError {
    let path = path.display();
    CliError::usage(format!("{path} holds a secret and is refused: {objection}")).hint(format!(
        "make it yours alone: chown it to the user that runs this, and chmod 600 {path}"
    ))
}

/// Reads to the end, or returns nothing if the end is too far away.
fn bounded(from: impl Read, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(longest + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= longest).then_some(bytes))
}

/// Says what is wrong with the mode and the owner of a file that holds a secret.
///
/// Readable by its group is right for one kind of file only: a credential that systemd puts there, which root owns.
fn objection(mode: u32, owner: u32, me: u32) -> Option<&'static str> {
    const ROOT: u32 = 0;
    if owner != me && owner != ROOT {
        Some("it belongs to another user")
    } else if mode & 0o022 != 0 {
        Some("its group or others can write to it")
    } else if mode & 0o004 != 0 {
        Some("others can read it")
    } else if mode & 0o040 != 0 && owner != ROOT {
        Some("its group can read it")
    } else {
        None
    }
}

/// Returns the user that files made by this process belong to.
///
/// The kernel's word for it needs unsafe code or a crate; a file that was just made, or else this process's own entry in
/// /proc (where no temporary folder can be written), says the same.
fn effective_user() -> io::Result<u32> {
    let made = tempfile::tempfile().and_then(|file| file.metadata());
    let metadata: Metadata = made.or_else(|error| fs::metadata("/proc/self").map_err(|_| error))?;
    Ok(metadata.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_secret_is_judged_by_its_mode_and_owner() {
        const ME: u32 = 1000;
        let (write, read) = ("can write", "others can read");
        let cases = [
            (0o600, ME, None),
            (0o400, ME, None),
            (0o700, ME, None),
            (0o100_600, ME, None),
            (0o600, 0, None),
            (0o440, 0, None),
            (0o640, 0, None),
            (0o440, ME, Some("group can read")),
            (0o640, ME, Some("group can read")),
            (0o604, ME, Some(read)),
            (0o644, ME, Some(read)),
            (0o444, 0, Some(read)),
            (0o644, 0, Some(read)),
            (0o620, ME, Some(write)),
            (0o602, ME, Some(write)),
            (0o660, 0, Some(write)),
            (0o622, 0, Some(write)),
            (0o777, ME, Some(write)),
            (0o600, 1001, Some("another user")),
            (0o400, 65_534, Some("another user")),
        ];
        for (mode, owner, expected) in cases {
            let found = objection(mode, owner, ME);
            assert_eq!(found.is_some(), expected.is_some(), "{mode:o} {owner}");
            let said = found.unwrap_or_default();
            assert!(
                said.contains(expected.unwrap_or_default()),
                "{mode:o} {owner}: {said}"
            );
        }
        // For root, root is the user.
        assert_eq!(objection(0o600, 0, 0), None);
        assert!(objection(0o600, ME, 0).is_some());
    }

    #[test]
    fn this_process_makes_files_of_its_own_user() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = file.as_file().metadata().unwrap().uid();
        assert_eq!(effective_user().unwrap(), owner);
        assert_eq!(fs::metadata("/proc/self").unwrap().uid(), owner);
    }
}
