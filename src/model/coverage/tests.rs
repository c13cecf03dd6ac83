//! The states of `cover` as a table, and against a model that asks of one moment at a time.

use proptest::prelude::*;

use super::*;
use crate::model::time::DAY;

/// Hours after the beginning of 2026-10-01.
fn hour(hours: i64) -> Timestamp {
    Timestamp::from_millis(1_790_812_800_000 + hours * HOUR).unwrap()
}

/// Full (`F`) and incremental (`i`) walks, and the hours at which they began.
type Walks = &'static [(char, i64)];

const RULES: Rules = Rules {
    max_gap: MAX_GAP,
    settle: HOUR,
};

/// A ledger of these walks, in this order.
fn ledger(walks: &[(char, i64)]) -> Ledger {
    let proven = walks
        .iter()
        .enumerate()
        .map(|(number, (kind, hours))| Proven {
            number: i64::try_from(number).unwrap(),
            started: hour(*hours),
            is_full: *kind == 'F',
        });
    Ledger {
        proven: proven.collect(),
        ..Ledger::default()
    }
}

/// Writes spans as `…inherited 0 vouched 23 gap…`: states, and the hours at which they change.
fn told(spans: &[Span]) -> String {
    let bound = |bound: Option<Timestamp>| {
        bound.map_or("…".to_owned(), |time| {
            ((time.millis() - hour(0).millis()) / HOUR).to_string()
        })
    };
    let mut text = String::new();
    for span in spans {
        text.extend([&bound(span.window.since), " ", span.state.as_str(), " "]);
    }
    text + &spans
        .last()
        .map_or(String::new(), |span| bound(span.window.until))
}

#[test]
fn every_stretch_between_walks_has_the_state_that_they_prove() {
    let cases: [(&str, Walks, &str); 16] = [
        ("nothing was ever proven", &[], "… gap …"),
        (
            "one walk speaks for what was there",
            &[('F', 0)],
            "… inherited -1 gap …",
        ),
        (
            "two walks vouch for what lies between, until rows may show late",
            &[('F', 0), ('F', 24)],
            "… inherited 0 vouched 23 gap …",
        ),
        (
            "a chain of walks has no seams",
            &[('F', 0), ('F', 24), ('F', 48)],
            "… inherited 0 vouched 47 gap …",
        ),
        (
            "just close enough",
            &[('F', 0), ('F', 36)],
            "… inherited 0 vouched 35 gap …",
        ),
        (
            "too far apart",
            &[('F', 0), ('F', 37)],
            "… inherited -1 gap 36 gap …",
        ),
        (
            "a gap in the middle begins before one walk and ends with the next",
            &[('F', 0), ('F', 24), ('F', 100), ('F', 124)],
            "… inherited 0 vouched 23 gap 100 vouched 123 gap …",
        ),
        (
            "incremental walks catch up with what follows the last full one",
            &[('F', 0), ('F', 24), ('i', 30), ('i', 36)],
            "… inherited 0 vouched 23 caught_up 35 gap …",
        ),
        (
            "catching up alone",
            &[('F', 0), ('i', 6)],
            "… inherited 0 caught_up 5 gap …",
        ),
        (
            "incremental walks between full ones add nothing",
            &[('F', 0), ('i', 6), ('i', 12), ('F', 24)],
            "… inherited 0 vouched 23 gap …",
        ),
        (
            "full walks too far apart, with others between: caught up only",
            &[('F', 0), ('i', 20), ('i', 40), ('F', 60), ('F', 84)],
            "… inherited 0 caught_up 60 vouched 83 gap …",
        ),
        (
            "incremental walks too far apart leave a gap as well",
            &[('F', 0), ('i', 20), ('i', 80), ('i', 90)],
            "… inherited 0 caught_up 19 gap 80 caught_up 89 gap …",
        ),
        (
            "an incremental walk before any full one proves nothing",
            &[('i', 0), ('F', 10)],
            "… inherited 9 gap …",
        ),
        (
            "walks closer than rows may show late",
            &[('F', 0), ('F', 0), ('F', 1)],
            "… inherited 0 gap …",
        ),
        (
            "a walk dated in the future does not hide those after it",
            &[('F', 0), ('F', 900), ('F', 24)],
            "… inherited 0 vouched 23 gap 899 gap …",
        ),
        (
            "a clock that stepped back leaves what it said in doubt",
            &[('F', 24), ('F', 0)],
            "… inherited -1 gap 23 gap …",
        ),
    ];
    for (what, walks, expected) in cases {
        let spans = cover(&ledger(walks), RULES, Window::default());
        assert_eq!(told(&spans), expected, "{what}");
    }
}

#[test]
fn nothing_happens_before_the_birth_of_an_instance_nor_after_its_end() {
    let cases: [(Walks, Option<i64>, Option<i64>, &str); 8] = [
        (
            &[('F', 0), ('F', 24)],
            Some(-9),
            None,
            "… before -9 inherited 0 vouched 23 gap …",
        ),
        (
            &[('F', 0), ('F', 24)],
            Some(12),
            None,
            "… before 12 vouched 23 gap …",
        ),
        (&[], Some(5), None, "… before 5 gap …"),
        (
            &[('F', 0), ('F', 24)],
            None,
            Some(48),
            "… inherited 0 vouched 23 gap 48 closed …",
        ),
        (
            &[('F', 0), ('F', 24)],
            None,
            Some(24),
            "… inherited 0 vouched 23 gap 24 closed …",
        ),
        // It was listed again.
        (
            &[('F', 0), ('F', 24)],
            None,
            Some(12),
            "… inherited 0 vouched 23 gap …",
        ),
        (&[], None, Some(3), "… gap 3 closed …"),
        (&[], Some(2), Some(3), "… before 2 gap 3 closed …"),
    ];
    for (walks, created, gone, expected) in cases {
        let ledger = Ledger {
            created: created.map(hour),
            gone: gone.map(hour),
            ..ledger(walks)
        };
        let spans = cover(&ledger, RULES, Window::default());
        assert_eq!(told(&spans), expected, "{walks:?} {created:?} {gone:?}");
    }
}

#[test]
fn a_gap_says_why_and_a_vouched_span_how_wide_its_meshes_are() {
    let whys = |ledger: &Ledger| -> Vec<_> {
        let spans = cover(ledger, RULES, Window::default());
        spans.iter().map(|span| (span.why, span.widest)).collect()
    };
    assert_eq!(whys(&Ledger::default()), [(Why::NeverProven, None)]);
    assert_eq!(
        whys(&ledger(&[
            ('F', 0),
            ('F', 10),
            ('F', 30),
            ('F', 99),
            ('F', 199)
        ])),
        [
            (Why::Clear, None),
            (Why::Clear, Some(20 * HOUR)),
            (Why::TooFarApart(100 * HOUR), None),
            (Why::NotSince, None)
        ]
    );
    assert_eq!(
        whys(&ledger(&[('F', 24), ('F', 0)])),
        [
            (Why::Clear, None),
            (Why::ClockWentBack, None),
            (Why::NotSince, None)
        ]
    );
    let gone = Ledger {
        gone: Some(hour(50)),
        ..ledger(&[('F', 0)])
    };
    assert_eq!(
        whys(&gone),
        [
            (Why::Clear, None),
            (Why::UntilGone, None),
            (Why::Clear, None)
        ]
    );
}

#[test]
fn a_period_is_cut_out_of_all_time() {
    let ledger = ledger(&[('F', 0), ('F', 24), ('F', 48), ('F', 200)]);
    let cases = [
        (Some(1), Some(20), "1 vouched 20"),
        (Some(-5), Some(20), "-5 inherited 0 vouched 20"),
        (Some(40), Some(60), "40 vouched 47 gap 60"),
        (Some(47), Some(60), "47 gap 60"),
        (Some(300), None, "300 gap …"),
        (None, Some(-3), "… inherited -3"),
        (Some(20), Some(20), ""),
        (Some(20), Some(10), ""),
    ];
    for (since, until, expected) in cases {
        let period = Window {
            since: since.map(hour),
            until: until.map(hour),
        };
        assert_eq!(told(&cover(&ledger, RULES, period)), expected);
    }
    // The width of the meshes is that of the period alone.
    let wide = self::ledger(&[('F', 0), ('F', 30), ('F', 31), ('F', 32)]);
    let period = Window {
        since: Some(hour(30)),
        until: Some(hour(31)),
    };
    assert_eq!(cover(&wide, RULES, period)[0].widest, Some(HOUR));
}

#[test]
fn several_instances_are_as_well_known_as_the_least_known_of_them() {
    let lane = |walks: &[(char, i64)], is_list| Lane {
        spans: cover(&ledger(walks), RULES, Window::default()),
        is_list,
    };
    let told = |lanes: &[Lane]| {
        let spans = overall(lanes);
        let told = spans.iter().map(|span| {
            let since = span
                .window
                .since
                .map(|time| (time.millis() - hour(0).millis()) / HOUR);
            (since, span.state, span.instances, span.lists)
        });
        told.collect::<Vec<_>>()
    };
    let (good, bad) = (
        lane(&[('F', 0), ('F', 24), ('F', 48)], false),
        lane(&[('F', 10), ('F', 100)], false),
    );
    assert_eq!(told(&[]), []);
    assert_eq!(
        told(std::slice::from_ref(&good)),
        [
            (None, State::Inherited, 1, 0),
            (Some(0), State::Vouched, 1, 0),
            (Some(47), State::Gap, 1, 0)
        ]
    );
    assert_eq!(
        told(&[good.clone(), bad, good.clone()]),
        [(None, State::Inherited, 3, 0), (Some(9), State::Gap, 3, 0)]
    );
    assert_eq!(
        told(&[good.clone(), lane(&[], true)]),
        [(None, State::Gap, 1, 1)]
    );
    let closed = Lane {
        spans: cover(
            &Ledger {
                gone: Some(hour(-99)),
                ..Ledger::default()
            },
            RULES,
            Window {
                since: Some(hour(0)),
                until: Some(hour(40)),
            },
        ),
        is_list: false,
    };
    assert_eq!(overall(&[closed]).len(), 1);
}

/// The state of one moment, asked of the rules as they are written and of nothing else.
fn naive(walks: &[Proven], rules: Rules, at: Timestamp) -> State {
    let sound = |one: &Proven, other: &Proven| {
        one.number < other.number && other.started.millis() - one.started.millis() <= rules.max_gap
    };
    // Between two such walks: from the beginning of the one to a settle before the beginning of the other. The end of a
    // chain is what counts, so a moment just before a walk belongs to the pair around it.
    let within = |state_of: &dyn Fn(&Proven, &Proven) -> bool, list: &[Proven]| {
        list.windows(2).any(|pair| {
            let late = pair[1].started.plus(-rules.settle);
            state_of(&pair[0], &pair[1]) && pair[0].started <= at && at < late
        })
    };
    let fulls: Vec<_> = walks.iter().filter(|walk| walk.is_full).copied().collect();
    if within(&sound, &fulls) {
        State::Vouched
    } else if within(&sound, walks) {
        State::CaughtUp
    } else {
        State::Gap
    }
}

proptest! {
    /// The stronger claims are made of no moment of which the plain rule makes none, but for the last minutes before a walk
    /// that is followed by another: there the pair of its neighbours answers.
    #[test]
    fn nothing_is_claimed_that_the_plain_rule_does_not_claim(
        walks in prop::collection::vec((0_i64..300, any::<bool>()), 1..12),
        at in -10_i64..310,
    ) {
        let mut walks: Vec<_> = walks;
        walks.sort_unstable();
        let proven: Vec<_> = walks
            .iter()
            .enumerate()
            .map(|(number, (hours, is_full))| Proven {
                number: i64::try_from(number).unwrap(),
                started: hour(*hours),
                is_full: number == 0 || *is_full,
            })
            .collect();
        let rules = Rules { max_gap: DAY, settle: HOUR };
        let ledger = Ledger { proven: proven.clone(), ..Ledger::default() };
        let spans = cover(&ledger, rules, Window::default());
        let at = hour(at).plus(MINUTE);
        let found = spans.iter().find(|span| {
            span.window.since.is_none_or(|since| since <= at) && span.window.until.is_none_or(|until| at < until)
        });
        let state = found.unwrap().state;
        let expected = naive(&proven, rules, at);
        let near_a_walk = proven.iter().any(|walk| {
            let early = walk.started.millis() - at.millis();
            (0..=rules.settle).contains(&early)
        });
        if !near_a_walk && state != State::Inherited {
            prop_assert_eq!(state, expected);
        }
        if near_a_walk && state < State::Inherited {
            // What is claimed just before a walk was claimed before that, or rests on a later pair that begins no later.
            let before = at.plus(-rules.settle);
            let sooner = naive(&proven, rules, before);
            let later = naive(&proven, rules, at.plus(rules.settle));
            prop_assert!(state >= sooner.min(later).min(expected), "{state:?} {sooner:?} {later:?}");
        }
        // Time has no holes and no overlaps.
        for pair in spans.windows(2) {
            prop_assert_eq!(pair[0].window.until, pair[1].window.since);
            prop_assert!(pair[0].window.since < pair[0].window.until);
            prop_assert!(!is_one(&pair[0], &pair[1]));
        }
        prop_assert!(spans[0].window.since.is_none() && spans[spans.len() - 1].window.until.is_none());
    }
}
