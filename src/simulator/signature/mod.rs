//! Whether a request is signed as `SDK-HMAC-SHA256` asks: pure, from the request as it arrived, a secret and a moment.
//!
//! This is written from the rules of the vendor's signer and shares nothing with the client that this program has, so that
//! each can find the other's mistakes. Where the rules leave something open to whoever verifies, it is as strict as they
//! are: blanks, the order and the case of header names are those that they prescribe.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use ring::{digest, hmac};
use thiserror::Error;

use super::query::pairs;
use super::route::Asked;
use crate::model::time::{MINUTE, Timestamp};

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The documented limit of how far the clock of whoever signs may be from the gateway's.
const SKEW: i64 = 15 * MINUTE;

/// What stays as it is; everything else is written as `%XX`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Why a signature is refused, in the gateway's words where they are known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    #[error(
        "the Authorization header is not of the form SDK-HMAC-SHA256 Access=, SignedHeaders=, Signature="
    )]
    Form,
    #[error(
        "the signed headers must be there, in small letters, in order, and x-sdk-date among them"
    )]
    SignedHeaders,
    #[error("x-sdk-date is not of the form YYYYMMDDTHHMMSSZ")]
    Date,
    #[error("signature expired, signature time:{signed},server time:{server}")]
    Expired { signed: String, server: String },
    #[error("Get secretKey failed,ak:{0},err:ak not exist")]
    UnknownKey(String),
    #[error("the security token is missing or is not that of the ak")]
    SecurityToken,
    /// The gateway tells what it would have signed, on one line.
    #[error("verify aksk signature fail, canonicalRequest:{0}")]
    Mismatch(String),
    #[error("AK access failed to reach the limit,forbidden.")]
    Locked,
}

/// What an `Authorization` header claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    pub(crate) access_key: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    /// Reads the header: one blank after the algorithm, a comma and a blank between the rest.
    pub(crate) fn parse(authorization: &'a str) -> Result<Self, Fault> {
        let parse = || {
            let rest = authorization.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
            let mut parts = rest.split(", ");
            let claim = Self {
                access_key: parts.next()?.strip_prefix("Access=")?,
                signed_headers: parts.next()?.strip_prefix("SignedHeaders=")?,
                signature: parts.next()?.strip_prefix("Signature=")?,
            };
            parts.next().is_none().then_some(claim)
        };
        parse().ok_or(Fault::Form)
    }

    /// Judges the claim by the key's secret and the gateway's clock.
    pub(crate) fn verify(
        &self,
        asked: &Asked<'_>,
        secret: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        if !names.is_sorted_by(|one, next| one < next) || !names.contains(&"x-sdk-date") {
            return Err(Fault::SignedHeaders);
        }
        let date = asked.header("x-sdk-date").ok_or(Fault::SignedHeaders)?;
        let signed = moment(date).ok_or(Fault::Date)?;
        if signed.distance(now) > SKEW {
            return Err(Fault::Expired {
                signed: date.to_owned(),
                server: basic(now),
            });
        }
        let canonical = canonical_request(asked, &names)?;
        let to_sign = format!("{ALGORITHM}\n{date}\n{}", sha256(&canonical));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        if hex(hmac::sign(&key, to_sign.as_bytes()).as_ref()) == self.signature {
            return Ok(());
        }
        let told = String::from_utf8_lossy(&canonical).replace('\n', "|");
        Err(Fault::Mismatch(told))
    }
}

/// What is signed of a request: bytes, because a header may hold any.
fn canonical_request(asked: &Asked<'_>, names: &[&str]) -> Result<Vec<u8>, Fault> {
    let mut canonical = format!(
        "{}\n{}\n{}\n",
        asked.method.to_uppercase(),
        canonical_path(asked.path),
        canonical_query(asked.query)
    )
    .into_bytes();
    for name in names {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !asked.headers.contains_key(*name)
        {
            return Err(Fault::SignedHeaders);
        }
        let values: Vec<&[u8]> = asked
            .headers
            .get_all(*name)
            .iter()
            .map(|value| value.as_bytes().trim_ascii())
            .collect();
        canonical.extend_from_slice(name.as_bytes());
        canonical.push(b':');
        canonical.extend(values.join(&b','));
        canonical.push(b'\n');
    }
    let tail = format!("\n{}\n{}", names.join(";"), body_hash(asked));
    canonical.extend(tail.into_bytes());
    Ok(canonical)
}

/// The path with each segment encoded anew, and always with a slash at its end.
fn canonical_path(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let segments: Vec<String> = decoded
        .split(|byte| *byte == b'/')
        .map(|segment| percent_encode(segment, ENCODED).to_string())
        .collect();
    let mut path = segments.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// The parameters in order, each with its `=` even where it has no value.
fn canonical_query(query: &str) -> String {
    let encode = |text: &str| percent_encode(text.as_bytes(), ENCODED).to_string();
    let mut read: Vec<(String, String)> = pairs(query).collect();
    read.sort();
    let written: Vec<String> = read
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    written.join("&")
}

/// The hash of the body. A body that is not JSON may be left unsigned, and the request says so.
fn body_hash(asked: &Asked<'_>) -> String {
    let is_json = asked
        .header("content-type")
        .is_none_or(|kind| kind.starts_with("application/json"));
    match asked.header("x-sdk-content-sha256") {
        Some("UNSIGNED-PAYLOAD") if !is_json && !asked.body.is_empty() => {
            "UNSIGNED-PAYLOAD".to_owned()
        }
        _ => sha256(asked.body),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing into a text does not fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

/// Reads `YYYYMMDDTHHMMSSZ`.
fn moment(text: &str) -> Option<Timestamp> {
    let plain = text.len() == 16 && text.is_ascii() && text.ends_with('Z');
    let (date, time) = plain.then(|| text.split_at(8))?;
    let iso = format!(
        "{}-{}-{}{}:{}:{}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..3],
        &time[3..5],
        &time[5..]
    );
    Timestamp::parse_upstream(&iso).filter(|_| time.starts_with('T'))
}

/// Writes a moment as `X-Sdk-Date` does.
fn basic(moment: Timestamp) -> String {
    let text = moment.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

#[cfg(test)]
pub(super) mod tests;
