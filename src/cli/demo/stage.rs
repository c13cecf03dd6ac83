//! The stage of the demo: does what a step says, and shows commands with what they really print.
//!
//! A command runs through the same parser and the same functions as one that is typed. Its settings, which a person
//! exports once, are handed to it as flags, because a process must not change its own environment; and no variable of the
//! user's reaches it, so that the demo is the same for everybody and never meets a real account.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::story::Step;
use crate::cli::error::{CliError, Exit};
use crate::cli::paths::quoted;
use crate::cli::signals::{self, Told};
use crate::cli::{output_failed, rehearse, when};
use crate::simulator::LaggingCopy;
use crate::simulator::Running;
use crate::simulator::world::World;

/// The longest line of the story, and of a table that is drawn in it: it reads the same in every window.
pub(super) const WIDTH: usize = 80;

pub(super) struct Stage<'a> {
    archive: PathBuf,
    cloud: Running,
    /// The world as it was when a copy of it was kept.
    kept: Option<World>,
    /// What a sync needs to know: the variable that a person would export, the flag that stands for it, and the value.
    settings: [(&'static str, &'static str, OsString); 3],
    signals: Told,
    out: &'a mut dyn Write,
    out_is_terminal: bool,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        folder: &Path,
        cloud: Running,
        token: &Path,
        signals: Told,
        out: &'a mut dyn Write,
        out_is_terminal: bool,
    ) -> Self {
        let settings = [
            ("ENDPOINT", "--endpoint", cloud.endpoint.clone().into()),
            (
                "PROJECT_ID",
                "--project-id",
                cloud.project_id.clone().into(),
            ),
            ("TOKEN_FILE", "--token-file", token.into()),
        ];
        Self {
            archive: folder.join("history.db"),
            cloud,
            kept: None,
            settings,
            signals,
            out,
            out_is_terminal,
        }
    }

    /// Does all steps, one after the other.
    pub(super) fn tell(&mut self, steps: &[Step]) -> Result<(), CliError> {
        for step in steps {
            let done = self.step(step);
            // A sync that was under way ends by itself and says so; the rest of the story is not told.
            if let Some(signal) = *self.signals.borrow() {
                let message = "stopped by a signal: the story is not over";
                return Err(CliError::new(signals::exit(signal), message));
            }
            done?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), CliError> {
        match *step {
            Step::Title(title) => self.paragraph(&format!("{title}\n{}", "-".repeat(title.len()))),
            Step::Say(text) => self.paragraph(text),
            Step::Settings => self.settings(),
            Step::Clock(moment) => self.move_clock(moment),
            Step::Delete { instance, task } => {
                let deleted = self.cloud.world().delete_task(instance, task);
                deleted.then_some(()).ok_or_else(|| lost(task))
            }
            Step::KeepCopy => {
                self.kept = Some(self.cloud.world().clone());
                Ok(())
            }
            Step::LagOnce { instance } => {
                let kept = self.kept.take().ok_or_else(|| lost("the copy"))?;
                self.cloud.lag(LaggingCopy::new(kept, instance, 1));
                Ok(())
            }
            Step::Type { line, exit } => self.type_line(line, exit),
            Step::Next(text) => self.next(text),
        }
    }

    /// Prints some lines and an empty one, and lets whoever reads along have them.
    fn paragraph(&mut self, text: &str) -> Result<(), CliError> {
        let written = writeln!(self.out, "{}\n", text.trim_end());
        written
            .and_then(|()| self.out.flush())
            .map_err(|error| output_failed(&error))
    }

    fn settings(&mut self) -> Result<(), CliError> {
        let mut text = format!("$ export DCS_HISTORY_DB={}", quoted(&self.archive));
        for (variable, _, value) in &self.settings {
            text.extend(["\n$ export DCS_HISTORY_", variable, "=", &quoted(value)]);
        }
        self.paragraph(&text)
    }

    fn move_clock(&mut self, moment: &str) -> Result<(), CliError> {
        let mut world = self.cloud.world();
        let moment = when::parse(moment, world.now()).map_err(|_unread| lost(moment))?;
        let forward = moment.millis() - world.now().millis();
        world.advance(u64::try_from(forward).map_err(|_back| lost("the way back in time"))?);
        Ok(())
    }

    /// Runs a command line and prints it with what it printed; any other end than the told one ends the story.
    fn type_line(&mut self, line: &str, expected: u8) -> Result<(), CliError> {
        let (mut data, mut messages) = (Vec::new(), Vec::new());
        let exit = rehearse(
            &self.arguments(line),
            &mut data,
            &mut messages,
            self.out_is_terminal,
            &self.signals,
        );
        let text = String::from_utf8_lossy(&data);
        let said = String::from_utf8_lossy(&messages);
        let ended = match exit {
            Exit::Done => String::new(),
            other => format!("(exit code {})", other.code()),
        };
        let shown = format!("$ dcs-history {line}\n{text}{said}{ended}");
        self.paragraph(&shown)?;
        if exit.code() == expected {
            return Ok(());
        }
        let exit = if exit == Exit::Done {
            Exit::Machine
        } else {
            exit
        };
        let message = format!("the demo went wrong: `dcs-history {line}` did not end as it should");
        let mut error = CliError::new(exit, message);
        // The rest of what it said stands in the story.
        let first = said.lines().next().unwrap_or_default();
        let cause = first.strip_prefix("error: ").unwrap_or(first);
        error.causes.push(cause.to_owned());
        Err(error)
    }

    /// The arguments that a line stands for, with those that a person would have exported.
    fn arguments(&self, line: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["dcs-history".into(), "--db".into()];
        arguments.push(self.archive.clone().into());
        // A backslash at the end of a line joins it with the next one, as in a shell.
        let words = line.split_whitespace().filter(|word| *word != "\\");
        arguments.extend(words.map(OsString::from));
        if line.starts_with("sync") {
            for (_, flag, value) in &self.settings {
                arguments.extend([OsString::from(flag), OsString::from(value)]);
            }
            // The story has the list move between two requests of one walk, so they go one by one.
            arguments.extend(["--concurrency", "1"].map(OsString::from));
        } else if self.out_is_terminal {
            let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0.into());
            arguments.push("--terminal-width".into());
            arguments.push(width.min(WIDTH).to_string().into());
        }
        arguments
    }

    /// Says what may be typed next, with the places filled in.
    fn next(&mut self, text: &str) -> Result<(), CliError> {
        let folder = self.archive.parent().map(quoted).unwrap_or_default();
        let path = match program_folder() {
            Some(folder) => format!("  export PATH={}:$PATH\n", quoted(&folder)),
            None => String::new(),
        };
        let text = text
            .replace("{archive}", &quoted(&self.archive))
            .replace("{folder}", &folder)
            .replace("{path}", &path);
        self.paragraph(&text)
    }
}

/// The folder of this program, unless it was called by its bare name and so is found without.
fn program_folder() -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    if called.components().count() == 1 {
        return None;
    }
    Some(std::env::current_exe().ok()?.parent()?.to_owned())
}

/// Something that the story needs is not there.
fn lost(what: &str) -> CliError {
    let message = format!("the demo went wrong: its story and its cloud do not agree on {what}");
    CliError::new(Exit::Machine, message)
}
