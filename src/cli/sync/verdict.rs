//! What a sync ends with: the exit code, and the error in words with the next step.

use crate::api::error::ApiError;
use crate::cli::error::{CliError, Exit};
use crate::cli::{archive, signals};
use crate::model::time::Timestamp;
use crate::sync::outcome::{InstanceEnd, Outcome};
use crate::sync::{Stopped, Summary};

/// What the process will end with, and why.
pub(super) struct Verdict {
    pub(super) exit: Exit,
    /// The word in the sync's row.
    pub(super) outcome: &'static str,
    pub(super) error: Option<CliError>,
}

impl Verdict {
    pub(super) fn of(summary: &Summary, now: Timestamp) -> Self {
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
            // Whoever was halted by another is never the reason.
            Some(Stopped::Halted) | None if summary.outcome == Outcome::Complete => Self {
                exit: Exit::Done,
                outcome: "complete",
                error: None,
            },
            Some(Stopped::Halted) | None => {
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

    pub(super) fn failed(error: CliError) -> Self {
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
        Outcome::UnknownInstance | Outcome::NoneChosen => Exit::Usage,
    }
}

/// Says in a sentence what the sync is not.
fn told(summary: &Summary) -> String {
    let all = summary.instances.len();
    let proven = summary.proven();
    match summary.outcome {
        Outcome::UnknownInstance => "the cloud does not know the instance".to_owned(),
        Outcome::NoneChosen => "no instance of the project is what was asked for".to_owned(),
        Outcome::Refused if summary.list.is_some() => {
            "the cloud refuses to show the project's instances".to_owned()
        }
        Outcome::Refused => "the cloud refuses to show the instance".to_owned(),
        Outcome::Unread => "no instance could be read to its end".to_owned(),
        Outcome::Complete | Outcome::Partial => {
            let rejected = summary.counts().rejected_new;
            let set_aside = match rejected {
                0 => String::new(),
                1 => "; 1 record that cannot be read was set aside".to_owned(),
                n => format!("; {n} records that cannot be read were set aside"),
            };
            let unproven_list = match &summary.list {
                Some(list) if !list.end.is_proven() => "; the list of instances is not proven",
                _ => "",
            };
            let (name, done) = super::summary::words(summary);
            format!(
                "this {name} is not complete: {proven} of {all} instances {done}{unproven_list}{set_aside}"
            )
        }
    }
}

fn with_advice(error: CliError, summary: &Summary) -> CliError {
    let mut error = error;
    if summary.outcome == Outcome::UnknownInstance {
        return error.hint(
            "check --instance, --project-id and the region of --endpoint; a sync without --instance reads all there are",
        );
    }
    if summary.outcome == Outcome::NoneChosen {
        return error
            .hint("check --exclude, --tag and --name against what `dcs-history instances` shows");
    }
    for report in summary.list.iter().chain(&summary.instances) {
        if report.end == InstanceEnd::Unproven {
            error
                .causes
                .push(format!("{}: {}", report.list, report.reason));
        }
    }
    let mut reports = summary.list.iter().chain(&summary.instances);
    if reports.any(|report| report.end == InstanceEnd::Unproven && report.is_short_of_its_count) {
        error = error.hint(
            "if this upstream's counts are wrong for good, say `total = \"ignore\"` in the profile: then two equal walks are the proof",
        );
    }
    if summary.counts().rejected_new > 0 {
        error =
            error.hint("the archive's view `rejected` has their text and what is wrong with them");
    }
    error.hint("everything that was read is stored; `dcs-history coverage --walks` shows each walk")
}
