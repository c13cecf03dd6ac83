//! Redaction: what a report shall not show is replaced, everywhere in the same way.
//!
//! People and addresses become pseudonyms that hold within one report: the same person is `user-1` wherever they appear.
//! What tasks were given as parameters becomes one word, so that it shows that something was stated. Facts are redacted
//! after they were worked out, since what a whitelist opened, or whether two values differ, is judged on the values.
//! People are told by their names and ids, which are looked for in texts as well. Ids of anything else, and names of
//! instances, stay: without them nothing could be looked up.

mod addresses;
mod facts;
mod people;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use self::people::People;
pub(crate) use self::people::User;
use super::attribute::is_same;
use crate::model::fact::{Change, Stated};
use crate::model::rows::Source;

/// In place of what is not shown.
pub(crate) const REDACTED: &str = "(redacted)";
/// The same for a new value beside an old one that was another.
const ANOTHER: &str = "(redacted, another)";

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
    people: People,
    addresses: HashMap<IpAddr, usize>,
}

/// Details that name somebody: the account of a database that a task made or removed.
const ACCOUNT: &str = "account_name";

impl Redactor {
    /// People are numbered in the order in which they come here, whoever else is met afterwards.
    pub(crate) fn new(what: What, people: &[User]) -> Self {
        Self {
            what,
            people: if what.users {
                People::new(people)
            } else {
                People::default()
            },
            addresses: HashMap::new(),
        }
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.what.is_nothing()
    }

    /// Says a user: by name, or by id where there is no name.
    pub(crate) fn user(&mut self, name: &str) -> String {
        if !self.what.users || name.is_empty() {
            return self.text(name);
        }
        people::pseudonym(self.people.number(name))
    }

    /// By which users are put in order, so that their order does not follow their names.
    pub(crate) fn rank(&mut self, name: Option<&str>) -> Option<usize> {
        let name = name.filter(|name| self.what.users && !name.is_empty())?;
        Some(self.people.number(name))
    }

    /// Says a name out of a small vocabulary, such as an operation's: somebody may have put an address there all the same.
    pub(crate) fn name(&mut self, text: &str) -> String {
        self.within(text, Self::without_addresses)
    }

    /// Says any text that is no parameter: users and addresses in it may have to go.
    pub(crate) fn text(&mut self, text: &str) -> String {
        self.within(text, |redactor, text| {
            let text = redactor.people.replace(text);
            redactor.without_addresses(&text)
        })
    }

    fn without_addresses(&mut self, text: &str) -> String {
        if !self.what.addresses {
            return text.to_owned();
        }
        addresses::replace(text, |address| {
            let next = self.addresses.len() + 1;
            let number = *self.addresses.entry(address.to_canonical()).or_insert(next);
            format!("address-{number}")
        })
    }

    /// Replaces in a text. Where it is JSON that hides something in its escapes, all of it goes.
    fn within(&mut self, text: &str, replaced: impl Fn(&mut Self, &str) -> String) -> String {
        if !self.what.users && !self.what.addresses {
            return text.to_owned();
        }
        let mut plain = text.to_owned();
        while let Some(decoded) = unescaped(&plain) {
            if replaced(self, &decoded) != decoded {
                return REDACTED.to_owned();
            }
            plain = decoded;
        }
        replaced(self, text)
    }

    /// Says the old and the new value of an attribute. That they differed still shows.
    pub(crate) fn values(
        &mut self,
        source: Source,
        attribute: &str,
        old: Option<&str>,
        new: Option<&str>,
    ) -> (Option<String>, Option<String>) {
        let mut said = |text: Option<&str>| text.map(|text| self.value(source, attribute, text));
        let (was, mut is) = (said(old), said(new));
        let differed = old.zip(new).is_some_and(|(old, new)| !is_same(old, new));
        if differed && was == is {
            is = Some(ANOTHER.to_owned());
        }
        (was, is)
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
        let source = match at("source") {
            Some("params") => Source::Params,
            _ => Source::Details,
        };
        let attribute = at("attribute").unwrap_or_default();
        let (old, new) = self.values(source, attribute, at("old_value"), at("new_value"));
        let places = columns.iter().enumerate();
        places
            .map(|(place, column)| {
                let text = texts(place)?;
                Some(match column_of(column) {
                    Column::Plain => text.to_owned(),
                    Column::User => self.user(text),
                    Column::Name => self.name(text),
                    Column::Value if *column == "old_value" => old.clone()?,
                    Column::Value => new.clone()?,
                    Column::Params => self.parameters(text),
                    Column::Text => self.text(text),
                    Column::Raw => self.raw(text),
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
        for text in [name, status].into_iter().flatten() {
            *text = self.name(text);
        }
        if let Some(code) = error_code {
            *code = self.text(code);
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
            (*old, *new) = self.values(*source, attribute, old.as_deref(), new.as_deref());
            *attribute = self.name(attribute);
        }
    }
}

/// What a column of a view may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// Nothing that is ever left out: keys, ids, times, numbers as text, words of the program.
    Plain,
    User,
    /// A name out of a small vocabulary, or that of an instance.
    Name,
    /// What a task states; the row says of what.
    Value,
    Params,
    Text,
    /// As the cloud sent it.
    Raw,
}

/// Columns that tell something.
const TELLING: [(&str, Column); 16] = [
    ("user_id", Column::User),
    ("user_name", Column::User),
    (ACCOUNT, Column::User),
    ("instance_name", Column::Name),
    ("name", Column::Name),
    ("status", Column::Name),
    ("attribute", Column::Name),
    ("old_value", Column::Value),
    ("new_value", Column::Value),
    ("params", Column::Params),
    ("error_code", Column::Text),
    ("reason", Column::Text),
    ("error", Column::Text),
    ("what", Column::Text),
    ("raw", Column::Raw),
    ("sample", Column::Raw),
];

/// Columns of text that do not.
const PLAIN: [&str; 28] = [
    "project_id",
    "instance_id",
    "task_id",
    "source",
    "kind",
    "outcome",
    "version",
    "head",
    "raw_sha256",
    "missing_as",
    "created_at",
    "updated_at",
    "observed_at",
    "started_at",
    "finished_at",
    "first_seen_at",
    "last_seen_at",
    "vouched_at",
    "missing_since",
    "missing_confirmed_at",
    "reappeared_at",
    "window_start",
    "window_end",
    "mark_before",
    "mark_after",
    "gone_at",
    "last_proven_at",
    "last_full_at",
];

/// A column that nobody has decided about yet is a text like any other.
fn column_of(name: &str) -> Column {
    let telling = TELLING.iter().find(|(known, _)| *known == name);
    match telling {
        Some((_, column)) => *column,
        None if PLAIN.contains(&name) => Column::Plain,
        None => Column::Text,
    }
}

/// Says whether somebody has decided what a column of text may tell.
#[cfg(test)]
pub(crate) fn is_decided(name: &str) -> bool {
    TELLING.iter().any(|(known, _)| *known == name) || PLAIN.contains(&name)
}

/// Undoes the escapes of JSON for characters, once; nothing if there is none.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains("\\u") {
        return None;
    }
    let (mut plain, mut rest, mut is_changed) = (String::new(), text, false);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let digits = escape.strip_prefix("\\u").and_then(|rest| rest.get(..4));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(letter) = code.and_then(char::from_u32) {
            plain.push(letter);
            rest = &escape[6..];
            is_changed = true;
        } else {
            // Two of them are one that is meant as such, perhaps before another escape.
            let is_doubled = escape.starts_with("\\\\");
            plain.push('\\');
            rest = &escape[1 + usize::from(is_doubled)..];
            is_changed |= is_doubled;
        }
    }
    plain.push_str(rest);
    is_changed.then_some(plain)
}
