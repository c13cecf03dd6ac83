//! An archive with everything in it that can be verified, made through the archive's own writer.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::api::decode;
use crate::model::ledger::{Endpoint, ListKind, TotalTrust, WalkEnd, WalkKind};
use crate::model::record::{Page, Record};
use crate::model::rows::{Drift, DriftKind};
use crate::model::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::store::open;
use crate::store::syncs::SyncEnd;
use crate::store::walks::WalkStart;
use crate::store::write::Archive;
use crate::sync::READING;

const PROJECT: &str = "0123456789abcdef0123456789abcdef";
const HOST: &str = "dcs.example";
pub(super) const ONE: &str = "11111111-0000-4000-8000-000000000001";
pub(super) const TWO: &str = "22222222-0000-4000-8000-000000000002";
const THREE: &str = "33333333-0000-4000-8000-000000000003";

/// The moment of the first sync: 2026-09-30.
const START: i64 = 1_790_733_600_000;

pub(super) struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    /// The archive as a file that anybody may write to.
    pub(super) fn altered(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// Six syncs: first sightings, changes, what goes missing and comes back, a kill, odd records.
    pub(super) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let made = Self {
            folder: folder.unwrap(),
        };
        made.first();
        made.second();
        made.third();
        made.killed(27);
        made.fifth();
        made.sixth();
        made
    }

    pub(super) fn run(&self, hours: i64) -> Run {
        let now = Timestamp::from_millis(START + hours * HOUR).unwrap();
        let writable = open::writable(&self.path(), now).unwrap();
        let mut archive = Archive::new(writable, READING);
        archive.recover().unwrap();
        let sync_key = archive.begin_sync(now, "test").unwrap();
        let project_key = archive.project(PROJECT, HOST).unwrap();
        Run {
            archive,
            sync_key,
            project_key,
            now,
        }
    }

    fn first(&self) {
        let mut run = self.run(0);
        run.list(&json!([instance(ONE, "orders", 4), instance(TWO, "sessions", 8), {"no": "id"}]));
        let tasks = json!([
            task("a0000000000000000000000000000001", -10, -9, "SUCCESS"),
            // Nothing of this state is left in the current one.
            {"id": "task-2", "name": "Provisional", "user_name": "nobody", "user_id": "n", "status": "EXECUTING",
             "details": {"quota": "1"}, "created_at": at(-20), "updated_at": at(-20)},
            task("a0000000000000000000000000000003", -30, -29, "FAILED"),
            task("a0000000000000000000000000000004", -40, -39, "SUCCESS"),
            task("a0000000000000000000000000000005", -50, -49, "SUCCESS"),
            task("a0000000000000000000000000000006", -60, -58, "成功"),
            {"odd": true},
        ]);
        run.walk(ONE, WalkKind::Full, &tasks, true);
        let tasks = json!([
            task("b0000000000000000000000000000001", -5, -4, "SUCCESS"),
            task("b0000000000000000000000000000002", -90, -80, "SUCCESS"),
            task("b0000000000000000000000000000003", -95, -85, "SUCCESS"),
        ]);
        run.walk(TWO, WalkKind::Full, &tasks, true);
        let endpoint = Endpoint {
            trust: TotalTrust::Trusted,
            longest_page: 7,
            page_limit: Some(100),
        };
        run.archive
            .save_endpoint(HOST, ListKind::Tasks, endpoint)
            .unwrap();
        run.end();
    }

    /// One task has ended, one was shown in an older state, two are gone, and the oldest of another instance aged out.
    fn second(&self) {
        let mut run = self.run(24);
        run.list(&json!([
            instance(ONE, "orders", 16),
            instance(TWO, "sessions", 8),
            instance(THREE, "new", 1)
        ]));
        let tasks = json!([
            task("a0000000000000000000000000000007", 60, 70, "SUCCESS"),
            task("a0000000000000000000000000000001", -10, -9, "SUCCESS"),
            task("task-2", -20, 30, "SUCCESS"),
            task("a0000000000000000000000000000003", -30, -30, "EXECUTING"),
            task("a0000000000000000000000000000006", -60, -58, "成功"),
        ]);
        run.walk(ONE, WalkKind::Full, &tasks, true);
        let tasks = json!([task("b0000000000000000000000000000001", -5, -4, "SUCCESS")]);
        run.walk(TWO, WalkKind::Full, &tasks, true);
        run.archive
            .leave_out(run.project_key, &[THREE.to_owned()])
            .unwrap();
        run.end();
    }

    /// Two hours later one absence is confirmed, one task is back, and an incremental walk finds a new one.
    fn third(&self) {
        let mut run = self.run(26);
        let tasks = json!([
            task("a0000000000000000000000000000007", 60, 70, "SUCCESS"),
            task("a0000000000000000000000000000001", -10, -9, "SUCCESS"),
            task("task-2", -20, 30, "SUCCESS"),
            task("a0000000000000000000000000000003", -30, -29, "FAILED"),
            task("a0000000000000000000000000000004", -40, -39, "SUCCESS"),
            task("a0000000000000000000000000000006", -60, -58, "成功"),
        ]);
        run.walk(ONE, WalkKind::Full, &tasks, true);
        let tasks = json!([
            task("b0000000000000000000000000000004", 100, 101, "CREATED"),
            task("b0000000000000000000000000000001", -5, -4, "SUCCESS"),
        ]);
        run.walk(TWO, WalkKind::Incremental, &tasks, true);
        run.end();
    }

    /// A sync that a kill ends while it reads.
    pub(super) fn killed(&self, hours: i64) {
        let mut run = self.run(hours);
        let tasks = json!([
            task("b0000000000000000000000000000005", 200, 201, "SUCCESS"),
            task(
                "b0000000000000000000000000000004",
                100,
                hours * 5,
                "SUCCESS"
            ),
            task("b0000000000000000000000000000002", -90, -80, "SUCCESS"),
        ]);
        run.begin(TWO, WalkKind::Full, &tasks);
        run.archive.commit().unwrap();
    }

    /// The next one, which also meets the documented example's shape, a list that is not proven, and an absent instance.
    fn fifth(&self) {
        let mut run = self.run(48);
        let beside = json!({
            "task_count": "1",
            "tasks": [{"id": "c0000000000000000000000000000001", "name": "modify", "user_name": "dora"}],
            "status": "EXECUTING", "created_at": at(300), "updated_at": at(301),
        });
        let page = decode::page(beside.to_string().as_bytes(), 0).unwrap();
        run.page(THREE, WalkKind::Backfill, &page, false);
        run.archive
            .unsupported(run.project_key, THREE, run.now)
            .unwrap();
        run.walk(
            TWO,
            WalkKind::Full,
            &json!([task("b0000000000000000000000000000001", -5, -4, "SUCCESS")]),
            false,
        );
        run.end();
    }

    fn sixth(&self) {
        let mut run = self.run(50);
        run.list(&json!([instance(ONE, "orders-renamed", 16), {"no": "id"}]));
        let tasks = json!([
            task("a0000000000000000000000000000008", 400, 410, "SUCCESS"),
            task("a0000000000000000000000000000001", -10, -9, "SUCCESS"),
            {"odd": true},
        ]);
        run.walk(ONE, WalkKind::Full, &tasks, false);
        let walk_key = run.begin(ONE, WalkKind::Full, &tasks);
        run.archive.needs_start(walk_key).unwrap();
        run.finish(walk_key, &tasks);
        run.archive
            .absent(run.project_key, TWO, run.sync_key, run.now, true)
            .unwrap();
        run.end();
    }
}

/// One sync under way.
pub(super) struct Run {
    archive: Archive,
    sync_key: i64,
    project_key: i64,
    now: Timestamp,
}

impl Run {
    fn list(&mut self, records: &Value) {
        let body = json!({"instance_num": 3, "instances": records});
        let page = decode::instances(body.to_string().as_bytes()).unwrap();
        let walk_key = self.start(None, WalkKind::Instances, &page);
        self.finish_page(walk_key, &page, (WalkKind::Instances, true));
    }

    pub(super) fn walk(&mut self, instance: &str, kind: WalkKind, tasks: &Value, proven: bool) {
        self.page(instance, kind, &page(tasks), proven);
    }

    fn page(&mut self, instance: &str, kind: WalkKind, page: &Page, proven: bool) {
        let walk_key = self.start(Some(instance), kind, page);
        self.finish_page(walk_key, page, (kind, proven));
    }

    fn begin(&mut self, instance: &str, kind: WalkKind, tasks: &Value) -> i64 {
        self.start(Some(instance), kind, &page(tasks))
    }

    fn finish(&mut self, walk_key: i64, tasks: &Value) {
        self.finish_page(walk_key, &page(tasks), (WalkKind::Full, false));
    }

    fn start(&mut self, instance: Option<&str>, kind: WalkKind, page: &Page) -> i64 {
        let is_backfill = kind == WalkKind::Backfill;
        let walk_key = self
            .archive
            .begin_walk(&WalkStart {
                sync_key: self.sync_key,
                project_key: self.project_key,
                instance_id: instance.map(str::to_owned),
                attempt: 1,
                kind,
                started: self.now,
                window_start: is_backfill.then(|| self.now.plus(-DAY)),
                window_end: is_backfill.then_some(self.now),
            })
            .unwrap();
        for (position, record) in (0..).zip(&page.records) {
            match record {
                Record::Read(seen) => self.archive.observe(walk_key, seen, self.now).unwrap(),
                Record::Rejected(rejected) => {
                    self.archive.reject(walk_key, rejected, position).unwrap();
                }
            }
        }
        let drift = Drift {
            kind: DriftKind::Field,
            what: format!("answer.field{walk_key}"),
            sample: "1".to_owned(),
        };
        self.archive.journal(walk_key, &drift).unwrap();
        let received = page.records.len() as u64;
        self.archive
            .end_page(walk_key, self.now.plus(MINUTE), 1, received)
            .unwrap();
        walk_key
    }

    fn finish_page(&mut self, walk_key: i64, page: &Page, (kind, proven): (WalkKind, bool)) {
        let updated = page.records.iter().filter_map(|record| match record {
            Record::Read(seen) => seen.updated,
            Record::Rejected(_) => None,
        });
        let end = WalkEnd {
            proven,
            reason: if proven { "proven" } else { "in doubt" }.to_owned(),
            error: (!proven).then(|| "it broke off".to_owned()),
            started: self.now,
            finished: self.now.plus(MINUTE),
            requests: 2,
            server_total: Some(page.records.len() as u64),
            received: page.records.len() as u64,
            mark: updated.max(),
            call_missing: kind == WalkKind::Full,
            regular: true,
        };
        self.archive.end_walk(walk_key, &end).unwrap();
    }

    pub(super) fn end(mut self) {
        let end = SyncEnd {
            started: self.now,
            finished: self.now.plus(2 * MINUTE),
            outcome: "complete",
            exit_code: 0,
            instances: 2,
            requests: 3,
            retries: 1,
        };
        self.archive.end_sync(self.sync_key, &end).unwrap();
        self.archive.close().unwrap();
    }
}

fn page(tasks: &Value) -> Page {
    let count = tasks.as_array().unwrap().len();
    let body = json!({"task_count": count.to_string(), "tasks": tasks});
    decode::page(body.to_string().as_bytes(), 0).unwrap()
}

fn at(minute: i64) -> String {
    Timestamp::from_millis(START + minute * MINUTE)
        .unwrap()
        .to_string()
}

/// A task that was created and last updated at these minutes after the first sync.
pub(super) fn task(id: &str, created: i64, updated: i64, status: &str) -> Value {
    json!({
        "id": id,
        "name": if created % 20 == 0 { "ChangeInstanceSpec" } else { "UpdatePort" },
        "details": {"old_capacity": "4", "new_capacity": "8", "old_port": 6379 + created, "replica_az": "az1"},
        "user_name": format!("user{}", created % 3),
        "user_id": format!("u-{}", created % 3),
        // A plain text is read out of the raw text by the views; one that is no text is stored.
        "params": if created % 20 == 0 {
            json!("{\"note\":\"why\",\"tags\":[\"a-rather-long-value\",\"another-one\"]}")
        } else {
            json!({"note": created})
        },
        "status": status,
        "error_code": if status == "FAILED" { json!("DCS.4999") } else { Value::Null },
        "created_at": at(created),
        "updated_at": at(updated),
        "enable_show": true,
    })
}

fn instance(id: &str, name: &str, capacity: u32) -> Value {
    json!({
        "instance_id": id, "name": name, "engine": "Redis", "engine_version": "6.0", "spec_code": "redis.ha.xu1",
        "capacity": capacity, "status": "RUNNING", "created_at": "2026-01-01T00:00:00.000Z",
    })
}
