//! The files that say how to get into the simulated cloud: private, never written over anything, gone with their cloud.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::machine;
use crate::cli::error::CliError;
use crate::simulator::Running;
use crate::simulator::account::REGION;

/// The files that hold the token; those that were made go when this is dropped, and a folder made for them too.
pub(crate) struct Files {
    pub(crate) token: PathBuf,
    pub(super) credentials: PathBuf,
    made: Vec<PathBuf>,
    made_folder: Option<PathBuf>,
    /// Held because it goes with its value.
    temporary_folder: Option<TempDir>,
}

/// A file that could not be written.
pub(crate) struct Unwritten {
    path: PathBuf,
    source: io::Error,
}

impl Unwritten {
    pub(crate) fn told(self, folder_was_named: bool) -> CliError {
        let path = self.path.display();
        if folder_was_named && self.source.kind() == io::ErrorKind::AlreadyExists {
            return CliError::usage(format!("{path} is there already, and is not overwritten"))
                .hint("if a simulated cloud that was killed left it, remove it; or name another folder with --dir");
        }
        machine(
            &format!("cannot write {path} for the simulated cloud"),
            &self.source,
        )
    }
}

impl Files {
    pub(crate) fn write(folder: Option<&Path>, cloud: &Running) -> Result<Self, Unwritten> {
        let mut files = match folder {
            Some(folder) => Self::named(folder),
            None => Self::temporary(),
        }?;
        for (path, text) in [
            (files.token.clone(), format!("{}\n", cloud.token)),
            (files.credentials.clone(), credentials(cloud)),
        ] {
            match write_private(&path, &text) {
                Ok(()) => files.made.push(path),
                Err(source) => return Err(Unwritten { path, source }),
            }
        }
        Ok(files)
    }

    fn temporary() -> Result<Self, Unwritten> {
        // Private from its first moment, whatever the umask says.
        let made = tempfile::Builder::new()
            .prefix("dcs-history-simulate-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir();
        let temporary = made.map_err(|source| Unwritten {
            path: PathBuf::from("a temporary folder"),
            source,
        })?;
        let mut files = Self::places(temporary.path());
        files.temporary_folder = Some(temporary);
        Ok(files)
    }

    /// Takes a folder that somebody chose. Whoever reads its name later may be in another one, so it is made absolute.
    fn named(folder: &Path) -> Result<Self, Unwritten> {
        let failed = |source| Unwritten {
            path: folder.to_owned(),
            source,
        };
        let folder = std::path::absolute(folder).map_err(failed)?;
        let mut files = Self::places(&folder);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => files.made_folder = Some(folder),
            Err(_) if folder.is_dir() => {}
            Err(source) => return Err(failed(source)),
        }
        Ok(files)
    }

    fn places(folder: &Path) -> Self {
        Self {
            token: folder.join("token"),
            credentials: folder.join("credentials.json"),
            made: Vec::new(),
            made_folder: None,
            temporary_folder: None,
        }
    }
}

/// All that opens a simulated cloud, and what belongs beside it in somebody's settings, as one object.
fn credentials(cloud: &Running) -> String {
    let account = &cloud.account;
    let credentials = json!({
        "endpoint": cloud.endpoint,
        "iam_endpoint": cloud.endpoint,
        "metadata_endpoint": cloud.endpoint,
        "region": REGION,
        "project_id": cloud.project_id,
        "project_name": REGION,
        "token": cloud.token,
        "user_name": account.user_name,
        "user_id": account.user_id,
        "password": account.password,
        "domain_name": account.domain_name,
        "domain_id": account.domain_id,
        "ak": account.access_key,
        "sk": account.secret_key,
    });
    format!("{credentials:#}\n")
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.made {
            // Somebody may have been quicker.
            let _untidy = fs::remove_file(path);
        }
        if let Some(folder) = &self.made_folder {
            // Something of somebody else's may lie in it by now; then it stays.
            let _untidy = fs::remove_dir(folder);
        }
    }
}

/// Writes a new file that only its owner may read; these tokens open nothing, but they are handled like ones that do.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
