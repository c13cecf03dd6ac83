//! The rules of the house that rot when they are only written down.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each room with its floor. A room uses only rooms on lower floors.
const FLOORS: [(&str, u32); 10] = [
    ("model", 0),
    ("api", 1),
    ("normalize", 1),
    ("store", 1),
    ("sync", 2),
    ("report", 2),
    ("output", 3),
    ("cli", 4),
    // The garden: it knows `model` at most, and only the door and tests walk through it.
    ("simulator", 1),
    ("lib", 5),
];

fn floor(room: &str) -> u32 {
    let known = FLOORS.iter().find(|(name, _)| *name == room);
    known
        .unwrap_or_else(|| panic!("src/{room} has no floor; add it to FLOORS in {}", file!()))
        .1
}

/// Every source file with the room that it belongs to, tests left out.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files
        .into_iter()
        .filter(|path| {
            !path.components().any(|part| {
                matches!(
                    part.as_os_str().to_str(),
                    Some("tests" | "tests.rs" | "fuzz")
                )
            })
        })
        .map(|path| {
            let relative = path
                .strip_prefix(&root)
                .expect("files lie under src")
                .to_owned();
            let first = relative
                .components()
                .next()
                .expect("a file has a name")
                .as_os_str()
                .to_string_lossy();
            let room = first.trim_end_matches(".rs").replace("main", "lib");
            let text = fs::read_to_string(&path).expect("sources are readable");
            let code = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            (room, relative, code)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The code of a file without its comments.
fn code_lines(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = code
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.starts_with("//"))
}

#[test]
fn a_room_uses_only_rooms_on_lower_floors() {
    let mut faults = Vec::new();
    for (room, path, code) in sources() {
        for (line, text) in code_lines(&code) {
            for used in text.split("crate::").skip(1) {
                let used: String = used
                    .chars()
                    .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                    .collect();
                assert!(
                    !used.is_empty(),
                    "{}:{line}: write `use crate::room::…`, one room a line",
                    path.display()
                );
                let allowed = used == room || floor(&used) < floor(&room);
                let garden = used == "simulator" && room != "cli" && room != "simulator";
                let from_garden = room == "simulator" && used != "simulator" && used != "model";
                if !allowed || garden || from_garden {
                    faults.push(format!(
                        "{}:{line}: `{room}` may not use `{used}`",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_ground_depends_on_std_and_chrono_only() {
    let crates = [
        "rusqlite",
        "reqwest",
        "tokio",
        "serde_json",
        "clap",
        "ring",
        "hyper",
        "indicatif",
        "csv",
        "refinery",
    ];
    for (room, path, code) in sources().into_iter().filter(|(room, ..)| room == "model") {
        for (line, text) in code_lines(&code) {
            let foreign = crates.iter().find(|name| {
                text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .any(|word| word == **name)
                    && text.contains("::")
            });
            assert_eq!(foreign, None, "{}:{line}: in `{room}`", path.display());
            let acts = [
                "std::fs",
                "std::io",
                "std::net",
                "std::process",
                "std::env",
                "Utc::now",
                "SystemTime",
            ];
            let act = acts.iter().find(|name| text.contains(**name));
            assert_eq!(
                act,
                None,
                "{}:{line}: `{room}` neither acts nor reads a clock",
                path.display()
            );
        }
    }
}

#[test]
fn sql_addresses_and_options_stay_in_their_rooms() {
    // What to look for, and the rooms where it may stand.
    let rules: [(&[&str], &[&str]); 3] = [
        (
            &[
                "SELECT ",
                "INSERT INTO",
                "UPDATE ",
                "DELETE FROM",
                "PRAGMA ",
            ],
            &["store"],
        ),
        (
            &["reqwest", "X-Auth-Token", "x-auth-token", "start_time="],
            &["api", "simulator"],
        ),
        (&["clap::", "#[arg("], &["cli"]),
    ];
    for (room, path, code) in sources() {
        for (line, text) in code_lines(&code) {
            for (words, rooms) in rules {
                let found = words.iter().find(|word| text.contains(**word));
                assert!(
                    found.is_none() || rooms.contains(&room.as_str()),
                    "{}:{line}: {found:?} belongs to {rooms:?}: {text}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).expect("tests/it/main.rs is readable");
    for entry in fs::read_dir(&folder).expect("tests/it is readable") {
        let name = entry
            .expect("tests/it is readable")
            .file_name()
            .to_string_lossy()
            .into_owned();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || main.contains(&format!("mod {module};")),
            "tests/it/{name} is not in main.rs"
        );
    }
}

#[test]
fn the_readme_names_every_command() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))
        .expect("README.md is readable");
    for command in crate::support::commands() {
        assert!(
            readme.contains(&format!("`{command}")),
            "README.md does not name `{command}`"
        );
    }
}
