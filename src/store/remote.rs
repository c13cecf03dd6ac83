//! Whether a folder lies on another machine, where an archive that is written to must not be.
//!
//! SQLite's write-ahead log keeps an index in memory that all programs at work on an archive share, and a lock file is only
//! a lock if everybody who looks at it asks the same system. Over a network neither is so, and nobody would notice until the
//! archive is damaged. Readers are let in, and so is a backup: it is a plain file that one program writes.

use std::path::Path;

use crate::store::error::Kind;

/// What Linux calls the file systems of other machines (`statfs(2)`, `linux/magic.h`). FUSE is not among them, since it is
/// local disks as well.
const REMOTE: [(u32, &str); 8] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
];

/// Refuses a folder of another machine. What the system does not tell is let through: SQLite looks for itself whether
/// there is shared memory.
pub(super) fn refuse(folder: &Path) -> Result<(), Kind> {
    judge(kind_of(folder))
}

fn judge(kind: Option<u32>) -> Result<(), Kind> {
    let mut known = REMOTE.iter();
    match known.find(|(number, _)| kind == Some(*number)) {
        Some((_, name)) => Err(Kind::Remote(name)),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn kind_of(folder: &Path) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the numbers have 32 bits, and the field's type is another on each processor"
    )]
    rustix::fs::statfs(folder)
        .ok()
        .map(|told| told.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn kind_of(_folder: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c20_what_lies_on_another_machine_is_refused_by_name() {
        for (number, expected) in [(0x6969, "NFS"), (0xFE53_4D42, "SMB"), (0x00C3_6400, "Ceph")] {
            let refused = judge(Some(number));
            assert!(
                matches!(refused, Err(Kind::Remote(name)) if name == expected),
                "{number:x}: {refused:?}"
            );
        }
        // ext4, tmpfs, xfs, btrfs, overlayfs, FUSE, and what does not say.
        for number in [
            0xEF53,
            0x0102_1994,
            0x5846_5342,
            0x9123_683E,
            0x794C_7630,
            0x6573_5546,
        ] {
            assert!(judge(Some(number)).is_ok(), "{number:x}");
        }
        assert!(judge(None).is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_what_a_folder_lies_on() {
        let folder = tempfile::tempdir().unwrap();
        assert!(kind_of(folder.path()).is_some());
        assert!(kind_of(&folder.path().join("nowhere")).is_none());
        assert!(refuse(folder.path()).is_ok());
    }
}
