//! What can happen to one attempt, and what is known of it.

use std::{error::Error, fmt, time::Duration};

use reqwest::StatusCode;

use crate::model::time::Timestamp;

use super::super::{
    error_body::ErrorBody,
    quote,
    retry::{self, Asked, Class},
};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// A project or instance id that no URL can hold; nothing was sent.
    UnusableId,
    /// No connection: the name does not resolve, nobody listens, or the network is down.
    Connect,
    /// The other end could not prove who it is, or speaks no acceptable TLS.
    Tls { check: &'static str },
    /// The connection ended before an answer began.
    Closed,
    /// The connection ended in the middle of an answer.
    Truncated { read: u64, promised: Option<u64> },
    /// The answer was not complete in time.
    Timeout { limit: Duration, read: u64 },
    /// The answer is longer than we are willing to hold.
    TooLarge { limit: u64 },
    /// The answer is compressed although nobody asked for that.
    Compressed { encoding: String },
    /// The answer points elsewhere; nothing was sent there.
    Redirect { target: String },
    /// The answer has a status of failure.
    Status,
    /// The answer has a status of success and is not what the API promises.
    BadAnswer { found: String, begins: String },
    /// A proxy on the way wants to know who asks, and was not told or does not believe it.
    ProxyRefuses { proxy: String },
    /// The credential was refused, and getting another one failed.
    NotRenewed,
    /// The credential was refused earlier in this run; nothing was sent.
    AlreadyRefused,
    /// The time for the whole run is over.
    Deadline { limit: Duration },
}

/// One attempt that failed.
#[derive(Debug)]
pub(in crate::api) struct Failure {
    pub(in crate::api) kind: ErrorKind,
    pub(in crate::api) status: Option<u16>,
    pub(in crate::api) said: ErrorBody,
    pub(in crate::api) asked: Asked,
    pub(in crate::api) date: Option<Timestamp>,
    /// The proxy that the connection was to go through.
    pub(in crate::api) via: Option<String>,
    pub(in crate::api) source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(in crate::api) fn new(kind: ErrorKind) -> Box<Self> {
        Box::new(Self {
            kind,
            status: None,
            said: ErrorBody::default(),
            asked: Asked::Nothing,
            date: None,
            via: None,
            source: None,
        })
    }

    pub(in crate::api) fn because(
        kind: ErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Box<Self> {
        let mut failure = Self::new(kind);
        failure.source = Some(source.into());
        failure
    }

    /// Says whether it is worth asking again.
    pub(in crate::api) fn class(&self) -> Class {
        match (&self.kind, self.status) {
            (ErrorKind::Connect | ErrorKind::Truncated { .. } | ErrorKind::Timeout { .. }, _) => {
                Class::Transient
            }
            (ErrorKind::Closed, _) => Class::Closed,
            (ErrorKind::BadAnswer { .. }, _) => Class::Malformed,
            (ErrorKind::Status, Some(status)) => retry::class_of_status(status),
            _ => Class::Never,
        }
    }

    /// Makes every text of others presentable: without the run's secrets, escaped, short.
    pub(in crate::api) fn make_safe(&mut self, scrub: impl Fn(&str) -> String) {
        let safe = |text: &mut String, limit| *text = quote::quote(&scrub(text), limit);
        match &mut self.kind {
            ErrorKind::BadAnswer { found, begins } => {
                safe(found, quote::MESSAGE);
                safe(begins, quote::MESSAGE);
            }
            ErrorKind::Compressed { encoding: text } | ErrorKind::Redirect { target: text } => {
                safe(text, quote::IDENTIFIER);
            }
            _ => {}
        }
        let texts = [
            (&mut self.said.code, quote::IDENTIFIER),
            (&mut self.said.request_id, quote::IDENTIFIER),
            (&mut self.said.message, quote::MESSAGE),
        ];
        for (text, limit) in texts {
            if let Some(text) = text {
                safe(text, limit);
            }
        }
    }
}

impl fmt::Display for Failure {
    /// Writes what happened and what the other end said, without the request.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind)?;
        if let Some(proxy) = &self.via {
            write!(out, " through the proxy {proxy}")?;
        }
        if let Some(status) = self.status.filter(|_| !self.kind.tells_status()) {
            let separator = if self.kind == ErrorKind::Status {
                ""
            } else {
                ", "
            };
            write!(out, "{separator}status {status}")?;
            let reason = StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason());
            if let Some(reason) = reason {
                write!(out, " {reason}")?;
            }
        }
        if let Some(code) = &self.said.code {
            write!(out, ", code {code}")?;
        }
        if let Some(message) = &self.said.message {
            write!(out, ", \"{message}\"")?;
        }
        if let Some(request_id) = &self.said.request_id {
            write!(out, ", request id {request_id}")?;
        }
        Ok(())
    }
}

impl ErrorKind {
    /// Says whether the status adds nothing: a cut-off answer is no better for having begun with 200.
    const fn tells_status(&self) -> bool {
        matches!(
            self,
            Self::Truncated { .. }
                | Self::Timeout { .. }
                | Self::TooLarge { .. }
                | Self::ProxyRefuses { .. }
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusableId => write!(out, "the project or instance id cannot be part of a URL"),
            Self::Connect => write!(out, "cannot connect"),
            Self::Tls { check } => write!(out, "refused before any request was sent: {check}"),
            Self::Closed => write!(out, "the connection was closed before an answer"),
            Self::Truncated {
                read,
                promised: Some(promised),
            } => write!(out, "the answer broke off after {read} of {promised} bytes"),
            Self::Truncated {
                read,
                promised: None,
            } => write!(out, "the answer broke off after {read} bytes"),
            Self::Timeout { limit, read } => write!(
                out,
                "no complete answer within {} ({read} bytes read)",
                Length(*limit)
            ),
            Self::TooLarge { limit } => {
                write!(
                    out,
                    "the answer is larger than the size limit of {limit} bytes"
                )
            }
            Self::Compressed { encoding } => {
                write!(
                    out,
                    "the answer is compressed ({encoding}), which was not asked for"
                )
            }
            Self::Redirect { target } => write!(out, "redirected to {target}, not followed"),
            Self::Status => Ok(()),
            Self::BadAnswer { found, begins } if begins.is_empty() => {
                write!(out, "not an answer of the API: {found}")
            }
            Self::BadAnswer { found, begins } => {
                write!(
                    out,
                    "not an answer of the API: {found}; it begins `{begins}`"
                )
            }
            Self::ProxyRefuses { proxy } => write!(
                out,
                "the proxy {proxy} wants a user and a password (407 Proxy Authentication Required)"
            ),
            Self::NotRenewed => write!(out, "the token was refused and could not be renewed"),
            Self::AlreadyRefused => {
                write!(
                    out,
                    "not sent, because the credential was refused before in this run"
                )
            }
            Self::Deadline { limit } => {
                write!(
                    out,
                    "the time for the whole run ({}) is over",
                    Length(*limit)
                )
            }
        }
    }
}

/// A length of time as a person would type it, in the largest unit that holds it without a rest.
pub(super) struct Length(pub(super) Duration);

impl fmt::Display for Length {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u128, &str); 4] = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1_000, "s"),
        ];
        let millis = self.0.as_millis();
        let whole = UNITS
            .iter()
            .find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit));
        match whole {
            Some((unit, name)) => write!(out, "{}{name}", millis / unit),
            None => write!(out, "{millis}ms"),
        }
    }
}
