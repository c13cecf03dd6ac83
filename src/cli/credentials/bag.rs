//! What one source says, by the part that each value plays, and the credential that it makes.
//!
//! The rule is the same for every source: a token, else an access key, else a user's password; what is there by half is
//! named by what is missing. Everything else that a source tells (region, project, address of IAM) goes along.

use std::collections::BTreeMap;

use crate::api::auth::{AccessKey, Domain, Keys, User};
use crate::api::secret::{Password, Secret, SecretError};

use super::{Credential, Part, hidden::Hidden, told::Told};
use crate::cli::error::CliError;

/// The part that a value plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Token,
    AccessKey,
    SecretKey,
    SecurityToken,
    UserId,
    UserName,
    Password,
    DomainId,
    DomainName,
    Region,
    ProjectId,
    ProjectName,
    /// The address of IAM.
    Iam,
    /// The domain that the cloud's hosts are in.
    Cloud,
    CaFile,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::AccessKey => "access key",
            Self::SecretKey => "secret key",
            Self::SecurityToken => "security token",
            Self::UserId => "user id",
            Self::UserName => "user name",
            Self::Password => "password",
            Self::DomainId => "domain id",
            Self::DomainName => "domain name",
            Self::Region => "region",
            Self::ProjectId => "project id",
            Self::ProjectName => "project name",
            Self::Iam => "address of IAM",
            Self::Cloud => "cloud",
            Self::CaFile => "CA file",
        }
    }

    /// Says whether a file that holds this must be private.
    pub(crate) const fn is_secret(self) -> bool {
        matches!(
            self,
            Self::Token | Self::SecretKey | Self::SecurityToken | Self::Password
        )
    }
}

/// Which names a source has for which part; of several, the first that is set counts.
pub(crate) type Names = &'static [(Role, &'static [&'static str])];

/// What a source says beside its credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given(BTreeMap<Role, Told>);

impl Given {
    pub(crate) fn get(&self, role: Role) -> Option<&Told> {
        self.0.get(&role)
    }
}

/// Where the names of a source are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In the environment: a name stands for itself.
    Variables,
    /// In a file, which has to be named as well.
    File,
}

/// The values of one source.
pub(super) struct Bag {
    label: String,
    kind: Kind,
    names: Names,
    values: BTreeMap<Role, (Hidden, String)>,
}

/// What a bag comes to.
pub(super) struct Judged {
    pub(super) credential: Option<Credential>,
    pub(super) parts: Vec<Part>,
    /// A sentence for each credential of which only a part is there.
    pub(super) halves: Vec<String>,
    pub(super) given: Given,
}

impl Bag {
    /// Fills a bag: `read` returns what stands under a name.
    pub(super) fn fill(
        label: impl Into<String>,
        kind: Kind,
        names: Names,
        read: impl Fn(&str) -> Option<Hidden>,
    ) -> Self {
        let mut values = BTreeMap::new();
        for (role, spellings) in names {
            let found = spellings.iter().find_map(|name| {
                let text = read(name).filter(|text| !text.expose().is_empty())?;
                Some((text, (*name).to_owned()))
            });
            if let Some(found) = found {
                values.insert(*role, found);
            }
        }
        Self {
            label: label.into(),
            kind,
            names,
            values,
        }
    }

    /// Adds what follows from something else that the source says.
    pub(super) fn add(&mut self, role: Role, text: &str, name: &str) {
        let value = (Hidden::new(text), name.to_owned());
        self.values.entry(role).or_insert(value);
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.values.contains_key(&role)
    }

    pub(super) fn holds_a_secret(&self) -> bool {
        self.values.keys().any(|role| role.is_secret())
    }

    pub(super) fn judge(&self) -> Result<Judged, CliError> {
        let mut halves = Vec::new();
        let roles = self.complete(&mut halves);
        let credential = match roles.first() {
            Some(Role::Token) => Some(Credential::Token(self.secret(Role::Token)?)),
            Some(Role::AccessKey) => Some(Credential::Keys(self.keys()?)),
            Some(_) => Some(self.login()?),
            None => None,
        };
        let parts = roles.iter().filter_map(|role| self.part(*role)).collect();
        let given = self
            .values
            .iter()
            .filter(|(role, _)| **role >= Role::Region);
        let given = given
            .map(|(role, (text, name))| (*role, Told::new(text.expose(), self.place_of(name))));
        Ok(Judged {
            credential,
            parts,
            halves,
            given: Given(given.collect()),
        })
    }

    /// Returns the parts of the first credential that is there as a whole, and notes those before it that are not.
    fn complete(&self, halves: &mut Vec<String>) -> Vec<Role> {
        if self.has(Role::Token) {
            return vec![Role::Token];
        }
        let keys = [Role::AccessKey, Role::SecretKey];
        if keys.iter().all(|role| self.has(*role)) {
            return vec![Role::AccessKey, Role::SecretKey, Role::SecurityToken];
        }
        if keys.iter().any(|role| self.has(*role)) || self.has(Role::SecurityToken) {
            halves.push(self.half(
                &[Role::AccessKey, Role::SecretKey, Role::SecurityToken],
                &keys,
            ));
        }
        let user = if self.has(Role::UserId) {
            vec![Role::UserId]
        } else if self.has(Role::DomainId) {
            vec![Role::UserName, Role::DomainId]
        } else {
            vec![Role::UserName, Role::DomainName]
        };
        let login: Vec<_> = user.into_iter().chain([Role::Password]).collect();
        if login.iter().all(|role| self.has(*role)) {
            return login;
        }
        let telling = [Role::UserId, Role::UserName, Role::Password];
        if telling.iter().any(|role| self.has(*role)) {
            halves.push(self.half(&login, &login));
        }
        Vec::new()
    }

    /// Says which parts of a credential are there and which are not.
    fn half(&self, all: &[Role], needed: &[Role]) -> String {
        let there: Vec<_> = all
            .iter()
            .filter_map(|role| self.values.get(role))
            .map(|(_, name)| self.quoted(name))
            .collect();
        let missing: Vec<_> = needed
            .iter()
            .filter(|role| !self.has(**role))
            .map(|role| self.name_of(*role))
            .collect();
        let are = if there.len() == 1 { "is" } else { "are" };
        let are_not = if missing.len() == 1 { "is" } else { "are" };
        format!(
            "{}: {} {are} set, {} {are_not} not",
            self.label,
            there.join(" and "),
            missing.join(" and ")
        )
    }

    /// The name under which a part would be looked for first.
    fn name_of(&self, role: Role) -> String {
        let names = self.names.iter().find(|(known, _)| *known == role);
        let name = names.and_then(|(_, spellings)| spellings.first());
        name.map_or_else(|| format!("the {}", role.name()), |name| self.quoted(name))
    }

    fn quoted(&self, name: &str) -> String {
        match self.kind {
            Kind::Variables => name.to_owned(),
            Kind::File => format!("`{name}`"),
        }
    }

    fn place_of(&self, name: &str) -> String {
        match self.kind {
            Kind::Variables => name.to_owned(),
            Kind::File => format!("`{name}` in {}", self.label),
        }
    }

    fn part(&self, role: Role) -> Option<Part> {
        let (text, name) = self.values.get(&role)?;
        let shown = match role {
            Role::AccessKey => AccessKey::parse(text.expose().to_owned())
                .ok()
                .map(|key| key.masked()),
            role if role.is_secret() => None,
            _ => Some(text.expose().to_owned()),
        };
        Some(Part {
            what: role.name(),
            shown,
            from: self.place_of(name),
        })
    }

    fn text(&self, role: Role) -> String {
        let value = self.values.get(&role);
        value.map_or_else(String::new, |(text, _)| text.expose().to_owned())
    }

    fn secret(&self, role: Role) -> Result<Secret, CliError> {
        Secret::parse(self.text(role)).map_err(|error| self.unusable(role, error))
    }

    fn unusable(&self, role: Role, error: SecretError) -> CliError {
        let name = self.values.get(&role).map(|(_, name)| self.place_of(name));
        let name = name.unwrap_or_default();
        CliError::usage(format!("{name} holds no {}", role.name())).because(&error)
    }

    fn keys(&self) -> Result<Keys, CliError> {
        let security_token = if self.has(Role::SecurityToken) {
            Some(self.secret(Role::SecurityToken)?)
        } else {
            None
        };
        Ok(Keys {
            access_key: AccessKey::parse(self.text(Role::AccessKey))
                .map_err(|error| self.unusable(Role::AccessKey, error))?,
            secret_key: self.secret(Role::SecretKey)?,
            security_token,
        })
    }

    fn login(&self) -> Result<Credential, CliError> {
        let user = if self.has(Role::UserId) {
            User::Id(self.text(Role::UserId))
        } else {
            User::Name {
                name: self.text(Role::UserName),
                domain: if self.has(Role::DomainId) {
                    Domain::Id(self.text(Role::DomainId))
                } else {
                    Domain::Name(self.text(Role::DomainName))
                },
            }
        };
        let password = Password::parse(self.text(Role::Password))
            .map_err(|error| self.unusable(Role::Password, error))?;
        Ok(Credential::Password { user, password })
    }
}
