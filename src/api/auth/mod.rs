//! Credentials, applied to requests in one place.
//!
//! A credential that was refused is never sent again: a cloud that locks keys after a few failures would turn a typo into
//! an outage for everybody who shares the key. One that can be renewed is renewed once in a run.
//!
//! [`Auth`] is what was found, the [`Keyring`] is what becomes of it in a run: it gets a token from IAM ([`iam`]) or keys
//! from the metadata service ([`metadata`]) when the first request needs one, gets another ahead of its end ([`life`]),
//! puts it into headers or signs with it ([`signing`]), and remembers every secret so that no message holds one
//! ([`hidden`]).

mod hidden;
mod iam;
mod keyring;
mod life;
pub(crate) mod metadata;
mod signing;

use std::{error::Error, fmt};

use super::{
    endpoint::Endpoint,
    secret::{Password, Secret, SecretError},
};

pub(super) use iam::{projects_request, read_projects};
pub(super) use keyring::{KeyNumber, Keyring, NotApplied, Refusal};

/// Why a credential could not be renewed, in the words of whoever tried.
pub(crate) type RenewError = Box<dyn Error + Send + Sync>;

/// Gets a new token; may take its time, for it runs beside the network code.
pub(crate) type Renew = Box<dyn FnOnce() -> Result<Secret, RenewError> + Send>;

/// What a run proves itself with.
pub(crate) enum Auth {
    /// A token, and how to get another one if it is refused.
    Token { token: Secret, renew: Option<Renew> },
    /// An access key, with which each request is signed.
    Keys(Keys),
    /// A user's name and password, for which IAM gives a token.
    Password(Login),
    /// The agency of the ECS that this runs on: its metadata service gives temporary keys.
    Agency(Agency),
}

/// An access key and its secret; temporary ones come with a security token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) access_key: AccessKey,
    pub(crate) secret_key: Secret,
    pub(crate) security_token: Option<Secret>,
}

/// The public half of a key pair (AK). People may see its first four characters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AccessKey(String);

impl AccessKey {
    /// Takes an access key: visible ASCII, not empty.
    pub(crate) fn parse(text: String) -> Result<Self, SecretError> {
        // The rules are those of a secret, and so is what an error may say.
        Secret::parse(text.clone()).map(|_checked| Self(text))
    }

    /// Returns all of it, for a signature.
    fn as_str(&self) -> &str {
        &self.0
    }

    /// Leaves of it in a text what people may see.
    fn mask_in(&self, text: &str) -> String {
        text.replace(&self.0, &self.masked())
    }

    /// Returns what people may see of it.
    pub(crate) fn masked(&self) -> String {
        let shown = self.0.get(..4).filter(|_| self.0.len() >= 12).unwrap_or("");
        format!("{shown}***")
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AccessKey({})", self.masked())
    }
}

/// What IAM asks for before it gives a token.
#[derive(Debug)]
pub(crate) struct Login {
    /// The address of IAM, without `/v3`.
    pub(crate) iam: Endpoint,
    pub(crate) user: User,
    pub(crate) password: Password,
    /// Which project the token is for.
    pub(crate) scope: Scope,
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Id(String),
    /// A user's name is one within its domain (the account).
    Name {
        name: String,
        domain: Domain,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    Id(String),
    Name(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    ProjectId(String),
    ProjectName(String),
}

/// Where an ECS asks for the keys of its agency.
#[derive(Clone, Debug)]
pub(crate) struct Agency {
    /// The metadata service: `http://169.254.169.254` unless something else was set.
    pub(crate) metadata: String,
}

impl fmt::Debug for Auth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { token, renew } => out
                .debug_struct("Token")
                .field("token", token)
                .field("renewable", &renew.is_some())
                .finish(),
            Self::Keys(keys) => out.debug_tuple("Keys").field(keys).finish(),
            Self::Password(login) => out.debug_tuple("Password").field(login).finish(),
            Self::Agency(agency) => out.debug_tuple("Agency").field(agency).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn no_credential_shows_more_than_four_characters_of_a_key() {
        let endpoint = Endpoint::parse("https://iam.example.com", false).unwrap();
        let login = Login {
            iam: endpoint,
            user: User::Id("u1".to_owned()),
            password: Password::parse("hunter2 hunter2".to_owned()).unwrap(),
            scope: Scope::ProjectName("eu-de".to_owned()),
        };
        let keys = |access_key: &str| Keys {
            access_key: AccessKey::parse(access_key.to_owned()).unwrap(),
            secret_key: secret("hunter2"),
            security_token: Some(secret("hunter2")),
        };
        let cases = [
            (
                Auth::Token {
                    token: secret("hunter2"),
                    renew: None,
                },
                "Token { token: Secret(***), renewable: false }",
            ),
            (
                Auth::Keys(keys("QTWAOYTTINDUT2QVKYUC")),
                "AccessKey(QTWA***)",
            ),
            (Auth::Keys(keys("hunter2")), "AccessKey(***)"),
            (Auth::Password(login), "Password(***)"),
        ];
        for (auth, expected) in cases {
            let shown = format!("{auth:?}");
            assert!(shown.contains(expected), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(!shown.contains("OYTT"), "{shown}");
        }
    }
}
