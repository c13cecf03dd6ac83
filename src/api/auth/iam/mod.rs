//! IAM: a user's password becomes a token for a project.
//!
//! The password goes into the body of one kind of request, to one address. The answer's token stands in a header; its body
//! says when the token ends and which project it is for.

use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

use super::super::{
    client::{BadAnswer, Project},
    endpoint::Endpoint,
    error::{ApiError, ErrorKind, Failure, Proof, Purpose, Request, Stop},
    message::{Content, Outgoing, Reply},
    purse::Purse,
    retry::Tally,
    secret::Secret,
    transport::Transport,
};
use super::{Domain, Login, Scope, User, hidden::Hidden};

const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// What IAM gave for a password.
pub(super) struct Issued {
    pub(super) token: Secret,
    /// By IAM's clock; without it the token is used until it is refused.
    pub(super) expires_at: Option<Timestamp>,
    /// The project that the token is for; none if it is for something else.
    pub(super) project: Option<Project>,
    /// IAM's clock when it answered.
    pub(super) date: Option<Timestamp>,
}

/// Logs in, by the rules that hold for every request: asked again as often as the run may, but never after a refusal.
pub(super) async fn log_in(
    login: &Login,
    transport: &Transport,
    purse: &Purse,
    hidden: &Hidden,
) -> Result<Issued, ApiError> {
    let request = request(login);
    let url = request.as_ref().map(|request| request.url.clone());
    let failed = |failure: Box<Failure>, attempts, stop| {
        let url = url.as_ref().map_or(login.iam.as_str(), |url| url.as_str());
        let asked = Request {
            method: "POST",
            url: url.to_owned(),
            endpoint: login.iam.as_str().to_owned(),
            project: String::new(),
            purpose: Purpose::Login,
            proof: Proof::Password,
        };
        ApiError::new(*failure, asked, attempts, stop)
    };
    let Some(request) = request else {
        let failure = Failure::new(ErrorKind::UnusableId);
        return Err(failed(failure, 0, Stop::Final));
    };
    let (mut tally, mut attempts) = (Tally::default(), 0);
    loop {
        attempts += 1;
        let sent = purse.deadline.guard(transport.send(request.clone())).await;
        let read = sent.and_then(|sent| sent).and_then(|reply| {
            read(&reply).map_err(|bad| reply.is_not_what_was_asked(bad, Content::Secret))
        });
        let mut failure = match read {
            Ok(issued) => {
                purse.earn();
                return Ok(issued);
            }
            Err(failure) => failure,
        };
        failure.make_safe(|text| hidden.scrub(&transport.scrub(text)));
        // A connection to IAM is never an old one: the run's next login is hours away.
        let is_warm = false;
        purse
            .before_next(&request.url, failure, is_warm, attempts, &mut tally)
            .await
            .map_err(|(failure, stop)| failed(failure, attempts, stop))?;
    }
}

/// Makes the request for a token.
fn request(login: &Login) -> Option<Outgoing> {
    // The list of all services' addresses would be most of the answer, and none of it is used.
    let url = login
        .iam
        .url(&["v3", "auth", "tokens"], &[("nocatalog", "true")])?;
    let mut request = Outgoing {
        method: Method::POST,
        success: StatusCode::CREATED,
        content: Content::Secret,
        body: serde_json::to_vec(&Body::of(login)).ok()?,
        ..Outgoing::get(url)
    };
    request.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=utf8"),
    );
    Some(request)
}

/// Reads the answer. A body that cannot be read costs only what it would have said: the token is there.
fn read(reply: &Reply) -> Result<Issued, BadAnswer> {
    let header = reply
        .headers
        .get(X_SUBJECT_TOKEN)
        .ok_or_else(|| BadAnswer::new("no token in its head"))?;
    let token = String::from_utf8_lossy(header.as_bytes()).into_owned();
    let token = Secret::parse(token)
        .map_err(|error| BadAnswer::new(format!("its token cannot be used: {error}")))?;
    let told = serde_json::from_slice::<Told>(&reply.answer.body);
    let told = told.map(|told| told.token).unwrap_or_default();
    Ok(Issued {
        token,
        expires_at: told
            .expires_at
            .and_then(|text| Timestamp::parse_upstream(&text)),
        project: told.project.map(|project| Project {
            id: project.id,
            name: project.name.unwrap_or_default(),
        }),
        date: reply.answer.date,
    })
}

/// Makes the request for the projects of a name.
pub(in crate::api) fn projects_request(iam: &Endpoint, name: &str) -> Option<Outgoing> {
    iam.url(&["v3", "projects"], &[("name", name)])
        .map(Outgoing::get)
}

/// Reads a list of projects and keeps those of the name, in case the server did not.
pub(in crate::api) fn read_projects(body: &[u8], name: &str) -> Result<Vec<Project>, BadAnswer> {
    let list: List =
        serde_json::from_slice(body).map_err(|_| BadAnswer::new("no list of projects"))?;
    Ok(list
        .projects
        .into_iter()
        .map(|project| Project {
            id: project.id,
            name: project.name.unwrap_or_default(),
        })
        .filter(|project| project.name == name)
        .collect())
}

#[derive(Deserialize)]
struct List {
    projects: Vec<Named>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    token: Token,
}

#[derive(Default, Deserialize)]
struct Token {
    expires_at: Option<String>,
    project: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: Option<String>,
}

/// The request's body, borrowed so that the password is written once and not copied about.
#[derive(Serialize)]
struct Body<'a> {
    auth: AuthPart<'a>,
}

#[derive(Serialize)]
struct AuthPart<'a> {
    identity: Identity<'a>,
    scope: ScopePart<'a>,
}

#[derive(Serialize)]
struct Identity<'a> {
    methods: [&'static str; 1],
    password: PasswordPart<'a>,
}

#[derive(Serialize)]
struct PasswordPart<'a> {
    user: UserPart<'a>,
}

#[derive(Serialize)]
struct UserPart<'a> {
    #[serde(flatten)]
    who: Reference<'a>,
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Reference<'a>>,
}

#[derive(Serialize)]
struct ScopePart<'a> {
    project: Reference<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Reference<'a> {
    Id(&'a str),
    Name(&'a str),
}

impl<'a> Body<'a> {
    fn of(login: &'a Login) -> Self {
        let (who, domain) = match &login.user {
            User::Id(id) => (Reference::Id(id), None),
            User::Name { name, domain } => {
                let domain = match domain {
                    Domain::Id(id) => Reference::Id(id),
                    Domain::Name(name) => Reference::Name(name),
                };
                (Reference::Name(name), Some(domain))
            }
        };
        let project = match &login.scope {
            Scope::ProjectId(id) => Reference::Id(id),
            Scope::ProjectName(name) => Reference::Name(name),
        };
        Self {
            auth: AuthPart {
                identity: Identity {
                    methods: ["password"],
                    password: PasswordPart {
                        user: UserPart {
                            who,
                            password: login.password.text(),
                            domain,
                        },
                    },
                },
                scope: ScopePart { project },
            },
        }
    }
}

#[cfg(test)]
mod tests;
