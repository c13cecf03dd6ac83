//! Messages on standard error: notes and warnings, as text or as JSON lines, as loud as the user wants them.

use std::io::Write;

use super::{Context, Global, LogFormat};
use crate::output::paint::{Tone, paint};
use crate::output::text;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Warning,
    /// What came of it.
    Result,
    Note,
    /// With `-v`.
    Detail,
    /// With `-vv`.
    Request,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Result | Self::Note => "info",
            Self::Detail | Self::Request => "debug",
        }
    }

    /// Says whether the user wants to see messages of this level. A single `-q` leaves warnings, a second one nothing.
    fn is_wanted(self, global: &Global) -> bool {
        let loudest = match (global.quiet, global.verbose) {
            (0, 0) => Self::Note,
            (0, 1) => Self::Detail,
            (0, _) => Self::Request,
            (1, _) => Self::Warning,
            _ => return false,
        };
        self <= loudest
    }
}

/// Writes one message: one event, one line, whatever stands in it.
pub(crate) fn write(err: &mut dyn Write, global: &Global, level: Level, message: &str) {
    if !level.is_wanted(global) {
        return;
    }
    let message = text::safe(message);
    let line = match (global.log_format, level) {
        (LogFormat::Json, _) => {
            serde_json::json!({ "level": level.name(), "message": message }).to_string()
        }
        (LogFormat::Text, Level::Result) => message.into_owned(),
        (LogFormat::Text, Level::Warning) => {
            let label = paint("warning:", Tone::Doubtful, global.colored.err);
            format!("{label} {message}")
        }
        (LogFormat::Text, _) => format!("note: {message}"),
    };
    // Standard error may be gone; what there is to say is then in the exit code and in the archive.
    let _unsaid = writeln!(err, "{line}");
}

/// Says something about what was just printed.
pub(crate) fn remark(context: &mut Context<'_>, text: &str) {
    // The data come first: on a terminal the remark on them stands below. If they cannot be written, that is an error of
    // its own, and there is nothing to remark on.
    if context.out.flush().is_ok() {
        write(context.err, context.global, Level::Result, text);
    }
}
