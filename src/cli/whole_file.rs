//! Files that are written whole or not at all: built beside their place, and moved into it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Who may read what holds no secret: everybody.
const READABLE: u32 = 0o644;

/// Writes a file that everybody may read. A link in its place is replaced, never followed; what is there stays unless it
/// may be replaced. A device, a pipe or a folder never is, nor a link to one: whoever names `/dev/null` or `/dev/stdout`
/// wants to write into it, and as root a rename would take it away from the whole machine.
pub(crate) fn write(path: &Path, text: &[u8], replace: bool) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no plain file, and only such a one is replaced",
        ));
    }
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_is_no_plain_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let _listener = UnixListener::bind(at("socket")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink(at("socket"), at("link")).unwrap();
        symlink(at("folder"), at("link-to-folder")).unwrap();
        for name in ["socket", "folder", "link", "link-to-folder"] {
            for replace in [true, false] {
                let refused = write(&at(name), b"x", replace).unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name}");
            }
        }
        assert!(fs::metadata(at("link")).unwrap().file_type().is_socket());
        assert!(fs::metadata(at("link-to-folder")).unwrap().is_dir());
        // A link to a plain file, or to nothing, makes way; what it led to stays.
        fs::write(at("target"), "mine").unwrap();
        symlink(at("target"), at("link-to-file")).unwrap();
        symlink(at("nothing"), at("link-to-nothing")).unwrap();
        for name in ["link-to-file", "link-to-nothing"] {
            write(&at(name), b"x", true).unwrap();
            assert!(fs::symlink_metadata(at(name)).unwrap().is_file());
        }
        assert_eq!(fs::read(at("target")).unwrap(), b"mine");
    }
}
