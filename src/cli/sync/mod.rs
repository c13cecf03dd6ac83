//! `sync`: reads the upstream into the archive, and says what was proven.

mod choice;
mod summary;
mod verdict;
mod which;

use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::BoolishValueParser;

use super::credentials;
use super::duration;
use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::network::NetworkArgs;
use super::{Context, Global, archive, metrics, shows_progress, signals};
use crate::api::auth::Auth;
use crate::api::client::Client;
use crate::api::endpoint::Endpoint;
use crate::output::Format;
use crate::output::progress::Progress;
use crate::store::chain::hex;
use crate::store::write::Archive;
use crate::sync::event::Event;
use crate::sync::list::List;
use crate::sync::{self, Job, READING, Refusal, Summary, Work};
use verdict::Verdict;

/// Read the background tasks of your instances into the archive.
///
/// The list of the project's instances is read first, and then the tasks of each; --instance reads single ones instead. A
/// full walk reads the whole task list of an instance, page by page, and proves that it saw all of it: the pages
/// overlap by one record, the upstream's count must equal the records received, and where that count cannot be relied on
/// two readings in a row must be the same. It is made once a day (--full-every). In between, an incremental walk reads
/// from the top down to below the last known update, which usually takes one small request, and proves by the count that
/// no unknown task is further down; where that proof fails, a full walk follows at once. What was read is stored whatever
/// came of the proof; the exit code says whether it is complete. A token is taken from --token-file, --token-command or the variable `DCS_HISTORY_TOKEN`; it is never
/// an argument.
///
/// Exit codes: 0 complete; 3 something is missing or unproven; 4 refused by the cloud; 5 nothing could be read to its end;
/// 75 another sync is running.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  dcs-history sync --endpoint https://dcs.eu-de.otc.t-systems.com \\
      --project-id ID --token-file FILE
  dcs-history sync --tag env=prod --exclude scratch  # the rest is exported
  dcs-history sync --instance ID -o json | jq '.[0].outcome'")]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten, next_help_heading = "Walks")]
    choice: choice::ChoiceArgs,
    #[command(flatten, next_help_heading = "Monitoring")]
    watch: metrics::WatchArgs,
}

/// Where to read, with what, and how to tell of it.
#[derive(Debug, ClapArgs)]
pub(crate) struct SourceArgs {
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
    #[command(flatten)]
    which: which::WhichArgs,
    /// Records to ask for in one request.
    #[arg(long, value_name = "N", default_value_t = 1000, env = "DCS_HISTORY_PAGE_SIZE", hide_env_values = true, value_parser = clap::value_parser!(u32).range(2..=1000))]
    page_size: u32,
    /// How long to wait for another sync that holds the archive.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "0s",
        value_parser = duration::parse,
        env = "DCS_HISTORY_WAIT",
        hide_env_values = true
    )]
    wait: Duration,
    /// Take this endpoint's host for the project's, though the archive knows the project from another host.
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_ACCEPT_ENDPOINT",
        hide_env_values = true
    )]
    accept_endpoint: bool,
    #[command(flatten, next_help_heading = "Credentials")]
    credentials: credentials::CredentialArgs,
    #[command(flatten, next_help_heading = "Network")]
    network: NetworkArgs,
    /// How to write the whole summary to standard output; as a table, it is the one line on standard error.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        env = "DCS_HISTORY_OUTPUT",
        hide_env_values = true
    )]
    output: Format,
}

pub(crate) fn run(args: &SyncArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let ended = read(&args.source, Work::Sync(args.choice.rules()), context);
    metrics::after_sync(&args.watch, &args.source.project_id, &ended, context);
    ended
}

/// Runs a sync or a backfill.
pub(crate) fn read(
    args: &SourceArgs,
    work: Work,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let endpoint = args.network.endpoint(&args.endpoint, "--endpoint")?;
    let auth = args.credentials.resolve()?;
    let signals = match context.signals {
        Some(told) => told.clone(),
        None => signals::listen()?,
    };
    let archive = Archive::new(
        archive::for_writing_within(args.wait, &signals, context)?,
        READING,
    );
    let job = Job {
        project_id: args.project_id.clone(),
        host: endpoint.host().to_owned(),
        instances: args.which.selection(&args.project_id, &archive)?,
        page_size: args.page_size,
        concurrency: args.network.concurrency(),
        work,
        accept_endpoint: args.accept_endpoint,
        version: env!("CARGO_PKG_VERSION"),
    };
    let (mut archive, summary) = walk(args, endpoint, auth, archive, &job, signals, context)?;
    let mut verdict = Verdict::of(&summary, (context.now)());
    let recorded = summary
        .record(&mut archive, verdict.outcome, verdict.exit.code())
        .and_then(|head| archive.close().map(|()| head));
    let head = recorded.as_ref().ok().map(|head| hex(head));
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
    let told = summary::Told {
        summary: &summary,
        verdict: &verdict,
        head: head.as_deref(),
    };
    summary::tell(args.output, &told, context)?;
    match verdict.error {
        Some(error) => Err(error),
        None => Ok(verdict.exit),
    }
}

/// Runs the sync and shows what goes on.
fn walk(
    args: &SourceArgs,
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
    let progress = Progress::new(shows_progress(context));
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
            Event::Instances(number) => progress.instances(number),
            Event::Page {
                list,
                received,
                total,
            } => progress.page(&list.to_string(), received, total),
            Event::Walked { list, .. } if list != List::Instances => progress.instance_done(),
            _ => {}
        }
    };
    let result = runtime.block_on(async {
        let client = Client::new(
            endpoint,
            auth,
            &args.network.settings(),
            args.network.deadline(),
            wall,
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
        Event::Instances(number) => (
            Level::Detail,
            match number {
                1 => "1 instance to read".to_owned(),
                number => format!("{number} instances to read"),
            },
        ),
        Event::Walking { list, attempt } => {
            (Level::Request, format!("{list}: walk {attempt} begins"))
        }
        Event::Page {
            list,
            received,
            total,
        } => {
            let of = total
                .map(|total| format!(" of {total}"))
                .unwrap_or_default();
            (
                Level::Request,
                format!("{list}: {received}{of} records received"),
            )
        }
        Event::Walked {
            list,
            proven,
            reason,
            counts,
        } => {
            let word = if *proven { "proven" } else { "not proven" };
            (
                Level::Detail,
                format!("{list}: {word}: {reason}; {} received", counts.received),
            )
        }
        Event::Note(message) => (Level::Note, message.clone()),
        Event::Warning(message) => (Level::Warning, message.clone()),
    };
    messages::write(err, global, level, &message);
}
