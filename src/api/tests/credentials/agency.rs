//! The keys of an ECS's agency: asked for directly and briefly, used to their end.

use serde_json::json;

use super::super::super::{
    auth::metadata::{Metadata, Presence},
    error::ErrorKind,
    tls::BuildError,
};
use super::super::{LIST, ask, server::Act};
use super::*;

const DATE: &str = "Date: Mon, 23 Nov 2026 20:00:00 GMT\r\n";
const METADATA_TOKEN: &str = "AQAEALmetadatatoken";

fn given_as(access: &str, expires_at: &str) -> Act {
    let body = json!({"credential": {
        "access": access,
        "secret": SECRET_KEY,
        "securitytoken": SECURITY_TOKEN,
        "expires_at": expires_at,
    }});
    Act::status(200, DATE, &body.to_string())
}

fn given(expires_at: &str) -> Act {
    given_as(ACCESS_KEY, expires_at)
}

/// What a service without tokens says to the request for one.
fn plain() -> Act {
    Act::status(404, "", "")
}

const IN_AN_HOUR: &str = "2026-11-23T21:00:00.231000Z";
const IN_FIVE_MINUTES: &str = "2026-11-23T20:05:00.231000Z";

#[tokio::test]
async fn a_hardened_service_is_asked_for_a_token_first_and_its_keys_sign() {
    let metadata = Server::start([Act::ok(METADATA_TOKEN), given(IN_AN_HOUR)]);
    let server = Server::start(vec![Act::ok(LIST); 2]);
    let client = client_at(&server, agency(&metadata), epoch);
    ask(&client).await.unwrap();
    ask(&client).await.unwrap();
    let asked = metadata.asked();
    assert_eq!(asked.len(), 2, "once for both requests");
    assert_eq!(asked[0].line(), "PUT /meta-data/latest/api/token");
    assert_eq!(
        asked[0].header("x-metadata-token-ttl-seconds"),
        Some("21600")
    );
    assert_eq!(asked[1].line(), "GET /openstack/latest/securitykey");
    assert_eq!(asked[1].header("x-metadata-token"), Some(METADATA_TOKEN));
    for asked in server.asked() {
        let authorization = asked.header("authorization").unwrap();
        assert!(authorization.starts_with(&format!("SDK-HMAC-SHA256 Access={ACCESS_KEY}, ")));
        assert_eq!(asked.header("x-security-token"), Some(SECURITY_TOKEN));
        assert_eq!(asked.header("x-project-id"), Some("project"));
    }
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn a_service_that_knows_no_tokens_is_asked_the_plain_way() {
    for act in [
        Act::status(404, "", ""),
        Act::status(405, "", ""),
        Act::status(503, "", ""),
        Act::Reset,
        Act::SendAndClose(Vec::new()),
    ] {
        let metadata = Server::start([act.clone(), given(IN_AN_HOUR)]);
        let server = Server::start([Act::ok(LIST)]);
        let client = client_at(&server, agency(&metadata), epoch);
        ask(&client).await.unwrap();
        let asked = metadata.asked();
        assert_eq!(asked.len(), 2, "{act:?}");
        assert_eq!(asked[1].header("x-metadata-token"), None, "{act:?}");
    }
}

#[tokio::test]
async fn a_request_for_a_token_that_is_never_answered_means_the_plain_way_as_well() {
    let metadata = Server::start([Act::SendAndStall(Vec::new()), Act::status(404, "", "")]);
    let begun = std::time::Instant::now();
    let found = Metadata::new(&Agency {
        metadata: metadata.origin(),
    });
    assert_eq!(found.unwrap().probe().await.unwrap(), Presence::Nothing);
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_secs(5),
        "{took:?}"
    );
    assert_eq!(metadata.asked().len(), 2);
}

#[tokio::test]
async fn keys_near_their_end_are_asked_for_once_before_each_request() {
    let metadata = Server::start([
        plain(),
        given(IN_FIVE_MINUTES),
        plain(),
        given(IN_FIVE_MINUTES),
        plain(),
        given_as("SECONDKEYSECONDKEY", IN_AN_HOUR),
    ]);
    let server = Server::start(vec![Act::ok(LIST); 4]);
    let client = client_at(&server, agency(&metadata), epoch);
    let mut asked = Vec::new();
    for _ in 0..4 {
        ask(&client).await.unwrap();
        asked.push(metadata.asked().len());
    }
    assert_eq!(asked, [2, 4, 6, 6]);
    let used: Vec<bool> = server
        .asked()
        .iter()
        .map(|asked| asked.header("authorization").unwrap().contains(ACCESS_KEY))
        .collect();
    assert_eq!(used, [true, true, false, false]);
}

#[tokio::test]
async fn good_keys_are_used_while_no_others_can_be_had() {
    for failing in [
        Act::status(500, "", "oops"),
        Act::status(403, "", ""),
        Act::ok("<html>"),
        given("2026-11-23T19:00:00Z"),
    ] {
        let metadata = Server::start([plain(), given(IN_FIVE_MINUTES), plain(), failing.clone()]);
        let server = Server::start(vec![Act::ok(LIST); 3]);
        let client = client_at(&server, agency(&metadata), epoch);
        for _ in 0..3 {
            assert_eq!(ask(&client).await.unwrap().attempts, 1, "{failing:?}");
        }
        // Once it failed, the next attempt waits a little.
        assert_eq!(metadata.asked().len(), 4, "{failing:?}");
    }
}

#[tokio::test]
async fn without_keys_nothing_is_sent_and_no_piece_of_a_key_is_shown() {
    let cut = |name: &str, value: serde_json::Value| {
        let mut credential = json!({
            "access": ACCESS_KEY, "secret": SECRET_KEY, "securitytoken": SECURITY_TOKEN,
            "expires_at": IN_AN_HOUR,
        });
        credential[name] = value;
        Act::ok(&json!({ "credential": credential }).to_string())
    };
    let other = Server::start([given(IN_AN_HOUR)]);
    let elsewhere = format!("Location: {}/\r\n", other.origin());
    let cases = [
        (Act::status(404, "", ""), "no agency is bound", "dead"),
        (Act::status(403, "", "no"), "status 403", "refused"),
        (Act::status(500, "", "oops"), "status 500", "dead"),
        (Act::status(302, &elsewhere, ""), "redirected to", "dead"),
        (Act::Reset, "closed before an answer", "dead"),
        (cut("secret", json!(null)), "not an answer", "dead"),
        (cut("secret", json!("")), "its `secret`", "dead"),
        (cut("access", json!("a b")), "its `access`", "dead"),
        (cut("securitytoken", json!(7)), "no credential", "dead"),
        (cut("expires_at", json!("soon")), "is no time", "dead"),
        (given("2026-11-23T19:00:00Z"), "had expired by", "dead"),
        (
            Act::status(201, "", &format!("{SECRET_KEY} {SECURITY_TOKEN}")),
            "a success without what was asked for",
            "dead",
        ),
        (Act::ok(&SECRET_KEY.repeat(2_000)), "size limit", "dead"),
    ];
    for (act, words, what) in cases {
        let metadata = Server::start([plain(), act]);
        let server = Server::start([]);
        let client = client_at(&server, agency(&metadata), epoch);
        let error = ask(&client).await.unwrap_err();
        let text = everything(&error);
        assert!(text.contains(words), "{text}");
        assert!(
            text.starts_with(&format!("GET {}", metadata.origin())),
            "{text}"
        );
        assert_eq!(error.is_unauthorized(), what == "refused", "{text}");
        assert_eq!(error.origin_is_dead(), what == "dead", "{text}");
        assert_eq!((metadata.asked().len(), server.asked().len()), (2, 0));
    }
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn refused_keys_of_an_agency_are_final() {
    let metadata = Server::start([plain(), given(IN_AN_HOUR)]);
    let server = Server::start([Act::status(401, "", ""), Act::ok(LIST)]);
    let client = client_at(&server, agency(&metadata), epoch);
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert!(everything(&error).contains("the agency may read DCS"));
    let later = ask(&client).await.unwrap_err();
    assert_eq!(*later.kind(), ErrorKind::AlreadyRefused);
    assert_eq!((metadata.asked().len(), server.asked().len()), (2, 1));
}

#[tokio::test]
async fn whether_there_is_an_agency_is_found_out_quickly() {
    async fn probe(metadata: &str) -> Result<Presence, ApiError> {
        let metadata = metadata.to_owned();
        Metadata::new(&Agency { metadata }).unwrap().probe().await
    }
    let cases = [
        (vec![plain(), given(IN_AN_HOUR)], Ok(Presence::Found)),
        (vec![plain(), plain()], Ok(Presence::Nothing)),
        (
            vec![Act::ok(METADATA_TOKEN), Act::status(404, "", "")],
            Ok(Presence::Nothing),
        ),
        (vec![plain(), Act::Reset], Ok(Presence::Nothing)),
        (vec![Act::status(403, "", "")], Err(403)),
        (vec![plain(), Act::status(401, "", "")], Err(401)),
        (vec![Act::status(400, "", "")], Err(400)),
    ];
    for (script, expected) in cases {
        let metadata = Server::start(script.clone());
        let found = probe(&metadata.origin()).await;
        assert_eq!(
            found.map_err(|error| error.status().unwrap()),
            expected,
            "{script:?}"
        );
    }
    let gone = Server::start([]).origin();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(probe(&gone).await.unwrap(), Presence::Nothing);
}

#[test]
fn an_address_that_is_no_origin_is_an_error_of_configuration() {
    for text in ["169.254.169.254", "http://user:hunter2@169.254.169.254"] {
        let agency = Agency {
            metadata: text.to_owned(),
        };
        let error = Metadata::new(&agency).err().unwrap();
        assert!(matches!(error, BuildError::Metadata { .. }));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let plain = Agency {
        metadata: "http://169.254.169.254".to_owned(),
    };
    assert!(Metadata::new(&plain).is_ok());
}
