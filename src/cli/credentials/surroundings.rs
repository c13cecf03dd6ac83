//! What a search for settings and credentials may look at: the variables of the environment, and files by their path.
//!
//! A search is a function of this, so a test hands it a table in place of a machine. A command that is shown inside
//! another one (`demo`) gets surroundings without anything in them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{file, hidden::Hidden};

/// The variables that may say something; the others are none of this program's business.
const FAMILIES: [&str; 4] = ["DCS_HISTORY_", "OS_", "HUAWEICLOUD_SDK_", "HW_"];
const OTHERS: [&str; 3] = ["HOME", "XDG_CONFIG_HOME", "DEFAULT_DOMAIN"];

/// What was found at a path.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Absent,
    /// In words: permission denied, a folder, too large, no text.
    Unreadable(String),
    Text {
        text: Hidden,
        /// Why a secret must not be taken from this file: its mode or its owner.
        objection: Option<&'static str>,
    },
}

type Look = Box<dyn Fn(&Path) -> Held>;

pub(crate) struct Surroundings {
    variables: BTreeMap<String, OsString>,
    look: Look,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn of_this_process() -> Self {
        let known = |name: &str| {
            OTHERS.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
        };
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, value)| known(name) && !value.is_empty());
        Self {
            variables: variables.collect(),
            look: Box::new(file::look),
        }
    }

    /// None at all.
    pub(crate) fn empty() -> Self {
        Self {
            variables: BTreeMap::new(),
            look: Box::new(|_| Held::Absent),
        }
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)], files: &[(&str, Held)]) -> Self {
        let files: BTreeMap<PathBuf, Held> = files
            .iter()
            .map(|(path, held)| (PathBuf::from(path), held.clone()))
            .collect();
        let set = variables.iter().filter(|(_, value)| !value.is_empty());
        let variables = set.map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
        Self {
            variables: variables.collect(),
            look: Box::new(move |path| files.get(path).cloned().unwrap_or(Held::Absent)),
        }
    }

    /// Returns the value of a variable; one that is empty counts as not set. A value that is no text keeps marks in it
    /// that no setting accepts, so it is refused where it is used, and not passed over.
    pub(crate) fn variable(&self, name: &str) -> Option<Hidden> {
        let value = self.variables.get(name)?;
        Some(Hidden::new(value.to_string_lossy()))
    }

    /// The same for what is no secret.
    pub(crate) fn plain(&self, name: &str) -> Option<String> {
        self.variable(name).map(|value| value.expose().to_owned())
    }

    /// The same for a path, byte for byte.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).map(PathBuf::from)
    }

    /// The home folder; a relative one says nothing.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.path("HOME").filter(|home| home.is_absolute())
    }

    /// The folder of the user's settings, by the XDG rules.
    pub(crate) fn config_home(&self) -> Option<PathBuf> {
        let named = self.path("XDG_CONFIG_HOME");
        named
            .filter(|path| path.is_absolute())
            .or_else(|| Some(self.home()?.join(".config")))
    }

    pub(crate) fn look(&self, path: &Path) -> Held {
        (self.look)(path)
    }
}
