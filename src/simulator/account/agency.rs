//! The temporary keys that an ECS gets for its agency.
//!
//! They live an hour and are replaced ten minutes before that, and both pairs are good meanwhile, as the guide of Open
//! Telekom Cloud describes it. Time is the world's, so in a world that runs fast they are soon replaced.

use super::{Account, access_key, secret_key};
use crate::model::time::{HOUR, MINUTE, Timestamp};
use crate::simulator::rng::Rng;
use crate::simulator::world::START;

const LIFE: i64 = HOUR;

/// From one pair to the next.
const PERIOD: i64 = LIFE - 10 * MINUTE;

/// A pair of keys with the token that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemporaryKeys {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) security_token: String,
    pub(crate) expires_at: Timestamp,
}

impl Account {
    /// The keys that the agency gives out at a moment.
    pub(crate) fn temporary_keys(&self, now: Timestamp) -> TemporaryKeys {
        self.generation(now.millis().saturating_sub(START) / PERIOD)
    }

    /// Finds a pair that is good at a moment by its public half.
    pub(crate) fn find_temporary(&self, access_key: &str, now: Timestamp) -> Option<TemporaryKeys> {
        let newest = now.millis().saturating_sub(START) / PERIOD;
        [newest, newest - 1]
            .into_iter()
            .map(|number| self.generation(number))
            .find(|keys| keys.access_key == access_key && now < keys.expires_at)
    }

    fn generation(&self, number: i64) -> TemporaryKeys {
        let mut rng = Rng::new(self.seed, "agency", number.cast_unsigned());
        let begin = START.saturating_add(number.saturating_mul(PERIOD));
        TemporaryKeys {
            access_key: access_key(&mut rng),
            secret_key: secret_key(&mut rng),
            // With what base64 may hold, since real ones are base64 and go into a header and a signature.
            security_token: format!("simulated+security/token-{}==", rng.hex_id()),
            expires_at: Timestamp::EPOCH.plus(begin).plus(LIFE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::account::tests::account;

    #[test]
    fn keys_are_replaced_before_they_end_and_both_pairs_are_good_meanwhile() {
        let account = account();
        let at = |minutes: i64| Timestamp::from_millis(START + minutes * MINUTE).unwrap();
        let first = account.temporary_keys(at(0));
        assert_eq!(first, account.temporary_keys(at(49)));
        assert_eq!(first.expires_at, at(60));
        let second = account.temporary_keys(at(50));
        assert_eq!(second.expires_at, at(110));
        assert_ne!(first.secret_key, second.secret_key);
        for (minutes, old, new) in [
            (0, true, false),
            (49, true, false),
            (50, true, true),
            (59, true, true),
            (60, false, true),
            (100, false, true),
            (110, false, false),
        ] {
            let good = |keys: &TemporaryKeys| {
                let found = account.find_temporary(&keys.access_key, at(minutes));
                assert!(found.is_none_or(|found| found == *keys));
                account
                    .find_temporary(&keys.access_key, at(minutes))
                    .is_some()
            };
            assert_eq!((good(&first), good(&second)), (old, new), "{minutes}");
        }
        assert_eq!(account.find_temporary(&account.access_key, at(0)), None);
    }
}
