//! `show`: everything about one task.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;
use serde_json::Value as Json;

use super::error::{CliError, Exit};
use super::listing::is_time;
use super::output_args::{FormatArgs, cells, written};
use super::{Context, archive, instance_arg};
use crate::model::operation;
use crate::model::time::Timestamp;
use crate::output;
use crate::output::json::Framing;
use crate::output::phrase;
use crate::output::phrase::{Precision, attribute, duration};
use crate::output::pretty::pretty;
use crate::output::sheet::{Body, Section, Sheet};
use crate::output::zone::Zone;
use crate::output::{Cell, Column, Format, json, sheet};
use crate::store::filter::Condition;
use crate::store::read;
use crate::store::read::{Found, Select, View};

/// Candidates that an ambiguous id is answered with.
const NAMED: usize = 10;

/// Candidates that are compared to say how much of an id is enough; beyond, a beginning is too short to help with.
const COMPARED: usize = 1_000;

/// Members of a record that are named as different, at most.
const DIFFERENT: usize = 6;

/// Show one task: its revisions, what it changed, and the record as the cloud sent it.
///
/// The id may be cut short as long as it fits one task only. A revision is the task as one sync first saw it; the one that
/// counts is marked with `*`. What the cloud no longer lists, or lists again, is said under `upstream`. On a terminal each
/// time has its age beside it.
///
/// Formats: a table is a sheet for reading, and so is Markdown. JSON is an array with one object, JSON lines the object
/// alone: the columns of the view `tasks`, with `details` (the documented fields that are set), `changes` (the rows of
/// `task_changes`) and `revisions` (those of `task_revisions`, with the raw record). CSV is the revisions.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history show 8abf6e1e72c12e7c0172c15b508500aa
  dcs-history show 8abf6e1e72c12e7c0172c15b508500aa -o json | jq '.[0].changes'
  dcs-history show 8abf6e1e72c1 --instance 1f4c -o csv  # the beginnings of ids")]
pub(crate) struct ShowArgs {
    /// The task's id, or an unambiguous beginning of it.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
    /// Only look among the tasks of this instance: its id, its name, or an unambiguous beginning of the id.
    #[arg(long, value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    instance: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn run(args: &ShowArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &ShowArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let named = args.instance.as_slice();
    let instances = instance_arg::resolve(&archive, named)?;
    let found = read::find(&archive, &args.id, &instances, COMPARED as u64 + 1)?;
    let task = Task::read(&archive, one(&found, &args.id)?.key)?;
    let settings = args.format.settings(context);
    // What is kept in a file must not change with the day.
    let now = settings.width.map(|_| (context.now)());
    let out = &mut *context.out;
    written(match settings.format {
        Format::Table | Format::Markdown => {
            sheet::write(settings, out, &task.sheet(now, &args.format.tz))
        }
        Format::Json => json::write(out, Framing::Array, &[task.object()]),
        Format::Jsonl => json::write(out, Framing::Lines, &[task.object()]),
        Format::Csv => {
            let mut records = output::records(settings, out);
            let columns: Vec<_> = View::Revisions
                .columns()
                .iter()
                .map(|name| Column::new(*name))
                .collect();
            records
                .header(&columns)
                .and_then(|()| task.revisions.iter().try_for_each(|row| records.row(row)))
                .and_then(|()| records.end())
        }
    })?;
    Ok(Exit::Done)
}

/// Returns the task that was meant.
fn one<'a>(found: &'a [Found], typed: &str) -> Result<&'a Found, CliError> {
    match found {
        [] => Err(CliError::usage(format!("no task {typed:?} in the archive"))
            .hint("`dcs-history list --columns task_id,instance_id,created_at,name` shows the ids; they are compared letter by letter")),
        [one] => Ok(one),
        several => Err(ambiguous(several, typed)),
    }
}

/// Says what to type of an id that fits several tasks.
fn ambiguous(several: &[Found], typed: &str) -> CliError {
    let error = CliError::usage(format!("{typed:?} may mean several tasks"));
    let mut ids: Vec<_> = several.iter().map(|task| task.task_id.as_str()).collect();
    ids.dedup();
    let error = match instance_arg::telling(&ids) {
        _ if several.len() > COMPARED => error.hint(format!(
            "more than {COMPARED} ids begin so; type more of the id"
        )),
        Some(length) => {
            let count = ids.len();
            error.hint(format!("{length} characters tell these {count} ids apart"))
        }
        None => error,
    };
    // An id alone does where it is one task's.
    let error = several.iter().take(NAMED).fold(error, |error, task| {
        let same = several.iter().filter(|other| other.task_id == task.task_id);
        error.hint(if same.count() == 1 {
            task.task_id.clone()
        } else {
            format!("{} --instance {}", task.task_id, task.instance_id)
        })
    });
    match several.len() {
        ..=NAMED => error,
        _ => error.hint("and more"),
    }
}

/// One task with all that belongs to it; each row as its view has it.
struct Task {
    row: Vec<Cell>,
    details: Vec<Cell>,
    changes: Vec<Vec<Cell>>,
    revisions: Vec<Vec<Cell>>,
}

impl Task {
    fn read(archive: &Connection, key: i64) -> Result<Self, CliError> {
        let rows = |view: View| -> Result<Vec<Vec<Cell>>, CliError> {
            let select = Select {
                view,
                columns: view.all(),
                condition: Condition::of_task(key),
                order: None,
                limit: None,
            };
            let rows = read::rows(archive, &select)?;
            Ok(rows.into_iter().map(cells).collect())
        };
        Ok(Self {
            row: rows(View::Tasks)?.into_iter().next().unwrap_or_default(),
            details: rows(View::Details)?.into_iter().next().unwrap_or_default(),
            changes: rows(View::TaskChanges)?,
            revisions: rows(View::Revisions)?,
        })
    }

    /// Returns everything as one object.
    fn object(&self) -> json::Value {
        let rows = |view: View, rows: &[Vec<Cell>]| {
            let objects = rows
                .iter()
                .map(|row| json::Value::row(view.columns(), row.clone()));
            json::Value::Array(objects.collect())
        };
        // The keys stand in the task itself.
        let details = View::Details.columns().iter().zip(&self.details).skip(4);
        let details = details
            .filter(|(_, value)| **value != Cell::Null)
            .map(|(name, value)| ((*name).to_owned(), json::Value::Cell(value.clone())));
        let mut members: Vec<_> = View::Tasks
            .columns()
            .iter()
            .zip(&self.row)
            .map(|(name, value)| ((*name).to_owned(), json::Value::Cell(value.clone())))
            .collect();
        members.push(("details".to_owned(), json::Value::Object(details.collect())));
        members.push(("changes".to_owned(), rows(View::TaskChanges, &self.changes)));
        members.push((
            "revisions".to_owned(),
            rows(View::Revisions, &self.revisions),
        ));
        json::Value::Object(members)
    }

    /// Returns everything as people read it. On a terminal, where `now` is given, times are shortened and have their ages.
    fn sheet(&self, now: Option<Timestamp>, zone: &Zone) -> Sheet {
        let id = text(value(View::Tasks, &self.row, "task_id"));
        let changes = if self.changes.is_empty() {
            Body::Remark("  Nothing is stated.")
        } else {
            Body::Fields(self.changes.iter().map(|row| change(row)).collect())
        };
        let current = self
            .revisions
            .iter()
            .find(|row| *value(View::Revisions, row, "is_current") == Cell::Integer(1));
        let section = |title: &str, body: Body| Section {
            title: title.to_owned(),
            body,
        };
        let mut sections = vec![
            section("", Body::Fields(self.fields(now, zone))),
            section("What it changed", changes),
            section(
                "Revisions (* is the current one)",
                self.history(now.is_some(), zone),
            ),
        ];
        if let Some(row) = current {
            let number = text(value(View::Revisions, row, "revision"));
            let raw = text(value(View::Revisions, row, "raw"));
            sections.push(section(
                &format!("Raw record (revision {number})"),
                Body::Text(pretty(&raw)),
            ));
        }
        Sheet {
            title: format!("Task {id}"),
            sections,
        }
    }

    fn fields(&self, now: Option<Timestamp>, zone: &Zone) -> Vec<(String, Cell)> {
        let named = View::Tasks.columns().iter().zip(&self.row);
        let present = named.filter(|(name, value)| **value != Cell::Null && **name != "task_key");
        let mut fields: Vec<_> = present
            .map(|(name, value)| match (*name, value) {
                ("duration_ms", Cell::Integer(millis)) => {
                    ("duration".to_owned(), Cell::Text(duration(*millis)))
                }
                ("is_final", Cell::Integer(is_final)) => (
                    (*name).to_owned(),
                    Cell::text(if *is_final == 0 { "no" } else { "yes" }),
                ),
                (name, Cell::Text(time)) if is_time(name) => {
                    (name.to_owned(), Cell::Text(aged(time, now, zone)))
                }
                _ => ((*name).to_owned(), value.clone()),
            })
            .collect();
        let name = text(value(View::Tasks, &self.row, "name"));
        let place = fields.iter().position(|(title, _)| title == "name");
        if let (Some(place), Some(plain)) = (place, operation::plain(&name)) {
            fields.insert(place + 1, ("operation".to_owned(), Cell::text(plain)));
        }
        let column = |name| *value(View::Tasks, &self.row, name) != Cell::Null;
        let looks = text(value(View::Tasks, &self.row, "missing_as"));
        let told = standing(
            column("missing_since"),
            column("missing_confirmed_at"),
            &looks,
            column("reappeared_at"),
        );
        fields.extend(told.map(|told| ("upstream".to_owned(), Cell::Text(told))));
        fields
    }

    fn history(&self, is_drawn: bool, zone: &Zone) -> Body {
        let precision = if is_drawn {
            Precision::Second
        } else {
            Precision::Whole
        };
        let time = |row: &[Cell], name| match value(View::Revisions, row, name) {
            Cell::Text(time) => Cell::Text(zone.moment(time, precision)),
            other => other.clone(),
        };
        let raw = |row: &[Cell]| text(value(View::Revisions, row, "raw"));
        let mut previous: Option<&Vec<Cell>> = None;
        let mut rows = Vec::new();
        for row in &self.revisions {
            let is_current = *value(View::Revisions, row, "is_current") == Cell::Integer(1);
            let number = text(value(View::Revisions, row, "revision"));
            rows.push(vec![
                Cell::Text(format!("{number}{}", if is_current { "*" } else { "" })),
                time(row, "observed_at"),
                value(View::Revisions, row, "status").clone(),
                time(row, "updated_at"),
                previous.map_or(Cell::Null, |previous| {
                    Cell::Text(differing(&raw(previous), &raw(row)))
                }),
            ]);
            previous = Some(row);
        }
        let columns = vec![
            Column::rigid("rev"),
            Column::rigid("observed_at"),
            Column::new("status"),
            Column::rigid("updated_at"),
            Column::new("differs in"),
        ];
        Body::Table(columns, rows)
    }
}

/// Returns a time in the zone, for a terminal shortened and with its age.
fn aged(time: &str, now: Option<Timestamp>, zone: &Zone) -> String {
    match (now, Timestamp::parse_upstream(time)) {
        (Some(now), Some(then)) => {
            let age = phrase::age(then.millis(), now.millis());
            format!("{}  ({age})", zone.moment(time, Precision::Second))
        }
        _ => zone.moment(time, Precision::Whole),
    }
}

/// Says in words what has become of a task in the cloud's list; nothing if it is there as ever.
fn standing(missing: bool, confirmed: bool, looks: &str, reappeared: bool) -> Option<String> {
    let looks = match looks {
        "aged_out" => "it looks aged out: it went with the oldest of the list",
        _ => "it looks deleted: older ones are still there",
    };
    match (missing, confirmed, reappeared) {
        (true, true, _) => Some(format!("no longer lists it; {looks}")),
        (true, false, _) => Some(format!(
            "no longer lists it, which a second walk has to confirm; {looks}"
        )),
        (false, _, true) => Some("lists it again, after it was missing".to_owned()),
        (false, _, false) => None,
    }
}

/// Says in words what a change is.
fn change(row: &[Cell]) -> (String, Cell) {
    let shown = |name| value(View::TaskChanges, row, name);
    let name = attribute(&text(shown("source")), &text(shown("attribute")));
    let stated = |cell: &Cell| (*cell != Cell::Null).then(|| text(cell));
    let (old, new) = (stated(shown("old_value")), stated(shown("new_value")));
    let phrase = phrase::change(old.as_deref(), new.as_deref());
    (name, Cell::Text(phrase))
}

/// Names the members in which two raw records differ, those of `details` among them.
fn differing(before: &str, after: &str) -> String {
    let (Ok(Json::Object(before)), Ok(Json::Object(after))) =
        (serde_json::from_str(before), serde_json::from_str(after))
    else {
        return "text".to_owned();
    };
    let mut names = Vec::new();
    for (prefix, before, after) in [
        ("", Some(&before), Some(&after)),
        (
            "details.",
            before.get("details").and_then(Json::as_object),
            after.get("details").and_then(Json::as_object),
        ),
    ] {
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        let added = after.keys().filter(|name| !before.contains_key(*name));
        for name in before.keys().chain(added) {
            let (one, other) = (before.get(name), after.get(name));
            let is_told_by_parts = prefix.is_empty()
                && name == "details"
                && one.is_some_and(Json::is_object)
                && other.is_some_and(Json::is_object);
            if one != other && !is_told_by_parts {
                names.push(format!("{prefix}{name}"));
            }
        }
    }
    if names.is_empty() {
        return "spelling".to_owned();
    }
    let more = names.len().saturating_sub(DIFFERENT);
    names.truncate(DIFFERENT);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// Returns the value of a column in a row of all columns.
fn value<'a>(view: View, row: &'a [Cell], name: &str) -> &'a Cell {
    let index = view.columns().iter().position(|column| *column == name);
    index
        .and_then(|index| row.get(index))
        .unwrap_or(&Cell::Null)
}

fn text(cell: &Cell) -> String {
    cell.to_text().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_task_is_said_in_words() {
        let cases = [
            ((false, false, "", false), None),
            ((false, false, "", true), Some("lists it again")),
            (
                (true, false, "removed", false),
                Some("second walk has to confirm"),
            ),
            ((true, false, "removed", false), Some("it looks deleted")),
            (
                (true, true, "aged_out", true),
                Some("no longer lists it; it looks aged out"),
            ),
            (
                (true, true, "aged_out", true),
                Some("the oldest of the list"),
            ),
        ];
        for ((missing, confirmed, looks, reappeared), expected) in cases {
            let said = standing(missing, confirmed, looks, reappeared);
            assert_eq!(said.is_some(), expected.is_some());
            assert!(
                said.unwrap_or_default()
                    .contains(expected.unwrap_or_default())
            );
        }
    }

    #[test]
    fn so_many_characters_tell_ids_apart() {
        let cases: [(&[&str], Option<usize>); 5] = [
            (&["ab", "ac"], Some(2)),
            (&["a", "ab", "b"], Some(2)),
            (&["abcd", "abce", "b"], Some(4)),
            (&["a"], None),
            (&[], None),
        ];
        for (ids, expected) in cases {
            assert_eq!(instance_arg::telling(ids), expected, "{ids:?}");
        }
    }

    #[test]
    fn a_time_has_its_age_on_a_terminal_only() {
        let time = "2026-10-01T00:01:38.151Z";
        let now = Timestamp::parse_upstream("2026-11-23T12:00:00Z");
        assert_eq!(
            aged(time, now, &Zone::UTC),
            "2026-10-01 00:01:38  (53 days ago)"
        );
        assert_eq!(aged(time, None, &Zone::UTC), time);
        assert_eq!(aged("no time", now, &Zone::UTC), "no time");
    }

    #[test]
    fn what_differs_between_two_records_is_named() {
        let cases = [
            (r#"{"a":1}"#, r#"{"a":1}"#, "spelling"),
            (r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#, "spelling"),
            (
                r#"{"status":"A","u":1}"#,
                r#"{"status":"B","n":1}"#,
                "status, u, n",
            ),
            (
                r#"{"details":{"x":1,"y":2}}"#,
                r#"{"details":{"x":2,"y":2}}"#,
                "details.x",
            ),
            (r#"{"details":{"x":1}}"#, r#"{"details":null}"#, "details"),
            (r"[1]", r"{}", "text"),
            (r"nonsense", r"{}", "text"),
            (
                "{}",
                r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}"#,
                "a, b, c, d, e, f, 2 more",
            ),
        ];
        for (before, after, expected) in cases {
            assert_eq!(differing(before, after), expected);
        }
    }
}
