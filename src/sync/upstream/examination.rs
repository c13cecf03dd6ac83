//! What comes of an examination: facts about the way there, findings, and what the next sync may take from it.

use std::time::Duration;

use super::LARGEST_PAGE;
use crate::api::error::ApiError;
use crate::model::{ledger::Endpoint, time::Timestamp, upstream::Finding};
use crate::sync::total;

/// The first answer of the service: when it came, by both clocks, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) date: Option<Timestamp>,
    pub(crate) ours: Timestamp,
    pub(crate) latency: Duration,
    /// Requests until it came: of more than one, the latency has the waits in it.
    pub(crate) attempts: u32,
}

/// What the service allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    NotAsked,
    Allowed(String),
    /// By its answer: with the text of that.
    Refused(String),
    /// Something else went wrong.
    Failed(String),
}

/// What ended the asking early.
#[derive(Debug)]
pub(crate) enum Ended {
    Refused(Box<ApiError>),
    Unreachable(Box<ApiError>),
    /// None of the instances that were named exists.
    UnknownInstance(Box<ApiError>),
    /// There are instances, and the choice lets none of them through.
    NoneChosen,
}

/// The instance that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) instance_id: String,
    pub(crate) why: String,
}

/// What an endpoint taught about its task lists, for the next sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lessons {
    /// Offset, records and count of answers without a filter.
    pub(super) answers: Vec<(u64, u64, Option<u64>)>,
    /// The largest limit that is accepted.
    pub(super) limit: Option<u32>,
}

impl Lessons {
    /// Adds them to what is known, by the rules of a sync. The page was as long as it was asked to be, or as the list is, so
    /// nothing is learned about the longest one.
    pub(crate) fn applied_to(&self, known: Endpoint) -> Endpoint {
        let learned = self
            .answers
            .iter()
            .fold(known, |endpoint, (offset, count, total)| {
                total::learn(endpoint, *offset, *count, *total)
            });
        Endpoint {
            trust: learned.trust,
            longest_page: known.longest_page,
            page_limit: match self.limit {
                None => known.page_limit,
                Some(LARGEST_PAGE) => None,
                smaller => smaller,
            },
        }
    }
}

/// Everything that came of it.
#[derive(Debug)]
pub(crate) struct Examination {
    pub(crate) contact: Option<Contact>,
    pub(crate) list: Access,
    pub(crate) tasks: Access,
    pub(crate) chosen: Option<Chosen>,
    /// One for each aspect, in their order.
    pub(crate) findings: Vec<Finding>,
    pub(crate) lessons: Lessons,
    pub(crate) ended: Option<Ended>,
}
