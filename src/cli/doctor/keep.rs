//! The archive of a doctor: read if it is there, written to if nobody else writes, and never made.
//!
//! It is opened for writing only once everything was asked, so that no sync waits for the questions. Whatever keeps the
//! findings from being stored is a row of the report and no failure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::identity::Fact;
use crate::cli::error::CliError;
use crate::cli::paths::Db;
use crate::model::ledger::{Endpoint, ListKind};
use crate::model::time::Timestamp;
use crate::model::upstream::Aspect;
use crate::store::upstream::{self, By, Changed, Kept};
use crate::store::write::Archive;
use crate::store::{Error, open, syncs};
use crate::sync::READING;
use crate::sync::upstream::examination::Examination;

/// The archive of this call, and what it knows of the endpoint.
pub(super) struct Shelf {
    path: PathBuf,
    host: String,
    content: Result<Content, String>,
}

struct Content {
    known: Endpoint,
    before: Vec<(Aspect, Kept)>,
    /// The host that the project is read from, where it is another one.
    other_host: Option<String>,
}

impl Shelf {
    /// Looks at the archive in that place, if there is a place for one.
    pub(super) fn of(db: Result<Db, CliError>, project_id: &str, host: &str) -> Self {
        let path = db.map(|db| db.path().to_owned());
        let content = match &path {
            Ok(path) => read(path, project_id, host).map_err(|error| why(&error)),
            Err(error) => Err(error.message.clone()),
        };
        Self {
            path: path.unwrap_or_default(),
            host: host.to_owned(),
            content,
        }
    }

    /// What was learned before about the endpoint's task lists.
    pub(super) fn known(&self) -> Endpoint {
        self.content
            .as_ref()
            .map_or_else(|_| Endpoint::default(), |content| content.known)
    }

    /// The findings of earlier runs.
    pub(super) fn before(&self) -> &[(Aspect, Kept)] {
        self.content
            .as_ref()
            .map_or(&[], |content| content.before.as_slice())
    }

    /// Stores what was found, and tells what came of that.
    pub(super) fn keep(
        &self,
        found: &Examination,
        now: Timestamp,
        wall: fn() -> Timestamp,
    ) -> Vec<Fact> {
        let not_stored = |why: String| vec![("findings", format!("not stored: {why}"), "")];
        match &self.content {
            Err(why) => return not_stored(why.clone()),
            Ok(Content {
                other_host: Some(host),
                ..
            }) => {
                return not_stored(format!(
                    "this archive reads the project from {host}, and so does not take a sync from here"
                ));
            }
            Ok(_) if found.chosen.is_none() => return not_stored("nothing was found".to_owned()),
            Ok(_) => {}
        }
        match self.write(found, now, wall()) {
            Err(error) => not_stored(why(&error)),
            Ok(changes) => {
                let path = self.path.display();
                let stored = ("findings", format!("stored in {path}"), "the view upstream");
                let change = |change: &Changed| {
                    let Changed {
                        aspect,
                        before,
                        now,
                        ..
                    } = change;
                    let text = format!("{}: was {before}, is {now}", aspect.as_str());
                    ("changed", text, "also in the view drift")
                };
                [stored]
                    .into_iter()
                    .chain(changes.iter().map(change))
                    .collect()
            }
        }
    }

    fn write(
        &self,
        found: &Examination,
        now: Timestamp,
        wall: Timestamp,
    ) -> Result<Vec<Changed>, Error> {
        let writable = open::writable_within(&self.path, wall, Duration::ZERO)?;
        let mut archive = Archive::new(writable, READING);
        let changes = archive.note_findings(&self.host, &found.findings, By::Doctor, now)?;
        let known = archive.endpoint(&self.host, ListKind::Tasks)?;
        let learned = found.lessons.applied_to(known);
        if learned != known {
            archive.save_endpoint(&self.host, ListKind::Tasks, learned)?;
        }
        archive.close()?;
        Ok(changes)
    }
}

fn read(path: &Path, project_id: &str, host: &str) -> Result<Content, Error> {
    let archive = open::readable(path)?;
    let known = syncs::endpoint(&archive, host, ListKind::Tasks)?;
    let mut before = Vec::new();
    for aspect in Aspect::ALL {
        if let Some(kept) = upstream::kept(&archive, host, aspect)? {
            before.push((aspect, kept));
        }
    }
    let project_host = syncs::project_host(&archive, project_id)?;
    Ok(Content {
        known,
        before,
        other_host: project_host.filter(|known| known != host),
    })
}

/// An error of the archive in one line.
fn why(error: &Error) -> String {
    format!("{error}: {}", error.kind)
}
