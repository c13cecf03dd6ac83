//! Where the archive lies: one true path for it, however it was named, and the files that stand beside it.
//!
//! The true path is absolute, which also keeps SQLite from taking a file name that begins with `file:` for a URI, and two
//! names of one archive share one lock.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::store::error::Kind;

/// As many links as the system itself follows before it calls them a circle.
const MOST_LINKS: u32 = 40;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) archive: PathBuf,
    pub(super) folder: PathBuf,
}

impl Place {
    pub(super) fn of(path: &Path) -> Result<Self, Kind> {
        let archive = resolve(path, MOST_LINKS)?;
        let folder = archive
            .parent()
            .ok_or(Kind::NotAFile("it is a folder"))?
            .to_owned();
        Ok(Self { archive, folder })
    }

    /// Held by whoever writes.
    pub(super) fn lock(&self) -> PathBuf {
        beside(&self.archive, ".lock")
    }

    /// Where an archive is built before it is moved into its place.
    pub(super) fn unfinished(&self) -> PathBuf {
        beside(&self.archive, ".new")
    }

    /// Makes sure that a name which was just given in the folder is not lost at a power failure, when the file is not.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// Returns how many bytes of a database wait in a journal of SQLite's beside the archive.
    pub(super) fn wal_bytes(&self) -> u64 {
        size(&beside(&self.archive, "-wal"))
    }

    pub(super) fn journal_bytes(&self) -> u64 {
        size(&beside(&self.archive, "-journal"))
    }
}

/// Adds to the last part of a path.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// Follows every link of a path. The last part need not exist, not even where a link leads to it; its folder must.
fn resolve(path: &Path, links: u32) -> Result<PathBuf, Kind> {
    match fs::canonicalize(path) {
        Ok(path) => return Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreachable(error)),
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if let Ok(target) = fs::read_link(path) {
        let Some(links) = links.checked_sub(1) else {
            return Err(Kind::NotAFile("its path is a circle of links"));
        };
        return resolve(&folder.join(target), links);
    }
    let name = path.file_name().ok_or(Kind::NoFolder)?;
    let folder = fs::canonicalize(folder).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Kind::NoFolder,
        _ => unreachable(error),
    })?;
    if !folder.is_dir() {
        return Err(Kind::NotAFile("what should be its folder is a file"));
    }
    Ok(folder.join(name))
}

fn unreachable(error: io::Error) -> Kind {
    match error.kind() {
        ErrorKind::NotADirectory => Kind::NotAFile("what should be its folder is a file"),
        _ => Kind::io("looking for it")(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_name_of_one_archive_leads_to_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("sub")).unwrap();
        symlink("sub", root.join("link")).unwrap();
        symlink("h.db", root.join("sub/name")).unwrap();
        symlink("link/name", root.join("far")).unwrap();
        for exists in [false, true] {
            if exists {
                fs::write(root.join("sub/h.db"), "x").unwrap();
            }
            for name in [
                "sub/h.db",
                "link/h.db",
                "sub/name",
                "link/name",
                "far",
                "sub/../link/h.db",
            ] {
                let place = Place::of(&root.join(name)).unwrap();
                assert_eq!(place.lock(), root.join("sub/h.db.lock"), "{name}, {exists}");
                assert_eq!(place.folder, root.join("sub"), "{name}, {exists}");
            }
        }
    }

    #[test]
    fn a_place_without_a_folder_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("file"), "x").unwrap();
        symlink("nowhere/h.db", root.join("dangling")).unwrap();
        symlink("round", root.join("round")).unwrap();
        let kind = |name: &str| Place::of(&root.join(name)).unwrap_err();
        assert!(matches!(kind("missing/h.db"), Kind::NoFolder));
        assert!(matches!(kind("dangling"), Kind::NoFolder));
        assert!(matches!(kind("file/h.db"), Kind::NotAFile(_)));
        assert!(matches!(kind("file/sub/h.db"), Kind::NotAFile(_)));
        // The system calls a circle an error of its own.
        assert!(matches!(kind("round"), Kind::Machine { .. }));
    }
}
