//! `list --as-of` and `--observed-at`: the same rows, as they were at a moment in the past.
//!
//! Which revision of a task counts is decided in `report::history`; here its record is read again and put into the row. What
//! the row's filters ask of a state is asked of that state, and not of today's.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::ListArgs;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::listing::{self, Each, Field, Look, Made, ON_A_TERMINAL};
use crate::cli::messages::remark;
use crate::cli::output_args::cells;
use crate::model::coverage::Window;
use crate::model::fact::Revision;
use crate::model::rows::TaskRow;
use crate::model::status;
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::report::history::{self, Moment, Then};
use crate::store::filter::{Condition, Created, TaskFilter};
use crate::store::history as revisions;
use crate::store::read::{self, Order, Select, View};
use crate::sync::READING;

/// Columns that are the same at any time, so that rows come out of the archive in their order.
const LASTING: [&str; 9] = [
    "task_key",
    "project_id",
    "instance_id",
    "task_id",
    "instance_name",
    "name",
    "user_id",
    "user_name",
    "created_at",
];

/// Prints the tasks of a moment.
pub(super) fn print(
    args: &ListArgs,
    moment: Moment,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let filter = args.filter.filter(archive, context)?;
    let known = View::Tasks.columns();
    let typed = args.output.order(known)?;
    let is_lasting = typed.is_none_or(|order| LASTING.contains(&order.column.as_str()));
    let order = typed.filter(|_| is_lasting);
    let selects = selects(
        &filter,
        moment,
        order.unwrap_or(Order::descending("created_at")),
    );
    let mut past = Past {
        archive,
        moment,
        filter: &filter,
        unknown: 0,
    };
    let fields = fields();
    let made = Made {
        known,
        hidden: &[],
        fields: &fields,
        nothing: &args
            .filter
            .nothing(archive, "no task matches at that time")?,
    };
    let mut feed = |each: &mut Each<'_>| {
        let mut flow = ControlFlow::Continue(());
        for select in &selects {
            if flow.is_break() {
                break;
            }
            read::stream_while(archive, select, |row| {
                if let Some(row) = past.row(cells(row))? {
                    flow = each(row)?;
                }
                Ok::<_, CliError>(flow)
            })?;
        }
        Ok(())
    };
    if is_lasting {
        let on_a_terminal = Some(ON_A_TERMINAL);
        listing::print_made(&made, on_a_terminal, &args.output, archive, context, feed)?;
    } else {
        let mut rows = Vec::new();
        feed(&mut |row| {
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        })?;
        listing::print_rows(&made, rows, &args.output, archive, context)?;
    }
    if past.unknown > 0 && args.output.format.output.is_for_people() {
        let tasks = match past.unknown {
            1 => "of 1 task the state".to_owned(),
            many => format!("of {many} tasks the state"),
        };
        let shown = if filter.statuses.is_empty() {
            "it is shown as (unknown)"
        } else {
            "they may be what was asked for"
        };
        remark(
            context,
            &format!("{tasks} at that time is not known, only later ones were seen; {shown}"),
        );
    }
    Ok(())
}

/// Which rows of today may have a past that is wanted. In the usual order those with a time of creation come before those
/// without one; read apart, the first are found by their index and not among all that began later.
fn selects(filter: &TaskFilter, moment: Moment, order: Order) -> Vec<Select> {
    // What a status is asked of is the state then.
    let whatever_status = |created: Created| TaskFilter {
        statuses: Vec::new(),
        created,
        ..filter.clone()
    };
    let select = |condition: Condition| Select {
        view: View::Tasks,
        columns: View::Tasks.all(),
        condition,
        order: Some(order),
        limit: None,
    };
    let all = whatever_status(filter.created).condition();
    match moment {
        Moment::AsOf(time) if order.column.as_str() == "created_at" => {
            let begun = Window {
                since: None,
                until: Some(time.plus(1)),
            };
            let mut selects = vec![select(all.and_period("created_at", begun))];
            // One without a time lies in no period.
            if filter.created == Created::default() {
                let undated = Created::Unreadable {
                    period_begins: None,
                };
                selects.push(select(whatever_status(undated).condition()));
            }
            selects
        }
        _ => vec![select(all)],
    }
}

/// The fields of a list, with a word for a state that is not known.
fn fields() -> Vec<Field> {
    let fields = super::FIELDS.iter().map(|field| {
        if field.is_titled("status") {
            Field::new("status", &["status", "missing_since", "is_final"], state)
        } else {
            *field
        }
    });
    fields.collect()
}

fn state(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Null, _, Cell::Null] => Cell::text("(unknown)"),
        [status, missing, _] => super::status(&[status.clone(), missing.clone()], look),
        _ => Cell::Null,
    }
}

/// Turns rows of today into rows of a moment.
struct Past<'a> {
    archive: &'a Connection,
    moment: Moment,
    filter: &'a TaskFilter,
    /// Tasks whose state was not known, so far.
    unknown: u64,
}

impl Past<'_> {
    /// Returns the row as it was then, if the task was there and is wanted.
    fn row(&mut self, row: Vec<Cell>) -> Result<Option<Vec<Cell>>, CliError> {
        let mut row = TaskCells(row);
        let key = match row.get("task_key") {
            Cell::Integer(key) => *key,
            _ => return Ok(None),
        };
        let seen = revisions::revisions(self.archive, key)?;
        match history::then(self.moment, row.time("created_at"), &seen) {
            Then::Absent => return Ok(None),
            Then::Unknown => row.forget(),
            Then::Was(number) => {
                let is_current = |number: i64| {
                    seen.iter()
                        .any(|one| one.number == number && one.is_current)
                };
                if !is_current(number) {
                    let (raw, adopted) = revisions::record(self.archive, key, number)?;
                    row.put((READING.normalize)(&raw, adopted.as_deref()).row);
                }
            }
        }
        let time = self.moment.time();
        if matches!(self.moment, Moment::ObservedAt(_)) {
            row.know_only_by(time, history::known_by(time, &seen), &seen);
        }
        row.was_missing_by(time);
        let is_unknown = *row.get("is_final") == Cell::Null;
        let has_status = self.filter.statuses.is_empty() || {
            let status = row.get("status").to_text();
            let mut wanted = self.filter.statuses.iter();
            wanted.any(|wanted| !is_unknown && wanted.eq_ignore_ascii_case(&status))
        };
        let is_missing = !self.filter.missing || *row.get("missing_since") != Cell::Null;
        if is_unknown && is_missing {
            self.unknown += 1;
        }
        Ok((has_status && is_missing).then_some(row.0))
    }
}

/// A row of the view `tasks`.
struct TaskCells(Vec<Cell>);

impl TaskCells {
    fn place(name: &str) -> Option<usize> {
        View::Tasks
            .columns()
            .iter()
            .position(|known| *known == name)
    }

    fn get(&self, name: &str) -> &Cell {
        let place = Self::place(name);
        place
            .and_then(|place| self.0.get(place))
            .unwrap_or(&Cell::Null)
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        match self.get(name) {
            Cell::Text(time) => Timestamp::parse_upstream(time),
            _ => None,
        }
    }

    fn set(&mut self, name: &str, cell: Cell) {
        if let Some(cell_there) = Self::place(name).and_then(|place| self.0.get_mut(place)) {
            *cell_there = cell;
        }
    }

    /// Forgets what only a state tells.
    fn forget(&mut self) {
        for name in [
            "status",
            "is_final",
            "updated_at",
            "duration_ms",
            "error_code",
        ] {
            self.set(name, Cell::Null);
        }
    }

    /// Puts another state of the task into its row. What tells one task from another stays, also where that state left it
    /// out: when it began, what it is, and who asked for it.
    fn put(&mut self, task: TaskRow) {
        let text = |text: Option<String>| text.map_or(Cell::Null, Cell::Text);
        let is_final = task.status.as_deref().is_some_and(status::is_final);
        let both = self.time("created_at").zip(task.updated);
        let took = both.filter(|_| is_final);
        let took = took.map(|(created, updated)| updated.millis() - created.millis());
        for (name, told) in [
            ("name", task.name),
            ("user_id", task.user_id),
            ("user_name", task.user_name),
        ] {
            if told.is_some() {
                self.set(name, text(told));
            }
        }
        self.set("status", text(task.status));
        self.set("is_final", Cell::Integer(i64::from(is_final)));
        self.set(
            "updated_at",
            text(task.updated.map(|time| time.to_string())),
        );
        self.set("duration_ms", took.map_or(Cell::Null, Cell::Integer));
        self.set("params", text(task.params));
        self.set("error_code", text(task.error_code));
    }

    /// Forgets what had not been called missing by then.
    fn was_missing_by(&mut self, time: Timestamp) {
        if self.time("missing_since").is_some_and(|since| since > time) {
            self.set("missing_since", Cell::Null);
            self.set("missing_as", Cell::Null);
        }
        self.forget_later("missing_confirmed_at", time);
        self.forget_later("reappeared_at", time);
    }

    /// Forgets what the archive did not know by then.
    fn know_only_by(&mut self, time: Timestamp, known: usize, seen: &[Revision]) {
        self.set(
            "revisions",
            i64::try_from(known).map_or(Cell::Null, Cell::Integer),
        );
        if self.time("last_seen_at").is_some_and(|seen| seen > time) {
            // A later sighting may have hidden one that lies between the two.
            let last = seen
                .iter()
                .map(|one| one.observed)
                .filter(|seen| *seen <= time)
                .max();
            self.set(
                "last_seen_at",
                last.map_or(Cell::Null, |last| Cell::Text(last.to_string())),
            );
        }
        self.forget_later("vouched_at", time);
    }

    fn forget_later(&mut self, name: &str, time: Timestamp) {
        if self.time(name).is_some_and(|told| told > time) {
            self.set(name, Cell::Null);
        }
    }
}
