//! What instances say of themselves: counters against tasks, marks against the ledger, attributes against their revisions.

use rusqlite::Row;

use super::{Error, Look, Promise, quoted};
use crate::model::time::Timestamp;
use crate::store::scan::instances::{ATTRIBUTES, attributes, each_revision, stored};

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Error> {
    look.stage("instances", None);
    revisions(look)?;
    let archive = look.archive;
    let mut statement = archive.prepare(
        "SELECT i.instance_key, i.name, i.engine, i.engine_version, i.spec_code, i.capacity_gb, i.status, i.created,
           i.revision, r.instance_key, i.mark, i.proven_walk, i.full_walk, i.first_walk, i.last_walk,
           i.tasks, i.open_tasks, i.missing_tasks, i.confirmed_tasks,
           r.name, r.engine, r.engine_version, r.spec_code, r.capacity_gb, r.status, r.created
         FROM instance i LEFT JOIN instance_revision r ON r.revision_key = i.revision ORDER BY i.instance_key",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let place = look.instance(key);
        counters(look, row, key, &place)?;
        ledger(look, row, key, &place)?;
        let (current, owner): (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
        if current.is_some() && owner != Some(key) {
            look.fault(
                Promise::Revisions,
                &place,
                "its current revision is not one of its own",
            );
        }
        let (own, told) = (stored(row, 1)?, stored(row, 19)?);
        for (name, (own, told)) in ATTRIBUTES.iter().zip(own.iter().zip(&told)) {
            if own != told {
                let what = format!(
                    "{name} is {}, and in its current revision it is {}",
                    quoted(own.as_deref()),
                    quoted(told.as_deref())
                );
                look.fault(Promise::Rows, &place, what);
            }
        }
    }
    Ok(())
}

fn counters(look: &mut Look<'_>, row: &Row<'_>, key: i64, place: &str) -> Result<(), Error> {
    let tally = look.tallies.get(&key).copied().unwrap_or_default();
    let counted = [tally.tasks, tally.open, tally.missing, tally.confirmed];
    for (index, (name, counted)) in ["tasks", "open_tasks", "missing_tasks", "confirmed_tasks"]
        .iter()
        .zip(counted)
        .enumerate()
    {
        let said: i64 = row.get(15 + index)?;
        if said != counted {
            let what = format!("{name} is {said}, and there are {counted}");
            look.fault(Promise::Counters, place, what);
        }
    }
    if tally.mark.is_some() && !tally.mark_was_shown {
        let what = "its mark is the time of no revision";
        look.fault(Promise::Mark, place, what);
    }
    Ok(())
}

fn ledger(look: &mut Look<'_>, row: &Row<'_>, key: i64, place: &str) -> Result<(), Error> {
    let lane = look.lanes.get(&key).copied().unwrap_or_default();
    let mark =
        |mark: Option<i64>| mark.map(|mark| moment(mark).unwrap_or_else(|| mark.to_string()));
    let walk = |walk: Option<i64>| walk.map(|walk| format!("walk {walk}"));
    let said = [
        ("mark", mark(row.get(10)?), mark(lane.mark)),
        ("proven_walk", walk(row.get(11)?), walk(lane.proven_walk)),
        ("full_walk", walk(row.get(12)?), walk(lane.full_walk)),
        ("first_walk", walk(row.get(13)?), walk(lane.first_walk)),
        ("last_walk", walk(row.get(14)?), walk(lane.last_walk)),
    ];
    for (name, said, proven) in said {
        if said != proven {
            let what = format!(
                "{name} is {}, and by the ledger it is {}",
                quoted(said.as_deref()),
                quoted(proven.as_deref())
            );
            look.fault(Promise::Mark, place, what);
        }
    }
    Ok(())
}

fn moment(millis: i64) -> Option<String> {
    Timestamp::from_millis(millis).map(|time| time.to_string())
}

/// What lists of instances told, against the text in which they told it.
fn revisions(look: &mut Look<'_>) -> Result<(), Error> {
    let reading = look.reading;
    each_revision(look.archive, |revision| {
        let place = format!(
            "{}, revision {}",
            look.instance(revision.instance_key),
            revision.key
        );
        if !revision.digest_holds {
            let what = "its text is not the one that its digest was made of";
            look.fault(Promise::Raw, &place, what);
        }
        let said = attributes(&(reading.instance)(&revision.raw));
        for (name, (stored, said)) in ATTRIBUTES.iter().zip(revision.stored.iter().zip(&said)) {
            if stored != said {
                let what = format!(
                    "{name} is {}, and by the raw text it is {}",
                    quoted(stored.as_deref()),
                    quoted(said.as_deref())
                );
                look.fault(Promise::Rows, &place, what);
            }
        }
        Ok(())
    })
}
