//! The door: what was typed becomes a call, and what came of it becomes bytes, messages and an exit code.
//!
//! This floor alone knows clap, the environment, the clock and the terminal. One file a command; each holds an `Args`
//! struct whose doc comment is the help text, and a `run` function.

mod archive;
mod assert_none;
mod backfill;
mod backup;
mod changes;
mod color;
mod columns;
mod completions;
mod coverage;
mod credentials;
mod demo;
mod doctor;
pub(crate) mod duration;
mod early;
mod environment;
mod error;
mod export;
mod files;
mod instance_arg;
mod instances;
mod list;
mod listing;
mod man;
mod messages;
mod metrics;
mod near;
mod network;
mod output_args;
mod paths;
mod period;
mod report;
mod reprocess;
mod settings;
mod show;
mod signals;
mod simulate;
mod sql;
mod state;
mod stats;
mod status;
mod stop;
mod sync;
mod target;
mod usage;
mod verify;
pub(crate) mod when;
mod whole_file;
mod zone;

#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
    process::ExitCode,
    sync::OnceLock,
};

use chrono::Utc;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum, error::ErrorKind};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::model::time::Timestamp;
use crate::store::format;
use color::Colored;
use credentials::surroundings::Surroundings;
use early::Early;
use error::{CliError, Exit};
use settings::{Effective, Misunderstood};

/// What people type.
pub(crate) const NAME: &str = "dcs-history";

/// Keeps the change history of your DCS (Distributed Cache Service, Redis) instances.
///
/// The cloud lists what was done to an instance (who resized, exposed, re-ported it, when, with what outcome) and forgets
/// it. `dcs-history sync` reads that list into a SQLite file that keeps what disappeared upstream, keeps every revision,
/// and says what it can vouch for; the other commands answer from that file.
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    version,
    arg_required_else_help = true,
    propagate_version = true
)]
#[command(after_help = "Examples:
  dcs-history demo                   # what this is for, without an account
  dcs-history simulate --port 18080  # a simulated cloud to try things on
  dcs-history sync --region eu-de    # with the credentials you have
  dcs-history list --since 7d")]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Global {
    /// The archive: a SQLite file [default: dcs-history/history.db in the XDG data directory].
    #[arg(
        long,
        value_name = "PATH",
        env = "DCS_HISTORY_DB",
        hide_env_values = true,
        global = true
    )]
    db: Option<PathBuf>,
    /// The file of settings [default: dcs-history/config.toml in the XDG config directory].
    #[arg(
        long,
        value_name = "PATH",
        env = "DCS_HISTORY_CONFIG",
        hide_env_values = true,
        global = true
    )]
    config: Option<PathBuf>,
    /// The profile of the file of settings to go by; `sync` takes several [default: `default`, if there is one].
    #[arg(
        long,
        value_name = "NAME",
        env = "DCS_HISTORY_PROFILE",
        hide_env_values = true,
        value_delimiter = ',',
        global = true
    )]
    profile: Vec<String>,
    /// Say more on standard error: once, how each walk ended; twice, every page as well.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Say less on standard error: once, warnings and errors; twice, errors only.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    quiet: u8,
    /// When to show progress on standard error.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        env = "DCS_HISTORY_PROGRESS",
        hide_env_values = true,
        global = true
    )]
    progress: When,
    /// How messages on standard error are written.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        env = "DCS_HISTORY_LOG_FORMAT",
        hide_env_values = true,
        global = true
    )]
    log_format: LogFormat,
    /// When to colour what people read: `auto` is on a terminal, unless `NO_COLOR` is set.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        env = "DCS_HISTORY_COLOR",
        hide_env_values = true,
        global = true
    )]
    color: When,
    /// What came of `--color` for each stream.
    #[arg(skip)]
    colored: Colored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal.
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Sync(Box<sync::SyncArgs>),
    Backfill(Box<backfill::BackfillArgs>),
    List(list::ListArgs),
    Changes(changes::ChangesArgs),
    Show(show::ShowArgs),
    Stats(Box<stats::StatsArgs>),
    State(Box<state::StateArgs>),
    Instances(instances::InstancesArgs),
    Coverage(coverage::CoverageArgs),
    AssertNone(assert_none::AssertNoneArgs),
    Sql(sql::SqlArgs),
    Report(Box<report::ReportArgs>),
    Export(export::ExportArgs),
    Status(status::StatusArgs),
    Doctor(Box<doctor::DoctorArgs>),
    Verify(verify::VerifyArgs),
    Reprocess(reprocess::ReprocessArgs),
    Backup(backup::BackupArgs),
    Simulate(simulate::Args),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// What a command may touch: its writers, the clock, and the options that every command takes.
pub(crate) struct Context<'a> {
    pub(crate) global: &'a Global,
    /// The profile, and where every setting came from.
    pub(crate) effective: &'a Effective,
    /// Where credentials are looked for.
    pub(crate) around: &'a Surroundings,
    /// The one place where the clock is read.
    pub(crate) now: fn() -> Timestamp,
    /// Data only.
    pub(crate) out: &'a mut dyn Write,
    /// Messages, progress and logs.
    pub(crate) err: &'a mut dyn Write,
    pub(crate) out_is_terminal: bool,
    pub(crate) err_is_terminal: bool,
    /// Where signals are already listened for; else a command that needs to know of them listens itself.
    pub(crate) signals: Option<&'a signals::Told>,
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    no_core_dump();
    let (out, mut err) = (io::stdout(), io::stderr());
    let terminals = (out.is_terminal(), err.is_terminal());
    let mut out = io::BufWriter::new(out.lock());
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(std::env::args_os(), &mut out, &mut err, terminals)
    }));
    // The panic has said its own words on standard error; the exit code is the contract's.
    ended.unwrap_or(Exit::Machine).into()
}

/// Starts what a command with network or waiting runs on: one thread, since it has little to do but wait.
fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| CliError::new(Exit::Machine, "cannot start the runtime").because(&error))
}

/// Keeps a crash from writing what is in memory, tokens and keys among it, to a file.
///
/// Before anything is read, so that there is no moment at which it could. Commands that the program runs get the token as
/// well, and the limit with it.
fn no_core_dump() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Everybody may lower a limit; where it cannot be done all the same, that is no reason not to work.
    let _lowered = setrlimit(Resource::Core, none);
}

/// Runs one command line. Nothing below this function ends the process.
pub(crate) fn run(
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
    terminals: (bool, bool),
) -> Exit {
    let args: Vec<_> = args.into_iter().collect();
    let command = environment::without_empty_variables(command());
    let around = Surroundings::of_this_process();
    execute(&command, &args, &around, (out, err), terminals, None)
}

/// Runs one command line inside a command: no variable reaches it, and the signals are those that the command hears.
fn rehearse(
    args: &[OsString],
    out: &mut dyn Write,
    err: &mut dyn Write,
    out_is_terminal: bool,
    signals: &signals::Told,
) -> Exit {
    let command = environment::without_variables(command());
    let (around, terminals) = (Surroundings::empty(), (out_is_terminal, false));
    execute(
        &command,
        args,
        &around,
        (out, err),
        terminals,
        Some(signals),
    )
}

fn execute(
    command: &clap::Command,
    args: &[OsString],
    around: &Surroundings,
    (out, err): (&mut dyn Write, &mut dyn Write),
    terminals: (bool, bool),
    signals: Option<&signals::Told>,
) -> Exit {
    let early = Early::of(args);
    let colored = Colored::new(early.color, terminals);
    let mut calls = match settings::calls(command, args, around) {
        Ok(calls) => calls,
        Err(Misunderstood::Line(error)) => {
            return misunderstood(*error, early.log_format, colored, out, err);
        }
        Err(Misunderstood::Settings(error)) => {
            let _unsaid = error.write(err, early.log_format, colored.err);
            return error.exit;
        }
    };
    for call in &mut calls {
        call.cli.global.colored = Colored::new(call.cli.global.color, terminals);
    }
    let Some(first) = calls.first() else {
        return Exit::Done;
    };
    let global = &first.cli.global;
    let mut context = Context {
        global,
        effective: &first.effective,
        around,
        now,
        out,
        err,
        out_is_terminal: terminals.0,
        err_is_terminal: terminals.1,
        signals,
    };
    let result = match calls.as_slice() {
        [call] => dispatch(&call.cli.command, &mut context),
        several => sync::several::run(several, &mut context),
    };
    let result = result.and_then(|exit| {
        context.out.flush().map_err(|error| output_failed(&error))?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit,
        Err(error) => {
            // Standard error may be gone as well; then the exit code is all that is left to say it with.
            let _unsaid = error.write(err, global.log_format, global.colored.err);
            error.exit
        }
    }
}

fn dispatch(command: &Command, context: &mut Context<'_>) -> Result<Exit, CliError> {
    match command {
        Command::Demo(args) => demo::run(args, context),
        Command::Sync(args) => sync::run(args, context),
        Command::Backfill(args) => backfill::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Changes(args) => changes::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Stats(args) => stats::run(args, context),
        Command::State(args) => state::run(args, context),
        Command::Instances(args) => instances::run(args, context),
        Command::Coverage(args) => coverage::run(args, context),
        Command::AssertNone(args) => assert_none::run(args, context),
        Command::Sql(args) => sql::run(args, context),
        Command::Report(args) => report::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::Status(args) => status::run(args, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Reprocess(args) => reprocess::run(args, context),
        Command::Backup(args) => backup::run(args, context),
        Command::Simulate(args) => simulate::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(args, context),
    }
}

/// The command line as it is parsed, explained and completed.
pub(crate) fn command() -> clap::Command {
    columns::explained(Cli::command().long_version(long_version()))
}

/// What `--version` prints: what an archive was written by, and what it takes to read it.
fn long_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        format!(
            "{}\nSQLite {}\narchive format {}",
            env!("CARGO_PKG_VERSION"),
            format::sqlite_version(),
            format::FORMAT
        )
    })
}

/// Prints what clap has to say in place of a command: help, the version, or what is wrong with the line.
fn misunderstood(
    error: clap::Error,
    log_format: LogFormat,
    colored: Colored,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    // The writer may be gone; then the exit code is all that is left to say it with.
    let print = |to: &mut dyn Write, is_colored| {
        let text = error.render();
        let _unsaid = if is_colored {
            write!(to, "{}", text.ansi())
        } else {
            write!(to, "{text}")
        }
        .and_then(|()| to.flush());
    };
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() {
        print(out, colored.out);
        return Exit::Done;
    }
    if is_help && log_format == LogFormat::Text {
        print(err, colored.err);
    } else {
        let _unsaid = usage::error(error).write(err, log_format, colored.err);
    }
    Exit::Usage
}

/// Turns a failed write to standard output into an error; a reader that went away is not one.
pub(crate) fn output_failed(error: &io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return CliError::new(Exit::Done, "");
    }
    CliError::new(Exit::Machine, "cannot write to standard output").because(error)
}

/// Says whether progress is shown.
fn shows_progress(context: &Context<'_>) -> bool {
    match context.global.progress {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            context.err_is_terminal
                && context.global.quiet == 0
                && context.global.log_format == LogFormat::Text
        }
    }
}

/// Reads the clock.
fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the clock is read"
    )]
    let now = Utc::now();
    Timestamp::from_millis(now.timestamp_millis()).unwrap_or(Timestamp::EPOCH)
}
