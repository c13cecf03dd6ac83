//! What reaches a terminal: the real program under a pseudo terminal, with text from upstream that would take it over.

#![expect(
    clippy::disallowed_methods,
    reason = "a test has no settings to declare"
)]

use std::process::Command;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::support::env::{Program, finish};
use crate::support::fake_api::{FakeApi, list};
use crate::support::outcome::Outcome;
use crate::support::task;

/// Runs a command in a terminal of the given width and prints what reached the terminal. Python is there wherever the
/// project's own gate runs.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    size = struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0)
    fcntl.ioctl(1, termios.TIOCSWINSZ, size)
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    shown += part
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
"#;

/// Texts that move the cursor, forge lines, turn the reading order, hide, or take more room than they seem to.
const HOSTILE: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
    "over\rwritten\r\nerror: forged\n",
    "nul\u{0}bell\u{7}back\u{8}\u{8}\u{8}del\u{7f}tab\tvt\u{b}",
    "c1\u{9b}31m\u{85}\u{90}q\u{9c}",
    "user\u{202e}nimda\u{2066}x\u{2069}\u{200f}\u{61c}",
    "zero\u{200b}width\u{feff}\u{2060}\u{ad}",
    "line\u{2028}paragraph\u{2029}",
    "実例の名前を変更する操作です、とても長い名前",
    "👩\u{200d}💻 👍🏽 ❤\u{fe0f} 🇩🇪 1\u{fe0f}\u{20e3} 🏳\u{fe0f}\u{200d}🌈",
    "شركة التخزين المؤقت וגם עברית",
    "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306} n\u{303} ạ̈",
    "\u{e0041}\u{e0042}tags\u{e007f}",
];

fn records() -> Vec<Value> {
    let numbered = (0_u32..).zip(HOSTILE);
    let mut records: Vec<_> = numbered
        .map(|(number, text)| {
            let mut record = task(&format!("task-{number:04}"), number, "SUCCESS");
            for field in ["name", "user_name", "status", "params"] {
                record[field] = json!(text);
            }
            record["details"] = json!({ "old_capacity": text, "new_capacity": "8", text: text });
            record
        })
        .collect();
    records.reverse();
    records
}

impl Program {
    /// Runs the program with its input, output and messages on a terminal of that width.
    fn on_a_terminal(&self, width: usize, args: &[&str]) -> Outcome {
        let mut command = Command::new("python3");
        self.settle(&mut command);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = env!("CARGO_BIN_EXE_dcs-history");
        let width = width.to_string();
        command
            .env("PATH", path)
            .env("TERM", "xterm-256color")
            .args(["-c", TERMINAL, &width, program])
            .args(args);
        finish(command.spawn().expect("python3 is there"))
    }
}

/// Takes colours away; whatever else begins with an escape stays.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
        match end.filter(|end| part[*end..].starts_with('m')) {
            Some(end) => plain += &part[end + 1..],
            None => plain = plain + "\u{1b}[" + part,
        }
    }
    plain
}

#[test]
fn nothing_from_upstream_is_obeyed_by_a_terminal_and_every_line_fits() {
    let program = Program::new();
    let api = FakeApi::start(list(records()));
    program.sync(&api);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 12);

    let many = "task_key,task_id,instance_id,name,status,user_name,params,created_at,vouched_at";
    let lines: [&[&str]; 10] = [
        &["list"],
        &["list", "--tz", "+05:30"],
        &["list", "--columns", "name,user_name"],
        &["list", "--columns", many],
        &["instances"],
        &["coverage", "--walks"],
        &["coverage", "--drift"],
        &["show", "task-0000"],
        &["show", "task-0008", "--tz", "-03:30"],
        &["list", "--text", "nowhere"],
    ];
    for width in [40, 80, 160] {
        for args in lines {
            let outcome = program.on_a_terminal(width, args);
            outcome.expect_code(0);
            // The terminal's driver returns the carriage at the end of a line.
            let shown = without_colour(&outcome.out.replace("\r\n", "\n"));
            assert!(!shown.is_empty());
            let obeyed = |letter: char| {
                (letter.is_control() && letter != '\n')
                    || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
            };
            if let Some(at) = shown.find(obeyed) {
                panic!("{args:?}: {:?}", &shown[..at + 4]);
            }
            // A raw record is never cut or broken: it is there to be copied.
            let ours = shown.split("Raw record").next().unwrap_or_default();
            for line in ours.lines() {
                assert!(line.width() <= width, "{width} {args:?}: {line}");
            }
        }
    }
}

#[test]
fn a_terminal_is_coloured_unless_its_user_refuses() {
    let program = Program::new();
    let api = FakeApi::start(list(vec![task("task-0001", 1, "FAILED")]));
    program.sync(&api);
    let coloured = program.on_a_terminal(80, &["list"]).out;
    assert!(
        coloured.contains("\u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m"),
        "{coloured:?}"
    );
    let refused = program.on_a_terminal(80, &["list", "--color", "never"]).out;
    assert!(!refused.contains('\u{1b}'), "{refused:?}");
    assert_eq!(without_colour(&coloured), refused);
    let wrong = program.on_a_terminal(80, &["list", "--nonsense"]);
    wrong.expect_code(2);
    assert!(wrong.out.contains("\u{1b}[31merror:"), "{wrong:?}");
    for variable in [
        ("NO_COLOR", "1"),
        ("TERM", "dumb"),
        ("DCS_HISTORY_COLOR", "never"),
    ] {
        let mut command = Command::new("python3");
        program.settle(&mut command);
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env(variable.0, variable.1)
            .args([
                "-c",
                TERMINAL,
                "80",
                env!("CARGO_BIN_EXE_dcs-history"),
                "list",
            ]);
        let outcome = finish(command.spawn().unwrap());
        assert_eq!(outcome.out, refused, "{variable:?}");
    }
}
