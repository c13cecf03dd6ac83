//! Files that are written bit by bit and are there whole or not at all: each grows under another name in its folder, and
//! gets its own when all of them are complete. Nobody but the owner may read them.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::cli::error::{CliError, Exit};
use crate::store::export;

/// What an archive holds is for its owner alone, and so are copies of it.
pub(crate) const PRIVATE: u32 = 0o600;
pub(crate) const PRIVATE_FOLDER: u32 = 0o700;

/// What to do about a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Present {
    Keep,
    Replace,
}

impl Present {
    pub(crate) const fn of(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

/// Refuses a place before anything is written: for what lies there, or because it is the archive's own.
pub(crate) fn judge(path: &Path, archive: &Path, present: Present) -> Result<(), CliError> {
    let shown = path.display();
    if path.file_name().is_none() {
        return Err(CliError::usage(format!("{shown} names no file"))
            .hint("--out-dir writes into a folder"));
    }
    if export::belongs(path, archive) {
        return Err(CliError::usage(format!("{shown} belongs to the archive"))
            .hint("nothing was changed; name another file"));
    }
    match fs::symlink_metadata(path) {
        // A rename would put the file in place of a device or a link, which is not what anybody means.
        Ok(found) if !found.is_file() => {
            let what = match found.file_type() {
                kind if kind.is_dir() => "a folder",
                kind if kind.is_symlink() => "a link",
                _ => "no plain file",
            };
            Err(CliError::usage(format!("{shown} is {what}"))
                .hint("name a new file; without --out, one view goes to standard output"))
        }
        Ok(_) if present == Present::Keep => {
            Err(CliError::usage(format!("{shown} is there already")).hint("--force replaces it"))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path, &error)),
    }
}

/// A file that is not complete yet. Dropped before it has its name, it is removed.
pub(crate) struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
}

impl Unfinished {
    /// Begins a file in the folder of its place, under a name that no reader of such files looks for.
    pub(crate) fn new(path: &Path) -> Result<Self, CliError> {
        let named = path.file_name().unwrap_or_default();
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(named);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        let file = builder
            .prefix(&prefix)
            .suffix(".new")
            .permissions(Permissions::from_mode(PRIVATE))
            .tempfile_in(folder_of(path));
        let file = file.map_err(|error| failed(path, &error))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Makes sure that all of it is on the disk, and returns its length.
    pub(crate) fn complete(&self) -> io::Result<u64> {
        self.file().sync_all()?;
        Ok(self.file().metadata()?.len())
    }
}

/// Gives every file its name; where one is taken meanwhile, none keeps its own.
pub(crate) fn put_in_place(files: Vec<Unfinished>, present: Present) -> Result<(), CliError> {
    let mut placed: Vec<PathBuf> = Vec::new();
    let mut place = |Unfinished { file, path }: Unfinished| {
        let persisted = match present {
            Present::Replace => file.persist(&path),
            Present::Keep => file.persist_noclobber(&path),
        };
        persisted.map_err(|error| failed(&path, &error.error))?;
        placed.push(path);
        Ok::<_, CliError>(())
    };
    let result = files.into_iter().try_for_each(&mut place);
    if result.is_err() && present == Present::Keep {
        for path in &placed {
            // Nobody else can have put them there: their names were free a moment ago.
            let _untidy = fs::remove_file(path);
        }
    }
    result?;
    // A name that was just given is lost at a power failure otherwise.
    let mut folders: Vec<_> = placed.iter().map(|path| folder_of(path)).collect();
    folders.dedup();
    folders.into_iter().try_for_each(|folder| {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| failed(folder, &error))
    })
}

/// A folder for the files, made if it is not there; dropped before it is kept, it is removed if it was made and is empty.
pub(crate) struct Folder {
    made: Option<PathBuf>,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Result<Self, CliError> {
        match DirBuilder::new().mode(PRIVATE_FOLDER).create(path) {
            Ok(()) => Ok(Self {
                made: Some(path.to_owned()),
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {
                Ok(Self { made: None })
            }
            Err(error) => {
                let exit = match error.kind() {
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                        Exit::Usage
                    }
                    _ => Exit::Machine,
                };
                let message = format!("cannot make the folder {}", path.display());
                Err(CliError::new(exit, message)
                    .because(&error)
                    .hint("--out-dir names a folder, or a new one in a folder that exists"))
            }
        }
    }

    pub(crate) fn keep(mut self) {
        self.made = None;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // It holds something if others have put it there.
            let _kept = fs::remove_dir(path);
        }
    }
}

/// The folder that a path is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Phrases a file that cannot be written.
pub(crate) fn failed(path: &Path, error: &io::Error) -> CliError {
    let (exit, hint) = match error.kind() {
        ErrorKind::NotFound => (Exit::Usage, "make its folder first, or name another file"),
        ErrorKind::NotADirectory => (Exit::Usage, "name a file in a folder"),
        ErrorKind::AlreadyExists => (Exit::Usage, "--force replaces it"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            Exit::Machine,
            "make room on the disk, and run the same command again; nothing was left behind",
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (Exit::Machine, "name a folder that you may write to")
        }
        _ => (Exit::Machine, "nothing was left behind"),
    };
    CliError::new(exit, format!("cannot write {}", path.display()))
        .because(error)
        .hint(hint)
}
