//! Runs a sync as the door would, without the door.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::watch;

use super::fake::Fake;
use crate::api::{
    auth::Auth,
    client::{Client, Settings},
    deadline::Deadline,
    endpoint::Endpoint,
    secret::Secret,
};
use crate::model::time::Timestamp;
use crate::store::{open, write::Archive};
use crate::sync::{self, Job, READING, Refusal, Summary};

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

/// The wall clock of these tests stands still; every time comes from the server.
fn wall() -> Timestamp {
    Timestamp::EPOCH
}

/// Runs one sync of one instance.
pub(super) fn sync(fake: &Fake, place: &Place, page_size: u32) -> Summary {
    sync_of(fake, place, page_size, &[INSTANCE])
}

pub(super) fn sync_of(fake: &Fake, place: &Place, page_size: u32, instances: &[&str]) -> Summary {
    try_sync(fake, place, page_size, instances, false).unwrap()
}

pub(super) fn try_sync(
    fake: &Fake,
    place: &Place,
    page_size: u32,
    instances: &[&str],
    accept_endpoint: bool,
) -> Result<Summary, Refusal> {
    sync_at(
        &fake.address,
        "p",
        "t0ken",
        place,
        page_size,
        instances,
        accept_endpoint,
    )
}

pub(super) fn sync_at(
    address: &str,
    project_id: &str,
    token: &str,
    place: &Place,
    page_size: u32,
    instances: &[&str],
    accept_endpoint: bool,
) -> Result<Summary, Refusal> {
    let endpoint = Endpoint::parse(address, false).unwrap();
    let job = Job {
        project_id: project_id.to_owned(),
        host: endpoint.host().to_owned(),
        instances: instances.iter().map(|id| (*id).to_owned()).collect(),
        page_size,
        accept_endpoint,
        version: "test",
    };
    let settings = Settings {
        retries: 0,
        retry_base: Duration::from_millis(1),
        ..Settings::default()
    };
    let auth = Auth::Token {
        token: Secret::parse(token.to_owned()).unwrap(),
        renew: None,
    };
    let deadline = Deadline::after(Duration::from_mins(1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_tell, signals) = watch::channel(None);
    runtime.block_on(async {
        let client = Client::new(endpoint, auth, &settings, deadline).unwrap();
        let archive = Archive::new(open::writable(&place.path, wall()).unwrap(), READING);
        let (mut archive, summary) =
            sync::run(&job, &client, archive, wall, signals, &mut |_| ()).await?;
        summary.record(&mut archive, "test", 0).unwrap();
        archive.close().unwrap();
        Ok(summary)
    })
}
