//! Whole views for other programs: the formats of an export, and how far one has come.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::parquet::Parquet;
use super::{Guard, Records};
use crate::model::kind::Kind;

/// How a view is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Jsonl,
    Csv,
}

impl Format {
    pub(crate) const ALL: [Self; 3] = [Self::Parquet, Self::Jsonl, Self::Csv];

    /// The format's name, and what the name of such a file ends with.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// What was asked of the output, beside the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    /// CSV begins with the names of the columns.
    pub(crate) header: bool,
    pub(crate) guard: Guard,
}

/// Returns a writer of the format; its header is written already. JSON and CSV are those of every other command.
pub(crate) fn records<'a>(
    settings: Settings,
    name: &str,
    columns: &[(&str, Kind)],
    out: &'a mut dyn Write,
) -> io::Result<Box<dyn Records + 'a>> {
    let format = match settings.format {
        Format::Parquet => return Ok(Box::new(Parquet::new(out, name, columns)?)),
        Format::Jsonl => super::Format::Jsonl,
        Format::Csv => super::Format::Csv,
    };
    let settings = super::Settings {
        format,
        header: settings.header,
        guard: settings.guard,
        width: None,
        color: false,
    };
    let names = columns.iter().map(|(name, _)| *name);
    let header: Vec<_> = names.map(super::Column::new).collect();
    let mut records = super::records(settings, out);
    records.header(&header)?;
    Ok(records)
}

/// How often the line is redrawn when nothing happens, so that a long sort does not look like a stop.
const TICK: Duration = Duration::from_millis(200);

/// The line is written anew for so many rows: nobody can read finer steps while it moves.
const EVERY: u64 = 1_000;

/// A line that tells how far an export has come, or none.
pub(crate) struct Progress {
    bar: ProgressBar,
    rows: u64,
    view: String,
}

impl Progress {
    /// Shows progress on standard error, or hides it.
    pub(crate) fn new(shown: bool) -> Self {
        let bar = if shown {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(TICK);
            bar
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            rows: 0,
            view: String::new(),
        }
    }

    /// Begins with a view, the how many-th of how many.
    pub(crate) fn view(&mut self, name: &str, number: usize, of: usize) {
        self.view = format!("view {number} of {of}: {name}");
        self.rows = 0;
        self.bar.set_message(self.view.clone());
    }

    /// One more row is written.
    pub(crate) fn row(&mut self) {
        self.rows += 1;
        if self.rows.is_multiple_of(EVERY) {
            let message = format!("{}, {} rows", self.view, self.rows);
            self.bar.set_message(message);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests;
