//! The client against a scripted server on loopback: what is sent, how often, and what comes of every kind of answer.

mod credentials;
mod server;
mod tls;

use crate::model::time::Timestamp;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{
    auth::{Auth, Renew},
    client::{Answer, BadAnswer, Client, Fetched, Filter, Query, Settings, StartParameter},
    deadline::Deadline,
    endpoint::Endpoint,
    error::{ApiError, ErrorKind},
    secret::Secret,
};
use server::{Act, Server};

const TOKEN: &str = "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas";

/// Settings that fail fast.
fn settings() -> Settings {
    Settings {
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        retry_base: Duration::from_millis(1),
        ..Settings::default()
    }
}

fn token(renew: Option<Renew>) -> Auth {
    Auth::Token {
        token: Secret::parse(TOKEN.to_owned()).unwrap(),
        renew,
    }
}

fn client_with(origin: &str, settings: &Settings, auth: Auth) -> Client {
    let endpoint = Endpoint::parse(origin, false).unwrap();
    let deadline = Deadline::after(Duration::from_mins(1));
    Client::new(endpoint, auth, settings, deadline, || Timestamp::EPOCH).unwrap()
}

fn client(server: &Server) -> Client {
    client_with(&server.origin(), &settings(), token(None))
}

/// Takes any JSON object with `tasks` in it, as text; the real reader lives elsewhere.
fn parse(answer: &Answer) -> Result<String, BadAnswer> {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| BadAnswer::new("not JSON"))?;
    match value.get("tasks") {
        Some(_) => Ok(text),
        None => Err(BadAnswer::new("no `tasks`")),
    }
}

async fn ask(client: &Client) -> Result<Fetched<String>, ApiError> {
    let query = Query {
        offset: 0,
        limit: 1000,
        filter: None,
    };
    client.tasks("project", "instance", &query, parse).await
}

const LIST: &str = r#"{"tasks":[]}"#;

#[tokio::test]
async fn a_request_is_a_get_with_the_token_and_without_anything_that_was_not_agreed() {
    let date = "Date: Mon, 23 Nov 2026 20:00:00 GMT\r\n";
    let server = Server::start([Act::status(200, date, LIST), Act::ok(LIST)]);
    let client = client(&server);
    let fetched = ask(&client).await.unwrap();
    assert_eq!((fetched.value.as_str(), fetched.attempts), (LIST, 1));
    let date = fetched.date.map(|date| date.to_string());
    assert_eq!(date.as_deref(), Some("2026-11-23T20:00:00.000Z"));
    let query = Query {
        offset: 20,
        limit: 10,
        filter: Some(Filter {
            parameter: StartParameter::BeginTime,
            start: Timestamp::parse_upstream("2026-11-23T20:00:00.999Z"),
            end: Timestamp::parse_upstream("2026-11-24T20:00:00Z"),
        }),
    };
    let fetched = client.tasks("../p", "i?x=%2e", &query, parse).await;
    assert_eq!(fetched.unwrap().date, None);

    let heads = server.heads();
    let mut lines: Vec<_> = heads[0].lines().filter(|line| !line.is_empty()).collect();
    lines[1..].sort_unstable();
    let host = format!("host: {}", server.origin().replace("http://", ""));
    let token = format!("x-auth-token: {}", TOKEN.to_lowercase());
    assert_eq!(
        lines,
        [
            "get /v2/project/instances/instance/tasks?offset=0&limit=1000 http/1.1",
            "accept: application/json",
            &host,
            concat!("user-agent: dcs-history/", env!("CARGO_PKG_VERSION")),
            &token,
        ]
    );
    assert!(
        heads[1].starts_with(
            "get /v2/..%2fp/instances/i%3fx%3d%252e/tasks?offset=20&limit=10&begin_time=20261123200000&end_time=20261124200000 "
        ),
        "{}",
        heads[1]
    );
    assert_eq!((client.requests(), client.retries()), (2, 0));
}

#[tokio::test]
async fn an_id_that_no_url_can_hold_is_refused_and_nothing_is_sent() {
    let server = Server::start([]);
    let client = client(&server);
    let query = Query {
        offset: 0,
        limit: 1,
        filter: None,
    };
    for id in ["", ".", ".."] {
        let error = client.tasks("p", id, &query, parse).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (&ErrorKind::UnusableId, 0)
        );
    }
    assert_eq!(server.heads().len(), 0);
}

/// Asks every status and lists the ones that were asked again; a later change of the rules shows here.
#[tokio::test]
async fn of_every_status_asked_only_these_are_asked_again() {
    let mut again = Vec::new();
    for status in (200..=599).filter(|status| *status != 200) {
        let server = Server::start([
            Act::status(status, "Connection: close\r\n", "{}"),
            Act::ok(LIST),
        ]);
        // Statuses that promise no body confuse no client if none is sent.
        if matches!(status, 204 | 205 | 304) {
            continue;
        }
        let client = client(&server);
        match ask(&client).await {
            Ok(fetched) => {
                assert_eq!((fetched.attempts, client.retries()), (2, 1), "{status}");
                again.push(status);
            }
            Err(error) => {
                assert_eq!((error.status(), error.attempts()), (Some(status), 1));
                assert_eq!(server.heads().len(), 1, "{status}");
            }
        }
    }
    let successes: Vec<u16> = (201..=299).filter(|it| !matches!(it, 204 | 205)).collect();
    assert_eq!(again[..successes.len()], successes);
    assert_eq!(again[successes.len()..], [408, 429, 500, 502, 503, 504]);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_four_times_and_its_words_are_kept() {
    let body = format!(
        r#"{{"error_code":"APIGW.0201","error_msg":"Backend \u001b[2J for {TOKEN}","request_id":"in-body"}}"#
    );
    let act = Act::status(503, "X-Request-Id: 5bf2\r\n", &body);
    let server = Server::start(vec![act; 4]);
    let client = client(&server);
    let error = ask(&client).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "GET {}/v2/project/instances/instance/tasks?offset=0&limit=1000: status 503 Service Unavailable, \
             code APIGW.0201, \"Backend \\u{{1b}}[2J for ***\", request id 5bf2, 4 attempts",
            server.origin()
        )
    );
    assert!(!format!("{error:?}").contains(TOKEN));
    assert_eq!((client.requests(), client.retries()), (4, 3));
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn a_retry_is_told_before_its_wait() {
    let server = Server::start([Act::status(500, "", "oops"), Act::ok(LIST)]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&told);
    let client = client(&server).observed(move |retrying| {
        let note = format!("{} after {}", retrying.why, retrying.attempts);
        notes.lock().unwrap().push(note);
    });
    ask(&client).await.unwrap();
    let told = told.lock().unwrap();
    assert_eq!(
        *told,
        ["status 500 Internal Server Error, \"oops\" after 1"]
    );
}

#[tokio::test]
async fn answers_that_make_no_sense_are_asked_for_three_times_and_then_shown() {
    let html = "<html>Please \u{1b}[2J log in</html>";
    let envelope = r#"{"error_code":"DCS.5000","error_msg":"Internal error"}"#;
    let cases = [
        (
            Act::ok(""),
            "not an answer of the API: not JSON, status 200 OK, 3 attempts",
        ),
        (
            Act::ok("{}"),
            "no `tasks`; it begins `{}`, status 200 OK, 3 attempts",
        ),
        (
            Act::ok(html),
            "not JSON; it begins `<html>Please \\u{1b}[2J log in</html>`",
        ),
        (
            Act::ok("{\"tasks\":["),
            "not JSON; it begins `{\"tasks\":[`",
        ),
        (
            Act::ok(envelope),
            "code DCS.5000, \"Internal error\", 3 attempts",
        ),
        (Act::ok(TOKEN), "not JSON; it begins `***`"),
        (
            Act::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
            "a success without the list, status 204 No Content, 3 attempts",
        ),
    ];
    for (act, expected) in cases {
        let server = Server::start(vec![act; 4]);
        let error = ask(&client(&server)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadAnswer { .. }));
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(server.heads().len(), 3, "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_made_again() {
    for act in [Act::Reset, Act::SendAndClose(Vec::new())] {
        let server = Server::start([act.clone(), act.clone(), Act::ok(LIST)]);
        let client = client(&server);
        assert_eq!(ask(&client).await.unwrap().attempts, 3);
        assert_eq!((client.requests(), client.retries()), (3, 2));

        let server = Server::start(vec![act; 5]);
        let error = ask(&self::client(&server)).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (&ErrorKind::Closed, 4));
        assert!(!error.origin_is_dead());
    }
}

#[tokio::test]
async fn an_idle_connection_that_was_dropped_costs_no_retry() {
    let server = Server::start([Act::ok(LIST), Act::Reset, Act::ok(LIST)]);
    let without_retries = Settings {
        retries: 0,
        ..settings()
    };
    let client = client_with(&server.origin(), &without_retries, token(None));
    assert_eq!(ask(&client).await.unwrap().attempts, 1);
    assert_eq!(ask(&client).await.unwrap().attempts, 2);
    assert_eq!((client.requests(), client.retries()), (3, 0));
}

#[tokio::test]
async fn an_answer_cut_short_is_an_error_even_if_what_came_would_parse() {
    let short = format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{LIST}");
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{LIST}\r\n");
    for (answer, promised) in [(short, Some(99)), (chunked, None)] {
        let act = Act::SendAndClose(answer.into_bytes());
        let server = Server::start([act.clone(), Act::ok(LIST)]);
        assert_eq!(ask(&client(&server)).await.unwrap().attempts, 2);

        let server = Server::start(vec![act; 4]);
        let error = ask(&client(&server)).await.unwrap_err();
        let read = LIST.len() as u64;
        assert_eq!(*error.kind(), ErrorKind::Truncated { read, promised });
        assert_eq!(error.attempts(), 4);
    }
}

#[tokio::test]
async fn a_server_that_stalls_or_drips_meets_the_limit_for_the_whole_request() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{".to_vec();
    let drip = [head.clone(), vec![b' '; 999]].concat();
    for act in [
        Act::SendAndStall(Vec::new()),
        Act::SendAndStall(head),
        Act::Drip(drip),
    ] {
        let limit = Duration::from_millis(150);
        let impatient = Settings {
            timeout: limit,
            retries: 1,
            ..settings()
        };
        let server = Server::start(vec![act; 2]);
        let begun = Instant::now();
        let client = client_with(&server.origin(), &impatient, token(None));
        let error = ask(&client).await.unwrap_err();
        let of_time = matches!(error.kind(), ErrorKind::Timeout { limit: of, .. } if *of == limit);
        assert!(of_time, "{error}");
        assert_eq!(error.attempts(), 2);
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read_and_not_asked_for_again() {
    let small = Settings {
        max_body: 1_000,
        ..settings()
    };
    let promised = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n".to_vec();
    let endless = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(),
        &b"64\r\n0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n".repeat(11),
    ]
    .concat();
    for act in [Act::SendAndStall(promised), Act::SendAndStall(endless)] {
        let server = Server::start([act]);
        let client = client_with(&server.origin(), &small, token(None));
        let error = ask(&client).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::TooLarge { limit: 1_000 });
        assert_eq!(error.attempts(), 1);
    }
    let exact = format!("{{\"tasks\":\"{}\"}}", "x".repeat(1_000 - 12));
    assert_eq!(exact.len(), 1_000);
    let server = Server::start([Act::ok(&exact)]);
    let client = client_with(&server.origin(), &small, token(None));
    assert_eq!(ask(&client).await.unwrap().value, exact);
}

#[tokio::test]
async fn an_error_body_without_end_does_not_hide_its_status() {
    let flood = Act::Flood([b"HTTP/1.1 403 X\r\n\r\n".to_vec(), vec![b'x'; 70_000]].concat());
    let cut = Act::SendAndClose(b"HTTP/1.1 403 X\r\nContent-Length: 99\r\n\r\nno".to_vec());
    let packed = Act::status(403, "Content-Encoding: gzip\r\n", "\u{1f}\u{8b}");
    for (act, words) in [
        (flood, "xxx"),
        (cut, "no"),
        (packed, "a compressed body (gzip)"),
    ] {
        let server = Server::start([act]);
        let error = ask(&client(&server)).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert!(error.message().unwrap().contains(words), "{error}");
        assert!(error.to_string().len() < 500, "{error}");
    }
}

#[tokio::test]
async fn a_compressed_answer_is_refused_by_name() {
    for encoding in ["gzip", "br", "identity, gzip"] {
        let header = format!("Content-Encoding: {encoding}\r\n");
        let server = Server::start([Act::status(200, &header, LIST)]);
        let error = ask(&client(&server)).await.unwrap_err();
        let encoding = encoding.to_owned();
        assert_eq!(*error.kind(), ErrorKind::Compressed { encoding });
    }
    let server = Server::start([Act::status(200, "Content-Encoding: identity\r\n", LIST)]);
    ask(&client(&server)).await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_an_error_and_the_other_host_hears_nothing() {
    let other = Server::start([Act::ok(LIST)]);
    let secret = other.origin().replace("http://", "http://user:hunter2@");
    let cases = [
        (
            301,
            format!("{}/tasks?token=hunter2", other.origin()),
            other.origin(),
        ),
        (302, secret, other.origin()),
        (
            307,
            "/elsewhere".to_owned(),
            "another path of the same origin".to_owned(),
        ),
        (
            308,
            "file:///etc/passwd".to_owned(),
            "a file: address".to_owned(),
        ),
        (
            303,
            "http://[".to_owned(),
            "an address that cannot be read".to_owned(),
        ),
    ];
    for (status, location, target) in cases {
        let header = format!("Location: {location}\r\n");
        let server = Server::start([Act::status(status, &header, "")]);
        let error = ask(&client(&server)).await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert!(
            error
                .to_string()
                .contains(&format!("redirected to {target}, ")),
            "{error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(server.heads().len(), 1);
    }
    assert_eq!(other.heads().len(), 0);
}

#[tokio::test]
async fn a_refused_token_is_sent_once_and_stops_the_run() {
    let body = r#"{"error_code":"APIGW.0307","error_msg":"The token must be updated."}"#;
    let server = Server::start([Act::status(401, "", body), Act::ok(LIST)]);
    let client = client(&server);
    let error = ask(&client).await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(401), 1));
    let later = ask(&client).await.unwrap_err();
    assert_eq!(
        (later.kind(), later.attempts()),
        (&ErrorKind::AlreadyRefused, 0)
    );
    assert!(later.is_unauthorized());
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_token_that_can_be_renewed_is_renewed_once() {
    let renew: Renew = Box::new(|| Ok(Secret::parse("second-token".to_owned())?));
    let refused = Act::status(401, "", "");
    let script = [
        Act::ok(LIST),
        refused.clone(),
        Act::ok(LIST),
        refused,
        Act::ok(LIST),
    ];
    let server = Server::start(script);
    let client = client_with(&server.origin(), &settings(), token(Some(renew)));
    assert_eq!(ask(&client).await.unwrap().attempts, 1);
    assert_eq!(ask(&client).await.unwrap().attempts, 2);
    assert!(ask(&client).await.unwrap_err().is_unauthorized());
    let heads = server.heads();
    let renewed: Vec<bool> = heads
        .iter()
        .map(|head| head.contains("second-token"))
        .collect();
    assert_eq!(renewed, [false, false, true, true]);
    assert_eq!((client.requests(), client.retries()), (4, 0));
}

#[tokio::test]
async fn a_renewal_that_fails_or_brings_the_same_token_ends_it() {
    let failing: Renew = Box::new(|| Err("exit status 3".into()));
    let same: Renew = Box::new(|| Ok(Secret::parse(TOKEN.to_owned())?));
    for (renew, expected) in [(failing, "exit status 3"), (same, "")] {
        let server = Server::start([Act::status(401, "", ""), Act::ok(LIST)]);
        let client = client_with(&server.origin(), &settings(), token(Some(renew)));
        let error = ask(&client).await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.unwrap_or_default(), expected);
        assert_eq!(server.heads().len(), 1);
    }
}

#[tokio::test]
async fn requests_that_meet_the_same_refusal_share_one_renewal() {
    let renew: Renew = Box::new(|| Ok(Secret::parse("second-token".to_owned())?));
    // Both are under way when the first of them is refused.
    let refused = Act::status(401, "", "").once_asked(3);
    let server = Server::start([
        Act::ok(LIST),
        refused.clone(),
        refused,
        Act::ok(LIST),
        Act::ok(LIST),
    ]);
    let client = client_with(&server.origin(), &settings(), token(Some(renew)));
    // The first request of a run goes alone.
    assert_eq!(ask(&client).await.unwrap().attempts, 1);
    let (one, two) = tokio::join!(ask(&client), ask(&client));
    assert_eq!((one.unwrap().attempts, two.unwrap().attempts), (2, 2));
}

#[tokio::test]
async fn the_wait_that_a_server_asks_for_is_made() {
    let seconds = "Retry-After: 1\r\n";
    let date =
        "Date: Mon, 23 Nov 2026 20:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 20:00:01 GMT\r\n";
    for (status, headers) in [(429, seconds), (503, date)] {
        let server = Server::start([Act::status(status, headers, ""), Act::ok(LIST)]);
        let begun = Instant::now();
        assert_eq!(ask(&client(&server)).await.unwrap().attempts, 2);
        assert!(begun.elapsed() >= Duration::from_secs(1), "{status}");
    }
}

#[tokio::test]
async fn a_wait_of_a_day_is_not_made_and_nonsense_is_ignored() {
    let server = Server::start([Act::status(429, "Retry-After: 86400\r\n", "")]);
    let error = ask(&client(&server)).await.unwrap_err();
    assert_eq!(error.asked_to_wait(), Some(Duration::from_hours(24)));
    assert_eq!(error.attempts(), 1);
    for nonsense in ["-86400", "tomorrow", "Tue, 24 Nov 2026 20:00:00 GMT", ""] {
        let header = format!("Retry-After: {nonsense}\r\n");
        let server = Server::start([Act::status(429, &header, ""), Act::ok(LIST)]);
        assert_eq!(
            ask(&client(&server)).await.unwrap().attempts,
            2,
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn neither_a_request_nor_a_wait_outlasts_the_run() {
    let limit = Duration::from_millis(200);
    let stall = Act::SendAndStall(Vec::new());
    let waiting = Act::status(429, "Retry-After: 50\r\n", "");
    for (act, behind) in [(stall, ""), (waiting, "status 429 Too Many Requests")] {
        let server = Server::start([act]);
        let endpoint = Endpoint::parse(&server.origin(), false).unwrap();
        let begun = Instant::now();
        let deadline = Deadline::after(limit);
        let client = Client::new(endpoint, token(None), &settings(), deadline, || {
            Timestamp::EPOCH
        })
        .unwrap();
        let error = ask(&client).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Deadline { limit });
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.unwrap_or_default(), behind);
        assert!(begun.elapsed() < Duration::from_secs(2));
        // Nothing is sent once the time is over.
        tokio::time::sleep_until(tokio::time::Instant::from_std(begun + limit)).await;
        ask(&client).await.unwrap_err();
        assert_eq!(server.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_host_that_nobody_listens_on_is_a_dead_origin() {
    let gone = Server::start([]).origin();
    // The server wakes its listener when it is dropped and is gone a moment later.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let client = client_with(&gone, &settings(), token(None));
    let error = ask(&client).await.unwrap_err();
    assert!(error.origin_is_dead(), "{error}");
    assert_eq!((error.attempts(), client.retries()), (4, 3));
    assert!(
        error.to_string().contains(&format!("GET {gone}/v2/")),
        "{error}"
    );
    assert!(
        error
            .in_one_line()
            .contains(", 4 attempts: Connection refused"),
        "{}",
        error.in_one_line()
    );
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_no_answer() {
    let server = Server::start(vec![Act::SendAndClose(b"220 smtp ready\r\n".to_vec()); 4]);
    let error = ask(&client(&server)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (&ErrorKind::Closed, 4));
}
