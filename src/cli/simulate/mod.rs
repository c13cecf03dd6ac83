//! `simulate`: the simulated cloud alone, until somebody stops it.

mod files;
mod manners;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::duration;
use super::error::{CliError, Exit};
use super::paths::quoted;
use super::{Context, LogFormat, output_failed};
use crate::simulator::account::REGION;
use crate::simulator::world;
use crate::simulator::{self, Running};
pub(super) use files::Files;
use manners::MannerArgs;

/// Run a simulated cloud on this machine, to try things on.
///
/// It answers like the cloud does, on 127.0.0.1 only: a project with a few Redis instances that people keep resizing,
/// exposing and re-porting, on a clock of its own that starts at 2026-10-01 and runs fast. New tasks appear, run, succeed or
/// fail, and now and then a record is deleted. No account is needed, nothing leaves this machine, and the same seed always
/// makes the same cloud.
///
/// When it is ready it prints one line of JSON: where it answers, the project, the instances, and the names of two files:
/// `token` holds a token, and `credentials.json` all else that opens it. Ctrl-C stops it and removes the files.
///
/// DCS, IAM and the metadata service of an ECS answer at the same address. IAM gives a token for the user's password, and
/// finds projects by name: `sim-1` has the instances, `sim-1_audit` is empty, and two are called `sim-2`. A request may be
/// signed with the access key, or with the temporary keys that the metadata service gives. Tokens and temporary keys end
/// by the cloud's clock; a signature is judged by this machine's, because that is the one that it is made by. A key that
/// failed six times in a row is locked for five minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dcs-history simulate                  # on any free port, a minute a second
  dcs-history simulate --port 18080 --speed 3600         # an hour a second
  dcs-history simulate --dir simulated  # the token is in simulated/token
  dcs-history simulate --tasks 200000 --page-cap 100 --latency 20ms --speed 0
  dcs-history simulate --count page --window 30d --throttle 5 --trouble 7")]
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
    #[command(flatten)]
    manners: MannerArgs,
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
    let runtime = crate::cli::runtime()?;
    // The signals are caught before anybody is told that there is something to stop.
    let mut signals = runtime
        .block_on(async { Signals::catch() })
        .map_err(|error| machine("cannot catch signals", &error))?;
    let cloud =
        simulator::start(args.options()).map_err(|error| cannot_listen(args.port, &error))?;
    let files = Files::write(args.dir.as_deref(), &cloud)
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
            manners: self.manners.read(),
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

/// Prints the one line for programs and makes sure that it arrives.
fn announce(cloud: &Running, files: &Files, out: &mut dyn Write) -> io::Result<()> {
    let instances: Vec<String> = cloud.world().instance_ids().map(str::to_owned).collect();
    let line = json!({
        "endpoint": cloud.endpoint,
        "iam_endpoint": cloud.endpoint,
        "metadata_endpoint": cloud.endpoint,
        "region": REGION,
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
            quoted(&files.token),
        )?;
    }
    err.flush()
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
}
