//! What a full walk proves: pure, over what it and the walk before it found.
//!
//! A proof is one of two kinds of evidence: a count that is trusted as a total and fits, or two walks in a row that
//! received the same thing. Everything else is a reason why not, in words for the ledger.

use super::walk::{End, Finding, Totals};
use crate::model::ledger::TotalTrust;

/// What makes a walk proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The positions received equal a total that is trusted.
    Total,
    /// Two walks in a row received the same records in the same order.
    EqualWalks,
    /// The list is empty, and was so twice.
    Empty,
}

impl Evidence {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "the count of the list equals the records received",
            Self::EqualWalks => "two walks in a row received the same",
            Self::Empty => "the list is empty, and was so twice",
        }
    }
}

/// Why a walk proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    Endless {
        pages: u64,
    },
    EmptyAnswer,
    ListMoved,
    CountMoved {
        first: u64,
        last: u64,
    },
    CountAbove {
        total: u64,
        received: u64,
    },
    CameTwice,
    /// It lacks known tasks that have the time of a record at a border of its pages.
    MayHaveSlipped {
        tasks: u64,
    },
    /// The count says nothing here, and no walk before this one received the same.
    NeedsEqualWalk,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Endless { pages } => write!(out, "the list did not end within {pages} pages"),
            Self::EmptyAnswer => out.write_str("an empty answer, twice, where there must be records"),
            Self::ListMoved => {
                out.write_str("the list moved: a page did not begin with the last record of the one before")
            }
            Self::CountMoved { first, last } => {
                write!(out, "the list moved: its count went from {first} to {last} during the walk")
            }
            Self::CountAbove { total, received } => {
                write!(out, "the upstream counts {total} records and showed {received}")
            }
            Self::MayHaveSlipped { tasks } => write!(
                out,
                "it lacks known tasks, and {tasks} of them may have slipped through between two pages: they have the time of a record at a page's border"
            ),
            Self::CameTwice => out.write_str("the list moved: a record came twice"),
            Self::NeedsEqualWalk => {
                out.write_str("the upstream's count cannot be relied on, and no two walks in a row received the same")
            }
        }
    }
}

/// Judges a full walk; `before` is what the walk just before it, of the same query, found.
pub(crate) fn judge(
    found: &Finding,
    trust: TotalTrust,
    before: Option<&Finding>,
) -> Result<Evidence, Doubt> {
    match found.end {
        End::Empty => return Ok(Evidence::Empty),
        End::EmptyContradicted => return Err(Doubt::EmptyAnswer),
        End::PageBound => return Err(Doubt::Endless { pages: found.pages }),
        End::ShortPage | End::OnlyShared | End::NothingNew => {}
    }
    if !found.seams {
        return Err(Doubt::ListMoved);
    }
    // Where those of one moment change their places from answer to answer, one that comes twice stands for another that
    // did not come, and by chance it does so twice in a row. One that really is twice in the list is so in one answer.
    if found.repeats {
        return Err(Doubt::CameTwice);
    }
    let trusted = trust == TotalTrust::Trusted;
    let equal_before = before.is_some_and(|before| same_sequence(found, before));
    match found.totals {
        // A list that grew at its top by just what was read looks like one that starts over, so that has to come twice.
        Totals::Same(total) if trusted && total == found.positions => {
            return if found.end != End::NothingNew || equal_before {
                Ok(Evidence::Total)
            } else {
                Err(Doubt::NeedsEqualWalk)
            };
        }
        Totals::Changed { first, last } if trusted => {
            return Err(Doubt::CountMoved { first, last });
        }
        _ => {}
    }
    // A count above what was shown is never explained away, whatever else speaks for the walk.
    if let Some(total) = found.largest_total.filter(|total| *total > found.positions) {
        return Err(Doubt::CountAbove {
            total,
            received: found.positions,
        });
    }
    let to_the_end = |walk: &Finding| walk.end == End::OnlyShared;
    if equal_before && to_the_end(found) && before.is_some_and(to_the_end) {
        return Ok(Evidence::EqualWalks);
    }
    Err(Doubt::NeedsEqualWalk)
}

/// Says whether a walk that is proven but for that may call missing what may have slipped through between its pages: only
/// what the walk before lacked as well.
pub(crate) fn absences(found: &Finding, before: Option<&Finding>) -> Result<(), Doubt> {
    let lacked = |task: &&i64| {
        before.is_some_and(|before| {
            same_sequence(found, before) || before.slipped.binary_search(task).is_ok()
        })
    };
    match found.slipped.iter().filter(|task| !lacked(task)).count() {
        0 => Ok(()),
        tasks => Err(Doubt::MayHaveSlipped {
            tasks: tasks as u64,
        }),
    }
}

/// Says whether walking once more could prove anything: not where two walks in a row received the same and the count
/// still says more.
pub(crate) fn worth_another(found: &Finding, doubt: &Doubt, before: Option<&Finding>) -> bool {
    match doubt {
        Doubt::CountAbove { .. } => !before.is_some_and(|before| {
            same_sequence(found, before) && before.largest_total == found.largest_total
        }),
        Doubt::Endless { .. } => false,
        _ => true,
    }
}

/// Returns the trust that a proven walk leaves behind: a contradicted count whose value fits a whole list of more than
/// one page is believed again.
pub(crate) fn trust_after(found: &Finding, trust: TotalTrust) -> TotalTrust {
    let fits = found.totals == Totals::Same(found.positions)
        && found.end == End::OnlyShared
        && found.positions > 1;
    if fits { TotalTrust::Trusted } else { trust }
}

fn same_sequence(one: &Finding, other: &Finding) -> bool {
    one.seams && other.seams && one.positions == other.positions && one.sequence == other.sequence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{absence::Borders, upstream::Trend};
    use TotalTrust::{Distrusted, Trusted, Unknown};

    fn found(end: End, positions: u64, totals: Totals) -> Finding {
        let largest_total = match totals {
            Totals::Absent => None,
            Totals::Same(total) => Some(total),
            Totals::Changed { first, last } => Some(first.max(last)),
        };
        Finding {
            end,
            positions,
            seams: true,
            repeats: false,
            totals,
            largest_total,
            sequence: [7; 32],
            pages: 3,
            regular: true,
            trend: Trend::default(),
            borders: Borders::default(),
            slipped: Vec::new(),
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn a_walk_is_proven_on_evidence_only() {
        let whole = found(End::OnlyShared, 25, Totals::Same(25));
        let short = found(End::ShortPage, 25, Totals::Same(25));
        let uncounted = found(End::OnlyShared, 25, Totals::Absent);
        let other = Finding {
            sequence: [8; 32],
            ..uncounted.clone()
        };
        let torn = Finding {
            seams: false,
            ..whole.clone()
        };
        let twice = Finding {
            repeats: true,
            ..whole.clone()
        };
        let paged = found(End::OnlyShared, 25, Totals::Changed { first: 10, last: 1 });
        let stopped = found(End::NothingNew, 25, Totals::Absent);
        let again = found(End::NothingNew, 25, Totals::Same(25));
        let above = found(End::OnlyShared, 25, Totals::Same(30));
        let low = found(End::OnlyShared, 25, Totals::Same(20));
        let moved = Doubt::CountMoved { first: 10, last: 1 };
        let too_many = Doubt::CountAbove {
            total: 30,
            received: 25,
        };
        let cases = [
            (
                "trusted total fits",
                &whole,
                Trusted,
                None,
                Ok(Evidence::Total),
            ),
            (
                "a short page with the trusted total",
                &short,
                Trusted,
                None,
                Ok(Evidence::Total),
            ),
            (
                "offset ignored, trusted total fits: or the list grew at its top meanwhile",
                &again,
                Trusted,
                None,
                Err(Doubt::NeedsEqualWalk),
            ),
            (
                "the same, twice",
                &again,
                Trusted,
                Some(&again),
                Ok(Evidence::Total),
            ),
            (
                "the total is not trusted",
                &whole,
                Unknown,
                None,
                Err(Doubt::NeedsEqualWalk),
            ),
            (
                "nor now, but the walk before was equal",
                &whole,
                Distrusted,
                Some(&whole),
                Ok(Evidence::EqualWalks),
            ),
            (
                "no count, once",
                &uncounted,
                Trusted,
                None,
                Err(Doubt::NeedsEqualWalk),
            ),
            (
                "no count, twice the same",
                &uncounted,
                Unknown,
                Some(&uncounted),
                Ok(Evidence::EqualWalks),
            ),
            (
                "no count, twice different",
                &uncounted,
                Unknown,
                Some(&other),
                Err(Doubt::NeedsEqualWalk),
            ),
            (
                "a page count, twice the same",
                &paged,
                Distrusted,
                Some(&paged),
                Ok(Evidence::EqualWalks),
            ),
            (
                "a count below, twice the same",
                &low,
                Distrusted,
                Some(&low),
                Ok(Evidence::EqualWalks),
            ),
            (
                "a trusted count that moved",
                &paged,
                Trusted,
                Some(&paged),
                Err(moved),
            ),
            (
                "a count above is never explained away",
                &above,
                Trusted,
                Some(&above),
                Err(too_many.clone()),
            ),
            (
                "not even a distrusted one",
                &above,
                Distrusted,
                Some(&above),
                Err(too_many),
            ),
            (
                "a torn seam",
                &torn,
                Trusted,
                Some(&torn),
                Err(Doubt::ListMoved),
            ),
            (
                "the walk before was torn",
                &uncounted,
                Unknown,
                Some(&torn),
                Err(Doubt::NeedsEqualWalk),
            ),
            (
                "a record came twice",
                &twice,
                Trusted,
                None,
                Err(Doubt::CameTwice),
            ),
            (
                "it comes twice in every walk",
                &twice,
                Trusted,
                Some(&twice),
                Err(Doubt::CameTwice),
            ),
            (
                "stopped at nothing new without a total",
                &stopped,
                Unknown,
                Some(&stopped),
                Err(Doubt::NeedsEqualWalk),
            ),
            (
                "empty, twice",
                &found(End::Empty, 0, Totals::Same(0)),
                Unknown,
                None,
                Ok(Evidence::Empty),
            ),
            (
                "empty against its own count",
                &found(End::EmptyContradicted, 0, Totals::Same(34)),
                Trusted,
                None,
                Err(Doubt::EmptyAnswer),
            ),
            (
                "endless",
                &found(End::PageBound, 25, Totals::Same(25)),
                Trusted,
                None,
                Err(Doubt::Endless { pages: 3 }),
            ),
        ];
        for (name, walk, trust, before, expected) in cases {
            assert_eq!(judge(walk, trust, before), expected, "{name}");
        }
    }

    #[test]
    fn what_may_have_slipped_through_is_missing_if_two_walks_in_a_row_lack_it() {
        let lacks = |sequence: u8, slipped: &[i64]| Finding {
            sequence: [sequence; 32],
            slipped: slipped.to_vec(),
            ..found(End::ShortPage, 25, Totals::Same(25))
        };
        let doubt = |tasks| Err(Doubt::MayHaveSlipped { tasks });
        let cases = [
            ("nothing", lacks(1, &[]), None, Ok(())),
            ("once", lacks(1, &[4, 7]), None, doubt(2)),
            (
                "twice, in another order",
                lacks(1, &[4, 7]),
                Some(lacks(2, &[4, 5, 7])),
                Ok(()),
            ),
            (
                "another one each time",
                lacks(1, &[4, 7]),
                Some(lacks(2, &[4, 5])),
                doubt(1),
            ),
            (
                "the walk before received the same, and was in doubt for another reason",
                lacks(1, &[4]),
                Some(lacks(1, &[])),
                Ok(()),
            ),
        ];
        for (name, walk, before, expected) in cases {
            assert_eq!(absences(&walk, before.as_ref()), expected, "{name}");
        }
    }

    #[test]
    fn a_stable_disagreement_is_not_walked_again() {
        let above = found(End::OnlyShared, 25, Totals::Same(30));
        let doubt = Doubt::CountAbove {
            total: 30,
            received: 25,
        };
        assert!(worth_another(&above, &doubt, None));
        assert!(!worth_another(&above, &doubt, Some(&above)));
        let other = Finding {
            sequence: [8; 32],
            ..above.clone()
        };
        assert!(worth_another(&above, &doubt, Some(&other)));
        assert!(worth_another(&above, &Doubt::ListMoved, Some(&above)));
        assert!(!worth_another(&above, &Doubt::Endless { pages: 1 }, None));
    }

    #[test]
    fn a_count_is_believed_again_when_it_fits_a_whole_list() {
        let whole = found(End::OnlyShared, 25, Totals::Same(25));
        assert_eq!(trust_after(&whole, Distrusted), Trusted);
        assert_eq!(
            trust_after(&found(End::OnlyShared, 1, Totals::Same(1)), Distrusted),
            Distrusted
        );
        assert_eq!(
            trust_after(&found(End::OnlyShared, 25, Totals::Absent), Distrusted),
            Distrusted
        );
        assert_eq!(
            trust_after(&found(End::ShortPage, 25, Totals::Same(25)), Unknown),
            Unknown
        );
    }
}
