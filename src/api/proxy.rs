//! The proxy that the environment puts on the way: named in errors, and its password never.
//!
//! The HTTP client finds it by itself. Here the same rules are asked the same question, so that a person whose connection
//! fails is told of the host that it failed at.

use std::error::Error;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::{endpoint::Endpoint, error::ErrorKind, secret::Secret};

/// What the HTTP client's error says when a proxy answers 407 to the request for a tunnel. It has no type to ask.
const WANTS_CREDENTIALS: &str = "tunnel error: proxy authorization required";

pub(super) struct Proxy {
    /// Scheme, host and port.
    name: String,
    /// What the proxy gets to see in plain text on the way of plain http: user and password in base64.
    credentials: Option<Secret>,
}

impl Proxy {
    /// Asks the environment which proxy leads to an endpoint.
    pub(super) fn towards(endpoint: &Endpoint) -> Option<Self> {
        let target = endpoint.as_str().parse().ok()?;
        Matcher::from_system()
            .intercept(&target)
            .map(|found| Self::of(&found))
    }

    fn of(found: &Intercept) -> Self {
        let uri = found.uri();
        // Put together from what cannot hold a password, however oddly the address was written.
        let mut name = format!(
            "{}://{}",
            uri.scheme_str().unwrap_or("http"),
            uri.host().unwrap_or_default()
        );
        if let Some(port) = uri.port_u16() {
            name = format!("{name}:{port}");
        }
        let header = found.basic_auth().and_then(|header| header.to_str().ok());
        let credentials = header
            .and_then(|header| header.strip_prefix("Basic "))
            .and_then(|credentials| Secret::parse(credentials.to_owned()).ok());
        Self { name, credentials }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn refuses(&self) -> ErrorKind {
        ErrorKind::ProxyRefuses {
            proxy: self.name.clone(),
        }
    }

    pub(super) fn scrub(&self, text: &str) -> String {
        match &self.credentials {
            Some(credentials) => credentials.scrub(text),
            None => text.to_owned(),
        }
    }
}

/// Says whether a proxy refused to make a tunnel for want of a user and a password.
pub(super) fn has_refused(error: &reqwest::Error) -> bool {
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        if error.to_string() == WANTS_CREDENTIALS {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_what_opens_it() {
        let cases = [
            (
                "http://user:hunter2@proxy.example.com:3128/path",
                "http://proxy.example.com:3128",
            ),
            ("proxy.example.com", "http://proxy.example.com"),
            (
                "https://user@[2001:db8::1]:8443",
                "https://[2001:db8::1]:8443",
            ),
            (
                "socks5://user:hunter2@proxy.example.com",
                "socks5://proxy.example.com",
            ),
        ];
        for (text, expected) in cases {
            let matcher = Matcher::builder().all(text).build();
            let target = "https://dcs.example.com".parse().unwrap();
            let proxy = Proxy::of(&matcher.intercept(&target).unwrap());
            assert_eq!(proxy.name(), expected);
        }
        let matcher = Matcher::builder()
            .all("http://user:hunter2@proxy.example.com")
            .build();
        let target = "http://dcs.example.com".parse().unwrap();
        let proxy = Proxy::of(&matcher.intercept(&target).unwrap());
        let said = "Proxy-Authorization: Basic dXNlcjpodW50ZXIy";
        assert_eq!(proxy.scrub(said), "Proxy-Authorization: Basic ***");
    }
}
