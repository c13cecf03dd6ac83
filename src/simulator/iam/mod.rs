//! IAM: a name and a password are given for a token, and projects are looked up by name. Pure, as every answer here.

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{Account, Project, REGION, Scope};
use super::gateway::Caller;
use super::query::pairs;
use super::refusal::{Refusal, iam_error};
use super::reply::Reply;
use super::route::Asked;
use crate::model::time::Timestamp;

/// The part of a request for a token that is read; members beside it are passed over.
#[derive(Deserialize)]
struct Request {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    identity: Identity,
    scope: Option<Wanted>,
}

#[derive(Deserialize)]
struct Identity {
    methods: Vec<String>,
    password: Option<Password>,
}

#[derive(Deserialize)]
struct Password {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: Option<String>,
    name: Option<String>,
    password: String,
    domain: Option<Named>,
}

#[derive(Deserialize)]
struct Wanted {
    project: Option<Named>,
    domain: Option<Named>,
}

/// Something that is named by its id, or else by its name.
#[derive(Deserialize)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

impl Named {
    fn is(&self, id: &str, name: &str) -> bool {
        match (&self.id, &self.name) {
            (Some(own), _) => own == id,
            (None, Some(own)) => own == name,
            (None, None) => false,
        }
    }
}

/// Gives a token for a password, as `POST /v3/auth/tokens` does; it lives so many milliseconds from now.
pub(crate) fn tokens(account: &Account, asked: &Asked<'_>, now: Timestamp, life: i64) -> Reply {
    let Ok(request) = serde_json::from_slice::<Request>(asked.body) else {
        return iam_error(400, "The request body is invalid.");
    };
    let identity = &request.auth.identity;
    let by_password = identity.methods.iter().any(|method| method == "password");
    let Some(user) = identity.password.as_ref().map(|password| &password.user) else {
        return iam_error(400, "The request body is invalid.");
    };
    if !by_password {
        return iam_error(400, "The authentication method is not supported.");
    }
    if !knows(account, user) {
        return iam_error(401, "The username or password is wrong.");
    }
    let scope = match scope(account, request.auth.scope.as_ref()) {
        Ok(scope) => scope,
        Err(message) => return iam_error(401, message),
    };
    let ends = now.plus(life);
    let token = account.issue(&scope, ends, asked.number);
    let catalog = !pairs(asked.query).any(|(name, value)| name == "nocatalog" && value == "true");
    let host = asked.header("host").unwrap_or_default();
    let body = described(account, &scope, now, ends, catalog.then_some(host));
    Reply::json(201, body.to_string()).with("x-subject-token", token)
}

/// A user is known by the id, or by the name within the domain, and by the password.
fn knows(account: &Account, user: &User) -> bool {
    let named = match (&user.id, &user.name) {
        (Some(id), _) => *id == account.user_id,
        (None, Some(name)) => {
            let domain = user.domain.as_ref();
            *name == account.user_name
                && domain.is_some_and(|own| own.is(&account.domain_id, &account.domain_name))
        }
        (None, None) => false,
    };
    named && user.password == account.password
}

/// What the token is to be for. A project wins over a domain; without either it is the domain of the user.
fn scope(account: &Account, wanted: Option<&Wanted>) -> Result<Scope, &'static str> {
    let project = wanted.and_then(|wanted| wanted.project.as_ref());
    let domain = wanted.and_then(|wanted| wanted.domain.as_ref());
    match (project, domain) {
        (Some(named), _) => account
            .projects
            .iter()
            .find(|project| named.is(&project.id, &project.name))
            .map(|project| Scope::Project(project.id.clone()))
            .ok_or("The project does not exist, or the user has no access to it."),
        (None, Some(named)) if !named.is(&account.domain_id, &account.domain_name) => {
            Err("The domain does not exist, or the user does not belong to it.")
        }
        (None, _) => Ok(Scope::Domain),
    }
}

/// The body that goes with a token; with the addresses of services if it is told its own.
fn described(
    account: &Account,
    scope: &Scope,
    now: Timestamp,
    ends: Timestamp,
    host: Option<&str>,
) -> Value {
    let domain = json!({"id": account.domain_id, "name": account.domain_name});
    let mut token = json!({
        "methods": ["password"],
        "issued_at": micros(now),
        "expires_at": micros(ends),
        "user": {
            "id": account.user_id,
            "name": account.user_name,
            "domain": domain,
            "password_expires_at": "",
        },
        "roles": [{"id": "0", "name": "dcs_readonly"}],
    });
    match scope {
        Scope::Project(id) => {
            let name = account.project(id).map(|project| project.name.as_str());
            token["project"] = json!({"id": id, "name": name, "domain": domain});
        }
        Scope::Domain => token["domain"] = domain,
    }
    if let Some(host) = host {
        token["catalog"] = catalog(scope, host);
    }
    json!({"token": token})
}

fn catalog(scope: &Scope, host: &str) -> Value {
    let service = |name: &str, kind: &str, region: &str, url: String| {
        let endpoint = json!({
            "id": format!("{name}-{region}"),
            "interface": "public",
            "region": region,
            "region_id": region,
            "url": url,
        });
        json!({"id": name, "name": name, "type": kind, "endpoints": [endpoint]})
    };
    let iam = service("iam", "identity", "*", format!("http://{host}/v3"));
    match scope {
        Scope::Project(id) => {
            json!([
                iam,
                service("dcs", "dcs", REGION, format!("http://{host}/v2/{id}"))
            ])
        }
        Scope::Domain => json!([iam]),
    }
}

/// Lists the projects, or those of the name that is asked for, as `GET /v3/projects` does.
pub(crate) fn projects(
    account: &Account,
    asked: &Asked<'_>,
    caller: Result<Caller, Refusal>,
) -> Reply {
    match caller {
        Ok(_) => {}
        // A signature is verified by the gateway, which stands before IAM as well.
        Err(refusal @ Refusal::Signature(_)) => return refusal.reply(asked.id),
        Err(refusal) => return refusal.iam_reply(),
    }
    let name = pairs(asked.query)
        .filter(|(name, value)| name == "name" && !value.is_empty())
        .map(|(_, value)| value)
        .last();
    let host = asked.header("host").unwrap_or_default();
    let listed = account.projects.iter();
    let listed: Vec<Value> = listed
        .filter(|project| name.as_ref().is_none_or(|name| *name == project.name))
        .map(|project| record(account, project, host))
        .collect();
    let links =
        json!({"self": format!("http://{host}/v3/projects"), "previous": null, "next": null});
    Reply::json(200, json!({"links": links, "projects": listed}).to_string())
}

fn record(account: &Account, project: &Project, host: &str) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "description": "",
        "domain_id": account.domain_id,
        "parent_id": account.domain_id,
        "is_domain": false,
        "enabled": true,
        "links": {"self": format!("http://{host}/v3/projects/{}", project.id)},
    })
}

/// Writes a moment as IAM and the metadata service do: with microseconds.
pub(crate) fn micros(moment: Timestamp) -> String {
    let text = moment.to_string();
    format!("{}000Z", text.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests;
