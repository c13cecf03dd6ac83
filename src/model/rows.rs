//! Normalised rows: what a task's raw text says, in the columns that the archive keeps.

use super::time::Timestamp;

/// What is normalised of one observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Normalized {
    pub(crate) row: TaskRow,
    pub(crate) changes: Vec<ChangeRow>,
    pub(crate) drift: Vec<Drift>,
}

/// The columns of one task. A member that is absent or null upstream is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskRow {
    /// As the archive keeps it; every task has one.
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) params: Option<String>,
    pub(crate) error_code: Option<String>,
}

/// Where a change was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    Details,
    Params,
}

impl Source {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Params => "params",
        }
    }
}

/// One attribute that a task sets or changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangeRow {
    pub(crate) source: Source,
    pub(crate) attribute: String,
    /// Folded from `old_x` and `new_x`, as against a member of its own name.
    pub(crate) folded: bool,
    pub(crate) old_value: Option<String>,
    pub(crate) new_value: Option<String>,
}

/// What kind of undocumented thing was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DriftKind {
    Field,
    Status,
    Operation,
    Type,
    Upstream,
}

impl DriftKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Status => "status",
            Self::Operation => "operation",
            Self::Type => "type",
            Self::Upstream => "upstream",
        }
    }
}

/// What the list of instances tells of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct InstanceRow {
    pub(crate) name: Option<String>,
    pub(crate) engine: Option<String>,
    pub(crate) engine_version: Option<String>,
    pub(crate) spec_code: Option<String>,
    /// In GB.
    pub(crate) capacity: Option<f64>,
    pub(crate) status: Option<String>,
    pub(crate) created: Option<Timestamp>,
    /// Labels, key and value.
    pub(crate) tags: Vec<(String, String)>,
}

/// Something undocumented, journalled when it is first met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Drift {
    pub(crate) kind: DriftKind,
    pub(crate) what: String,
    pub(crate) sample: String,
}

/// What the archive needs to know about reading a record, handed to it so that it never parses upstream text itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Normalises a stored record: raw text, adopted fields.
    pub(crate) normalize: fn(&str, Option<&str>) -> Normalized,
    /// Returns the canonical form's digest: raw text, adopted fields.
    pub(crate) form: fn(&str, Option<&str>) -> Option<super::Digest>,
    /// Reads a stored record of the list of instances.
    pub(crate) instance: fn(&str) -> InstanceRow,
}
