//! The credential of a run: obtained when the first request needs it, applied to each, replaced ahead of its end, and
//! never sent again once it was refused.
//!
//! One lock is held while a credential is obtained, so that one login serves all requests and none goes out with what is
//! being replaced.

use std::{mem, sync::Arc};

use reqwest::header::HeaderName;
use tokio::time::Instant;

use crate::model::time::Timestamp;

use super::super::{
    client::{Project, Settings},
    error::{ApiError, Proof},
    message::Outgoing,
    purse::Purse,
    secret::Secret,
    tls::BuildError,
    transport::{Transport, Way},
};
use super::{
    Auth, Keys, Login, Renew, RenewError,
    hidden::{Hidden, Hide},
    iam,
    life::{self, Life},
    metadata::Metadata,
    signing,
};

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The credentials of a run, shared by all its requests.
pub(in crate::api) struct Keyring {
    /// Held while a credential is obtained.
    turn: tokio::sync::Mutex<Turn>,
    /// What it is called in messages.
    proof: Proof,
    hidden: Hidden,
    /// This machine's clock.
    clock: fn() -> Timestamp,
}

/// What is in use, and where another one comes from.
struct Turn {
    source: Source,
    current: Option<Current>,
    /// Counts the credentials of the run.
    number: usize,
    /// When to get the next one, if that is known.
    life: Option<Life>,
    /// The project of the last token from IAM.
    project: Option<Project>,
    is_refused: bool,
}

enum Current {
    Token(Arc<Secret>),
    Keys(Arc<Keys>),
}

enum Source {
    /// What was given is all there is; a token may be renewed by whoever gave it.
    Given(Option<Renew>),
    Password {
        login: Arc<Login>,
        transport: Transport,
        /// Whether a refused token may still be replaced.
        may_renew: bool,
    },
    Agency(Metadata),
}

/// Which of the credentials a request was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct KeyNumber(usize);

/// Why nothing was sent.
#[derive(Debug)]
pub(in crate::api) enum NotApplied {
    /// The credential in use was refused before.
    AlreadyRefused,
    /// The project's id cannot stand in a header.
    UnusableId,
    /// There is no credential, because asking for one failed.
    NotObtained(Box<ApiError>),
}

/// What came of a refusal.
#[derive(Debug)]
pub(in crate::api) enum Refusal {
    /// There is another token now.
    Renewed,
    /// It stands.
    Final,
    /// There should have been another token, and there is none.
    NotRenewed(RenewError),
}

impl Keyring {
    pub(in crate::api) fn new(
        auth: Auth,
        settings: &Settings,
        clock: fn() -> Timestamp,
    ) -> Result<Self, BuildError> {
        let hidden = Hidden::default();
        let proof = proof_of(&auth);
        let (source, current) = match auth {
            Auth::Token { token, renew } => (Source::Given(renew), Some(token_in(&hidden, token))),
            Auth::Keys(keys) => (Source::Given(None), Some(keys_in(&hidden, keys))),
            Auth::Password(login) => {
                let transport = Transport::new(&login.iam, settings, Way::ThroughProxy)?;
                let login = Arc::new(login);
                hidden.add(Hide::PasswordOf(Arc::clone(&login)));
                let source = Source::Password {
                    login,
                    transport,
                    may_renew: true,
                };
                (source, None)
            }
            Auth::Agency(agency) => (Source::Agency(Metadata::new(&agency)?), None),
        };
        Ok(Self {
            turn: tokio::sync::Mutex::new(Turn {
                source,
                current,
                number: 0,
                life: None,
                project: None,
                is_refused: false,
            }),
            proof,
            hidden,
            clock,
        })
    }

    /// Returns what messages call the credential.
    pub(in crate::api) const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Takes every secret of this run out of a text.
    pub(in crate::api) fn scrub(&self, text: &str) -> String {
        self.hidden.scrub(text)
    }

    /// Adds the credential in use to a request, getting one first if there is none or its end is near.
    ///
    /// A signature covers the project, where the request is for one. It is made anew for each attempt, with its own date.
    pub(in crate::api) async fn apply(
        &self,
        purse: &Purse,
        request: &mut Outgoing,
        project: Option<&str>,
    ) -> Result<KeyNumber, NotApplied> {
        let mut turn = self.turn.lock().await;
        if turn.is_refused {
            return Err(NotApplied::AlreadyRefused);
        }
        self.freshen(&mut turn, purse)
            .await
            .map_err(|error| NotApplied::NotObtained(Box::new(error)))?;
        match &turn.current {
            Some(Current::Token(token)) => {
                request.headers.insert(X_AUTH_TOKEN, token.header());
            }
            Some(Current::Keys(keys)) => {
                signing::sign(request, keys, project, (self.clock)())
                    .ok_or(NotApplied::UnusableId)?;
            }
            // It was given one, or has just got one; without any, nothing is sent.
            None => return Err(NotApplied::AlreadyRefused),
        }
        Ok(KeyNumber(turn.number))
    }

    /// Notes that a credential was refused, and renews it if that is still possible.
    pub(in crate::api) async fn refused(&self, purse: &Purse, number: KeyNumber) -> Refusal {
        let mut turn = self.turn.lock().await;
        if number.0 < turn.number {
            // Another request met the same refusal first, or a new one came in the ordinary way.
            return Refusal::Renewed;
        }
        // Set before the attempt: one that is cut off must not leave the old one in use.
        let was_refused = mem::replace(&mut turn.is_refused, true);
        match &mut turn.source {
            Source::Given(renew) => match renew.take() {
                Some(renew) => self.renew(&mut turn, renew).await,
                None => Refusal::Final,
            },
            Source::Password { may_renew, .. } => {
                if was_refused || !mem::take(may_renew) {
                    return Refusal::Final;
                }
                match self.obtain(&mut turn, purse).await {
                    Ok(()) => {
                        turn.is_refused = false;
                        Refusal::Renewed
                    }
                    Err(error) => Refusal::NotRenewed(error.into()),
                }
            }
            Source::Agency(_) => Refusal::Final,
        }
    }

    /// Returns the project of the token that a password gives; nothing if the run has no password.
    pub(in crate::api) async fn project_of_login(
        &self,
        purse: &Purse,
    ) -> Option<Result<Option<Project>, NotApplied>> {
        let mut turn = self.turn.lock().await;
        if !matches!(turn.source, Source::Password { .. }) {
            return None;
        }
        if turn.is_refused {
            return Some(Err(NotApplied::AlreadyRefused));
        }
        Some(match self.freshen(&mut turn, purse).await {
            Ok(()) => Ok(turn.project.clone()),
            Err(error) => Err(NotApplied::NotObtained(Box::new(error))),
        })
    }

    async fn renew(&self, turn: &mut Turn, renew: Renew) -> Refusal {
        match tokio::task::spawn_blocking(renew).await {
            Err(error) => Refusal::NotRenewed(error.into()),
            Ok(Err(error)) => Refusal::NotRenewed(error),
            Ok(Ok(token)) => match &turn.current {
                Some(Current::Token(old)) if token == **old => Refusal::Final,
                _ => {
                    turn.current = Some(token_in(&self.hidden, token));
                    turn.number += 1;
                    turn.is_refused = false;
                    Refusal::Renewed
                }
            },
        }
    }

    /// Gets a credential if there is none yet or its end is near.
    async fn freshen(&self, turn: &mut Turn, purse: &Purse) -> Result<(), ApiError> {
        let is_due = match (&turn.current, turn.life) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(life)) => life.wants_renewal(Instant::now()),
        };
        if !is_due {
            return Ok(());
        }
        let Err(error) = self.obtain(turn, purse).await else {
            return Ok(());
        };
        // A password that IAM refuses is not sent again, whatever the last token is still good for. Keys that are good
        // are used to their end.
        let is_password = matches!(turn.source, Source::Password { .. });
        let may_go_on = !is_password || !error.is_unauthorized();
        let now = Instant::now();
        match &mut turn.life {
            Some(life) if may_go_on && !life.is_over(now) => {
                life.postpone(now);
                Ok(())
            }
            _ => {
                turn.is_refused = error.is_unauthorized();
                Err(error)
            }
        }
    }

    /// Gets a credential from IAM or from the metadata service and puts it into use.
    async fn obtain(&self, turn: &mut Turn, purse: &Purse) -> Result<(), ApiError> {
        match &turn.source {
            Source::Given(_) => {}
            Source::Password {
                login, transport, ..
            } => {
                let issued = iam::log_in(login, transport, purse, &self.hidden).await?;
                turn.life = issued.expires_at.and_then(|end| {
                    let date = issued.date.unwrap_or_else(self.clock);
                    Life::until(end, date, Instant::now(), life::token_margin)
                });
                turn.project = issued.project;
                turn.current = Some(token_in(&self.hidden, issued.token));
                turn.number += 1;
            }
            Source::Agency(metadata) => {
                let given = metadata.ask(purse.deadline, &self.hidden).await?;
                let date = given.date.unwrap_or_else(self.clock);
                let life = Life::until(given.expires_at, date, Instant::now(), life::keys_margin);
                turn.life = Some(life.ok_or_else(|| metadata.gave_old_keys(date))?);
                let is_same =
                    matches!(&turn.current, Some(Current::Keys(keys)) if **keys == given.keys);
                if !is_same {
                    turn.current = Some(keys_in(&self.hidden, given.keys));
                    turn.number += 1;
                }
            }
        }
        Ok(())
    }
}

fn proof_of(auth: &Auth) -> Proof {
    match auth {
        Auth::Token { .. } => Proof::Token,
        Auth::Keys(keys) => Proof::Keys {
            access_key: keys.access_key.masked(),
            are_temporary: keys.security_token.is_some(),
        },
        Auth::Password(_) => Proof::Password,
        Auth::Agency(_) => Proof::Agency,
    }
}

/// Takes a token into use; from here on no message shows it.
fn token_in(hidden: &Hidden, token: Secret) -> Current {
    let token = Arc::new(token);
    hidden.add(Hide::Secret(Arc::clone(&token)));
    Current::Token(token)
}

/// Takes keys into use; from here on no message shows them.
fn keys_in(hidden: &Hidden, keys: Keys) -> Current {
    let keys = Arc::new(keys);
    hidden.add(Hide::Keys(Arc::clone(&keys)));
    Current::Keys(keys)
}
