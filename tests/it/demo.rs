//! `dcs-history demo`: the same story everywhere, told by commands that print the same when they are typed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::env::{finish, signal};
use crate::support::outcome::Outcome;

/// The story takes a quarter of a second; ten people at once on a slow machine may wait this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program with nothing in its environment but a folder for temporary files.
fn program(args: &[&str], temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dcs-history"));
    command
        .args(args)
        .env_clear()
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn run(command: &mut Command) -> Outcome {
    finish(command.spawn().unwrap())
}

/// The story in a folder of its own, told well.
struct Told {
    temporary: TempDir,
    out: String,
}

impl Told {
    #[track_caller]
    fn now() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let outcome = run(&mut program(&["demo"], temporary.path()));
        assert_eq!((outcome.code, &*outcome.err), (Some(0), ""), "{outcome:#?}");
        Self {
            temporary,
            out: outcome.out,
        }
    }

    /// The archive that it names.
    fn archive(&self) -> PathBuf {
        PathBuf::from(exported(&self.out, "DB"))
    }
}

/// The value of a setting that the story shows.
#[track_caller]
fn exported<'a>(story: &'a str, name: &str) -> &'a str {
    let export = format!("$ export DCS_HISTORY_{name}=");
    let found = story.lines().find_map(|line| line.strip_prefix(&export));
    found.unwrap_or_else(|| panic!("no {export} in {story}"))
}

/// Takes out what two runs need not have in common: the place, the port, the seconds in which a reading was made (the
/// cloud's clock stands still, but a reading's goes on while it lasts), and how long it took.
fn comparable(story: &str) -> String {
    const READ: [&str; 5] = [
        "2026-10-01T19:00:",
        "2026-10-01T20:00:",
        "2026-10-02T19:00:",
        "2026-10-03T17:30:",
        "2026-10-06T18:00:",
    ];
    let folder = Path::new(exported(story, "DB")).parent().unwrap();
    let mut text = story
        .replace(folder.to_str().unwrap(), "FOLDER")
        .replace(exported(story, "ENDPOINT"), "ENDPOINT");
    for minute in READ {
        let mut pieces = text.split(minute);
        let mut kept = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            kept.extend([minute, &piece[piece.find('Z').unwrap()..]]);
        }
        text = kept;
    }
    let lines = text.lines().map(|line| match line.find(" requests, ") {
        _ if line.starts_with("  export PATH=") => "  export PATH=…",
        Some(counted) => &line[..counted],
        None => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The command lines of the story, without the program's name, each with what stands below it.
fn commands(story: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for paragraph in story.split("$ dcs-history ").skip(1) {
        let mut lines = paragraph.lines();
        let mut command = lines.next().unwrap().to_owned();
        while let Some(open) = command.strip_suffix('\\') {
            command = format!("{open} {}", lines.next().unwrap().trim());
        }
        let printed = lines.flat_map(|line| [line, "\n"]).collect();
        found.push((command, printed));
    }
    found
}

#[test]
fn it_tells_the_same_story_whatever_the_users_settings_are() {
    let plain = Told::now();
    let own = tempfile::tempdir().unwrap();
    let mine = own.path().join("mine.db");
    fs::write(&mine, "not to be touched").unwrap();
    let dead = "http://127.0.0.1:9";
    let outcome = run(program(&["demo"], own.path())
        .env("DCS_HISTORY_DB", &mine)
        .env("DCS_HISTORY_ENDPOINT", "https://dcs.example")
        .env("DCS_HISTORY_INSTANCE", "another")
        .env("DCS_HISTORY_TOKEN", "a real one")
        .env("DCS_HISTORY_TOKEN_COMMAND", "exit 1")
        .env("DCS_HISTORY_OUTPUT", "json")
        .env("DCS_HISTORY_PAGE_SIZE", "7")
        .env("DCS_HISTORY_PROGRESS", "always")
        .env("DCS_HISTORY_LOG_FORMAT", "json")
        .env("COLUMNS", "20")
        .env("HTTP_PROXY", dead)
        .env("http_proxy", dead)
        .env("ALL_PROXY", dead));
    assert_eq!((outcome.code, &*outcome.err), (Some(0), ""), "{outcome:#?}");
    assert_eq!(comparable(&outcome.out), comparable(&plain.out));
    assert_eq!(fs::read_to_string(&mine).unwrap(), "not to be touched");
}

#[test]
fn it_leaves_a_private_archive_and_nothing_else() {
    let told = Told::now();
    let archive = told.archive();
    assert!(archive.starts_with(told.temporary.path()), "{archive:?}");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = archive.parent().unwrap();
    assert_eq!((mode(&archive), mode(folder)), (0o600, 0o700));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("history.db"), "{name}");
        assert_eq!(mode(&path), 0o600, "{name}");
    }
    let address = exported(&told.out, "ENDPOINT").strip_prefix("http://");
    assert!(TcpStream::connect(address.unwrap()).is_err());
}

#[test]
fn every_question_can_be_typed_again_and_the_last_ones_have_the_same_answers() {
    let told = Told::now();
    let commands = commands(&told.out);
    let last_sync = commands.iter().rposition(|(line, _)| line == "sync");
    let mut compared = 0;
    for (position, (line, printed)) in commands.iter().enumerate() {
        if line == "sync" {
            continue;
        }
        let words: Vec<_> = line.split_whitespace().collect();
        let mut command = program(&words, told.temporary.path());
        let typed = run(command.env("DCS_HISTORY_DB", told.archive()));
        let ended = match typed.code.unwrap() {
            0 => String::new(),
            code => format!("(exit code {code})\n"),
        };
        let told_code = printed.lines().find(|line| line.starts_with("(exit code "));
        assert_eq!(told_code.unwrap_or_default(), ended.trim_end(), "{line}");
        // What was asked earlier was asked of an archive that knew less.
        if Some(position) > last_sync {
            let typed = format!("{}{}{ended}\n", typed.out, typed.err);
            assert!(printed.starts_with(&typed), "{line}: {typed}\n{printed}");
            compared += 1;
        }
    }
    assert!(
        commands.len() > 8 && compared > 0,
        "{compared} of {commands:?}"
    );
}

#[test]
fn what_it_says_to_type_next_works() {
    let told = Told::now();
    let (_, next) = told.out.split_once("What to type next").unwrap();
    let (here, account) = next.split_once("For a real account").unwrap();
    let mut script = String::new();
    for line in here.lines().filter(|line| line.starts_with("  ")) {
        script.extend([line, "\n"]);
    }
    assert!(script.matches("  dcs-history ").count() >= 2, "{script}");
    assert!(account.contains("  dcs-history sync --region"));
    let here = tempfile::tempdir().unwrap();
    let typed = run(Command::new("/bin/sh")
        .args(["-e", "-c", &script])
        .current_dir(here.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped()));
    assert_eq!((typed.code, &*typed.err), (Some(0), ""), "{typed:#?}");
    assert!(typed.out.contains("2026-10-0"), "{typed:#?}");
    let report = fs::read_to_string(here.path().join("report.html")).unwrap();
    assert!(report.contains("Was there a change?"), "{report}");
}

#[test]
fn a_folder_of_ones_choice_is_used_only_if_nothing_is_in_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("it's shown");
    let demo = || {
        let mut command = program(&["demo", "--dir", "it's shown"], place.path());
        run(command.current_dir(place.path()))
    };
    fs::create_dir(&folder).unwrap();
    let outcome = demo();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let archive = folder.join("history.db");
    let quoted = archive.to_str().unwrap().replace('\'', r"'\''");
    assert_eq!(exported(&outcome.out, "DB"), format!("'{quoted}'"));
    let before = fs::read(&archive).unwrap();

    let again = demo();
    assert_eq!((again.code, &*again.out), (Some(2), ""), "{again:#?}");
    assert!(again.err.contains("is not empty"), "{again:#?}");
    assert!(again.err.contains("hint: "), "{again:#?}");
    assert_eq!(fs::read(&archive).unwrap(), before);

    let nowhere = place.path().join("no/such");
    let args = ["demo", "--dir", nowhere.to_str().unwrap()];
    assert_eq!(run(&mut program(&args, place.path())).code, Some(1));
    let args = ["demo", "--dir", archive.to_str().unwrap()];
    let file = run(&mut program(&args, place.path()));
    assert_eq!(file.code, Some(1), "{file:#?}");
    assert_eq!(fs::read(&archive).unwrap(), before);
}

#[test]
fn a_signal_in_the_middle_ends_it_with_the_signals_code() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        // It may be over before the signal comes; ten times in a row it is not.
        let ended = (0..10).any(|_| {
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("shown");
            let args = ["demo", "--dir", folder.to_str().unwrap()];
            let child = program(&args, place.path()).spawn().unwrap();
            let until = Instant::now() + PATIENCE;
            while !folder.join("history.db").exists() && Instant::now() < until {
                thread::yield_now();
            }
            signal(child.id(), name);
            let outcome = finish(child);
            if outcome.code == Some(0) {
                return false;
            }
            assert_eq!(outcome.code, Some(code), "{outcome:#?}");
            assert!(outcome.err.contains("stopped by a signal"), "{outcome:#?}");
            assert!(!outcome.out.contains("What to type next"), "{outcome:#?}");
            assert!(!folder.join("token").exists());
            true
        });
        assert!(ended, "{name}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let place = tempfile::tempdir().unwrap();
    let mut child = program(&["demo"], place.path()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("dcs-history keeps"), "{line}");
    drop(reader);
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), &*err), (Some(0), ""));
}

#[test]
fn a_full_disk_behind_it_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let mut command = program(&["demo"], place.path());
    let full = File::options().write(true).open("/dev/full").unwrap();
    let outcome = run(command.stdout(full));
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.err.contains("cannot write to standard output"));
}

#[test]
fn the_readme_shows_what_it_prints() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let start = readme.find("\n## What it is for, in one story\n").unwrap();
    let section = &readme[start + 1..];
    let section = &section[..section.find("\n## ").unwrap()];
    let shown: String = section
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.strip_prefix("text\n").unwrap())
        .collect();
    assert!(commands(&shown).len() > 8, "{shown}");
    let (shown, printed) = (comparable(&shown), comparable(&Told::now().out));
    let mut rest = &*printed;
    for paragraph in shown.split("\n\n").map(str::trim_end) {
        let found = rest.find(paragraph).unwrap_or_else(|| {
            panic!("README.md shows what is not printed there:\n{paragraph}\n\n{printed}")
        });
        rest = &rest[found + paragraph.len()..];
    }
}
