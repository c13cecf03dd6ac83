//! In which order records come: newest first, by `created_at` or by `updated_at`, equal times in any order.

use crate::model::{record::Observation, time::Timestamp};

/// What the records so far tell about the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    created: Falling,
    updated: Falling,
}

impl Order {
    pub(crate) const fn unknown() -> Self {
        Self {
            created: Falling::Yet(None),
            updated: Falling::Yet(None),
        }
    }

    /// Takes the next task. One without a readable time belongs nowhere in an order by that time.
    pub(crate) fn note(&mut self, task: &Observation) {
        self.created.note(task.created);
        self.updated.note(task.updated);
    }

    pub(crate) fn newest_first(self) -> bool {
        self.created != Falling::Broken || self.updated != Falling::Broken
    }
}

/// Whether a time never rises from one record to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Falling {
    /// It has not yet; the last one, once there is one.
    Yet(Option<Timestamp>),
    Broken,
}

impl Falling {
    fn note(&mut self, time: Option<Timestamp>) {
        *self = match (*self, time) {
            (Self::Yet(last), Some(time)) if last.is_none_or(|last| time <= last) => {
                Self::Yet(Some(time))
            }
            _ => Self::Broken,
        };
    }
}
