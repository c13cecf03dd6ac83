use hyper::HeaderMap;
use hyper::header::HeaderValue;

use super::*;
use crate::model::time::DAY;
use crate::simulator::account::tests::account;
use crate::simulator::signature::Fault;
use crate::simulator::world::START;

fn now() -> Timestamp {
    Timestamp::from_millis(START).unwrap()
}

fn ask(query: &str, body: &str, answer: impl FnOnce(&Asked<'_>) -> Reply) -> (Reply, Value) {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:18080"));
    let reply = answer(&Asked {
        method: "",
        path: "",
        query,
        headers: &headers,
        body: body.as_bytes(),
        number: 7,
        id: "request-7",
    });
    let body = serde_json::from_str(&reply.body).unwrap();
    (reply, body)
}

fn log_in(account: &Account, query: &str, body: &str) -> (Reply, Value) {
    ask(query, body, |asked| tokens(account, asked, now(), DAY))
}

/// A request for a token: who, with which password, and for what.
fn request(user: &Value, scope: &Value) -> String {
    let identity = json!({"methods": ["password"], "password": {"user": user}});
    json!({"auth": {"identity": identity, "scope": scope}}).to_string()
}

fn by_name(account: &Account) -> Value {
    json!({
        "name": account.user_name,
        "password": account.password,
        "domain": {"name": account.domain_name},
    })
}

#[test]
fn a_password_gives_a_token_for_what_is_asked_for() {
    let account = account();
    let user = by_name(&account);
    let [main, audit] = [0, 1].map(|number: usize| account.projects[number].clone());
    let project = |one: &Project| Scope::Project(one.id.clone());
    for (scope, expected) in [
        (json!({"project": {"id": main.id}}), project(&main)),
        (json!({"project": {"name": "sim-1"}}), project(&main)),
        (json!({"project": {"name": "sim-1_audit"}}), project(&audit)),
        // A project wins over a domain.
        (
            json!({"project": {"id": audit.id}, "domain": {"name": account.domain_name}}),
            project(&audit),
        ),
        (json!({"domain": {"id": account.domain_id}}), Scope::Domain),
        (json!({}), Scope::Domain),
        (Value::Null, Scope::Domain),
    ] {
        let (reply, body) = log_in(&account, "", &request(&user, &scope));
        assert_eq!((reply.status, reply.headers[0].0), (201, "x-subject-token"));
        assert_eq!(
            account.open(&reply.headers[0].1, now()),
            Ok(expected.clone()),
            "{scope}"
        );
        let token = &body["token"];
        assert_eq!(token["issued_at"], "2026-10-01T00:00:00.000000Z");
        assert_eq!(token["expires_at"], "2026-10-02T00:00:00.000000Z");
        assert_eq!(token["user"]["id"], *account.user_id);
        match expected {
            Scope::Project(id) => assert_eq!(token["project"]["id"], *id),
            Scope::Domain => assert_eq!(token["domain"]["id"], *account.domain_id),
        }
    }
}

#[test]
fn a_user_is_known_by_the_id_or_by_the_name_within_the_domain() {
    let account = account();
    let (id, name, password) = (&account.user_id, &account.user_name, &account.password);
    let domain = json!({"name": account.domain_name});
    for (user, status) in [
        (json!({"id": id, "password": password}), 201),
        (
            json!({"name": name, "password": password, "domain": domain}),
            201,
        ),
        (
            json!({"name": name, "password": password, "domain": {"id": account.domain_id}}),
            201,
        ),
        (json!({"id": id, "password": "wrong"}), 401),
        (json!({"id": "0", "password": password}), 401),
        (
            json!({"name": "nobody", "password": password, "domain": domain}),
            401,
        ),
        (json!({"name": name, "password": password}), 401),
        (
            json!({"name": name, "password": password, "domain": {"name": "other"}}),
            401,
        ),
        (
            json!({"name": name, "password": password, "domain": {}}),
            401,
        ),
        (json!({"password": password}), 401),
        (json!({"id": id}), 400),
    ] {
        let (reply, body) = log_in(&account, "", &request(&user, &Value::Null));
        assert_eq!(reply.status, status, "{user}");
        if status != 201 {
            // The code is an integer here, and here alone.
            assert_eq!(body["error"]["code"], status);
            assert_eq!(reply.headers, []);
        }
    }
}

#[test]
fn what_is_no_request_for_a_token_is_refused_in_iams_own_form() {
    let account = account();
    let user = by_name(&account);
    let other = json!({"auth": {"identity": {"methods": ["totp"], "password": {"user": user}}}});
    for (body, status, said) in [
        (String::new(), 400, "body is invalid"),
        ("{".to_owned(), 400, "body is invalid"),
        ("{\"auth\":{}}".to_owned(), 400, "body is invalid"),
        (
            json!({"auth": {"identity": {"methods": ["token"]}}}).to_string(),
            400,
            "body is invalid",
        ),
        (other.to_string(), 400, "method is not supported"),
        (
            request(&user, &json!({"project": {"name": "sim-9"}})),
            401,
            "project does not exist",
        ),
        (
            request(&user, &json!({"project": {"id": "sim-1"}})),
            401,
            "project does not exist",
        ),
        (
            request(&user, &json!({"domain": {"name": "other"}})),
            401,
            "domain does not exist",
        ),
    ] {
        let (reply, told) = log_in(&account, "", &body);
        let title = if status == 400 {
            "Bad Request"
        } else {
            "Unauthorized"
        };
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{body}: {message}");
        assert_eq!(
            (reply.status, &told),
            (
                status,
                &json!({"error": {"code": status, "message": message, "title": title}})
            )
        );
    }
}

#[test]
fn the_catalog_names_this_server_unless_it_is_not_wanted() {
    let account = account();
    let project = request(&by_name(&account), &json!({"project": {"name": "sim-1"}}));
    let (_, body) = log_in(&account, "", &project);
    let url = format!("http://127.0.0.1:18080/v2/{}", account.main_project());
    assert_eq!(body["token"]["catalog"][1]["endpoints"][0]["url"], url);
    let (_, body) = log_in(&account, "nocatalog=true", &project);
    assert_eq!(body["token"].get("catalog"), None);
    let (_, body) = log_in(&account, "", &request(&by_name(&account), &Value::Null));
    assert_eq!(body["token"]["catalog"].as_array().unwrap().len(), 1);
}

#[test]
fn projects_are_found_by_their_whole_name() {
    let account = account();
    let ids: Vec<&str> = account.projects.iter().map(|one| one.id.as_str()).collect();
    for (query, expected) in [
        ("name=sim-1", &ids[..1]),
        ("name=sim-1_audit", &ids[1..2]),
        ("name=sim-2", &ids[2..]),
        ("name=sim", &[]),
        ("name=nowhere", &[]),
        ("name=", &ids[..]),
        ("", &ids[..]),
    ] {
        let caller = Ok(Caller::Token(Scope::Domain));
        let (reply, body) = ask(query, "", |asked| projects(&account, asked, caller));
        let listed = body["projects"].as_array().unwrap();
        let found: Vec<&str> = listed.iter().filter_map(|one| one["id"].as_str()).collect();
        assert_eq!((reply.status, &*found), (200, expected), "{query}");
    }
}

#[test]
fn a_token_is_refused_by_iam_and_a_signature_by_the_gateway() {
    let account = account();
    for (refusal, code) in [
        (Refusal::NoToken, json!({"error": {"code": 401}})),
        (Refusal::Expired, json!({"error": {"code": 401}})),
        (
            Refusal::Signature(Fault::Locked),
            json!({"error_code": "APIGW.0301"}),
        ),
    ] {
        let (reply, body) = ask("", "", |asked| {
            projects(&account, asked, Err(refusal.clone()))
        });
        assert_eq!(reply.status, 401);
        assert_eq!(body["error"]["code"], code["error"]["code"], "{body}");
        assert_eq!(body["error_code"], code["error_code"], "{body}");
    }
}
