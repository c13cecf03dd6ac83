//! Who asks: a token is opened, a signature is verified, and a key that failed too often is locked.

use std::collections::HashMap;

use super::account::{Account, Scope};
use super::refusal::Refusal;
use super::route::Asked;
use super::signature::{Claim, Fault};
use crate::model::time::{MINUTE, Timestamp};

/// How often in a row a key may fail: more than that locks it, by the gateway's documentation.
const FAILURES: u32 = 5;

/// And for how long.
const LOCKED: i64 = 5 * MINUTE;

/// The two clocks: the world's, and the one that signatures are judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) world: Timestamp,
    pub(crate) signing: Timestamp,
}

/// Somebody who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// With a token for this.
    Token(Scope),
    /// With a signature; the project is that of the `X-Project-Id` header.
    Key { project: Option<String> },
}

/// What is known of the keys' failures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks(HashMap<String, Lock>);

#[derive(Clone, Copy, Debug, Default)]
struct Lock {
    /// Failures in a row.
    failures: u32,
    until: Option<Timestamp>,
}

impl Caller {
    /// Says who asks. If a request has a token as well as a signature, the token counts.
    pub(crate) fn of(
        asked: &Asked<'_>,
        account: &Account,
        locks: &mut Locks,
        clocks: Clocks,
    ) -> Result<Self, Refusal> {
        if let Some(token) = asked.header("x-auth-token") {
            return account.open(token, clocks.world).map(Self::Token);
        }
        let authorization = asked.header("authorization").ok_or(Refusal::NoToken)?;
        let claim = Claim::parse(authorization).map_err(Refusal::Signature)?;
        verify(asked, &claim, account, locks, clocks).map_err(Refusal::Signature)?;
        let project = asked.header("x-project-id").map(str::to_owned);
        Ok(Self::Key { project })
    }

    /// Says whether a service of the region may show them a project.
    pub(crate) fn may_see(&self, project: &str, account: &Account) -> Result<(), Refusal> {
        let known = account.project(project).ok_or(Refusal::OtherProject)?;
        match self {
            Self::Token(Scope::Project(own)) if own == project => Ok(()),
            Self::Token(Scope::Project(own)) => {
                let own = account.project(own).ok_or(Refusal::OtherProject)?;
                Err(if own.region() == known.region() {
                    Refusal::OtherProject
                } else {
                    Refusal::OtherRegion
                })
            }
            Self::Key { project: Some(own) } if own == project => Ok(()),
            // Only a sub-project has to be named beside the path.
            Self::Key { project: None } if !known.is_sub_project() => Ok(()),
            Self::Token(Scope::Domain) | Self::Key { .. } => Err(Refusal::OtherProject),
        }
    }
}

fn verify(
    asked: &Asked<'_>,
    claim: &Claim<'_>,
    account: &Account,
    locks: &mut Locks,
    clocks: Clocks,
) -> Result<(), Fault> {
    let key = claim.access_key;
    let temporary = account.find_temporary(key, clocks.world);
    let secret = match &temporary {
        Some(keys) => &keys.secret_key,
        None if key == account.access_key => &account.secret_key,
        None => return Err(Fault::UnknownKey(key.to_owned())),
    };
    locks.check(key, clocks.signing)?;
    let token = temporary.as_ref().map(|keys| keys.security_token.as_str());
    let judged = if token.is_some() && asked.header("x-security-token") != token {
        Err(Fault::SecurityToken)
    } else {
        claim.verify(asked, secret, clocks.signing)
    };
    locks.note(key, judged.is_ok(), clocks.signing);
    judged
}

impl Locks {
    fn check(&self, key: &str, now: Timestamp) -> Result<(), Fault> {
        let locked = self.0.get(key).and_then(|lock| lock.until);
        match locked {
            Some(until) if now < until => Err(Fault::Locked),
            _ => Ok(()),
        }
    }

    fn note(&mut self, key: &str, good: bool, now: Timestamp) {
        if good {
            self.0.remove(key);
            return;
        }
        let lock = self.0.entry(key.to_owned()).or_default();
        if lock.until.take().is_some() {
            // That lock has ended, or nobody would have been judged: counting starts anew.
            lock.failures = 0;
        }
        lock.failures += 1;
        if lock.failures > FAILURES {
            lock.until = Some(now.plus(LOCKED));
        }
    }
}

#[cfg(test)]
mod tests;
