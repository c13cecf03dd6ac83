//! How long a token or a key lives, and when it is time for the next one.
//!
//! The clock of this machine may be years off, so it has no say where that can be helped: what is left of a life is taken
//! from the answer itself (the end that it names, less the moment at which the server says that it answered) and is then
//! measured by the monotonic clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::time::Timestamp;

/// How long before its end a credential is replaced. A request may take a minute, be repeated three times and be asked to
/// wait a minute before each; what it was sent with must still be good for the last of that. The clouds themselves hand
/// out an ECS's next keys ten minutes ahead.
const MARGIN: Duration = Duration::from_mins(10);

/// How much of a short life the margin may take, at most: one part in so many. Else a token for five minutes would be
/// replaced before every request.
const SHARE: u32 = 10;

/// How long the next attempt waits if the one ahead of time failed and the old credential still holds.
const PAUSE: Duration = Duration::from_mins(1);

/// The rest of a credential's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    renew_at: Instant,
    end: Instant,
}

/// Returns the margin of a token that lives this long.
pub(super) fn token_margin(life: Duration) -> Duration {
    MARGIN.min(life / SHARE)
}

/// Returns the margin of an ECS's keys: fixed, because the service decides when there are new ones.
pub(super) const fn keys_margin(_life: Duration) -> Duration {
    MARGIN
}

impl Life {
    /// Returns what is left of a life that ends at a moment of the server's clock, which says `date` now.
    ///
    /// There is nothing to measure if it is over already, or longer than clocks count.
    pub(super) fn until(
        end: Timestamp,
        date: Timestamp,
        now: Instant,
        margin: fn(Duration) -> Duration,
    ) -> Option<Self> {
        let millis = u64::try_from(end.millis().saturating_sub(date.millis())).ok()?;
        let life = Duration::from_millis(millis);
        let end = now.checked_add(life).filter(|end| *end > now)?;
        let renew_at = end.checked_sub(margin(life)).unwrap_or(now).max(now);
        Some(Self { renew_at, end })
    }

    /// Says whether it is time for the next one.
    pub(super) fn wants_renewal(self, now: Instant) -> bool {
        now >= self.renew_at
    }

    /// Says whether what it belongs to is of no more use.
    pub(super) fn is_over(self, now: Instant) -> bool {
        now >= self.end
    }

    /// Puts the next attempt off a little.
    pub(super) fn postpone(&mut self, now: Instant) {
        self.renew_at = now.checked_add(PAUSE).unwrap_or(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_upstream(text).unwrap()
    }

    #[test]
    fn a_token_is_replaced_ten_minutes_ahead_or_a_tenth_of_a_short_life() {
        let cases = [
            (86_400, 600),
            (6_000, 600),
            (3_600, 360),
            (300, 30),
            (10, 1),
        ];
        for (life, margin) in cases {
            let life = Duration::from_secs(life);
            assert_eq!(token_margin(life), Duration::from_secs(margin), "{life:?}");
            assert_eq!(keys_margin(life), Duration::from_mins(10));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_is_measured_from_the_servers_date_by_the_monotonic_clock() {
        let now = Instant::now();
        let (date, end) = (at("2026-11-23T20:00:00Z"), at("2026-11-23T21:00:00Z"));
        let mut life = Life::until(end, date, now, keys_margin).unwrap();
        let after = |minutes| now + Duration::from_mins(minutes);
        let states: Vec<_> = [0, 49, 50, 59, 60]
            .map(|minutes| {
                (
                    life.wants_renewal(after(minutes)),
                    life.is_over(after(minutes)),
                )
            })
            .to_vec();
        assert_eq!(
            states,
            [
                (false, false),
                (false, false),
                (true, false),
                (true, false),
                (true, true)
            ]
        );
        life.postpone(after(50));
        assert!(!life.wants_renewal(after(50)) && life.wants_renewal(after(51)));
        assert!(life.is_over(after(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_with_less_than_the_margin_left_are_asked_for_again_at_once() {
        let now = Instant::now();
        let (date, end) = (at("2026-11-23T20:55:00Z"), at("2026-11-23T21:00:00Z"));
        let life = Life::until(end, date, now, keys_margin).unwrap();
        assert!(life.wants_renewal(now) && !life.is_over(now));
        for over in [date, at("2001-01-01T00:00:00Z")] {
            assert_eq!(Life::until(over, date, now, keys_margin), None);
        }
    }
}
