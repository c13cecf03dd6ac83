//! What a run may spend: its time, its retries, its patience with the other end.
//!
//! One purse is shared by every request of a run, to whichever service it goes, so that a cloud in trouble costs a run its
//! budget once and not once for each door that it knocks on.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::Url;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{
    deadline::Deadline,
    error::Failure,
    retry::{self, Budget, Rules, Step, Stop, Tally},
};

/// A retry that is about to happen, for whoever shows what is going on.
#[derive(Debug)]
pub(crate) struct Retrying<'a> {
    pub(crate) url: &'a str,
    /// What happened, as it would read in an error; holds no secret.
    pub(crate) why: String,
    pub(crate) wait: Duration,
    /// How many requests were sent for this so far.
    pub(crate) attempts: u32,
}

pub(super) type Observer = Box<dyn Fn(&Retrying<'_>) + Send + Sync>;

pub(super) struct Purse {
    rules: Rules,
    pub(super) deadline: Deadline,
    budget: Mutex<Budget>,
    random: SystemRandom,
    observer: Observer,
}

/// How asking again is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// At once: a connection had been dropped while it was idle.
    Free,
    /// After a wait, as a retry.
    Retry,
}

impl Purse {
    pub(super) fn new(rules: Rules, deadline: Deadline) -> Self {
        Self {
            rules,
            deadline,
            budget: Mutex::new(Budget::full()),
            random: SystemRandom::new(),
            observer: Box::new(|_| ()),
        }
    }

    /// Tells a function about every retry before its wait.
    pub(super) fn observe(&mut self, observer: Observer) {
        self.observer = observer;
    }

    /// Notes a request that succeeded.
    pub(super) fn earn(&self) {
        self.with_budget(Budget::earn);
    }

    /// Does what the schedule says after a failure: gives up, or returns when the next attempt is due.
    ///
    /// `warm` says that the connection may have been an old one; `attempts` is how often this was asked so far.
    pub(super) async fn before_next(
        &self,
        url: &Url,
        failure: Box<Failure>,
        warm: bool,
        attempts: u32,
        tally: &mut Tally,
    ) -> Result<Again, (Box<Failure>, Stop)> {
        let (class, asked, random) = (failure.class(), failure.asked, self.random());
        let step = self.with_budget(|budget| {
            retry::next(class, asked, warm, tally, self.rules, budget, random)
        });
        match step {
            Step::Repeat => Ok(Again::Free),
            Step::Stop(stop) => Err((failure, stop)),
            Step::Retry(wait) => {
                (self.observer)(&Retrying {
                    url: url.as_str(),
                    why: failure.to_string(),
                    wait,
                    attempts,
                });
                self.deadline.wait(wait).await.map_err(|mut passed| {
                    // What the run was waiting for says more than that its time is over.
                    passed.source = Some(failure.to_string().into());
                    (passed, Stop::Final)
                })?;
                Ok(Again::Retry)
            }
        }
    }

    fn with_budget<T>(&self, work: impl FnOnce(&mut Budget) -> T) -> T {
        // A number that is off by one retry is no reason to stop a run.
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut budget)
    }

    /// Returns a number from 0 to 1; without a source of chance, 1: everybody waits, the longest.
    fn random(&self) -> f64 {
        let mut bytes = [0; 4];
        match self.random.fill(&mut bytes) {
            Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
            Err(_) => 1.0,
        }
    }
}
