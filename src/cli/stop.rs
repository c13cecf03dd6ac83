//! Signals while something is written that would have to be cleared away: the work ends, and nothing of it stays.

use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::{Context, signals};
use crate::store::export::stop_when;

/// Lets a signal end whatever is read from the archive.
pub(crate) fn stoppable(archive: &mut Connection, context: &Context<'_>) -> Result<Stop, CliError> {
    let told = match context.signals {
        Some(told) => told.clone(),
        None => signals::listen()?,
    };
    let heard = told.clone();
    stop_when(archive, move || heard.borrow().is_some())?;
    Ok(Stop(Some(told)))
}

/// Whether a signal asked to stop, where one is listened for.
pub(crate) struct Stop(Option<signals::Told>);

impl Stop {
    /// Where there is nothing to clear away, the signal itself ends the program.
    pub(crate) const NEVER: Self = Self(None);

    /// Ends the work if it is to end.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        let told = self.0.as_ref();
        if told.is_some_and(|told| told.borrow().is_some()) {
            // The words for it come from `phrase`.
            return Err(CliError::new(Exit::Interrupted, "stopped"));
        }
        Ok(())
    }

    /// Says that a signal ended it, whatever that made fail first.
    pub(crate) fn phrase(&self, error: CliError) -> CliError {
        let signal = self.0.as_ref().and_then(|told| *told.borrow());
        signal.map_or(error, |signal| {
            CliError::new(
                signals::exit(signal),
                "stopped by a signal: nothing was written",
            )
        })
    }
}
