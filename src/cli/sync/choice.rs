//! Which walks a sync makes: `--mode`, `--overlap`, `--full-every`.

use clap::Args;

use crate::cli::duration;
use crate::model::time::{DAY, HOUR};
use crate::sync::plan::{Mode, Rules, SMALL, SPARE};

/// Far enough below the mark for whatever shows late.
const OVERLAP: i64 = DAY;

/// A full walk a day, in spite of a cron job that comes a little early.
const FULL_EVERY: i64 = 20 * HOUR;

#[derive(Clone, Debug, Args)]
pub(crate) struct ChoiceArgs {
    /// Which walk an instance gets: the cheapest that keeps the promises, or always the whole list.
    #[arg(
        long,
        value_name = "MODE",
        value_enum,
        default_value = "auto",
        env = "DCS_HISTORY_MODE",
        hide_env_values = true
    )]
    mode: ModeName,
    /// How far below the last known update the everyday walk reads [default: 24h]
    ///
    /// It costs a longer first page, and finds changes that the upstream shows late before the next full walk does.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, env = "DCS_HISTORY_OVERLAP", hide_env_values = true)]
    overlap: Option<std::time::Duration>,
    /// How old the last proven full walk of an instance may be; `never` leaves it at the first [default: 20h]
    ///
    /// Only a full walk finds what was deleted upstream and what changed in an old finished task, and only between two
    /// full walks does the archive vouch for every record.
    #[arg(long, value_name = "DURATION|never", value_parser = every, env = "DCS_HISTORY_FULL_EVERY", hide_env_values = true)]
    full_every: Option<Every>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ModeName {
    /// Down to below the last known update if the upstream's count proves it, else the whole list
    Auto,
    /// The whole list, each time
    Full,
}

/// An age that is never too old, or one in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Every {
    Never,
    Millis(i64),
}

fn every(text: &str) -> Result<Every, String> {
    if text == "never" {
        return Ok(Every::Never);
    }
    duration::parse(text)
        .map(|every| Every::Millis(millis(every)))
        .map_err(|error| format!("{error}; or `never`"))
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl ChoiceArgs {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            mode: match self.mode {
                ModeName::Auto => Mode::Auto,
                ModeName::Full => Mode::Full,
            },
            overlap: self.overlap.map_or(OVERLAP, millis),
            full_every: match self.full_every {
                None => Some(FULL_EVERY),
                Some(Every::Never) => None,
                Some(Every::Millis(millis)) => Some(millis),
            },
            small: SMALL,
            spare: SPARE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_duration_or_never() {
        assert_eq!(every("never"), Ok(Every::Never));
        assert_eq!(every("0s"), Ok(Every::Millis(0)));
        assert_eq!(every("20h"), Ok(Every::Millis(FULL_EVERY)));
        assert!(every("Never").unwrap_err().contains("never"));
    }
}
