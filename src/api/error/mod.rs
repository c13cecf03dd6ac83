//! The one error of the street: what was asked, what happened, what the other end said about it, how often it was tried.
//!
//! Everything quoted from an answer has been scrubbed of the run's tokens, escaped and cut before it gets in here.

mod kind;

use std::{error::Error, fmt, time::Duration};

use crate::model::time::{MINUTE, Timestamp};

use super::{quote, retry::Asked};

pub(crate) use super::retry::Stop;
pub(crate) use kind::ErrorKind;
pub(super) use kind::Failure;
use kind::Length;

/// How far two clocks may differ before it is worth a hint. Signed requests are refused beyond 15 minutes; 5 warn early.
const CLOCKS_DIFFER: i64 = 5 * MINUTE;

/// The codes that say that one named parameter is not acceptable.
const BAD_PARAMETER: [&str; 6] = [
    "DCS.4062",
    "DCS.4063",
    "DCS.4800",
    "111400062",
    "111400063",
    "111400800",
];

/// The codes that say that the instance does not exist.
const NO_INSTANCE: [&str; 2] = ["DCS.3022", "111404022"];

/// The codes that say that the instance has no background tasks as a feature.
const NO_BACKGROUND_TASKS: [&str; 2] = ["DCS.4094", "111400094"];

/// The codes that say that a token belongs to another region or project.
const ELSEWHERE: [&str; 3] = ["APIGW.0307", "DCS.1004", "111401004"];

/// A request that failed for good.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    failure: Failure,
    request: Request,
    attempts: u32,
    stop: Stop,
}

/// What was asked for, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) url: String,
    pub(super) endpoint: String,
    pub(super) project: String,
}

impl ApiError {
    pub(super) fn new(failure: Failure, request: Request, attempts: u32, stop: Stop) -> Self {
        Self(Box::new(Inner {
            failure,
            request,
            attempts,
            stop,
        }))
    }

    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.0.failure.kind
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.0.failure.status
    }

    /// Returns the cloud's own code, in whichever of its two spellings it was sent.
    pub(crate) fn code(&self) -> Option<&str> {
        self.0.failure.said.code.as_deref()
    }

    pub(crate) fn message(&self) -> Option<&str> {
        self.0.failure.said.message.as_deref()
    }

    /// Returns how many requests were sent before giving up; none if sending was pointless.
    pub(crate) fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the server's clock when it answered.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        self.0.failure.date
    }

    /// Returns the wait that the server asked for, if it was too long to be made.
    pub(crate) fn asked_to_wait(&self) -> Option<Duration> {
        match self.0.failure.asked {
            Asked::TooLong(wait) => Some(wait),
            Asked::Wait(_) | Asked::Nothing => None,
        }
    }

    /// Says whether a smaller `limit` is worth a try.
    pub(crate) fn blames_limit(&self) -> bool {
        self.status() == Some(400)
            && blames_limit(
                self.code().unwrap_or_default(),
                self.message().unwrap_or_default(),
            )
    }

    /// Says whether the service itself, by its own code, says that the instance does not exist. Any other 404 is one of
    /// the endpoint and proves nothing about the instance.
    pub(crate) fn instance_absent(&self) -> bool {
        self.status() == Some(404) && self.has_code(&NO_INSTANCE)
    }

    pub(crate) fn no_background_tasks(&self) -> bool {
        self.status() == Some(400) && self.has_code(&NO_BACKGROUND_TASKS)
    }

    /// Says whether the credential was refused, now or earlier in the run, or could not be renewed: the run is over.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
            || matches!(
                self.kind(),
                ErrorKind::AlreadyRefused | ErrorKind::NotRenewed
            )
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }

    /// Says whether no request to this origin can work, whatever it asks for.
    pub(crate) fn origin_is_dead(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connect | ErrorKind::Tls { .. })
    }

    pub(crate) fn is_deadline(&self) -> bool {
        matches!(self.kind(), ErrorKind::Deadline { .. })
    }

    /// Returns the error with the innermost cause behind it, for a place that has one line only.
    pub(crate) fn in_one_line(&self) -> String {
        let mut cause: Option<&dyn Error> = None;
        while let Some(next) = cause.map_or_else(|| self.source(), Error::source) {
            cause = Some(next);
        }
        cause.map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code()
            .is_some_and(|code| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
    }

    /// Returns what the person who reads this could do next; `now` is this machine's clock.
    pub(crate) fn hints(&self, now: Timestamp) -> Vec<String> {
        let mut hints = Vec::new();
        if self.is_unauthorized() {
            hints.extend(self.hints_of_refusal(now));
        }
        let next = match self.kind() {
            ErrorKind::Connect => {
                "check the endpoint and the network; HTTPS_PROXY, ALL_PROXY and NO_PROXY are honoured"
            }
            ErrorKind::Tls { .. } => {
                "check the endpoint; the certificate of a private authority is added with --ca-file"
            }
            ErrorKind::Timeout { .. } => "--timeout sets how long one request may take",
            ErrorKind::Deadline { .. } => {
                "what was read is stored and the next run goes on; --run-timeout sets how long a run may take"
            }
            ErrorKind::TooLarge { .. } => {
                "--page-size makes answers smaller, --max-body allows larger ones"
            }
            ErrorKind::Compressed { .. } => {
                "something between here and the cloud compresses answers; make it stop for this host"
            }
            ErrorKind::Redirect { .. } => {
                "redirects are never followed, because the token would go along; give the endpoint itself"
            }
            ErrorKind::BadAnswer { .. } => {
                "check that the endpoint is that of DCS and that no portal or proxy answers in its place"
            }
            ErrorKind::Status if self.is_forbidden() => {
                "the user needs dcs:instance:getBackgroundTask in this project (DCS ReadOnlyAccess holds it)"
            }
            ErrorKind::Status if self.status() == Some(404) && !self.instance_absent() => {
                "check the endpoint, the region and the project id"
            }
            _ => return hints,
        };
        hints.push(next.to_owned());
        hints
    }

    fn hints_of_refusal(&self, now: Timestamp) -> Vec<String> {
        let Request {
            endpoint, project, ..
        } = &self.0.request;
        let mut hints = vec![if self.has_code(&ELSEWHERE) {
            format!(
                "the token belongs to another region or project than endpoint {endpoint} and project {}",
                quote::quote(project, quote::IDENTIFIER)
            )
        } else {
            "the token has expired or is wrong; get a new one for this project and give it with --token-file, \
             --token-command or DCS_HISTORY_TOKEN"
                .to_owned()
        }];
        hints.extend(self.date().and_then(|date| clocks_differ(now, date)));
        hints
    }
}

/// Says by how much two clocks differ, if that could be why a credential is refused.
fn clocks_differ(ours: Timestamp, theirs: Timestamp) -> Option<String> {
    let distance = ours.distance(theirs);
    let way = if ours > theirs { "ahead of" } else { "behind" };
    (distance > CLOCKS_DIFFER).then(|| {
        format!(
            "the clock of this machine is {} minutes {way} the server's; credentials are refused for that too",
            distance / MINUTE
        )
    })
}

/// Says whether a refusal is about `limit`: a code for a bad parameter whose message has it anywhere (`pageLimit`), or
/// any message that has it as a word.
fn blames_limit(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let mut words =
        message.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.any(|word| word == "limit")
        || (BAD_PARAMETER
            .iter()
            .any(|known| known.eq_ignore_ascii_case(code))
            && message.contains("limit"))
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.failure.source.as_ref()?;
        Some(source.as_ref())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            failure,
            request,
            attempts,
            stop,
        } = &*self.0;
        write!(out, "GET {}: {failure}", request.url)?;
        match attempts {
            0 => {}
            1 => write!(out, ", 1 attempt")?,
            more => write!(out, ", {more} attempts")?,
        }
        if *stop == Stop::Budget {
            write!(out, ", the run has used up its retries")?;
        }
        if let Some(wait) = self.asked_to_wait() {
            write!(out, ", the server asks to wait {}", Length(wait))?;
            if let (Some(date), Ok(millis)) = (failure.date, i64::try_from(wait.as_millis())) {
                write!(out, " (until {})", date.plus(millis))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
