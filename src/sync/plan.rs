//! Which walk an instance gets, how deep it goes and how large its first page is: the cheapest that keeps the promises.
//! Pure.

use crate::model::{ledger::TotalTrust, time::Timestamp};
use crate::store::held::Held;

/// How `--mode` chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The cheapest walk that keeps the promises.
    Auto,
    Full,
}

/// The settings that the choice depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) mode: Mode,
    /// How far below the mark an incremental walk reads, in milliseconds.
    pub(crate) overlap: i64,
    /// How old the last proven full walk may be, in milliseconds; any age where there is nothing.
    pub(crate) full_every: Option<i64>,
    /// Lists up to this length are always read whole.
    pub(crate) small: u64,
    /// Records that a first page asks for beyond those that are known to be there.
    pub(crate) spare: u64,
}

impl Rules {
    /// The same, with no full walk being due.
    pub(crate) fn whatever_the_age(self) -> Self {
        Self {
            full_every: None,
            ..self
        }
    }
}

/// A list of so many records is one small request, and reading it whole proves everything.
pub(crate) const SMALL: u64 = 100;

/// More open tasks than any instance has at work: their statuses are ones that we do not know, and looking for each of
/// them is dearer than reading everything.
const MANY_OPEN: u64 = 1_000;

/// So that a few new ones cost no second request.
pub(crate) const SPARE: u64 = 8;

/// A page of one record cannot overlap with the next.
const LEAST: u64 = 2;

/// How deep an incremental walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    /// It reaches or passes the newest `created_at` that is known ...
    pub(crate) newest: Timestamp,
    /// ... and a record updated before this.
    pub(crate) bound: Timestamp,
    /// Tasks created since this are likely to be passed on the way: back to the oldest open one.
    pub(crate) reach: Timestamp,
}

/// The walk that an instance gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Full,
    Incremental(Depth),
}

/// Chooses the walk. Nothing but evidence makes it incremental.
pub(crate) fn plan(rules: Rules, held: &Held, trust: TotalTrust, now: Timestamp) -> Plan {
    let (Some(last_full), Some(mark), Some(newest)) = (held.last_full, held.mark, held.newest)
    else {
        return Plan::Full;
    };
    let age = now.millis().abs_diff(last_full.millis());
    let due = rules
        .full_every
        .is_some_and(|every| age >= every.unsigned_abs());
    if rules.mode == Mode::Full
        || due
        || trust != TotalTrust::Trusted
        || held.irregular
        || held.live + held.strays <= rules.small
        || held.open > MANY_OPEN
    {
        return Plan::Full;
    }
    let bound = mark.plus(-rules.overlap);
    Plan::Incremental(Depth {
        newest,
        bound,
        reach: held.oldest_open.map_or(bound, |open| open.min(bound)),
    })
}

/// Returns the size of the first page: what is known to lie above the depth and a few more. Nothing if that is the whole
/// list, which then is better read as such.
pub(crate) fn first_page(rules: Rules, above: u64, held: &Held, page_limit: u32) -> Option<u32> {
    let wanted = (above + rules.spare).max(LEAST);
    (wanted < held.live + held.strays)
        .then(|| u32::try_from(wanted).map_or(page_limit, |wanted| wanted.min(page_limit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY, HOUR};

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + hours * HOUR).unwrap()
    }

    const RULES: Rules = Rules {
        mode: Mode::Auto,
        overlap: DAY,
        full_every: Some(20 * HOUR),
        small: SMALL,
        spare: SPARE,
    };

    fn held() -> Held {
        Held {
            live: 500,
            strays: 0,
            open: 1,
            irregular: false,
            mark: Some(at(-2)),
            last_full: Some(at(-3)),
            newest: Some(at(-4)),
            oldest_open: None,
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn the_cheapest_walk_that_keeps_the_promises_is_chosen() {
        let quiet = Plan::Incremental(Depth {
            newest: at(-4),
            bound: at(-26),
            reach: at(-26),
        });
        let full_every = |full_every| Rules {
            full_every,
            ..RULES
        };
        let cases = [
            ("quiet", RULES, held(), quiet),
            (
                "an open task lies deeper",
                RULES,
                Held {
                    oldest_open: Some(at(-99)),
                    ..held()
                },
                Plan::Incremental(Depth {
                    newest: at(-4),
                    bound: at(-26),
                    reach: at(-99),
                }),
            ),
            (
                "an open task lies above",
                RULES,
                Held {
                    oldest_open: Some(at(-5)),
                    ..held()
                },
                quiet,
            ),
            (
                "asked for",
                Rules {
                    mode: Mode::Full,
                    ..RULES
                },
                held(),
                Plan::Full,
            ),
            ("never read", RULES, Held::default(), Plan::Full),
            (
                "never proven",
                RULES,
                Held {
                    last_full: None,
                    ..held()
                },
                Plan::Full,
            ),
            (
                "no mark",
                RULES,
                Held {
                    mark: None,
                    ..held()
                },
                Plan::Full,
            ),
            (
                "the full walk is due",
                RULES,
                Held {
                    last_full: Some(at(-20)),
                    ..held()
                },
                Plan::Full,
            ),
            (
                "the full walk is not due yet",
                RULES,
                Held {
                    last_full: Some(at(-19)),
                    ..held()
                },
                quiet,
            ),
            (
                "the clock went back by a year",
                RULES,
                Held {
                    last_full: Some(at(9_000)),
                    ..held()
                },
                Plan::Full,
            ),
            (
                "never due",
                full_every(None),
                Held {
                    last_full: Some(at(-9_000)),
                    ..held()
                },
                quiet,
            ),
            ("always due", full_every(Some(0)), held(), Plan::Full),
            (
                "not in order",
                RULES,
                Held {
                    irregular: true,
                    ..held()
                },
                Plan::Full,
            ),
            (
                "a short list",
                RULES,
                Held {
                    live: 99,
                    strays: 1,
                    ..held()
                },
                Plan::Full,
            ),
            (
                "just not short",
                RULES,
                Held {
                    live: 100,
                    strays: 1,
                    ..held()
                },
                quiet,
            ),
            (
                "statuses that nobody knows",
                RULES,
                Held {
                    open: 1_001,
                    ..held()
                },
                Plan::Full,
            ),
        ];
        for (name, rules, held, expected) in cases {
            assert_eq!(
                plan(rules, &held, TotalTrust::Trusted, at(0)),
                expected,
                "{name}"
            );
        }
        for trust in [TotalTrust::Unknown, TotalTrust::Distrusted] {
            assert_eq!(plan(RULES, &held(), trust, at(0)), Plan::Full, "{trust:?}");
        }
    }

    #[test]
    fn the_first_page_holds_what_should_be_there_and_a_few() {
        let cases = [
            (0, 500, 1000, Some(8)),
            (20, 500, 1000, Some(28)),
            (20, 500, 10, Some(10)),
            (490, 500, 1000, Some(498)),
            (492, 500, 1000, None),
            (500, 500, 1000, None),
            (u64::from(u32::MAX), u64::MAX, 1000, Some(1000)),
        ];
        for (above, live, limit, expected) in cases {
            let held = Held { live, ..held() };
            assert_eq!(
                first_page(RULES, above, &held, limit),
                expected,
                "{above} of {live}"
            );
        }
    }
}
