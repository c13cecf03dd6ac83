//! `doctor`: what a run of `sync` would go by, whether it would get through, and how this upstream behaves.
//!
//! It prints as far as it came, whatever ended it: the report of a failure is what it is for. Nothing in it is secret.

mod clock;
mod identity;
mod keep;
mod report;

use clap::Args;

use self::report::Report;
use super::error::{CliError, Exit};
use super::settings::Effective;
use super::settings::options::Setting;
use super::sync::SourceArgs;
use super::sync::place::Source;
use super::sync::run::Run;
use super::target::Project;
use super::{Context, long_version, output_args, output_failed, paths, signals};
use crate::api::client::Client;
use crate::api::endpoint::Endpoint;
use crate::api::error::{ApiError, ErrorKind};
use crate::model::time::Timestamp;
use crate::model::upstream::Told;
use crate::output::phrase;
use crate::sync::upstream::examination::{Access, Contact, Ended, Examination};
use crate::sync::upstream::probe;

pub(super) use report::COLUMNS;

/// Check configuration, credentials and endpoint, and find out how this upstream behaves
///
/// It takes the settings of `sync` and says what they are and where each comes from, which credential is used (never its
/// secret), how this machine's clock stands against the server's, whether the endpoint answers, and what the user may
/// read. Then it finds out by harmless reads what the cloud's documentation leaves open: what `task_count` counts and its
/// JSON type, the order of the list, the largest page, whether a plain list hides old records, which name of the time
/// filter is heard, which of a task's two times it filters, whether its bounds belong to the period, and the oldest
/// record still served. What it prints can be pasted into a ticket.
///
/// It sends 19 requests at most, one after the other, retries apart: one of them asks for 1000 records and the others for
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
    configuration(report, context.effective);
    let source = match args.source.resolve(context.effective, context.around) {
        Ok(source) => source,
        Err(error) => {
            report.add("credentials", "credential", "none", error.message.as_str());
            return Err(error);
        }
    };
    credentials(report, &source);
    let (endpoint, from) = (source.endpoint.clone(), source.endpoint_from.clone());
    let signals = match context.signals {
        Some(told) => told.clone(),
        None => signals::listen()?,
    };
    let named = match &source.project {
        Project::Id(id) => id.from.clone(),
        Project::Named(name) => format!("IAM's for {:?}, from {}", name.text, name.from),
    };
    if let Some(region) = &source.region {
        report.add(
            "endpoint",
            "region",
            region.text.as_str(),
            region.from.as_str(),
        );
    }
    if let Some((iam, from)) = &source.iam {
        report.add("endpoint", "iam", iam.as_str(), from.as_str());
    }
    let run = Run::start(&args.source, source, context)?;
    let project_id = match run.project_id(signals, context) {
        Ok(id) => id,
        Err(error) => {
            report.add("endpoint", "url", endpoint.as_str(), from);
            report.add("endpoint", "project", "not found", error.message.as_str());
            return Err(error);
        }
    };
    let db = paths::db(context.global.db.as_deref());
    let shelf = keep::Shelf::of(db, &project_id, endpoint.host());
    let (selection, known, now) = (args.source.selection(), shelf.known(), context.now);
    let ask =
        async |client: &Client| probe::examine(client, &project_id, &selection, known, now).await;
    let found = run.ask(ask, context);
    report.add("endpoint", "url", endpoint.as_str(), from);
    report.add("endpoint", "project", project_id.as_str(), named);
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

/// Tells every setting, and where it comes from.
fn configuration(report: &mut Report, effective: &Effective) {
    let file = effective.file.as_ref();
    let file = file.map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    let profile = effective.profile.as_ref();
    let profile = profile.map_or("none", |profile| profile.source.name.as_str());
    report.add("configuration", "file of settings", file, "");
    report.add("configuration", "profile", profile, "");
    let is_set = |setting: &&Setting| !setting.values.is_empty();
    for setting in effective.settings.iter().filter(is_set) {
        let value = setting.values.join(",");
        let origin = setting.origin.to_string();
        report.add("configuration", setting.key.as_str(), shown(value), origin);
    }
}

/// An address may have a user and a password in it, which is refused elsewhere.
fn shown(value: String) -> String {
    if value.contains("://") && value.contains('@') {
        return "(set, not shown)".to_owned();
    }
    value
}

/// Tells who a run is to the cloud and where each part of that comes from.
fn credentials(report: &mut Report, source: &Source) {
    let (label, parts) = &source.credential;
    report.add("credentials", "source", label.as_str(), "");
    for (name, value, note) in source.auth.iter().flat_map(identity::rows) {
        let part = parts.iter().find(|part| part.what == name);
        let note = part.map_or_else(|| note.to_owned(), |part| format!("from {}", part.from));
        report.add("credentials", name, value, note);
    }
    for half in &source.passed_over {
        report.add("credentials", "passed over", half.as_str(), "");
    }
}

/// Says whether the endpoint answers, and how the clocks stand.
fn reach(report: &mut Report, endpoint: &Endpoint, found: &Examination) {
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
