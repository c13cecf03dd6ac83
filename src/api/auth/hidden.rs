//! Everything secret that a run has met, to be taken out of whatever others say.
//!
//! Servers and proxies repeat what they were sent. A token stays in here after another has taken its place, because an
//! answer to an earlier request may still bring it back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::secret::Secret;
use super::{Keys, Login};

/// One thing to be hidden.
pub(super) enum Hide {
    Secret(Arc<Secret>),
    /// The secret halves of a key, and all but the beginning of its public one.
    Keys(Arc<Keys>),
    PasswordOf(Arc<Login>),
}

/// The secrets of a run so far.
#[derive(Default)]
pub(super) struct Hidden(Mutex<Vec<Hide>>);

impl Hidden {
    pub(super) fn add(&self, hide: Hide) {
        self.lock().push(hide);
    }

    /// Takes every secret of this run out of a text.
    pub(super) fn scrub(&self, text: &str) -> String {
        let list = self.lock();
        list.iter()
            .fold(text.to_owned(), |text, hide| hide.scrub(&text))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Hide>> {
        // A push is all that ever happens under this lock, so a panic elsewhere cannot have left it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hide {
    fn scrub(&self, text: &str) -> String {
        match self {
            Self::Secret(secret) => secret.scrub(text),
            Self::PasswordOf(login) => login.password.scrub(text),
            Self::Keys(keys) => {
                let text = keys.secret_key.scrub(text);
                let text = match &keys.security_token {
                    Some(token) => token.scrub(&text),
                    None => text,
                };
                keys.access_key.mask_in(&text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{endpoint::Endpoint, secret::Password};
    use super::super::{AccessKey, Scope, User};
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn all_that_a_run_has_met_is_taken_out_at_once() {
        let hidden = Hidden::default();
        hidden.add(Hide::Secret(Arc::new(secret("first-token"))));
        hidden.add(Hide::Secret(Arc::new(secret("second-token"))));
        hidden.add(Hide::PasswordOf(Arc::new(Login {
            iam: Endpoint::parse("https://iam.example.com", false).unwrap(),
            user: User::Id("u1".to_owned()),
            password: Password::parse("pass word".to_owned()).unwrap(),
            scope: Scope::ProjectId("p1".to_owned()),
        })));
        hidden.add(Hide::Keys(Arc::new(Keys {
            access_key: AccessKey::parse("QTWAOYTTINDUT2QVKYUC".to_owned()).unwrap(),
            secret_key: secret("MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"),
            security_token: Some(secret("tok+en/==")),
        })));
        let said = "first-token second-token, pass word, ak QTWAOYTTINDUT2QVKYUC, \
                    sk ba2giqM7Uio6PznpdUKGpownRZlm, st tok+en/==";
        assert_eq!(
            hidden.scrub(said),
            "*** ***, ***, ak QTWA***, sk ***, st ***"
        );
    }
}
