//! How many requests are on their way at once: at most what was asked for, fewer once the server says that it is too much.
//!
//! The first request of a run goes alone: a credential that is refused must not be sent eight times over, which can lock
//! it. A 429 halves the limit, once for all requests that were under way together; a row of answers raises it again by
//! one. The decisions are [`Flow`]'s, without a clock and without waiting.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The limit, as it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flow {
    most: u32,
    limit: u32,
    /// Nothing has been answered yet.
    first: bool,
    /// Answers since the limit last moved.
    row: u32,
    /// Counts the reductions: a request that began before one says nothing new by a 429.
    era: u32,
}

impl Flow {
    const fn new(most: u32) -> Self {
        Self {
            most,
            limit: 1,
            first: true,
            row: 0,
            era: 0,
        }
    }

    fn answered(&mut self) {
        if self.first {
            (self.first, self.limit) = (false, self.most);
            return;
        }
        self.row += 1;
        if self.limit < self.most && self.row >= self.limit {
            (self.limit, self.row) = (self.limit + 1, 0);
        }
    }

    fn throttled(&mut self, era: u32) {
        if era == self.era {
            self.limit = (self.limit / 2).max(1);
            self.row = 0;
            self.era += 1;
        }
    }
}

/// The gate that every attempt of a request passes.
#[derive(Debug)]
pub(super) struct Gate {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    flow: Flow,
    /// The permits that exist, free or not. Where they are more than the limit, those that come back are dropped.
    permits: u32,
}

/// A place among the requests under way; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    permit: Option<SemaphorePermit<'a>>,
    era: u32,
}

impl Gate {
    pub(super) fn new(most: u32) -> Self {
        Self {
            permits: Semaphore::new(1),
            state: Mutex::new(State {
                flow: Flow::new(most.max(1)),
                permits: 1,
            }),
        }
    }

    pub(super) async fn enter(&self) -> Pass<'_> {
        // The semaphore is never closed; without it nothing would be held back, and everything still be right.
        let permit = self.permits.acquire().await.ok();
        let era = self.state().flow.era;
        Pass {
            gate: self,
            permit,
            era,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The request was answered.
    pub(super) fn answered(self) {
        self.gate.state().flow.answered();
    }

    /// The server says that it is asked too often.
    pub(super) fn throttled(&self) {
        self.gate.state().flow.throttled(self.era);
    }

    /// Says whether nothing has been answered yet: then the pass is kept while its request waits to be repeated, so that
    /// nobody else tries what may be dead.
    pub(super) fn is_first(&self) -> bool {
        self.gate.state().flow.first
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if state.permits > state.flow.limit {
            state.permits -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        } else if state.permits < state.flow.limit {
            let more = state.flow.limit - state.permits;
            state.permits += more;
            self.gate
                .permits
                .add_permits(usize::try_from(more).unwrap_or(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_opens_with_the_first_answer_and_closes_by_halves() {
        let mut flow = Flow::new(8);
        assert_eq!(flow.limit, 1);
        flow.answered();
        assert_eq!(flow.limit, 8);
        let era = flow.era;
        for _ in 0..5 {
            flow.throttled(era);
        }
        assert_eq!(flow.limit, 4, "requests of one moment halve it once");
        for limit in [2, 1, 1] {
            flow.throttled(flow.era);
            assert_eq!(flow.limit, limit);
        }
        let mut answers = 0;
        while flow.limit < 8 {
            flow.answered();
            answers += 1;
        }
        assert_eq!(answers, 1 + 2 + 3 + 4 + 5 + 6 + 7);
        flow.answered();
        assert_eq!(flow.limit, 8);
    }

    #[tokio::test]
    async fn as_many_are_let_in_as_the_limit_says() {
        let gate = Gate::new(4);
        let alone = gate.enter().await;
        assert_eq!(gate.permits.available_permits(), 0);
        alone.answered();
        let (one, two) = (gate.enter().await, gate.enter().await);
        assert_eq!(gate.permits.available_permits(), 2);
        one.throttled();
        drop(one);
        assert_eq!(gate.permits.available_permits(), 2);
        two.throttled();
        drop(two);
        assert_eq!(gate.permits.available_permits(), 2);
        let third = gate.enter().await;
        drop(third);
        assert_eq!(gate.permits.available_permits(), 2, "two at a time");
    }

    #[tokio::test]
    async fn a_failure_keeps_the_first_request_alone() {
        let gate = Gate::new(4);
        let first = gate.enter().await;
        assert!(first.is_first());
        drop(first);
        assert_eq!(gate.permits.available_permits(), 1);
    }
}
