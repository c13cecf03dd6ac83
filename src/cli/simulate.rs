//! `simulate`: the simulated cloud alone, until somebody stops it.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::duration;
use super::error::{CliError, Exit};
use super::{Context, LogFormat, output_failed};
use crate::simulator::world;
use crate::simulator::{self, Running};

/// Run a simulated cloud on this machine, to try things on.
///
/// It answers like the cloud does, on 127.0.0.1 only: a project with a few Redis instances that people keep resizing,
/// exposing and re-porting, on a clock of its own that starts at 2026-10-01 and runs fast. New tasks appear, run, succeed or
/// fail, and now and then a record is deleted. No account is needed, nothing leaves this machine, and the same seed always
/// makes the same cloud.
///
/// When it is ready it prints one line of JSON: where it answers, the project, the instances, and the names of two files
/// with the token that it accepts. Ctrl-C stops it and removes the files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dcs-history simulate                                   # on any free port, a minute a second
  dcs-history simulate --port 18080 --speed 3600         # an hour a second
  dcs-history simulate --dir simulated                   # the token is in simulated/token
  dcs-history simulate --tasks 200000 --page-cap 100 --latency 20ms --speed 0")]
pub(crate) struct Args {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// What the cloud is made from: the same number makes the same cloud.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many instances the project has.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=1000))]
    instances: u32,
    /// How many tasks each instance has behind it at the start.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    tasks: u32,
    /// Virtual seconds a second; 0 = the clock stands still.
    #[arg(long, value_name = "X", default_value_t = 60.0, value_parser = parse_speed)]
    speed: f64,
    /// Never more than this many records in a page, whatever limit is asked for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page_cap: Option<u32>,
    /// How long every answer takes, such as 20ms.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    latency: Duration,
    /// Put the two files, `token` and `credentials.json`, into this folder, made if it is missing [default: a
    /// temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The fastest clock: eleven days a second. What happens meanwhile has to be worked out between two requests.
const FASTEST: f64 = 1_000_000.0;

fn parse_speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed| (0.0..=FASTEST).contains(speed))
        .ok_or_else(|| format!("a speed is a number from 0 to {FASTEST}"))
}

/// Runs until it is interrupted or terminated; that is how a server ends, so it is done and not a failure.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| machine("cannot start the simulated cloud", &error))?;
    // The signals are caught before anybody is told that there is something to stop.
    let mut signals = runtime
        .block_on(async { Signals::catch() })
        .map_err(|error| machine("cannot catch signals", &error))?;
    let cloud =
        simulator::start(args.options()).map_err(|error| cannot_listen(args.port, &error))?;
    let files = Files::write(args.dir.as_deref(), &cloud.token)
        .map_err(|unwritten| unwritten.told(args.dir.is_some()))?;
    announce(&cloud, &files, context.out).map_err(|error| output_failed(&error))?;
    if context.global.quiet == 0 && context.global.log_format == LogFormat::Text {
        // Whoever closed standard error does not want to be told what to type.
        let _unsaid = explain(args, &cloud, &files, context.err);
    }
    runtime.block_on(signals.wait());
    Ok(Exit::Done)
}

impl Args {
    fn options(&self) -> simulator::Options {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        simulator::Options {
            world: world::Options {
                seed: self.seed,
                instances: count(self.instances),
                tasks: count(self.tasks),
            },
            port: self.port,
            speed: self.speed,
            page_cap: self.page_cap.map(count),
            latency: self.latency,
        }
    }
}

fn machine(message: &str, error: &io::Error) -> CliError {
    CliError::new(Exit::Machine, message).because(error)
}

fn cannot_listen(port: u16, error: &io::Error) -> CliError {
    let message = match error.kind() {
        io::ErrorKind::AddrInUse => format!("port {port} on 127.0.0.1 is in use"),
        _ => format!("cannot listen on port {port} of 127.0.0.1"),
    };
    CliError::new(Exit::Machine, message)
        .because(error)
        .hint("--port 0 takes a free port and prints it")
}

/// The two signals that end a server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The files that hold the token; those that were made go when this is dropped, and a folder made for them too.
struct Files {
    token: PathBuf,
    credentials: PathBuf,
    made: Vec<PathBuf>,
    made_folder: Option<PathBuf>,
    /// Held because it goes with its value.
    temporary_folder: Option<TempDir>,
}

/// A file that could not be written.
struct Unwritten {
    path: PathBuf,
    source: io::Error,
}

impl Unwritten {
    fn told(self, folder_was_named: bool) -> CliError {
        let path = self.path.display();
        if folder_was_named && self.source.kind() == io::ErrorKind::AlreadyExists {
            return CliError::usage(format!("{path} is there already, and is not overwritten"))
                .hint("if a simulated cloud that was killed left it, remove it; or name another folder with --dir");
        }
        machine(
            &format!("cannot write {path} for the simulated cloud"),
            &self.source,
        )
    }
}

impl Files {
    fn write(folder: Option<&Path>, token: &str) -> Result<Self, Unwritten> {
        let mut files = match folder {
            Some(folder) => Self::named(folder),
            None => Self::temporary(),
        }?;
        let credentials = json!({"token": token});
        for (path, text) in [
            (files.token.clone(), format!("{token}\n")),
            (files.credentials.clone(), format!("{credentials}\n")),
        ] {
            match write_private(&path, &text) {
                Ok(()) => files.made.push(path),
                Err(source) => return Err(Unwritten { path, source }),
            }
        }
        Ok(files)
    }

    fn temporary() -> Result<Self, Unwritten> {
        // Private from its first moment, whatever the umask says.
        let made = tempfile::Builder::new()
            .prefix("dcs-history-simulate-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir();
        let temporary = made.map_err(|source| Unwritten {
            path: PathBuf::from("a temporary folder"),
            source,
        })?;
        let mut files = Self::places(temporary.path());
        files.temporary_folder = Some(temporary);
        Ok(files)
    }

    /// Takes a folder that somebody chose. Whoever reads its name later may be in another one, so it is made absolute.
    fn named(folder: &Path) -> Result<Self, Unwritten> {
        let failed = |source| Unwritten {
            path: folder.to_owned(),
            source,
        };
        let folder = std::path::absolute(folder).map_err(failed)?;
        let mut files = Self::places(&folder);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => files.made_folder = Some(folder),
            Err(_) if folder.is_dir() => {}
            Err(source) => return Err(failed(source)),
        }
        Ok(files)
    }

    fn places(folder: &Path) -> Self {
        Self {
            token: folder.join("token"),
            credentials: folder.join("credentials.json"),
            made: Vec::new(),
            made_folder: None,
            temporary_folder: None,
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.made {
            // Somebody may have been quicker.
            let _untidy = fs::remove_file(path);
        }
        if let Some(folder) = &self.made_folder {
            // Something of somebody else's may lie in it by now; then it stays.
            let _untidy = fs::remove_dir(folder);
        }
    }
}

/// Writes a new file that only its owner may read; these tokens open nothing, but they are handled like ones that do.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Prints the one line for programs and makes sure that it arrives.
fn announce(cloud: &Running, files: &Files, out: &mut dyn Write) -> io::Result<()> {
    let instances: Vec<String> = cloud.world().instance_ids().map(str::to_owned).collect();
    let line = json!({
        "endpoint": cloud.endpoint,
        "project_id": cloud.project_id,
        "instances": instances,
        "token_file": files.token,
        "credentials_file": files.credentials,
    });
    writeln!(out, "{line}")?;
    out.flush()
}

/// Tells a person what to type next.
fn explain(args: &Args, cloud: &Running, files: &Files, err: &mut dyn Write) -> io::Result<()> {
    let pace = if args.speed > 0.0 {
        format!("its clock runs {} times as fast as yours", args.speed)
    } else {
        "its clock stands still".to_owned()
    };
    writeln!(
        err,
        "The simulated cloud answers at {}; {pace}. Ctrl-C ends it.",
        cloud.endpoint
    )?;
    let first = cloud.world().instance_ids().next().map(str::to_owned);
    if let Some(instance) = first {
        writeln!(
            err,
            "In another terminal, read it into an archive of its own:"
        )?;
        writeln!(
            err,
            "  dcs-history --db simulated.db sync --endpoint {} --project-id {} --instance {instance} --token-file {}",
            cloud.endpoint,
            cloud.project_id,
            quoted(&files.token.to_string_lossy()),
        )?;
    }
    err.flush()
}

/// Quotes a path for a shell where it needs to be.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if path.bytes().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_from_nothing_to_a_million() {
        for (text, speed) in [("0", 0.0), ("0.5", 0.5), ("60", 60.0), ("1e6", 1e6)] {
            assert_eq!(parse_speed(text), Ok(speed));
        }
        for text in ["", "-1", "nan", "inf", "1000001", "fast", "60x"] {
            assert!(parse_speed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_misread_it() {
        assert_eq!(
            quoted("/tmp/dcs-history-x_1/token"),
            "/tmp/dcs-history-x_1/token"
        );
        assert_eq!(quoted("/tmp/my files/it's"), r"'/tmp/my files/it'\''s'");
    }
}
