//! How a host behaves, as far as it was found out: the findings that hold, and the journal of those that no longer do.
//!
//! Findings come from `doctor`, which looks for them, and from a sync, which meets some in passing. A sync that meets
//! nothing new writes nothing here. What a finding means beside another is decided in [`crate::model::upstream`].

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::model::{
    json::sample,
    rows::DriftKind,
    time::Timestamp,
    upstream::{Aspect, Finding, Told, Turn, compare},
};
use crate::store::{Error, write::Archive};

/// A finding as the archive keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) finding: String,
    /// Since when it holds.
    pub(crate) first_seen: Timestamp,
}

/// Who found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Somebody who looked for it: that it still holds is worth a note.
    Doctor,
    /// A sync in passing, by its key.
    Sync(i64),
}

/// A finding that no longer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) aspect: Aspect,
    pub(crate) before: String,
    pub(crate) now: String,
    pub(crate) evidence: String,
    /// This very change was not met before.
    pub(crate) is_first: bool,
}

/// Returns the finding that is kept of an aspect.
pub(crate) fn kept(
    connection: &Connection,
    host: &str,
    aspect: Aspect,
) -> Result<Option<Kept>, Error> {
    let kept = connection
        .prepare_cached("SELECT finding, first_seen FROM manner WHERE host = ?1 AND aspect = ?2")?
        .query_row([host, aspect.as_str()], |row| {
            Ok(Kept {
                finding: row.get(0)?,
                first_seen: Timestamp::from_millis(row.get(1)?).unwrap_or(Timestamp::EPOCH),
            })
        })
        .optional()?;
    Ok(kept)
}

impl Archive {
    /// Keeps findings, and returns those that contradict what was kept of the host.
    pub(crate) fn note_findings(
        &mut self,
        host: &str,
        findings: &[Finding],
        by: By,
        now: Timestamp,
    ) -> Result<Vec<Changed>, Error> {
        let mut changes = Vec::new();
        for finding in findings {
            let Told::Known { word, evidence } = &finding.told else {
                continue;
            };
            let kept = kept(&self.writable.connection, host, finding.aspect)?;
            let kept = kept.map(|kept| kept.finding);
            match (compare(finding.aspect, kept.as_deref(), word), kept, by) {
                (Turn::Same, _, By::Sync(_)) => {}
                (Turn::Same, _, By::Doctor) => self.seen_again(host, finding.aspect, now)?,
                (Turn::Changed, Some(before), _) => {
                    self.keep(host, finding.aspect, (word, evidence), now)?;
                    let what = format!(
                        "{} at {host}: {before}, now {word}",
                        finding.aspect.as_str()
                    );
                    changes.push(Changed {
                        aspect: finding.aspect,
                        before,
                        now: word.clone(),
                        evidence: evidence.clone(),
                        is_first: self.journal_manner(&what, evidence, by, now)?,
                    });
                }
                (Turn::First | Turn::Finer | Turn::Changed, ..) => {
                    self.keep(host, finding.aspect, (word, evidence), now)?;
                }
            }
        }
        Ok(changes)
    }

    fn keep(
        &mut self,
        host: &str,
        aspect: Aspect,
        (word, evidence): (&str, &str),
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write()?;
        self.writable
            .connection
            .prepare_cached(
                "INSERT INTO manner(host, aspect, finding, evidence, first_seen, last_seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                 ON CONFLICT(host, aspect) DO UPDATE
                 SET finding = ?3, evidence = ?4, first_seen = ?5, last_seen = ?5",
            )?
            .execute(params![host, aspect.as_str(), word, evidence, now.millis()])?;
        Ok(())
    }

    fn seen_again(&mut self, host: &str, aspect: Aspect, now: Timestamp) -> Result<(), Error> {
        self.write()?;
        self.writable
            .connection
            .prepare_cached(
                "UPDATE manner SET last_seen = max(last_seen, ?3) WHERE host = ?1 AND aspect = ?2",
            )?
            .execute(params![host, aspect.as_str(), now.millis()])?;
        Ok(())
    }

    /// Journals a change, of a sync under its last walk; says whether it stands there for the first time.
    fn journal_manner(
        &mut self,
        what: &str,
        evidence: &str,
        by: By,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write()?;
        let connection = &self.writable.connection;
        let walk: Option<i64> = match by {
            By::Doctor => None,
            By::Sync(sync_key) => connection
                .prepare_cached("SELECT max(walk_key) FROM walk WHERE sync_key = ?1")?
                .query_row([sync_key], |row| row.get(0))?,
        };
        let seen = walk.is_none().then(|| now.millis());
        let added = connection
            .prepare_cached(
                "INSERT OR IGNORE INTO journal(walk_key, seen, kind, what, sample) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                walk,
                seen,
                DriftKind::Upstream.as_str(),
                what,
                sample(evidence)
            ])?;
        Ok(added > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::{InstanceRow, Normalized, Reading};
    use crate::model::upstream::word;
    use crate::store::open;

    const READING: Reading = Reading {
        normalize: |_, _| Normalized::default(),
        form: |_, _| None,
        instance: |_| InstanceRow::default(),
    };

    fn archive() -> (tempfile::TempDir, Archive) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let archive = Archive::new(open::writable(&path, at(0)).unwrap(), READING);
        (folder, archive)
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + day * crate::model::time::DAY).unwrap()
    }

    fn rows(archive: &Archive, sql: &str) -> Vec<String> {
        let mut statement = archive.writable.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    const MANNERS: &str = "SELECT host || '|' || what || '|' || finding || '|' || evidence || '|' || substr(first_seen_at, 1, 10)
         || '|' || substr(last_seen_at, 1, 10) FROM upstream ORDER BY host, what";

    fn counted(word: &str) -> [Finding; 1] {
        [Finding::known(
            Aspect::Count,
            word,
            format!("{word} was seen"),
        )]
    }

    #[test]
    fn a_finding_is_kept_with_the_time_that_it_holds_since_and_a_change_is_journalled() {
        let (_folder, mut archive) = archive();
        let mut note = |word: &str, by, day| {
            let changes = archive.note_findings("h", &counted(word), by, at(day));
            let changes = changes.unwrap();
            let first = changes.first().map(|change| change.is_first);
            (
                first,
                rows(&archive, MANNERS),
                rows(&archive, "SELECT what FROM drift"),
            )
        };
        let row = |word: &str, first: &str, last: &str| {
            vec![format!("h|count|{word}|{word} was seen|{first}|{last}")]
        };
        let [one, two, three] = ["2026-09-21", "2026-09-22", "2026-09-23"];
        let total = row("total", one, one);
        assert_eq!(
            note(word::TOTAL, By::Sync(7), 0),
            (None, total.clone(), vec![])
        );
        // A sync that meets the same writes nothing.
        assert_eq!(note(word::TOTAL, By::Sync(8), 1), (None, total, vec![]));
        let again = row("total", one, two);
        assert_eq!(note(word::TOTAL, By::Doctor, 1), (None, again, vec![]));
        let drift = vec!["count at h: total, now page".to_owned()];
        let page = row("page", three, three);
        assert_eq!(
            note(word::PAGE, By::Doctor, 2),
            (Some(true), page.clone(), drift.clone())
        );
        assert_eq!(note(word::NO_TOTAL, By::Sync(9), 3), (None, page, drift));
        let (first, _, _) = note(word::TOTAL, By::Doctor, 4);
        assert_eq!(first, Some(true));
        let (first, _, drift) = note(word::PAGE, By::Doctor, 5);
        assert_eq!((first, drift.len()), (Some(false), 2));
    }

    #[test]
    fn what_cannot_be_told_leaves_what_is_kept_and_hosts_have_findings_of_their_own() {
        let (_folder, mut archive) = archive();
        let untold = [Finding::cannot_be_told(Aspect::Count, "no list")];
        for (host, findings) in [("h", &counted("total")), ("h", &untold), ("i", &untold)] {
            let changes = archive.note_findings(host, findings, By::Doctor, at(0));
            assert_eq!(changes.unwrap(), []);
        }
        assert_eq!(rows(&archive, MANNERS).len(), 1);
        let kept = kept(&archive.writable.connection, "h", Aspect::Count).unwrap();
        let expected = Kept {
            finding: "total".to_owned(),
            first_seen: at(0),
        };
        assert_eq!(kept, Some(expected));
    }
}
