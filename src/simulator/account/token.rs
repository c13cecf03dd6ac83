//! Tokens: what one is for and how long it lives is written in it, and a seal keeps that from being written by others.
//!
//! So none has to be kept, a cloud of the same seed knows its tokens again after a restart, and whatever a client sends
//! is either a token of this cloud or none.

use std::fmt::Write as _;

use ring::hmac;

use super::Account;
use crate::model::time::Timestamp;
use crate::simulator::refusal::Refusal;

/// What a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The project with this id.
    Project(String),
    /// The account as a whole: IAM, but no service of a region.
    Domain,
}

/// Stands in a token in place of a project's id.
const DOMAIN: &str = "domain";

/// What every token of IAM begins with.
const MARK: &str = "simulated-iam";

/// What every token of the metadata service begins with.
const METADATA_MARK: &str = "simulated-metadata";

/// How many bytes of a seal are shown. The seal guards nothing of value.
const SEAL: usize = 12;

impl Account {
    /// Makes a token; the number tells it from others for the same.
    pub(crate) fn issue(&self, scope: &Scope, ends: Timestamp, number: u64) -> String {
        let scope = match scope {
            Scope::Project(id) => id,
            Scope::Domain => DOMAIN,
        };
        self.sealed(format!("{MARK}-{scope}-{:x}-{number:x}", ends.millis()))
    }

    /// Says what a token opens at a moment.
    pub(crate) fn open(&self, token: &str, now: Timestamp) -> Result<Scope, Refusal> {
        if token == self.token {
            if self.token_ends.is_some_and(|ends| now.millis() >= ends) {
                return Err(Refusal::Expired);
            }
            return Ok(Scope::Project(self.main_project().to_owned()));
        }
        let text = self.unsealed(token, MARK).ok_or(Refusal::WrongToken)?;
        let mut parts = text.split('-');
        let (scope, ends) = (parts.next().unwrap_or_default(), parts.next());
        let ends = ends.and_then(|ends| i64::from_str_radix(ends, 16).ok());
        if now.millis() >= ends.ok_or(Refusal::WrongToken)? {
            return Err(Refusal::Expired);
        }
        Ok(match scope {
            DOMAIN => Scope::Domain,
            id => Scope::Project(id.to_owned()),
        })
    }

    /// Makes a token of the metadata service.
    pub(crate) fn issue_metadata(&self, ends: Timestamp) -> String {
        self.sealed(format!("{METADATA_MARK}-{:x}", ends.millis()))
    }

    /// Says whether a text is a token of the metadata service that still lives.
    pub(crate) fn opens_metadata(&self, token: &str, now: Timestamp) -> bool {
        self.unsealed(token, METADATA_MARK)
            .and_then(|ends| i64::from_str_radix(ends, 16).ok())
            .is_some_and(|ends| now.millis() < ends)
    }

    fn sealed(&self, text: String) -> String {
        let seal = self.seal(&text);
        text + "-" + &seal
    }

    /// What stands between the mark and the seal of a token.
    fn unsealed<'a>(&self, token: &'a str, mark: &str) -> Option<&'a str> {
        let (text, seal) = token.rsplit_once('-')?;
        if seal != self.seal(text) {
            return None;
        }
        text.strip_prefix(mark)?.strip_prefix('-')
    }

    fn seal(&self, text: &str) -> String {
        let tag = hmac::sign(&self.sealing, text.as_bytes());
        let mut seal = String::new();
        for byte in tag.as_ref().iter().take(SEAL) {
            // Writing into a text does not fail.
            let _written = write!(seal, "{byte:02x}");
        }
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::DAY;
    use crate::simulator::account::tests::account;
    use crate::simulator::world::START;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START + millis).unwrap()
    }

    #[test]
    fn a_token_opens_what_it_was_made_for_until_it_ends() {
        let account = account();
        let project = Scope::Project(account.projects[1].id.clone());
        for scope in [project, Scope::Domain] {
            let token = account.issue(&scope, at(DAY), 7);
            assert_ne!(token, account.issue(&scope, at(DAY), 8));
            assert_eq!(account.open(&token, at(DAY - 1)), Ok(scope));
            assert_eq!(account.open(&token, at(DAY)), Err(Refusal::Expired));
        }
    }

    #[test]
    fn the_first_token_lives_for_ever_unless_told_otherwise() {
        let mut account = account();
        let main = Scope::Project(account.main_project().to_owned());
        let token = account.token.clone();
        assert_eq!(account.open(&token, at(1000 * DAY)), Ok(main.clone()));
        account.token_ends = Some(START + DAY);
        assert_eq!(account.open(&token, at(DAY - 1)), Ok(main));
        assert_eq!(account.open(&token, at(DAY)), Err(Refusal::Expired));
    }

    #[test]
    fn what_was_not_sealed_here_is_no_token() {
        let account = account();
        let token = account.issue(&Scope::Domain, at(DAY), 7);
        let later = token.replace(&format!("{:x}", at(DAY).millis()), "fffffffffff");
        let metadata = account.issue_metadata(at(DAY));
        for wrong in [
            "",
            "-",
            "wrong",
            &later,
            &token[1..],
            &token[..token.len() - 1],
            &metadata,
        ] {
            assert_eq!(
                account.open(wrong, at(0)),
                Err(Refusal::WrongToken),
                "{wrong}"
            );
        }
        assert!(account.opens_metadata(&metadata, at(DAY - 1)));
        assert!(!account.opens_metadata(&metadata, at(DAY)));
        assert!(!account.opens_metadata(&token, at(0)));
    }
}
