//! Every kind of credential against scripted servers: what is sent where, how often, and what is never said.

mod agency;
mod keys;
mod lookup;
mod password;

use std::{error::Error as _, time::Duration};

use super::super::{
    auth::{AccessKey, Agency, Auth, Domain, Keys, Login, Scope, User},
    client::{Client, Settings},
    deadline::Deadline,
    endpoint::Endpoint,
    error::ApiError,
    secret::{Password, Secret},
};
use super::{Timestamp, server::Server, settings};

/// The published example, which opens nothing.
const ACCESS_KEY: &str = "QTWAOYTTINDUT2QVKYUC";
const SECRET_KEY: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
const SECURITY_TOKEN: &str = "tok+en/==gAAAAABh";
const PASSWORD: &str = "pass word 4711";

fn secret(text: &str) -> Secret {
    Secret::parse(text.to_owned()).unwrap()
}

fn keys(security_token: Option<&str>) -> Keys {
    Keys {
        access_key: AccessKey::parse(ACCESS_KEY.to_owned()).unwrap(),
        secret_key: secret(SECRET_KEY),
        security_token: security_token.map(secret),
    }
}

fn password(iam: &Server) -> Auth {
    Auth::Password(Login {
        iam: Endpoint::parse(&iam.origin(), false).unwrap(),
        user: User::Name {
            name: "reader".to_owned(),
            domain: Domain::Name("ACCOUNT".to_owned()),
        },
        password: Password::parse(PASSWORD.to_owned()).unwrap(),
        scope: Scope::ProjectId("project".to_owned()),
    })
}

fn agency(metadata: &Server) -> Auth {
    Auth::Agency(Agency {
        metadata: metadata.origin(),
    })
}

fn client_at(server: &Server, auth: Auth, clock: fn() -> Timestamp) -> Client {
    client_of(server, auth, clock, &settings())
}

fn client_of(server: &Server, auth: Auth, clock: fn() -> Timestamp, settings: &Settings) -> Client {
    let endpoint = Endpoint::parse(&server.origin(), false).unwrap();
    let deadline = Deadline::after(Duration::from_mins(1));
    Client::new(endpoint, auth, settings, deadline, clock).unwrap()
}

/// A clock that is off by years, which must make no difference to what is measured.
fn epoch() -> Timestamp {
    Timestamp::EPOCH
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_upstream(text).unwrap()
}

/// All that an error has to say, its causes, its debug output and its advice included, none of which may hold a secret.
fn everything(error: &ApiError) -> String {
    let mut text = format!(
        "{error}\n{error:?}\n{}",
        error.hints(at("2026-11-23T20:00:00Z")).join("\n")
    );
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}\ncaused by: {cause}\n{cause:?}");
        next = cause.source();
    }
    for secret in [SECRET_KEY, SECURITY_TOKEN, PASSWORD, ACCESS_KEY] {
        assert!(!text.contains(secret), "{text}");
        assert!(!text.contains(&secret[..12]), "{text}");
    }
    text
}
