//! What a test sees of the files that a program leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The names in a folder, hidden ones too; of the home folder without the archive's own and the token.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| !name.starts_with("history.db") && name != "token")
        .collect();
    names.sort();
    names
}

/// Who may do what with a file or a folder.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
