//! A token that a command prints.

use std::{
    io::{self, Read as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::api::secret::{Secret, SecretError};

use super::token_from;

/// How long a command may take: enough for somebody to touch a security key, short of holding up a run for ever.
pub(super) const LIMIT: Duration = Duration::from_mins(2);

/// The most that is read of what a command prints; no token is longer.
const LONGEST: u64 = 64 * 1024;

/// How often to look whether a command that has printed everything has ended as well.
const LOOK: Duration = Duration::from_millis(5);

/// Why a command gave no token. Holds neither the command nor what it printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("cannot run the shell `sh`")]
    NoShell(#[source] io::Error),
    #[error("cannot read what it prints")]
    Unreadable(#[source] io::Error),
    // An exit status reads "exit status: 3" or "signal: 9 (SIGKILL)".
    #[error("it failed with {0}")]
    Failed(ExitStatus),
    #[error("it had not ended after {} s", .0.as_secs_f32())]
    TooSlow(Duration),
    #[error("it printed nothing")]
    Nothing,
    #[error("it printed more than a token can be")]
    TooLong,
    #[error("what it printed is no token")]
    NotAToken(#[source] SecretError),
}

/// Runs a command by the shell and takes what it prints for a token; what it says on standard error goes to ours.
pub(super) fn run(line: &str, limit: Duration) -> Result<Secret, CommandError> {
    let child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(CommandError::NoShell)?;
    let mut child = Reaped(child);
    let (status, printed) = child.finish(limit)?;
    if !status.success() {
        return Err(CommandError::Failed(status));
    }
    if printed.len() as u64 > LONGEST {
        return Err(CommandError::TooLong);
    }
    token_from(printed).map_err(|error| match error {
        SecretError::Empty => CommandError::Nothing,
        error => CommandError::NotAToken(error),
    })
}

/// A child that does not outlive its caller's interest.
struct Reaped(Child);

impl Reaped {
    /// Waits for the child's output and its end, both within the limit.
    fn finish(&mut self, limit: Duration) -> Result<(ExitStatus, Vec<u8>), CommandError> {
        let until = Instant::now() + limit;
        let (sender, receiver) = mpsc::channel();
        if let Some(stdout) = self.0.stdout.take() {
            // A thread of its own, because a pipe can be read with a time limit no other way.
            thread::spawn(move || {
                let mut printed = Vec::new();
                let read = stdout.take(LONGEST + 1).read_to_end(&mut printed);
                // Nobody listens any more once the limit has passed.
                let _unheard = sender.send(read.map(|_| printed));
            });
        }
        let printed = receiver
            .recv_timeout(limit)
            .map_err(|_| CommandError::TooSlow(limit))?
            .map_err(CommandError::Unreadable)?;
        loop {
            let ended = self.0.try_wait().map_err(CommandError::Unreadable)?;
            if let Some(status) = ended {
                return Ok((status, printed));
            }
            if Instant::now() >= until {
                return Err(CommandError::TooSlow(limit));
            }
            thread::park_timeout(LOOK);
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // Both fail for a child that has ended and was waited for, which is the usual case.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let limit = Duration::from_secs(20);
        let error = run(line, limit).unwrap_err();
        let source = std::error::Error::source(&error);
        source.map_or(error.to_string(), |source| format!("{error}: {source}"))
    }

    #[test]
    fn what_a_command_prints_is_the_token() {
        let token = Secret::parse("the-token".to_owned()).unwrap();
        for line in [
            "echo the-token",
            "printf the-token",
            "printf 'the-token\\r\\n'",
            "echo the-token | cat",
        ] {
            let printed = run(line, Duration::from_secs(20)).unwrap();
            assert!(printed == token, "{line}");
        }
    }

    #[test]
    fn a_command_that_gives_no_token_is_named_by_its_end_and_not_by_its_output() {
        let cases = [
            ("echo hunter2; exit 3", "it failed with exit status: 3"),
            (
                "echo hunter2; kill -9 $$",
                "it failed with signal: 9 (SIGKILL)",
            ),
            (
                "no-such-command-hunter2 2>/dev/null",
                "it failed with exit status: 127",
            ),
            ("true", "it printed nothing"),
            ("echo", "it printed nothing"),
            (
                "printf 'hunter2\\n\\n'",
                "what it printed is no token: it holds a line break or another control character",
            ),
            (
                "echo hunter2 hunter2",
                "what it printed is no token: it holds a blank",
            ),
            (
                "printf '\\377hunter2'",
                "what it printed is no token: it holds a character that is not ASCII",
            ),
            (
                "head -c 70000 /dev/zero; true",
                "it printed more than a token can be",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn a_command_that_never_ends_is_ended() {
        let limit = Duration::from_millis(100);
        for line in ["sleep 30", "exec 1>&-; sleep 30"] {
            let begun = Instant::now();
            let error = run(line, limit).unwrap_err();
            assert!(matches!(error, CommandError::TooSlow(_)), "{line}: {error}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{line}");
        }
    }
}
