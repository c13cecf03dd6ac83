//! A program in an environment of its own: nothing of the machine's variables, homes or proxies reaches it.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use super::fake_api::{FakeApi, list};
use super::outcome::Outcome;
use super::{INSTANCE, PROJECT, TOKEN};

/// No run of these tests takes a tenth of this; one that does hangs.
const HANGS: Duration = Duration::from_mins(1);

/// The program with a home folder, a token and a place for its archive.
pub(crate) struct Program {
    home: TempDir,
}

impl Program {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut private = fs::OpenOptions::new();
        let token = private.write(true).create_new(true).mode(0o600);
        let mut token = token.open(home.path().join("token")).unwrap();
        std::io::Write::write_all(&mut token, TOKEN.as_bytes()).unwrap();
        Self { home }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder that holds the archive alone.
    pub(crate) fn db(&self) -> PathBuf {
        self.home().join("history.db")
    }

    /// A command of the program, not started yet. Waits are short and no proxy is known; flags win over these variables.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dcs-history"));
        self.settle(&mut command);
        command.args(args);
        command
    }

    /// Gives any command this program's environment, and nothing else.
    pub(crate) fn settle(&self, command: &mut Command) {
        command
            .env_clear()
            .env("HOME", self.home())
            .env("DCS_HISTORY_DB", self.db())
            .env("DCS_HISTORY_INSTANCE", INSTANCE)
            // The faults of these tests hit the k-th request.
            .env("DCS_HISTORY_CONCURRENCY", "1")
            .env("DCS_HISTORY_RETRY_BASE", "1ms")
            // Nobody listens there: no test asks the machine that it runs on for an agency.
            .env("DCS_HISTORY_METADATA_ENDPOINT", "http://127.0.0.1:9")
            .env("DCS_HISTORY_TIMEOUT", "20s")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// The arguments of a sync from that upstream.
    pub(crate) fn sync_args(&self, api: &FakeApi, extra: &[&str]) -> Vec<String> {
        self.read_args("sync", api, extra)
    }

    /// The arguments of a command that reads from the service.
    pub(crate) fn read_args(&self, command: &str, api: &FakeApi, extra: &[&str]) -> Vec<String> {
        let token = self.home().join("token");
        let mut args = vec![command, "--endpoint", api.url(), "--project-id", PROJECT];
        args.extend(["--token-file", token.to_str().unwrap()]);
        args.extend(extra);
        args.into_iter().map(ToOwned::to_owned).collect()
    }

    /// Runs a sync, and checks what holds after every run.
    #[track_caller]
    pub(crate) fn sync(&self, api: &FakeApi) -> Outcome {
        self.sync_with(api, &[])
    }

    #[track_caller]
    pub(crate) fn sync_with(&self, api: &FakeApi, extra: &[&str]) -> Outcome {
        let args = self.sync_args(api, extra);
        self.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts a sync and leaves it running.
    pub(crate) fn start_sync(&self, api: &FakeApi, extra: &[&str]) -> Child {
        let args = self.sync_args(api, extra);
        let args = args.iter().map(String::as_str).collect::<Vec<_>>();
        self.command(&args).spawn().unwrap()
    }

    /// Runs the program to its end, and checks what holds after every run.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        let outcome = finish(self.command(args).spawn().unwrap());
        self.check(&outcome);
        outcome
    }

    /// Opens the archive as any other reader would, for the views of the contract.
    pub(crate) fn archive(&self) -> Connection {
        Connection::open_with_flags(self.db(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// Asks the archive for one number.
    #[track_caller]
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.archive()
            .query_row(sql, [], |row| row.get(0))
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Asks the archive for rows; the columns of each become one text, joined by `|`, a null nothing at all.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let archive = self.archive();
        let mut statement = archive
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells = (0..columns).map(|column| {
                use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
                Ok(match row.get_ref(column)? {
                    Null => String::new(),
                    Integer(number) => number.to_string(),
                    Real(number) => number.to_string(),
                    Text(text) | Blob(text) => String::from_utf8_lossy(text).into_owned(),
                })
            });
            Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
        });
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    /// The ids of all tasks that the archive shows, in order.
    pub(crate) fn task_ids(&self) -> Vec<String> {
        self.rows("SELECT task_id FROM tasks ORDER BY instance_id, task_id")
    }

    /// What holds after every run, whatever went wrong: no panic, the token nowhere, and a sound archive if there is one.
    #[track_caller]
    pub(crate) fn check(&self, outcome: &Outcome) {
        self.check_said(outcome);
        self.check_archive();
    }

    /// The same where what lies in the archive's place is none, or not a sound one.
    #[track_caller]
    pub(crate) fn check_said(&self, outcome: &Outcome) {
        for said in [&outcome.out, &outcome.err] {
            assert!(!said.contains("panicked"), "{outcome:#?}");
            assert!(!said.contains(TOKEN), "the token is shown: {outcome:#?}");
        }
        for entry in fs::read_dir(self.home()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("token") {
                let bytes = fs::read(&path).unwrap();
                let shown = bytes
                    .windows(TOKEN.len())
                    .any(|part| part == TOKEN.as_bytes());
                assert!(!shown, "the token is in {}", path.display());
            }
        }
    }

    /// What holds of the archive at any moment.
    #[track_caller]
    pub(crate) fn check_archive(&self) {
        if fs::metadata(self.db()).is_ok_and(|file| file.is_file() && file.len() > 0) {
            assert_eq!(self.rows("PRAGMA integrity_check"), ["ok"]);
            assert!(self.rows("PRAGMA foreign_key_check").is_empty());
        }
    }

    /// Lets the upstream behave and show these records: the next run must complete, and the archive hold all of them.
    #[track_caller]
    pub(crate) fn recovers(&self, api: &FakeApi, records: &[Value]) {
        let mut expected: Vec<_> = records
            .iter()
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect();
        expected.sort();
        api.behave(list(records.to_vec()));
        self.sync(api).expect_code(0);
        assert_eq!(self.task_ids(), expected);
        assert_eq!(self.number("SELECT count(*) FROM pending"), 0);
        let last = "SELECT outcome FROM syncs ORDER BY sync_id DESC LIMIT 1";
        assert_eq!(self.rows(last), ["complete"]);
    }
}

/// Waits for a child's end; one that hangs is killed and fails the test.
#[track_caller]
pub(crate) fn finish(child: Child) -> Outcome {
    let pid = child.id();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more if it took too long.
        let _late = tell.send(child.wait_with_output());
    });
    let Ok(output) = told.recv_timeout(HANGS) else {
        signal(pid, "KILL");
        panic!("the program hangs");
    };
    output.unwrap().into()
}

/// Gives a command the limits that a line of shell sets, `umask` or `ulimit` say, and its own environment.
pub(crate) fn under(line: &str, command: &Command) -> Command {
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", &format!("{line}; exec \"$0\" \"$@\"")]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.env_clear();
    for (name, value) in command.get_envs() {
        limited.envs(value.map(|value| (name, value)));
    }
    limited
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    limited
}

/// Sends a signal to a process that the test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
