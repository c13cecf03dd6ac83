//! Progress on a terminal: one line that moves, and messages that do not tear it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text;

/// How often the line is redrawn when nothing happens, so that a long request does not look like a stop.
const TICK: Duration = Duration::from_millis(200);

/// A line of progress, or none.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows progress of a sync on standard error, or hides it.
    pub(crate) fn new(shown: bool) -> Self {
        Self::styled(shown, "{spinner} {pos}/{len} instances  {msg}")
    }

    /// Shows progress of work on the archive, one stage after the other.
    pub(crate) fn steps(shown: bool) -> Self {
        Self::styled(shown, "{spinner} {msg}  {pos}/{len}")
    }

    fn styled(shown: bool, template: &str) -> Self {
        if !shown {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// The next stage begins; how many steps it has, where that is known.
    pub(crate) fn stage(&self, name: &'static str, steps: Option<u64>) {
        self.bar.set_message(name);
        self.bar.set_length(steps.unwrap_or(0));
        self.bar.set_position(0);
    }

    /// So many steps of it are done.
    pub(crate) fn step(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// So many instances will be read.
    pub(crate) fn instances(&self, number: u64) {
        self.bar.inc_length(number);
    }

    /// Says what is being read.
    pub(crate) fn page(&self, list: &str, received: u64, total: Option<u64>) {
        let of = total
            .map(|total| format!(" of {total}"))
            .unwrap_or_default();
        self.bar
            .set_message(format!("{}: {received}{of} records", text::safe(list)));
    }

    /// One more instance is done.
    pub(crate) fn instance_done(&self) {
        self.bar.inc(1);
    }

    /// Takes the line away while something else is written to the terminal.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
