//! The hash chain: each link against the rows that it covers, each walk against what it brought, and what no link covers.

use std::collections::HashMap;

use super::{Error, Look, Promise};
use crate::model::Digest;
use crate::store::chain::{self, Brought, Link, hex};
use crate::store::scan::pending;

/// Walks whose revisions are digested side by side in one pass over all of them: some 30 MB. Hardly an archive has more
/// that brought something; one that has takes another pass for as many.
const AT_ONCE: i64 = 250_000;

/// Lines told of one kind of row that no link covers; where there are more, they say the same.
const LINES: u32 = 100;

pub(super) fn look(look: &mut Look<'_>, expected: Option<&Digest>) -> Result<(), Error> {
    let archive = look.archive;
    let steps: i64 = archive.query_row("SELECT count(*) FROM link", [], |row| row.get(0))?;
    look.stage("hash chain", steps.try_into().ok());
    let mut last: Option<Link> = None;
    let mut found = None;
    chain::each::<Error>(archive, |link| {
        look.verified.links += 1;
        look.step(look.verified.links);
        if chain::head_of(archive, last.as_ref(), link.reach, &link.state)? != link.head {
            let from = last.map_or(0, |last| last.reach.walk());
            let what = format!(
                "its link does not follow from the link before it and what was written since: that sync's row, ledger \
                 lines {} to {}, a journal entry, a rejected record or a revision of an instance was altered, removed or \
                 added",
                from.saturating_add(1),
                link.reach.walk()
            );
            look.fault(Promise::Chain, format!("sync {}", link.reach.sync()), what);
        }
        if Some(&link.head) == expected {
            found = Some((link.reach.sync(), look.verified.links));
        }
        last = Some(*link);
        Ok(())
    })?;
    beyond(look, last.as_ref())?;
    if let Some(expected) = expected {
        head(look, expected, found);
    }
    brought(look)
}

fn head(look: &mut Look<'_>, expected: &Digest, found: Option<(i64, u64)>) {
    let place = hex(expected);
    match found {
        None => look.fault(
            Promise::Head,
            place,
            "the chain does not contain this head: syncs that the archive held were cut off or replaced, or the head is \
             that of another archive",
        ),
        Some((sync, number)) => {
            let since = look.verified.links - number;
            let what = format!("it is the head of sync {sync}; syncs that ended since: {since}");
            look.note(Promise::Head, place, what);
        }
    }
}

/// What stands behind the last link, which only a sync that has not ended may have written.
fn beyond(look: &mut Look<'_>, last: Option<&Link>) -> Result<(), Error> {
    let archive = look.archive;
    let mut statement = archive.prepare(
        "SELECT s.sync_key FROM sync s
         WHERE s.exit_code IS NOT NULL AND NOT EXISTS (SELECT 1 FROM link l WHERE l.sync_key = s.sync_key) LIMIT ?1",
    )?;
    let unlinked = statement.query_map([LINES], |row| row.get(0))?;
    for sync in unlinked.collect::<rusqlite::Result<Vec<i64>>>()? {
        let what = "it has ended, and the chain has no link of it: links were removed";
        look.fault(Promise::Chain, format!("sync {sync}"), what);
    }
    let reach = last.map_or_else(Default::default, |link| link.reach);
    let [walk, journal, rejected, revision, sync] = reach.0;
    let checks = [
        (
            "walk",
            "SELECT walk_key FROM walk WHERE walk_key > ?1 AND sync_key <= ?2 LIMIT ?3",
            walk,
            sync,
        ),
        (
            "journal",
            "SELECT journal_key FROM journal WHERE journal_key > ?1 AND walk_key <= ?2 LIMIT ?3",
            journal,
            walk,
        ),
        (
            "rejected_record",
            "SELECT rejected_key FROM rejected_record WHERE rejected_key > ?1 AND first_walk <= ?2 LIMIT ?3",
            rejected,
            walk,
        ),
        (
            "instance_revision",
            "SELECT revision_key FROM instance_revision WHERE revision_key > ?1 AND walk_key <= ?2 LIMIT ?3",
            revision,
            walk,
        ),
    ];
    for (table, sql, after, within) in checks {
        let mut statement = archive.prepare(sql)?;
        let keys =
            statement.query_map(rusqlite::params![after, within, LINES], |row| row.get(0))?;
        for key in keys.collect::<rusqlite::Result<Vec<i64>>>()? {
            let what = "it was added behind the last link and belongs before it";
            look.fault(Promise::Chain, format!("{table} {key}"), what);
        }
    }
    let newest: i64 =
        archive.query_row("SELECT coalesce(max(sync_key), 0) FROM sync", [], |row| {
            row.get(0)
        })?;
    if newest > sync {
        let what = "it has not ended, or was killed: what it wrote is in no link yet, and the marks are not compared with \
                    what the sync before left";
        look.note(Promise::Chain, format!("sync {newest}"), what);
        return Ok(());
    }
    if let Some(last) = last
        && chain::state(archive)? != last.state
    {
        let what = "projects or instances (marks, proven walks, gone, left out) are not as this sync left them";
        look.fault(Promise::Mark, format!("sync {sync}"), what);
    }
    Ok(())
}

/// What walks brought, against the digest in their ledger lines.
fn brought(look: &mut Look<'_>) -> Result<(), Error> {
    let archive = look.archive;
    let pending = pending(archive)?;
    let mut lines = archive.prepare(
        "SELECT walk_key, digest FROM walk WHERE digest IS NOT NULL AND walk_key > ?1 ORDER BY walk_key LIMIT ?2",
    )?;
    let mut after = i64::MIN;
    loop {
        let mut walks: HashMap<i64, Brought> = HashMap::new();
        let mut rows = lines.query([after, AT_ONCE])?;
        let mut last = after;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            walks.insert(last, Brought::default());
        }
        drop(rows);
        let is_last = i64::try_from(walks.len()).is_ok_and(|count| count < AT_ONCE);
        let to = if is_last { i64::MAX } else { last };
        let strangers = fold(look, &mut walks, (after, to))?;
        for walk in strangers.into_iter().filter(|walk| !pending.contains(walk)) {
            let what = "it brought something, and its ledger line knows of nothing";
            look.fault(Promise::Chain, format!("walk {walk}"), what);
        }
        let mut rows = lines.query([after, AT_ONCE])?;
        while let Some(row) = rows.next()? {
            let walk: i64 = row.get(0)?;
            let stored: Option<Digest> = row.get(1).ok();
            if walks.get(&walk).and_then(Brought::digest) != stored {
                let what = "the revisions and absences that it brought are not those of its ledger line: one was altered, \
                            removed or added";
                look.fault(Promise::Chain, format!("walk {walk}"), what);
            }
        }
        if is_last {
            return Ok(());
        }
        after = last;
    }
}

/// Digests what the walks between two keys brought; returns some that brought something and have no digest.
fn fold(
    look: &mut Look<'_>,
    walks: &mut HashMap<i64, Brought>,
    (after, to): (i64, i64),
) -> Result<Vec<i64>, Error> {
    let archive = look.archive;
    let steps: i64 =
        archive.query_row("SELECT coalesce(max(task_key), 0) FROM task", [], |row| {
            row.get(0)
        })?;
    look.stage("what walks brought", steps.try_into().ok());
    let mut strangers = Vec::new();
    let mut stranger = |walk: i64| {
        if walk > after
            && walk <= to
            && strangers.len() < LINES as usize
            && !strangers.contains(&walk)
        {
            strangers.push(walk);
        }
    };
    let mut statement = archive.prepare(
        "SELECT r.revision_key, r.walk_key, t.id, r.digest, r.adopted
         FROM revision r LEFT JOIN task t ON t.task_key = r.revision_key / 1048576 ORDER BY r.revision_key",
    )?;
    let mut rows = statement.query([])?;
    let mut done = 0;
    while let Some(row) = rows.next()? {
        done += 1;
        look.step(done);
        let walk = row.get(1)?;
        match walks.get_mut(&walk) {
            Some(brought) => {
                let cells = [row.get_ref(2)?, row.get_ref(3)?, row.get_ref(4)?];
                brought.revision(row.get(0)?, cells);
            }
            None => stranger(walk),
        }
    }
    let mut statement = archive.prepare(
        "SELECT task_key, walk_key, kind, seen_walk FROM absence ORDER BY task_key, walk_key",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let walk = row.get(1)?;
        match walks.get_mut(&walk) {
            Some(brought) => brought.absence(row.get(0)?, row.get(2)?, row.get(3)?),
            None => stranger(walk),
        }
    }
    Ok(strangers)
}
