//! From an opened task to the rows that the archive keeps beside the raw text.
//!
//! The function is pure and total: the same record gives the same rows for ever, and none makes it fail. So rows can be
//! made again from the raw text whenever the rules here change. Values are text exactly as sent; what they mean is for
//! the views to say. Whatever the documentation does not know becomes a [`Drift`] and is kept all the same.
//!
//! [`Drift`]: crate::model::rows::Drift

mod changes;
mod drift;
mod instance;
mod value;

pub(crate) use instance::instance;

use crate::model::rows::{Normalized, TaskRow};
use crate::model::task::Task;
use crate::model::time::Timestamp;

/// Returns the rows of one task.
pub(crate) fn rows(task: &Task<'_>) -> Normalized {
    let details = task.details.and_then(value::object_text);
    let details = details.as_deref().and_then(value::members);
    let params = task.params.and_then(value::object_text);
    let params = params.as_deref().and_then(value::members);
    Normalized {
        row: TaskRow {
            id: task.id.and_then(value::text),
            name: task.name.and_then(value::text),
            status: task.status.and_then(value::text),
            user_id: task.user_id.and_then(value::text),
            user_name: task.user_name.and_then(value::text),
            created: task.created_at.and_then(moment),
            updated: task.updated_at.and_then(moment),
            params: task.params.and_then(value::text),
            error_code: task.error_code.and_then(value::text),
        },
        changes: changes::of(details.as_ref(), params.as_ref()),
        drift: drift::of(task, details.as_ref()),
    }
}

/// Reads a time from a string; a number is never taken for one.
fn moment(json: &str) -> Option<Timestamp> {
    Timestamp::parse_upstream(&value::string(json)?)
}

#[cfg(test)]
mod tests;
