//! The answer to "was there none?": proven, found, or unknowable. An empty archive never says "none".

use super::{Overall, State};

/// What may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    ProvenNone,
    Found,
    CannotKnow,
}

impl Answer {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ProvenNone => "proven_none",
            Self::Found => "found",
            Self::CannotKnow => "cannot_know",
        }
    }
}

/// What is known of a question about a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts<'a> {
    /// Tasks that match.
    pub(crate) found: u32,
    /// What may be said of the period, of all instances asked for together; none without an instance.
    pub(crate) all: &'a [Overall],
    /// A span that is caught up counts as vouched for.
    pub(crate) accept_caught_up: bool,
    /// Records that could not be read: any of them may be a task that matches.
    pub(crate) rejected: u32,
    /// Tasks without a readable time that match otherwise: they may belong to the period.
    pub(crate) undated: u32,
    /// Open tasks that match but for what may still change.
    pub(crate) open: u32,
}

impl Facts<'_> {
    pub(crate) fn answer(&self) -> Answer {
        let is_doubtful = self.rejected > 0 || self.undated > 0 || self.open > 0;
        if self.found > 0 {
            Answer::Found
        } else if is_doubtful
            || self.all.is_empty()
            || self.all.iter().any(|span| !self.says(span.state))
        {
            Answer::CannotKnow
        } else {
            Answer::ProvenNone
        }
    }

    /// Says whether nothing can have happened unseen in this state.
    pub(crate) const fn says(&self, state: State) -> bool {
        match state {
            State::Before | State::Closed | State::Vouched => true,
            State::CaughtUp => self.accept_caught_up,
            State::Inherited | State::Gap => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coverage::Window;

    #[test]
    fn none_is_proven_only_where_every_moment_is_vouched_for_and_nothing_is_in_doubt() {
        use State::{Before, CaughtUp, Closed, Gap, Inherited, Vouched};
        let facts = Facts::default;
        let doubts = [
            Facts {
                rejected: 1,
                ..facts()
            },
            Facts {
                undated: 1,
                ..facts()
            },
            Facts { open: 1, ..facts() },
        ];
        let cases: [(&[State], Facts<'_>, Answer); 12] = [
            (&[Vouched], facts(), Answer::ProvenNone),
            (&[Before, Vouched, Closed], facts(), Answer::ProvenNone),
            (&[], facts(), Answer::CannotKnow),
            (&[Vouched, CaughtUp], facts(), Answer::CannotKnow),
            (
                &[Vouched, CaughtUp],
                Facts {
                    accept_caught_up: true,
                    ..facts()
                },
                Answer::ProvenNone,
            ),
            (
                &[Vouched, Gap],
                Facts {
                    accept_caught_up: true,
                    ..facts()
                },
                Answer::CannotKnow,
            ),
            (&[Inherited, Vouched], facts(), Answer::CannotKnow),
            (&[Vouched], doubts[0].clone(), Answer::CannotKnow),
            (&[Vouched], doubts[1].clone(), Answer::CannotKnow),
            (&[Vouched], doubts[2].clone(), Answer::CannotKnow),
            (
                &[Gap],
                Facts {
                    found: 1,
                    ..facts()
                },
                Answer::Found,
            ),
            (
                &[],
                Facts {
                    found: 1,
                    rejected: 1,
                    ..facts()
                },
                Answer::Found,
            ),
        ];
        for (states, facts, expected) in cases {
            let all: Vec<_> = states
                .iter()
                .map(|state| Overall {
                    window: Window::default(),
                    state: *state,
                    instances: 1,
                    lists: 0,
                    widest: None,
                })
                .collect();
            let facts = Facts { all: &all, ..facts };
            assert_eq!(facts.answer(), expected, "{states:?} {facts:?}");
        }
    }
}
