//! Where a task's rows are not what its raw text says.

use super::{Current, Task, TaskColumns};
use crate::model::rows::Normalized;
use crate::model::status;
use crate::model::time::Timestamp;
use crate::store::revisions::{stored_changes, stored_params};

/// One attribute: source, name, folded (1 or 0), old and new value.
pub(super) type Change = (String, String, i64, Option<String>, Option<String>);

/// One cell that is not what the raw text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Difference {
    pub(in crate::store) table: &'static str,
    /// The column, or of a change the attribute.
    pub(in crate::store) name: String,
    /// Of a revision, its number.
    pub(in crate::store) revision: Option<i64>,
    pub(in crate::store) stored: Option<String>,
    pub(in crate::store) said: Option<String>,
}

impl Task {
    /// Returns every cell that is not what the raw text says.
    pub(in crate::store) fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        if let Some(current) = &self.current {
            let said = TaskColumns::said(&current.raw, &current.normalized);
            self.row.compare(&said, &mut found);
            let is_open = i64::from(!self.is_final(said.status.as_deref()));
            if is_open != self.is_open {
                let word = |is_open: i64| Some(is_open.to_string());
                found.push(Difference {
                    table: "task",
                    name: "is_open".to_owned(),
                    revision: None,
                    stored: word(self.is_open),
                    said: word(is_open),
                });
            }
            self.compare_changes(current, &mut found);
        }
        for revision in &self.observed {
            let (status, updated) = &revision.said;
            let mut differ = |name: &str, stored: Option<String>, said: Option<String>| {
                if stored != said {
                    found.push(Difference {
                        table: "revision",
                        name: name.to_owned(),
                        revision: Some(revision.number),
                        stored,
                        said,
                    });
                }
            };
            differ("status", revision.status.clone(), status.clone());
            differ("updated", moment(revision.updated), moment(*updated));
        }
        found
    }

    /// A status is final by what this program knows of it, or by what the archive remembers.
    fn is_final(&self, status: Option<&str>) -> bool {
        status.is_some_and(|status| {
            let is_remembered = self.status_is_final && self.row.status.as_deref() == Some(status);
            status::is_final(status) || is_remembered
        })
    }

    /// Says whether the current revision's status is final.
    pub(in crate::store) fn said_final(&self) -> Option<bool> {
        let current = self.current.as_ref()?;
        Some(self.is_final(current.normalized.row.status.as_deref()))
    }

    fn compare_changes(&self, current: &Current, found: &mut Vec<Difference>) {
        let said = stored_changes(&current.raw, &current.normalized).map(|(change, new)| {
            (
                change.source.as_str().to_owned(),
                change.attribute.clone(),
                i64::from(change.folded),
                change.old_value.clone(),
                new.map(str::to_owned),
            )
        });
        let mut said: Vec<Change> = said.collect();
        let mut stored = self.changes.clone();
        said.sort();
        stored.sort();
        if said == stored {
            return;
        }
        let values = |change: &Change| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!("{} → {}", value(&change.3), value(&change.4))
        };
        let name = |change: &Change| format!("{}.{}", change.0, change.1);
        let is_same =
            |one: &Change, other: &Change| (&one.0, &one.1, one.2) == (&other.0, &other.1, other.2);
        for change in &stored {
            let meant = said.iter().find(|said| is_same(said, change));
            if meant != Some(change) {
                found.push(Difference {
                    table: "change",
                    name: name(change),
                    revision: None,
                    stored: Some(values(change)),
                    said: meant.map(values),
                });
            }
        }
        for change in said {
            if !stored.iter().any(|stored| is_same(stored, &change)) {
                found.push(Difference {
                    table: "change",
                    name: name(&change),
                    revision: None,
                    stored: None,
                    said: Some(values(&change)),
                });
            }
        }
    }
}

impl TaskColumns {
    fn said(raw: &str, normalized: &Normalized) -> Self {
        let row = &normalized.row;
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            status: row.status.clone(),
            user_id: row.user_id.clone(),
            user_name: row.user_name.clone(),
            created: row.created.map(Timestamp::millis),
            updated: row.updated.map(Timestamp::millis),
            params: stored_params(raw, row).map(str::to_owned),
            error_code: row.error_code.clone(),
        }
    }

    fn compare(&self, said: &Self, found: &mut Vec<Difference>) {
        if self == said {
            return;
        }
        let texts = |row: &Self| {
            [
                ("id", row.id.clone()),
                ("name", row.name.clone()),
                ("status", row.status.clone()),
                ("user_id", row.user_id.clone()),
                ("user_name", row.user_name.clone()),
                ("created", moment(row.created)),
                ("updated", moment(row.updated)),
                ("params", row.params.clone()),
                ("error_code", row.error_code.clone()),
            ]
        };
        for ((name, stored), (_, said)) in texts(self).into_iter().zip(texts(said)) {
            if stored != said {
                found.push(Difference {
                    table: "task",
                    name: name.to_owned(),
                    revision: None,
                    stored,
                    said,
                });
            }
        }
    }
}

/// A time as people read it; one that is none stays a number.
fn moment(millis: Option<i64>) -> Option<String> {
    millis.map(|millis| {
        Timestamp::from_millis(millis).map_or_else(|| millis.to_string(), |time| time.to_string())
    })
}
