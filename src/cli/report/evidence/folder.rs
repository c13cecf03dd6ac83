//! A folder that is there whole or not at all: it grows beside its place under a hidden name, and gets its own when all of
//! it is on the disk. Nobody but the owner may look into it. Of every file its SHA-256 is kept while it is written.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use tempfile::TempDir;

use crate::cli::error::{CliError, Exit};
use crate::cli::files::{self, PRIVATE, PRIVATE_FOLDER, folder_of};
use crate::store::chain::hex;
use crate::store::export;

/// Bytes that are written to a file together.
const BUFFER: usize = 256 << 10;

/// What to do about a place that is none.
const NAME_ANOTHER: &str = "name a new folder, or an empty one; nothing was changed";

/// Refuses a place before anything is written: for what lies there, or because it is the archive's own.
pub(super) fn judge(path: &Path, archive: &Path) -> Result<(), CliError> {
    let shown = path.display();
    if path.file_name().is_none() {
        return Err(CliError::usage(format!("{shown} names no folder"))
            .hint("name a new folder, such as october-evidence"));
    }
    let path = &plain(path);
    if export::belongs(path, archive) {
        return Err(CliError::usage(format!("{shown} belongs to the archive")).hint(NAME_ANOTHER));
    }
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(path, &error)),
    };
    if !found.is_dir() {
        let what = if found.is_symlink() {
            "a link"
        } else {
            "no folder"
        };
        return Err(CliError::usage(format!("{shown} is {what}")).hint(NAME_ANOTHER));
    }
    let mut entries = fs::read_dir(path).map_err(|error| failed(path, &error))?;
    if entries.next().is_some() {
        return Err(CliError::usage(format!("the folder {shown} is not empty"))
            .hint("name a new folder, or an empty one; --force does not apply to folders"));
    }
    Ok(())
}

/// The path without a slash at its end, behind which a link would be followed.
fn plain(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    folder.join(path.file_name().unwrap_or_default())
}

/// A folder that is not complete yet. Dropped before it has its name, it is removed with all that is in it.
pub(super) struct Pack {
    growing: TempDir,
    place: PathBuf,
    /// Each file with its SHA-256.
    sums: Vec<(&'static str, String)>,
    bytes: u64,
}

impl Pack {
    pub(super) fn new(place: &Path) -> Result<Self, CliError> {
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(place.file_name().unwrap_or_default());
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        let growing = builder
            .prefix(&prefix)
            .suffix(".new")
            .permissions(Permissions::from_mode(PRIVATE_FOLDER))
            .tempdir_in(folder_of(place))
            .map_err(|error| failed(place, &error))?;
        // The umask may have taken rights of the owner's.
        fs::set_permissions(growing.path(), Permissions::from_mode(PRIVATE_FOLDER))
            .map_err(|error| failed(place, &error))?;
        Ok(Self {
            growing,
            place: plain(place),
            sums: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds a file; what writes it gets the way to phrase an error of the disk.
    pub(super) fn add<T>(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut dyn Write, &dyn Fn(&io::Error) -> CliError) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let shown = self.place.join(name);
        let failed = |error: &io::Error| files::failed(&shown, error);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(PRIVATE);
        let file = file.open(self.growing.path().join(name));
        let file = file.map_err(|error| failed(&error))?;
        let summed = Summed {
            file,
            context: Context::new(&SHA256),
            bytes: 0,
        };
        let mut out = BufWriter::with_capacity(BUFFER, summed);
        let written = write(&mut out, &failed)?;
        let summed = out
            .into_inner()
            .map_err(|error| failed(&error.into_error()))?;
        summed.file.sync_all().map_err(|error| failed(&error))?;
        self.bytes += summed.bytes;
        self.sums
            .push((name, hex(summed.context.finish().as_ref())));
        Ok(written)
    }

    /// Adds a file with this text.
    pub(super) fn add_text(&mut self, name: &'static str, text: &str) -> Result<(), CliError> {
        self.add(name, |out, failed| {
            out.write_all(text.as_bytes())
                .map_err(|error| failed(&error))
        })
    }

    /// Adds the sums of all files so far, as `sha256sum` writes them, in the order of the names.
    pub(super) fn add_sums(&mut self, name: &'static str) -> Result<(), CliError> {
        let mut sums = self.sums.clone();
        sums.sort_unstable();
        let lines: String = sums
            .iter()
            .flat_map(|(name, sum)| [sum, "  ", name, "\n"])
            .collect();
        self.add_text(name, &lines)
    }

    /// How many files there are, and how many bytes.
    pub(super) const fn size(&self) -> (usize, u64) {
        (self.sums.len(), self.bytes)
    }

    /// Gives the folder its name; what comes after may still fail, and then it is taken away again.
    pub(super) fn put_in_place(
        self,
        then: impl FnOnce() -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let place = &self.place;
        let sync = |folder: &Path| File::open(folder).and_then(|folder| folder.sync_all());
        sync(self.growing.path()).map_err(|error| failed(place, &error))?;
        // It takes the place of an empty folder, and of nothing else.
        fs::rename(self.growing.path(), place).map_err(|error| failed(place, &error))?;
        let done = then();
        if done.is_err() {
            // Under its hidden name it is removed.
            let _untidy = fs::rename(place, self.growing.path());
            return done;
        }
        let place = place.clone();
        let _hidden_name = self.growing.keep();
        // A name that was just given is lost at a power failure otherwise.
        sync(folder_of(&place)).map_err(|error| failed(&place, &error))
    }
}

/// A file whose SHA-256 is worked out on the way.
struct Summed {
    file: File,
    context: Context,
    bytes: u64,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.context.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Phrases a folder that cannot be written.
fn failed(path: &Path, error: &io::Error) -> CliError {
    let (exit, hint) = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => (
            Exit::Usage,
            "--evidence names a new folder in one that exists",
        ),
        ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty => (Exit::Usage, NAME_ANOTHER),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            Exit::Machine,
            "make room on the disk, and run the same command again; nothing was left behind",
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            Exit::Machine,
            "name a new folder in one that you may write to",
        ),
        _ => (Exit::Machine, "nothing was left behind"),
    };
    CliError::new(exit, format!("cannot make the folder {}", path.display()))
        .because(error)
        .hint(hint)
}
