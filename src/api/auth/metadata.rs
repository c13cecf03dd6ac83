//! The metadata service of an ECS: keys for whatever runs on it, if an agency is bound to it.
//!
//! It answers at an address that every machine has for itself, in plain http, so it is asked directly and briefly: no
//! proxy, no redirect, a few seconds, a few kilobytes. A hardened service wants a token of its own first; where it does not
//! know of that, or says nothing to it, the plain way is gone.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use serde::Deserialize;

use crate::model::time::Timestamp;

use super::super::{
    client::{BadAnswer, Settings},
    deadline::Deadline,
    endpoint::Endpoint,
    error::{ApiError, ErrorKind, Failure, Proof, Purpose, Request, Stop},
    message::{Content, Outgoing, Reply},
    secret::Secret,
    tls::BuildError,
    transport::{Transport, Way},
};
use super::{
    AccessKey, Agency, Keys,
    hidden::{Hidden, Hide},
};

const X_METADATA_TOKEN: HeaderName = HeaderName::from_static("x-metadata-token");
const X_METADATA_TOKEN_TTL: HeaderName = HeaderName::from_static("x-metadata-token-ttl-seconds");

/// Six hours, in seconds: what the service allows at most.
const TOKEN_TTL: &str = "21600";

/// For one request to the service, which is on the same host. The vendor's own library waits as long.
const LIMIT: Duration = Duration::from_secs(3);

/// For the connection alone. Where nobody listens at the address, as on every machine that is no ECS, this is all the
/// time that is lost.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// Keys with their security token are two or three kilobytes.
const MAX_BODY: u64 = 64 * 1024;

/// The metadata service of this machine, if it has one.
pub(crate) struct Metadata {
    endpoint: Endpoint,
    transport: Transport,
}

/// Whether this machine has keys to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// An agency is bound to this ECS, and its keys were there.
    Found,
    /// This is no ECS, or none with an agency.
    Nothing,
}

/// Keys that the service gave.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) keys: Keys,
    /// By the clouds' clock.
    pub(super) expires_at: Timestamp,
    /// The service's clock when it answered.
    pub(super) date: Option<Timestamp>,
}

impl Metadata {
    pub(crate) fn new(agency: &Agency) -> Result<Self, BuildError> {
        // Plain http is what the service speaks; nothing that it is sent is secret to the host.
        let endpoint = Endpoint::parse(&agency.metadata, true)
            .map_err(|source| BuildError::Metadata { source })?;
        let settings = Settings {
            connect_timeout: CONNECT_LIMIT,
            timeout: LIMIT,
            max_body: MAX_BODY,
            ..Settings::default()
        };
        Ok(Self {
            transport: Transport::new(&endpoint, &settings, Way::Direct)?,
            endpoint,
        })
    }

    /// Asks whether this machine has keys to give. Takes a second where there is no such service, six at the worst.
    pub(crate) async fn probe(&self) -> Result<Presence, ApiError> {
        // Both limits together, so that this one never is what ends it.
        let deadline = Deadline::after(LIMIT * 3);
        match self.ask(deadline, &Hidden::default()).await {
            Ok(_) => Ok(Presence::Found),
            Err(error) if error.status() == Some(404) || is_silence(error.kind()) => {
                Ok(Presence::Nothing)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks for keys, once.
    pub(super) async fn ask(&self, deadline: Deadline, hidden: &Hidden) -> Result<Given, ApiError> {
        let mut put = self.request(&["meta-data", "latest", "api", "token"])?;
        put.method = Method::PUT;
        put.headers
            .insert(X_METADATA_TOKEN_TTL, HeaderValue::from_static(TOKEN_TTL));
        let mut get = self.request(&["openstack", "latest", "securitykey"])?;
        match self.send(put, read_token, deadline, hidden).await {
            Ok(token) => {
                get.headers.insert(X_METADATA_TOKEN, token.header());
                hidden.add(Hide::Secret(Arc::new(token)));
            }
            Err(error) if means_plain(&error) => {}
            Err(error) => return Err(error),
        }
        self.send(get, read_keys, deadline, hidden).await
    }

    /// Returns what to say of keys whose end had come before they were given.
    pub(super) fn gave_old_keys(&self, date: Timestamp) -> ApiError {
        let found = format!("the keys that it gives had expired by {date}");
        let begins = String::new();
        let failure = Failure::new(ErrorKind::BadAnswer { found, begins });
        let request = self.asked("GET", self.endpoint.as_str());
        ApiError::new(*failure, request, 1, Stop::Final)
    }

    fn request(&self, path: &[&str]) -> Result<Outgoing, ApiError> {
        let url = self.endpoint.url(path, &[]).ok_or_else(|| {
            let request = self.asked("GET", self.endpoint.as_str());
            ApiError::new(
                *Failure::new(ErrorKind::UnusableId),
                request,
                0,
                Stop::Final,
            )
        })?;
        Ok(Outgoing {
            content: Content::Secret,
            ..Outgoing::get(url)
        })
    }

    async fn send<T>(
        &self,
        request: Outgoing,
        read: fn(&Reply) -> Result<T, BadAnswer>,
        deadline: Deadline,
        hidden: &Hidden,
    ) -> Result<T, ApiError> {
        let method = if request.method == Method::PUT {
            "PUT"
        } else {
            "GET"
        };
        let asked = self.asked(method, request.url.as_str());
        let sent = deadline.guard(self.transport.send(request)).await;
        sent.and_then(|sent| sent)
            .and_then(|reply| {
                read(&reply).map_err(|bad| reply.is_not_what_was_asked(bad, Content::Secret))
            })
            .map_err(|mut failure| {
                failure.make_safe(|text| hidden.scrub(text));
                ApiError::new(*failure, asked, 1, Stop::Final)
            })
    }

    fn asked(&self, method: &'static str, url: &str) -> Request {
        Request {
            method,
            url: url.to_owned(),
            endpoint: self.endpoint.as_str().to_owned(),
            project: String::new(),
            purpose: Purpose::Metadata,
            proof: Proof::Agency,
        }
    }
}

/// Says whether a refusal to give a token means that none is wanted. A service that took the connection and said nothing
/// is one too: behind a further hop its answer to this one request is dropped on purpose.
fn means_plain(error: &ApiError) -> bool {
    matches!(error.status(), Some(404 | 405 | 503))
        || matches!(
            error.kind(),
            ErrorKind::Timeout { .. } | ErrorKind::Closed | ErrorKind::Truncated { .. }
        )
}

/// Says whether there was no answer.
fn is_silence(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Connect | ErrorKind::Closed | ErrorKind::Timeout { .. }
    )
}

fn read_token(reply: &Reply) -> Result<Secret, BadAnswer> {
    let text = String::from_utf8_lossy(&reply.answer.body);
    Secret::parse(text.trim().to_owned())
        .map_err(|error| BadAnswer::new(format!("no token for the service: {error}")))
}

fn read_keys(reply: &Reply) -> Result<Given, BadAnswer> {
    // What serde would say of a body that it cannot read may quote it.
    let told: Told = serde_json::from_slice(&reply.answer.body)
        .map_err(|_| BadAnswer::new("no credential with all its parts"))?;
    let Credential {
        access,
        secret,
        securitytoken,
        expires_at,
    } = told.credential;
    let part = |name: &'static str| {
        move |error| BadAnswer::new(format!("its `{name}` cannot be used: {error}"))
    };
    Ok(Given {
        keys: Keys {
            access_key: AccessKey::parse(access).map_err(part("access"))?,
            secret_key: Secret::parse(secret).map_err(part("secret"))?,
            security_token: Some(Secret::parse(securitytoken).map_err(part("securitytoken"))?),
        },
        expires_at: Timestamp::parse_upstream(&expires_at)
            .ok_or_else(|| BadAnswer::new("its `expires_at` is no time"))?,
        date: reply.answer.date,
    })
}

#[derive(Deserialize)]
struct Told {
    credential: Credential,
}

#[derive(Deserialize)]
struct Credential {
    access: String,
    secret: String,
    securitytoken: String,
    expires_at: String,
}
