//! Redaction: what a report shall not show is replaced, everywhere in the same way.
//!
//! People and addresses become pseudonyms that hold within one report: the same person is `user-1` wherever they appear.
//! What tasks were given as parameters becomes one word, so that it shows that something was stated. Facts are redacted
//! after they were worked out, since what a whitelist opened, or whether two values differ, is judged on the values.

mod addresses;
mod facts;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::fact::{Change, Stated};
use crate::model::rows::Source;

/// In place of what is not shown.
pub(crate) const REDACTED: &str = "(redacted)";

/// What is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct What {
    /// Names and ids of users, and names of accounts.
    pub(crate) users: bool,
    /// Parameters of tasks, and texts that may contain them.
    pub(crate) params: bool,
    /// IP addresses, in any text.
    pub(crate) addresses: bool,
}

impl What {
    pub(crate) const fn is_nothing(self) -> bool {
        !self.users && !self.params && !self.addresses
    }

    /// The words by which it is asked for.
    pub(crate) fn words(self) -> Vec<&'static str> {
        let words = [
            (self.users, "users"),
            (self.params, "params"),
            (self.addresses, "addresses"),
        ];
        let words = words.iter().filter(|(is, _)| *is);
        words.map(|(_, word)| *word).collect()
    }
}

/// Replaces, and remembers what it replaced by what.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    what: What,
    users: HashMap<String, usize>,
    addresses: HashMap<IpAddr, usize>,
}

/// Details that name somebody: the account of a database that a task made or removed.
const ACCOUNT: &str = "account_name";

impl Redactor {
    pub(crate) fn new(what: What) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.what.is_nothing()
    }

    /// Says a user: by name, or by id where there is no name.
    pub(crate) fn user(&mut self, name: &str) -> String {
        if !self.what.users {
            return self.text(name);
        }
        let next = self.users.len() + 1;
        let number = *self.users.entry(name.to_owned()).or_insert(next);
        format!("user-{number}")
    }

    /// Says any text that is no parameter and names no user: addresses in it may have to go.
    pub(crate) fn text(&mut self, text: &str) -> String {
        if !self.what.addresses {
            return text.to_owned();
        }
        addresses::replace(text, |address| {
            let next = self.addresses.len() + 1;
            let number = *self.addresses.entry(address).or_insert(next);
            format!("address-{number}")
        })
    }

    /// Says the value of an attribute.
    pub(crate) fn value(&mut self, source: Source, attribute: &str, value: &str) -> String {
        match source {
            Source::Params => self.parameters(value),
            Source::Details if attribute.ends_with(ACCOUNT) => self.user(value),
            Source::Details => self.text(value),
        }
    }

    /// Says parameters of a task.
    pub(crate) fn parameters(&mut self, text: &str) -> String {
        if self.what.params {
            REDACTED.to_owned()
        } else {
            self.text(text)
        }
    }

    /// Says text as the cloud sent it, which may hold all of this.
    pub(crate) fn raw(&self, text: &str) -> String {
        if self.is_idle() {
            text.to_owned()
        } else {
            REDACTED.to_owned()
        }
    }

    /// Redacts a row of a view: texts by the names of their columns.
    pub(crate) fn row<'a>(
        &mut self,
        columns: &[&str],
        texts: impl Fn(usize) -> Option<&'a str>,
    ) -> Vec<Option<String>> {
        let at = |name: &str| {
            let place = columns.iter().position(|column| *column == name)?;
            texts(place)
        };
        let person = at("user_name").or_else(|| at("user_id"));
        let source = match at("source") {
            Some("params") => Source::Params,
            _ => Source::Details,
        };
        let attribute = at("attribute").unwrap_or_default();
        let places = columns.iter().enumerate();
        places
            .map(|(place, column)| {
                let text = texts(place)?;
                Some(match *column {
                    "user_name" | "user_id" if self.what.users => self.user(person.unwrap_or(text)),
                    "params" => self.parameters(text),
                    "old_value" | "new_value" => self.value(source, attribute, text),
                    "raw" | "sample" => self.raw(text),
                    ACCOUNT => self.user(text),
                    _ => self.text(text),
                })
            })
            .collect()
    }

    fn change(&mut self, change: &mut Change) {
        let Change {
            task_key: _,
            task_id: _,
            name,
            status,
            outcome: _,
            user_name,
            created: _,
            updated: _,
            first_seen: _,
            error_code,
            missing: _,
            stated,
        } = change;
        for text in [name, status, error_code].into_iter().flatten() {
            *text = self.text(text);
        }
        if let Some(user) = user_name {
            *user = self.user(user);
        }
        for Stated {
            source,
            attribute,
            old,
            new,
        } in stated
        {
            for value in [old, new].into_iter().flatten() {
                *value = self.value(*source, attribute, value);
            }
        }
    }
}
