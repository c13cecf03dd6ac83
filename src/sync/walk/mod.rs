//! One walk as a state machine without I/O: fed with answers, it says which page to ask for next and, at the end, what it
//! found.
//!
//! Each page begins with the last record of the one before. That *shared record* is the seam: where it is not the first of
//! its page, the list moved underneath and records may have been skipped. The walk goes on to the end all the same, so
//! that what was shown is stored; whether it proves anything is for [`crate::sync::proof`] to say.

mod order;

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

use ring::digest::{Context, SHA256};

use self::order::Order;
use crate::model::{
    Digest,
    absence::Borders,
    ledger::{Endpoint, TotalTrust},
    record::{Page, Record},
    standing,
    time::Timestamp,
    upstream::Trend,
};
use crate::sync::{catch_up::Sight, total};

/// The pages that a walk may read beyond three times what the largest total promised: a guard against a list that never
/// ends, wide enough for any list whose count is wrong.
const PAGES_BEYOND_PROMISE: u64 = 1_000;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask for the page that begins at this record.
    Ask(u64),
    End,
}

/// How a walk came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A short page whose trusted total equals the records received.
    ShortPage,
    /// A page that held only the shared record.
    OnlyShared,
    /// A page with nothing new: the server ignores `offset`, or starts over.
    NothingNew,
    /// An empty list, shown twice.
    Empty,
    /// An empty answer, twice, where there must be records.
    EmptyContradicted,
    /// More pages than any total promised.
    PageBound,
}

/// The totals of all answers of one walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Totals {
    /// Some answer had none.
    Absent,
    Same(u64),
    Changed {
        first: u64,
        last: u64,
    },
}

/// What a walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) end: End,
    /// Positions of the list that were read: rejected records and repeats inside one answer count, shared ones do not.
    pub(crate) positions: u64,
    /// Every page began with the last record of the one before.
    pub(crate) seams: bool,
    /// Some record came in two answers, the shared ones apart.
    pub(crate) repeats: bool,
    pub(crate) totals: Totals,
    pub(crate) largest_total: Option<u64>,
    /// A digest over the canonical forms received, in order.
    pub(crate) sequence: Digest,
    pub(crate) pages: u64,
    /// The records came newest first, and each of them once.
    pub(crate) regular: bool,
    /// How the times of the records go.
    pub(crate) trend: Trend,
    pub(crate) borders: Borders,
    /// Known tasks that were about to be called missing and may have slipped through at these borders, by their keys in order.
    pub(crate) slipped: Vec<i64>,
}

/// Empty answers to the page that is being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    None,
    /// One, which nothing contradicts.
    Plain,
    /// One, where there must be records.
    Contradicted,
}

/// A walk under way.
#[expect(clippy::struct_excessive_bools, reason = "each is evidence of its own")]
pub(crate) struct Walk {
    endpoint: Endpoint,
    /// The page size asked for.
    limit: u64,
    positions: u64,
    /// The identity of the last record received; nothing before the first one.
    shared: Option<u64>,
    seams: bool,
    repeats: bool,
    /// Some record came twice, in one answer or in two.
    twice: bool,
    rejected: bool,
    order: Order,
    trend: Trend,
    borders: Borders,
    oldest: Option<Timestamp>,
    last_updated: Option<Timestamp>,
    /// The server cuts pages to one record: they cannot overlap, so they are read side by side and prove nothing.
    single: bool,
    /// The empty answers since the last record.
    empty: Empty,
    totals: Option<Totals>,
    largest_total: Option<u64>,
    pages: u64,
    sequence: Context,
    /// Identities of the records with an id. Hashes: two ids that collide look like a repeat, which costs another walk and
    /// never proves anything.
    seen: HashSet<u64>,
    hasher: RandomState,
    first_page: Vec<u64>,
    last_page: Vec<u64>,
    end: Option<End>,
}

impl Walk {
    pub(crate) fn new(endpoint: Endpoint, limit: u32) -> Self {
        Self {
            endpoint,
            limit: u64::from(limit),
            positions: 0,
            shared: None,
            seams: true,
            repeats: false,
            twice: false,
            rejected: false,
            order: Order::unknown(),
            trend: Trend::default(),
            borders: Borders::default(),
            oldest: None,
            last_updated: None,
            single: false,
            empty: Empty::None,
            totals: None,
            largest_total: None,
            pages: 0,
            sequence: Context::new(&SHA256),
            seen: HashSet::new(),
            hasher: RandomState::new(),
            first_page: Vec::new(),
            last_page: Vec::new(),
            end: None,
        }
    }

    /// From now on pages of this size are asked for.
    pub(crate) fn ask_for(&mut self, limit: u32) {
        self.limit = u64::from(limit);
    }

    /// Takes what other answers of the endpoint taught.
    pub(crate) fn know(&mut self, endpoint: Endpoint) {
        self.endpoint = endpoint;
    }

    /// What this walk taught about its endpoint so far.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The page size that was asked for.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn positions(&self) -> u64 {
        self.positions
    }

    pub(crate) fn largest_total(&self) -> Option<u64> {
        self.largest_total
    }

    /// Says whether the page begins where the walk stands.
    pub(crate) fn follows(&self, page: &Page) -> bool {
        let first = page.records.first().map(|record| self.identity(record));
        first.is_some() && first == self.shared
    }

    /// Returns the total that every answer so far had.
    pub(crate) fn steady_total(&self) -> Option<u64> {
        match self.totals {
            Some(Totals::Same(total)) => Some(total),
            _ => None,
        }
    }

    /// Takes the answer to the page asked for at `offset`.
    pub(crate) fn page(&mut self, offset: u64, page: &Page) -> Step {
        let count = page.records.len() as u64;
        self.pages += 1;
        self.note_total(page.total);
        let step = if count == 0 {
            self.empty(offset, page.total)
        } else {
            self.records(offset, page)
        };
        match step {
            Ok(next) if self.pages < self.page_bound() => Step::Ask(next),
            Ok(_) => self.finish(End::PageBound),
            Err(end) => self.finish(end),
        }
    }

    /// Returns what was seen so far; `now` is the server's clock, which no believable update is far ahead of.
    pub(crate) fn sight(&self, now: Timestamp) -> Sight {
        Sight {
            ended: self.end,
            seams: self.seams,
            twice: self.twice,
            rejected: self.rejected,
            newest_first: self.order.newest_first(),
            totals: self.totals.unwrap_or(Totals::Absent),
            oldest: self.oldest,
            last_updated: standing::credible(self.last_updated, now),
        }
    }

    /// Returns what was found; only a walk that ended has anything to tell.
    pub(crate) fn finding(self) -> Option<Finding> {
        let mut sequence = [0; 32];
        sequence.copy_from_slice(self.sequence.finish().as_ref());
        Some(Finding {
            end: self.end?,
            positions: self.positions,
            seams: self.seams,
            repeats: self.repeats,
            totals: self.totals.unwrap_or(Totals::Absent),
            largest_total: self.largest_total,
            sequence,
            pages: self.pages,
            regular: self.order.newest_first() && !self.twice,
            trend: self.trend,
            borders: self.borders,
            slipped: Vec::new(),
        })
    }

    fn finish(&mut self, end: End) -> Step {
        self.end = Some(end);
        Step::End
    }

    fn note_total(&mut self, total: Option<u64>) {
        self.largest_total = self.largest_total.max(total);
        self.totals = Some(match (self.totals, total) {
            (_, None) | (Some(Totals::Absent), _) => Totals::Absent,
            (None, Some(total)) => Totals::Same(total),
            (Some(Totals::Same(first)), Some(last)) if first == last => Totals::Same(first),
            (Some(Totals::Same(first) | Totals::Changed { first, .. }), Some(last)) => {
                Totals::Changed { first, last }
            }
        });
    }

    /// An empty answer is an end only for an empty list; anywhere else it is asked again once.
    fn empty(&mut self, offset: u64, total: Option<u64>) -> Result<u64, End> {
        if self.single && total.is_none_or(|total| total <= offset) {
            return Err(End::OnlyShared);
        }
        let contradicted = self.empty == Empty::Contradicted
            || self.shared.is_some()
            || total.is_some_and(|total| total > offset);
        if self.empty == Empty::None {
            self.empty = if contradicted {
                Empty::Contradicted
            } else {
                Empty::Plain
            };
            return Ok(offset);
        }
        Err(if contradicted {
            End::EmptyContradicted
        } else {
            End::Empty
        })
    }

    fn records(&mut self, offset: u64, page: &Page) -> Result<u64, End> {
        self.empty = Empty::None;
        let identities: Vec<u64> = page
            .records
            .iter()
            .map(|record| self.identity(record))
            .collect();
        let count = identities.len() as u64;
        let first = self.shared.is_none();
        let seam = !first && !self.single && identities.first().copied() == self.shared;
        let fresh = usize::from(seam);
        let only_shared = seam && identities.len() == 1;
        if let Some(Record::Read(task)) = page.records.first().filter(|_| seam) {
            self.borders.add(task.created, task.updated);
        }
        // What a page that starts over says of its count teaches nothing: it is not at the offset that was asked for.
        if !first && !only_shared && self.nothing_new(&page.records[fresh..], &identities, fresh) {
            // A server that starts over shows its first record again. With any other one in front the list moved, and what
            // was to come may have moved to where this walk had been.
            self.seams &= identities.first() == self.first_page.first();
            return Err(End::NothingNew);
        }
        self.endpoint = total::learn(self.endpoint, offset, count, page.total);
        if only_shared {
            return self.last_shared(offset);
        }
        self.seams &= first || seam;
        self.take(&page.records[fresh..], &identities[fresh..]);
        self.positions = offset + count;
        self.shared = identities.last().copied();
        if first {
            self.first_page.clone_from(&identities);
        }
        self.last_page = identities;
        self.after(count, page.total)
    }

    /// After a page: the end, or the page that begins with its last record.
    fn after(&self, count: u64, total: Option<u64>) -> Result<u64, End> {
        let short = count < self.endpoint.longest_page.min(self.limit);
        if short && self.endpoint.trust == TotalTrust::Trusted && total == Some(self.positions) {
            return Err(End::ShortPage);
        }
        Ok(if self.single {
            self.positions
        } else {
            self.positions - 1
        })
    }

    /// A page that holds only the shared record is the end, unless every page of this server holds one record.
    fn last_shared(&mut self, offset: u64) -> Result<u64, End> {
        if self.endpoint.longest_page > 1 {
            return Err(End::OnlyShared);
        }
        self.single = true;
        Ok(offset + 1)
    }

    /// Says whether a page shows nothing that this walk has not seen. A record without an id is told from another only by
    /// its place, so it is nothing new only on a page that came before as a whole.
    fn nothing_new(&self, fresh: &[Record], identities: &[u64], skip: usize) -> bool {
        let came_before = identities == self.last_page || identities == self.first_page;
        fresh
            .iter()
            .zip(&identities[skip..])
            .all(|(record, identity)| {
                if record.id().is_some() {
                    self.seen.contains(identity)
                } else {
                    came_before
                }
            })
    }

    fn take(&mut self, records: &[Record], identities: &[u64]) {
        for (record, identity) in records.iter().zip(identities) {
            self.sequence.update(record.form());
            self.repeats |= record.id().is_some() && self.seen.contains(identity);
            match record {
                Record::Read(task) => {
                    self.order.note(task);
                    self.trend.note(task.created, task.updated);
                    self.oldest = [self.oldest, task.created].into_iter().flatten().min();
                    self.last_updated = task.updated;
                }
                Record::Rejected(_) => self.rejected = true,
            }
        }
        // Only now, because a repeat inside one answer is an upstream duplicate and no sign of a moving list.
        let named = records
            .iter()
            .zip(identities)
            .filter(|(record, _)| record.id().is_some());
        for (_, identity) in named {
            self.twice |= !self.seen.insert(*identity);
        }
    }

    /// The id tells one record from another; without one, the text does.
    fn identity(&self, record: &Record) -> u64 {
        match record.id() {
            Some(id) => self.hasher.hash_one((true, id)),
            None => self.hasher.hash_one((false, record.form())),
        }
    }

    fn page_bound(&self) -> u64 {
        let advance = self.endpoint.longest_page.saturating_sub(1).max(1);
        let promised = self.largest_total.unwrap_or(0).div_ceil(advance);
        promised
            .saturating_mul(3)
            .saturating_add(PAGES_BEYOND_PROMISE)
    }
}

#[cfg(test)]
mod tests;
