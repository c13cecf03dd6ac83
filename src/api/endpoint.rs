//! The one origin that requests go to.
//!
//! An endpoint is a scheme, a host and a port, and nothing else: a path, a query, a fragment or a user in it is refused
//! rather than dropped, because whoever wrote it meant something by it. Plain http, which would show the token to the
//! network, is accepted for this machine's own addresses only, unless it was asked for.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

/// What a path segment or a query value may hold unescaped: the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An origin, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without the slash at the end; the port only if it is not the scheme's own.
    origin: String,
    host: String,
    is_https: bool,
    is_loopback: bool,
}

/// Why an address is not an endpoint. The address itself is never repeated, for it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    #[error("it has no scheme; it should read https://HOST")]
    NoScheme,
    #[error("its scheme is neither https nor http")]
    OtherScheme,
    #[error("it holds a user or a password")]
    Credentials,
    #[error("it holds a path, a query or a fragment; it should end after the host and port")]
    MoreThanAnOrigin,
    #[error("it has no host")]
    NoHost,
    #[error("its host or port is not valid")]
    NotValid,
    #[error(
        "plain http would send the credentials unprotected to `{host}`; only loopback addresses may use it unless --insecure-http is given"
    )]
    PlainHttp { host: String },
}

impl Endpoint {
    /// Reads an address as a person or a file gives it.
    ///
    /// The text is taken apart by hand before the URL parser sees it, because that parser repairs what should be refused:
    /// it drops tabs, turns backslashes into slashes, decodes `%2e` in hosts and folds `/../` away.
    pub(crate) fn parse(text: &str, insecure_http: bool) -> Result<Self, EndpointError> {
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .ok_or(EndpointError::NoScheme)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(EndpointError::OtherScheme);
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(EndpointError::Credentials);
        }
        if !matches!(tail, "" | "/") {
            return Err(EndpointError::MoreThanAnOrigin);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(EndpointError::NoHost);
        }
        if authority.chars().any(|character| {
            character.is_control() || character.is_whitespace() || character == '%'
        }) {
            return Err(EndpointError::NotValid);
        }
        let scheme = if is_https { "https" } else { "http" };
        let url =
            Url::parse(&format!("{scheme}://{authority}/")).map_err(|_| EndpointError::NotValid)?;
        let host = url.host_str().ok_or(EndpointError::NoHost)?.to_owned();
        let is_loopback = is_loopback(&host);
        if !is_https && !is_loopback && !insecure_http {
            return Err(EndpointError::PlainHttp { host });
        }
        let origin = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            origin,
            host,
            is_https,
            is_loopback,
        })
    }

    /// Returns the host without its port; an IPv6 address is in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Says whether the host is this machine by its very name, so that neither a proxy nor an eavesdropper is between.
    pub(crate) const fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    pub(crate) const fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns the origin: `https://host` or `https://host:port`, in the one spelling that compares.
    pub(crate) fn as_str(&self) -> &str {
        &self.origin
    }

    /// Builds a URL below this origin from parts that are data, not syntax.
    ///
    /// Returns nothing for a segment that no URL can hold: an empty one, and one or two dots, which every URL parser
    /// takes for "here" and "up" even when they are escaped.
    pub(super) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Option<Url> {
        let mut text = self.origin.clone();
        for segment in segments {
            if matches!(*segment, "" | "." | "..") {
                return None;
            }
            text.push('/');
            text.extend(utf8_percent_encode(segment, RESERVED));
        }
        for (place, (name, value)) in query.iter().enumerate() {
            text.push(if place == 0 { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.extend(utf8_percent_encode(value, RESERVED));
        }
        Url::parse(&text).ok()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.origin)
    }
}

/// Says whether a host, as the URL parser writes it, is loopback: `localhost`, 127.0.0.0/8 or `::1`.
fn is_loopback(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    address == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_origin_in_one_spelling() {
        let cases = [
            (
                "https://dcs.eu-de.otc.t-systems.com",
                "https://dcs.eu-de.otc.t-systems.com",
                "dcs.eu-de.otc.t-systems.com",
            ),
            (
                "https://dcs.eu-de.otc.t-systems.com/",
                "https://dcs.eu-de.otc.t-systems.com",
                "dcs.eu-de.otc.t-systems.com",
            ),
            (
                " HTTPS://DCS.Example.COM:443/ ",
                "https://dcs.example.com",
                "dcs.example.com",
            ),
            (
                "https://dcs.example.com:8443",
                "https://dcs.example.com:8443",
                "dcs.example.com",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080",
                "127.0.0.1",
            ),
            ("http://127.9.9.9", "http://127.9.9.9", "127.9.9.9"),
            ("http://127.1:80", "http://127.0.0.1", "127.0.0.1"),
            ("http://[::1]:8080/", "http://[::1]:8080", "[::1]"),
            (
                "http://localhost:18080",
                "http://localhost:18080",
                "localhost",
            ),
            (
                "https://[2001:db8::1]",
                "https://[2001:db8::1]",
                "[2001:db8::1]",
            ),
        ];
        for (text, origin, host) in cases {
            let endpoint = Endpoint::parse(text, false).unwrap();
            assert_eq!(
                (endpoint.as_str(), endpoint.host()),
                (origin, host),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        use EndpointError::{
            Credentials, MoreThanAnOrigin, NoHost, NoScheme, NotValid, OtherScheme,
        };
        let cases = [
            ("", NoScheme),
            ("dcs.example.com", NoScheme),
            ("//dcs.example.com", NoScheme),
            ("https:dcs.example.com", NoScheme),
            ("https:/dcs.example.com", NoScheme),
            ("user:password@dcs.example.com", NoScheme),
            ("ftp://dcs.example.com", OtherScheme),
            ("file:///etc/passwd", OtherScheme),
            ("javascript://dcs.example.com", OtherScheme),
            ("https://user:password@dcs.example.com", Credentials),
            ("https://user@dcs.example.com", Credentials),
            ("https://@dcs.example.com", Credentials),
            ("https://dcs.example.com/v2", MoreThanAnOrigin),
            ("https://dcs.example.com//", MoreThanAnOrigin),
            ("https://dcs.example.com/../", MoreThanAnOrigin),
            ("https://dcs.example.com/.", MoreThanAnOrigin),
            ("https://dcs.example.com/%2e", MoreThanAnOrigin),
            ("https://dcs.example.com?", MoreThanAnOrigin),
            ("https://dcs.example.com?a=b", MoreThanAnOrigin),
            ("https://dcs.example.com#", MoreThanAnOrigin),
            ("https://dcs.example.com/#top", MoreThanAnOrigin),
            ("https://dcs.example.com\\@other.example", MoreThanAnOrigin),
            ("https://", NoHost),
            ("https:///", NoHost),
            ("https://:443", NoHost),
            ("https://dcs.example.com:99999", NotValid),
            ("https://dcs.example.com:port", NotValid),
            ("https://dcs example.com", NotValid),
            ("https://dcs\t.example.com", NotValid),
            ("https://127.0.0.1%2eexample.com", NotValid),
            ("https://[::1", NotValid),
            ("https://256.256.256.256", NotValid),
        ];
        for (text, expected) in cases {
            assert_eq!(Endpoint::parse(text, true), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_it_was_asked_for() {
        for host in [
            "dcs.example.com",
            "localhost.example.com",
            "localhost.",
            "127.0.0.1.example.com",
            "128.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
        ] {
            let text = format!("http://{host}");
            let refused = Endpoint::parse(&text, false).unwrap_err();
            assert!(matches!(refused, EndpointError::PlainHttp { .. }), "{host}");
            assert!(refused.to_string().contains("--insecure-http"), "{refused}");
            let accepted = Endpoint::parse(&text, true).unwrap();
            assert!(!accepted.is_loopback() && !accepted.is_https(), "{host}");
        }
        for host in [
            "localhost",
            "127.0.0.1",
            "127.255.0.1",
            "[::1]",
            "2130706433",
        ] {
            let endpoint = Endpoint::parse(&format!("http://{host}"), false).unwrap();
            assert!(endpoint.is_loopback(), "{host}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_what_may_be_a_password() {
        for text in [
            "https://user:hunter2@dcs.example.com",
            "user:hunter2@dcs.example.com",
            "hunter2://dcs.example.com",
            "https://dcs.example.com/hunter2",
            "http://user:hunter2@127.0.0.1",
        ] {
            let refused = Endpoint::parse(text, false).unwrap_err();
            assert!(
                !format!("{refused} {refused:?}").contains("hunter2"),
                "{text}"
            );
        }
    }

    #[test]
    fn ids_are_data_in_a_url_and_never_syntax() {
        let endpoint = Endpoint::parse("https://dcs.example.com", false).unwrap();
        let cases = [
            ("9c2f-ABC_~.x", "9c2f-ABC_~.x"),
            ("../secret", "..%2Fsecret"),
            ("a/b", "a%2Fb"),
            ("a?b=c&d", "a%3Fb%3Dc%26d"),
            ("a#b", "a%23b"),
            ("%2e%2e", "%252e%252e"),
            ("a b\r\nc", "a%20b%0D%0Ac"),
            ("a\\b;c", "a%5Cb%3Bc"),
            ("实", "%E5%AE%9E"),
            ("...", "..."),
        ];
        for (id, expected) in cases {
            let url = endpoint
                .url(&["v2", id, "tasks"], &[("offset", "0")])
                .unwrap();
            assert_eq!(
                url.as_str(),
                format!("https://dcs.example.com/v2/{expected}/tasks?offset=0"),
                "{id:?}"
            );
        }
        for id in ["", ".", ".."] {
            assert_eq!(endpoint.url(&["v2", id, "tasks"], &[]), None, "{id:?}");
        }
    }
}
