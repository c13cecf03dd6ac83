//! The lists that the upstream has: one of the instances of a project, and one of the tasks of each instance.

use std::fmt;

use crate::model::ledger::ListKind;

/// Which list is walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Instances,
    /// Of the instance with this id.
    Tasks(String),
}

impl List {
    pub(crate) const fn kind(&self) -> ListKind {
        match self {
            Self::Instances => ListKind::Instances,
            Self::Tasks(_) => ListKind::Tasks,
        }
    }

    /// Whose tasks are listed.
    pub(crate) fn instance_id(&self) -> Option<&str> {
        match self {
            Self::Instances => None,
            Self::Tasks(id) => Some(id),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instances => out.write_str("the list of instances"),
            Self::Tasks(id) => write!(out, "instance {id}"),
        }
    }
}
