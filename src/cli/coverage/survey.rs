//! What the archive can vouch for, told span by span: of each instance, of the list of instances, and of all together.

use rusqlite::Connection;

use crate::cli::error::CliError;
use crate::model::coverage::{self, Lane, Overall, Rules, Span, State, Why, Window};
use crate::model::time::Timestamp;
use crate::output::phrase::duration;
use crate::store::filter::InstanceKey;
use crate::store::ledger::{self, Around, Known, Tried};
use crate::store::read::Instance;

/// Whose span it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Instance(Instance),
    /// The list of instances of a project.
    List(String),
    /// Everything that was asked for, together.
    All,
}

impl Scope {
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Instance(_) => "instance",
            Self::List(_) => "list",
            Self::All => "all",
        }
    }
}

/// One span, told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) scope: Scope,
    pub(crate) window: Window,
    pub(crate) state: State,
    pub(crate) widest: Option<i64>,
    pub(crate) reason: String,
}

/// What was found out about a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    /// The spans of each instance, then those of the lists, each in the order of time.
    pub(crate) parts: Vec<Told>,
    /// The spans of all together.
    pub(crate) all: Vec<Overall>,
    pub(crate) instances: usize,
    /// Each instance with its own spans, in the order of ids.
    pub(crate) lanes: Vec<InstanceLane>,
}

/// What is known of one instance in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstanceLane {
    pub(crate) instance: Instance,
    pub(crate) spans: Vec<Span>,
    pub(crate) gone: Option<Timestamp>,
}

/// Surveys a period for the instances that were named. If none was, all are meant, also those that nobody ever named: then
/// the lists of instances count as well.
pub(crate) fn survey(
    archive: &Connection,
    named: &[InstanceKey],
    rules: Rules,
    period: Window,
) -> Result<Survey, CliError> {
    let around = Around::of(period, rules);
    let known = ledger::instances(archive, named, around)?;
    let mut parts = Vec::new();
    let mut lanes = Vec::new();
    let mut of_instances = Vec::new();
    for instance in &known {
        let spans = coverage::cover(&instance.ledger, rules, period);
        for span in &spans {
            parts.push(Told {
                scope: Scope::Instance(instance.instance.clone()),
                window: span.window,
                state: span.state,
                widest: span.widest,
                reason: reason(archive, instance, span)?,
            });
        }
        of_instances.push(InstanceLane {
            instance: instance.instance.clone(),
            spans: spans.clone(),
            gone: instance.ledger.gone,
        });
        lanes.push(Lane {
            spans,
            is_list: false,
        });
    }
    let lists = if named.is_empty() {
        ledger::lists(archive, around)?
    } else {
        Vec::new()
    };
    for (project_id, ledger) in lists {
        let spans = coverage::cover(&ledger, rules, period);
        parts.extend(spans.iter().map(|span| Told {
            scope: Scope::List(project_id.clone()),
            window: span.window,
            state: span.state,
            widest: span.widest,
            reason: match span.why {
                Why::NeverProven => {
                    "the list of instances was never read: there may be others".to_owned()
                }
                _ => why(span),
            },
        }));
        lanes.push(Lane {
            spans,
            is_list: true,
        });
    }
    Ok(Survey {
        parts,
        all: coverage::overall(&lanes),
        instances: known.len(),
        lanes: of_instances,
    })
}

impl Survey {
    /// Tells the spans of all together.
    pub(crate) fn overall(&self) -> Vec<Told> {
        let told = self.all.iter().map(|span| Told {
            scope: Scope::All,
            window: span.window,
            state: span.state,
            widest: span.widest,
            reason: self.shares(span),
        });
        told.collect()
    }

    /// Says how many are in the state that all are given.
    fn shares(&self, span: &Overall) -> String {
        let mut shares = Vec::new();
        if span.instances > 0 {
            shares.push(match self.instances {
                1 => "the only instance".to_owned(),
                all => format!("{} of {all} instances", span.instances),
            });
        }
        if span.lists > 0 {
            shares.push("the list of instances".to_owned());
        }
        shares.join(", and ")
    }
}

/// Says what a span rests on, or what it lacks.
fn reason(archive: &Connection, known: &Known, span: &Span) -> Result<String, CliError> {
    let why = why(span);
    if span.state != State::Gap {
        return Ok(why);
    }
    let tried = tried(archive, known, span.window)?;
    Ok(format!("{why}; {tried}"))
}

/// Says what was tried for an instance in a stretch of time in which nothing was proven.
pub(crate) fn tried(
    archive: &Connection,
    known: &Known,
    window: Window,
) -> Result<String, CliError> {
    Ok(match ledger::tried(archive, known, window)? {
        Tried::Walks(1, reason) => format!("a walk was not proven: {reason}"),
        Tried::Walks(count, reason) => {
            format!("{count} walks were not proven, the last: {reason}")
        }
        Tried::Syncs(1, outcome) => format!("a sync ran without a walk of it, outcome {outcome}"),
        Tried::Syncs(count, outcome) => {
            format!("{count} syncs ran without a walk of it, outcome of the last: {outcome}")
        }
        Tried::Nothing => "no sync ran".to_owned(),
    })
}

fn why(span: &Span) -> String {
    match (span.state, span.why) {
        (_, Why::NeverProven) => "no full walk was ever proven".to_owned(),
        (_, Why::TooFarApart(millis)) => {
            format!("proven walks {} apart", duration(millis))
        }
        (_, Why::ClockWentBack) => "the times of its walks contradict their order".to_owned(),
        (_, Why::NotSince) => "no proven walk since".to_owned(),
        (_, Why::UntilGone) => "not read again before it was found gone".to_owned(),
        (State::Before, _) => "the instance did not exist yet".to_owned(),
        (State::Closed, _) => "the instance is gone".to_owned(),
        (State::Inherited, _) => {
            "before the first proven walk: what was deleted by then is unknown".to_owned()
        }
        (State::Vouched | State::CaughtUp | State::Gap, Why::Clear) => {
            span.widest.map_or_else(String::new, |widest| {
                format!("proven walks at most {} apart", duration(widest))
            })
        }
    }
}
