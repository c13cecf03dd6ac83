//! Signs a request with an access key: `SDK-HMAC-SHA256`, the form that the clouds' own libraries use.
//!
//! Pure: a request, a key and a moment in, headers out. What is signed is read from the URL that is
//! sent, so the bytes of the query that the cloud checks are those that it gets. Nothing here remembers anything: a retry
//! is signed anew, with its own date.

use std::fmt::Write as _;

use reqwest::{
    Url,
    header::{AUTHORIZATION, HOST, HeaderName, HeaderValue},
};
use ring::{digest, hmac};

use crate::model::time::Timestamp;

use super::super::{message::Outgoing, secret::Secret};
use super::{AccessKey, Keys};

/// The name of the algorithm, as it stands in the text that is signed and in the header.
const ALGORITHM: &str = "SDK-HMAC-SHA256";

const X_SDK_DATE: HeaderName = HeaderName::from_static("x-sdk-date");
const X_PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");
const X_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");

/// Signs a request at a moment; the project that it is for is part of what is signed.
///
/// The host is named here rather than by the HTTP client, so that what is signed is what is sent. Returns nothing for a
/// project that cannot stand in a header.
pub(super) fn sign(
    request: &mut Outgoing,
    keys: &Keys,
    project: Option<&str>,
    now: Timestamp,
) -> Option<()> {
    let date = sdk_date(now);
    request.headers.insert(HOST, value(&host(&request.url))?);
    request.headers.insert(X_SDK_DATE, value(&date)?);
    if let Some(project) = project {
        request.headers.insert(X_PROJECT_ID, value(project)?);
    }
    if let Some(token) = &keys.security_token {
        request.headers.insert(X_SECURITY_TOKEN, token.header());
    }
    let mut signed = Vec::new();
    for name in [HOST, X_SDK_DATE, X_PROJECT_ID, X_SECURITY_TOKEN] {
        if let Some(value) = request.headers.get(&name) {
            signed.push((name, value.to_str().ok()?.to_owned()));
        }
    }
    let headers: Vec<(&str, &str)> = signed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let parts = Parts {
        method: request.method.as_str(),
        url: &request.url,
        headers: &headers,
        body: &request.body,
    };
    let header = authorization(&parts, &keys.access_key, &keys.secret_key, &date);
    let mut header = value(&header)?;
    header.set_sensitive(true);
    request.headers.insert(AUTHORIZATION, header);
    Some(())
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// What of a request is covered by its signature.
pub(super) struct Parts<'a> {
    pub(super) method: &'a str,
    /// As it is sent.
    pub(super) url: &'a Url,
    /// Names in lower case, `x-sdk-date` among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// Returns the value of `Authorization`.
pub(super) fn authorization(
    parts: &Parts<'_>,
    access_key: &AccessKey,
    secret_key: &Secret,
    date: &str,
) -> String {
    format!(
        "{ALGORITHM} Access={}, SignedHeaders={}, Signature={}",
        access_key.as_str(),
        parts.signed_headers(),
        signature(&parts.canonical(), secret_key, date)
    )
}

/// Writes a moment as `X-Sdk-Date`: `20200617T160000Z`, in UTC.
pub(super) fn sdk_date(time: Timestamp) -> String {
    let text = time.to_string();
    let whole_seconds = text.split('.').next().unwrap_or_default();
    let mut date: String = whole_seconds
        .chars()
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    date.push('Z');
    date
}

/// Returns a URL's host as the header of that name gives it: with the port only if it is not the scheme's own.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl Parts<'_> {
    /// Returns the one text that both ends make of a request.
    fn canonical(&self) -> String {
        let mut headers = String::new();
        for (name, value) in self.sorted() {
            // A `String` takes every write.
            let _infallible = writeln!(headers, "{name}:{}", value.trim());
        }
        let mut path = self.url.path().to_owned();
        // In the signature a path always ends like this; the request itself is sent without.
        if !path.ends_with('/') {
            path.push('/');
        }
        [
            &self.method.to_ascii_uppercase(),
            &path,
            &canonical_query(self.url.query().unwrap_or_default()),
            &headers,
            &self.signed_headers(),
            &sha256(self.body),
        ]
        .map(String::as_str)
        .join("\n")
    }

    fn signed_headers(&self) -> String {
        let names: Vec<&str> = self.sorted().iter().map(|(name, _)| *name).collect();
        names.join(";")
    }

    fn sorted(&self) -> Vec<(&str, &str)> {
        let mut headers = self.headers.to_vec();
        headers.sort_unstable();
        headers
    }
}

/// Sorts a query by name, then value; a name without `=` gets one. What is escaped stays as it is sent.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn signature(canonical: &str, secret_key: &Secret, date: &str) -> String {
    let text = format!("{ALGORITHM}\n{date}\n{}", sha256(canonical.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.bytes());
    hex(hmac::sign(&key, text.as_bytes()).as_ref())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // A `String` takes every write.
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests;
