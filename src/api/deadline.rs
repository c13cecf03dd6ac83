//! The end of a run: no request and no wait outlasts it.

use std::time::Duration;

use tokio::time::Instant;

use super::error::{ErrorKind, Failure};

/// The moment at which a run stops asking, by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    limit: Duration,
    /// None is further away than clocks count.
    at: Option<Instant>,
}

impl Deadline {
    /// Starts a run's time now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self {
            limit,
            at: Instant::now().checked_add(limit),
        }
    }

    /// Runs something that must not outlast the run.
    pub(super) async fn guard<T>(self, work: impl Future<Output = T>) -> Result<T, Box<Failure>> {
        let Some(at) = self.at else {
            return Ok(work.await);
        };
        tokio::time::timeout_at(at, work)
            .await
            .map_err(|_| self.passed())
    }

    /// Waits, unless the wait would end after the run.
    pub(super) async fn wait(self, wait: Duration) -> Result<(), Box<Failure>> {
        let until = Instant::now().checked_add(wait);
        if self
            .at
            .is_some_and(|at| until.is_none_or(|until| until >= at))
        {
            return Err(self.passed());
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn passed(self) -> Box<Failure> {
        Failure::new(ErrorKind::Deadline { limit: self.limit })
    }
}
