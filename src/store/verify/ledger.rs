//! The ledger against itself, and against the rows that its walks brought.

use std::collections::HashMap;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::types::ValueRef;
use rusqlite::{Row, named_params};

use super::{Error, Look, Promise, quoted};
use crate::model::absence::CONFIRM_AFTER;
use crate::model::status;
use crate::store::chain::sha256;
use crate::store::scan::{pending, text};

/// What the walks of one instance say of it, the last one first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) mark: Option<i64>,
    pub(super) proven_walk: Option<i64>,
    pub(super) full_walk: Option<i64>,
    pub(super) first_walk: Option<i64>,
    pub(super) last_walk: Option<i64>,
}

/// What must not be: what it would belong to, the question that finds it, and what is said of each row of the answer.
const NEVER: [(Promise, &str, &str); 11] = [
    (
        Promise::Ledger,
        "SELECT 'walk ' || w.walk_key FROM walk w
         LEFT JOIN (SELECT walk_key, sum(kind < 3) AS missing, sum(kind = 4) AS reappeared FROM absence GROUP BY walk_key) a
           ON a.walk_key = w.walk_key
         WHERE w.kind <> 'instances' AND w.walk_key NOT IN (SELECT walk_key FROM pending)
           AND (w.missing, w.reappeared) IS NOT (coalesce(a.missing, 0), coalesce(a.reappeared, 0))",
        "the tasks that it missed or met again are not as many as its ledger line says",
    ),
    (
        Promise::Absence,
        "SELECT 'task ' || t.task_id FROM absence a JOIN task t ON t.task_key = a.task_key
         LEFT JOIN walk w ON w.walk_key = a.walk_key
         WHERE w.instance_key IS NOT t.instance_key OR (a.kind <> 4 AND (w.proven = 0 OR w.kind <> 'full'))",
        "it was called missing by a walk that proved no such thing",
    ),
    (
        Promise::Absence,
        "SELECT 'task ' || t.task_id FROM task t JOIN walk m ON m.walk_key = t.missing_walk
         JOIN walk c ON c.walk_key = t.confirmed_walk
         WHERE t.missing_walk IS NOT NULL AND abs(c.started - m.finished) < :wait",
        "its absence was confirmed sooner than an hour after it was missed",
    ),
    (
        Promise::Ledger,
        "SELECT 'rejected record ' || r.rejected_key FROM rejected_record r
         JOIN walk f ON f.walk_key = r.first_walk JOIN walk l ON l.walk_key = r.last_walk
         WHERE r.last_walk < r.first_walk OR f.rejected = 0 OR l.rejected = 0
           OR (f.instance_key, f.project_key) IS NOT (r.instance_key, r.project_key)
           OR (l.instance_key, l.project_key) IS NOT (r.instance_key, r.project_key)",
        "the walks that are said to have met it cannot have",
    ),
    (
        Promise::Ledger,
        "SELECT 'walk ' || w.walk_key FROM walk w
         JOIN (SELECT last_walk, count(*) AS met FROM rejected_record GROUP BY last_walk) r ON r.last_walk = w.walk_key
         WHERE r.met > w.rejected",
        "more rejected records were met by it last than its ledger line knows of",
    ),
    (
        // A walk that a kill ended did not come to note what it met again.
        Promise::Ledger,
        "SELECT 'walk ' || w.walk_key FROM (
           SELECT max(walk_key) AS walk_key FROM walk
           WHERE rejected > 0 AND reason <> 'interrupted' AND walk_key NOT IN (SELECT walk_key FROM pending)
           GROUP BY instance_key, project_key) l
         JOIN walk w ON w.walk_key = l.walk_key
         WHERE w.rejected > (
           SELECT count(*) FROM rejected_record r
           WHERE r.last_walk >= w.walk_key AND (r.instance_key, r.project_key) IS (w.instance_key, w.project_key))",
        "fewer rejected records were met by it or later than its ledger line knows of",
    ),
    (
        Promise::Ledger,
        "SELECT 'walk ' || p.walk_key FROM pending p LEFT JOIN walk w ON w.walk_key = p.walk_key
         LEFT JOIN sync s ON s.sync_key = w.sync_key WHERE s.sync_key IS NULL OR s.outcome IS NOT NULL",
        "it is hidden as one that has not ended, and its sync has ended",
    ),
    (
        Promise::Ledger,
        "SELECT DISTINCT 'walk ' || walk_key FROM pending_task WHERE walk_key NOT IN (SELECT walk_key FROM pending)",
        "it has ended, and tasks still wait for its end",
    ),
    (
        Promise::Rows,
        "SELECT 'status ' || status_key FROM status WHERE is_final NOT IN (0, 1)",
        "whether it is final is said neither with 1 nor with 0",
    ),
    (
        Promise::Rows,
        "SELECT 'attribute ' || attribute_key FROM attribute WHERE folded NOT IN (0, 1) OR source NOT IN ('details', 'params')",
        "it is neither of details nor of params, or neither folded nor not",
    ),
    (
        Promise::Ledger,
        "SELECT 'instance ' || i.instance_id FROM instance i
         LEFT JOIN walk f ON f.walk_key = i.listed_walk
         WHERE i.listed_walk IS NOT NULL AND (f.kind, f.proven, f.project_key) IS NOT ('instances', 1, i.project_key)",
        "it is said to be listed by a walk that proved no list of instances",
    ),
];

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Error> {
    let steps: i64 = look
        .archive
        .query_row("SELECT count(*) FROM walk", [], |row| row.get(0))?;
    look.stage("ledger", steps.try_into().ok());
    walks(look)?;
    for (promise, sql, what) in NEVER {
        let mut statement = look.archive.prepare(sql)?;
        let wait = named_params! {":wait": CONFIRM_AFTER};
        let mut rows = if statement.parameter_count() == 0 {
            statement.query([])?
        } else {
            statement.query(wait)?
        };
        while let Some(row) = rows.next()? {
            look.fault(promise, text(row, 0)?.unwrap_or_default(), what);
        }
    }
    statuses(look)?;
    rejected(look)
}

/// Every visible walk in the order in which they began.
fn walks(look: &mut Look<'_>) -> Result<(), Error> {
    let archive = look.archive;
    let pending = pending(archive)?;
    let mut lanes: HashMap<i64, Lane> = HashMap::new();
    // Off the index, in the order of walks.
    let mut new = archive
        .prepare("SELECT first_walk, count(*) FROM task GROUP BY first_walk ORDER BY first_walk")?;
    let mut new = new.query([])?;
    new.advance()?;
    let mut statement = archive.prepare(
        "SELECT walk_key, instance_key, kind, proven, error IS NULL OR received > 0, new, mark_before, mark_after, started, finished
         FROM walk ORDER BY walk_key",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let walk: i64 = row.get(0)?;
        if pending.contains(&walk) {
            continue;
        }
        look.verified.walks += 1;
        look.step(look.verified.walks);
        let mut brought = 0;
        while let Some((first, count)) = counted(new.get())?
            && first <= walk
        {
            brought = if first == walk { count } else { brought };
            new.advance()?;
        }
        let place = format!("walk {walk}");
        let (started, finished): (i64, i64) = (row.get(8)?, row.get(9)?);
        if finished < started {
            look.fault(Promise::Ledger, &place, "it ended before it began");
        }
        let Some(instance) = row.get::<_, Option<i64>>(1)? else {
            continue;
        };
        let said: i64 = row.get(5)?;
        if said != brought {
            let what =
                format!("{brought} tasks were first shown by it, and its ledger line says {said}");
            look.fault(Promise::Ledger, &place, what);
        }
        follow(look, lanes.entry(instance).or_default(), row, &place)?;
    }
    look.lanes = lanes;
    Ok(())
}

fn counted(row: Option<&Row<'_>>) -> rusqlite::Result<Option<(i64, i64)>> {
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Takes one more walk of an instance: the mark goes on from where the walk before left it, and only a proof moves it.
fn follow(look: &mut Look<'_>, lane: &mut Lane, row: &Row<'_>, place: &str) -> Result<(), Error> {
    let walk: i64 = row.get(0)?;
    let kind = text(row, 2)?.unwrap_or_default();
    let (is_proven, is_answered): (bool, bool) = (row.get(3)?, row.get(4)?);
    let (before, after): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
    let vouches = is_proven && kind != "backfill";
    if before != lane.mark {
        look.fault(
            Promise::Mark,
            place,
            "it did not begin at the mark that the walk before it left",
        );
    }
    if after < before || (after != before && !vouches) {
        look.fault(
            Promise::Mark,
            place,
            "it moved the mark back, or moved it without a proof",
        );
    }
    lane.mark = after;
    if vouches {
        lane.proven_walk = Some(walk);
        if kind == "full" {
            lane.full_walk = Some(walk);
        }
    }
    if is_answered {
        lane.first_walk = lane.first_walk.or(Some(walk));
        lane.last_walk = Some(walk);
    }
    Ok(())
}

/// A status that this program knows as final is kept as one.
fn statuses(look: &mut Look<'_>) -> Result<(), Error> {
    let mut statement = look.archive.prepare("SELECT name, is_final FROM status")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = text(row, 0)?.unwrap_or_default();
        if status::is_final(&name) && row.get::<_, i64>(1)? == 0 {
            let place = format!("status {}", quoted(Some(&name)));
            look.fault(
                Promise::Rows,
                place,
                "it is final, and is kept as one that is not",
            );
        }
    }
    Ok(())
}

/// The records that could not be read, against their digests.
fn rejected(look: &mut Look<'_>) -> Result<(), Error> {
    let mut statement = look
        .archive
        .prepare("SELECT rejected_key, digest, raw FROM rejected_record ORDER BY rejected_key")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let holds = match (row.get_ref(1)?, row.get_ref(2)?) {
            (ValueRef::Blob(digest), ValueRef::Text(raw) | ValueRef::Blob(raw)) => {
                digest == sha256(raw)
            }
            _ => false,
        };
        if !holds {
            let key: i64 = row.get(0)?;
            let what = "its text is not the one that its digest was made of";
            look.fault(Promise::Raw, format!("rejected record {key}"), what);
        }
    }
    Ok(())
}
