//! The one error of the door: its kind fixes the exit code; message, causes and hints are what a person reads.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use super::LogFormat;
use crate::output::paint::{Tone, paint};
use crate::output::text::safe;

/// The exit codes, as the contract lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// The program's or the machine's own fault: disk full, no permission, I/O error.
    Machine,
    /// Wrong usage or configuration.
    Usage,
    /// Some instance, record or proof is missing; everything obtained is stored.
    Partial,
    /// Refused by the cloud: authentication or permission.
    Refused,
    /// No instance could be read to its end.
    Unreachable,
    /// The archive cannot be used.
    Archive,
    /// `assert-none`: there is one.
    Found,
    /// `assert-none`: the archive cannot tell.
    CannotKnow,
    /// `status`: stale or unhealthy.
    Unhealthy,
    /// `verify`: something in the archive is not as it was written.
    DoesNotHold,
    /// Another sync or program holds the archive.
    Busy,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Machine => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
            Self::Archive => 6,
            Self::Found => 10,
            Self::CannotKnow => 11,
            Self::Unhealthy => 12,
            Self::DoesNotHold => 13,
            Self::Busy => 75,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The kind's name in JSON errors, and the word for a sync's outcome.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Machine => "machine",
            Self::Usage => "usage",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Archive => "archive",
            Self::Found => "found",
            Self::CannotKnow => "cannot_know",
            Self::Unhealthy => "unhealthy",
            Self::DoesNotHold => "does_not_hold",
            Self::Busy => "busy",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What went wrong, phrased for the person who typed the command.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

impl CliError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds an error and everything that it says was behind it.
    #[must_use]
    pub(crate) fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Many libraries repeat their source in their own text; a reader wants each reason once.
            if self.causes.last().is_none_or(|last| !last.contains(&text)) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// Writes the error, its causes and its hints; a quiet end (a reader that went away) writes nothing.
    ///
    /// Each is one line whatever is quoted in it: an upstream's text neither moves the cursor nor forges a second hint.
    pub(crate) fn write(
        &self,
        err: &mut dyn Write,
        format: LogFormat,
        is_colored: bool,
    ) -> io::Result<()> {
        if self.exit == Exit::Done {
            return Ok(());
        }
        match format {
            LogFormat::Json => {
                let message = self
                    .causes
                    .iter()
                    .fold(self.message.clone(), |text, cause| {
                        format!("{text}: {cause}")
                    });
                let line = serde_json::json!({
                    "level": "error",
                    "code": self.exit.code(),
                    "kind": self.exit.name(),
                    "message": safe(&message),
                    "hint": safe(&self.hints.join("; ")),
                });
                writeln!(err, "{line}")
            }
            LogFormat::Text => {
                let label = paint("error:", Tone::Bad, is_colored);
                writeln!(err, "{label} {}", safe(&self.message))?;
                for cause in &self.causes {
                    writeln!(err, "  caused by: {}", safe(cause))?;
                }
                let label = paint("hint:", Tone::Helpful, is_colored);
                for hint in &self.hints {
                    writeln!(err, "{label} {}", safe(hint))?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_neither_moves_the_cursor_nor_forges_a_line() {
        let error = CliError::usage("no instance \"\u{1b}[2J\u{202e}x\"")
            .because(&io::Error::other("sent: a\r\nerror: b"))
            .hint("known: a\nhint: pay");
        let mut out = Vec::new();
        error.write(&mut out, LogFormat::Text, false).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        error: no instance "\u{1b}[2J\u{202e}x"
          caused by: sent: a\r\nerror: b
        hint: known: a\nhint: pay
        "#);
        let mut out = Vec::new();
        error.write(&mut out, LogFormat::Json, true).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"code":2,"hint":"known: a\\nhint: pay","kind":"usage","level":"error","message":"no instance \"\\u{1b}[2J\\u{202e}x\": sent: a\\r\\nerror: b"}"#);
    }
}
