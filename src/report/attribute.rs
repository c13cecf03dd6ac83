//! Attributes of an instance: which there are, what a task that succeeded does to each, and when two values are the same.
//!
//! What a task states is taken as stated. Where an operation is known to touch an attribute and states nothing of it, that
//! is said too: its value is unknown from then on, and not the one that an earlier task left.

use crate::model::fact::Change;
use crate::model::operation::synonyms;
use crate::model::rows::Source;

/// An attribute: where it is stated, and its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Attribute<'a> {
    pub(crate) source: Source,
    pub(crate) name: &'a str,
}

impl Attribute<'static> {
    const fn details(name: &'static str) -> Self {
        Self {
            source: Source::Details,
            name,
        }
    }

    const fn params(name: &'static str) -> Self {
        Self {
            source: Source::Params,
            name,
        }
    }
}

pub(super) const ENABLE_PUBLIC_IP: Attribute<'static> = Attribute::details("enable_public_ip");
const REPLICA_NUM: Attribute<'static> = Attribute::details("replica_num");
pub(super) const PORT: Attribute<'static> = Attribute::details("port");

pub(super) const ENABLE_SSL: Attribute<'static> = Attribute::details("enable_ssl");
pub(super) const ADDRESS: Attribute<'static> = Attribute::details("public_ip_address");

/// What belongs to a bound address.
const ADDRESSES: [Attribute<'static>; 2] = [ADDRESS, Attribute::details("public_ip_id")];

/// What a change of the specification may change; the first four are stated by nearly every one.
const SPECIFICATION: [Attribute<'static>; 5] = [
    Attribute::details("capacity"),
    Attribute::details("resource_spec_code"),
    Attribute::details("cache_mode"),
    Attribute::details("cache_type"),
    REPLICA_NUM,
];

pub(super) const ENABLE_WHITELIST: Attribute<'static> = Attribute::params("enable_whitelist");
pub(super) const WHITELIST: Attribute<'static> = Attribute::params("whitelist");

/// The configuration of an instance, as far as tasks tell it, in the order in which it is shown.
pub(crate) const CONFIGURATION: [Attribute<'static>; 12] = [
    SPECIFICATION[0],
    SPECIFICATION[1],
    SPECIFICATION[2],
    SPECIFICATION[3],
    REPLICA_NUM,
    PORT,
    ENABLE_PUBLIC_IP,
    ADDRESSES[0],
    ADDRESSES[1],
    ENABLE_SSL,
    ENABLE_WHITELIST,
    WHITELIST,
];

/// What success of a task does to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect<'a> {
    /// It has this value.
    Set(&'a str),
    /// The same, and the task does not state it: its operation says so.
    Means(&'static str),
    /// It has none any more.
    Released,
    /// It may have any value, for this reason.
    Unknown(&'static str),
}

impl<'a> Effect<'a> {
    /// Returns the value that it leaves, if that is known.
    pub(crate) const fn value(&self) -> Option<&'a str> {
        match self {
            Self::Set(value) | Self::Means(value) => Some(value),
            Self::Released | Self::Unknown(_) => None,
        }
    }
}

/// Says what a task does to an attribute when it succeeds; nothing if it does not touch it.
pub(crate) fn effect<'a>(change: &'a Change, attribute: Attribute<'_>) -> Option<Effect<'a>> {
    let is = |name: &str| is_operation(change, name);
    let stated = change.states(attribute.source, attribute.name);
    let switches_off = || {
        let stated = change.states(ENABLE_PUBLIC_IP.source, ENABLE_PUBLIC_IP.name);
        stated.is_some_and(|stated| stated.new.as_deref().is_some_and(is_off))
    };
    if ADDRESSES.contains(&attribute) && (is("UnBindEip") || switches_off()) {
        // The address that such a task states is the one that it gives up.
        return Some(Effect::Released);
    }
    if let Some(stated) = stated {
        return Some(match &stated.new {
            Some(new) => Effect::Set(new),
            None => Effect::Unknown("the task states the old value only"),
        });
    }
    if attribute == ENABLE_PUBLIC_IP && is("BindEip") {
        return Some(Effect::Means("true"));
    }
    if attribute == ENABLE_PUBLIC_IP && is("UnBindEip") {
        return Some(Effect::Means("false"));
    }
    let touches = (ADDRESSES.contains(&attribute) && is("BindEip"))
        // The code of a specification names the number of replicas as well.
        || ([REPLICA_NUM, SPECIFICATION[1]].contains(&attribute)
            && (is("AddReplica") || is("DelReplica")))
        || (attribute == PORT && is("UpdatePort"))
        || (attribute == WHITELIST && is("AddWhitelist"))
        || (SPECIFICATION.contains(&attribute) && is_mute_resize(change));
    touches.then_some(Effect::Unknown("the task does not state the new value"))
}

/// Says whether a task changes the specification without saying anything of it. One that states some of it leaves the rest
/// as it is.
fn is_mute_resize(change: &Change) -> bool {
    let states =
        |attribute: &Attribute<'_>| change.states(attribute.source, attribute.name).is_some();
    let charging = change.states(Source::Details, "is_only_adjust_charging");
    let is_charging = charging.is_some_and(|stated| stated.new.as_deref().is_some_and(is_on));
    (is_operation(change, "EXTEND") || is_operation(change, "extendDCSInstance"))
        && !is_charging
        && !SPECIFICATION.iter().any(states)
}

/// Says whether a task is of this operation, under any of its names.
pub(super) fn is_operation(change: &Change, name: &str) -> bool {
    change.name.as_deref().is_some_and(|given| {
        let mut names = synonyms(name).into_iter();
        names.any(|name| name.eq_ignore_ascii_case(given))
    })
}

pub(super) fn is_on(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value == "1"
}

pub(super) fn is_off(value: &str) -> bool {
    value.eq_ignore_ascii_case("false") || value == "0"
}

/// Says whether two texts are the same value: numbers as numbers (`8` is `8.0`), truths in any spelling, all else to the
/// letter.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    if one == other || (is_on(one) && is_on(other)) || (is_off(one) && is_off(other)) {
        return true;
    }
    match (decimal(one), decimal(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Reads a decimal number as its digits before and after the point, without the zeros that say nothing: exact, where a
/// floating number would not be.
fn decimal(text: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    Some((
        whole.trim_start_matches('0'),
        fraction.trim_end_matches('0'),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::state::tests::{change, stated};

    #[test]
    fn values_are_compared_for_what_they_mean() {
        let same = [
            ("8", "8"),
            ("8", "8.0"),
            ("0.125", ".125"),
            ("007", "7"),
            ("0", "0.00"),
            ("true", "True"),
            ("1", "true"),
            ("false", "0"),
            ("ha", "ha"),
            (
                "99999999999999999999999999999999",
                "99999999999999999999999999999999.0",
            ),
        ];
        for (one, other) in same {
            assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
        }
        let different = [
            ("8", "16"),
            ("8", "80"),
            ("0.1", "0.10000000000000000001"),
            (
                "99999999999999999999999999999999",
                "99999999999999999999999999999998",
            ),
            ("10.0.0.1", "10.0.0.10"),
            ("ha", "HA"),
            ("true", "false"),
            ("", "0"),
            (".", "0"),
            ("8 ", "8"),
            ("-8", "8"),
            ("1e1", "10"),
        ];
        for (one, other) in different {
            assert!(
                !is_same(one, other) && !is_same(other, one),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_success_sets_what_it_states_and_makes_unknown_what_it_must_have_changed() {
        let by_name = |name: &str| {
            let mut all = CONFIGURATION.into_iter();
            all.find(|attribute| attribute.name == name).unwrap()
        };
        let set = |value: &'static str| Some(Effect::Set(value));
        let mute = Some(Effect::Unknown("the task does not state the new value"));
        let port = [stated("port", Some("6379"), Some("6380"))];
        let half = [stated("port", Some("6379"), None)];
        let bound = [stated("public_ip_address", None, Some("203.0.113.7"))];
        let off = [
            stated("enable_public_ip", None, Some("false")),
            stated("public_ip_address", None, Some("203.0.113.7")),
        ];
        let capacity = [stated("capacity", Some("4"), Some("8"))];
        let charging = [stated("is_only_adjust_charging", None, Some("true"))];
        let cases = [
            ("UpdatePort", &port[..], "port", set("6380")),
            ("updateport", &[], "port", mute),
            (
                "UpdatePort",
                &half,
                "port",
                Some(Effect::Unknown("the task states the old value only")),
            ),
            ("UpdatePort", &port, "capacity", None),
            (
                "BindEip",
                &bound,
                "enable_public_ip",
                Some(Effect::Means("true")),
            ),
            ("BindEip", &bound, "public_ip_address", set("203.0.113.7")),
            ("BindEip", &bound, "public_ip_id", mute),
            (
                "UnBindEip",
                &bound,
                "public_ip_address",
                Some(Effect::Released),
            ),
            (
                "UnBindEip",
                &[],
                "enable_public_ip",
                Some(Effect::Means("false")),
            ),
            ("Other", &off, "public_ip_address", Some(Effect::Released)),
            ("Other", &off, "enable_public_ip", set("false")),
            ("AddReplica", &[], "replica_num", mute),
            ("DelReplica", &[], "resource_spec_code", mute),
            ("AddReplica", &[], "capacity", None),
            ("AddWhitelist", &[], "whitelist", mute),
            ("AddWhitelist", &[], "enable_whitelist", None),
            ("EXTEND", &capacity, "capacity", set("8")),
            ("EXTEND", &capacity, "cache_mode", None),
            ("ChangeInstanceSpec", &[], "cache_mode", mute),
            ("EXTEND", &charging, "cache_mode", None),
            ("masterStandbySwapJob", &[], "port", None),
        ];
        for (name, stated, attribute, expected) in cases {
            let change = change(1, name, stated.to_vec());
            assert_eq!(
                effect(&change, by_name(attribute)),
                expected,
                "{name} {attribute}"
            );
        }
    }
}
