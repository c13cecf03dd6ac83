//! Where the archive is when nobody says: the data directory of the XDG rules.
//!
//! The choice is a pure function of two values of the environment; reading them, and making the folder, stands apart.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::error::CliError;

/// Only the owner may look into the folder of the archive, as the contract says, and as the XDG rules ask for.
const PRIVATE: u32 = 0o700;

/// The archive, and who chose the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Db {
    /// By hand: its folder must exist.
    Given(PathBuf),
    /// By default: its folder is made for it.
    Default(PathBuf),
}

impl Db {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) | Self::Default(path) => path,
        }
    }

    /// Makes the folder of the default place. Only a command that writes asks for it.
    pub(crate) fn make_folder(&self) -> io::Result<()> {
        match self {
            Self::Default(path) => path.parent().map_or(Ok(()), make_private),
            Self::Given(_) => Ok(()),
        }
    }
}

/// Finds the archive: what was given, else the default place.
pub(crate) fn db(given: Option<&Path>) -> Result<Db, CliError> {
    if let Some(path) = given {
        return Ok(Db::Given(path.to_owned()));
    }
    let (data, home) = (read("XDG_DATA_HOME"), read("HOME"));
    default_db(data.as_deref(), home.as_deref())
        .map(Db::Default)
        .ok_or_else(|| {
            CliError::usage("no place for the archive: neither `XDG_DATA_HOME` nor `HOME` is set")
                .hint("name the archive with `--db PATH` or `DCS_HISTORY_DB`")
        })
}

#[expect(
    clippy::disallowed_methods,
    reason = "these two belong to the system, and no option stands for them"
)]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Chooses the default place. The XDG rules say that a relative path is to be ignored; so is a relative home.
fn default_db(data: Option<&OsStr>, home: Option<&OsStr>) -> Option<PathBuf> {
    let absolute =
        |value: Option<&OsStr>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute(data).or_else(|| Some(absolute(home)?.join(".local/share")))?;
    Some(data.join("dcs-history/history.db"))
}

/// Makes a folder and what is missing above it, for the owner alone. One that exists is left as it is.
fn make_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE)
        .create(folder)?;
    // The umask may have taken rights of the owner's.
    fs::set_permissions(folder, Permissions::from_mode(PRIVATE))
}

/// Quotes a word, such as a path, for a shell where it needs to be.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:,".contains(&byte);
    if word.bytes().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_place_follows_the_xdg_rules() {
        let cases = [
            (
                Some("/data"),
                Some("/home/a"),
                Some("/data/dcs-history/history.db"),
            ),
            (Some("/data"), None, Some("/data/dcs-history/history.db")),
            (
                None,
                Some("/home/a"),
                Some("/home/a/.local/share/dcs-history/history.db"),
            ),
            (
                Some(""),
                Some("/home/a"),
                Some("/home/a/.local/share/dcs-history/history.db"),
            ),
            (
                Some("data"),
                Some("/home/a"),
                Some("/home/a/.local/share/dcs-history/history.db"),
            ),
            (Some("data"), None, None),
            (None, Some(""), None),
            (None, Some("a"), None),
            (None, None, None),
        ];
        for (data, home, expected) in cases {
            let found = default_db(data.map(OsStr::new), home.map(OsStr::new));
            assert_eq!(
                found.as_deref(),
                expected.map(Path::new),
                "{data:?}, {home:?}"
            );
        }
    }

    #[test]
    fn only_the_default_folder_is_made_and_it_is_private() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("share/dcs-history");
        let path = folder.join("history.db");
        Db::Given(path.clone()).make_folder().unwrap();
        assert!(!folder.exists());
        let db = Db::Default(path);
        db.make_folder().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), PRIVATE);
        assert_eq!(mode(folder.parent().unwrap()), PRIVATE);
        // A folder that somebody opened to others stays so.
        fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
        db.make_folder().unwrap();
        assert_eq!(mode(&folder), 0o750);
    }

    #[test]
    fn what_is_given_is_taken_as_it_is() {
        let given = db(Some(Path::new("relative/x.db"))).unwrap();
        assert_eq!(given, Db::Given("relative/x.db".into()));
        assert_eq!(given.path(), Path::new("relative/x.db"));
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_misread_it() {
        assert_eq!(
            quoted("/tmp/dcs-history-x_1/token"),
            "/tmp/dcs-history-x_1/token"
        );
        assert_eq!(quoted("/tmp/my files/it's"), r"'/tmp/my files/it'\''s'");
    }
}
