//! How sure a value is: what the ledger vouches for between the task that set it and the moment asked for.

use crate::model::coverage::{Span, State, Why};
use crate::model::time::Timestamp;

/// How sure a value is, and why not more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Nothing can have changed it unseen, except what was created and deleted between two walks.
    Vouched,
    /// The same, short of a late old record that a deletion balanced.
    CaughtUp,
    /// It was so up to the time that is named; nothing was proven since.
    AsOf,
    /// It was set before the first proven walk, by when later changes may have been deleted.
    Inherited,
    /// Nothing vouches for some of the time since: a change may be missing.
    Gap,
    /// A later task, or the list of instances, says otherwise.
    Contradicted,
    /// No task set it; a task that changed it, or tried to, says what it found.
    Inferred,
    /// No task tells it; the list of instances does.
    Listed,
    /// A task that was under way is to set it.
    Pending,
    Unknown,
}

impl Certainty {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Vouched => "vouched",
            Self::CaughtUp => "caught_up",
            Self::AsOf => "as_of",
            Self::Inherited => "inherited",
            Self::Gap => "gap",
            Self::Contradicted => "contradicted",
            Self::Inferred => "inferred",
            Self::Listed => "listed",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
        }
    }
}

/// What the ledger says of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sure {
    pub(super) certainty: Certainty,
    pub(super) as_of: Option<Timestamp>,
    pub(super) note: Option<String>,
}

/// Says how sure a value is at a moment that was set at another. The spans cover all time up to the moment.
///
/// The stretch behind the last proven walk is told apart from a gap within: before it the value is as sure as ever.
pub(super) fn of(spans: &[Span], since: Timestamp, at: Timestamp) -> Sure {
    let last = spans
        .last()
        .filter(|span| span.state == State::Gap && span.why == Why::NotSince);
    let proven_until = last.and_then(|span| span.window.since);
    let until = proven_until.map_or(at, |proven| proven.min(at));
    let touches = |span: &&Span| {
        let begins = span.window.since.is_none_or(|begins| begins < until);
        let ends = span.window.until.is_none_or(|ends| ends > since);
        since < until && begins && ends
    };
    let weakest = spans.iter().filter(touches).max_by_key(|span| span.state);
    let is_open = until < at;
    let state = weakest.map(|span| span.state);
    let (certainty, note) = match (state, weakest) {
        (Some(State::Gap), Some(gap)) => {
            let (begins, ends) = (gap.window.since.max(Some(since)), gap.window.until);
            let note = match (begins, ends) {
                (Some(begins), Some(ends)) if ends < until => {
                    format!("nothing vouches for {begins} to {ends}")
                }
                (Some(begins), _) => format!("nothing vouches for the time since {begins}"),
                (None, _) => "nothing vouches for any time".to_owned(),
            };
            (Certainty::Gap, Some(note))
        }
        (Some(State::Inherited), Some(span)) => {
            let proven = span
                .window
                .until
                .map(|until| until.to_string())
                .unwrap_or_default();
            let note =
                format!("what was deleted before the first proven walk, {proven}, is unknown");
            (Certainty::Inherited, Some(note))
        }
        _ if is_open => (Certainty::AsOf, None),
        (Some(State::CaughtUp), _) => (Certainty::CaughtUp, None),
        _ if spans.is_empty() => (Certainty::Gap, Some("no list was ever proven".to_owned())),
        _ => (Certainty::Vouched, None),
    };
    Sure {
        certainty,
        // Across a gap it holds for no time but its own.
        as_of: (is_open && certainty != Certainty::Gap).then_some(until.max(since)),
        note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coverage::{Ledger, Proven, Rules, Window, cover};
    use crate::model::time::HOUR;
    use crate::report::state::tests::at;

    /// The spans of an instance whose list was proven at these hours, fully or not, up to an hour.
    fn spans(walks: &[(i64, bool)], until: i64, gone: Option<i64>) -> Vec<Span> {
        let proven = (1..).zip(walks).map(|(number, (hour, is_full))| Proven {
            number,
            started: at(hour * 60),
            is_full: *is_full,
        });
        let ledger = Ledger {
            proven: proven.collect(),
            created: None,
            gone: gone.map(|hour| at(hour * 60)),
        };
        let rules = Rules {
            max_gap: 36 * HOUR,
            settle: HOUR,
        };
        let window = Window {
            since: None,
            until: Some(at(until * 60)),
        };
        cover(&ledger, rules, window)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn a_value_is_as_sure_as_the_weakest_time_since_it_was_set() {
        let daily: &[(i64, bool)] = &[(0, true), (24, true), (48, true)];
        let caught: &[(i64, bool)] = &[(0, true), (24, true), (30, false), (36, false)];
        let holed: &[(i64, bool)] = &[(0, true), (24, true), (124, true), (148, true)];
        // Walks, gone; when it was set, the moment; how sure, and as of when.
        let cases = [
            (
                "between proven walks",
                daily,
                None,
                5,
                40,
                Certainty::Vouched,
                None,
            ),
            (
                "after the last",
                daily,
                None,
                5,
                60,
                Certainty::AsOf,
                Some(47),
            ),
            (
                "set after the last",
                daily,
                None,
                50,
                60,
                Certainty::AsOf,
                Some(50),
            ),
            (
                "only caught up",
                caught,
                None,
                5,
                34,
                Certainty::CaughtUp,
                None,
            ),
            (
                "caught up, and after",
                caught,
                None,
                5,
                60,
                Certainty::AsOf,
                Some(35),
            ),
            (
                "before the first walk",
                daily,
                None,
                -5,
                40,
                Certainty::Inherited,
                None,
            ),
            ("across a gap", holed, None, 5, 140, Certainty::Gap, None),
            (
                "across a gap, and after",
                holed,
                None,
                5,
                200,
                Certainty::Gap,
                None,
            ),
            (
                "after the gap",
                holed,
                None,
                130,
                140,
                Certainty::Vouched,
                None,
            ),
            (
                "before the gap",
                holed,
                None,
                5,
                20,
                Certainty::Vouched,
                None,
            ),
            ("never proven", &[], None, 5, 20, Certainty::Gap, None),
            (
                "set at the moment",
                daily,
                None,
                20,
                20,
                Certainty::Vouched,
                None,
            ),
            (
                "until it was gone",
                daily,
                Some(60),
                5,
                100,
                Certainty::Gap,
                None,
            ),
        ];
        for (name, walks, gone, set, moment, certainty, as_of) in cases {
            let spans = spans(walks, moment, gone);
            let sure = of(&spans, at(set * 60), at(moment * 60));
            assert_eq!(sure.certainty, certainty, "{name}: {spans:?}");
            assert_eq!(sure.as_of, as_of.map(|hour: i64| at(hour * 60)), "{name}");
        }
    }

    #[test]
    fn what_is_not_vouched_for_is_named() {
        let holed = spans(
            &[(0, true), (24, true), (124, true), (148, true)],
            140,
            None,
        );
        let note = |set: i64, moment: i64| of(&holed, at(set * 60), at(moment * 60)).note.unwrap();
        assert_eq!(
            note(1, 140),
            format!("nothing vouches for {} to {}", at(23 * 60), at(124 * 60))
        );
        assert_eq!(
            note(50, 100),
            format!("nothing vouches for the time since {}", at(50 * 60))
        );
        let inherited = note(-1, 1);
        assert!(
            inherited.contains(&format!("first proven walk, {}", at(0))),
            "{inherited}"
        );
    }
}
