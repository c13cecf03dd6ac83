//! `sync`: reads the upstream into the archive, and says what was proven.

mod choice;
pub(crate) mod place;
mod project;
pub(crate) mod run;
pub(crate) mod several;
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
use super::settings::SeveralArgs;
use super::target::Project;
use super::{Context, Global, archive, metrics, signals};
use crate::output::Format;
use crate::store::chain::hex;
use crate::store::write::Archive;
use crate::sync::event::Event;
use crate::sync::selection::Selection;
use crate::sync::{Job, READING, Refusal, Work};
use place::Source;
use run::Run;
use summary::Told;
use verdict::Verdict;

/// Read the background tasks of your instances into the archive.
///
/// The list of the project's instances is read first, and then the tasks of each; --instance reads single ones instead. A
/// full walk reads the whole task list of an instance, page by page, and proves that it saw all of it: the pages
/// overlap by one record, the upstream's count must equal the records received, and where that count cannot be relied on
/// two readings in a row must be the same. It is made once a day (--full-every). In between, an incremental walk reads
/// from the top down to below the last known update, which usually takes one small request, and proves by the count that
/// no unknown task is further down; where that proof fails, a full walk follows at once. What was read is stored whatever
/// came of the proof; the exit code says whether it is complete.
///
/// The credential is taken from --token-file, --token-command, the variable `DCS_HISTORY_TOKEN`, the profile, or from where
/// the tools of your cloud find theirs: `OS_CLOUD` with clouds.yaml, `OS_*`, `HUAWEICLOUD_SDK_*`, `HW_*`,
/// ~/.huaweicloud/credentials, ~/.hcloud/config.json, the agency of an ECS. A secret is never an argument. What the source
/// says of region and project need not be said again. Several profiles are read one after the other.
///
/// Exit codes: 0 complete; 3 something is missing or unproven; 4 refused by the cloud; 5 nothing could be read to its end;
/// 75 another sync is running.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  dcs-history sync --region eu-de --project-id ID --token-file FILE
  dcs-history sync --tag env=prod --exclude scratch  # the rest is exported
  dcs-history sync --profile prod --profile test -o json | jq '.[].outcome'")]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten, next_help_heading = "Walks")]
    choice: choice::ChoiceArgs,
    #[command(flatten, next_help_heading = "Profiles")]
    several: SeveralArgs,
    #[command(flatten, next_help_heading = "Monitoring")]
    watch: metrics::WatchArgs,
}

/// Where to read, with what, and how to tell of it.
#[derive(Debug, ClapArgs)]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    place: place::PlaceArgs,
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

impl SourceArgs {
    /// Returns which instances were typed.
    pub(crate) fn selection(&self) -> Selection {
        self.which.typed()
    }

    pub(crate) fn format(&self) -> Format {
        self.output
    }
}

pub(crate) fn run(args: &SyncArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let ended = read(&args.source, Work::Sync(args.choice.rules()), context);
    metrics::after_sync(&args.watch, &[ended.in_short()], context);
    ended.close(args.source.output, context)
}

/// Runs a backfill.
pub(crate) fn backfill(
    args: &SourceArgs,
    work: Work,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    read(args, work, context).close(args.output, context)
}

/// How a run ended, as far as it came.
struct Ended {
    project_id: Option<String>,
    /// Nothing if it ended before anything was asked.
    told: Option<Told>,
    result: Result<Exit, CliError>,
}

impl Ended {
    fn exit(&self) -> Exit {
        match &self.result {
            Ok(exit) => *exit,
            Err(error) => error.exit,
        }
    }

    fn in_short(&self) -> (Option<String>, Exit) {
        (self.project_id.clone(), self.exit())
    }

    /// Writes the summary to standard output.
    fn close(self, format: Format, context: &mut Context<'_>) -> Result<Exit, CliError> {
        if let Some(told) = &self.told {
            summary::write(format, &[told], context)?;
        }
        self.result
    }
}

/// Runs a sync or a backfill.
fn read(args: &SourceArgs, work: Work, context: &mut Context<'_>) -> Ended {
    let mut ended = Ended {
        project_id: None,
        told: None,
        result: Ok(Exit::Done),
    };
    ended.result = try_read(args, work, &mut ended, context);
    ended
}

fn try_read(
    args: &SourceArgs,
    work: Work,
    ended: &mut Ended,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let source = args.resolve(context.effective, context.around)?;
    tell_source(&source, context);
    if let Project::Id(id) = &source.project {
        ended.project_id = Some(id.text.clone());
    }
    let signals = match context.signals {
        Some(told) => told.clone(),
        None => signals::listen()?,
    };
    let archive = Archive::new(
        archive::for_writing_within(args.wait, &signals, context)?,
        READING,
    );
    let run = Run::start(args, source, context)?;
    let project_id = run.project_id(signals.clone(), context)?;
    ended.project_id = Some(project_id.clone());
    let profile = context.effective.profile.as_ref();
    let job = Job {
        instances: args.which.selection(&project_id, &archive)?,
        project_id,
        host: run.source.endpoint.host().to_owned(),
        page_size: args.page_size,
        concurrency: args.network.concurrency(),
        work,
        accept_endpoint: args.accept_endpoint,
        final_statuses: profile.map_or_else(Vec::new, |profile| profile.final_statuses.clone()),
        ignore_total: profile.is_some_and(|profile| profile.ignore_total),
        version: env!("CARGO_PKG_VERSION"),
    };
    let (mut archive, summary) = run.walk(archive, &job, signals, context)?;
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
    let profile = context.effective.profile.as_ref();
    let told = Told {
        profile: profile.map(|profile| profile.source.name.clone()),
        outcome: verdict.outcome,
        exit: verdict.exit,
        head,
        summary,
    };
    summary::tell(&told, context);
    ended.told = Some(told);
    match verdict.error {
        Some(error) => Err(error),
        None => Ok(verdict.exit),
    }
}

/// Says what was not used though it is there by half, and to whoever wants to know it, what is used.
fn tell_source(source: &Source, context: &mut Context<'_>) {
    for half in &source.passed_over {
        let message = format!("passed over: {half}");
        messages::write(context.err, context.global, Level::Note, &message);
    }
    let message = format!(
        "the credential is that of {}; the endpoint is {}, from {}",
        source.credential.0, source.endpoint, source.endpoint_from
    );
    messages::write(context.err, context.global, Level::Detail, &message);
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
