//! Several instances as one: at every moment the weakest of their states.

use super::{Span, State, Timestamp, Window};

/// The spans of one list, over the same period as those of every other lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) spans: Vec<Span>,
    /// The list of a project's instances: while it is not vouched for, there may be instances that nobody knows.
    pub(crate) is_list: bool,
}

/// A stretch of time in the weakest of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overall {
    pub(crate) window: Window,
    pub(crate) state: State,
    /// How many instances, and how many lists of instances, are in that state; the most at any moment of it.
    pub(crate) instances: usize,
    pub(crate) lists: usize,
    pub(crate) widest: Option<i64>,
}

/// Returns what may be said of all lanes together: spans in the order of time, equal neighbours merged.
pub(crate) fn overall(lanes: &[Lane]) -> Vec<Overall> {
    let mut borders: Vec<Option<Timestamp>> = lanes
        .iter()
        .flat_map(|lane| lane.spans.iter().map(|span| span.window.since))
        .collect();
    borders.sort_unstable();
    borders.dedup();
    let end = lanes
        .iter()
        .find_map(|lane| lane.spans.last())
        .and_then(|span| span.window.until);
    let mut places = vec![0; lanes.len()];
    let mut merged: Vec<Overall> = Vec::new();
    for (number, since) in borders.iter().enumerate() {
        let until = borders.get(number + 1).copied().unwrap_or(end);
        let at = moment(lanes, &mut places, *since);
        let Some(at) = at.map(|at| Overall {
            window: Window {
                since: *since,
                until,
            },
            ..at
        }) else {
            continue;
        };
        match merged.last_mut() {
            Some(last) if last.state == at.state => {
                last.window.until = at.window.until;
                last.instances = last.instances.max(at.instances);
                last.lists = last.lists.max(at.lists);
                last.widest = last.widest.max(at.widest);
            }
            _ => merged.push(at),
        }
    }
    merged
}

/// Returns the weakest state at a moment; `places` is where each lane's reading stands, and moves on.
fn moment(lanes: &[Lane], places: &mut [usize], moment: Option<Timestamp>) -> Option<Overall> {
    let mut weakest: Option<Overall> = None;
    for (lane, place) in lanes.iter().zip(places) {
        while lane
            .spans
            .get(*place + 1)
            .is_some_and(|next| next.window.since <= moment)
        {
            *place += 1;
        }
        let Some(span) = lane.spans.get(*place) else {
            continue;
        };
        let (instances, lists) = if lane.is_list { (0, 1) } else { (1, 0) };
        match &mut weakest {
            Some(known) if known.state > span.state => {}
            Some(known) if known.state == span.state => {
                known.instances += instances;
                known.lists += lists;
                known.widest = known.widest.max(span.widest);
            }
            _ => {
                weakest = Some(Overall {
                    window: span.window,
                    state: span.state,
                    instances,
                    lists,
                    widest: span.widest,
                });
            }
        }
    }
    weakest
}
