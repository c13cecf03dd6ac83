//! Which part of a task list is asked for.

use crate::model::time::Timestamp;

/// Which page of a task list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) offset: u64,
    pub(crate) limit: u32,
    pub(crate) filter: Option<Filter>,
}

/// A filter by time; which of a task's times it bounds is the server's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) parameter: StartParameter,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

/// What the lower bound is called: the table of the documentation says one, its example the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StartParameter {
    #[default]
    StartTime,
    BeginTime,
    /// Under either name: a server that knows one passes over the other.
    Both,
}

impl StartParameter {
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::StartTime => &["start_time"],
            Self::BeginTime => &["begin_time"],
            Self::Both => &["start_time", "begin_time"],
        }
    }
}

impl Filter {
    /// From before the service existed: the whole list, if the plain one is not.
    pub(crate) fn early() -> Self {
        Self {
            parameter: StartParameter::Both,
            start: Timestamp::from_millis(EARLY),
            end: None,
        }
    }

    pub(super) fn parameters(self) -> impl Iterator<Item = (&'static str, String)> {
        let starts = self.start.into_iter().flat_map(move |start| {
            let names = self.parameter.names().iter();
            names.map(move |name| (*name, second(start)))
        });
        let end = self.end.map(|end| ("end_time", second(end)));
        starts.chain(end)
    }
}

/// The year 2000 in milliseconds.
const EARLY: i64 = 946_684_800_000;

/// Writes a time as the upstream reads it: `yyyyMMddHHmmss`, in UTC.
fn second(time: Timestamp) -> String {
    time.to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect()
}
