//! The lock of the writers: an advisory lock on an open file beside the archive.
//!
//! It is gone with its process, whatever ended that process. The file stays, and what stands in it is only there to tell
//! a second run who holds the lock: a file that nobody has locked means nothing, whatever its text says.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    process,
};

use crate::model::time::Timestamp;
use crate::store::error::Kind;

/// Read and write for the owner alone: who may open an archive or its lock, whatever the umask says.
pub(super) const PRIVATE: u32 = 0o600;

/// More than the three lines of a lock ever take; a longer file was not written by this program.
const LONGEST: u64 = 512;

/// What runs, as the lock tells others.
const PROGRAM: &str = concat!("dcs-history ", env!("CARGO_PKG_VERSION"));

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) since: Timestamp,
    pub(crate) what: String,
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(path: &Path, now: Timestamp) -> Result<Self, Kind> {
        let failed = Kind::io("making the lock file beside it");
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Kind::Busy {
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // A full disk is told here, before anything was asked of the cloud.
        let pid = process::id();
        let text = format!("pid {pid}\nsince {now}\nprogram {PROGRAM}\n");
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only for those who look at the file: the lock itself goes when the file is closed. The file is not removed, or
        // two processes could hold locks on two files of that name.
        let _untidy = self.file.set_len(0);
    }
}

/// Says whether somebody holds the lock.
///
/// The only way to know is to try, and a sync that begins in that instant would be told that it is busy; so it is to be
/// asked in doubt only. A file without text is held by nobody: whoever holds the lock has written into it.
pub(super) fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| {
        file.metadata().is_ok_and(|file| file.len() > 0)
            && matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    })
}

/// Opens the lock file, making it if need be. A link in its place is not followed.
fn open(path: &Path) -> Result<File, Kind> {
    let failed = Kind::io("making the lock file beside it");
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.clone().create_new(true).mode(PRIVATE).open(path) {
        Ok(file) => {
            file.set_permissions(fs::Permissions::from_mode(PRIVATE))
                .map_err(failed)?;
            Ok(file)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(path).map_err(&failed)?.is_file() {
                return Err(Kind::NotAFile("its lock is not a plain file"));
            }
            options.open(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Reads who holds the lock; nothing if the holder has not written it yet.
fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    parse(&text)
}

/// Reads the text of a lock. It may be anybody's, so nothing but a number, a time and plain characters comes out of it.
fn parse(text: &str) -> Option<Holder> {
    let mut lines = text.lines();
    let pid = lines.next()?.strip_prefix("pid ")?.parse().ok()?;
    let since = Timestamp::parse_upstream(lines.next()?.strip_prefix("since ")?)?;
    let what = lines.next()?.strip_prefix("program ")?;
    let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    what.bytes().all(plain).then(|| Holder {
        pid,
        since,
        what: what.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse_upstream("2026-10-01T02:03:04.567Z").unwrap()
    }

    #[test]
    fn a_second_holder_is_told_who_and_since_when_and_the_lock_goes_with_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.db.lock");
        let first = Lock::take(&path, now()).unwrap();
        let Err(Kind::Busy { holder }) = Lock::take(&path, now().plus(1)) else {
            panic!("held twice");
        };
        let holder = holder.unwrap();
        assert!(is_held(&path));
        assert_eq!((holder.pid, holder.since), (process::id(), now()));
        assert_eq!(holder.what, PROGRAM);
        drop(first);
        assert!(!is_held(&path));
        assert_eq!(fs::read(&path).unwrap(), b"");
        Lock::take(&path, now()).unwrap();
    }

    #[test]
    fn a_stale_file_without_a_lock_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.db.lock");
        // Process 1 is alive on every machine: an implementation that asked for the process would wait for ever.
        fs::write(&path, "pid 1\nsince 2020-01-01T00:00:00.000Z\nprogram x\n").unwrap();
        assert!(!is_held(&path));
        let _lock = Lock::take(&path, now()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(parse(&text).unwrap().pid, process::id());
    }

    #[test]
    fn the_lock_is_private_and_never_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("h.lock"), folder.path().join("other"));
        drop(Lock::take(&path, now()).unwrap());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, PRIVATE);

        fs::remove_file(&path).unwrap();
        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(matches!(Lock::take(&path, now()), Err(Kind::NotAFile(_))));
        assert_eq!(fs::read(&other).unwrap(), b"precious");
    }

    #[test]
    fn the_text_of_a_lock_is_read_with_suspicion() {
        for text in [
            "",
            "pid 1",
            "pid x\nsince 2020-01-01T00:00:00Z\nprogram x",
            "pid 1\nsince yesterday\nprogram x",
            "pid 1\nsince 2020-01-01T00:00:00Z\nprogram \u{1b}[2J",
            "since 2020-01-01T00:00:00Z\npid 1\nprogram x",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
