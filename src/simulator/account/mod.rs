//! Who may use the simulated cloud: one account with a user, an access key, the agency of an ECS, and some projects.
//!
//! All of it is made from the seed and opens nothing else. Tokens and the agency's keys are worked out and not stored: a
//! token says what it is for and is sealed, and the keys of an hour follow from the hour.

mod agency;
mod token;

use ring::hmac;

use super::rng::Rng;
use super::world::World;
pub(crate) use token::Scope;

/// The region of the simulated cloud, after which its project is named, as real ones are.
pub(crate) const REGION: &str = "sim-1";

/// The projects beside that: a sub-project without instances, and two of another region that bear the same name, so that
/// a look-up by name can find too much.
const OTHERS: [&str; 3] = ["sim-1_audit", "sim-2", "sim-2"];

/// A project of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Project {
    /// The region that it belongs to; a sub-project's name goes on after that.
    pub(crate) fn region(&self) -> &str {
        self.name.split('_').next().unwrap_or_default()
    }

    pub(crate) fn is_sub_project(&self) -> bool {
        self.name.contains('_')
    }
}

/// The account, with all that proves who asks.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    seed: u64,
    sealing: hmac::Key,
    pub(crate) user_name: String,
    pub(crate) user_id: String,
    pub(crate) password: String,
    pub(crate) domain_name: String,
    pub(crate) domain_id: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// A token for the project with the instances, there from the start.
    pub(crate) token: String,
    /// When that token ends, by the world's clock; never, unless it is set.
    pub(crate) token_ends: Option<i64>,
    pub(crate) projects: Vec<Project>,
}

impl Account {
    /// Makes the account that a world belongs to.
    pub(crate) fn new(seed: u64, world: &World) -> Self {
        // A stream of its own, so that the worlds of all seeds stay what they were.
        let mut rng = Rng::new(seed, "account", 0);
        let mut projects = vec![Project {
            id: world.project_id().to_owned(),
            name: REGION.to_owned(),
        }];
        projects.extend(OTHERS.map(|name| Project {
            id: rng.hex_id(),
            name: name.to_owned(),
        }));
        Self {
            seed,
            sealing: hmac::Key::new(hmac::HMAC_SHA256, rng.hex_id().as_bytes()),
            user_name: "simulated-user".to_owned(),
            user_id: rng.hex_id(),
            password: format!("simulated-password-{:016x}", rng.draw()),
            domain_name: "simulated-domain".to_owned(),
            domain_id: rng.hex_id(),
            access_key: access_key(&mut rng),
            secret_key: secret_key(&mut rng),
            token: world.token().to_owned(),
            token_ends: None,
            projects,
        }
    }

    /// The project with the instances.
    pub(crate) fn main_project(&self) -> &str {
        self.projects.first().map_or("", |project| &project.id)
    }

    pub(crate) fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }
}

/// Draws the public half of a key pair: twenty capital letters and digits, as real ones have.
fn access_key(rng: &mut Rng) -> String {
    let drawn = format!("SIM{:017X}", rng.draw());
    drawn.chars().take(20).collect()
}

/// Draws the secret half: forty letters and digits.
fn secret_key(rng: &mut Rng) -> String {
    let drawn = format!("{}{}", rng.hex_id(), rng.hex_id());
    drawn.chars().take(40).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::simulator::world;

    pub(crate) fn account() -> Account {
        Account::new(1, &World::new(world::Options::default()))
    }

    #[test]
    fn the_same_seed_makes_the_same_account_in_the_forms_of_the_real_one() {
        let (one, again) = (account(), account());
        assert_eq!(one.secret_key, again.secret_key);
        assert_eq!(one.projects, again.projects);
        assert_eq!((one.access_key.len(), one.secret_key.len()), (20, 40));
        assert_eq!(one.main_project(), one.projects[0].id);
        let names: Vec<&str> = one.projects.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["sim-1", "sim-1_audit", "sim-2", "sim-2"]);
        let kinds: Vec<(&str, bool)> = one
            .projects
            .iter()
            .map(|one| (one.region(), one.is_sub_project()))
            .collect();
        let expected = [
            ("sim-1", false),
            ("sim-1", true),
            ("sim-2", false),
            ("sim-2", false),
        ];
        assert_eq!(kinds, expected);
        let mut ids: Vec<&str> = one.projects.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4);
    }
}
