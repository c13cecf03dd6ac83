//! The promises, held against the world's truth.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::{
    super::support::Place,
    Setting,
    server::State,
    world::{Count, Filtering, Life, Order, Paging, time},
};
use crate::model::{
    coverage::{self, Rules, Window},
    finding::Weight,
    time::{DAY, HOUR, MINUTE},
};
use crate::store::{ledger, verify};
use crate::sync::{
    READING, Summary,
    list::List,
    outcome::{InstanceEnd, Outcome},
    plan::Mode,
};

/// What must never get less.
#[derive(Default)]
pub(super) struct Checker {
    history: BTreeSet<(String, u32, u32)>,
    rejected: BTreeSet<(String, String)>,
    shown: BTreeSet<(String, u32, u32)>,
    marks: BTreeMap<String, String>,
    ledger: i64,
}

/// How much there is of everything that a sync of a world at rest must not add to.
pub(super) fn holdings(place: &Place) -> [i64; 5] {
    let archive = place.read();
    [
        "SELECT count(*) FROM task_revisions",
        "SELECT count(*) FROM drift",
        "SELECT count(*) FROM tasks WHERE is_final",
        "SELECT count(*) FROM rejected",
        "SELECT count(*) FROM instance_revisions",
    ]
    .map(|sql| archive.query_row(sql, [], |row| row.get(0)).unwrap())
}

fn rows<T: Ord, F: Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>>(
    archive: &Connection,
    sql: &str,
    read: F,
) -> BTreeSet<T> {
    let mut statement = archive.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| read(row)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn task(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, u32, u32)> {
    Ok((
        row.get(0)?,
        number(&row.get::<_, String>(1)?),
        version(&row.get::<_, String>(2)?),
    ))
}

fn number(task_id: &str) -> u32 {
    task_id.trim_start_matches('t').parse().unwrap()
}

fn version(raw: &str) -> u32 {
    let (_, rest) = raw.split_once(r#""new_capacity":""#).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

impl Checker {
    /// Remembers what a sync was shown, to be held against the archive later.
    pub(super) fn note(&mut self, state: &State) {
        self.shown.extend(state.shown.tasks.iter().cloned());
    }

    pub(super) fn after(
        &mut self,
        place: &Place,
        state: &State,
        summary: Option<&Summary>,
        setting: &Setting,
        is_backfill: bool,
    ) {
        if !place.path.exists() {
            assert!(self.history.is_empty() && summary.is_none());
            return;
        }
        let archive = place.read();
        self.note(state);
        let history = rows(
            &archive,
            "SELECT instance_id, task_id, raw FROM task_revisions",
            task,
        );
        self.nothing_is_lost(&archive, &history, state, summary);
        let odd: BTreeSet<(&str, u32)> = state
            .world
            .lives
            .iter()
            .filter(|life| life.is_odd || !setting.times_tell(state))
            .map(|life| (life.instance.as_str(), life.id))
            .collect();
        nothing_goes_back(&archive, &history, &odd);
        self.marks(&archive, state, setting, is_backfill);
        absence_is_true(&archive, state);
        structure(&archive, summary.is_some());
        if let Some(summary) = summary {
            if summary.outcome == Outcome::Complete && !is_backfill {
                complete(&archive, &history, state, summary, &odd);
            }
            bounded(state, summary);
        }
        vouched(&archive, state, setting);
        self.history = history;
    }

    /// P1, P4, and nothing invented.
    fn nothing_is_lost(
        &mut self,
        archive: &Connection,
        history: &BTreeSet<(String, u32, u32)>,
        state: &State,
        summary: Option<&Summary>,
    ) {
        let lost: Vec<_> = self.history.difference(history).collect();
        assert!(lost.is_empty(), "stored before and lost: {lost:?}");
        let invented: Vec<_> = history.difference(&self.shown).collect();
        assert!(invented.is_empty(), "never shown: {invented:?}");
        let rejected = rows(
            archive,
            "SELECT instance_id, raw FROM rejected WHERE instance_id IS NOT NULL",
            |row| Ok((row.get(0)?, row.get(1)?)),
        );
        let lost: Vec<_> = self.rejected.difference(&rejected).collect();
        assert!(lost.is_empty(), "set aside before and lost: {lost:?}");
        let ledger: i64 = archive
            .query_row("SELECT count(*) FROM walks", [], |row| row.get(0))
            .unwrap();
        assert!(ledger >= self.ledger, "lines of the ledger were lost");
        self.ledger = ledger;
        self.rejected = rejected;
        let Some(summary) = summary.filter(|summary| summary.stopped.is_none()) else {
            return;
        };
        let read: BTreeSet<&str> = summary
            .instances
            .iter()
            .filter(|report| report.end.is_proven() || report.end == InstanceEnd::Unproven)
            .filter_map(|report| report.list.instance_id())
            .collect();
        for shown in &state.shown.tasks {
            assert!(
                !read.contains(shown.0.as_str()) || history.contains(shown),
                "shown and not stored: {shown:?}"
            );
        }
        for shown in &state.shown.junk {
            assert!(
                !read.contains(shown.0.as_str()) || self.rejected.contains(shown),
                "shown and not set aside: {shown:?}"
            );
        }
    }

    /// The mark is no later than the server's clock allows, and never moves back.
    fn marks(&mut self, archive: &Connection, state: &State, setting: &Setting, is_backfill: bool) {
        let marks: BTreeMap<String, String> = rows(
            archive,
            "SELECT instance_id, high_water_mark FROM instances WHERE high_water_mark IS NOT NULL",
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .into_iter()
        .collect();
        let skew = state.world.manner.skew.unwrap_or(setting.wall_skew);
        let latest = skew.max(setting.wall_skew);
        let limit = time(state.world.clock + latest + 5 * MINUTE + 1000).to_string();
        for (instance, mark) in &marks {
            assert!(
                *mark <= limit,
                "the mark of {instance} is in the future: {mark} after {limit}"
            );
        }
        for (instance, before) in &self.marks {
            let now = marks.get(instance);
            assert!(
                now.is_some_and(|now| now >= before),
                "the mark of {instance} went back from {before} to {now:?}"
            );
            assert!(
                !is_backfill || now == Some(before),
                "a backfill moved the mark of {instance}"
            );
        }
        self.marks = marks;
    }
}

/// P8: of the states of a task that were stored, the latest is the current one, where its times tell.
fn nothing_goes_back(
    archive: &Connection,
    history: &BTreeSet<(String, u32, u32)>,
    odd: &BTreeSet<(&str, u32)>,
) {
    let mut latest: BTreeMap<(&str, u32), u32> = BTreeMap::new();
    for (instance, id, version) in history {
        let held = latest.entry((instance, *id)).or_default();
        *held = (*version).max(*held);
    }
    let current = rows(
        archive,
        "SELECT instance_id, task_id, raw FROM task_revisions WHERE is_current",
        task,
    );
    assert_eq!(
        current.len(),
        latest.len(),
        "each task has one current state"
    );
    for (instance, id, version) in &current {
        let key = (instance.as_str(), *id);
        assert!(
            odd.contains(&key) || latest[&key] == *version,
            "t{id:04} of {instance} went back to {version} from {}",
            latest[&key]
        );
    }
}

/// P3: what is called gone is not there.
fn absence_is_true(archive: &Connection, state: &State) {
    let confirmed = rows(
        archive,
        "SELECT instance_id, task_id FROM tasks WHERE missing_confirmed_at IS NOT NULL",
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
    );
    let gone = rows(
        archive,
        "SELECT instance_id FROM instances WHERE gone_at IS NOT NULL",
        |row| row.get::<_, String>(0),
    );
    for instance in &state.world.instances {
        assert!(
            !instance.is_there || !gone.contains(&instance.id),
            "{} is there and called gone",
            instance.id
        );
        for task in &instance.tasks {
            let key = (instance.id.clone(), format!("t{:04}", task.id));
            assert!(
                !confirmed.contains(&key),
                "{key:?} is there and confirmed missing"
            );
        }
    }
}

/// What the file says of itself.
fn structure(archive: &Connection, ended: bool) {
    let text: String = archive
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(text, "ok");
    // Also of what a kill left.
    let mut faults = Vec::new();
    let verified = verify::verify(archive, READING, None, &mut |event| {
        if let verify::Event::Found(finding) = event
            && finding.weight == Weight::Fault
        {
            faults.push(finding);
        }
    });
    assert!(
        faults.is_empty() && verified.is_ok(),
        "it does not verify: {faults:#?}, {verified:?}"
    );
    let count = |sql: &str| -> i64 { archive.query_row(sql, [], |row| row.get(0)).unwrap() };
    let wrong = count(
        "SELECT count(*) FROM instance i WHERE (tasks, open_tasks, missing_tasks, confirmed_tasks) IS NOT (
           SELECT count(*), coalesce(sum(is_open), 0), count(missing_walk), count(confirmed_walk)
           FROM task t WHERE t.instance_key = i.instance_key)",
    );
    assert!(
        wrong == 0 || !ended,
        "the counters of an instance are not those of its rows"
    );
    let pending =
        count("SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM pending_task)");
    assert!(pending == 0 || !ended, "something is pending after a sync");
}

/// P2: a sync that calls itself complete has what was there throughout it.
fn complete(
    archive: &Connection,
    history: &BTreeSet<(String, u32, u32)>,
    state: &State,
    summary: &Summary,
    odd: &BTreeSet<(&str, u32)>,
) {
    every_listed_instance_was_read(state, summary);
    let read: BTreeSet<&str> = summary
        .instances
        .iter()
        .filter(|report| report.end.is_proven())
        .filter_map(|report| report.list.instance_id())
        .collect();
    let kinds: BTreeMap<String, String> = rows(
        archive,
        "SELECT instance_id, kind FROM walks w WHERE instance_id IS NOT NULL AND walk_id =
           (SELECT max(walk_id) FROM walks n WHERE n.instance_id = w.instance_id)",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .into_iter()
    .collect();
    let current: BTreeMap<(String, u32), u32> = rows(
        archive,
        "SELECT instance_id, task_id, raw FROM task_revisions WHERE is_current",
        task,
    )
    .into_iter()
    .map(|(instance, id, version)| ((instance, id), version))
    .collect();
    // What an incremental walk leaves to the full one: what is final, or has shown nothing new for a week.
    let left = rows(
        archive,
        "SELECT instance_id, task_id, raw FROM task_revisions r WHERE is_current AND (status <> 'EXECUTING' OR
           (SELECT max(observed_at) FROM task_revisions n WHERE n.task_key = r.task_key)
           <= strftime('%Y-%m-%dT%H:%M:%fZ', (SELECT max(finished_at) FROM walks w WHERE w.instance_id = r.instance_id), '-7 days'))",
        task,
    );
    let missing = rows(
        archive,
        "SELECT instance_id, task_id FROM tasks WHERE missing_since IS NOT NULL",
        |row| Ok((row.get::<_, String>(0)?, number(&row.get::<_, String>(1)?))),
    );
    let late: BTreeSet<(&str, u32)> = state
        .world
        .lives
        .iter()
        .filter(|life| life.is_late())
        .map(|life| (life.instance.as_str(), life.id))
        .collect();
    let hidden: BTreeSet<(&str, u32)> = match state.world.manner.filtering {
        Filtering::Hides(window) => {
            let lives = state.world.lives.iter();
            lives
                .filter(|life| life.created < state.world.clock - window)
                .map(|life| (life.instance.as_str(), life.id))
                .collect()
        }
        _ => BTreeSet::new(),
    };
    for (instance, id) in &state.shown.throughout {
        if !read.contains(instance.as_str()) {
            continue;
        }
        let key = (instance.clone(), *id);
        let short = (instance.as_str(), *id);
        // A copy that lagged may have lacked what is hidden now and so cannot clear itself; that is not confirmed then.
        let may_linger = hidden.contains(&short) && state.world.manner.lag > 0;
        assert!(
            may_linger || !missing.contains(&key),
            "t{id:04} of {instance} is there and called missing"
        );
        // What a list hides it does not show, and only what is about to be called missing makes anybody ask for it.
        if hidden.contains(&short) {
            continue;
        }
        let caught_up = kinds.get(instance).map(String::as_str) == Some("incremental");
        let Some(version) = current.get(&key) else {
            // An old record that came late and that a deletion balanced is the one thing that a count cannot show; but where
            // those of one time change their places while others go and come, one that nobody knows can slip through.
            let slipped = state.weather.change_every > 0 && may_slip(short, state);
            assert!(
                caught_up && late.contains(&short) || slipped,
                "complete, and t{id:04} of {instance} is not there"
            );
            continue;
        };
        let during = &state.shown.during[&key];
        let has = if odd.contains(&short) {
            during
                .iter()
                .any(|version| history.contains(&(instance.clone(), *id, *version)))
        } else {
            // A copy that lags may show less than the archive has.
            during.iter().any(|shown| shown <= version)
        };
        assert!(
            has || caught_up && left.contains(&(instance.clone(), *id, *version)),
            "complete, and t{id:04} of {instance} is stale"
        );
    }
}

/// The record has the time of another, and such change their places with each answer.
fn may_slip((instance, id): (&str, u32), state: &State) -> bool {
    let here = |life: &&Life| life.instance == instance;
    let mut lives = state.world.lives.iter().filter(here);
    let created = lives.clone().find(|life| life.id == id);
    state.world.manner.order == Order::Shuffled
        && created.is_some_and(|one| lives.any(|life| life.id != id && life.created == one.created))
}

/// The same of the list of instances.
fn every_listed_instance_was_read(state: &State, summary: &Summary) {
    let reported: BTreeSet<&str> = summary
        .instances
        .iter()
        .filter_map(|report| report.list.instance_id())
        .collect();
    let listed = summary
        .list
        .as_ref()
        .is_some_and(|report| report.list == List::Instances);
    if listed {
        for id in &state.shown.listed {
            assert!(
                reported.contains(id.as_str()),
                "complete, and instance {id} was not read"
            );
        }
    }
}

/// Every run ends, with no more requests than its lists explain.
fn bounded(state: &State, summary: &Summary) {
    let records: usize = state
        .world
        .instances
        .iter()
        .map(|instance| instance.tasks.len() + instance.junk.len() + 20)
        .sum();
    // A record a page, two readings of each, four walks, four attempts a request, and a few on top.
    let manner = &state.world.manner;
    // Other records on each page, whatever is asked for, are a list without an end: each walk goes on to its bound.
    let endless = manner.paging == Paging::IgnoresOffset && manner.order == Order::Shuffled;
    let bound = if endless { 4 * 1_100 } else { 0 } * state.world.instances.len();
    let most = u64::try_from(records * 2 * 5 * 4 + 200 + bound).unwrap();
    assert!(
        summary.requests <= most,
        "{} requests for {records} records",
        summary.requests
    );
}

/// What the ledger vouches for is true.
fn vouched(archive: &Connection, state: &State, setting: &Setting) {
    let manner = &state.world.manner;
    // A clock that is wrong, or a copy that is later than the settling time, is not told from the answers.
    let honest = manner.skew == Some(0) && setting.wall_skew == 0 && manner.lag <= 10 * MINUTE;
    if !honest {
        return;
    }
    let rules = Rules {
        max_gap: 36 * HOUR,
        settle: 15 * MINUTE,
    };
    let all = Window {
        since: None,
        until: None,
    };
    let around = ledger::Around::of(all, rules);
    let archived: BTreeSet<(String, u32)> =
        rows(archive, "SELECT instance_id, task_id FROM tasks", |row| {
            Ok((row.get(0)?, number(&row.get::<_, String>(1)?)))
        });
    for known in ledger::instances(archive, &[], around).unwrap() {
        let instance = &known.instance.key.instance_id;
        let spans = coverage::cover(&known.ledger, rules, all);
        let lives = state
            .world
            .lives
            .iter()
            .filter(|life| life.instance == *instance && !life.is_odd)
            .filter(|life| !archived.contains(&(life.instance.clone(), life.id)));
        for life in lives {
            let created = time(life.created);
            let span = spans.iter().find(|span| {
                span.window.since.is_none_or(|since| since <= created)
                    && span.window.until.is_none_or(|until| created < until)
            });
            let Some(span) = span else { continue };
            let claim = match span.state {
                coverage::State::Before | coverage::State::Closed => true,
                // What shows later than the settling time is known to nobody when it may be lacking.
                coverage::State::Vouched => {
                    !life.is_late()
                        && !may_slip((instance, life.id), state)
                        && lived(life, state) > span.widest.unwrap_or(0) + 15 * MINUTE
                        && !matches!(manner.filtering, Filtering::Hides(_))
                }
                _ => false,
            };
            assert!(
                !claim,
                "{instance} is {:?} at {created}, and t{:04} was created then and is not there",
                span.state, life.id
            );
        }
    }
}

/// How long a task stood in the list.
fn lived(life: &Life, state: &State) -> i64 {
    life.ended.unwrap_or(state.world.clock + 1000 * DAY) - life.shown
}

/// What a sync of a world at rest must come to.
pub(super) fn at_rest(place: &Place, state: &State, summary: &Summary, setting: &Setting) {
    let manner = &state.world.manner;
    let tells = |count| {
        matches!(
            count,
            Count::Whole | Count::Text | Count::Absent | Count::Page
        )
    };
    // One record a page cannot overlap with the next, and lists without order or end prove nothing.
    let provable = tells(manner.count)
        && tells(manner.list_count)
        && manner.page_cap > 1
        && manner.order != Order::Shuffled
        && matches!(manner.paging, Paging::Honest | Paging::Refuses(_));
    if !provable {
        return;
    }
    assert_eq!(
        summary.outcome,
        Outcome::Complete,
        "a world at rest can be proven: {summary:?}"
    );
    let archive = place.read();
    // By now the slowest clock has passed the times of all that is still shown, so they tell, unless it never will; but
    // only a full walk sees again what lies deep in a list.
    let hides = matches!(manner.filtering, Filtering::Hides(_));
    let confirms = setting.rules.mode == Mode::Full || setting.rules.full_every.is_some();
    let lives = state.world.lives.iter().filter(|life| {
        let is_settled = life.ended.is_none() && confirms && !hides && !setting.is_lost(state);
        life.is_odd || !is_settled && !setting.times_tell(state)
    });
    let odd = lives
        .map(|life| (life.instance.as_str(), life.id))
        .collect();
    let history = rows(
        &archive,
        "SELECT instance_id, task_id, raw FROM task_revisions",
        task,
    );
    nothing_goes_back(&archive, &history, &odd);
    for instance in &state.world.instances {
        if !instance.is_there
            || !instance.is_listed
            || instance.without_tasks
            || !instance.junk.is_empty()
            || manner.filtering == Filtering::Refused
            // The gone, deleted within the hidden window, cannot be told from the hidden.
            || hides
            || !confirms
        {
            continue;
        }
        let live: i64 = archive
            .query_row(
                "SELECT count(*) FROM tasks WHERE instance_id = ?1 AND missing_confirmed_at IS NULL",
                [&instance.id],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(
            usize::try_from(live).unwrap(),
            instance.tasks.len(),
            "what is gone from {} is called missing",
            instance.id
        );
    }
}
