//! The metadata service of an ECS: it gives the temporary keys of the agency, and in its hardened form only to those who
//! have fetched a token of its own before.

use serde_json::json;

use super::account::Account;
use super::iam::micros;
use super::manners::Metadata;
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::{Asked, Route};
use crate::model::time::{SECOND, Timestamp};

/// The documented longest life of one of its tokens: six hours.
const LONGEST: i64 = 21_600;

/// Answers one of the two requests.
pub(crate) fn answer(
    route: Route<'_>,
    account: &Account,
    mode: Metadata,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Reply {
    if asked.headers.contains_key("x-forwarded-for") {
        return plain(403, "requests through a proxy are refused");
    }
    if route == Route::MetadataToken {
        return token(account, mode, asked, now);
    }
    let given = asked.header("x-metadata-token");
    let good = given.map(|token| account.opens_metadata(token, now));
    match (mode, good) {
        (Metadata::Off, _) => plain(404, "Please configure Cloud Service Agency first"),
        (Metadata::Token, None) => plain(401, "X-Metadata-Token is missing"),
        (Metadata::Token | Metadata::Both, Some(false)) => {
            plain(401, "X-Metadata-Token is wrong or has expired")
        }
        (Metadata::Plain, _)
        | (Metadata::Both, None)
        | (Metadata::Token | Metadata::Both, Some(true)) => keys(account, now),
    }
}

fn token(account: &Account, mode: Metadata, asked: &Asked<'_>, now: Timestamp) -> Reply {
    if mode == Metadata::Plain {
        return Refusal::NoApi.reply(asked.id);
    }
    let life = asked
        .header("x-metadata-token-ttl-seconds")
        .and_then(|seconds| seconds.parse::<i64>().ok())
        .filter(|seconds| (1..=LONGEST).contains(seconds));
    match life {
        Some(seconds) => plain(200, &account.issue_metadata(now.plus(seconds * SECOND))),
        None => plain(
            400,
            "X-Metadata-Token-Ttl-Seconds is a number from 1 to 21600",
        ),
    }
}

fn keys(account: &Account, now: Timestamp) -> Reply {
    let keys = account.temporary_keys(now);
    let body = json!({"credential": {
        "access": keys.access_key,
        "secret": keys.secret_key,
        "securitytoken": keys.security_token,
        "expires_at": micros(keys.expires_at),
    }});
    Reply::json(200, body.to_string())
}

fn plain(status: u16, text: &str) -> Reply {
    Reply::new(status, "text/plain", text.to_owned())
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{HeaderName, HeaderValue};
    use serde_json::Value;

    use super::*;
    use crate::model::time::HOUR;
    use crate::simulator::account::tests::account;
    use crate::simulator::world::START;

    fn ask(
        route: Route<'_>,
        mode: Metadata,
        millis: i64,
        header: Option<(&str, &str)>,
    ) -> (u16, String) {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let asked = Asked {
            method: "",
            path: "",
            query: "",
            headers: &headers,
            body: b"",
            number: 1,
            id: "1",
        };
        let now = Timestamp::from_millis(START + millis).unwrap();
        let reply = answer(route, &account(), mode, &asked, now);
        (reply.status, reply.body)
    }

    fn token(mode: Metadata, seconds: &str) -> (u16, String) {
        let header = ("x-metadata-token-ttl-seconds", seconds);
        ask(Route::MetadataToken, mode, 0, Some(header))
    }

    #[test]
    fn keys_are_given_as_the_mode_says() {
        let (_, good) = token(Metadata::Both, "21600");
        for (mode, given, status) in [
            (Metadata::Both, None, 200),
            (Metadata::Both, Some(&*good), 200),
            (Metadata::Both, Some("wrong"), 401),
            (Metadata::Plain, None, 200),
            (Metadata::Plain, Some("wrong"), 200),
            (Metadata::Token, None, 401),
            (Metadata::Token, Some("wrong"), 401),
            (Metadata::Token, Some(&*good), 200),
            (Metadata::Off, None, 404),
            (Metadata::Off, Some(&*good), 404),
        ] {
            let header = given.map(|token| ("x-metadata-token", token));
            let (got, body) = ask(Route::SecurityKey, mode, 0, header);
            assert_eq!(got, status, "{mode:?} {given:?} {body}");
            assert_eq!(body.contains("securitytoken"), status == 200, "{body}");
        }
        let late = ask(
            Route::SecurityKey,
            Metadata::Token,
            6 * HOUR,
            Some(("x-metadata-token", &good)),
        );
        assert_eq!(late.0, 401);
    }

    #[test]
    fn a_token_is_given_for_a_life_within_bounds() {
        for (mode, seconds, status) in [
            (Metadata::Both, "1", 200),
            (Metadata::Token, "21600", 200),
            (Metadata::Off, "60", 200),
            (Metadata::Both, "0", 400),
            (Metadata::Both, "21601", 400),
            (Metadata::Both, "long", 400),
            (Metadata::Plain, "60", 404),
        ] {
            assert_eq!(token(mode, seconds).0, status, "{mode:?} {seconds}");
        }
        assert_eq!(ask(Route::MetadataToken, Metadata::Both, 0, None).0, 400);
    }

    #[test]
    fn keys_have_the_documented_form_and_proxies_get_none() {
        let (_, body) = ask(Route::SecurityKey, Metadata::Both, 0, None);
        let body: Value = serde_json::from_str(&body).unwrap();
        let expires_at = &body["credential"]["expires_at"];
        assert_eq!(*expires_at, "2026-10-01T01:00:00.000000Z");
        for route in [Route::SecurityKey, Route::MetadataToken] {
            let proxied = Some(("x-forwarded-for", "10.0.0.1"));
            assert_eq!(ask(route, Metadata::Both, 0, proxied).0, 403);
        }
    }
}
