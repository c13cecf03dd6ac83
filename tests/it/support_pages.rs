//! A task list behind a socket, served page by page as a test says, and the program run against it in a place of its own.
//!
//! Every run is checked for what must hold whatever the server does: the process ends by itself, does not panic, shows no
//! token, and leaves an archive that is whole and whose views can be read to the last row. The records that were sent are
//! remembered, so that a test can ask whether the archive holds exactly them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

pub(crate) const PROJECT: &str = "a4d31cb63d724fdc8ec96e3a41e47f71";
pub(crate) const INSTANCE: &str = "5560df16-cebf-4473-95c4-d1b573c16e79";
const TOKEN: &str = "MIIF-token-that-nobody-may-see";

/// The views of the contract. Each must be readable after every run.
const VIEWS: [&str; 10] = [
    "tasks",
    "task_details",
    "task_changes",
    "task_revisions",
    "instances",
    "syncs",
    "walks",
    "rejected",
    "drift",
    "upstream",
];

/// The server's clock at the first request: 2026-10-05T12:00:00Z.
const NOON: i64 = 1_791_201_600;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

const UNDATED: i64 = i64::MIN;

/// The text of one record, exactly as it goes over the wire.
pub(crate) type Raw = Vec<u8>;

/// A request for a page, as the server reads it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) instance: String,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) start: Option<String>,
}

impl Asked {
    /// What an honest server cuts out of a list for this request.
    pub(crate) fn cut(&self, list: &[Raw]) -> Vec<Raw> {
        let rest = list.iter().skip(self.offset);
        rest.take(self.limit).cloned().collect()
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    records: Vec<Raw>,
}

impl Reply {
    /// A page with the JSON text of its count; none if that is empty.
    pub(crate) fn page(count: &str, records: Vec<Raw>) -> Self {
        Self::page_with(count, records, "")
    }

    /// The same, with more members after the list: `,"name":value`.
    pub(crate) fn page_with(count: &str, records: Vec<Raw>, more: &str) -> Self {
        let mut body = b"{".to_vec();
        if !count.is_empty() {
            body.extend(format!("\"task_count\":{count},").bytes());
        }
        body.extend(b"\"tasks\":[");
        body.extend(records.join(&b","[..]));
        body.extend(format!("]{more}}}").bytes());
        Self {
            status: 200,
            content_type: Some("application/json"),
            body,
            records,
        }
    }

    /// An answer of success with this body, whatever it is.
    pub(crate) fn body(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            content_type: Some("application/json"),
            body,
            records: Vec::new(),
        }
    }

    pub(crate) fn error(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: Some("application/json"),
            body: body.into(),
            records: Vec::new(),
        }
    }

    pub(crate) fn typed(self, content_type: Option<&'static str>) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// The same answer behind a byte order mark.
    pub(crate) fn marked(mut self) -> Self {
        self.body.splice(..0, *b"\xef\xbb\xbf");
        self
    }
}

/// A record with the usual fields, `minute` minutes after noon of the first of October.
pub(crate) fn task(id: &str, minute: u32, status: &str) -> Raw {
    let time = format!(
        "2026-10-01T{:02}:{:02}:00.000Z",
        12 + minute / 60,
        minute % 60
    );
    format!(
        r#"{{"id":"{id}","name":"EXTEND","status":"{status}","created_at":"{time}","updated_at":"{time}"}}"#
    )
    .into_bytes()
}

/// A list of finished tasks, newest first: `t033`, `t032` and so on.
pub(crate) fn tasks(count: u32) -> Vec<Raw> {
    let newest_first = (0..count).rev();
    newest_first
        .map(|number| task(&format!("t{number:03}"), number, "SUCCESS"))
        .collect()
}

type Handler = Box<dyn FnMut(&Asked) -> Reply + Send>;

struct Shared {
    handler: Mutex<Handler>,
    /// Seconds since 1970; [`UNDATED`] for answers without a date.
    clock: AtomicI64,
    asked: Mutex<Vec<Asked>>,
    sent: Mutex<BTreeSet<Raw>>,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

/// A fake cloud with a folder for the archive beside it.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    address: String,
    shared: Arc<Shared>,
    environment: RefCell<Vec<(&'static str, String)>>,
}

impl Scene {
    /// A cloud that answers as `handler` says. It serves until the test process ends.
    pub(crate) fn new(handler: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.path().join("token"))
            .unwrap();
        writeln!(file, "{TOKEN}").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            handler: Mutex::new(Box::new(handler)),
            clock: AtomicI64::new(NOON),
            asked: Mutex::new(Vec::new()),
            sent: Mutex::new(BTreeSet::new()),
        });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared) = (stream.unwrap(), Arc::clone(&served));
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self {
            folder,
            address,
            shared,
            environment: RefCell::default(),
        }
    }

    /// An honest server with this list.
    pub(crate) fn of(list: Vec<Raw>) -> Self {
        Self::new(honest(list))
    }

    pub(crate) fn answer(&self, handler: impl FnMut(&Asked) -> Reply + Send + 'static) {
        *self.shared.handler.lock().unwrap() = Box::new(handler);
    }

    /// From now on an honest server with this list.
    pub(crate) fn set(&self, list: Vec<Raw>) {
        self.answer(honest(list));
    }

    pub(crate) fn pass(&self, seconds: i64) {
        if self.shared.clock.load(Ordering::Relaxed) != UNDATED {
            self.shared.clock.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// From now on no answer has a date.
    pub(crate) fn hide_date(&self) {
        self.shared.clock.store(UNDATED, Ordering::Relaxed);
    }

    /// From now on the program finds this in its environment.
    pub(crate) fn set_env(&self, name: &'static str, value: &str) {
        let mut more = self.environment.borrow_mut();
        more.push((name, value.to_owned()));
    }

    /// The requests since this was last called.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }

    /// Every record that was ever sent, once.
    pub(crate) fn sent(&self) -> BTreeSet<Raw> {
        self.shared.sent.lock().unwrap().clone()
    }

    fn archive_path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    /// Runs the program on this archive, with nothing of this machine's environment.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let ended = Command::new(env!("CARGO_BIN_EXE_dcs-history"))
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DCS_HISTORY_DB", self.archive_path())
            .envs(
                self.environment
                    .borrow()
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .current_dir(self.folder.path())
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let err = String::from_utf8(ended.stderr).expect("messages are UTF-8");
        let out = String::from_utf8_lossy(&ended.stdout);
        assert!(!err.contains("panicked"), "{err}");
        assert!(
            !err.contains(TOKEN) && !out.contains(TOKEN),
            "a token is shown"
        );
        Ran {
            code: ended.status.code(),
            out: ended.stdout,
            err,
        }
    }

    /// Syncs, looks the archive over, and returns how the program ended.
    pub(crate) fn sync_with(&self, more: &[&str]) -> Ran {
        let token = self.folder.path().join("token");
        let mut args = vec![
            "sync",
            "--endpoint",
            &self.address,
            "--project-id",
            PROJECT,
            "--token-file",
            token.to_str().unwrap(),
            "--retry-base",
            "1ms",
        ];
        args.extend(more);
        if !more.contains(&"--instance") {
            args.extend(["--instance", INSTANCE]);
        }
        let ran = self.run(&args);
        self.look_over();
        ran
    }

    /// Syncs and checks the exit code.
    pub(crate) fn sync(&self, what: &str, expected: i32) -> Ran {
        self.sync_paged(what, 1000, expected)
    }

    pub(crate) fn sync_paged(&self, what: &str, page_size: u32, expected: i32) -> Ran {
        let ran = self.sync_with(&["--page-size", &page_size.to_string()]);
        assert_eq!(ran.code, Some(expected), "{what}: {}", ran.err);
        ran
    }

    pub(crate) fn archive(&self) -> Connection {
        Connection::open_with_flags(self.archive_path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// The archive is whole, and every view can be read to its last row and cell.
    fn look_over(&self) {
        assert_eq!(self.rows("PRAGMA integrity_check"), ["ok"]);
        assert!(self.rows("PRAGMA foreign_key_check").is_empty());
        for view in VIEWS {
            let rows = self.rows(&format!("SELECT * FROM {view}")).len();
            let counted = self.rows(&format!("SELECT count(*) FROM {view}"));
            assert_eq!(counted, [rows.to_string()], "{view}");
        }
    }

    /// Returns the rows of a query, the cells of each joined by a bar.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let archive = self.archive();
        let mut statement = archive.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells: Vec<String> = (0..columns)
                .map(|column| row.get_ref(column).map(cell))
                .collect::<Result<_, _>>()?;
            Ok(cells.join("|"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Returns the one row of a query as `column=cell` lines. Times of this run are cut to the minute.
    pub(crate) fn sheet(&self, sql: &str) -> String {
        let archive = self.archive();
        let mut statement = archive.prepare(sql).unwrap();
        let names: Vec<String> = statement.column_names().map(ToOwned::to_owned).collect();
        statement
            .query_row([], |row| {
                let mut sheet = String::new();
                for (index, name) in names.iter().enumerate() {
                    let mut text = cell(row.get_ref(index)?);
                    if ["first_seen_at", "last_seen_at", "vouched_at"].contains(&name.as_str()) {
                        text.truncate("2026-10-05T12:00".len());
                    }
                    writeln!(sheet, "{name}={text}").unwrap();
                }
                Ok(sheet)
            })
            .unwrap()
    }

    /// The raw texts of all revisions.
    pub(crate) fn stored(&self) -> BTreeSet<Raw> {
        let rows = self.rows("SELECT raw FROM task_revisions");
        rows.into_iter().map(String::into_bytes).collect()
    }

    /// The exact bytes of all records that were set aside.
    pub(crate) fn set_aside(&self) -> BTreeSet<Raw> {
        let archive = self.archive();
        let mut statement = archive.prepare("SELECT raw FROM rejected").unwrap();
        let rows = statement.query_map([], |row| match row.get_ref(0)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes.to_vec()),
            other => panic!("a record that is neither text nor bytes: {other:?}"),
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Every record that the archive holds, as a revision or set aside.
    pub(crate) fn kept(&self) -> BTreeSet<Raw> {
        &self.stored() | &self.set_aside()
    }

    /// Everything that an unchanged upstream must leave as it is.
    pub(crate) fn history(&self) -> Vec<String> {
        [
            "SELECT * FROM task_revisions ORDER BY task_key, revision",
            "SELECT * FROM task_changes ORDER BY task_key, source, attribute, old_value",
            "SELECT * FROM task_details ORDER BY task_key",
            "SELECT * FROM drift ORDER BY kind, what",
            "SELECT task_id, position, reason, raw, raw_sha256, first_sync_id FROM rejected ORDER BY raw_sha256",
            "SELECT task_key, task_id, name, status, user_id, created_at, updated_at, params, error_code, revisions,
               first_seen_at FROM tasks ORDER BY task_key",
        ]
        .into_iter()
        .flat_map(|sql| self.rows(sql))
        .collect()
    }

    /// A second sync of the same upstream is complete and adds nothing to the history.
    pub(crate) fn is_idempotent(&self, what: &str) {
        let before = self.history();
        self.sync(what, 0);
        assert!(
            before == self.history(),
            "{what}: the second sync changed the history"
        );
        let last = "SELECT new, changed FROM syncs ORDER BY sync_id DESC LIMIT 1";
        assert_eq!(self.rows(last), ["0|0"], "{what}");
    }

    /// Whatever happened before, a sync of a healthy upstream completes and has all of it.
    pub(crate) fn completes_with_a_clean_list(&self, what: &str) {
        let list = [
            task("clean-2", 200, "SUCCESS"),
            task("clean-1", 190, "FAILED"),
        ];
        self.set(list.to_vec());
        self.sync(what, 0);
        let held = "SELECT task_id FROM tasks WHERE task_id LIKE 'clean-%' ORDER BY 1";
        assert_eq!(self.rows(held), ["clean-1", "clean-2"], "{what}");
        let proven = "SELECT proven, received FROM walks ORDER BY walk_id DESC LIMIT 1";
        assert_eq!(self.rows(proven), ["1|2"], "{what}");
    }
}

/// Pages through a list as the documentation says.
pub(crate) fn honest(list: Vec<Raw>) -> impl FnMut(&Asked) -> Reply + Send + 'static {
    move |asked| Reply::page(&list.len().to_string(), asked.cut(&list))
}

fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).expect("a text column is UTF-8"),
        ValueRef::Blob(bytes) => format!("x'{}'", hex(bytes)),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn serve(stream: &TcpStream, shared: &Shared) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let asked = read(first.split(' ').nth(1).unwrap());
        shared.asked.lock().unwrap().push(asked.clone());
        let reply = (shared.handler.lock().unwrap())(&asked);
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
            reply.status,
            reply.body.len()
        );
        let clock = shared.clock.load(Ordering::Relaxed);
        if clock != UNDATED {
            let date = chrono::DateTime::from_timestamp(clock, 0).unwrap();
            let date = date.format("%a, %d %b %Y %H:%M:%S GMT");
            write!(head, "Date: {date}\r\n").unwrap();
        }
        if let Some(content_type) = reply.content_type {
            write!(head, "Content-Type: {content_type}\r\n").unwrap();
        }
        head.push_str("\r\n");
        shared.sent.lock().unwrap().extend(reply.records);
        let whole = [head.as_bytes(), &reply.body].concat();
        if writer.write_all(&whole).is_err() {
            return;
        }
    }
}

fn read(target: &str) -> Asked {
    let (path, query) = target.split_once('?').unwrap();
    let query: BTreeMap<&str, &str> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    Asked {
        instance: path.split('/').nth(4).unwrap().to_owned(),
        offset: query["offset"].parse().unwrap(),
        limit: query["limit"].parse().unwrap(),
        start: query.get("start_time").map(|start| (*start).to_owned()),
    }
}
