//! The period that a question is about: two bounds, or a month, quarter or year by its name.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::error::CliError;
use super::when;
use crate::model::coverage::{MAX_GAP, Rules, SETTLE, Window};
use crate::model::time::Timestamp;

/// Which period is meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Period")]
pub(crate) struct PeriodArgs {
    /// From this time on.
    ///
    /// A time (2026-10-01T08:30:00Z), a date, a month (2026-10), a quarter (2026-Q3), a year, `now`, `today`, `yesterday`,
    /// or an age (90m, 36h, 7d, 2w). A period stands for its beginning; a time without a zone is UTC.
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new())]
    since: Option<String>,
    /// Until before this time [default: now].
    ///
    /// Written as for --since. A period stands for its beginning here too: --until 2026-10 ends before October.
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new())]
    until: Option<String>,
    /// All of this day, month, quarter or year (2026-10-01, 2026-10, 2026-Q3, 2026, today, yesterday).
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["since", "until"], value_parser = NonEmptyStringValueParser::new())]
    period: Option<String>,
}

impl PeriodArgs {
    /// Returns the bounds that were typed.
    pub(crate) fn window(&self, now: Timestamp) -> Result<Window, CliError> {
        if let Some(typed) = &self.period {
            let (since, until) = when::period_of(typed, now)
                .map_err(|error| CliError::usage(format!("--period: {error}")))?;
            return Ok(Window {
                since: Some(since),
                until: Some(until),
            });
        }
        window(self.since.as_deref(), self.until.as_deref(), now)
    }
}

/// Reads two bounds as they were typed.
pub(crate) fn window(
    since: Option<&str>,
    until: Option<&str>,
    now: Timestamp,
) -> Result<Window, CliError> {
    let time = |name: &str, typed: Option<&str>| match typed {
        Some(typed) => when::parse(typed, now)
            .map(Some)
            .map_err(|error| CliError::usage(format!("{name}: {error}"))),
        None => Ok(None),
    };
    let (since, until) = (time("--since", since)?, time("--until", until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        return Err(CliError::usage(format!("nothing lies between --since {since} and --until {until}"))
            .hint("--until is excluded, and a period stands for its beginning: September is --since 2026-09 --until 2026-10"));
    }
    Ok(Window { since, until })
}

/// How strictly the ledger is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RulesArgs {
    /// The longest time between two proven walks that is no gap [default: 36h].
    ///
    /// What was created and deleted between two walks was shown to neither. Walks a day apart, of which one may fail, stay
    /// below the default.
    #[arg(long, value_name = "DURATION", value_parser = super::duration::parse, env = "DCS_HISTORY_MAX_GAP", hide_env_values = true)]
    max_gap: Option<std::time::Duration>,
    /// How late a record may show in the cloud's list [default: 15m].
    ///
    /// A walk vouches for nothing younger than this.
    #[arg(long, value_name = "DURATION", value_parser = super::duration::parse, env = "DCS_HISTORY_SETTLE", hide_env_values = true)]
    settle: Option<std::time::Duration>,
}

impl RulesArgs {
    pub(crate) fn rules(&self) -> Rules {
        let millis = |typed: Option<std::time::Duration>, default| {
            typed.map_or(default, |typed| {
                i64::try_from(typed.as_millis()).unwrap_or(i64::MAX)
            })
        };
        Rules {
            max_gap: millis(self.max_gap, MAX_GAP),
            settle: millis(self.settle, SETTLE),
        }
    }
}
