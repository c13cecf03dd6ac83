//! The README, held to its word: its first sync is run as it is printed there, its queries are asked of the archive that
//! this makes, and its tables are compared with `--help` and with the views.

#![expect(
    clippy::disallowed_methods,
    reason = "a test has no settings to declare and no runtime to block"
)]

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::support;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dcs-history");

/// Printed between two blocks of the script, so that each block's output can be told from the next one's.
const BORDER: &str = "-- end of a block --";

/// The script takes some three seconds; a machine under load may take its time.
const PATIENCE: Duration = Duration::from_mins(2);

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The text of one section, its heading left out.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let start = readme.find(heading).unwrap() + heading.len();
    let rest = &readme[start..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

/// The fenced blocks of one text: the language and the lines.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some((_, body)), None) => body.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    found
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The program without whatever settings the person who runs the tests has.
fn hermetic(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("DCS_HISTORY_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(&*name);
        }
    }
    command.env_remove("COLUMNS").stdin(Stdio::null());
    command
}

/// Runs a script in a folder and returns what it printed on either stream. It leaves no process behind.
fn run(script: &str, folder: &Path) -> String {
    let out = folder.join("out");
    let file = File::create(&out).unwrap();
    let programs = Path::new(PROGRAM).parent().unwrap().display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut child = hermetic("bash")
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", format!("{programs}:{path}"))
        .stderr(file.try_clone().unwrap())
        .stdout(file)
        .spawn()
        .unwrap();
    let until = Instant::now() + PATIENCE;
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > until {
            let pid = child.id().to_string();
            Command::new("kill").arg(pid).status().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let printed = fs::read_to_string(out).unwrap();
    let done = ended.is_some_and(|status| status.success());
    assert!(done, "it ended with {ended:?}:\n{printed}");
    printed
}

/// Takes out what two runs need not have in common: minutes and seconds of what was observed, and how long it took.
fn comparable(text: &str) -> String {
    const OBSERVED: &str = "2026-10-01T00:";
    let mut lines = Vec::new();
    for line in text.trim().lines() {
        let mut pieces = line.split(OBSERVED);
        let mut kept = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            kept += OBSERVED;
            kept += &piece[piece.find('Z').unwrap()..];
        }
        let counted = kept.find(" requests, ");
        kept.truncate(counted.unwrap_or(kept.len()));
        lines.push(kept);
    }
    lines.join("\n")
}

/// Asks every question of the README of an archive: as any program would that reads SQLite, and through `sql`.
fn ask(archive: &Path, readme: &str) {
    let plain = Connection::open_with_flags(archive, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let (mut asked, mut unanswered) = (0, Vec::new());
    let blocks = blocks(readme);
    for (_, sql) in blocks.iter().filter(|(kind, _)| kind == "sql") {
        for query in sql.split_inclusive(";\n") {
            let mut statement = plain
                .prepare(query)
                .unwrap_or_else(|error| panic!("{error}: {query}"));
            let mut rows = statement.query([]).unwrap();
            let mut count = 0;
            while rows.next().unwrap().is_some() {
                count += 1;
            }
            let output = hermetic(PROGRAM)
                .arg("--db")
                .arg(archive)
                .args(["sql", "-o", "jsonl", "--", query.trim()])
                .output()
                .unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), &*said), (Some(0), ""), "{query}");
            assert_eq!(told.lines().count(), count, "{query}");
            if count == 0 {
                unanswered.extend(query.trim().lines().next());
            }
            asked += 1;
        }
    }
    assert!(asked >= 12, "{asked}");
    // In the simulated October nothing was deleted, went backwards, is unknown or was left unproven.
    let expected = [
        "-- Which records disappeared upstream, and whose were they?",
        "-- Which tasks went backwards: open again after a final status?",
        "-- Which readings proved nothing, and why?",
        "-- What did the cloud send that its documentation does not know?",
    ];
    // The clock of whoever runs the test may stand before it or behind it.
    unanswered.retain(|question| !question.contains("36 hours"));
    assert_eq!(unanswered, expected);
}

/// Holds the README's tables of columns against the views.
fn compare_columns(archive: &Path, readme: &str) {
    let archive = Connection::open_with_flags(archive, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let columns = |view: &str| -> Vec<String> {
        let mut statement = archive
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap();
        let names = statement.query_map([view], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    let views: Vec<String> = archive
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'view'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(views.len() >= 9, "{views:?}");
    let keys = ["task_key", "project_id", "instance_id", "task_id"];
    for view in views {
        let title = format!("**`{view}`**");
        let start = readme
            .find(&title)
            .unwrap_or_else(|| panic!("no {title} in README.md"));
        let text = &readme[start + title.len()..];
        let text = &text[..text.find("\n**").unwrap_or(text.len())];
        let text = &text[..text.find("\n`dcs-history sql QUERY`").unwrap_or(text.len())];
        for column in columns(&view) {
            let is_key = text.contains("| keys |") && keys.contains(&&*column);
            assert!(
                is_key || text.contains(&format!("`{column}`")),
                "README.md does not explain `{column}` of `{view}`"
            );
        }
    }
}

#[test]
fn the_first_sync_prints_what_the_readme_shows_and_its_queries_have_answers() {
    let readme = readme();
    let port = free_port().to_string();
    let mut script = "exec 2>&1; trap 'exit 1' TERM; trap 'kill $! 2>/dev/null' EXIT\n".to_owned();
    let mut expected = Vec::new();
    let first_sync = blocks(section(&readme, "\n## A first sync, without an account\n"));
    let in_sql = blocks(section(&readme, "\n## The archive in SQL\n"));
    let typed = in_sql.into_iter().filter(|(kind, _)| kind != "sql");
    for (kind, body) in first_sync.into_iter().chain(typed) {
        if kind == "sh" {
            script += &body.replace("18080", &port);
            script.extend(["echo '", BORDER, "'\n"]);
            expected.push(String::new());
        } else {
            *expected.last_mut().unwrap() = body;
        }
    }
    assert!(expected.len() >= 5, "{expected:?}");
    for command in ["sync", "list", "show", "changes", "coverage", "sql"] {
        assert!(
            script.contains(&format!("dcs-history --db history.db {command}")),
            "{command}"
        );
    }
    // The process that the last block ended must not be asked again.
    script += "trap - EXIT\n";

    let folder = tempfile::tempdir().unwrap();
    let printed = run(&script, folder.path());
    let printed: Vec<_> = printed.split(&format!("{BORDER}\n")).collect();
    assert_eq!(printed.len(), expected.len() + 1, "{printed:?}");
    for (printed, shown) in printed.iter().zip(&expected) {
        assert_eq!(
            comparable(printed),
            comparable(shown),
            "README.md shows something else than was printed:\n{printed}"
        );
    }
    let archive = folder.path().join("history.db");
    ask(&archive, &readme);
    compare_columns(&archive, &readme);
}

#[test]
fn every_option_stands_in_the_readme_with_its_variable_and_its_default() {
    let readme = readme();
    let rows: Vec<_> = readme
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let (mut options, mut variables) = (0, 0);
    for command in support::commands() {
        let help = hermetic(PROGRAM)
            .args([command.as_str(), "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let mut told: Vec<&str> = Vec::new();
        for line in help.lines().map(str::trim) {
            let words = line.split_whitespace();
            let option = words
                .take(2)
                .find(|word| line.starts_with('-') && word.starts_with("--"))
                .map(|word| word.trim_end_matches(['.', ',']));
            if let Some(option) = option {
                // Words for these: they are everywhere, and explain themselves.
                if ["--help", "--version", "--verbose", "--quiet"].contains(&option) {
                    continue;
                }
                let named = |row: &&&str| {
                    row.contains(&format!("{option} ")) || row.contains(&format!("{option}`"))
                };
                told = rows.iter().filter(named).copied().collect();
                assert!(!told.is_empty(), "{command} {option} is not in README.md");
                options += 1;
            }
            let inside = |name: &str| {
                let rest = line.strip_prefix(name)?;
                rest.strip_suffix(']')
            };
            if let Some(variable) = inside("[env: ") {
                let variable = format!("`{}`", variable.trim_end_matches('='));
                assert!(
                    told.iter().any(|row| row.contains(&variable)),
                    "{command}: {variable} does not stand beside its option in README.md"
                );
                variables += 1;
            }
            if let Some(default) = inside("[default: ") {
                assert!(
                    told.iter().any(|row| row.contains(default)),
                    "{command}: the default {default} does not stand beside its option: {told:?}"
                );
            }
        }
    }
    assert!(options > 40 && variables > 30, "{options}, {variables}");
}
