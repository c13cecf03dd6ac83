//! One task record: kept small, written out only when somebody asks for it.

use serde::Serialize;
use serde_json::Value;

use super::User;
use super::operation::Operation;
use crate::model::time::Timestamp;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Executing,
    Success,
    Failed,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Executing => "EXECUTING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
        }
    }
}

/// A task as the world keeps it; its instance knows the rest.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Milliseconds since 1970; no two tasks of an instance have the same.
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) operation: Operation,
    pub(super) sequence: u16,
    pub(super) user: u8,
    pub(super) state: State,
}

impl Task {
    /// Writes the id: 16 digits of the instance's own, the time of creation in milliseconds, four digits that count on,
    /// all hexadecimal, as the ids in the documentation are made.
    pub(super) fn id(&self, prefix: u64) -> String {
        format!("{prefix:016x}{:012x}{:04x}", self.created, self.sequence)
    }
}

/// Reads the time of creation out of an id.
pub(super) fn created_of(id: &str) -> Option<i64> {
    i64::from_str_radix(id.get(16..28)?, 16).ok()
}

/// A task record as the upstream shows it, and as tests read the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TaskRecord<'a> {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) details: Value,
    pub(crate) user_name: &'a str,
    pub(crate) user_id: &'a str,
    /// Left out where the operation has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) params: Option<String>,
    pub(crate) status: &'static str,
    #[serde(serialize_with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(serialize_with = "as_text")]
    pub(crate) updated_at: Timestamp,
    pub(crate) enable_show: bool,
}

impl<'a> TaskRecord<'a> {
    pub(super) fn of(task: &Task, prefix: u64, users: &'a [User]) -> Self {
        let user = &users[usize::from(task.user) % users.len()];
        Self {
            id: task.id(prefix),
            name: task.operation.name(task.created),
            details: task.operation.details(),
            user_name: user.name,
            user_id: &user.id,
            params: task.operation.params(),
            status: task.state.name(),
            created_at: moment(task.created),
            updated_at: moment(task.updated),
            enable_show: task.operation.has_steps(),
        }
    }
}

/// The moment of a number of milliseconds; the world's clock stays within the years that have one.
pub(super) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
}

/// Writes a moment in its one text form, which is the upstream's too.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a field over as a reference"
)]
pub(super) fn as_text<S: serde::Serializer>(
    moment: &Timestamp,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_the_time_of_creation_where_the_documented_ones_do() {
        let task = Task {
            created: 1_592_381_886_597,
            updated: 0,
            operation: Operation::Password,
            sequence: 0xAA,
            user: 0,
            state: State::Success,
        };
        let id = task.id(0x8abf_6e1e_72c1_2e7c);
        // The id and the time are those of the documentation's example.
        assert_eq!(id, "8abf6e1e72c12e7c0172c15b508500aa");
        assert_eq!(created_of(&id), Some(task.created));
        assert_eq!(moment(task.created).to_string(), "2020-06-17T08:18:06.597Z");
    }

    #[test]
    fn what_is_no_id_holds_no_time() {
        for id in [
            "",
            "short",
            "8abf6e1e72c12e7cXXXXXXXXXXXX00aa",
            "äääääääääääääääääääääää",
        ] {
            assert_eq!(created_of(id), None, "{id}");
        }
    }

    #[test]
    fn a_task_is_small_enough_to_keep_millions_of() {
        assert!(size_of::<Task>() <= 48, "{}", size_of::<Task>());
    }
}
