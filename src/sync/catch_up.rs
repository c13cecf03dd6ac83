//! What an incremental walk proves so far: that it may stop, that it must read on, or that only a full walk will do. Pure.
//!
//! It rests on the count alone. Where the list has just as many positions as the archive expects after merging what was
//! seen, no unknown record is hiding further down; where every open task was seen, none is waiting there to finish. The
//! depth is a margin against what a count cannot show.

use super::walk::{End, Totals};
use crate::model::{ledger::TotalTrust, time::Timestamp};
use crate::store::held::Merged;
use crate::sync::plan::Depth;

/// What the ledger says of a proven incremental walk.
pub(crate) const EVIDENCE: &str =
    "the count of the list equals the tasks known, and every open one was seen";

/// What an incremental walk has seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is evidence of its own")]
pub(crate) struct Sight {
    /// How the list ended, if it did.
    pub(crate) ended: Option<End>,
    /// Every page began with the last record of the one before.
    pub(crate) seams: bool,
    /// Some record came twice, in one answer or in two; the shared ones apart.
    pub(crate) twice: bool,
    /// Some record was rejected.
    pub(crate) rejected: bool,
    pub(crate) newest_first: bool,
    pub(crate) totals: Totals,
    /// The least `created_at` seen.
    pub(crate) oldest: Option<Timestamp>,
    /// The `updated_at` of the last record, if it can be believed.
    pub(crate) last_updated: Option<Timestamp>,
}

/// What to do after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Proven,
    Deeper,
    /// The proof fails, and reading on would not mend it.
    Full(Fallback),
}

/// Why an incremental walk will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    Untrusted,
    Moved,
    Twice,
    Rejected,
    Order,
    CountMoved,
    Fewer { total: u64, expected: u64 },
    More { total: u64, expected: u64 },
    OpenUnseen { tasks: u64 },
    Empty,
}

impl std::fmt::Display for Fallback {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Untrusted => out.write_str("the upstream's count cannot be relied on"),
            Self::Moved => out.write_str(
                "the list moved: a page did not begin with the last record of the one before",
            ),
            Self::Twice => out.write_str("a record came twice"),
            Self::Rejected => out.write_str("a record could not be read"),
            Self::Order => out.write_str("the records are not newest first"),
            Self::CountMoved => out.write_str("the upstream's count changed during the walk"),
            Self::Fewer { total, expected } => write!(
                out,
                "the upstream counts {total} records and {expected} were expected: some have disappeared"
            ),
            Self::More { total, expected } => write!(
                out,
                "the upstream counts {total} records and {expected} were expected: unknown ones lie further down"
            ),
            Self::OpenUnseen { tasks } => write!(out, "{tasks} open tasks were not shown"),
            Self::Empty => out.write_str("an empty answer where there must be records"),
        }
    }
}

/// Says what the walk proves with the pages so far.
pub(crate) fn judge(sight: &Sight, depth: Depth, merged: Merged, trust: TotalTrust) -> Next {
    let ended = sight.ended.is_some();
    match doubt(sight, trust) {
        Err(fallback) => Next::Full(fallback),
        Ok(total) => {
            let expected = merged.expected;
            let reached = ended
                || sight.oldest.is_some_and(|oldest| oldest <= depth.newest)
                    && sight.last_updated.is_some_and(|last| last < depth.bound);
            if total < expected {
                // Reading on only adds to what is expected.
                Next::Full(Fallback::Fewer { total, expected })
            } else if total > expected && reached {
                Next::Full(Fallback::More { total, expected })
            } else if merged.unseen_open > 0 && ended {
                Next::Full(Fallback::OpenUnseen {
                    tasks: merged.unseen_open,
                })
            } else if total == expected && reached && merged.unseen_open == 0 {
                Next::Proven
            } else {
                Next::Deeper
            }
        }
    }
}

/// Returns the total, unless something speaks against the walk that further pages cannot mend.
fn doubt(sight: &Sight, trust: TotalTrust) -> Result<u64, Fallback> {
    if trust != TotalTrust::Trusted {
        return Err(Fallback::Untrusted);
    }
    if matches!(
        sight.ended,
        Some(End::Empty | End::EmptyContradicted | End::NothingNew | End::PageBound)
    ) {
        return Err(Fallback::Empty);
    }
    if !sight.seams {
        return Err(Fallback::Moved);
    }
    if sight.twice {
        return Err(Fallback::Twice);
    }
    if sight.rejected {
        return Err(Fallback::Rejected);
    }
    if !sight.newest_first {
        return Err(Fallback::Order);
    }
    match sight.totals {
        Totals::Same(total) => Ok(total),
        Totals::Absent => Err(Fallback::Untrusted),
        Totals::Changed { .. } => Err(Fallback::CountMoved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + hours * HOUR).unwrap()
    }

    const KNOWN: Merged = Merged {
        expected: 300,
        unseen_open: 0,
    };

    fn deep() -> Sight {
        Sight {
            ended: None,
            seams: true,
            twice: false,
            rejected: false,
            newest_first: true,
            totals: Totals::Same(300),
            oldest: Some(at(-50)),
            last_updated: Some(at(-49)),
        }
    }

    fn judged(sight: Sight, merged: Merged) -> Next {
        let depth = Depth {
            newest: at(-1),
            bound: at(-24),
            reach: at(-24),
        };
        judge(&sight, depth, merged, TotalTrust::Trusted)
    }

    #[test]
    fn a_walk_whose_count_fits_may_stop_once_it_is_deep_enough() {
        let cases = [
            ("deep enough", deep(), Next::Proven),
            (
                "not below the mark yet",
                Sight {
                    last_updated: Some(at(-24)),
                    ..deep()
                },
                Next::Deeper,
            ),
            (
                "a last update that cannot be believed is below nothing",
                Sight {
                    last_updated: None,
                    ..deep()
                },
                Next::Deeper,
            ),
            (
                "not down to the newest that is known",
                Sight {
                    oldest: Some(at(0)),
                    ..deep()
                },
                Next::Deeper,
            ),
            (
                "no creation can be read",
                Sight {
                    oldest: None,
                    ..deep()
                },
                Next::Deeper,
            ),
            (
                "the whole list, though it is not deep",
                Sight {
                    last_updated: None,
                    ended: Some(End::ShortPage),
                    ..deep()
                },
                Next::Proven,
            ),
            (
                "more are there, and the depth is not reached",
                Sight {
                    totals: Totals::Same(301),
                    last_updated: Some(at(-2)),
                    ..deep()
                },
                Next::Deeper,
            ),
        ];
        for (name, sight, expected) in cases {
            assert_eq!(judged(sight, KNOWN), expected, "{name}");
        }
    }

    #[test]
    fn what_reading_on_cannot_mend_calls_for_a_full_walk() {
        let ended = |end| Sight {
            ended: Some(end),
            ..deep()
        };
        let (total, expected) = (301, 300);
        let cases = [
            (
                "a seam",
                Sight {
                    seams: false,
                    ..deep()
                },
                Fallback::Moved,
            ),
            (
                "twice",
                Sight {
                    twice: true,
                    ..deep()
                },
                Fallback::Twice,
            ),
            (
                "rejected",
                Sight {
                    rejected: true,
                    ..deep()
                },
                Fallback::Rejected,
            ),
            (
                "order",
                Sight {
                    newest_first: false,
                    ..deep()
                },
                Fallback::Order,
            ),
            (
                "no total",
                Sight {
                    totals: Totals::Absent,
                    ..deep()
                },
                Fallback::Untrusted,
            ),
            (
                "totals differ",
                Sight {
                    totals: Totals::Changed {
                        first: 300,
                        last: 301,
                    },
                    ..deep()
                },
                Fallback::CountMoved,
            ),
            (
                "one has disappeared",
                Sight {
                    totals: Totals::Same(299),
                    ..deep()
                },
                Fallback::Fewer {
                    total: 299,
                    expected,
                },
            ),
            (
                "an unknown one below",
                Sight {
                    totals: Totals::Same(301),
                    ..deep()
                },
                Fallback::More { total, expected },
            ),
            ("starts over", ended(End::NothingNew), Fallback::Empty),
            ("empty", ended(End::EmptyContradicted), Fallback::Empty),
            ("endless", ended(End::PageBound), Fallback::Empty),
        ];
        for (name, sight, fallback) in cases {
            assert_eq!(judged(sight, KNOWN), Next::Full(fallback), "{name}");
        }
        let depth = Depth {
            newest: at(-1),
            bound: at(-24),
            reach: at(-24),
        };
        for trust in [TotalTrust::Unknown, TotalTrust::Distrusted] {
            assert_eq!(
                judge(&deep(), depth, KNOWN, trust),
                Next::Full(Fallback::Untrusted)
            );
        }
    }

    #[test]
    fn open_tasks_are_looked_for_down_to_the_end() {
        let waiting = Merged {
            unseen_open: 2,
            ..KNOWN
        };
        assert_eq!(judged(deep(), waiting), Next::Deeper);
        let ended = Sight {
            ended: Some(End::OnlyShared),
            ..deep()
        };
        let tasks = 2;
        assert_eq!(
            judged(ended, waiting),
            Next::Full(Fallback::OpenUnseen { tasks })
        );
    }
}
