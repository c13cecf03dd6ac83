//! What IAM is asked, and what is read of its answers.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::api::{client::Answer, secret::Password};

fn login(user: User, scope: Scope) -> Login {
    Login {
        iam: Endpoint::parse("https://iam.eu-de.otc.t-systems.com", false).unwrap(),
        user,
        password: Password::parse("pass \"word\" ä".to_owned()).unwrap(),
        scope,
    }
}

fn named(domain: Domain) -> User {
    let name = "USER".to_owned();
    User::Name { name, domain }
}

#[test]
fn a_login_names_the_user_and_the_project_by_id_or_by_name() {
    let project_id = || Scope::ProjectId("PROJECT_ID".to_owned());
    let cases = [
        (
            login(named(Domain::Name("ACCOUNT".to_owned())), project_id()),
            json!({"name": "USER", "password": "pass \"word\" ä", "domain": {"name": "ACCOUNT"}}),
            json!({"project": {"id": "PROJECT_ID"}}),
        ),
        (
            login(
                named(Domain::Id("d1".to_owned())),
                Scope::ProjectName("eu-de".to_owned()),
            ),
            json!({"name": "USER", "password": "pass \"word\" ä", "domain": {"id": "d1"}}),
            json!({"project": {"name": "eu-de"}}),
        ),
        (
            login(User::Id("u1".to_owned()), project_id()),
            json!({"id": "u1", "password": "pass \"word\" ä"}),
            json!({"project": {"id": "PROJECT_ID"}}),
        ),
    ];
    for (login, user, scope) in cases {
        let request = request(&login).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        assert_eq!(
            body,
            json!({"auth": {"identity": identity, "scope": scope}})
        );
        assert_eq!(
            format!("{} {}", request.method, request.url),
            "POST https://iam.eu-de.otc.t-systems.com/v3/auth/tokens?nocatalog=true"
        );
        assert_eq!(
            request.headers[CONTENT_TYPE],
            "application/json;charset=utf8"
        );
    }
}

fn reply(token: Option<&str>, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert(X_SUBJECT_TOKEN, HeaderValue::from_str(token).unwrap());
    }
    Reply {
        status: 201,
        headers,
        answer: Answer {
            body: body.as_bytes().to_vec(),
            date: None,
            request_id: None,
        },
    }
}

#[test]
fn a_token_comes_with_its_end_and_its_project_or_without() {
    let full = r#"{"token":{"expires_at":"2015-11-09T01:42:57.527363Z","project":{"id":"p1","name":"eu-de"}}}"#;
    let end = Some("2015-11-09T01:42:57.527Z");
    let cases = [
        (full, end, Some(("p1", "eu-de"))),
        (
            r#"{"token":{"expires_at":"soon","project":{"id":"p1"}}}"#,
            None,
            Some(("p1", "")),
        ),
        (r#"{"token":{"domain":{"id":"d1"}}}"#, None, None),
        ("{}", None, None),
        ("", None, None),
    ];
    for (body, end, project) in cases {
        let issued = read(&reply(Some("MIIFvg"), body)).unwrap();
        assert_eq!(issued.token.bytes(), b"MIIFvg");
        let expires_at = issued.expires_at.map(|end| end.to_string());
        assert_eq!(expires_at.as_deref(), end, "{body}");
        let project = project.map(|(id, name)| Project {
            id: id.to_owned(),
            name: name.to_owned(),
        });
        assert_eq!(issued.project, project, "{body}");
    }
}

#[test]
fn an_answer_without_a_usable_token_is_none_and_does_not_show_it() {
    for (token, expected) in [
        (None, "no token in its head"),
        (Some(""), "its token cannot be used: it is empty"),
        (
            Some("hunter2 x"),
            "its token cannot be used: it holds a blank",
        ),
    ] {
        let found = read(&reply(token, "{}")).err().unwrap();
        assert_eq!(found, BadAnswer::new(expected));
    }
}

#[test]
fn only_projects_of_the_very_name_are_found() {
    let body = br#"{"projects":[{"id":"p1","name":"eu-de"},{"id":"p2","name":"eu-de_team","extra":1},{"id":"p3"}],"links":{}}"#;
    let found = |name| {
        let projects = read_projects(body, name).unwrap();
        let ids: Vec<String> = projects.into_iter().map(|project| project.id).collect();
        ids.join(" ")
    };
    assert_eq!(found("eu-de"), "p1");
    assert_eq!(found("eu-de_team"), "p2");
    assert_eq!(found("eu-nl"), "");
    for bad in ["", "[]", "{}", r#"{"projects":null}"#, "<html>"] {
        assert_eq!(
            read_projects(bad.as_bytes(), "eu-de"),
            Err(BadAnswer::new("no list of projects")),
            "{bad}"
        );
    }
}
