//! What a sync tells while it goes on; whoever started it decides what of it is shown.

use super::list::List;
use crate::model::ledger::Counts;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// So many instances will be walked.
    Instances(u64),
    /// A list is being walked.
    Walking { list: List, attempt: u32 },
    /// A page came in.
    Page {
        list: List,
        received: u64,
        total: Option<u64>,
    },
    /// A walk ended.
    Walked {
        list: List,
        proven: bool,
        reason: String,
        counts: Counts,
    },
    /// Something that a person should know and that changes nothing else.
    Note(String),
    /// Something that makes the sync less than complete.
    Warning(String),
}
