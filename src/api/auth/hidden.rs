//! Everything secret that a run has met, to be taken out of whatever others say.
//!
//! Servers and proxies repeat what they were sent. A token stays in here after another has taken its place, because an
//! answer to an earlier request may still bring it back.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::super::secret::{Secret, stars};
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
        let places = list.iter().flat_map(|hide| hide.places_in(text)).collect();
        list.iter()
            .filter_map(|hide| match hide {
                Hide::Keys(keys) => Some(&keys.access_key),
                Hide::Secret(_) | Hide::PasswordOf(_) => None,
            })
            .fold(stars(text, places), |text, key| key.mask_in(&text))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Hide>> {
        // A push is all that ever happens under this lock, so a panic elsewhere cannot have left it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hide {
    fn places_in(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Secret(secret) => secret.places_in(text),
            Self::PasswordOf(login) => login.password.places_in(text),
            Self::Keys(keys) => {
                let mut places = keys.secret_key.places_in(text);
                if let Some(token) = &keys.security_token {
                    places.extend(token.places_in(text));
                }
                places
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
    fn tokens_with_a_part_in_common_are_both_hidden_whole() {
        let hidden = Hidden::default();
        for token in [
            "MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas",
            "MIIGgQYJKoZIhvcNAQcCoIIGcjCCBm4",
        ] {
            hidden.add(Hide::Secret(Arc::new(secret(token))));
        }
        let said = "MIIGgQYJKoZIhvcNAQcCoIIGcjCCBm4 MIIFvgYJKoZIhvcNAQcCoIIFrzCCBas.";
        assert_eq!(hidden.scrub(said), "*** ***.");
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
