//! What a ledger vouches for: for every moment the one state that the walks of an instance prove, and no more.
//!
//! A walk shows the list as it was when the walk began, except for what shows late (`settle`). So a walk speaks for the time
//! up to `settle` before its beginning, and two walks speak for the time between them, as long as they are not further
//! apart than `max_gap`: a record that was created *and* deleted in between was shown to neither. A better state begins
//! with a walk, a worse one already `settle` before it, so that where two states meet the weaker one is claimed.

mod answer;
mod overall;
#[cfg(test)]
mod tests;

use super::time::{HOUR, MINUTE, Timestamp};

pub(crate) use answer::{Answer, Facts};
pub(crate) use overall::{Lane, Overall, overall};

/// Full walks are a day apart, and one may fail: half a day more is not yet a gap.
pub(crate) const MAX_GAP: i64 = 36 * HOUR;

/// How late a record may show in the list after the time that it bears.
pub(crate) const SETTLE: i64 = 15 * MINUTE;

/// What may be said of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The instance did not exist yet: nothing can have happened.
    Before,
    /// The instance was gone: nothing can have happened.
    Closed,
    /// Every record is here, except one that was created and deleted between two walks.
    Vouched,
    /// The same, short of a late old record that a deletion balanced.
    CaughtUp,
    /// What the upstream still had at the first walk is here; what was deleted before is unknowable.
    Inherited,
    /// Cannot know.
    Gap,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Closed => "closed",
            Self::Vouched => "vouched",
            Self::CaughtUp => "caught_up",
            Self::Inherited => "inherited",
            Self::Gap => "gap",
        }
    }
}

/// Why a stretch of time is not vouched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is, or its state says all.
    Clear,
    /// No full walk was ever proven.
    NeverProven,
    /// The walks around it are this many milliseconds apart, or more.
    TooFarApart(i64),
    /// The walks around it bear times against their order: some clock was wrong.
    ClockWentBack,
    /// No walk was proven since.
    NotSince,
    /// Nor until the instance was found gone.
    UntilGone,
}

/// How much time may lie between walks, and how late a record may show; both in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) max_gap: i64,
    pub(crate) settle: i64,
}

/// A proven walk, as far as it vouches for time. A backfill is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    /// Its place in the ledger: of two walks the greater one came later, whatever the clocks say.
    pub(crate) number: i64,
    pub(crate) started: Timestamp,
    pub(crate) is_full: bool,
}

/// What is known of the reading of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// In any order.
    pub(crate) proven: Vec<Proven>,
    /// When the instance was created, where a proven list told.
    pub(crate) created: Option<Timestamp>,
    /// When it was found gone.
    pub(crate) gone: Option<Timestamp>,
}

/// A period: the first bound belongs to it, the second does not; an absent one is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl Window {
    /// How long it is, in milliseconds; nothing without both bounds.
    pub(crate) fn length(&self) -> Option<i64> {
        Some(self.until?.distance(self.since?))
    }
}

/// A stretch of time in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) window: Window,
    pub(crate) state: State,
    pub(crate) why: Why,
    /// Of a vouched or caught-up one: the widest interval between two walks in it, in which a record may have been created
    /// and deleted unseen; in milliseconds.
    pub(crate) widest: Option<i64>,
}

/// Returns the states of a period: spans in the order of time, without a hole, equal neighbours merged.
///
/// A period in which nothing lies has no spans.
pub(crate) fn cover(ledger: &Ledger, rules: Rules, period: Window) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::new();
    for span in pieces(ledger, rules) {
        let Some(window) = common(span.window, period) else {
            continue;
        };
        let span = Span { window, ..span };
        match merged.last_mut() {
            Some(last) if is_one(last, &span) => {
                last.window.until = span.window.until;
                last.widest = last.widest.max(span.widest);
                last.why = farther(last.why, span.why);
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// Says whether two neighbours are one span for a reader: the same state for the same kind of reason.
fn is_one(one: &Span, other: &Span) -> bool {
    one.state == other.state
        && std::mem::discriminant(&one.why) == std::mem::discriminant(&other.why)
}

fn farther(one: Why, other: Why) -> Why {
    match (one, other) {
        (Why::TooFarApart(one), Why::TooFarApart(other)) => Why::TooFarApart(one.max(other)),
        _ => one,
    }
}

/// Returns what two periods have in common, if that is more than nothing.
fn common(one: Window, other: Window) -> Option<Window> {
    let since = one.since.max(other.since);
    let until = match (one.until, other.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (bound, None) | (None, bound) => bound,
    };
    let is_empty = since
        .zip(until)
        .is_some_and(|(since, until)| since >= until);
    (!is_empty).then_some(Window { since, until })
}

/// Cuts the whole of time at the walks, and at the birth and the end of the instance.
fn pieces(ledger: &Ledger, rules: Rules) -> Vec<Span> {
    let mut spans = between_walks(&walks(ledger), rules);
    let last = ledger.proven.iter().map(|walk| walk.started).max();
    // One that was read again after it was found gone is not gone.
    let gone = ledger
        .gone
        .filter(|gone| last.is_none_or(|last| last <= *gone));
    if let Some(gone) = gone {
        overlay(&mut spans, from(gone), State::Closed);
        for span in &mut spans {
            if span.why == Why::NotSince {
                span.why = Why::UntilGone;
            }
        }
    }
    if let Some(created) = ledger.created {
        overlay(&mut spans, until(created), State::Before);
    }
    spans
}

/// Returns the proven walks from the first full one on, in the order of their times.
fn walks(ledger: &Ledger) -> Vec<Proven> {
    let mut walks = ledger.proven.clone();
    walks.sort_unstable_by_key(|walk| (walk.started, walk.number));
    let first = walks.iter().position(|walk| walk.is_full);
    walks.split_off(first.unwrap_or(walks.len()))
}

/// Returns a span before the first walk, one between each two, and one after the last.
fn between_walks(walks: &[Proven], rules: Rules) -> Vec<Span> {
    let (Some(first), Some(last)) = (walks.first(), walks.last()) else {
        return vec![claim(State::Gap, Why::NeverProven)];
    };
    let next_full = next_full(walks);
    let mut last_full = *first;
    let mut spans = vec![claim(State::Inherited, Why::Clear)];
    for (pair, next_full) in walks.windows(2).zip(next_full) {
        if pair[0].is_full {
            last_full = pair[0];
        }
        let span = between(pair[0], pair[1], (last_full, next_full), rules);
        begin(&mut spans, span, pair[0].started, rules);
    }
    let open = claim(State::Gap, Why::NotSince);
    begin(&mut spans, open, last.started, rules);
    spans
}

/// Returns for each walk the first full one after it.
fn next_full(walks: &[Proven]) -> Vec<Option<Proven>> {
    let mut next = None;
    let mut found: Vec<_> = walks
        .iter()
        .rev()
        .map(|walk| {
            let after = next;
            if walk.is_full {
                next = Some(*walk);
            }
            after
        })
        .collect();
    found.reverse();
    found
}

/// What may be said of the time between two walks that follow each other, given the full ones around them.
fn between(
    one: Proven,
    other: Proven,
    (last_full, next_full): (Proven, Option<Proven>),
    rules: Rules,
) -> Span {
    let apart = one.started.distance(other.started);
    let is_sound = |one: Proven, other: Proven| {
        one.number < other.number && one.started.distance(other.started) <= rules.max_gap
    };
    let mut span = if next_full.is_some_and(|next_full| is_sound(last_full, next_full)) {
        claim(State::Vouched, Why::Clear)
    } else if is_sound(one, other) {
        claim(State::CaughtUp, Why::Clear)
    } else if one.number < other.number {
        return claim(State::Gap, Why::TooFarApart(apart));
    } else {
        return claim(State::Gap, Why::ClockWentBack);
    };
    span.widest = Some(apart);
    span
}

/// A state that holds for all time, until it is cut.
const fn claim(state: State, why: Why) -> Span {
    Span {
        window: Window {
            since: None,
            until: None,
        },
        state,
        why,
        widest: None,
    }
}

/// Ends the last span at a walk and begins the next one there: at the walk itself if the next state is the stronger
/// claim, else as much before it as a record may show late.
fn begin(spans: &mut Vec<Span>, mut next: Span, walk: Timestamp, rules: Rules) {
    let Some(last) = spans.last_mut() else { return };
    let border = if next.state < last.state {
        walk
    } else {
        walk.plus(rules.settle.saturating_neg())
    };
    let border = last.window.since.map_or(border, |since| border.max(since));
    last.window.until = Some(border);
    next.window.since = Some(border);
    spans.push(next);
}

/// Lets a state that is certain hold in a window that has one bound, whatever was there.
fn overlay(spans: &mut Vec<Span>, window: Window, state: State) {
    let rest = match window {
        Window {
            since: None,
            until: Some(border),
        } => from(border),
        Window { since, .. } => Window {
            since: None,
            until: since,
        },
    };
    let kept = spans.iter().filter_map(|span| {
        let window = common(span.window, rest)?;
        Some(Span { window, ..*span })
    });
    let mut all: Vec<_> = kept.collect();
    let certain = Span {
        window,
        ..claim(state, Why::Clear)
    };
    let place = if window.since.is_none() { 0 } else { all.len() };
    all.insert(place, certain);
    *spans = all;
}

const fn from(since: Timestamp) -> Window {
    Window {
        since: Some(since),
        until: None,
    }
}

const fn until(until: Timestamp) -> Window {
    Window {
        since: None,
        until: Some(until),
    }
}
