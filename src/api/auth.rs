//! Credentials, applied to requests in one place.
//!
//! A credential that was refused is never sent again: a cloud that locks keys after a few failures would turn a typo into
//! an outage for everybody who shares the key. One that can be renewed is renewed once in a run.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::header::{HeaderMap, HeaderName};

use super::{
    endpoint::Endpoint,
    secret::{Password, Secret, SecretError},
};

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

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
#[derive(Debug)]
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

/// The credentials of a run, shared by all its requests.
pub(super) struct Keyring {
    /// Every token so far; the last one is in use. The others are kept to be scrubbed from what servers say.
    tokens: Mutex<Vec<Arc<Secret>>>,
    /// Held while a token is renewed, so that no request goes out with the old one meanwhile.
    renew: tokio::sync::Mutex<Option<Renew>>,
    refused: AtomicBool,
}

/// Which of the tokens a request was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyNumber(usize);

/// The credential in use was refused before, so nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlreadyRefused;

/// What came of a refusal.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is another token now.
    Renewed,
    /// It stands.
    Final,
    /// There should have been another token, and there is none.
    NotRenewed(RenewError),
}

impl Keyring {
    pub(super) fn new(auth: Auth) -> Self {
        let Auth::Token { token, renew } = auth else {
            unimplemented!("the other credentials")
        };
        Self {
            tokens: Mutex::new(vec![Arc::new(token)]),
            renew: tokio::sync::Mutex::new(renew),
            refused: AtomicBool::new(false),
        }
    }

    /// Adds the credential in use to a request's headers; waits for one that is being renewed.
    pub(super) async fn apply(&self, headers: &mut HeaderMap) -> Result<KeyNumber, AlreadyRefused> {
        let _turn = self.renew.lock().await;
        if self.refused.load(Ordering::Relaxed) {
            return Err(AlreadyRefused);
        }
        let tokens = self.tokens();
        let number = tokens.len() - 1;
        headers.insert(X_AUTH_TOKEN, tokens[number].header());
        Ok(KeyNumber(number))
    }

    /// Notes that a token was refused, and renews it if that is still possible.
    pub(super) async fn refused(&self, number: KeyNumber) -> Refusal {
        let mut renew = self.renew.lock().await;
        let tokens = self.tokens();
        if number.0 + 1 < tokens.len() {
            // Another request met the same refusal first.
            return Refusal::Renewed;
        }
        // Set before the attempt: one that is cut off must not leave the old token in use.
        self.refused.store(true, Ordering::Relaxed);
        let Some(renew) = renew.take() else {
            return Refusal::Final;
        };
        match tokio::task::spawn_blocking(renew).await {
            Err(error) => Refusal::NotRenewed(error.into()),
            Ok(Err(error)) => Refusal::NotRenewed(error),
            Ok(Ok(token)) if token == *tokens[number.0] => Refusal::Final,
            Ok(Ok(token)) => {
                self.lock().push(Arc::new(token));
                self.refused.store(false, Ordering::Relaxed);
                Refusal::Renewed
            }
        }
    }

    /// Takes every token of this run out of a text.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.tokens()
            .iter()
            .fold(text.to_owned(), |text, token| token.scrub(&text))
    }

    fn tokens(&self) -> Vec<Arc<Secret>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Secret>>> {
        // A push is all that ever happens under this lock, so a panic elsewhere cannot have left it half done.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text.to_owned()).unwrap()
    }

    fn keyring(renewed: Option<Result<&'static str, &'static str>>) -> Keyring {
        let renew = renewed
            .map(|renewed| -> Renew { Box::new(move || renewed.map(secret).map_err(Into::into)) });
        Keyring::new(Auth::Token {
            token: secret("first-token"),
            renew,
        })
    }

    async fn sent(keyring: &Keyring) -> Option<(KeyNumber, String)> {
        let mut headers = HeaderMap::new();
        let number = keyring.apply(&mut headers).await.ok()?;
        assert!(headers[X_AUTH_TOKEN].is_sensitive());
        Some((number, headers[X_AUTH_TOKEN].to_str().unwrap().to_owned()))
    }

    #[tokio::test]
    async fn a_refused_token_that_cannot_be_renewed_is_never_sent_again() {
        let cases = [
            (None, "Final"),
            (Some(Ok("first-token")), "Final"),
            (Some(Err("no helper")), "NotRenewed(\"no helper\")"),
        ];
        for (renewed, expected) in cases {
            let keyring = keyring(renewed);
            let (number, _) = sent(&keyring).await.unwrap();
            let refusal = keyring.refused(number).await;
            assert_eq!(format!("{refusal:?}"), expected);
            assert_eq!(sent(&keyring).await, None);
            assert!(matches!(keyring.refused(number).await, Refusal::Final));
        }
    }

    #[tokio::test]
    async fn a_token_is_renewed_once_for_all_requests_that_met_its_refusal() {
        let keyring = keyring(Some(Ok("second-token")));
        let (first, token) = sent(&keyring).await.unwrap();
        assert_eq!(token, "first-token");
        assert!(matches!(keyring.refused(first).await, Refusal::Renewed));
        assert!(matches!(keyring.refused(first).await, Refusal::Renewed));
        let (second, token) = sent(&keyring).await.unwrap();
        assert_eq!(token, "second-token");
        assert!(matches!(keyring.refused(second).await, Refusal::Final));
        assert_eq!(sent(&keyring).await, None);
    }

    #[tokio::test]
    async fn both_tokens_are_scrubbed_and_neither_is_debugged() {
        let keyring = keyring(Some(Ok("second-token")));
        let (first, _) = sent(&keyring).await.unwrap();
        assert!(matches!(keyring.refused(first).await, Refusal::Renewed));
        assert_eq!(keyring.scrub("first-token, second-token"), "***, ***");
        let auth = Auth::Token {
            token: secret("first-token"),
            renew: None,
        };
        assert_eq!(
            format!("{auth:?}"),
            "Token { token: Secret(***), renewable: false }"
        );
    }
}
