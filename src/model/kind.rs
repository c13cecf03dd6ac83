//! What kind of values a column of the archive's views holds, for formats that have types.

/// The kind of a column. Any of its values may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A moment, as [`Timestamp`](super::time::Timestamp) writes it.
    Time,
    Integer,
    Real,
    /// 0 or 1.
    Flag,
    Text,
    /// What need not be text.
    Bytes,
}
