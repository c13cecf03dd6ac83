//! Whether a request is asked again, and when: a pure schedule.
//!
//! What happened is put into a [`Class`] where it arises; [`next`] decides by the class, by how often this request has
//! failed, and by what the whole run may still spend. No clock, no sleep and no random number is in here, so all of it is
//! tested as tables.

use std::time::Duration;

use crate::model::time::Timestamp;

use super::http_date;

/// The longest wait of our own choice: beyond it a person would rather know. From the settings in the fault catalogue.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The longest wait that a server may ask of us; beyond it the next run of cron is the better retry.
const LONGEST_ASKED: Duration = Duration::from_mins(1);

/// How often an answer that makes no sense is asked for again: once for a hiccup, once more for a second server behind
/// the same name; a third would only repeat a captive portal.
const MALFORMED_RETRIES: u32 = 2;

/// What a failure is, as far as asking again goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Asking again gets the same answer, or does harm.
    Never,
    /// It may well work the next time.
    Transient,
    /// The connection ended before an answer began.
    Closed,
    /// The answer came whole and is not what the API promises.
    Malformed,
}

/// Puts a status into its class. Success is not a failure and does not come here, except as a body that makes no sense.
pub(super) const fn class_of_status(status: u16) -> Class {
    match status {
        // 408 is a proxy that lost patience while the request was on its way.
        408 | 429 | 500 | 502 | 503 | 504 => Class::Transient,
        200..=299 => Class::Malformed,
        _ => Class::Never,
    }
}

/// What a server said about when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing, or nothing that makes sense.
    Nothing,
    /// After so long.
    Wait(Duration),
    /// After longer than a run waits.
    TooLong(Duration),
}

/// Reads `Retry-After`: seconds, or a date, which is measured from the server's own clock.
///
/// Without that clock a date says nothing: ours may be years off.
pub(super) fn retry_after(header: &str, server_date: Option<Timestamp>) -> Asked {
    let header = header.trim();
    let wait = if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still "too long".
        Duration::from_secs(header.parse().unwrap_or(u64::MAX))
    } else {
        let (Some(until), Some(date)) = (http_date::parse(header), server_date) else {
            return Asked::Nothing;
        };
        let millis = until.millis().saturating_sub(date.millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    };
    if wait > LONGEST_ASKED {
        Asked::TooLong(wait)
    } else {
        Asked::Wait(wait)
    }
}

/// Returns the wait before a retry: anything up to base × 2^retry, so that many clients do not come back together.
pub(super) fn wait(retry: u32, base: Duration, random: f64) -> Duration {
    let ceiling = base
        .saturating_mul(2_u32.saturating_pow(retry))
        .min(LONGEST_WAIT);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// What all requests of a run together may spend on retries.
///
/// botocore's quota: a retry costs five units of 500, a success gives one back. A cloud in trouble is asked a hundred
/// times too often and no more, while a long run earns what its size needs.
#[derive(Debug)]
pub(super) struct Budget {
    units: u32,
}

impl Budget {
    const CAPACITY: u32 = 500;
    const RETRY: u32 = 5;
    const SUCCESS: u32 = 1;

    pub(super) const fn full() -> Self {
        Self {
            units: Self::CAPACITY,
        }
    }

    /// Pays for a retry, if there is enough left.
    fn spend(&mut self) -> bool {
        let left = self.units.checked_sub(Self::RETRY);
        self.units = left.unwrap_or(self.units);
        left.is_some()
    }

    /// Notes a request that succeeded.
    pub(super) fn earn(&mut self) {
        self.units = (self.units + Self::SUCCESS).min(Self::CAPACITY);
    }
}

/// How one request has fared so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Retries that were counted, of any kind.
    pub(super) retries: u32,
    /// Of these, the ones after an answer that made no sense.
    malformed: u32,
    /// Whether the one free repetition after an idle connection was used.
    repeated: bool,
}

/// The rules that hold for a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) retries: u32,
    pub(super) base: Duration,
}

/// Why a request is not asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It would not help.
    Final,
    /// It was asked as often as the settings allow.
    Attempts,
    /// The whole run has spent its retries.
    Budget,
    /// The server asks for a longer wait than a run makes.
    AskedToWait,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask again at once, for free: an idle connection had been dropped.
    Repeat,
    /// Ask again after a wait.
    Retry(Duration),
    Stop(Stop),
}

/// Decides what to do after a failure, and books it.
///
/// `warm` says that this run has had an answer before, so that the connection may have been an old one.
pub(super) fn next(
    class: Class,
    asked: Asked,
    warm: bool,
    tally: &mut Tally,
    rules: Rules,
    budget: &mut Budget,
    random: f64,
) -> Step {
    if class == Class::Never {
        return Step::Stop(Stop::Final);
    }
    if let Asked::TooLong(_) = asked {
        return Step::Stop(Stop::AskedToWait);
    }
    if class == Class::Closed && warm && *tally == Tally::default() {
        tally.repeated = true;
        return Step::Repeat;
    }
    let malformed = u32::from(class == Class::Malformed);
    if tally.retries >= rules.retries || tally.malformed + malformed > MALFORMED_RETRIES {
        return Step::Stop(Stop::Attempts);
    }
    if !budget.spend() {
        return Step::Stop(Stop::Budget);
    }
    let own = wait(tally.retries, rules.base, random);
    tally.retries += 1;
    tally.malformed += malformed;
    Step::Retry(match asked {
        Asked::Wait(asked) => own.max(asked),
        _ => own,
    })
}

#[cfg(test)]
mod tests;
