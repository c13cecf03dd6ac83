//! How a simulated cloud behaves where the documentation of the real one leaves it open, and how it misbehaves on demand.
//!
//! The default is a cloud that does everything in the way that helps; each field takes one thing away from that. What
//! cannot be known of a real cloud without asking it can so be tried out: whichever it does, the same answers are to be
//! had from here.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::model::time::{DAY, Timestamp};

/// The documented life of a token.
const TOKEN_LIFE: i64 = DAY;

/// What is particular about a cloud.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    pub(crate) filter: Filter,
    pub(crate) filter_name: FilterName,
    pub(crate) count: Count,
    /// The list of tasks shows no older records than this, in milliseconds, to requests without a lower bound.
    pub(crate) window: Option<i64>,
    /// How long tokens live, in milliseconds. Unless it is set, those that IAM gives live a day and the first one for ever.
    pub(crate) token_life: Option<i64>,
    pub(crate) metadata: Metadata,
    pub(crate) trouble: Trouble,
    /// So many requests a second, and then refusals.
    pub(crate) throttle: Option<u32>,
    /// What such a refusal says of when to come back.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) signing_clock: SigningClock,
}

impl Manners {
    /// How long a token lives that IAM gives, in milliseconds.
    pub(crate) fn token_life(&self) -> i64 {
        self.token_life.unwrap_or(TOKEN_LIFE)
    }
}

/// What the bounds of time select by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Filter {
    #[default]
    Created,
    Updated,
    /// Nothing: every record is shown.
    Ignored,
    /// A request with a bound is refused.
    Refused,
}

/// Under which name the lower bound is heeded; another name is passed over without a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FilterName {
    StartTime,
    BeginTime,
    #[default]
    Both,
}

impl FilterName {
    pub(crate) fn heeds(self, name: &str) -> bool {
        match self {
            Self::StartTime => name == "start_time",
            Self::BeginTime => name == "begin_time",
            Self::Both => true,
        }
    }
}

/// What `task_count` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Count {
    /// All records that the request selects.
    #[default]
    Total,
    /// The records in the page.
    Page,
    /// All of them, written as text.
    Text,
    /// Not there.
    Absent,
}

/// How the metadata service of an ECS gives its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// With or without a token.
    #[default]
    Both,
    /// It knows no tokens.
    Plain,
    /// With a token only.
    Token,
    /// The ECS has no agency, so there are no keys.
    Off,
}

/// Which requests fail, whatever they ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Every so many; none unless it is set.
    pub(crate) every: Option<NonZeroU32>,
    pub(crate) shape: Shape,
}

/// The form of a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One of the five below, in an order that the seed decides.
    #[default]
    Any,
    Service,
    Guide,
    Gateway,
    Iam,
    /// HTML of a proxy that repeats what was sent to it.
    Html,
    /// HTML with the status of success, as a hotel's network answers.
    Portal,
}

/// The clock that signatures are judged by.
///
/// Whoever signs does so by the clock of the machine, while the world's clock starts in a fixed month and runs at a speed of
/// its own. Judged by that, no signature would ever be in time; so the server is told which clock to look at, and only a
/// test whose client goes by the world's clock leaves it at that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SigningClock {
    /// Reads the machine's clock; the world's counts if there is none.
    pub(crate) machine: Option<fn() -> Timestamp>,
    /// How many milliseconds it is ahead of that.
    pub(crate) ahead: i64,
}

impl SigningClock {
    pub(crate) fn read(self, world: Timestamp) -> Timestamp {
        self.machine.map_or(world, |read| read()).plus(self.ahead)
    }
}
