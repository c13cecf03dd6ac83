//! What is found when an archive is looked over: its facts, the findings in words, and totals of each project.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use crate::cli::coverage::survey;
use crate::cli::error::CliError;
use crate::model::coverage::{Ledger, Window};
use crate::model::health::{self, Facts, Finding, Kind, List, Run, Runs};
use crate::model::time::Timestamp;
use crate::output::phrase::duration;
use crate::store::filter::InstanceKey;
use crate::store::health as ask;
use crate::store::health::Held;
use crate::store::ledger::{self, Around, Known};

/// One finding, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) finding: Finding,
    pub(crate) project_id: Option<String>,
    pub(crate) instance_id: Option<String>,
    pub(crate) message: String,
}

/// What the instances of a project hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) instances: u32,
    pub(crate) unproven: u32,
    pub(crate) tasks: u32,
    pub(crate) revisions: u32,
    pub(crate) open: u32,
    pub(crate) missing: u32,
    pub(crate) rejected: u32,
}

impl Totals {
    /// The numbers in the order of the fields.
    pub(crate) fn numbers(self) -> [f64; 7] {
        [
            self.instances,
            self.unproven,
            self.tasks,
            self.revisions,
            self.open,
            self.missing,
            self.rejected,
        ]
        .map(f64::from)
    }
}

/// An archive, looked over.
#[derive(Debug)]
pub(crate) struct Checkup {
    pub(crate) facts: Facts,
    pub(crate) told: Vec<Told>,
    pub(crate) projects: BTreeMap<String, Totals>,
    pub(crate) bytes: u64,
}

impl Checkup {
    /// Looks over the archive, or only some of its instances.
    pub(crate) fn of(
        archive: &Connection,
        path: &Path,
        named: &[InstanceKey],
        max_age: i64,
        now: Timestamp,
    ) -> Result<Self, CliError> {
        let around = Around::of(health::noted(now), health::rules(max_age));
        let known = ledger::instances(archive, named, around)?;
        let held = ask::held(archive, now)?;
        let lists = if named.is_empty() {
            ledger::lists(archive, around)?
        } else {
            Vec::new()
        };
        let facts = facts(archive, path, &known, &held, &lists)?;
        let facts = Facts {
            is_narrowed: !named.is_empty(),
            ..facts
        };
        let teller = Teller {
            archive,
            facts: &facts,
            known: &known,
            lists: lists.iter().map(|(id, _)| id.as_str()).collect(),
            now,
        };
        let findings = health::judge(&facts, max_age, now);
        let told = findings.into_iter().map(|finding| teller.tell(finding));
        Ok(Self {
            told: told.collect::<Result<_, _>>()?,
            projects: totals(archive, &known, &held, &facts, (max_age, now))?,
            bytes: ask::bytes(path),
            facts,
        })
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.told.iter().all(|told| told.finding.is_note())
    }

    /// The sums over all projects.
    pub(crate) fn totals(&self) -> Totals {
        let add = |sum: Totals, one: &Totals| Totals {
            instances: sum.instances + one.instances,
            unproven: sum.unproven + one.unproven,
            tasks: sum.tasks + one.tasks,
            revisions: sum.revisions + one.revisions,
            open: sum.open + one.open,
            missing: sum.missing + one.missing,
            rejected: sum.rejected + one.rejected,
        };
        self.projects.values().fold(Totals::default(), add)
    }
}

fn facts(
    archive: &Connection,
    path: &Path,
    known: &[Known],
    held: &BTreeMap<InstanceKey, Held>,
    lists: &[(String, Ledger)],
) -> Result<Facts, CliError> {
    let of_instances = known.iter().map(|known| {
        let held = held.get(&known.instance.key).copied().unwrap_or_default();
        List {
            kind: Kind::Tasks,
            ledger: known.ledger.clone(),
            is_excused: held.is_excused,
            rejected: held.rejected,
            long_open: held.long_open,
        }
    });
    let in_lists = ask::rejected_in_lists(archive)?;
    let of_projects = lists.iter().map(|(project_id, ledger)| List {
        kind: Kind::Instances,
        ledger: ledger.clone(),
        is_excused: false,
        rejected: in_lists.get(project_id).copied().unwrap_or_default(),
        long_open: 0,
    });
    let unfinished = ask::unfinished(archive)?;
    Ok(Facts {
        runs: ask::runs(archive)?,
        unfinished,
        // Asked in doubt only.
        is_held: unfinished.is_some() && ask::is_held(path),
        lists: of_instances.chain(of_projects).collect(),
        is_narrowed: false,
    })
}

fn totals(
    archive: &Connection,
    known: &[Known],
    held: &BTreeMap<InstanceKey, Held>,
    facts: &Facts,
    (max_age, now): (i64, Timestamp),
) -> Result<BTreeMap<String, Totals>, CliError> {
    let projects = facts.runs.iter().filter_map(|runs| runs.project_id.clone());
    let mut all: BTreeMap<_, _> = projects.map(|id| (id, Totals::default())).collect();
    let later = ask::later_revisions(archive)?;
    for (known, list) in known.iter().zip(&facts.lists) {
        let key = &known.instance.key;
        let held = held.get(key).copied().unwrap_or_default();
        let sum = all.entry(key.project_id.clone()).or_default();
        let is_here = known.ledger.gone.is_none();
        sum.instances += u32::from(is_here);
        sum.unproven += u32::from(list.is_stale(max_age, now));
        sum.tasks += held.tasks;
        sum.revisions += held.tasks + later.get(key).copied().unwrap_or_default();
        sum.open += held.open;
        sum.missing += held.missing;
        sum.rejected += if is_here { held.rejected } else { 0 };
    }
    Ok(all)
}

/// Puts findings into words.
struct Teller<'a> {
    archive: &'a Connection,
    facts: &'a Facts,
    known: &'a [Known],
    /// The projects whose lists follow those of the instances.
    lists: Vec<&'a str>,
    now: Timestamp,
}

impl Teller<'_> {
    fn tell(&self, finding: Finding) -> Result<Told, CliError> {
        let (project_id, instance_id, message) = match finding {
            Finding::NeverSynced { run }
            | Finding::NeverComplete { run }
            | Finding::Old { run, .. }
            | Finding::NotComplete { run }
            | Finding::ClockAhead { run, .. } => {
                let runs = &self.facts.runs[run];
                let message = self.of_run(finding, runs)?;
                (runs.project_id.clone(), None, self.within(runs, message))
            }
            Finding::Abandoned { since } => {
                let message = format!(
                    "the sync that began at {since} never ended: it was killed, and none has run since"
                );
                (None, None, message)
            }
            Finding::Running { since } => (None, None, format!("a sync is running since {since}")),
            Finding::Stale { list }
            | Finding::Rejected { list, .. }
            | Finding::LongOpen { list, .. }
            | Finding::Gap { list, .. } => self.named(list, &self.of_list(finding, list)?),
        };
        Ok(Told {
            finding,
            project_id,
            instance_id,
            message,
        })
    }

    /// Says whose list it is: the project, the instance if it is one's, and the message with its name.
    fn named(&self, list: usize, message: &str) -> (Option<String>, Option<String>, String) {
        if let Some(known) = self.known.get(list) {
            let InstanceKey {
                project_id,
                instance_id,
            } = known.instance.key.clone();
            let name = match &known.instance.name {
                Some(name) => format!("{name} ({instance_id})"),
                None => instance_id.clone(),
            };
            let message = format!("instance {name}: {message}");
            return (Some(project_id), Some(instance_id), message);
        }
        let project = self.lists[list - self.known.len()];
        let message = format!("the list of instances of project {project}: {message}");
        (Some(project.to_owned()), None, message)
    }

    /// Names the project where there are several.
    fn within(&self, runs: &Runs, message: String) -> String {
        match &runs.project_id {
            Some(project) if self.facts.runs.len() > 1 => format!("project {project}: {message}"),
            _ => message,
        }
    }

    fn of_run(&self, finding: Finding, runs: &Runs) -> Result<String, CliError> {
        Ok(match (finding, &runs.last) {
            (Finding::Old { at, .. }, _) => {
                format!("the last complete sync ended {}", self.ago(at))
            }
            (Finding::ClockAhead { at, .. }, _) => format!(
                "the last sync ended at {at}, which is {} from now: a clock is wrong",
                duration(at.distance(self.now))
            ),
            (Finding::NotComplete { .. }, Some(last)) => self.not_complete(last)?,
            (Finding::NeverComplete { .. }, _) => "no sync was complete so far".to_owned(),
            _ => "no sync has ended yet".to_owned(),
        })
    }

    fn not_complete(&self, last: &Run) -> Result<String, CliError> {
        let Some(code) = last.exit_code else {
            return Ok(format!("the last sync ({}) was killed", last.sync_id));
        };
        let told = format!(
            "the last sync ({}) ended {} with exit code {code}",
            last.sync_id, last.outcome
        );
        Ok(match ask::why(self.archive, last.sync_id)? {
            Some((0 | 1, why)) => format!("{told}: {why}"),
            Some((count, why)) => {
                format!("{told}: {count} instances were not proven, one of them {why}")
            }
            None => told,
        })
    }

    fn of_list(&self, finding: Finding, number: usize) -> Result<String, CliError> {
        let list = &self.facts.lists[number];
        Ok(match finding {
            Finding::Rejected { count, .. } => match count {
                1 => "1 record cannot be read; the view `rejected` has it".to_owned(),
                count => format!("{count} records cannot be read; the view `rejected` has them"),
            },
            Finding::LongOpen { count, .. } => match count {
                1 => "1 task is open for more than a day".to_owned(),
                count => format!("{count} tasks are open for more than a day"),
            },
            Finding::Gap {
                window:
                    Window {
                        since: Some(since),
                        until: Some(until),
                    },
                ..
            } => format!("what happened from {since} to {until} cannot be vouched for"),
            _ => {
                let proven = list.proven();
                let tried = match self.known.get(number) {
                    Some(known) => {
                        let window = Window {
                            since: proven,
                            until: None,
                        };
                        survey::tried(self.archive, known, window)?
                    }
                    None => String::new(),
                };
                match proven {
                    None => format!("never proven: {tried}"),
                    Some(at) if tried.is_empty() => format!("last proven {}", self.ago(at)),
                    Some(at) => format!("last proven {}; since then, {tried}", self.ago(at)),
                }
            }
        })
    }

    fn ago(&self, at: Timestamp) -> String {
        let away = duration(at.distance(self.now));
        let way = if at > self.now { "from now" } else { "ago" };
        format!("{away} {way}, at {at}")
    }
}
