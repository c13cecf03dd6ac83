//! Command lines: whatever is typed, a command ends with a code that is its own, says why, writes nothing that a terminal
//! obeys, and leaves an archive that it was only to read as it was.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use clap::{Arg, Command};

use super::room::{Ended, Tally, alone, archive, clear, run};
use super::{every_case, mutate};
use crate::cli;
use crate::simulator::rng::Rng;

const EVERYDAY: u64 = 150;

/// Commands that serve until they are told to stop, or tell a story of some seconds; and what a shell would run.
const LEFT_OUT: [&str; 2] = ["simulate", "demo"];

/// Commands that call the cloud, or try to: nobody listens where these do.
const CALLING: [&str; 3] = ["sync", "backfill", "doctor"];

/// What bounds them; and what would make them ask for a host elsewhere.
const BOUNDS: [&str; 9] = [
    "retries",
    "retry-base",
    "run-timeout",
    "timeout",
    "connect-timeout",
    "region",
    "project-id",
    "token-command",
    "endpoint",
];

/// What people type, and what is near to it.
const PLAUSIBLE: [&str; 45] = [
    "2026-10",
    "2026-10-01",
    "2026-Q4",
    "2026",
    "2026-10-01T08:30:00Z",
    "now",
    "today",
    "yesterday",
    "7d",
    "36h",
    "0s",
    "500ms",
    "99999999999w",
    "0",
    "1",
    "50",
    "-1",
    "18446744073709551615",
    "task-2",
    "a0000000000000000000000000000001",
    "11111111-0000-4000-8000-000000000001",
    "1111",
    "orders-renamed",
    "SUCCESS",
    "failed",
    "BindEip",
    "EXTEND",
    "ann",
    "tasks",
    "task_id",
    "created_at:desc",
    "task_id,name",
    "capacity",
    "local",
    "+02:00",
    "Europe/Berlin",
    "http://127.0.0.1:9",
    "out",
    "out.csv",
    ".",
    "history.db",
    "history.db-wal",
    "socket",
    "folder",
    "62c43141aef85d1c6d6f9cadda7550e2493e290b8258c1b51abf6e7f89a355a2",
];

/// What an argument takes, by what its help calls it.
const APT: [(&str, &[&str]); 9] = [
    (
        "TIME",
        &[
            "2026-10",
            "2026-09-30",
            "2026-09-30T12:00:00Z",
            "now",
            "7d",
            "0001-01-01",
        ],
    ),
    (
        "PERIOD",
        &["2026-09", "2026-10-01", "2026-Q3", "2026", "today"],
    ),
    ("DURATION", &["0s", "500ms", "36h", "7d", "9999999999w"]),
    ("N", &["0", "1", "3", "18446744073709551615"]),
    (
        "ID|NAME",
        &[
            "1111",
            "22222222-0000-4000-8000-000000000002",
            "orders-renamed",
            "new",
        ],
    ),
    ("ID", &["task-2", "a0000000000000000000000000000001", "b"]),
    (
        "COLUMNS",
        &[
            "task_id",
            "task_id,name",
            "created_at,task_id,status",
            "attribute,change",
        ],
    ),
    ("COLUMN[:desc]", &["created_at", "task_id:desc", "name"]),
    (
        "HASH",
        &["62c43141aef85d1c6d6f9cadda7550e2493e290b8258c1b51abf6e7f89a355a2"],
    ),
];

const QUERIES: [&str; 9] = [
    "SELECT * FROM tasks",
    "SELECT count(*) FROM changes WHERE user_name = :name",
    "WITH n(x) AS (VALUES (1), (2)) SELECT x AS \"a\nb\", x FROM n",
    "EXPLAIN QUERY PLAN SELECT raw FROM task_revisions",
    "SELECT hex(randomblob(100000000))",
    "ATTACH 'other.db' AS other",
    "PRAGMA user_version = 9",
    "SELECT load_extension('x'); DROP TABLE task",
    "SELECT json_extract(raw, '$.id') FROM task_revisions ORDER BY 1 LIMIT 2",
];

#[test]
fn whatever_is_typed_ends_with_a_code_of_its_own_and_says_why() {
    alone(
        "fuzz::arguments::whatever_is_typed_ends_with_a_code_of_its_own_and_says_why",
        |room| {
            let whole = archive(room);
            let root = cli::command();
            let codes = Tally::default();
            every_case("arguments", EVERYDAY, |rng| {
                clear(room);
                furnish(room);
                let has_archive = !rng.one_in(4);
                let path = room.join("history.db");
                if has_archive {
                    fs::write(&path, &whole).unwrap();
                }
                let line = Line::draw(&root, &path, rng);
                let out_is_terminal = rng.one_in(3);
                let ended = run(&line.args, out_is_terminal);
                codes.count(ended.code);
                line.judge(&ended, out_is_terminal);
                is_furnished(room, &line.args);
                if has_archive && line.only_reads() {
                    assert!(fs::read(&path).unwrap() == whole, "{:?} wrote", line.args);
                } else if has_archive {
                    let verified = run(&["--db".into(), path.into(), "verify".into()], false);
                    assert_eq!(
                        verified.code, 0,
                        "{:?} left an archive that does not hold",
                        line.args
                    );
                }
            });
            println!("exit codes: {codes:?}");
        },
    );
}

/// What stands in for the devices and folders of a machine: nothing may take their place.
fn furnish(room: &Path) {
    drop(UnixListener::bind(room.join("socket")).unwrap());
    fs::create_dir(room.join("folder")).unwrap();
    fs::write(room.join("folder/mine"), "mine").unwrap();
}

fn is_furnished(room: &Path, args: &[OsString]) {
    let socket = fs::symlink_metadata(room.join("socket"));
    assert!(
        socket.is_ok_and(|found| found.file_type().is_socket()),
        "{args:?} took the place of a socket"
    );
    let mine = fs::read(room.join("folder/mine"));
    assert!(
        mine.is_ok_and(|mine| mine == b"mine"),
        "{args:?} took what is mine"
    );
}

/// A command line.
struct Line {
    command: String,
    args: Vec<OsString>,
}

impl Line {
    fn draw(root: &Command, path: &Path, rng: &mut Rng) -> Self {
        let commands: Vec<_> = root.get_subcommands().collect();
        let command = commands[rng.index(commands.len())];
        let name = command.get_name().to_owned();
        let mut args: Vec<OsString> = Vec::new();
        if !rng.one_in(8) {
            args.extend(["--db".into(), path.into()]);
        }
        match rng.below(40) {
            0 => {}
            1 => args.push(inside(mutate::text(rng).into_bytes())),
            _ => args.push(name.clone().into()),
        }
        let known: Vec<&Arg> = command
            .get_arguments()
            .chain(root.get_arguments())
            .collect();
        for _ in 0..rng.index(5) {
            let arg = known[rng.index(known.len())];
            if let Some(value) = bounded(&name, arg) {
                option(arg, value, &mut args, rng);
            }
        }
        for arg in command.get_positionals() {
            if rng.below(16) > 0 {
                args.push(value(arg, rng));
            }
        }
        if rng.one_in(20) {
            args.push(odd(rng));
        }
        if LEFT_OUT.contains(&&*name) {
            args.push("--help".into());
        }
        let bounds: &[&str] = if CALLING.contains(&&*name) {
            &[
                "--endpoint=http://127.0.0.1:9",
                "--project-id=0123456789abcdef0123456789abcdef",
                "--retries=0",
                "--timeout=1s",
                "--run-timeout=2s",
            ]
        } else if name == "sql" {
            &["--deadline=500ms"]
        } else {
            &[]
        };
        args.extend(bounds.iter().map(OsString::from));
        if CALLING.contains(&&*name) && rng.one_in(2) {
            args.push("--token-command=echo x".into());
        }
        Self {
            command: name,
            args,
        }
    }

    fn only_reads(&self) -> bool {
        !CALLING.contains(&&*self.command) && !["reprocess", "backup"].contains(&&*self.command)
    }

    fn has(&self, wanted: &[&str]) -> bool {
        self.args
            .iter()
            .any(|arg| wanted.iter().any(|wanted| arg == *wanted))
    }

    fn judge(&self, ended: &Ended, out_is_terminal: bool) {
        let (args, code) = (&self.args, ended.code);
        let own: &[u8] = match &*self.command {
            "sync" | "backfill" | "doctor" => &[3, 4, 5],
            "reprocess" => &[3],
            "assert-none" => &[10, 11],
            "status" => &[12],
            "verify" => &[13],
            _ => &[],
        };
        assert!(
            matches!(code, 0 | 1 | 2 | 6) || own.contains(&code),
            "{args:?}: {code}"
        );
        if matches!(code, 1 | 2 | 4 | 5 | 6) {
            assert!(
                !ended.err.trim().is_empty(),
                "{args:?}: {code}, and not a word"
            );
        }
        is_harmless(&ended.err, args, false);
        let asks_for_help = self.has(&["--help", "-h", "--version", "-V", "help"]);
        if code != 0 || ended.out.is_empty() || asks_for_help {
            return;
        }
        match self.format().as_deref() {
            Some("json") => {
                let read: Result<Vec<serde_json::Value>, _> = serde_json::from_slice(&ended.out);
                assert!(read.is_ok(), "{args:?}: {read:?}");
            }
            Some("jsonl") => {
                for line in ended
                    .out
                    .split(|byte| *byte == b'\n')
                    .filter(|line| !line.is_empty())
                {
                    let read: Result<serde_json::Value, _> = serde_json::from_slice(line);
                    assert!(read.is_ok(), "{args:?}: {read:?}");
                }
            }
            None | Some("table" | "markdown")
                if !["export", "man", "completions"].contains(&&*self.command) =>
            {
                is_harmless(&String::from_utf8_lossy(&ended.out), args, out_is_terminal);
            }
            _ => {}
        }
    }

    /// The format that was asked for, where the line names one and only one.
    fn format(&self) -> Option<String> {
        let mut words = self.args.iter().map(|arg| arg.to_string_lossy());
        while let Some(word) = words.next() {
            if let Some(format) = word.strip_prefix("--output=") {
                return Some(format.to_owned());
            }
            if word == "--output" || word == "-o" {
                return words.next().map(std::borrow::Cow::into_owned);
            }
        }
        None
    }
}

/// Neither a control character nor a mark of the reading order, but for colours where these were asked for.
fn is_harmless(text: &str, args: &[OsString], is_terminal: bool) {
    let always = |arg: &OsString| arg.to_string_lossy().contains("always");
    let is_colored = is_terminal || args.iter().any(always);
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter == '\u{1b}' && is_colored {
            let parameters: String = rest.by_ref().take_while(|letter| *letter != 'm').collect();
            assert!(
                parameters.starts_with('[')
                    && parameters[1..]
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b';'),
                "{args:?}: {text:?}"
            );
            continue;
        }
        assert!(
            letter == '\n' || !letter.is_control() && !super::terminal::is_order_mark(letter),
            "{args:?}: {letter:?} is in {text:?}"
        );
    }
}

/// Says which values an option of a command may have here: none at all if it is not to be drawn.
fn bounded(command: &str, arg: &Arg) -> Option<&'static [&'static str]> {
    let name = arg.get_long()?;
    match name {
        _ if CALLING.contains(&command) && BOUNDS.contains(&name) => None,
        "db" | "deadline" => None,
        // What a shell would run.
        "token-command" => Some(&["true", "false", "echo x"]),
        name if name.ends_with("endpoint") && arg.get_action().takes_values() => Some(&[
            "http://127.0.0.1:9",
            "ftp://127.0.0.1",
            "",
            "127.0.0.1",
            "https://127.0.0.1:9/v3",
        ]),
        _ => Some(&[]),
    }
}

/// Adds an option, written in one of the ways in which it can be.
fn option(arg: &Arg, values: &[&str], args: &mut Vec<OsString>, rng: &mut Rng) {
    let Some(long) = arg.get_long() else { return };
    let typed = match arg.get_short() {
        Some(short) if rng.one_in(2) => format!("-{short}"),
        _ => format!("--{long}"),
    };
    if !arg.get_action().takes_values() {
        args.push(typed.into());
        return;
    }
    let value = match values.get(rng.index(values.len())) {
        Some(value) => OsString::from(value),
        None => value(arg, rng),
    };
    if rng.one_in(2) && typed.starts_with("--") {
        let mut both = OsString::from(format!("{typed}="));
        both.push(value);
        args.push(both);
    } else {
        args.extend([typed.into(), value]);
    }
}

/// A value of an argument: one that it knows, one that people type, or one that nobody should.
fn value(arg: &Arg, rng: &mut Rng) -> OsString {
    let known = arg.get_possible_values();
    let id = arg.get_id().as_str();
    match rng.below(20) {
        0 => odd(rng),
        1 => inside(mutate::text(rng).into_bytes()),
        _ if !known.is_empty() => known[rng.index(known.len())].get_name().into(),
        _ if id == "query" => {
            let mut query = rng.pick(QUERIES).as_bytes().to_vec();
            if rng.one_in(3) {
                mutate::bytes(
                    &mut query,
                    2,
                    &[b"SELECT ", b"'", b"(", b";", b"--", b":x", b"?1"],
                    rng,
                );
            }
            OsString::from_vec(query)
        }
        2 => rng.pick(PLAUSIBLE).into(),
        _ => {
            let names = arg.get_value_names().unwrap_or_default();
            let name = names.first().map_or("", |name| name.as_str());
            let apt = APT.iter().find(|(known, _)| *known == name);
            let apt = apt.map_or(&PLAUSIBLE[..], |(_, values)| values);
            apt[rng.index(apt.len())].into()
        }
    }
}

/// Bytes that need not be text.
fn odd(rng: &mut Rng) -> OsString {
    let mut bytes = rng.pick(PLAUSIBLE).as_bytes().to_vec();
    mutate::bytes(
        &mut bytes,
        3,
        &[b"\xff", b"=", b"--", b"\x1b[2J", b"\xe2\x80\xae", b"\n"],
        rng,
    );
    inside(bytes)
}

/// Keeps a value from naming anything outside of the room. Commands write where they are told to, and this may run as root:
/// no value is a path that leads out, so nothing but a fault of ours could get there.
fn inside(mut bytes: Vec<u8>) -> OsString {
    bytes.retain(|byte| *byte != 0);
    for byte in &mut bytes {
        if *byte == b'/' {
            *byte = b'_';
        }
    }
    while let Some(at) = bytes.windows(2).position(|two| two == b"..") {
        bytes[at] = b'_';
    }
    OsString::from_vec(bytes)
}
