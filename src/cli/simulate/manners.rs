//! The options by which a simulated cloud behaves in another way than the most helpful one.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::ValueEnum;

use crate::cli::{duration, now};
use crate::simulator::manners::{
    Count, Filter, FilterName, Manners, Metadata, Shape, SigningClock, Trouble,
};

/// How the cloud behaves where the real one's documentation leaves it open, and how it misbehaves.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Manners")]
pub(super) struct MannerArgs {
    /// What the bounds of time select tasks by.
    #[arg(long, value_name = "BY", value_enum, default_value_t = ByTime::Created)]
    filter: ByTime,
    /// Under which name the lower bound is heeded; the other one is passed over.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Name::Both)]
    filter_name: Name,
    /// What `task_count` is: all tasks, those in the page, all of them as text, or not there.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Counted::Total)]
    count: Counted,
    /// Without a lower bound, hide tasks that were created longer ago than this; the count hides them too.
    #[arg(long, value_name = "DURATION", value_parser = duration::positive)]
    window: Option<Duration>,
    /// How long tokens live by the cloud's clock, the one in the file too. Unless this is given that one lives as long as
    /// the cloud, and those that IAM gives 24h.
    #[arg(long, value_name = "DURATION", value_parser = duration::positive)]
    token_life: Option<Duration>,
    /// How the metadata service gives its keys: with a token of its own or without, always without, with one only, or
    /// never.
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Mode::Both)]
    metadata: Mode,
    /// Judge signatures by a clock that is this much ahead of this machine's.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    skew: Duration,
    /// Refuse what is more than this many requests a second with 429; 0 refuses all. The metadata service is exempt.
    #[arg(long, value_name = "N")]
    throttle: Option<u32>,
    /// How long to wait, as a 429 says it in Retry-After; without this it does not say.
    #[arg(long, value_name = "DURATION", requires = "throttle", value_parser = duration::parse)]
    retry_after: Option<Duration>,
    /// Let every Nth request fail, whatever it asks for. The metadata service is exempt.
    #[arg(long, value_name = "N")]
    trouble: Option<NonZeroU32>,
    /// The form of such a failure: of the service (500), of its older guide (503), of the gateway (502), of IAM (500), HTML
    /// of a proxy that repeats what was sent to it (502), or HTML with status 200 as hotels have it; `any` takes turns in
    /// the first five as the seed decides.
    #[arg(long, value_name = "FORM", value_enum, requires = "trouble", default_value_t = Form::Any)]
    trouble_form: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ByTime {
    Created,
    Updated,
    Ignored,
    Refused,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    #[value(name = "start_time")]
    StartTime,
    #[value(name = "begin_time")]
    BeginTime,
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Counted {
    Total,
    Page,
    Text,
    Absent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Both,
    Plain,
    Token,
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Any,
    Service,
    Guide,
    Gateway,
    Iam,
    Html,
    Portal,
}

impl MannerArgs {
    /// What the simulated cloud is told.
    pub(super) fn read(&self) -> Manners {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Manners {
            filter: match self.filter {
                ByTime::Created => Filter::Created,
                ByTime::Updated => Filter::Updated,
                ByTime::Ignored => Filter::Ignored,
                ByTime::Refused => Filter::Refused,
            },
            filter_name: match self.filter_name {
                Name::StartTime => FilterName::StartTime,
                Name::BeginTime => FilterName::BeginTime,
                Name::Both => FilterName::Both,
            },
            count: match self.count {
                Counted::Total => Count::Total,
                Counted::Page => Count::Page,
                Counted::Text => Count::Text,
                Counted::Absent => Count::Absent,
            },
            window: self.window.map(millis),
            token_life: self.token_life.map(millis),
            metadata: match self.metadata {
                Mode::Both => Metadata::Both,
                Mode::Plain => Metadata::Plain,
                Mode::Token => Metadata::Token,
                Mode::Off => Metadata::Off,
            },
            trouble: Trouble {
                every: self.trouble,
                shape: self.trouble_form.shape(),
            },
            throttle: self.throttle,
            retry_after: self.retry_after,
            signing_clock: SigningClock {
                machine: Some(now),
                ahead: millis(self.skew),
            },
        }
    }
}

impl Form {
    const fn shape(self) -> Shape {
        match self {
            Self::Any => Shape::Any,
            Self::Service => Shape::Service,
            Self::Guide => Shape::Guide,
            Self::Gateway => Shape::Gateway,
            Self::Iam => Shape::Iam,
            Self::Html => Shape::Html,
            Self::Portal => Shape::Portal,
        }
    }
}
