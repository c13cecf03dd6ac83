//! Runs a sync as the door would, without the door.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::watch;

use super::fake::Fake;
use crate::api::{
    auth::Auth,
    client::{Client, Filter, Settings},
    deadline::Deadline,
    endpoint::Endpoint,
    secret::Secret,
};
use crate::model::time::{DAY, HOUR, Timestamp};
use crate::store::{open, write::Archive};
use crate::sync::{
    self, Job, READING, Refusal, Summary, Work,
    plan::{Mode, Rules, SMALL, SPARE},
    selection::{Choice, Selection},
};

pub(super) const INSTANCE: &str = "5560df16-cebf-4473-95c4-d1b573c16e79";

/// An archive in a folder of its own.
pub(super) struct Place {
    pub(super) path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        // A folder in memory, where the machine has one: these tests make thousands of archives.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        }
        .unwrap();
        Self {
            path: folder.path().join("history.db"),
            _folder: folder,
        }
    }

    pub(super) fn read(&self) -> Connection {
        open::readable(&self.path).unwrap()
    }

    pub(super) fn count(&self, sql: &str) -> i64 {
        self.read().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(super) fn text(&self, sql: &str) -> Option<String> {
        self.read().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

thread_local! {
    /// The wall clock of a run, which begins before the server has told the time.
    static WALL: Cell<Timestamp> = const { Cell::new(Timestamp::EPOCH) };
}

fn wall() -> Timestamp {
    WALL.get()
}

/// The rules of a sync that nothing was said to.
pub(super) const RULES: Rules = Rules {
    mode: Mode::Auto,
    overlap: DAY,
    full_every: Some(20 * HOUR),
    small: SMALL,
    spare: SPARE,
};

/// Runs one sync of one instance.
pub(super) fn sync(fake: &Fake, place: &Place, page_size: u32) -> Summary {
    sync_of(fake, place, page_size, &[INSTANCE])
}

pub(super) fn sync_of(fake: &Fake, place: &Place, page_size: u32, instances: &[&str]) -> Summary {
    Run {
        page_size,
        instances,
        ..Run::of(&fake.address)
    }
    .sync(place)
    .unwrap()
}

/// One sync to be.
pub(super) struct Run<'a> {
    pub(super) address: &'a str,
    pub(super) project_id: &'a str,
    pub(super) token: &'a str,
    pub(super) page_size: u32,
    pub(super) concurrency: u32,
    /// None for all that the choice lets through.
    pub(super) instances: &'a [&'a str],
    pub(super) choice: Choice,
    pub(super) accept_endpoint: bool,
    pub(super) rules: Rules,
    pub(super) backfill: Option<Filter>,
    /// What the clock of this machine says at the beginning.
    pub(super) wall: Timestamp,
    pub(super) retries: u32,
    /// For a whole request.
    pub(super) timeout: Duration,
    /// How many transactions the disk takes before it takes no more.
    pub(super) commits: Option<u32>,
}

impl<'a> Run<'a> {
    pub(super) fn of(address: &'a str) -> Self {
        Self {
            address,
            project_id: "p",
            token: "t0ken",
            page_size: 1000,
            concurrency: 8,
            instances: &[INSTANCE],
            choice: Choice::default(),
            accept_endpoint: false,
            rules: RULES,
            backfill: None,
            wall: Timestamp::EPOCH,
            retries: 0,
            timeout: Duration::from_mins(1),
            commits: None,
        }
    }

    pub(super) fn sync(&self, place: &Place) -> Result<Summary, Refusal> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(self.work(place))
    }

    /// The sync as a future: one that is dropped is a sync that was killed.
    pub(super) async fn work(&self, place: &Place) -> Result<Summary, Refusal> {
        WALL.set(self.wall);
        let endpoint = Endpoint::parse(self.address, false).unwrap();
        let job = Job {
            project_id: self.project_id.to_owned(),
            host: endpoint.host().to_owned(),
            instances: match self.instances {
                [] => Selection::Discovered(self.choice.clone()),
                ids => Selection::Named(ids.iter().map(|id| (*id).to_owned()).collect()),
            },
            page_size: self.page_size,
            concurrency: self.concurrency,
            work: match self.backfill {
                Some(filter) => Work::Backfill(filter),
                None => Work::Sync(self.rules),
            },
            accept_endpoint: self.accept_endpoint,
            final_statuses: Vec::new(),
            ignore_total: false,
            version: "test",
        };
        let settings = Settings {
            timeout: self.timeout,
            retries: self.retries,
            retry_base: Duration::from_millis(1),
            ..Settings::default()
        };
        let auth = Auth::Token {
            token: Secret::parse(self.token.to_owned()).unwrap(),
            renew: None,
        };
        let deadline = Deadline::after(Duration::from_mins(1));
        let (_tell, signals) = watch::channel(None);
        let client = Client::new(endpoint, auth, &settings, deadline, wall).unwrap();
        let mut archive = Archive::new(open::writable(&place.path, wall()).unwrap(), READING);
        if let Some(commits) = self.commits {
            archive.fail_after(commits);
        }
        let (mut archive, summary) =
            sync::run(&job, &client, archive, wall, signals, &mut |_| ()).await?;
        summary.record(&mut archive, "test", 0)?;
        archive.close()?;
        Ok(summary)
    }
}
