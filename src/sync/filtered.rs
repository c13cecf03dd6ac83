//! What a server did with a time filter, as far as the rows tell. Pure.
//!
//! Which name of the parameter a server hears, and which of a task's two times it bounds, is nowhere documented. Rows that
//! lie outside show that it does not filter as asked; they are kept all the same.

use crate::model::{record::Observation, time::Timestamp};

/// The period that was asked for, as wide as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

impl Period {
    fn holds(self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| {
            self.start.is_none_or(|start| time >= start) && self.end.is_none_or(|end| time <= end)
        })
    }
}

/// The rows of one walk against the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    tasks: u64,
    /// Created outside, updated inside.
    by_update: u64,
    /// Created inside, updated outside.
    by_creation: u64,
    outside: u64,
}

impl Tally {
    pub(crate) fn note(&mut self, period: Period, task: &Observation) {
        let (created, updated) = (period.holds(task.created), period.holds(task.updated));
        self.tasks += 1;
        self.by_update += u64::from(!created && updated);
        self.by_creation += u64::from(created && !updated);
        self.outside += u64::from(!created && !updated);
    }

    /// Says what the rows tell of the filter.
    pub(crate) fn told(self) -> String {
        let Self {
            tasks,
            by_update,
            by_creation,
            outside,
        } = self;
        if tasks == 0 {
            return "the server shows nothing for that time; another --time-parameter may be the one that it hears"
                .to_owned();
        }
        if outside > 0 {
            return format!(
                "the server does not filter as asked: {outside} of {tasks} records lie outside the period; they are kept"
            );
        }
        match (by_update, by_creation) {
            (0, 0) => "every record was created and updated in the period; whether the server filters by one or the other cannot be told"
                .to_owned(),
            (0, _) => "the server filters by created_at: what was created before the period and changed in it was not shown"
                .to_owned(),
            (_, 0) => "the server filters by updated_at: a record without that time may not have been shown".to_owned(),
            _ => "the server shows what was created or updated in the period".to_owned(),
        }
    }
}

/// What is said where the filter is refused.
pub(crate) const REFUSED: &str =
    "the server refuses the time filter; the whole list is read instead";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + hours * HOUR).unwrap()
    }

    /// Hours of creation and of the last update.
    type Rows<'a> = &'a [(i64, Option<i64>)];

    #[test]
    fn the_rows_tell_what_the_filter_did() {
        let period = Period {
            start: Some(at(10)),
            end: Some(at(20)),
        };
        let cases: [(Rows<'_>, &str); 8] = [
            (&[], "shows nothing"),
            (&[(10, Some(10)), (20, Some(20))], "cannot be told"),
            (&[(12, Some(13)), (19, Some(21))], "by created_at"),
            (&[(12, Some(13)), (9, Some(11))], "by updated_at"),
            (&[(9, Some(11)), (19, Some(21))], "created or updated"),
            (
                &[(12, Some(13)), (8, Some(9))],
                "1 of 2 records lie outside",
            ),
            (&[(8, Some(21))], "1 of 1 records lie outside"),
            (&[(12, None)], "by created_at"),
        ];
        for (rows, expected) in cases {
            let mut tally = Tally::default();
            for (created, updated) in rows {
                let task = Observation {
                    id: String::new(),
                    raw: String::new(),
                    adopted: None,
                    digest: [0; 32],
                    form: [0; 32],
                    created: Some(at(*created)),
                    updated: updated.map(at),
                };
                tally.note(period, &task);
            }
            assert!(
                tally.told().contains(expected),
                "{rows:?}: {}",
                tally.told()
            );
        }
        let open = Period {
            start: None,
            end: None,
        };
        assert!(open.holds(Some(at(0))));
        assert!(!open.holds(None));
    }
}
