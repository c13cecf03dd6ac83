//! What every test of the whole program needs: a program in an environment of its own, an upstream that does what a
//! script says, and what a user would see afterwards.

pub(crate) mod env;
pub(crate) mod fake_api;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod outcome;

use serde_json::{Value, json};

/// The project and the instance that a program asks for unless it is told otherwise.
pub(crate) const PROJECT: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

/// The secret of every run; it must never be seen again.
pub(crate) const TOKEN: &str = "gAAAAA-never-to-be-seen-again-0123456789";

/// Where the fake upstream's clock stands, as its `Date` says it. Every time of [`task`] is before it.
pub(crate) const DATE: &str = "Wed, 01 Apr 2026 12:00:00 GMT";

/// One well-formed record: its id, and the minute of 2026-03-01 in which it was made and last changed.
pub(crate) fn task(id: &str, minute: u32, status: &str) -> Value {
    let time = format!("2026-03-01T{:02}:{:02}:00.000Z", minute / 60, minute % 60);
    json!({
        "id": id,
        "name": "EXTEND",
        "details": {"old_capacity": "4", "new_capacity": "8"},
        "user_name": "dora",
        "user_id": "d53b32a2f4ea4c2abc7cfb4d26b2f1a7",
        "params": null,
        "status": status,
        "created_at": time,
        "updated_at": time,
        "enable_show": false,
    })
}

/// A list of that many finished tasks, newest first, ids `task-0001` for the oldest and so on.
pub(crate) fn tasks(count: u32) -> Vec<Value> {
    let one = |number| task(&format!("task-{number:04}"), number, "SUCCESS");
    (1..=count).rev().map(one).collect()
}

/// An answer that shows these records, with a count as the service sends it.
pub(crate) fn page(records: &[Value], total: usize) -> Value {
    json!({"task_count": total.to_string(), "tasks": records})
}

/// The commands that the program's own help lists; `help` itself is not one to document.
pub(crate) fn commands() -> Vec<String> {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_dcs-history"))
        .arg("--help")
        .env("COLUMNS", "80")
        .output()
        .expect("it runs");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What a command is for goes on in lines that begin further to the right.
    let names: Vec<_> = listed
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 5, "commands in:\n{help}");
    names
}
