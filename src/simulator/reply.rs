//! What the simulated cloud says to a request, before it is bytes on a wire.

use crate::model::time::Timestamp;

/// A status, a body, and what the head says beside the usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The `Date` of this answer, where it is not the world's.
    pub(crate) date: Option<Timestamp>,
}

impl Reply {
    pub(crate) const fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            content_type,
            body,
            headers: Vec::new(),
            date: None,
        }
    }

    pub(crate) const fn json(status: u16, body: String) -> Self {
        Self::new(status, "application/json", body)
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
