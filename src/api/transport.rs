//! One request, one answer: the HTTP client with every convenience switched off that could send the token elsewhere,
//! wait for ever or fill the memory.
//!
//! Each setting below answers one row of the fault catalogue: no redirects (they would carry the token along), time
//! limits for connecting, for silence and for the whole, a size limit counted while reading, no compression, https only
//! unless the endpoint itself is plain http, and no proxy on the way to this machine.

use std::time::Duration;

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{
        ACCEPT, CONTENT_ENCODING, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    },
    redirect,
};

use crate::model::time::Timestamp;

use super::{
    client::{Answer, Settings},
    endpoint::Endpoint,
    error::{ErrorKind, Failure},
    error_body, http_date,
    message::{Content, Outgoing, Reply, begin},
    proxy::{self, Proxy},
    retry,
    tls::{self, BuildError},
};

const USER_AGENT: &str = concat!("dcs-history/", env!("CARGO_PKG_VERSION"));
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What IAM calls it.
const X_IAM_TRACE_ID: HeaderName = HeaderName::from_static("x-iam-trace-id");

/// How much of an error's body is read: every documented one is far below, and a message is all that is wanted of it.
const ERROR_BODY: usize = 64 * 1024;

/// How much room is made before the first byte has come, however much the server promises.
const FIRST_ROOM: u64 = 1024 * 1024;

/// Whether a proxy that the environment names may stand between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Unless the endpoint is this machine.
    ThroughProxy,
    /// What answers at the endpoint differs from machine to machine, so nobody else may ask for us.
    Direct,
}

pub(super) struct Transport {
    http: Client,
    timeout: Duration,
    max_body: u64,
    proxy: Option<Proxy>,
}

impl Transport {
    /// Sets up the one HTTP client of a run for an origin.
    pub(super) fn new(
        endpoint: &Endpoint,
        settings: &Settings,
        way: Way,
    ) -> Result<Self, BuildError> {
        tls::install_crypto();
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(HeaderMap::from_iter([(
                ACCEPT,
                HeaderValue::from_static("application/json"),
            )]))
            .redirect(redirect::Policy::none())
            // Retries are decided in one place, and that is ours.
            .retry(reqwest::retry::never())
            .referer(false)
            .https_only(endpoint.is_https())
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(settings.connect_timeout)
            // It starts anew with each byte, so it alone would let a drip pass; the total limit is the one that ends it.
            .read_timeout(settings.timeout)
            .timeout(settings.timeout);
        let is_direct = way == Way::Direct || endpoint.is_loopback();
        if is_direct {
            builder = builder.no_proxy();
        }
        if !endpoint.is_https() && is_direct {
            // Without this, a machine without CA certificates could not even talk to itself in plain text.
            builder = builder.tls_certs_only([]);
        }
        if let Some(path) = &settings.ca_file {
            builder = builder.tls_certs_merge(tls::read_ca_file(path)?);
        }
        let http = builder.build().map_err(|source| match &settings.ca_file {
            // Reading a bundle does not look into the certificates; setting up the verifier does.
            Some(path) if tls::is_bad_certificate(&source) => BuildError::CaFileInvalid {
                path: path.clone(),
                source,
            },
            _ => BuildError::Tls { source },
        })?;
        Ok(Self {
            http,
            timeout: settings.timeout,
            max_body: settings.max_body,
            proxy: if is_direct {
                None
            } else {
                Proxy::towards(endpoint)
            },
        })
    }

    /// Takes what a proxy is told of us out of a text.
    pub(super) fn scrub(&self, text: &str) -> String {
        match &self.proxy {
            Some(proxy) => proxy.scrub(text),
            None => text.to_owned(),
        }
    }

    /// Sends one request and reads its answer to the end.
    pub(super) async fn send(&self, request: Outgoing) -> Result<Reply, Box<Failure>> {
        let Outgoing {
            method,
            url,
            headers,
            body,
            success,
            content,
        } = request;
        let sent = self.http.request(method, url.clone()).headers(headers);
        let sent = if body.is_empty() {
            sent
        } else {
            sent.body(body)
        };
        let response = sent.send().await.map_err(|error| self.no_answer(error))?;
        let head = Head::of(&response);
        let status = response.status();
        if let (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(proxy)) = (status, &self.proxy) {
            return Err(head.failure(proxy.refuses()));
        }
        if status.is_redirection() {
            let target = target(&url, response.headers());
            return Err(head.failure(ErrorKind::Redirect { target }));
        }
        if !status.is_success() {
            return Err(self.error_answer(head, response).await);
        }
        if let Some(encoding) = encoding(response.headers()) {
            return Err(head.failure(ErrorKind::Compressed { encoding }));
        }
        let headers = response.headers().clone();
        let body = self
            .body(response)
            .await
            .map_err(|failure| head.complete(failure))?;
        if status != success {
            let missing = match content {
                Content::Open => "the list",
                Content::Secret => "what was asked for",
            };
            let mut failure = head.failure(ErrorKind::BadAnswer {
                found: format!("a success without {missing}"),
                begins: begin(&body, content),
            });
            failure.said.code = error_body::read_envelope(&body).code;
            return Err(failure);
        }
        Ok(Reply {
            status: head.status,
            headers,
            answer: Answer {
                body,
                date: head.date,
                request_id: head.request_id,
            },
        })
    }

    /// Puts an attempt that got no answer into its kind.
    fn no_answer(&self, error: reqwest::Error) -> Box<Failure> {
        let kind = if let Some(check) = tls::failed_check(&error) {
            ErrorKind::Tls { check }
        } else if let (true, Some(proxy)) = (proxy::has_refused(&error), &self.proxy) {
            // The library's error says the same in other words.
            return Failure::new(proxy.refuses());
        } else if error.is_connect() {
            ErrorKind::Connect
        } else if error.is_timeout() {
            ErrorKind::Timeout {
                limit: self.timeout,
                read: 0,
            }
        } else {
            ErrorKind::Closed
        };
        let via = self.proxy.as_ref().filter(|_| kind == ErrorKind::Connect);
        let via = via.map(|proxy| proxy.name().to_owned());
        let mut failure = Failure::because(kind, error.without_url());
        failure.via = via;
        failure
    }

    /// Reads a body of success: whole, within the limit, or not at all.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Box<Failure>> {
        let too_large = || {
            Failure::new(ErrorKind::TooLarge {
                limit: self.max_body,
            })
        };
        let promised = response.content_length();
        if promised.is_some_and(|promised| promised > self.max_body) {
            return Err(too_large());
        }
        let room = promised.unwrap_or(0).min(FIRST_ROOM);
        let mut body = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(body),
                Err(error) => return Err(self.broken_off(error, body.len() as u64, promised)),
            };
            if (body.len() + chunk.len()) as u64 > self.max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Puts an answer that stopped coming into its kind. reqwest calls a body cut short a decoding error, so the time
    /// limit is all that is told apart here.
    fn broken_off(&self, error: reqwest::Error, read: u64, promised: Option<u64>) -> Box<Failure> {
        let kind = if error.is_timeout() {
            ErrorKind::Timeout {
                limit: self.timeout,
                read,
            }
        } else {
            ErrorKind::Truncated { read, promised }
        };
        Failure::because(kind, error.without_url())
    }

    /// Reads what an error answer has to say. Its status decides, so a body that breaks off, never ends or is compressed
    /// changes nothing.
    async fn error_answer(&self, head: Head, mut response: Response) -> Box<Failure> {
        let mut failure = head.failure(ErrorKind::Status);
        if let Some(encoding) = encoding(response.headers()) {
            failure.said.message = Some(format!("a compressed body ({encoding})"));
            return failure;
        }
        let mut body = Vec::new();
        while body.len() < ERROR_BODY
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(ERROR_BODY);
        let mut said = error_body::read(&body);
        said.request_id = failure.said.request_id.take().or(said.request_id);
        failure.said = said;
        failure
    }
}

/// What every answer's head is read for.
struct Head {
    status: u16,
    date: Option<Timestamp>,
    request_id: Option<String>,
    retry_after: Option<String>,
}

impl Head {
    fn of(response: &Response) -> Self {
        let text = |name: HeaderName| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let filled = |id: Option<String>| id.filter(|id| !id.trim().is_empty());
        Self {
            status: response.status().as_u16(),
            date: text(DATE).and_then(|date| http_date::parse(&date)),
            request_id: filled(text(X_REQUEST_ID)).or_else(|| filled(text(X_IAM_TRACE_ID))),
            retry_after: text(RETRY_AFTER),
        }
    }

    fn failure(&self, kind: ErrorKind) -> Box<Failure> {
        self.complete(Failure::new(kind))
    }

    /// Adds what the head said to what went wrong after it.
    fn complete(&self, mut failure: Box<Failure>) -> Box<Failure> {
        failure.status = Some(self.status);
        failure.date = self.date;
        failure.said.request_id.clone_from(&self.request_id);
        if let Some(header) = &self.retry_after {
            failure.asked = retry::retry_after(header, self.date);
        }
        failure
    }
}

/// Returns the name of a compression; `identity` is none.
fn encoding(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .find(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
}

/// Names where a redirect points: the origin, because path and query are of no use here and may hold a secret.
fn target(url: &Url, headers: &HeaderMap) -> String {
    let location = headers
        .get(LOCATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(location) = location else {
        return "nowhere".to_owned();
    };
    match url.join(&location) {
        Ok(target) if target.origin() == url.origin() => {
            "another path of the same origin".to_owned()
        }
        Ok(target) if target.has_host() => target.origin().ascii_serialization(),
        Ok(target) => format!("a {}: address", target.scheme()),
        Err(_) => "an address that cannot be read".to_owned(),
    }
}
