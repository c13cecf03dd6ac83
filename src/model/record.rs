//! Records as an answer shows them: an [`Observation`], or a [`Rejected`] one.
//!
//! Both keep the text exactly as received. What could be read out of it stands beside it and can be rebuilt.

use super::{Digest, time::Timestamp};

/// One task, or one instance, as one answer showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observation {
    /// Compared byte by byte.
    pub(crate) id: String,
    /// The record's JSON text exactly as received.
    pub(crate) raw: String,
    /// A JSON object with the fields adopted from beside the list, for the documented example's shape.
    pub(crate) adopted: Option<String>,
    /// SHA-256 of the raw text.
    pub(crate) digest: Digest,
    /// SHA-256 of the canonical form, of `adopted` too; of an instance without the members that move by themselves.
    pub(crate) form: Digest,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
}

/// One record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// The id, where one could be cut out of the text: then that one counts as seen.
    pub(crate) id: Option<String>,
    /// The bytes exactly as received.
    pub(crate) raw: Vec<u8>,
    /// SHA-256 of the bytes.
    pub(crate) digest: Digest,
    /// Why it could not be read, in a few words.
    pub(crate) reason: String,
}

/// One place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Read(Observation),
    Rejected(Rejected),
}

impl Record {
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Read(read) => Some(&read.id),
            Self::Rejected(rejected) => rejected.id.as_deref(),
        }
    }

    /// Returns the digest that tells whether two answers showed the same thing in this place.
    pub(crate) fn form(&self) -> &Digest {
        match self {
            Self::Read(read) => &read.form,
            Self::Rejected(rejected) => &rejected.digest,
        }
    }
}

/// The JSON form of the count beside a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CountForm {
    /// There is none, or it is null.
    #[default]
    Absent,
    Number,
    Text,
    /// Anything that is no whole number, nor a text that holds one.
    Unreadable,
}

/// One decoded answer of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// `task_count` or `instance_num`, where it could be read as a whole number.
    pub(crate) total: Option<u64>,
    /// In which form that came.
    pub(crate) count_form: CountForm,
    pub(crate) records: Vec<Record>,
    /// Members of the answer beside the documented ones, with a sample of each.
    pub(crate) unknown: Vec<(String, String)>,
}
