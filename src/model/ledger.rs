//! The ledger's words: what kind of walk it was, and what it came to.

use super::time::Timestamp;

/// What a walk set out to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WalkKind {
    /// From the first record to the end, without a time filter.
    Full,
    /// From the top down to below the mark, proven by the count.
    Incremental,
    /// What a time filter shows of a list.
    Backfill,
    /// The list of instances, from the first to the last.
    Instances,
}

impl WalkKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Backfill => "backfill",
            Self::Instances => "instances",
        }
    }
}

/// How the answers of one endpoint count (`task_count`, `instance_num`): learned from evidence, never assumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TotalTrust {
    /// No answer has told yet.
    #[default]
    Unknown,
    /// An answer showed it larger than the number of records on its own page: it counts the list.
    Trusted,
    /// An answer contradicted it; a full walk whose total fits makes it trusted again.
    Distrusted,
}

/// The lists that an endpoint serves. What it taught of one need not be true of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    Tasks,
    Instances,
}

impl ListKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Instances => "instances",
        }
    }
}

/// What was learned about one endpoint's lists of a kind, kept between syncs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) trust: TotalTrust,
    /// The longest page that it has ever served.
    pub(crate) longest_page: u64,
    /// The `limit` that it accepts, where that is not the documented maximum.
    pub(crate) page_limit: Option<u32>,
}

/// Why a task is called missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingAs {
    /// The missing ones are exactly the oldest of the list: retention.
    AgedOut,
    Removed,
}

impl MissingAs {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AgedOut => "aged_out",
            Self::Removed => "removed",
        }
    }
}

/// What one walk counted, as the ledger keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Positions of the list that were read.
    pub(crate) received: u64,
    pub(crate) new: u64,
    pub(crate) changed: u64,
    pub(crate) same: u64,
    pub(crate) older: u64,
    pub(crate) rejected: u64,
    pub(crate) rejected_new: u64,
    pub(crate) missing: u64,
    pub(crate) reappeared: u64,
}

/// How a walk ended, for its ledger line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WalkEnd {
    pub(crate) proven: bool,
    /// The evidence of a proven walk; of any other, why it is not proven.
    pub(crate) reason: String,
    pub(crate) error: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
    pub(crate) requests: u64,
    pub(crate) server_total: Option<u64>,
    pub(crate) received: u64,
    /// The greatest credible `updated_at` seen.
    pub(crate) mark: Option<Timestamp>,
    /// The walk may call what it lacks missing.
    pub(crate) call_missing: bool,
    /// The records came newest first and each of them once, so that an incremental walk may rely on the order.
    pub(crate) regular: bool,
}
