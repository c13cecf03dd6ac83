//! What a sync tells while it goes on; whoever started it decides what of it is shown.

use crate::model::ledger::Counts;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// An instance is being walked.
    Walking { instance_id: String, attempt: u32 },
    /// A page came in.
    Page {
        instance_id: String,
        received: u64,
        total: Option<u64>,
    },
    /// A walk ended.
    Walked {
        instance_id: String,
        proven: bool,
        reason: String,
        counts: Counts,
    },
    /// Something that a person should know and that changes nothing else.
    Note(String),
    /// Something that makes the sync less than complete.
    Warning(String),
}
