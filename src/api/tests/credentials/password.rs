//! A password: one token for all requests, asked for by the rules of every request, and never after a refusal.

use serde_json::{Value, json};

use super::super::super::error::ErrorKind;
use super::super::{LIST, ask, server::Act};
use super::*;

const FIRST: &str = "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas";
const SECOND: &str = "MIIGgQYJKoZIhvcNAQcCoIIGcjCCBm4";

/// The date of the answers, which is not that of this machine.
const DATE: &str = "Date: Mon, 23 Nov 2026 20:00:00 GMT\r\n";

/// A token that lives until then.
fn issued(token: &str, expires_at: &str) -> Act {
    let body = json!({"token": {
        "expires_at": expires_at,
        "project": {"id": "project", "name": "eu-de"},
    }});
    let headers = format!("{DATE}X-Subject-Token: {token}\r\n");
    Act::status(201, &headers, &body.to_string())
}

fn for_a_day(token: &str) -> Act {
    issued(token, "2026-11-24T20:00:00.000000Z")
}

#[tokio::test]
async fn one_login_serves_all_requests() {
    let iam = Server::start([for_a_day(FIRST)]);
    let server = Server::start(vec![Act::ok(LIST); 4]);
    let client = client_at(&server, password(&iam), epoch);
    let (one, two, three) = tokio::join!(ask(&client), ask(&client), ask(&client));
    ask(&client).await.unwrap();
    for fetched in [one, two, three] {
        assert_eq!(fetched.unwrap().attempts, 1);
    }
    let logins = iam.asked();
    assert_eq!(logins.len(), 1);
    assert_eq!(logins[0].line(), "POST /v3/auth/tokens?nocatalog=true");
    assert_eq!(
        logins[0].header("content-type"),
        Some("application/json;charset=utf8")
    );
    assert_eq!(logins[0].header("x-auth-token"), None);
    let body: Value = serde_json::from_str(&logins[0].body).unwrap();
    let user = &body["auth"]["identity"]["password"]["user"];
    assert_eq!(
        *user,
        json!({"name": "reader", "password": PASSWORD, "domain": {"name": "ACCOUNT"}})
    );
    assert_eq!(body["auth"]["scope"], json!({"project": {"id": "project"}}));
    for asked in server.asked() {
        assert_eq!(asked.header("x-auth-token"), Some(FIRST));
        assert!(!asked.head.contains(PASSWORD));
    }
    assert_eq!((client.requests(), client.retries()), (4, 0));
}

#[tokio::test]
async fn a_refused_password_is_sent_once_and_dcs_hears_nothing() {
    for (status, title) in [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (400, "Bad Request"),
    ] {
        let said = format!(
            r#"{{"error":{{"code":{status},"message":"wrong: {PASSWORD}","title":"{title}"}}}}"#
        );
        let refusal = Act::status(status, "X-IAM-Trace-Id: iam-7\r\n", &said);
        let iam = Server::start([refusal, for_a_day(FIRST)]);
        let server = Server::start([Act::ok(LIST)]);
        let client = client_at(&server, password(&iam), epoch);
        let error = ask(&client).await.unwrap_err();
        assert!(error.is_unauthorized() && !error.is_forbidden() && !error.origin_is_dead());
        assert_eq!(
            error.to_string(),
            format!(
                "POST {}/v3/auth/tokens?nocatalog=true: status {status} {title}, code {status}, \"wrong: ***\", \
                 request id iam-7, 1 attempt",
                iam.origin()
            )
        );
        let text = everything(&error);
        assert!(
            text.contains("IAM refuses the user, the password"),
            "{text}"
        );
        assert!(!text.contains("--token-file"), "{text}");
        let later = ask(&client).await.unwrap_err();
        assert_eq!(*later.kind(), ErrorKind::AlreadyRefused);
        assert_eq!((iam.asked().len(), server.asked().len()), (1, 0));
    }
}

#[tokio::test]
async fn iam_in_trouble_is_asked_four_times_and_is_no_refusal() {
    let busy = Act::status(503, "", r#"{"error":{"code":503,"message":"busy"}}"#);
    let iam = Server::start([busy.clone(), Act::Reset, for_a_day(FIRST)]);
    let server = Server::start([Act::ok(LIST)]);
    let client = client_at(&server, password(&iam), epoch);
    assert_eq!(ask(&client).await.unwrap().attempts, 1);
    assert_eq!((iam.asked().len(), client.retries()), (3, 0));

    let iam = Server::start(vec![busy; 4]);
    let server = Server::start([]);
    let client = client_at(&server, password(&iam), epoch);
    let error = ask(&client).await.unwrap_err();
    assert!(error.to_string().ends_with(", 4 attempts"), "{error}");
    assert!(error.origin_is_dead() && !error.is_unauthorized());
    // None of them was for a page, so none is booked as one.
    assert_eq!((error.attempts(), client.requests()), (0, 0));
    assert_eq!((iam.asked().len(), server.asked().len()), (4, 0));
}

#[tokio::test]
async fn what_answers_in_place_of_iam_gets_the_password_no_further() {
    let other = Server::start([for_a_day(FIRST)]);
    let elsewhere = format!("Location: {}/v3/auth/tokens\r\n", other.origin());
    let cases = [
        (Act::status(307, &elsewhere, ""), "redirected to", 1),
        (
            Act::ok("<html>log in</html>"),
            "a success without what was asked for",
            3,
        ),
        (
            Act::status(201, "", r#"{"token":{}}"#),
            "no token in its head",
            3,
        ),
        (
            Act::status(404, "", "<html><title>nothing here</title></html>"),
            "an HTML page: nothing here",
            1,
        ),
        (
            Act::status(200, "Content-Encoding: gzip\r\n", ""),
            "compressed (gzip)",
            1,
        ),
    ];
    for (act, words, attempts) in cases {
        let iam = Server::start(vec![act; 4]);
        let server = Server::start([]);
        let client = client_at(&server, password(&iam), epoch);
        let error = ask(&client).await.unwrap_err();
        let text = everything(&error);
        assert!(text.contains(words), "{text}");
        assert!(
            text.contains("--iam-endpoint") || words.contains("gzip"),
            "{text}"
        );
        assert!(error.origin_is_dead() && !error.is_unauthorized(), "{text}");
        assert_eq!(iam.asked().len(), attempts, "{text}");
    }
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn iam_that_nobody_answers_for_is_named_with_its_address() {
    let limit = Duration::from_millis(150);
    let impatient = Settings {
        timeout: limit,
        retries: 1,
        ..settings()
    };
    let iam = Server::start(vec![Act::SendAndStall(Vec::new()); 2]);
    let server = Server::start([]);
    let client = client_of(&server, password(&iam), epoch, &impatient);
    let error = ask(&client).await.unwrap_err();
    let text = everything(&error);
    assert!(text.contains("no complete answer within 150ms"), "{text}");
    assert!(
        text.starts_with(&format!("POST {}/v3", iam.origin())),
        "{text}"
    );

    let gone = Server::start([]);
    let auth = password(&gone);
    drop(gone);
    // The server wakes its listener when it is dropped and is gone a moment later.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let client = client_of(&server, auth, epoch, &impatient);
    let error = ask(&client).await.unwrap_err();
    let text = everything(&error);
    assert!(text.contains("/v3/auth/tokens?nocatalog=true: cannot connect, 2 attempts"));
    assert!(
        text.contains("--iam-endpoint") && text.contains("NO_PROXY"),
        "{text}"
    );
}

#[tokio::test]
async fn no_login_outlasts_the_run() {
    let iam = Server::start([Act::SendAndStall(Vec::new())]);
    let server = Server::start([]);
    let endpoint = Endpoint::parse(&server.origin(), false).unwrap();
    let limit = Duration::from_millis(200);
    let deadline = Deadline::after(limit);
    let client = Client::new(endpoint, password(&iam), &settings(), deadline, epoch).unwrap();
    let error = ask(&client).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Deadline { limit });
    assert!(error.is_deadline() && !error.origin_is_dead());
    assert!(error.to_string().starts_with("POST "), "{error}");
}

#[tokio::test]
async fn a_token_that_dcs_refuses_is_renewed_once_a_run() {
    let iam = Server::start([for_a_day(FIRST), for_a_day(SECOND), for_a_day("third")]);
    let refused = Act::status(
        401,
        "",
        r#"{"error_code":"DCS.1002","error_msg":"expired"}"#,
    );
    let script = [
        Act::ok(LIST),
        refused.clone(),
        Act::ok(LIST),
        refused,
        Act::ok(LIST),
    ];
    let server = Server::start(script);
    let client = client_at(&server, password(&iam), epoch);
    assert_eq!(ask(&client).await.unwrap().attempts, 1);
    assert_eq!(ask(&client).await.unwrap().attempts, 2);
    let error = ask(&client).await.unwrap_err();
    assert!(error.is_unauthorized());
    let text = everything(&error);
    assert!(
        text.contains("user, endpoint and project belong together"),
        "{text}"
    );
    assert!(ask(&client).await.unwrap_err().is_unauthorized());
    let sent: Vec<bool> = server
        .asked()
        .iter()
        .map(|asked| asked.header("x-auth-token") == Some(SECOND))
        .collect();
    assert_eq!(sent, [false, false, true, true]);
    assert_eq!(iam.asked().len(), 2);
}

#[tokio::test]
async fn a_password_that_is_refused_at_the_renewal_ends_the_run() {
    let iam = Server::start([for_a_day(FIRST), Act::status(401, "", "")]);
    let server = Server::start([Act::status(401, "", ""), Act::ok(LIST)]);
    let client = client_at(&server, password(&iam), epoch);
    let error = ask(&client).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotRenewed);
    assert!(error.is_unauthorized());
    let text = everything(&error);
    assert!(text.contains("caused by: POST "), "{text}");
    assert!(text.contains("IAM gave no other"), "{text}");
    assert!(ask(&client).await.unwrap_err().is_unauthorized());
    assert_eq!((iam.asked().len(), server.asked().len()), (2, 1));
}

#[tokio::test]
async fn a_token_is_replaced_ahead_of_its_end_though_the_clock_is_off_by_years() {
    // Three seconds by the server's clock; a tenth of it is the margin.
    let iam = Server::start([issued(FIRST, "2026-11-23T20:00:03Z"), for_a_day(SECOND)]);
    let server = Server::start(vec![Act::ok(LIST); 4]);
    let client = client_at(&server, password(&iam), epoch);
    ask(&client).await.unwrap();
    ask(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    ask(&client).await.unwrap();
    ask(&client).await.unwrap();
    let asked = server.asked();
    let sent: Vec<_> = asked
        .iter()
        .map(|asked| asked.header("x-auth-token").unwrap())
        .collect();
    assert_eq!(sent, [FIRST, FIRST, SECOND, SECOND]);
    assert_eq!(iam.asked().len(), 2);
}

#[tokio::test]
async fn a_token_of_no_known_end_is_used_until_it_is_refused() {
    for end in ["soon", "2026-11-23T19:00:00Z"] {
        let iam = Server::start([issued(FIRST, end)]);
        let server = Server::start(vec![Act::ok(LIST); 2]);
        let client = client_at(&server, password(&iam), epoch);
        ask(&client).await.unwrap();
        ask(&client).await.unwrap();
        assert_eq!(iam.asked().len(), 1, "{end}");
    }
}

#[tokio::test]
async fn every_token_of_the_run_is_scrubbed_from_what_servers_say() {
    let iam = Server::start([for_a_day(FIRST), for_a_day(SECOND)]);
    let refused = Act::status(401, "", "");
    let said = format!("your tokens were {FIRST} and {SECOND}, with {PASSWORD}");
    let server = Server::start([refused, Act::status(403, "", &said)]);
    let client = client_at(&server, password(&iam), epoch);
    let error = ask(&client).await.unwrap_err();
    let text = everything(&error);
    assert!(
        text.contains("your tokens were *** and ***, with ***"),
        "{text}"
    );
    assert!(!text.contains("MIIF") && !text.contains("MIIG"), "{text}");
}
