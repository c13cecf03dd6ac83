//! The one error of the street: what was asked, what happened, what the other end said about it, how often it was tried.
//!
//! Everything quoted from an answer has been scrubbed of the run's secrets, escaped and cut before it gets in here.

mod hints;
mod kind;

use std::{error::Error, fmt, time::Duration};

use crate::model::time::Timestamp;

use super::retry::Asked;

pub(crate) use super::retry::Stop;
pub(crate) use kind::ErrorKind;
pub(super) use kind::Failure;
use kind::Length;

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
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) endpoint: String,
    pub(super) project: String,
    pub(super) purpose: Purpose,
    pub(super) proof: Proof,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To read of DCS.
    Read,
    /// To find a project in IAM.
    Lookup,
    /// To get a token from IAM for a password.
    Login,
    /// To get keys from the metadata service of this ECS.
    Metadata,
}

impl Purpose {
    /// Says whether nothing at all can be read unless this works.
    const fn obtains_credential(self) -> bool {
        matches!(self, Self::Login | Self::Metadata)
    }
}

/// What the run proves itself with, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Token,
    Keys {
        /// What people may see of the access key.
        access_key: String,
        are_temporary: bool,
    },
    Password,
    Agency,
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

    /// Returns how many requests of this kind were sent before giving up; none if sending was pointless.
    ///
    /// One that could not be sent for want of a credential was not sent either, however often that was asked for.
    pub(crate) fn attempts(&self) -> u32 {
        if self.obtains_credential() {
            0
        } else {
            self.0.attempts
        }
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
            && !self.obtains_credential()
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
    ///
    /// IAM says so in more ways than one: a user that is locked is forbidden to log in, and a domain that does not exist
    /// makes a request that it calls bad.
    pub(crate) fn is_unauthorized(&self) -> bool {
        let refused = match self.0.request.purpose {
            Purpose::Read | Purpose::Lookup => self.status() == Some(401),
            Purpose::Login => matches!(self.status(), Some(400 | 401 | 403)),
            Purpose::Metadata => matches!(self.status(), Some(401 | 403)),
        };
        refused
            || matches!(
                self.kind(),
                ErrorKind::AlreadyRefused | ErrorKind::NotRenewed
            )
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.status() == Some(403) && !self.obtains_credential()
    }

    /// Says whether no request of this run can work, whatever it asks for, though nobody refused it.
    pub(crate) fn origin_is_dead(&self) -> bool {
        let no_way = matches!(
            self.kind(),
            ErrorKind::Connect | ErrorKind::Tls { .. } | ErrorKind::ProxyRefuses { .. }
        );
        let no_credential =
            self.obtains_credential() && !self.is_unauthorized() && !self.is_deadline();
        no_way || no_credential
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

    fn obtains_credential(&self) -> bool {
        self.0.request.purpose.obtains_credential()
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code()
            .is_some_and(|code| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
    }
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
        write!(out, "{} {}: {failure}", request.method, request.url)?;
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
