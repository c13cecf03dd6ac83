//! Every task: its texts against their digests, its rows against its texts, which revision is current, and what is missing.

use std::collections::HashMap;
use std::ops::ControlFlow;

use rusqlite::Connection;

use super::{Error, Look, Promise, absences, quoted};
use crate::model::replay::{self, Finality, Observed};
use crate::model::status;
use crate::model::time::Timestamp;
use crate::store::scan::{self, Flags, Item, Task};

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Error> {
    let steps: Option<i64> =
        look.archive
            .query_row("SELECT max(task_key) FROM task", [], |row| row.get(0))?;
    look.stage("tasks", steps.and_then(|steps| steps.try_into().ok()));
    let (archive, reading) = (look.archive, look.reading);
    let clock = Clock::of(archive)?;
    scan::tasks(archive, reading, scan::BEFORE_ALL, |item| {
        match item {
            Item::Stray(table, key) => look.fault(
                Promise::Rows,
                format!("task number {key}"),
                format!("there is no such task, and rows of {table} belong to it"),
            ),
            Item::Task(task) => {
                look.verified.tasks += 1;
                look.verified.revisions += task.observed.len() as u64;
                look.step(look.verified.tasks);
                let place = format!("task {} of {}", task.id, look.instance(task.instance_key));
                rows(look, &task, &place);
                revisions(look, &task, &place, &clock);
                absence(look, &task, &place);
                tally(look, &task);
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// What the ledger tells of the clocks that it was written by.
struct Clock {
    /// The latest moment that it knows.
    last: Timestamp,
    /// The walks that a later one began before, and the earliest such beginning: few, or the clock was wrong for long.
    set_back: HashMap<i64, Timestamp>,
}

impl Clock {
    fn of(archive: &Connection) -> Result<Self, Error> {
        let last: Option<i64> =
            archive.query_row("SELECT max(finished) FROM walk", [], |row| row.get(0))?;
        let mut statement = archive.prepare(
            "SELECT walk_key, later FROM (
               SELECT walk_key, started, min(started) OVER (
                 ORDER BY walk_key DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS later
               FROM walk)
             WHERE later < started - ?1",
        )?;
        let mut rows = statement.query([replay::SLACK])?;
        let mut set_back = HashMap::new();
        while let Some(row) = rows.next()? {
            if let Some(later) = Timestamp::from_millis(row.get(1)?) {
                set_back.insert(row.get(0)?, later);
            }
        }
        Ok(Self {
            last: last
                .and_then(Timestamp::from_millis)
                .unwrap_or(Timestamp::EPOCH),
            set_back,
        })
    }
}

fn rows(look: &mut Look<'_>, task: &Task, place: &str) {
    if !task.id_is_in_form {
        look.fault(
            Promise::Rows,
            place,
            "its id is not kept in the form that such an id has",
        );
    }
    for revision in task
        .observed
        .iter()
        .filter(|revision| !revision.digest_holds)
    {
        look.fault(
            Promise::Raw,
            format!("{place}, revision {}", revision.number),
            "its text is not the one that its digest was made of",
        );
    }
    for difference in task.differences() {
        let place = difference.revision.map_or_else(
            || place.to_owned(),
            |number| format!("{place}, revision {number}"),
        );
        let what = format!(
            "{} {} is {}, and by the raw text it is {}",
            difference.table,
            difference.name,
            quoted(difference.stored.as_deref()),
            quoted(difference.said.as_deref())
        );
        look.fault(Promise::Rows, place, what);
    }
}

fn revisions(look: &mut Look<'_>, task: &Task, place: &str, clock: &Clock) {
    let numbers = task.observed.iter().map(|revision| revision.number);
    let last_number = task.observed.last().map_or(0, |revision| revision.number);
    if !numbers.eq(1..=last_number) || task.revisions != last_number {
        let what = format!(
            "{} revisions up to number {last_number} are there, and {} are said to be",
            task.observed.len(),
            task.revisions
        );
        look.fault(Promise::Revisions, place, what);
    }
    for revision in &task.observed {
        let owner = revision.walk.map(|(owner, ..)| owner);
        if owner != Some(Some(task.instance_key)) {
            let what = format!(
                "revision {} was brought by walk {}, which read something else",
                revision.number, revision.walk_key
            );
            look.fault(Promise::Revisions, place, what);
        }
    }
    if let Some(first) = task.observed.first()
        && first.walk_key != task.first_walk
    {
        let what = format!(
            "walk {} is said to have shown it first, and walk {} brought its first revision",
            task.first_walk, first.walk_key
        );
        look.fault(Promise::Revisions, place, what);
    }
    let Some(place_of_current) = task
        .observed
        .iter()
        .position(|revision| revision.number == task.revision)
    else {
        let what = format!(
            "its current revision, number {}, is not there",
            task.revision
        );
        return look.fault(Promise::Revisions, place, what);
    };
    if task.observed.len() < 2 {
        return;
    }
    let observed: Vec<_> = task
        .observed
        .iter()
        .filter_map(|revision| observed(revision, clock))
        .collect();
    if observed.len() == task.observed.len()
        && !replay::may_be_current(&observed, clock.last)[place_of_current]
    {
        let what = format!(
            "revision {} is current, and by the rules it cannot be",
            task.revision
        );
        return look.fault(Promise::Revisions, place, what);
    }
    if task.revision != task.revisions {
        let what = format!(
            "what was observed last (revision {}) is older than its current state (revision {})",
            task.revisions, task.revision
        );
        look.note(Promise::Revisions, place, what);
    }
}

fn observed(revision: &scan::Revision, clock: &Clock) -> Option<Observed> {
    let (_, started, finished) = revision.walk?;
    let is_known = revision.status.as_deref().is_some_and(status::is_final);
    Some(Observed {
        status: revision.status.clone(),
        updated: revision.updated.and_then(Timestamp::from_millis),
        is_adopted: revision.is_adopted,
        finality: match (is_known, revision.is_final) {
            (true, _) => Finality::Final,
            (false, true) => Finality::Declared,
            (false, false) => Finality::Open,
        },
        between: (started, finished),
        since: *clock.set_back.get(&revision.walk_key).unwrap_or(&started),
    })
}

fn absence(look: &mut Look<'_>, task: &Task, place: &str) {
    match absences::flags(&task.absences) {
        Err(what) => look.fault(Promise::Absence, place, what),
        Ok(flags) if flags != task.flags => {
            let what = format!(
                "it {}, and by what walks concluded it {}",
                told(&task.flags),
                told(&flags)
            );
            look.fault(Promise::Absence, place, what);
        }
        Ok(_) => {}
    }
}

fn told(flags: &Flags) -> String {
    let seen = flags
        .seen_walk
        .map_or(String::new(), |walk| format!(", seen last by walk {walk}"));
    let Some(walk) = flags.missing_walk else {
        let odd = match (flags.confirmed_walk, flags.missing_as.as_deref()) {
            (None, None) => String::new(),
            (confirmed, word) => format!(", confirmed by {confirmed:?} as {}", quoted(word)),
        };
        return format!("is not missing{odd}{seen}");
    };
    let word = flags.missing_as.as_deref().unwrap_or("nothing");
    let confirmed = flags
        .confirmed_walk
        .map_or(String::new(), |walk| format!(", confirmed by walk {walk}"));
    format!("is missing since walk {walk} as {word}{confirmed}{seen}")
}

fn tally(look: &mut Look<'_>, task: &Task) {
    let is_open = task
        .said_final()
        .map_or(task.is_open, |is_final| i64::from(!is_final));
    let Some(tally) = look.tallies.get_mut(&task.instance_key) else {
        return look.fault(
            Promise::Rows,
            format!("task {}", task.id),
            "it belongs to an instance that is not there",
        );
    };
    tally.tasks += 1;
    tally.open = tally.open.saturating_add(is_open);
    tally.missing += i64::from(task.flags.missing_walk.is_some());
    tally.confirmed += i64::from(task.flags.confirmed_walk.is_some());
    if let Some(mark) = tally.mark {
        let at_mark = |revision: &scan::Revision| revision.updated == Some(mark);
        tally.mark_was_shown |= task.observed.iter().any(at_mark);
    }
}
