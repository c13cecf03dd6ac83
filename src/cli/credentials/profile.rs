//! The credential of a profile in this program's own file of settings.

use std::path::PathBuf;

use super::bag::{Bag, Kind, Names, Role};
use super::hidden::Hidden;

/// The keys of a profile that make a credential, and what goes with it.
pub(crate) const NAMES: Names = &[
    (Role::AccessKey, &["ak"]),
    (Role::SecretKey, &["sk"]),
    (Role::SecurityToken, &["security_token"]),
    (Role::UserName, &["user_name"]),
    (Role::UserId, &["user_id"]),
    (Role::Password, &["password"]),
    (Role::DomainName, &["domain_name"]),
    (Role::DomainId, &["domain_id"]),
    (Role::ProjectName, &["project_name"]),
];

/// What a profile says of its credential.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProfileSource {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) token_command: Option<Hidden>,
    /// A name in `clouds.yaml`.
    pub(crate) cloud: Option<String>,
    /// By key.
    pub(crate) values: Vec<(String, Hidden)>,
}

impl ProfileSource {
    pub(crate) fn label(&self) -> String {
        format!("profile `{}` in {}", self.name, self.file.display())
    }

    pub(super) fn bag(&self) -> Bag {
        let read = |name: &str| {
            let value = self.values.iter().find(|(known, _)| known == name);
            value.map(|(_, text)| text.clone())
        };
        Bag::fill(self.label(), Kind::File, NAMES, read)
    }
}
