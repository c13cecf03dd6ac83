//! What a task sets or changes: one row an attribute, with the old and the new value side by side.

use std::collections::BTreeMap;

use crate::model::rows::{ChangeRow, Source};

use super::value::{self, Members, Name};

/// A spelling of `new_cache_mode` that the documentation's example of 2021 shows.
pub(super) const MISSPELT: &str = "new_cahce_mode";
const MEANT: &str = "new_cache_mode";

/// Which value of an attribute a member states.
#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

/// Returns the rows of `details` and of `params`, in the order of source and attribute, none twice.
pub(super) fn of(details: Option<&Members<'_>>, params: Option<&Members<'_>>) -> Vec<ChangeRow> {
    let mut rows = details.map_or_else(Vec::new, |members| fold(members, Source::Details));
    if let Some(params) = params {
        rows.append(&mut fold(params, Source::Params));
    }
    rows
}

fn fold(members: &Members<'_>, source: Source) -> Vec<ChangeRow> {
    let is_meant =
        source == Source::Details && states(members, MISSPELT) && !states(members, MEANT);
    let mut rows: BTreeMap<(String, bool), ChangeRow> = BTreeMap::new();
    for (Name(name), value) in members {
        let Some(value) = value::text(value.get()) else {
            continue;
        };
        let name = if is_meant && name == MISSPELT {
            MEANT
        } else {
            name
        };
        let (attribute, side, folded) = split(name);
        let attribute = value::visible(attribute.into());
        let row = rows
            .entry((attribute.clone(), folded))
            .or_insert(ChangeRow {
                source,
                attribute,
                folded,
                old_value: None,
                new_value: None,
            });
        match side {
            Side::Old => row.old_value = Some(value),
            Side::New => row.new_value = Some(value),
        }
    }
    rows.into_values().collect()
}

/// Says whether a member is there and is not null.
fn states(members: &Members<'_>, name: &str) -> bool {
    let member = members.get(&Name(name.into()));
    member.is_some_and(|value| value.get() != "null")
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
