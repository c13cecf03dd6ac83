//! How an upstream behaves where its documentation leaves it open: what can be found out, in which words, and when two
//! findings contradict each other. Pure.
//!
//! The words are kept in the archive and read by users, so they stay as they are. Two findings that differ need not
//! contradict each other: one may only say more than the other, or rest on a list that could not show the rest.

use super::time::Timestamp;

/// What there is to find out about an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    /// The JSON type of `task_count`.
    CountType,
    /// What `task_count` counts.
    Count,
    /// In which order a list comes.
    Order,
    /// What becomes of the documented maximum of `limit`.
    PageLimit,
    /// Whether a list without a filter is the whole one.
    Window,
    /// Which name of the lower bound is heard.
    StartParameter,
    /// Which of a task's two times is filtered.
    FilterTime,
    /// Whether the bounds of the filter are part of the period.
    Bounds,
    /// When the oldest record was created that is still served.
    Oldest,
}

impl Aspect {
    pub(crate) const ALL: [Self; 9] = [
        Self::CountType,
        Self::Count,
        Self::Order,
        Self::PageLimit,
        Self::Window,
        Self::StartParameter,
        Self::FilterTime,
        Self::Bounds,
        Self::Oldest,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CountType => "count_type",
            Self::Count => "count",
            Self::Order => "order",
            Self::PageLimit => "page_limit",
            Self::Window => "default_window",
            Self::StartParameter => "start_parameter",
            Self::FilterTime => "filter_time",
            Self::Bounds => "filter_bounds",
            Self::Oldest => "oldest",
        }
    }
}

/// The words of findings.
pub(crate) mod word {
    pub(crate) const TEXT: &str = "text";
    pub(crate) const NUMBER: &str = "number";
    pub(crate) const ABSENT: &str = "absent";
    pub(crate) const UNREADABLE: &str = "unreadable";
    pub(crate) const MIXED: &str = "mixed";

    pub(crate) const TOTAL: &str = "total";
    pub(crate) const PAGE: &str = "page";
    pub(crate) const NO_TOTAL: &str = "no total";

    pub(crate) const NEWEST_FIRST: &str = "newest first";
    pub(crate) const NEWEST_CREATED: &str = "newest first by created_at";
    pub(crate) const NEWEST_UPDATED: &str = "newest first by updated_at";
    pub(crate) const OLDEST_FIRST: &str = "oldest first";
    pub(crate) const OLDEST_CREATED: &str = "oldest first by created_at";
    pub(crate) const OLDEST_UPDATED: &str = "oldest first by updated_at";
    pub(crate) const UNORDERED: &str = "unordered";

    pub(crate) const SERVED: &str = "served";
    pub(crate) const ACCEPTED: &str = "accepted";
    pub(crate) const CUT: &str = "cut";
    pub(crate) const REFUSED: &str = "refused";

    pub(crate) const WHOLE: &str = "whole";
    pub(crate) const HIDES: &str = "hides old records";

    pub(crate) const START_TIME: &str = "start_time";
    pub(crate) const BEGIN_TIME: &str = "begin_time";
    pub(crate) const BOTH: &str = "both";
    pub(crate) const NEITHER: &str = "neither";

    pub(crate) const CREATED: &str = "created_at";
    pub(crate) const UPDATED: &str = "updated_at";
    pub(crate) const EITHER: &str = "either";

    pub(crate) const INCLUDED: &str = "included";
    pub(crate) const EXCLUDED: &str = "excluded";
}

/// What came of looking for one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) aspect: Aspect,
    pub(crate) told: Told,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A word of the aspect (a time, of the oldest record), and what was seen.
    Known { word: String, evidence: String },
    /// Nothing that was seen decides it, and why not.
    CannotBeTold { why: String },
}

impl Finding {
    pub(crate) fn known(
        aspect: Aspect,
        word: impl Into<String>,
        evidence: impl Into<String>,
    ) -> Self {
        let (word, evidence) = (word.into(), evidence.into());
        Self {
            aspect,
            told: Told::Known { word, evidence },
        }
    }

    pub(crate) fn cannot_be_told(aspect: Aspect, why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            aspect,
            told: Told::CannotBeTold { why },
        }
    }
}

/// What a finding is to the one that is kept of the same aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// None is kept yet.
    First,
    /// It says the same, or less.
    Same,
    /// It says more, and does not contradict.
    Finer,
    /// It contradicts: the upstream has changed, or was mistaken for another kind.
    Changed,
}

/// Compares what was seen with what is kept.
pub(crate) fn compare(aspect: Aspect, kept: Option<&str>, seen: &str) -> Turn {
    use word::{
        ACCEPTED, CUT, HIDES, MIXED, NEWEST_CREATED, NEWEST_FIRST, NEWEST_UPDATED, NO_TOTAL,
        OLDEST_CREATED, OLDEST_FIRST, OLDEST_UPDATED, PAGE, SERVED, WHOLE,
    };
    let Some(kept) = kept else {
        return Turn::First;
    };
    if kept == seen {
        return Turn::Same;
    }
    match (aspect, kept, seen) {
        // What comes in several forms comes in one of them at a time.
        (Aspect::CountType, MIXED, _)
        | (Aspect::Count, PAGE, NO_TOTAL)
        | (Aspect::Order, NEWEST_CREATED | NEWEST_UPDATED, NEWEST_FIRST)
        | (Aspect::Order, OLDEST_CREATED | OLDEST_UPDATED, OLDEST_FIRST)
        // A list that is short enough is neither cut nor served to the full length.
        | (Aspect::PageLimit, SERVED | CUT, ACCEPTED)
        // A list without old records hides none.
        | (Aspect::Window, HIDES, WHOLE) => Turn::Same,
        (Aspect::Count, NO_TOTAL, PAGE)
        | (Aspect::Order, NEWEST_FIRST, NEWEST_CREATED | NEWEST_UPDATED)
        | (Aspect::Order, OLDEST_FIRST, OLDEST_CREATED | OLDEST_UPDATED)
        | (Aspect::PageLimit, ACCEPTED, SERVED | CUT)
        // Records age, and that is no manner of the upstream.
        | (Aspect::Oldest, ..) => Turn::Finer,
        _ => Turn::Changed,
    }
}

/// The different times in a row that make an order: of four records, chance brings one in twelve into some order, and a
/// claim of order that is wrong costs a warning later.
const LEAST_STEPS: u64 = 3;

/// How the two times of the records of a list go, from one record to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trend {
    created: Steps,
    updated: Steps,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Steps {
    last: Option<Timestamp>,
    falls: u64,
    rises: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Falling,
    Rising,
    Mixed,
    Untold,
}

impl Steps {
    /// One that cannot be read belongs nowhere, and two that are equal may stand in any order.
    fn note(&mut self, time: Option<Timestamp>) {
        let Some(time) = time else { return };
        if let Some(last) = self.last {
            self.falls += u64::from(time < last);
            self.rises += u64::from(time > last);
        }
        self.last = Some(time);
    }

    const fn way(self) -> Way {
        match (self.falls, self.rises) {
            (1.., 1..) => Way::Mixed,
            (LEAST_STEPS.., 0) => Way::Falling,
            (0, LEAST_STEPS..) => Way::Rising,
            _ => Way::Untold,
        }
    }
}

impl Trend {
    /// Takes the next record of the list.
    pub(crate) fn note(&mut self, created: Option<Timestamp>, updated: Option<Timestamp>) {
        self.created.note(created);
        self.updated.note(updated);
    }

    /// Takes what another list showed.
    pub(crate) fn add(&mut self, other: Self) {
        for (mine, others) in [
            (&mut self.created, other.created),
            (&mut self.updated, other.updated),
        ] {
            mine.falls += others.falls;
            mine.rises += others.rises;
        }
    }

    /// Returns the word for the order, where enough records tell.
    pub(crate) const fn order(self) -> Option<&'static str> {
        Some(match (self.created.way(), self.updated.way()) {
            (Way::Falling, Way::Falling | Way::Untold) | (Way::Untold, Way::Falling) => {
                word::NEWEST_FIRST
            }
            (Way::Falling, _) => word::NEWEST_CREATED,
            (_, Way::Falling) => word::NEWEST_UPDATED,
            (Way::Rising, Way::Rising | Way::Untold) | (Way::Untold, Way::Rising) => {
                word::OLDEST_FIRST
            }
            (Way::Rising, _) => word::OLDEST_CREATED,
            (_, Way::Rising) => word::OLDEST_UPDATED,
            (Way::Mixed, Way::Mixed) => word::UNORDERED,
            (Way::Untold, _) | (_, Way::Untold) => return None,
        })
    }

    /// Says what the order rests on.
    pub(crate) fn evidence(self) -> String {
        let way = |steps: Steps| match (steps.falls, steps.rises) {
            (0, 0) => "never differs".to_owned(),
            (falls, rises) => format!("falls {falls} times and rises {rises} times"),
        };
        format!(
            "from record to record created_at {}, updated_at {}",
            way(self.created),
            way(self.updated)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_less_is_the_same_and_what_says_more_is_finer() {
        use Aspect::{Count, CountType, FilterTime, Oldest, Order, PageLimit, Window};
        let cases = [
            (CountType, None, "text", Turn::First),
            (CountType, Some("text"), "text", Turn::Same),
            (CountType, Some("text"), "number", Turn::Changed),
            (CountType, Some("text"), "mixed", Turn::Changed),
            (CountType, Some("mixed"), "number", Turn::Same),
            (Count, Some("total"), "no total", Turn::Changed),
            (Count, Some("total"), "page", Turn::Changed),
            (Count, Some("page"), "no total", Turn::Same),
            (Count, Some("no total"), "page", Turn::Finer),
            (Count, Some("no total"), "total", Turn::Changed),
            (
                Order,
                Some("newest first"),
                "newest first by updated_at",
                Turn::Finer,
            ),
            (
                Order,
                Some("newest first by updated_at"),
                "newest first",
                Turn::Same,
            ),
            (
                Order,
                Some("newest first by updated_at"),
                "newest first by created_at",
                Turn::Changed,
            ),
            (Order, Some("newest first"), "unordered", Turn::Changed),
            (Order, Some("oldest first"), "newest first", Turn::Changed),
            (
                Order,
                Some("oldest first"),
                "oldest first by created_at",
                Turn::Finer,
            ),
            (PageLimit, Some("accepted"), "served", Turn::Finer),
            (PageLimit, Some("accepted"), "cut", Turn::Finer),
            (PageLimit, Some("accepted"), "refused", Turn::Changed),
            (PageLimit, Some("served"), "accepted", Turn::Same),
            (PageLimit, Some("served"), "cut", Turn::Changed),
            (PageLimit, Some("cut"), "served", Turn::Changed),
            (PageLimit, Some("refused"), "accepted", Turn::Changed),
            (Window, Some("whole"), "hides old records", Turn::Changed),
            (Window, Some("hides old records"), "whole", Turn::Same),
            (FilterTime, Some("created_at"), "updated_at", Turn::Changed),
            (
                Oldest,
                Some("2026-01-01T00:00:00.000Z"),
                "2026-02-01T00:00:00.000Z",
                Turn::Finer,
            ),
        ];
        for (aspect, kept, seen, expected) in cases {
            assert_eq!(
                compare(aspect, kept, seen),
                expected,
                "{aspect:?} {kept:?} {seen}"
            );
        }
    }

    /// The trend of records with these minutes of creation and of the last update.
    fn trend(records: &[(Option<i64>, Option<i64>)]) -> Trend {
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000).unwrap();
        let mut trend = Trend::default();
        for (created, updated) in records {
            trend.note(created.map(at), updated.map(at));
        }
        trend
    }

    /// Records whose two times are the same.
    fn plain(minutes: &[i64]) -> Vec<(Option<i64>, Option<i64>)> {
        minutes.iter().map(|m| (Some(*m), Some(*m))).collect()
    }

    #[test]
    fn an_order_is_told_by_four_different_times_that_none_contradicts() {
        let cases = [
            (plain(&[]), None),
            (plain(&[5, 5, 5, 5, 5]), None),
            (plain(&[5, 4, 3]), None),
            (plain(&[5, 4, 3, 2]), Some("newest first")),
            (plain(&[5, 4, 4, 3, 3, 2]), Some("newest first")),
            (plain(&[2, 3, 4, 5]), Some("oldest first")),
            (plain(&[5, 2, 3, 4]), Some("unordered")),
            (
                vec![
                    (Some(5), Some(5)),
                    (Some(4), Some(9)),
                    (Some(3), Some(3)),
                    (Some(2), Some(2)),
                ],
                Some("newest first by created_at"),
            ),
            (
                vec![
                    (Some(5), Some(9)),
                    (Some(7), Some(8)),
                    (Some(3), Some(7)),
                    (Some(2), Some(6)),
                ],
                Some("newest first by updated_at"),
            ),
            // A record without a time says nothing of the order.
            (
                vec![
                    (Some(5), None),
                    (None, None),
                    (Some(4), None),
                    (Some(3), None),
                    (Some(2), None),
                ],
                Some("newest first"),
            ),
            // One time is in disorder, and of the other too little is known.
            (
                vec![(Some(5), None), (Some(6), None), (Some(4), None)],
                None,
            ),
        ];
        for (records, expected) in cases {
            assert_eq!(trend(&records).order(), expected, "{records:?}");
        }
    }

    #[test]
    fn lists_that_differ_have_no_order_together() {
        let mut both = trend(&plain(&[5, 4, 3, 2]));
        both.add(trend(&plain(&[9, 8, 7, 6])));
        assert_eq!(both.order(), Some("newest first"));
        both.add(trend(&plain(&[1, 2])));
        assert_eq!(both.order(), Some("unordered"));
        assert_eq!(
            both.evidence(),
            "from record to record created_at falls 6 times and rises 1 times, updated_at falls 6 times and rises 1 times"
        );
    }
}
