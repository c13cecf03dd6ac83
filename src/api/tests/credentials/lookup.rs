//! A project is found by its name.

use serde_json::json;

use super::super::super::{client::Project, error::ErrorKind};
use super::super::{LIST, TOKEN, ask, server::Act, token};
use super::*;

fn projects() -> Act {
    let list = json!({"projects": [
        {"id": "p1", "name": "eu-de", "domain_id": "d", "enabled": true},
        {"id": "p2", "name": "eu-de_team"},
        {"id": "p3", "name": "eu-de"},
    ]});
    Act::ok(&list.to_string())
}

async fn find(client: &Client, iam: &Server) -> Result<Vec<String>, ApiError> {
    let iam = Endpoint::parse(&iam.origin(), false).unwrap();
    let found = client.projects(&iam, "eu-de").await?;
    Ok(found.into_iter().map(|project| project.id).collect())
}

#[tokio::test]
async fn iam_is_asked_with_the_token_or_with_a_signature() {
    for auth in [token(None), Auth::Keys(keys(Some(SECURITY_TOKEN)))] {
        let is_token = matches!(auth, Auth::Token { .. });
        let iam = Server::start([Act::status(503, "", ""), projects()]);
        let server = Server::start([Act::ok(LIST)]);
        let client = client_at(&server, auth, epoch);
        assert_eq!(find(&client, &iam).await.unwrap(), ["p1", "p3"]);
        let asked = &iam.asked()[1];
        assert_eq!(asked.line(), "GET /v3/projects?name=eu-de");
        assert_eq!(asked.header("x-project-id"), None);
        if is_token {
            assert_eq!(asked.header("x-auth-token"), Some(TOKEN));
            assert_eq!(asked.header("authorization"), None);
        } else {
            let signed = asked.header("authorization").unwrap();
            let headers = "SignedHeaders=host;x-sdk-date;x-security-token,";
            assert!(signed.contains(headers), "{signed}");
            assert_eq!(asked.header("x-auth-token"), None);
        }
        ask(&client).await.unwrap();
        // What it took to find the project is not a request for pages.
        assert_eq!((client.requests(), client.retries()), (1, 0));
    }
}

#[tokio::test]
async fn with_a_password_the_project_is_that_of_the_token() {
    let body = json!({"token": {"expires_at": "2099-01-01T00:00:00Z", "project": {"id": "p9", "name": "eu-de"}}});
    let issued = Act::status(201, "X-Subject-Token: t1\r\n", &body.to_string());
    let iam = Server::start([issued]);
    let server = Server::start([Act::ok(LIST)]);
    let client = client_at(&server, password(&iam), epoch);
    let origin = Endpoint::parse(&iam.origin(), false).unwrap();
    let expected = Project {
        id: "p9".to_owned(),
        name: "eu-de".to_owned(),
    };
    assert_eq!(
        client.projects(&origin, "another").await.unwrap(),
        [expected]
    );
    ask(&client).await.unwrap();
    assert_eq!(server.asked()[0].header("x-auth-token"), Some("t1"));
    assert_eq!(iam.asked().len(), 1, "one login serves both");
}

#[tokio::test]
async fn a_credential_that_iam_refuses_is_not_sent_to_dcs() {
    let refusal = Act::status(
        401,
        "X-IAM-Trace-Id: t7\r\n",
        r#"{"error_code":"APIGW.0301"}"#,
    );
    let iam = Server::start([refusal]);
    let server = Server::start([Act::ok(LIST)]);
    let client = client_at(&server, Auth::Keys(keys(None)), epoch);
    let error = find(&client, &iam).await.unwrap_err();
    assert!(error.is_unauthorized());
    let text = everything(&error);
    assert!(text.contains("request id t7"), "{text}");
    assert!(text.contains("does not fit its secret"), "{text}");
    let later = find(&client, &iam).await.unwrap_err();
    assert_eq!(*later.kind(), ErrorKind::AlreadyRefused);
    assert!(ask(&client).await.unwrap_err().is_unauthorized());
    assert_eq!((iam.asked().len(), server.asked().len()), (1, 0));

    let iam = Server::start([Act::status(401, "", "")]);
    let client = client_at(&server, password(&iam), epoch);
    assert!(find(&client, &iam).await.unwrap_err().is_unauthorized());
    assert!(find(&client, &iam).await.unwrap_err().is_unauthorized());
    assert_eq!(iam.asked().len(), 1);
}

#[tokio::test]
async fn a_credential_that_may_not_look_is_told_to_name_the_project() {
    let forbidden =
        r#"{"error":{"code":403,"message":"You are not authorized","title":"Forbidden"}}"#;
    let cases = [
        (Act::status(403, "", forbidden), "--project-id", 1),
        (Act::ok("<html>"), "--iam-endpoint", 3),
        (Act::status(404, "", ""), "--iam-endpoint", 1),
    ];
    for (act, words, attempts) in cases {
        let iam = Server::start(vec![act; 4]);
        let server = Server::start([]);
        let client = client_at(&server, token(None), epoch);
        let error = find(&client, &iam).await.unwrap_err();
        assert!(everything(&error).contains(words), "{error}");
        assert_eq!(error.attempts(), attempts);
        assert!(!error.is_unauthorized() && !error.origin_is_dead());
    }
}
