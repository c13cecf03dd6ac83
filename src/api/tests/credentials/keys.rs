//! Requests that are signed.

use std::sync::atomic::{AtomicI64, Ordering};

use ring::{digest, hmac};

use super::super::super::error::ErrorKind;
use super::super::{
    LIST, ask, parse,
    server::{Act, Asked},
};
use super::*;
use crate::api::client::Query;

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Checks a signature as the cloud does: from nothing but the request that came and the secret that belongs to the key.
fn is_signed(asked: &Asked) -> bool {
    let authorization = asked.header("authorization").unwrap();
    let fields = authorization.strip_prefix("SDK-HMAC-SHA256 ").unwrap();
    let fields: Vec<&str> = fields.split(", ").collect();
    assert_eq!(fields[0], format!("Access={ACCESS_KEY}"));
    let signed = fields[1].strip_prefix("SignedHeaders=").unwrap();
    let signature = fields[2].strip_prefix("Signature=").unwrap();
    let (method, target) = asked.line().split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    let headers: Vec<String> = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", asked.header(name).unwrap()))
        .collect();
    let headers = headers.concat();
    let body = hex(digest::digest(&digest::SHA256, asked.body.as_bytes()).as_ref());
    let canonical = format!(
        "{method}\n{path}/\n{}\n{headers}\n{signed}\n{body}",
        pairs.join("&")
    );
    let canonical = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let date = asked.header("x-sdk-date").unwrap();
    let text = format!("SDK-HMAC-SHA256\n{date}\n{canonical}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET_KEY.as_bytes());
    hex(hmac::sign(&key, text.as_bytes()).as_ref()) == signature
}

#[tokio::test]
async fn what_arrives_bears_the_signature_of_what_was_sent() {
    for (token, signed) in [
        (None, "SignedHeaders=host;x-project-id;x-sdk-date,"),
        (
            Some(SECURITY_TOKEN),
            "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token,",
        ),
    ] {
        let server = Server::start([Act::ok(LIST), Act::ok(r#"{"tasks":[]}"#)]);
        let client = client_at(&server, Auth::Keys(keys(token)), || {
            at("2020-06-17T16:00:00.999Z")
        });
        ask(&client).await.unwrap();
        client.instances("project", 20, 10, parse).await.unwrap();
        let asked = server.asked();
        assert_eq!(
            asked[1].line(),
            "GET /v2/project/instances?offset=20&limit=10"
        );
        for asked in asked {
            assert!(is_signed(&asked), "{asked:?}");
            assert!(asked.header("authorization").unwrap().contains(signed));
            assert_eq!(asked.header("x-sdk-date"), Some("20200617T160000Z"));
            assert_eq!(asked.header("x-project-id"), Some("project"));
            assert_eq!(asked.header("x-security-token"), token);
            assert_eq!(asked.header("x-auth-token"), None);
            assert!(!asked.head.contains(SECRET_KEY));
        }
    }
}

#[tokio::test]
async fn a_retry_is_signed_anew_with_its_own_date() {
    static NOW: AtomicI64 = AtomicI64::new(0);
    fn ticking() -> Timestamp {
        let now = NOW.fetch_add(60_000, Ordering::Relaxed);
        Timestamp::from_millis(now).unwrap()
    }
    let server = Server::start([Act::status(503, "", ""), Act::Reset, Act::ok(LIST)]);
    let client = client_at(&server, Auth::Keys(keys(None)), ticking);
    assert_eq!(ask(&client).await.unwrap().attempts, 3);
    let dates: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.header("x-sdk-date").unwrap().to_owned())
        .collect();
    assert_eq!(
        dates,
        ["19700101T000000Z", "19700101T000100Z", "19700101T000200Z"]
    );
    assert!(is_signed(&server.asked()[2]));
}

#[tokio::test]
async fn a_refused_key_is_sent_once_and_advice_is_about_keys() {
    let said = format!(
        r#"{{"error_code":"APIGW.0301","error_msg":"verify aksk signature fail for {ACCESS_KEY} {SECRET_KEY} {SECURITY_TOKEN}"}}"#
    );
    let server = Server::start([
        Act::status(401, "X-Request-Id: 5bf2\r\n", &said),
        Act::ok(LIST),
    ]);
    let client = client_at(&server, Auth::Keys(keys(Some(SECURITY_TOKEN))), epoch);
    let error = ask(&client).await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(401), 1));
    let text = everything(&error);
    for words in [
        "verify aksk signature fail for QTWA*** *** ***",
        "request id 5bf2",
        "the access key QTWA*** has expired",
        "five refusals lock a key",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("--token-file"), "{text}");
    let later = ask(&client).await.unwrap_err();
    assert_eq!(*later.kind(), ErrorKind::AlreadyRefused);
    assert!(later.is_unauthorized());
    assert!(everything(&later).contains("the credential was refused before"));
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn requests_under_way_apart_nothing_is_sent_after_the_first_refusal() {
    let refused = Act::status(401, "", "");
    let server = Server::start([Act::ok(LIST), refused.clone(), refused]);
    let client = client_at(&server, Auth::Keys(keys(None)), epoch);
    ask(&client).await.unwrap();
    let (one, two) = tokio::join!(ask(&client), ask(&client));
    assert!(one.unwrap_err().is_unauthorized() && two.unwrap_err().is_unauthorized());
    for _ in 0..3 {
        assert!(ask(&client).await.unwrap_err().is_unauthorized());
    }
    assert!(server.heads().len() <= 3);
}

#[tokio::test]
async fn a_clock_that_is_off_is_named_before_anything_else() {
    let date = "Date: Mon, 23 Nov 2026 20:20:00 GMT\r\n";
    let server = Server::start([Act::status(401, date, "")]);
    let client = client_at(&server, Auth::Keys(keys(None)), epoch);
    let error = ask(&client).await.unwrap_err();
    let hints = error.hints(at("2026-11-23T20:00:00Z"));
    assert!(
        hints[0].contains("clock of this machine is 20 minutes behind the server's"),
        "{hints:?}"
    );
    assert_eq!(hints.len(), 2);
}

#[tokio::test]
async fn a_project_that_no_header_can_hold_is_refused_and_nothing_is_sent() {
    let server = Server::start([]);
    let client = client_at(&server, Auth::Keys(keys(None)), epoch);
    let query = Query {
        offset: 0,
        limit: 1,
        filter: None,
    };
    for project in ["实例", "p\r\nX-Other: 1"] {
        let error = client.tasks(project, "i", &query, parse).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (&ErrorKind::UnusableId, 0)
        );
    }
    assert_eq!(server.heads().len(), 0);
}
