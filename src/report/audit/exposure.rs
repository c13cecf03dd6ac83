//! Exposure: what of a task concerns who can reach an instance, and how. Public access, the whitelist, TLS, the port, the
//! password and accounts; everything else is configuration.

use crate::model::fact::Change;
use crate::report::attribute::{self, effect, is_off, is_on, is_operation, is_same};

/// One thing that a task does, or did, to who can reach the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exposure {
    pub(crate) kind: Kind,
    pub(crate) turn: Turn,
    /// What it was and what it is, as far as the task says so.
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    PublicAccess,
    Whitelist,
    Tls,
    Port,
    Password,
    Account,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PublicAccess => "public access",
            Self::Whitelist => "IP whitelist",
            Self::Tls => "TLS",
            Self::Port => "port",
            Self::Password => "password",
            Self::Account => "ACL account",
        }
    }
}

/// Which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// More can reach it, or with less protection.
    Opened,
    Closed,
    Changed,
}

impl Turn {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Changed => "changed",
        }
    }
}

/// Returns what a task does to who can reach the instance, in the order of the kinds. What it only repeats is nothing.
pub(crate) fn exposures(change: &Change) -> Vec<Exposure> {
    let mut found = Vec::new();
    found.extend(switch(change, Kind::PublicAccess));
    found.extend(whitelist(change));
    found.extend(switch(change, Kind::Tls));
    if let Some((old, new)) = values(change, attribute::PORT) {
        found.push(Exposure {
            kind: Kind::Port,
            turn: Turn::Changed,
            old,
            new,
        });
    }
    for (kind, name) in [(Kind::Password, "modify"), (Kind::Account, "DeleteAcl")] {
        if is_operation(change, name) {
            found.push(Exposure {
                kind,
                turn: if kind == Kind::Account {
                    Turn::Closed
                } else {
                    Turn::Changed
                },
                old: None,
                new: None,
            });
        }
    }
    found
}

/// What is on or off: public access with its address, and TLS.
fn switch(change: &Change, kind: Kind) -> Option<Exposure> {
    let attribute = match kind {
        Kind::PublicAccess => attribute::ENABLE_PUBLIC_IP,
        _ => attribute::ENABLE_SSL,
    };
    let touched = values(change, attribute);
    let address = (kind == Kind::PublicAccess)
        .then(|| change.states(attribute::ADDRESS.source, attribute::ADDRESS.name))
        .flatten();
    // A new address is exposure too, whether or not the switch is named.
    let (old, new) = match (touched, address) {
        (Some(values), _) => values,
        (None, Some(stated)) if stated.new.is_some() => (None, None),
        _ => return None,
    };
    let turn = match new.as_deref() {
        Some(on) if is_on(on) => Turn::Opened,
        Some(off) if is_off(off) => Turn::Closed,
        _ => Turn::Changed,
    };
    let old = old.map(|text| on_or_off(&text));
    let new = new.map(|text| on_or_off(&text));
    let (turn, new) = if kind == Kind::Tls {
        // Public access that is on opens; TLS that is on closes.
        let turn = match turn {
            Turn::Opened => Turn::Closed,
            Turn::Closed => Turn::Opened,
            Turn::Changed => Turn::Changed,
        };
        (turn, new)
    } else {
        let address = address.and_then(|stated| stated.new.clone());
        (turn, both(new, address))
    };
    Some(Exposure {
        kind,
        turn,
        old,
        new,
    })
}

/// Whether something is on, and what it is then.
fn both(word: Option<String>, value: Option<String>) -> Option<String> {
    match (word, value) {
        (Some(word), Some(value)) => Some(format!("{word}, {value}")),
        (word, value) => word.or(value),
    }
}

/// The whitelist: it opens where it is switched off, and where every address is on it.
fn whitelist(change: &Change) -> Option<Exposure> {
    let switch = values(change, attribute::ENABLE_WHITELIST);
    let list = values(change, attribute::WHITELIST);
    if switch.is_none() && list.is_none() {
        return None;
    }
    let on = switch.and_then(|(_, new)| new);
    let (old, new) = list.unwrap_or_default();
    let is_everybody = |text: &str| text.contains("0.0.0.0/0") || text.contains("::/0");
    let turn = match (on.as_deref(), new.as_deref()) {
        (Some(off), _) if is_off(off) => Turn::Opened,
        (_, Some(list)) if is_everybody(list) => Turn::Opened,
        (Some(on), _) if is_on(on) => Turn::Closed,
        _ => Turn::Changed,
    };
    let new = both(on.map(|text| on_or_off(&text)), new);
    Some(Exposure {
        kind: Kind::Whitelist,
        turn,
        old,
        new,
    })
}

/// What a task says of an attribute that it touches; nothing if it leaves it, or only repeats what it found.
fn values(
    change: &Change,
    attribute: attribute::Attribute<'_>,
) -> Option<(Option<String>, Option<String>)> {
    let effect = effect(change, attribute)?;
    let stated = change.states(attribute.source, attribute.name);
    let old = stated.and_then(|stated| stated.old.clone());
    let new = effect.value().map(str::to_owned);
    if let (Some(old), Some(new)) = (&old, &new)
        && is_same(old, new)
    {
        return None;
    }
    Some((old, new))
}

fn on_or_off(text: &str) -> String {
    if is_on(text) {
        "on".to_owned()
    } else if is_off(text) {
        "off".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::state::tests::{change, stated};

    #[test]
    fn what_concerns_who_can_reach_an_instance_is_told_with_its_turn() {
        type Told<'a> = (Kind, Turn, Option<&'a str>, Option<&'a str>);
        let cases: Vec<(&str, Vec<_>, Vec<Told<'_>>)> = vec![
            (
                "BindEip",
                vec![stated("public_ip_address", None, Some("203.0.113.7"))],
                vec![(
                    Kind::PublicAccess,
                    Turn::Opened,
                    None,
                    Some("on, 203.0.113.7"),
                )],
            ),
            (
                "UnBindEip",
                vec![stated("public_ip_address", None, Some("203.0.113.7"))],
                vec![(
                    Kind::PublicAccess,
                    Turn::Closed,
                    None,
                    Some("off, 203.0.113.7"),
                )],
            ),
            (
                "Other",
                vec![stated("public_ip_address", None, Some("203.0.113.7"))],
                vec![(Kind::PublicAccess, Turn::Changed, None, Some("203.0.113.7"))],
            ),
            (
                "Other",
                vec![stated("enable_ssl", Some("true"), Some("false"))],
                vec![(Kind::Tls, Turn::Opened, Some("on"), Some("off"))],
            ),
            (
                "Other",
                vec![stated("enable_ssl", Some("1"), Some("true"))],
                vec![],
            ),
            (
                "UpdatePort",
                vec![stated("port", Some("6379"), Some("6380"))],
                vec![(Kind::Port, Turn::Changed, Some("6379"), Some("6380"))],
            ),
            (
                "UpdatePort",
                vec![],
                vec![(Kind::Port, Turn::Changed, None, None)],
            ),
            (
                "UpdatePort",
                vec![stated("port", Some("6379"), Some("6379"))],
                vec![],
            ),
            (
                "AddWhitelist",
                vec![],
                vec![(Kind::Whitelist, Turn::Changed, None, None)],
            ),
            (
                "AddWhitelist",
                vec![stated("whitelist", None, Some("10.0.0.0/8,0.0.0.0/0"))],
                vec![(
                    Kind::Whitelist,
                    Turn::Opened,
                    None,
                    Some("10.0.0.0/8,0.0.0.0/0"),
                )],
            ),
            (
                "Other",
                vec![stated("enable_whitelist", None, Some("false"))],
                vec![(Kind::Whitelist, Turn::Opened, None, Some("off"))],
            ),
            (
                "modify",
                vec![],
                vec![(Kind::Password, Turn::Changed, None, None)],
            ),
            (
                "deleteacl",
                vec![],
                vec![(Kind::Account, Turn::Closed, None, None)],
            ),
            (
                "EXTEND",
                vec![stated("capacity", Some("4"), Some("8"))],
                vec![],
            ),
        ];
        for (name, stated, expected) in cases {
            let change = change(1, name, stated);
            let found = exposures(&change);
            let told: Vec<_> = found
                .iter()
                .map(|one| (one.kind, one.turn, one.old.as_deref(), one.new.as_deref()))
                .collect();
            assert_eq!(told, expected, "{change:?}");
        }
    }
}
