//! A setting as a row, and what people see of it.

use serde_json::Value as Json;

use crate::cli::listing::{self, Field, Look};
use crate::model::fact::Change;
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::report::state::{Listed, Setting};
use crate::store::read::Instance;

/// The columns of a setting.
pub(crate) const COLUMNS: [&str; 14] = [
    "project_id",
    "instance_id",
    "instance_name",
    "attribute",
    "value",
    "since",
    "task_id",
    "name",
    "user_name",
    "certainty",
    "as_of",
    "listed_value",
    "listed_at",
    "note",
];

/// What a line shows of a setting.
pub(super) const FIELDS: [Field; 8] = [
    Field::new("attribute", &["attribute", "name"], attribute).rigid(),
    Field::new("value", &["value", "attribute"], value),
    Field::new("since", &["since"], listing::minute).rigid(),
    Field::new("user_name", &["user_name"], listing::plain),
    Field::new("task_id", &["task_id"], listing::id).wide_from(150),
    Field::new("certainty", &["certainty"], certainty).rigid(),
    Field::new("listed", &["listed_value"], listing::plain).wide_from(150),
    Field::new("note", &["note", "as_of"], note).wrapped(),
];

/// Returns a setting as a row of all columns.
pub(super) fn row(
    instance: &Instance,
    listed: Option<&Listed>,
    setting: &Setting<'_>,
) -> Vec<Cell> {
    let text = |text: Option<String>| text.map_or(Cell::Null, Cell::Text);
    let time = |time: Option<Timestamp>| text(time.map(|time| time.to_string()));
    let by = |told: fn(&Change) -> Option<String>| text(setting.by.and_then(told));
    // A task that states nothing of the configuration is told without an attribute.
    let attribute = Some(setting.attribute).filter(|attribute| !attribute.is_empty());
    let listed_at = setting
        .listed
        .as_ref()
        .and(listed)
        .map(|listed| listed.seen);
    let note = Some(setting.notes.join("; ")).filter(|note| !note.is_empty());
    vec![
        Cell::Text(instance.key.project_id.clone()),
        Cell::Text(instance.key.instance_id.clone()),
        text(instance.name.clone()),
        text(attribute.map(str::to_owned)),
        text(setting.value.clone()),
        time(setting.since),
        by(|task| Some(task.task_id.clone())),
        by(|task| task.name.clone()),
        by(|task| task.user_name.clone()),
        Cell::text(setting.certainty.as_str()),
        time(setting.as_of),
        text(setting.listed.clone()),
        time(listed_at),
        text(note),
    ]
}

/// The attribute; of a task that states none, the operation in plain words.
fn attribute(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Null, name] => match listing::operation(std::slice::from_ref(name), look) {
            Cell::Null => name.clone(),
            plain => plain,
        },
        [attribute, _] => attribute.clone(),
        _ => Cell::Null,
    }
}

/// The value; of a whitelist the groups with their addresses, if they can be read.
fn value(read: &[Cell], _: &Look) -> Cell {
    match read {
        [Cell::Text(value), Cell::Text(attribute)] if attribute == "whitelist" => {
            Cell::Text(groups(value).unwrap_or_else(|| value.clone()))
        }
        [value, ..] => value.clone(),
        [] => Cell::Null,
    }
}

/// Says the groups of a whitelist: `office: 198.51.100.0/24, 10.0.0.1; partner: 203.0.113.64/26`.
fn groups(whitelist: &str) -> Option<String> {
    let Json::Array(groups) = serde_json::from_str(whitelist).ok()? else {
        return None;
    };
    let group = |group: &Json| {
        let name = group.get("group_name")?.as_str()?;
        let addresses = group.get("ip_list")?.as_array()?.iter();
        let addresses: Vec<_> = addresses.map(Json::as_str).collect::<Option<_>>()?;
        Some(format!("{name}: {}", addresses.join(", ")))
    };
    let groups: Vec<_> = groups.iter().map(group).collect::<Option<_>>()?;
    Some(groups.join("; "))
}

/// How sure it is, in words.
fn certainty(read: &[Cell], _: &Look) -> Cell {
    match read.first() {
        Some(Cell::Text(certainty)) => Cell::Text(certainty.replace('_', " ")),
        _ => Cell::Null,
    }
}

/// What else there is to know, and up to when it holds.
fn note(read: &[Cell], look: &Look) -> Cell {
    match read {
        [note, Cell::Null] => note.clone(),
        [note, as_of] => {
            let as_of = listing::minute(std::slice::from_ref(as_of), look);
            let as_of = format!("as of {}", as_of.to_text());
            Cell::Text(match note {
                Cell::Text(note) => format!("{as_of}; {note}"),
                _ => as_of,
            })
        }
        _ => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whitelist_is_said_group_by_group_or_as_it_stands() {
        let cases = [
            (
                r#"[{"group_name":"office","ip_list":["198.51.100.0/24","10.0.0.1"]},{"group_name":"b","ip_list":[]}]"#,
                Some("office: 198.51.100.0/24, 10.0.0.1; b: "),
            ),
            ("[]", Some("")),
            (r#"[{"group_name":"office"}]"#, None),
            (r#"[{"group_name":"office","ip_list":[1]}]"#, None),
            ("{}", None),
            ("198.51.100.0/24", None),
        ];
        for (whitelist, expected) in cases {
            assert_eq!(groups(whitelist).as_deref(), expected, "{whitelist}");
        }
    }
}
