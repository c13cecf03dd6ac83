//! A room for targets that run whole commands: this test again as a process of its own, in an empty folder, without the
//! machine's variables. What it does outside that folder shows, and so does a case that never ends.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::variable;
use crate::cli;
use crate::store::open;

/// The variable that names the room, inside of it.
pub(super) const ROOM: &str = "DCS_HISTORY_FUZZ_ROOM";

/// How long the process may take beyond the time that it was given; no case takes a tenth of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// An archive of the first release: small, sound, and with everything in it.
const ARCHIVE: &str = include_str!("../../tests/fixtures/first-release.sql");

#[expect(
    clippy::disallowed_methods,
    reason = "it is how the process outside tells the one inside where it is"
)]
fn inside() -> Option<PathBuf> {
    std::env::var_os(ROOM).map(PathBuf::from)
}

/// Does the work inside a room. `test` is the whole name of the test that calls it.
pub(super) fn alone(test: &str, work: impl FnOnce(&Path)) {
    if let Some(room) = inside() {
        return work(&room);
    }
    let folder = tempfile::tempdir().unwrap();
    let (room, outside) = (folder.path().join("room"), folder.path().join("outside"));
    fs::create_dir(&room).unwrap();
    fs::write(&outside, "nobody's business").unwrap();
    let said = folder.path().join("said");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    child.current_dir(&room).env_clear();
    for name in ["SEED", "FIRST_SEED", "SECONDS"] {
        let name = format!("DCS_HISTORY_FUZZ_{name}");
        if let Some(value) = variable(&name) {
            child.env(name, value.to_string());
        }
    }
    child.env(ROOM, &room).env("HOME", &room);
    // Nobody listens there.
    child.env("DCS_HISTORY_METADATA_ENDPOINT", "http://127.0.0.1:9");
    let file = File::create(&said).unwrap();
    child.stdin(Stdio::null());
    child.stdout(file.try_clone().unwrap()).stderr(file);
    let ended = wait(&mut child);
    let said = String::from_utf8_lossy(&fs::read(said).unwrap()).into_owned();
    println!("{said}");
    match ended {
        Ok(is_well) => assert!(is_well, "see above"),
        Err(error) => {
            let seed = fs::read_to_string(folder.path().join("seed")).unwrap_or_default();
            panic!("{error}: a case did not end: DCS_HISTORY_FUZZ_SEED={seed}")
        }
    }
    assert_eq!(fs::read(outside).unwrap(), b"nobody's business");
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["outside", "room", "said", "seed"],
        "it wrote outside of its folder"
    );
}

/// Waits for the end of the process, within bounds; says whether that was a good one.
fn wait(command: &mut Command) -> io::Result<bool> {
    let given = Duration::from_secs(variable("DCS_HISTORY_FUZZ_SECONDS").unwrap_or(0));
    let mut child = command.spawn()?;
    let began = Instant::now();
    while began.elapsed() < given + PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        #[expect(clippy::disallowed_methods, reason = "there is no runtime to block")]
        thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Err(io::ErrorKind::TimedOut.into())
}

/// Notes which case is under way, for whoever waits outside.
pub(super) fn note(seed: u64) {
    if let Some(outside) = inside().as_deref().and_then(Path::parent) {
        fs::write(outside.join("seed"), seed.to_string()).unwrap();
    }
}

/// The bytes of a whole archive.
pub(super) fn archive(room: &Path) -> Vec<u8> {
    let path = room.join("made.db");
    let archive = rusqlite::Connection::open(&path).unwrap();
    archive.execute_batch(ARCHIVE).unwrap();
    drop(archive);
    // It is as a sync leaves it: nothing in the log.
    drop(open::readable(&path).unwrap());
    let bytes = fs::read(&path).unwrap();
    clear(room);
    bytes
}

/// Removes what a case left.
pub(super) fn clear(room: &Path) {
    for entry in fs::read_dir(room).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}

/// How a command ended, and what it printed.
pub(super) struct Ended {
    pub(super) code: u8,
    pub(super) out: Vec<u8>,
    pub(super) err: String,
}

/// Runs a command line as `main` does.
pub(super) fn run(args: &[OsString], out_is_terminal: bool) -> Ended {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = [&[OsString::from("dcs-history")], args].concat();
    let exit = cli::run(args, &mut out, &mut err, (out_is_terminal, false));
    Ended {
        code: exit.code(),
        out,
        err: String::from_utf8(err).expect("messages are text"),
    }
}

/// How often commands ended with which code: a target that is refused each time tries nothing.
#[derive(Debug, Default)]
pub(super) struct Tally(RefCell<BTreeMap<u8, u64>>);

impl Tally {
    pub(super) fn count(&self, code: u8) {
        *self.0.borrow_mut().entry(code).or_default() += 1;
    }
}
