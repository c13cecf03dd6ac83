//! The server's clock: the `Date` of its answers, carried on by a monotonic one, and this machine's where there is none.
//!
//! Every time of a walk comes from here, so a machine whose clock is years off, or steps during a run, still writes a
//! ledger in the upstream's time.

use std::cell::Cell;

use tokio::time::Instant;

use crate::model::time::Timestamp;

#[derive(Debug)]
pub(crate) struct ServerClock {
    wall: fn() -> Timestamp,
    begun: Instant,
    begun_at: Timestamp,
    anchor: Cell<Option<(Timestamp, Instant)>>,
}

impl ServerClock {
    pub(crate) fn new(wall: fn() -> Timestamp) -> Self {
        Self {
            wall,
            begun: Instant::now(),
            begun_at: wall(),
            anchor: Cell::new(None),
        }
    }

    /// Takes the `Date` of an answer.
    pub(crate) fn learn(&self, date: Option<Timestamp>) {
        if let Some(date) = date {
            self.anchor.set(Some((date, Instant::now())));
        }
    }

    /// Whether an answer has told the time yet.
    pub(crate) fn is_told(&self) -> bool {
        self.anchor.get().is_some()
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self.anchor.get() {
            Some((date, at)) => date.plus(millis(at.elapsed())),
            None => (self.wall)(),
        }
    }

    /// What this machine's clock shows, whatever the server told.
    pub(crate) fn machine(&self) -> Timestamp {
        (self.wall)()
    }

    /// When the run began, by the server's clock once it is known.
    pub(crate) fn began(&self) -> Timestamp {
        match self.anchor.get() {
            Some(_) => self.at(self.begun),
            None => self.begun_at,
        }
    }

    /// What the clock showed at a moment before the last answer.
    pub(crate) fn at(&self, moment: Instant) -> Timestamp {
        let (date, at) = self
            .anchor
            .get()
            .unwrap_or_else(|| ((self.wall)(), Instant::now()));
        date.plus(-millis(at.duration_since(moment)))
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn wall() -> Timestamp {
        Timestamp::EPOCH
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_date_counts_and_goes_on_by_itself() {
        let clock = ServerClock::new(wall);
        assert_eq!(clock.now(), Timestamp::EPOCH);
        assert_eq!(clock.began(), Timestamp::EPOCH);
        clock.learn(None);
        assert!(!clock.is_told());
        tokio::time::advance(Duration::from_secs(2)).await;
        let date = Timestamp::parse_upstream("2026-10-01T00:00:00Z").unwrap();
        clock.learn(Some(date));
        clock.learn(None);
        assert!(clock.is_told());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now(), date.plus(3_000));
        assert_eq!(clock.began(), date.plus(-2_000));
    }
}
