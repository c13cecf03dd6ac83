//! Files that are written whole or not at all: built beside their place, and moved into it.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Who may read what holds no secret: everybody.
const READABLE: u32 = 0o644;

/// Writes a file that everybody may read. A link in its place is replaced, never followed; what is there stays unless it
/// may be replaced.
pub(crate) fn write(path: &Path, text: &[u8], replace: bool) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Without a usual ending, so that nobody who reads all files of a kind reads half a file.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    let permissions = Permissions::from_mode(READABLE);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    if replace {
        file.persist(path)?;
    } else {
        file.persist_noclobber(path)?;
    }
    File::open(folder)?.sync_all()
}
