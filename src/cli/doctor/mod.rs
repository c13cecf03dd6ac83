//! `doctor`: what a run of `sync` would go by, whether it would get through, and how this upstream behaves.
//!
//! It prints as far as it came, whatever ended it: the report of a failure is what it is for. Nothing in it is secret.

mod clock;
mod identity;
mod keep;
mod report;
mod settings;

use clap::Args;

use self::report::Report;
use self::settings::Setting;
use super::error::{CliError, Exit};
use super::messages::{self, Level};
use super::sync::SourceArgs;
use super::{Context, long_version, output_args, output_failed, paths};
use crate::api::client::Client;
use crate::api::endpoint::Endpoint;
use crate::api::error::{ApiError, ErrorKind};
use crate::model::ledger::Endpoint as Known;
use crate::model::time::Timestamp;
use crate::model::upstream::Told;
use crate::output::phrase;
use crate::sync::upstream::examination::{Access, Contact, Ended, Examination};
use crate::sync::upstream::probe;

pub(super) use report::COLUMNS;
pub(super) use settings::effective;

/// Check configuration, credentials and endpoint, and find out how this upstream behaves
///
/// It takes the settings of `sync` and says what they are and where each comes from, which credential is used (never its
/// secret), how this machine's clock stands against the server's, whether the endpoint answers, and what the user may
/// read. Then it finds out by harmless reads what the cloud's documentation leaves open: what `task_count` counts and its
/// JSON type, the order of the list, the largest page, whether a plain list hides old records, which name of the time
/// filter is heard, which of a task's two times it filters, whether its bounds belong to the period, and the oldest
/// record still served. What it prints can be pasted into a ticket.
///
/// It sends 18 requests at most, one after the other, retries apart: one of them asks for 1000 records and the others for
/// 100 or less. It asks the instance with most tasks among the first five; --instance names another. A refused credential
/// is sent once.
///
/// An archive is not needed. One that is there, and that nobody else writes to, keeps the findings (the view `upstream`);
/// a `sync` compares what it sees with them and warns once of what has changed.
///
/// Exit codes: 0 everything answered, whatever was found; 2 settings; 4 refused by the cloud; 5 no answer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history doctor                    # the settings are exported
  dcs-history doctor --instance ID -o markdown > ticket.md
  dcs-history doctor -o json | jq '.[] | select(.section == \"upstream\")'")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Every setting of this call, with its origin.
    #[arg(skip)]
    pub(super) settings: Vec<Setting>,
}

pub(crate) fn run(args: &DoctorArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let mut report = Report::default();
    let ended = examine(args, &mut report, context);
    let settings = output_args::plain(args.source.format(), context);
    report
        .write(settings, context.out)
        .map_err(|error| output_failed(&error))?;
    ended.map(|()| Exit::Done)
}

/// Adds to the report as far as it comes.
fn examine(
    args: &DoctorArgs,
    report: &mut Report,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    for (name, value) in long_version().lines().zip(["program", "", ""]).map(version) {
        report.add("program", name, value, "");
    }
    for Setting {
        name,
        value,
        origin,
    } in &args.settings
    {
        report.add("configuration", name, value.as_str(), origin.as_str());
    }
    let endpoint = args.source.address()?;
    let auth = match args.source.auth() {
        Ok(auth) => auth,
        Err(error) => {
            report.add("credentials", "credential", "none", error.message.as_str());
            return Err(error);
        }
    };
    report.add(
        "credentials",
        "source",
        identity::source(&args.settings),
        "",
    );
    for (name, value, note) in identity::rows(&auth) {
        report.add("credentials", name, value, note);
    }
    let db = paths::db(context.global.db.as_deref());
    let shelf = keep::Shelf::of(db, args.source.project(), endpoint.host());
    let client = args.source.client(endpoint.clone(), auth, context.now);
    let client =
        client.map_err(|error| CliError::usage("cannot set up the connection").because(&error))?;
    let found = ask(args, client, shelf.known(), context)?;
    reach(report, &endpoint, &found);
    permission(report, &found);
    let before = shelf.before();
    for finding in &found.findings {
        let name = finding.aspect.as_str();
        match &finding.told {
            Told::Known { word, evidence } => {
                let was = before
                    .iter()
                    .find(|(aspect, kept)| *aspect == finding.aspect && kept.finding != *word)
                    .map_or_else(String::new, |(_, kept)| {
                        format!("; before: {}, since {}", kept.finding, kept.first_seen)
                    });
                report.add("upstream", name, word.as_str(), format!("{evidence}{was}"));
            }
            Told::CannotBeTold { why } => {
                report.add("upstream", name, "cannot be told", why.as_str());
            }
        }
    }
    let now = found.contact.and_then(|contact| contact.date);
    for (name, value, note) in shelf.keep(&found, now.unwrap_or_else(context.now), context.now) {
        report.add("archive", name, value, note);
    }
    match found.ended {
        Some(ended) => Err(told(ended, (context.now)())),
        None => Ok(()),
    }
}

/// One line of the long version: the program's own has no name in it.
fn version((line, first): (&'static str, &'static str)) -> (&'static str, &'static str) {
    match line.rsplit_once(' ') {
        Some(named) => named,
        None => (first, line),
    }
}

/// Puts the questions, and tells of every retry.
fn ask(
    args: &DoctorArgs,
    client: Client,
    known: Known,
    context: &mut Context<'_>,
) -> Result<Examination, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            CliError::new(Exit::Machine, "cannot start the runtime").because(&error)
        })?;
    let (retry, retries) = std::sync::mpsc::channel::<String>();
    let client = client.observed(move |retrying| {
        let wait = retrying.wait.as_secs_f64();
        let line = format!(
            "{}: {}; attempt {} failed, asking again in {wait:.1} s",
            retrying.url, retrying.why, retrying.attempts
        );
        // The receiver outlives the client; a line that nobody reads would be no loss.
        let _unread = retry.send(line);
    });
    let selection = args.source.selection();
    let found = runtime.block_on(probe::examine(
        &client,
        args.source.project(),
        &selection,
        known,
        context.now,
    ));
    // A token command may still be running; it is not waited for.
    runtime.shutdown_background();
    for line in retries.try_iter() {
        messages::write(context.err, context.global, Level::Note, &line);
    }
    Ok(found)
}

/// Says whether the endpoint answers, and how the clocks stand.
fn reach(report: &mut Report, endpoint: &Endpoint, found: &Examination) {
    report.add("endpoint", "url", endpoint.as_str(), "");
    let (tls, note) = match (&found.ended, found.contact) {
        (Some(Ended::Unreachable(error)), None) => {
            let failed = matches!(error.kind(), ErrorKind::Tls { .. });
            let tls = if failed { "refused" } else { "cannot be told" };
            (tls, error.in_one_line())
        }
        _ if endpoint.is_https() => ("verified", "at least TLS 1.2".to_owned()),
        _ if endpoint.is_loopback() => ("none", "plain http, to this machine".to_owned()),
        _ => (
            "none",
            "plain http: everybody on the way can read the credential".to_owned(),
        ),
    };
    report.add("endpoint", "tls", tls, note);
    let Some(contact) = found.contact else {
        report.add("endpoint", "latency", "no answer", "");
        return;
    };
    let Contact {
        date,
        ours,
        latency,
        attempts,
    } = contact;
    let note = match attempts {
        0 | 1 => "until the first answer, the connection included".to_owned(),
        several => {
            format!("until the first answer, with the waits between {several} attempts")
        }
    };
    let millis = i64::try_from(latency.as_millis()).unwrap_or(i64::MAX);
    let latency = if millis < 10_000 {
        format!("{millis} ms")
    } else {
        phrase::duration(millis)
    };
    report.add("endpoint", "latency", latency, note);
    let (difference, note) = clock::judge(ours, date, millis);
    report.add("clock", "this machine", ours.to_string(), "");
    let date = date.map_or_else(|| "not sent".to_owned(), |date| date.to_string());
    report.add("clock", "server", date, "the Date of its first answer");
    report.add("clock", "difference", difference, note);
}

fn permission(report: &mut Report, found: &Examination) {
    let actions = [
        ("list of instances", &found.list, "dcs:instance:list"),
        (
            "tasks of an instance",
            &found.tasks,
            "dcs:instance:getBackgroundTask",
        ),
    ];
    for (name, access, action) in actions {
        let (value, note) = match access {
            Access::NotAsked => ("not asked", String::new()),
            Access::Allowed(note) => ("allowed", note.clone()),
            Access::Refused(said) => ("refused", format!("it takes {action}: {said}")),
            Access::Failed(said) => ("cannot be told", said.clone()),
        };
        report.add("permission", name, value, note);
    }
    if let Some(chosen) = &found.chosen {
        let (id, why) = (chosen.instance_id.as_str(), chosen.why.as_str());
        report.add("permission", "instance asked", id, why);
    }
}

/// Says in a sentence what ended the asking.
fn told(ended: Ended, now: Timestamp) -> CliError {
    let api = |exit, message: &str, error: &ApiError| {
        let told = CliError::new(exit, message).because(error);
        error.hints(now).into_iter().fold(told, CliError::hint)
    };
    match ended {
        Ended::Refused(error) if error.is_unauthorized() => {
            api(Exit::Refused, "the cloud refuses the credential", &error)
        }
        Ended::Refused(error) => api(
            Exit::Refused,
            "the cloud refuses to show the project's instances or their tasks",
            &error,
        ),
        Ended::Unreachable(error) => api(Exit::Unreachable, "the service cannot be read", &error),
        Ended::UnknownInstance(error) => CliError::usage("the cloud does not know the instance")
            .because(&*error)
            .hint("check --instance, --project-id and the region of --endpoint"),
        Ended::NoneChosen => CliError::usage("no instance of the project is what was asked for")
            .hint("check --exclude, --tag and --name"),
    }
}

#[cfg(test)]
mod tests;
