//! The real binary, stopped at the worst moments: whatever was going on, the next run completes, and nobody ever sees half
//! a walk.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use crate::support_pages::{INSTANCE, PROJECT, Raw, task};

/// When, in the course of a request, something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Before,
    /// Half of the answer is sent.
    During,
    /// All of the answer is sent.
    After,
}

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::During, Moment::After];

/// What happens at a request, besides the answer: told the number of the request (from 1) and the moment.
type Act = Box<dyn FnMut(usize, Moment) + Send>;

/// Serves a list honestly until the process ends, and returns its address and the number of requests so far.
fn serve(list: Vec<Raw>, mut act: Act) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that was killed leaves its connection behind; the next one comes on another.
            let _gone = talk(stream.unwrap(), &list, &counter, &mut act);
        }
    });
    (address, requests)
}

fn talk(
    stream: TcpStream,
    list: &[Raw],
    requests: &Mutex<usize>,
    act: &mut Act,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let number = {
            let mut requests = requests.lock().unwrap();
            *requests += 1;
            *requests
        };
        let query = first.split(['?', ' ']).nth(2).unwrap();
        let query: BTreeMap<&str, &str> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let (offset, limit): (usize, usize) = (
            query["offset"].parse().unwrap(),
            query["limit"].parse().unwrap(),
        );
        let page: Vec<Raw> = list.iter().skip(offset).take(limit).cloned().collect();
        let mut body = format!(r#"{{"task_count":{},"tasks":["#, list.len()).into_bytes();
        body.extend(page.join(&b","[..]));
        body.extend(b"]}");
        act(number, Moment::Before);
        let date = "Date: Mon, 05 Oct 2026 12:00:00 GMT";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\n{date}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        let half = body.len() / 2;
        stream.write_all(&body[..half])?;
        stream.flush()?;
        act(number, Moment::During);
        stream.write_all(&body[half..])?;
        stream.flush()?;
        act(number, Moment::After);
    }
}

/// A folder with an archive and a token.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let mut options = std::fs::OpenOptions::new();
        let mut token = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(place.0.path().join("token"))
            .unwrap();
        token.write_all(b"t0ken-that-nobody-may-see\n").unwrap();
        place
    }

    fn archive(&self) -> PathBuf {
        self.0.path().join("history.db")
    }

    fn spawn(&self, address: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_dcs-history"))
            .env_clear()
            .args(["sync", "--page-size", "4", "--retries", "0"])
            .args([
                "--endpoint",
                address,
                "--project-id",
                PROJECT,
                "--instance",
                INSTANCE,
            ])
            .arg("--db")
            .arg(self.archive())
            .arg("--token-file")
            .arg(self.0.path().join("token"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs a sync of a list to its end.
    fn sync(&self, list: &[Raw]) -> usize {
        let (address, requests) = serve(list.to_vec(), Box::new(|_, _| ()));
        let status = self.spawn(&address).wait().unwrap();
        assert_eq!(status.code(), Some(0), "a sync of a quiet list completes");
        *requests.lock().unwrap()
    }

    /// Runs a sync and sends it a signal at that moment of that request.
    fn sync_signalled(
        &self,
        list: &[Raw],
        signal: &'static str,
        at: (usize, Moment),
    ) -> ExitStatus {
        let child: Arc<Mutex<Option<Child>>> = Arc::default();
        let victim = Arc::clone(&child);
        let (address, _) = serve(
            list.to_vec(),
            Box::new(move |number, moment| {
                if (number, moment) == at {
                    let pid = victim.lock().unwrap().as_ref().unwrap().id().to_string();
                    let killed = Command::new("kill")
                        .args([signal, &pid])
                        .stderr(Stdio::null())
                        .status()
                        .unwrap();
                    // After the last answer it may have ended by itself.
                    assert!(killed.success() || moment == Moment::After);
                }
            }),
        );
        {
            // Held while the child starts, so that the server never meets a request of a child that nobody knows.
            let mut child = child.lock().unwrap();
            *child = Some(self.spawn(&address));
        }
        loop {
            // The server needs the lock to find the child, so it is held only for a look.
            if let Some(status) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                return status;
            }
            std::thread::yield_now();
        }
    }
}

fn open(archive: &Path) -> Connection {
    Connection::open_with_flags(archive, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// What an archive says, apart from when it was observed and by which walk.
fn content(archive: &Path) -> Vec<String> {
    let archive = open(archive);
    let whole: String = archive
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    let left: i64 = archive
        .query_row(
            "SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM pending_task)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
    let mut lines = Vec::new();
    for sql in [
        "SELECT task_id || '|' || name || '|' || status || '|' || is_final || '|' || updated_at || '|' || revisions
           || '|' || coalesce(missing_as, '-') FROM tasks ORDER BY task_id",
        "SELECT task_id || '|' || revision || '|' || is_current || '|' || raw FROM task_revisions ORDER BY task_id, revision",
        "SELECT task_id || '|' || source || attribute || '|' || coalesce(old_value, '-') || coalesce(new_value, '-')
           FROM task_changes ORDER BY 1",
        "SELECT kind || what FROM drift ORDER BY 1",
        "SELECT high_water_mark || '|' || tasks || '|' || open_tasks || '|' || missing_tasks FROM instances",
    ] {
        let mut statement = archive.prepare(sql).unwrap();
        lines.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    lines
}

/// Twelve tasks, the newest still running.
fn before() -> Vec<Raw> {
    let mut list: Vec<Raw> = (0..12)
        .rev()
        .map(|number| task(&format!("t{number:02}"), number, "SUCCESS"))
        .collect();
    list[0] = task("t11", 11, "EXECUTING");
    list
}

/// The same some time later: two new ones, the running one finished, one gone.
fn after() -> Vec<Raw> {
    let mut list = before();
    list[0] = task("t11", 15, "SUCCESS");
    list.remove(7);
    list.insert(0, task("t12", 20, "SUCCESS"));
    list.insert(0, task("t13", 21, "EXECUTING"));
    list
}

#[test]
fn a_sync_killed_at_any_request_and_run_again_leaves_the_archive_of_an_uninterrupted_one() {
    let uninterrupted = Place::new();
    let first_requests = uninterrupted.sync(&before());
    let first = content(&uninterrupted.archive());
    let second_requests = uninterrupted.sync(&after());
    let second = content(&uninterrupted.archive());
    for (known, list, requests, expected) in [
        (None, before(), first_requests, &first),
        (Some(before()), after(), second_requests, &second),
    ] {
        for request in 1..=requests {
            for moment in MOMENTS {
                let place = Place::new();
                if let Some(known) = &known {
                    place.sync(known);
                }
                place.sync_signalled(&list, "-9", (request, moment));
                place.sync(&list);
                assert_eq!(
                    &content(&place.archive()),
                    expected,
                    "killed {moment:?} request {request} of {requests}"
                );
            }
        }
    }
}

#[test]
fn a_sync_killed_five_times_running_completes_the_sixth_time() {
    let place = Place::new();
    for request in 1..=5 {
        let status = place.sync_signalled(&before(), "-9", (request, Moment::During));
        assert_eq!(status.code(), None);
    }
    place.sync(&before());
    let uninterrupted = Place::new();
    uninterrupted.sync(&before());
    assert_eq!(content(&place.archive()), content(&uninterrupted.archive()));
    let interrupted: i64 = open(&place.archive())
        .query_row(
            "SELECT count(*) FROM syncs WHERE outcome = 'interrupted'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(interrupted, 5);
}

#[test]
fn a_reader_never_sees_half_a_walk() {
    let place = Place::new();
    let archive = place.archive();
    let looks = Arc::new(Mutex::new(Vec::new()));
    for list in [before(), after()] {
        let (path, seen) = (archive.clone(), Arc::clone(&looks));
        let look = move |_: usize, _: Moment| {
            let archive = open(&path);
            let count = |sql: &str| {
                archive
                    .query_row(sql, [], |row| row.get::<_, i64>(0))
                    .unwrap()
            };
            seen.lock().unwrap().push((
                count("SELECT count(*) FROM tasks"),
                count("SELECT count(*) FROM task_revisions"),
                count("SELECT count(*) FROM tasks WHERE status = 'EXECUTING'"),
                count("SELECT count(*) FROM walks"),
                count("SELECT count(*) FROM drift"),
            ));
        };
        let (address, _) = serve(list, Box::new(look));
        assert_eq!(place.spawn(&address).wait().unwrap().code(), Some(0));
        looks.lock().unwrap().push((-1, -1, -1, -1, -1));
    }
    let looks = looks.lock().unwrap();
    let mut syncs = looks.split(|look| look.0 == -1);
    let (first, second) = (syncs.next().unwrap(), syncs.next().unwrap());
    assert!(first.len() > 12 && second.len() > 9, "{looks:?}");
    assert!(
        first[..first.len() - 1]
            .iter()
            .all(|look| *look == (0, 0, 0, 0, 0)),
        "{first:?}"
    );
    assert!(
        second[..second.len() - 1]
            .iter()
            .all(|look| *look == (12, 12, 1, 1, 0)),
        "{second:?}"
    );
}

#[test]
fn a_signal_ends_a_sync_in_order_and_keeps_what_was_read() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let place = Place::new();
        let status = place.sync_signalled(&before(), signal, (3, Moment::Before));
        assert_eq!(status.code(), Some(code), "{signal}");
        let archive = open(&place.archive());
        let (reason, proven): (String, bool) = archive
            .query_row("SELECT reason, proven FROM walks", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((reason.as_str(), proven), ("interrupted", false));
        let sync: (String, i64) = archive
            .query_row("SELECT outcome, exit_code FROM syncs", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(sync.1, i64::from(code), "{sync:?}");
        let (tasks, mark): (i64, Option<String>) = archive
            .query_row("SELECT tasks, high_water_mark FROM instances", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(
            (tasks, mark),
            (4, None),
            "the first page is kept, and the mark has not moved"
        );
        drop(archive);
        place.sync(&before());
        assert_eq!(content(&place.archive()).len(), 12 + 12 + 1);
    }
}
