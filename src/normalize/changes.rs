//! What a task sets or changes: one row an attribute, with the old and the new value side by side.

use std::collections::BTreeMap;

use crate::model::rows::{ChangeRow, Source};

use super::value::{self, Members};

/// A spelling of `new_cache_mode` that the documentation's example of 2021 shows.
pub(super) const MISSPELT: &str = "new_cahce_mode";
const MEANT: &str = "new_cache_mode";

/// An attribute, and whether it was folded from two members.
type Key = (String, bool);

/// The old and the new value.
type Values = (Option<String>, Option<String>);

/// Which value of an attribute a member states.
#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

/// Returns the rows of `details` and of `params`, in the order of source and attribute, none twice.
pub(super) fn of(details: Option<&Members>, params: Option<&Members>) -> Vec<ChangeRow> {
    let details = details.map(|members| fold(members, Source::Details));
    let params = params.map(|members| fold(members, Source::Params));
    details.into_iter().chain(params).flatten().collect()
}

fn fold(members: &Members, source: Source) -> impl Iterator<Item = ChangeRow> + use<> {
    let is_meant =
        source == Source::Details && states(members, MISSPELT) && !states(members, MEANT);
    let mut rows: BTreeMap<Key, Values> = BTreeMap::new();
    for (name, value) in members {
        let Some(value) = value::text(value.get()) else {
            continue;
        };
        let name = if is_meant && name == MISSPELT {
            MEANT
        } else {
            name
        };
        let (attribute, side, folded) = split(name);
        let row = rows
            .entry((value::visible(attribute.to_owned()), folded))
            .or_default();
        match side {
            Side::Old => row.0 = Some(value),
            Side::New => row.1 = Some(value),
        }
    }
    let row = move |((attribute, folded), (old_value, new_value))| ChangeRow {
        source,
        attribute,
        folded,
        old_value,
        new_value,
    };
    rows.into_iter().map(row)
}

/// Says whether a member is there and is not null.
fn states(members: &Members, name: &str) -> bool {
    members.get(name).is_some_and(|value| value.get() != "null")
}

/// Splits `old_x` and `new_x` into the attribute and the side. Any other member is an attribute of its own name.
fn split(name: &str) -> (&str, Side, bool) {
    for (prefix, side) in [("old_", Side::Old), ("new_", Side::New)] {
        match name.strip_prefix(prefix) {
            Some(attribute) if !attribute.is_empty() => return (attribute, side, true),
            _ => {}
        }
    }
    (name, Side::New, false)
}
