//! Everything that a report tells, read from one moment of the archive.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::cli::coverage::survey::{self, Survey};
use crate::cli::error::CliError;
use crate::cli::output_args::cells;
use crate::model::coverage::{Rules, Window};
use crate::model::time::{DAY, Timestamp};
use crate::output::Cell;
use crate::output::zone::Zone;
use crate::report::audit::{Facts, Limits, Scope, fair_share};
use crate::report::redact::What;
use crate::report::stats::{Counts, Cut, Durations, Group, Key, Tally};
use crate::store::chain::{self, Head};
use crate::store::evidence::{self, About};
use crate::store::facts::{self, Names};
use crate::store::filter::{Condition, Created, InstanceKey, TaskFilter};
use crate::store::history;
use crate::store::ledger;
use crate::store::read::{self, Order, Select, View};

/// Sightings of drift that are kept: a new version of the cloud's software may bring a dozen.
const SIGHTINGS: u64 = 200;

/// What was asked for, once it is understood.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) title: Option<String>,
    /// The instances that were named; all are meant if none was.
    pub(super) named: Vec<InstanceKey>,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) rules: Rules,
    pub(super) zone: Zone,
    /// In milliseconds.
    pub(super) long: i64,
    pub(super) redact: What,
    /// The rows that each list keeps; all of them without it.
    pub(super) limit: Option<u64>,
}

impl Asked {
    pub(super) const fn period(&self) -> Window {
        Window {
            since: Some(self.since),
            until: Some(self.until),
        }
    }

    /// What the archive is asked for, with tasks that are named besides.
    pub(super) const fn about<'a>(&'a self, named: &'a [i64]) -> About<'a> {
        About {
            instances: self.named.as_slice(),
            since: self.since,
            until: self.until,
            rules: self.rules,
            named,
        }
    }
}

/// What the archive tells.
pub(super) struct Report {
    pub(super) asked: Asked,
    pub(super) scope: Scope,
    /// When the archive last read anything, by the cloud's clock.
    pub(super) read_until: Option<Timestamp>,
    pub(super) head: Option<Head>,
    pub(super) survey: Survey,
    pub(super) facts: Facts,
    pub(super) operations: Vec<Counted>,
    pub(super) users: Vec<Counted>,
    /// Every piece of the period, those without a task too, in the order of time.
    pub(super) pieces: Vec<Counted>,
    pub(super) cut: Cut,
    /// Rows of the view `drift`, and how many there are.
    pub(super) drift: (Vec<Vec<Cell>>, u64),
    /// Records that could not be read, which may be of the period.
    pub(super) rejected: u32,
}

/// A name and what is counted of it.
pub(super) struct Counted {
    /// Nothing where the tasks have none.
    pub(super) name: Option<String>,
    pub(super) counts: Counts,
    pub(super) durations: Option<Durations>,
}

/// Reads everything from one moment of the archive.
pub(super) fn gather(archive: &Connection, asked: Asked) -> Result<Report, CliError> {
    let period = asked.period();
    let survey = survey::survey(archive, &asked.named, asked.rules, period)?;
    let read_until = facts::read_until(archive)?;
    let scope = Scope {
        since: asked.since,
        until: asked.until,
        // Without a reading there is no task whose times could be doubted.
        server_now: read_until.unwrap_or(asked.until),
        long: asked.long,
    };
    let names = Names::read(archive)?;
    let created = TaskFilter {
        instances: asked.named.clone(),
        created: Created::In(period),
        ..TaskFilter::default()
    };
    let cut = cut_of(&scope);
    let groups = groups(archive, &names, &created, &scope, &asked.zone, cut)?;
    let tasks = |key| groups.instances.get(key).copied().unwrap_or_default();
    let lanes = survey.lanes.iter();
    let lengths: Vec<_> = lanes.map(|lane| tasks(&lane.instance.key)).collect();
    let limit = asked.limit.unwrap_or(u64::MAX);
    let most = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let limits = Limits {
        list: most(limit),
        changes: most(fair_share(&lengths, limit)),
    };
    let mut facts = Facts::new(scope, limits);
    // The tasks of other instances need not be read.
    let touched = evidence::touched(archive, &asked.about(&[]))?;
    for lane in &survey.lanes {
        if touched.contains(&lane.instance.key) {
            facts.add(&history::changes(archive, &lane.instance.key)?);
        } else {
            facts.add(&[]);
        }
    }
    Ok(Report {
        scope,
        read_until,
        head: chain::head(archive).map_err(crate::store::Error::from)?,
        facts,
        operations: groups.operations,
        users: groups.users,
        pieces: whole(&groups.pieces, &scope, &asked.zone, cut),
        cut,
        drift: drift(archive, period, limit)?,
        rejected: ledger::rejected_after(archive, &asked.named, Some(asked.since))?,
        survey,
        asked,
    })
}

/// The tasks of the period in groups.
struct Groups {
    operations: Vec<Counted>,
    users: Vec<Counted>,
    pieces: Vec<(i64, Counts)>,
    /// How many tasks each instance has that has any.
    instances: BTreeMap<InstanceKey, u64>,
}

fn groups(
    archive: &Connection,
    names: &Names,
    created: &TaskFilter,
    scope: &Scope,
    zone: &Zone,
    cut: Cut,
) -> Result<Groups, CliError> {
    let clock = |time: Timestamp| zone.clock(time);
    let keys = [Key::Operation, Key::User, Key::Created(cut), Key::Instance];
    let keys = keys.map(|key| [key]);
    let mut tallies = keys
        .each_ref()
        .map(|key| Tally::new(key, &clock, scope.server_now));
    facts::tasks(archive, names, &created.condition(), |task| {
        for tally in &mut tallies {
            tally.add(task);
        }
    })?;
    let [operations, users, pieces, instances] = tallies;
    let named = |groups: Vec<Group>, name: &dyn Fn(i64) -> Option<String>| {
        let counted = groups.into_iter().map(|group| Counted {
            name: first(&group).and_then(name),
            counts: group.counts,
            durations: group.durations,
        });
        counted.collect()
    };
    let operation = |key: i64| names.operations.get(&key).cloned();
    let user = |key: i64| {
        let user = names.users.get(&key)?;
        user.name.clone().or_else(|| user.id.clone())
    };
    let or_empty = |name: Option<String>| name.unwrap_or_default();
    Ok(Groups {
        operations: named(
            operations.groups(|_, key| or_empty(key.and_then(operation))),
            &operation,
        ),
        users: named(users.groups(|_, key| or_empty(key.and_then(user))), &user),
        pieces: pieces
            .groups(|_, _| String::new())
            .iter()
            .filter_map(|group| Some((first(group)?, group.counts)))
            .collect(),
        instances: instances
            .groups(|_, _| String::new())
            .iter()
            .filter_map(|group| {
                let instance = names.instances.get(&first(group)?)?;
                Some((instance.key.clone(), group.counts.tasks))
            })
            .collect(),
    })
}

fn first(group: &Group) -> Option<i64> {
    group.keys.first().copied().flatten()
}

/// How a period is cut so that a chart of it has at most some hundred columns.
fn cut_of(scope: &Scope) -> Cut {
    let days = scope.until.distance(scope.since) / DAY;
    match days {
        ..=100 => Cut::Day,
        101..=700 => Cut::Week,
        _ => Cut::Month,
    }
}

/// Columns that a chart has room for. A longer period (of decades) shows only months with a task.
const MOST_PIECES: i64 = 400;

/// Puts the pieces into the order of time, and adds those without a task.
fn whole(counted: &[(i64, Counts)], scope: &Scope, zone: &Zone, cut: Cut) -> Vec<Counted> {
    let counted: BTreeMap<i64, Counts> = counted.iter().copied().collect();
    let first = cut.of(zone.clock(scope.since));
    let last = cut.of(zone.clock(scope.until.plus(-1)));
    let numbers: Vec<i64> = if last - first < MOST_PIECES {
        (first..=last).collect()
    } else {
        counted.keys().copied().collect()
    };
    let pieces = numbers.into_iter().map(|number| Counted {
        name: Some(cut.name(number)),
        counts: counted.get(&number).copied().unwrap_or_default(),
        durations: None,
    });
    pieces.collect()
}

/// Returns what undocumented things were first met in the period, and how many there were.
fn drift(
    archive: &Connection,
    period: Window,
    limit: u64,
) -> Result<(Vec<Vec<Cell>>, u64), CliError> {
    let condition = Condition::default().and_period("first_seen_at", period);
    let total = read::count(archive, View::Drift, &condition, u32::MAX)?;
    let select = Select {
        view: View::Drift,
        columns: View::Drift.all(),
        condition,
        order: Some(Order::ascending("first_seen_at")),
        limit: Some(limit.min(SIGHTINGS)),
    };
    let rows = read::rows(archive, &select)?;
    Ok((rows.into_iter().map(cells).collect(), u64::from(total)))
}
