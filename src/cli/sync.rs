//! `sync`: reads the upstream into the archive, and says what was proven.

use clap::Args as ClapArgs;

use super::credentials;
use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::network::NetworkArgs;
use super::{Context, Global, LogFormat, When, archive, signals};
use crate::api::auth::Auth;
use crate::api::client::Client;
use crate::api::endpoint::Endpoint;
use crate::api::error::ApiError;
use crate::model::time::Timestamp;
use crate::output::json::{self, Framing, Value};
use crate::output::progress::Progress;
use crate::output::{Cell, phrase};
use crate::store::write::Archive;
use crate::sync::event::Event;
use crate::sync::outcome::{InstanceEnd, Outcome};
use crate::sync::{self, Job, READING, Refusal, Stopped, Summary};

/// Read the background tasks of your instances into the archive.
///
/// Every sync reads the whole task list of each instance, page by page, and proves that it saw all of it: the pages
/// overlap by one record, the upstream's count must equal the records received, and where that count cannot be relied on
/// two readings in a row must be the same. What was read is stored whatever came of the proof; the exit code says whether
/// it is complete. A token is taken from --token-file, --token-command or the variable `DCS_HISTORY_TOKEN`; it is never
/// an argument.
///
/// Exit codes: 0 complete; 3 something is missing or unproven; 4 refused by the cloud; 5 nothing could be read to its end;
/// 75 another sync is running.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  dcs-history sync --endpoint https://dcs.eu-de.otc.t-systems.com --project-id ID --instance ID
  dcs-history sync --token-file /run/secrets/token --instance ID --instance ID    # the rest is in the environment
  dcs-history sync --instance ID -o json | jq '.[0].outcome'")]
pub(crate) struct SyncArgs {
    /// The service's address, such as `https://dcs.eu-de.otc.t-systems.com`.
    #[arg(
        long,
        value_name = "URL",
        env = "DCS_HISTORY_ENDPOINT",
        hide_env_values = true
    )]
    endpoint: String,
    /// The project that the instances belong to.
    #[arg(
        long,
        value_name = "ID",
        env = "DCS_HISTORY_PROJECT_ID",
        hide_env_values = true
    )]
    project_id: String,
    /// The instance to read: its id, or the beginning of one that the archive knows. May be repeated.
    #[arg(
        long,
        value_name = "ID",
        env = "DCS_HISTORY_INSTANCE",
        hide_env_values = true,
        value_delimiter = ',',
        required = true
    )]
    instance: Vec<String>,
    /// Records to ask for in one request.
    #[arg(long, value_name = "N", default_value_t = 1000, env = "DCS_HISTORY_PAGE_SIZE", hide_env_values = true, value_parser = clap::value_parser!(u32).range(2..=1000))]
    page_size: u32,
    /// Take this endpoint's host for the project's, though the archive knows the project from another host.
    #[arg(long, env = "DCS_HISTORY_ACCEPT_ENDPOINT", hide_env_values = true)]
    accept_endpoint: bool,
    #[command(flatten, next_help_heading = "Credentials")]
    credentials: credentials::CredentialArgs,
    #[command(flatten, next_help_heading = "Network")]
    network: NetworkArgs,
    /// What to write to standard output: nothing (table), or the whole summary.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        env = "DCS_HISTORY_OUTPUT",
        hide_env_values = true
    )]
    output: SummaryFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SummaryFormat {
    /// The one line on standard error only.
    Table,
    /// An array that holds the summary.
    Json,
    /// The summary on one line.
    Jsonl,
}

/// What the process will end with, and why.
struct Verdict {
    exit: Exit,
    /// The word in the sync's row.
    outcome: &'static str,
    error: Option<CliError>,
}

pub(crate) fn run(args: &SyncArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let endpoint = args.network.endpoint(&args.endpoint, "--endpoint")?;
    let auth = args.credentials.resolve()?;
    let signals = signals::listen().map_err(|error| {
        CliError::new(Exit::Machine, "cannot listen for signals").because(&error)
    })?;
    let archive = Archive::new(
        archive::for_writing(context.global, (context.now)())?,
        READING,
    );
    let job = Job {
        project_id: args.project_id.clone(),
        host: endpoint.host().to_owned(),
        instances: instances(args, &archive)?,
        page_size: args.page_size,
        accept_endpoint: args.accept_endpoint,
        version: env!("CARGO_PKG_VERSION"),
    };
    let (mut archive, summary) = walk(args, endpoint, auth, archive, &job, signals, context)?;
    let mut verdict = Verdict::of(&summary, (context.now)());
    let recorded = summary
        .record(&mut archive, verdict.outcome, verdict.exit.code())
        .and_then(|()| archive.close());
    if let Err(error) = recorded {
        messages::write(
            context.err,
            context.global,
            Level::Warning,
            "the last lines of this sync could not be written to the archive; the next sync closes it as interrupted",
        );
        if verdict.exit != Exit::Interrupted
            && verdict.exit != Exit::Terminated
            && verdict.exit != Exit::Machine
        {
            verdict = Verdict::failed(CliError::from(error));
        }
    }
    tell_summary(args, &summary, &verdict, context)?;
    match verdict.error {
        Some(error) => Err(error),
        None => Ok(verdict.exit),
    }
}

/// Turns what was typed for an instance into ids: the beginning of a known one will do.
fn instances(args: &SyncArgs, archive: &Archive) -> Result<Vec<String>, CliError> {
    let mut ids = Vec::new();
    for typed in &args.instance {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(CliError::usage("--instance is empty").hint("give an instance's id"));
        }
        let known = archive.instances_like(&args.project_id, typed)?;
        let id = match known.as_slice() {
            _ if known.iter().any(|id| id == typed) => typed.to_owned(),
            [] => typed.to_owned(),
            [id] => id.clone(),
            several => {
                let listed = several
                    .iter()
                    .take(5)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(CliError::usage(format!(
                    "--instance {typed} may mean several instances"
                ))
                .hint(format!("type more of one of them: {listed}")));
            }
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Runs the sync and shows what goes on.
fn walk(
    args: &SyncArgs,
    endpoint: Endpoint,
    auth: Auth,
    archive: Archive,
    job: &Job,
    signals: signals::Told,
    context: &mut Context<'_>,
) -> Result<(Archive, Summary), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            CliError::new(Exit::Machine, "cannot start the runtime").because(&error)
        })?;
    let progress = progress(context, job.instances.len() as u64);
    let (retry, retries) = std::sync::mpsc::channel::<String>();
    let wall = context.now;
    let (global, err) = (context.global, &mut *context.err);
    let mut tell = |event: Event| {
        progress.suspend(|| {
            for line in retries.try_iter() {
                messages::write(err, global, Level::Note, &line);
            }
            tell_event(err, global, &event);
        });
        match event {
            Event::Page {
                instance_id,
                received,
                total,
            } => progress.page(&instance_id, received, total),
            Event::Walked { .. } => progress.instance_done(),
            _ => {}
        }
    };
    let result = runtime.block_on(async {
        let client = Client::new(
            endpoint,
            auth,
            &args.network.settings(),
            args.network.deadline(),
        )
        .map_err(|error| CliError::usage("cannot set up the connection").because(&error))?
        .observed(move |retrying| {
            let wait = retrying.wait.as_secs_f64();
            let line = format!(
                "{}: {}; attempt {} failed, asking again in {wait:.1} s",
                retrying.url, retrying.why, retrying.attempts
            );
            // The receiver outlives the client; a line that nobody reads would be no loss.
            let _unread = retry.send(line);
        });
        sync::run(job, &client, archive, wall, signals, &mut tell)
            .await
            .map_err(refusal)
    });
    // A token command may still be running; it is not waited for.
    runtime.shutdown_background();
    for line in retries.try_iter() {
        messages::write(context.err, context.global, Level::Note, &line);
    }
    progress.finish();
    result
}

fn progress(context: &Context<'_>, instances: u64) -> Progress {
    let shown = match context.global.progress {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            context.err_is_terminal
                && context.global.quiet == 0
                && context.global.log_format == LogFormat::Text
        }
    };
    Progress::new(shown, instances)
}

fn refusal(refusal: Refusal) -> CliError {
    match refusal {
        Refusal::Store(error) => CliError::from(error),
        Refusal::OtherHost(error) => CliError::usage(error.to_string())
            .hint("real and simulated data never mix: use another archive (--db)")
            .hint(
                "if the project really is read from here now, say so once with --accept-endpoint",
            ),
    }
}

fn tell_event(err: &mut dyn std::io::Write, global: &Global, event: &Event) {
    let (level, message) = match event {
        Event::Walking {
            instance_id,
            attempt,
        } => (
            Level::Request,
            format!("instance {instance_id}: walk {attempt} begins"),
        ),
        Event::Page {
            instance_id,
            received,
            total,
        } => {
            let of = total
                .map(|total| format!(" of {total}"))
                .unwrap_or_default();
            (
                Level::Request,
                format!("instance {instance_id}: {received}{of} records received"),
            )
        }
        Event::Walked {
            instance_id,
            proven,
            reason,
            counts,
        } => {
            let word = if *proven { "proven" } else { "not proven" };
            (
                Level::Detail,
                format!(
                    "instance {instance_id}: {word}: {reason}; {} received",
                    counts.received
                ),
            )
        }
        Event::Note(message) => (Level::Note, message.clone()),
        Event::Warning(message) => (Level::Warning, message.clone()),
    };
    messages::write(err, global, level, &message);
}

impl Verdict {
    fn of(summary: &Summary, now: Timestamp) -> Self {
        let api = |exit: Exit, message: &str, error: &ApiError| {
            let told = CliError::new(exit, message).because(error);
            Self::failed(error.hints(now).into_iter().fold(told, CliError::hint))
        };
        match &summary.stopped {
            Some(Stopped::Store(error)) => Self::failed(archive::store_problem(error)),
            Some(Stopped::Refused(error)) => {
                api(Exit::Refused, "the cloud refuses the credential", error)
            }
            Some(Stopped::Signal(signal)) => {
                let message = "stopped by a signal: what was read is stored, and the next sync goes on from there";
                Self::failed(CliError::new(signals::exit(*signal), message))
            }
            Some(Stopped::DeadOrigin(error) | Stopped::Deadline(error)) => {
                let exit = exit(summary.outcome);
                api(
                    if exit == Exit::Done {
                        Exit::Partial
                    } else {
                        exit
                    },
                    &told(summary),
                    error,
                )
            }
            None if summary.outcome == Outcome::Complete => Self {
                exit: Exit::Done,
                outcome: "complete",
                error: None,
            },
            None => {
                let message = told(summary);
                match summary.failures.first() {
                    Some((_, error)) => api(exit(summary.outcome), &message, error),
                    None => Self::failed(with_advice(
                        CliError::new(exit(summary.outcome), message),
                        summary,
                    )),
                }
            }
        }
    }

    fn failed(error: CliError) -> Self {
        Self {
            exit: error.exit,
            outcome: error.exit.name(),
            error: Some(error),
        }
    }
}

const fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Complete => Exit::Done,
        Outcome::Partial => Exit::Partial,
        Outcome::Refused => Exit::Refused,
        Outcome::Unread => Exit::Unreachable,
        Outcome::UnknownInstance => Exit::Usage,
    }
}

/// Says in a sentence what the sync is not.
fn told(summary: &Summary) -> String {
    let of = |ends: &[InstanceEnd]| {
        summary
            .instances
            .iter()
            .filter(|report| ends.contains(&report.end))
            .count()
    };
    let (all, proven) = (
        summary.instances.len(),
        of(&[InstanceEnd::Proven, InstanceEnd::ProvenWithNewRejects]),
    );
    match summary.outcome {
        Outcome::UnknownInstance => "the cloud does not know the instance".to_owned(),
        Outcome::Refused => "the cloud refuses to show the instance".to_owned(),
        Outcome::Unread => "no instance could be read to its end".to_owned(),
        Outcome::Complete | Outcome::Partial => {
            let rejected = summary.counts().rejected_new;
            let set_aside = match rejected {
                0 => String::new(),
                1 => "; 1 record that cannot be read was set aside".to_owned(),
                n => format!("; {n} records that cannot be read were set aside"),
            };
            format!("this sync is not complete: {proven} of {all} instances proven{set_aside}")
        }
    }
}

fn with_advice(error: CliError, summary: &Summary) -> CliError {
    let mut error = error;
    if summary.outcome == Outcome::UnknownInstance {
        return error.hint(
            "check --instance, --project-id and the region of --endpoint; nothing was stored",
        );
    }
    for report in &summary.instances {
        if report.end == InstanceEnd::Unproven {
            error.causes.push(format!(
                "instance {}: {}",
                report.instance_id, report.reason
            ));
        }
    }
    if summary.counts().rejected_new > 0 {
        error =
            error.hint("the archive's view `rejected` has their text and what is wrong with them");
    }
    error.hint("everything that was read is stored; `dcs-history coverage --walks` shows each walk")
}

/// Writes one line for people, or the whole summary for programs.
fn tell_summary(
    args: &SyncArgs,
    summary: &Summary,
    verdict: &Verdict,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let counts = summary.counts();
    let proven = summary.proven();
    let took = phrase::duration(summary.finished.distance(summary.started));
    let line = format!(
        "sync {}: {}: {proven} of {} instances proven; {} new, {} changed, {} missing, {} rejected; {} requests, {took}",
        summary.sync_id,
        verdict.outcome,
        summary.instances.len(),
        counts.new,
        counts.changed,
        counts.missing,
        counts.rejected,
        summary.requests,
    );
    messages::write(context.err, context.global, Level::Result, &line);
    let framing = match args.output {
        SummaryFormat::Table => return Ok(()),
        SummaryFormat::Json => Framing::Array,
        SummaryFormat::Jsonl => Framing::Lines,
    };
    json::write(context.out, framing, &[whole(summary, verdict)])
        .map_err(|error| super::output_failed(&error))
}

/// The summary with the names of the `syncs` view, and what each instance came to.
fn whole(summary: &Summary, verdict: &Verdict) -> Value {
    let text = |text: &str| Value::Cell(Cell::text(text));
    let number =
        |number: u64| Value::Cell(Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
    let count = |counts: crate::model::ledger::Counts| {
        [
            ("new", counts.new),
            ("changed", counts.changed),
            ("same", counts.same),
            ("older", counts.older),
            ("rejected", counts.rejected),
            ("missing", counts.missing),
            ("reappeared", counts.reappeared),
        ]
        .map(|(name, count)| (name.to_owned(), number(count)))
    };
    let results = summary.instances.iter().map(|report| {
        let mut members = vec![
            ("instance_id".to_owned(), text(&report.instance_id)),
            ("outcome".to_owned(), text(report.end.as_str())),
            ("reason".to_owned(), text(&report.reason)),
            ("walks".to_owned(), number(u64::from(report.walks))),
        ];
        members.extend(count(report.counts));
        Value::Object(members)
    });
    let mut members = vec![
        (
            "sync_id".to_owned(),
            Value::Cell(Cell::Integer(summary.sync_id)),
        ),
        ("started_at".to_owned(), text(&summary.started.to_string())),
        (
            "finished_at".to_owned(),
            text(&summary.finished.to_string()),
        ),
        ("outcome".to_owned(), text(verdict.outcome)),
        (
            "exit_code".to_owned(),
            number(u64::from(verdict.exit.code())),
        ),
        ("version".to_owned(), text(env!("CARGO_PKG_VERSION"))),
        (
            "instances".to_owned(),
            number(summary.instances.len() as u64),
        ),
        (
            "walks".to_owned(),
            number(
                summary
                    .instances
                    .iter()
                    .map(|report| u64::from(report.walks))
                    .sum(),
            ),
        ),
        ("proven".to_owned(), number(summary.proven())),
        ("requests".to_owned(), number(summary.requests)),
        ("retries".to_owned(), number(summary.retries)),
    ];
    members.extend(count(summary.counts()));
    members.push(("results".to_owned(), Value::Array(results.collect())));
    Value::Object(members)
}
