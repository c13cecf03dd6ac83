//! Conditions on rows: what was asked becomes `WHERE` and bound parameters, here and nowhere else.
//!
//! Nothing that was typed becomes SQL text: values are bound, and the texts are the ones below.

use rusqlite::types::Value;

use crate::model::coverage::Window;
use crate::model::operation;
use crate::model::time::Timestamp;

/// One instance, told from every other one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceKey {
    pub(crate) project_id: String,
    pub(crate) instance_id: String,
}

/// Which tasks are wanted. What is empty or absent excludes nothing; several values of one kind mean any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskFilter {
    pub(crate) instances: Vec<InstanceKey>,
    /// Names in any case; every synonym counts.
    pub(crate) operations: Vec<String>,
    /// Names in any case.
    pub(crate) statuses: Vec<String>,
    /// Parts of names, or whole ids, in any case.
    pub(crate) users: Vec<String>,
    /// Part of any text of the task, its changes and its raw records, in any case.
    pub(crate) text: Option<String>,
    pub(crate) created: Created,
    pub(crate) missing: bool,
    /// First seen by the last sync that has finished.
    pub(crate) new: bool,
    /// Not final: status and contents may still change.
    pub(crate) open: bool,
}

/// When a task was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// A task without a readable time lies in no period.
    In(Window),
    /// The time cannot be read. Such a task may lie in any period that begins before it was first seen.
    Unreadable { period_begins: Option<Timestamp> },
}

impl Default for Created {
    fn default() -> Self {
        Self::In(Window::default())
    }
}

impl TaskFilter {
    /// Returns the condition on the view `tasks`.
    pub(crate) fn condition(&self) -> Condition {
        self.condition_with(TEXT)
    }

    /// Returns the condition on any view that has a task's columns; the view's own text search is given.
    fn condition_with(&self, search: &str) -> Condition {
        let mut all = Condition::of_instances(&self.instances);
        let operations: Vec<_> = self
            .operations
            .iter()
            .flat_map(|name| operation::synonyms(name))
            .collect();
        if !operations.is_empty() {
            let marks = marks(operations.len());
            all.and(
                &format!("name COLLATE NOCASE IN ({marks})"),
                texts(&operations),
            );
        }
        if !self.statuses.is_empty() {
            let marks = marks(self.statuses.len());
            all.and(
                &format!("status COLLATE NOCASE IN ({marks})"),
                texts(&self.statuses),
            );
        }
        if !self.users.is_empty() {
            let one = r"user_name LIKE ? ESCAPE '\' OR user_id = ? COLLATE NOCASE";
            let any = vec![one; self.users.len()].join(" OR ");
            let params = self
                .users
                .iter()
                .flat_map(|user| [like(user), user.clone()]);
            all.and(&format!("({any})"), params.map(Value::Text));
        }
        if let Some(text) = &self.text {
            let params = std::iter::repeat_n(Value::Text(like(text)), search.matches('?').count());
            all.and(search, params);
        }
        match self.created {
            Created::In(period) => all = all.and_period("created_at", period),
            Created::Unreadable { period_begins } => {
                all.and("created_at IS NULL", []);
                if let Some(moment) = period_begins {
                    all.and("first_seen_at > ?", [Value::Text(moment.to_string())]);
                }
            }
        }
        if self.missing {
            all.and(MISSING, []);
        }
        if self.new {
            all.and(NEW, []);
        }
        if self.open {
            all.and("is_final = 0", []);
        }
        all
    }
}

/// Which changes are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangeFilter {
    /// Of which tasks.
    pub(crate) tasks: TaskFilter,
    /// Names in any case; `params.x` is an attribute of the parameters only.
    pub(crate) attributes: Vec<String>,
    /// Also attributes whose new value is the old one.
    pub(crate) unchanged: bool,
}

impl ChangeFilter {
    /// Returns the condition on the view `changes`.
    pub(crate) fn condition(&self) -> Condition {
        let search = format!(
            "EXISTS (SELECT 1 FROM tasks WHERE tasks.task_key = changes.task_key AND {TEXT})"
        );
        let mut all = self.tasks.condition_with(&search);
        if !self.attributes.is_empty() {
            let marks = marks(self.attributes.len());
            all.and(
                &format!("(attribute COLLATE NOCASE IN ({marks}) OR (source || '.' || attribute) COLLATE NOCASE IN ({marks}))"),
                texts(&self.attributes).chain(texts(&self.attributes)),
            );
        }
        if !self.unchanged {
            // Without an attribute both are null, and the row says that the task happened.
            all.and("(old_value IS NOT new_value OR attribute IS NULL)", []);
        }
        all
    }
}

/// Every text of a task, cheapest first.
const TEXT: &str = r"(name LIKE ? ESCAPE '\' OR status LIKE ? ESCAPE '\' OR user_name LIKE ? ESCAPE '\'
  OR error_code LIKE ? ESCAPE '\' OR params LIKE ? ESCAPE '\'
  OR EXISTS (SELECT 1 FROM task_changes c WHERE c.task_key = tasks.task_key
    AND (c.old_value LIKE ? ESCAPE '\' OR c.new_value LIKE ? ESCAPE '\'))
  OR EXISTS (SELECT 1 FROM task_revisions r WHERE r.task_key = tasks.task_key AND r.raw LIKE ? ESCAPE '\'))";

/// By key, so that the few that are missing are found by their index and not among all others.
const MISSING: &str =
    "task_key IN (SELECT t.task_key FROM task t WHERE t.missing_walk IS NOT NULL)";

const NEW: &str =
    "task_key IN (SELECT t.task_key FROM task t JOIN walk w ON w.walk_key = t.first_walk
  WHERE w.sync_key = (SELECT max(sync_key) FROM sync WHERE finished IS NOT NULL))";

/// A condition on one view, with its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Condition {
    clauses: Vec<String>,
    params: Vec<Value>,
}

impl Condition {
    /// The rows of one task.
    pub(crate) fn of_task(task_key: i64) -> Self {
        let mut condition = Self::default();
        condition.and("task_key = ?", [Value::Integer(task_key)]);
        condition
    }

    /// The rows of these instances; of all, if none is named.
    ///
    /// The projects are named as well: only then does the planner see that it can begin with the instances, whose tasks an
    /// index holds in the order of time; without them it reads all tasks of all instances. Ids are unique beyond
    /// projects, so the two lists never meet in a pair that was not meant.
    pub(crate) fn of_instances(instances: &[InstanceKey]) -> Self {
        let mut condition = Self::default();
        condition.and_instances("", instances);
        condition
    }

    /// Keeps the rows of these instances; all, if none is named. What the condition says already shall choose the
    /// index, which the plus sign tells the planner.
    #[must_use]
    pub(crate) fn and_among(mut self, instances: &[InstanceKey]) -> Self {
        self.and_instances("+", instances);
        self
    }

    fn and_instances(&mut self, sign: &str, instances: &[InstanceKey]) {
        if instances.is_empty() {
            return;
        }
        let mut projects: Vec<_> = instances.iter().map(|key| &key.project_id).collect();
        let mut ids: Vec<_> = instances.iter().map(|key| &key.instance_id).collect();
        for (column, values) in [("project_id", &mut projects), ("instance_id", &mut ids)] {
            values.sort_unstable();
            values.dedup();
            let marks = marks(values.len());
            self.and(&format!("{sign}{column} IN ({marks})"), texts(values));
        }
    }

    /// Keeps the rows whose time in this column lies in the period; a row without one lies in none.
    #[must_use]
    pub(crate) fn and_period(mut self, column: &'static str, period: Window) -> Self {
        if let Some(since) = period.since {
            self.and(&format!("{column} >= ?"), [Value::Text(since.to_string())]);
        }
        if let Some(until) = period.until {
            self.and(&format!("{column} < ?"), [Value::Text(until.to_string())]);
        }
        self
    }

    /// Keeps every row, and tells the planner to begin with the tasks, in their order. Left alone it would begin with their
    /// changes, which lie in the same order, and yet sort millions of them. Every task has an id.
    #[must_use]
    pub(crate) fn and_task_by_task(mut self) -> Self {
        self.and("unlikely(task_id IS NOT NULL)", []);
        self
    }

    /// Keeps what belongs to a task that was created in the period, in a view that does not say when it was.
    #[must_use]
    pub(crate) fn and_created(mut self, period: Window) -> Self {
        let tasks = Self::default().and_period("t.created_at", period);
        if !tasks.clauses.is_empty() {
            let those = tasks.sql();
            self.and(
                &format!("task_key IN (SELECT t.task_key FROM task t{those})"),
                tasks.params,
            );
        }
        self
    }

    /// The tasks with exactly this id, compared byte by byte.
    #[must_use]
    pub(crate) fn and_id(mut self, id: &str) -> Self {
        self.and("task_id = ?", [Value::Text(id.to_owned())]);
        self
    }

    /// The tasks whose id begins like this.
    #[must_use]
    pub(crate) fn and_id_begins(mut self, prefix: &str) -> Self {
        // A range, because that is what an index can answer; LIKE would not compare byte by byte.
        self.and("task_id >= ?", [Value::Text(prefix.to_owned())]);
        if let Some(end) = after(prefix) {
            self.and("task_id < ?", [Value::Text(end)]);
        }
        self
    }

    /// Returns ` WHERE …`, or nothing if there is no condition.
    pub(super) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.clauses.join(" AND "))
        }
    }

    pub(super) fn params(&self) -> &[Value] {
        &self.params
    }

    pub(super) fn and(&mut self, clause: &str, params: impl IntoIterator<Item = Value>) {
        self.clauses.push(clause.to_owned());
        self.params.extend(params);
    }
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn texts(values: &[impl AsRef<str>]) -> impl Iterator<Item = Value> {
    values
        .iter()
        .map(|value| Value::Text(value.as_ref().to_owned()))
}

/// Returns the pattern for "contains this", in which the text's own wildcards are plain characters.
fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Returns the first text that is greater than every text with this beginning, in byte order.
fn after(prefix: &str) -> Option<String> {
    let mut kept: Vec<char> = prefix.chars().collect();
    while let Some(last) = kept.pop() {
        // Between the last character before the surrogates and the first behind them there is none.
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            kept.push(next);
            return Some(kept.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_that_were_typed_are_plain_characters() {
        assert_eq!(like(r"100%_a\b"), r"%100\%\_a\\b%");
    }

    #[test]
    fn a_prefix_ends_before_the_first_text_that_is_greater() {
        let cases = [
            ("a", Some("b")),
            ("a9", Some("a:")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ];
        for (prefix, expected) in cases {
            assert_eq!(after(prefix).as_deref(), expected, "{prefix:?}");
        }
    }

    #[test]
    fn nothing_typed_becomes_part_of_the_sql() {
        let typed = "' OR 1=1 --";
        let filter = TaskFilter {
            instances: vec![InstanceKey {
                project_id: typed.to_owned(),
                instance_id: typed.to_owned(),
            }],
            operations: vec![typed.to_owned()],
            statuses: vec![typed.to_owned()],
            users: vec![typed.to_owned()],
            text: Some(typed.to_owned()),
            created: Created::In(Window {
                since: Some(Timestamp::EPOCH),
                until: Some(Timestamp::EPOCH),
            }),
            missing: true,
            new: true,
            open: true,
        };
        let condition = filter.condition();
        let (sql, params) = (condition.sql(), condition.params());
        assert!(!sql.contains("1=1"), "{sql}");
        assert_eq!(sql.matches('?').count(), params.len());
    }
}
