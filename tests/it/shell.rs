//! What a shell and its user get beside the commands: completions, manual pages, help.

#![expect(
    clippy::disallowed_methods,
    reason = "a test has no settings to declare"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::commands;
use crate::support::env::{Program, finish};
use crate::support::outcome::Outcome;

/// Completes the last word of a line as bash does, after the script that the program prints.
const COMPLETE: &str = r#"
set -e
source <("$0" completions bash)
spec=$(complete -p dcs-history)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
function=$(sed -E 's/.*-F ([^ ]+).*/\1/' <<< "$spec")
# What the function returns says only whether anything fits.
"$function" dcs-history "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}" || true
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn shell(program: &Program, shell: &str, args: &[&str]) -> Outcome {
    let mut command = Command::new(shell);
    program.settle(&mut command);
    let path = std::env::var_os("PATH").unwrap_or_default();
    finish(command.env("PATH", path).args(args).spawn().unwrap())
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let program = Program::new();
    let cases: [(&[&str], &str); 5] = [
        (&["dcs-history", "li"], "list"),
        (&["dcs-history", "list", "--mis"], "--missing"),
        (&["dcs-history", "list", "--output", "json"], "json\njsonl"),
        (&["dcs-history", "list", "--color", "al"], "always"),
        (&["dcs-history", "completions", "z"], "zsh"),
    ];
    for (words, expected) in cases {
        let mut args = vec!["-c", COMPLETE, env!("CARGO_BIN_EXE_dcs-history")];
        args.extend(words);
        let outcome = shell(&program, "bash", &args);
        assert_eq!(outcome.out.trim(), expected, "{words:?}: {outcome:#?}");
        assert_eq!(outcome.err, "", "{words:?}");
    }
}

#[test]
fn every_shell_has_a_script_that_it_can_read() {
    let program = Program::new();
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = program.run(&["completions", name]);
        // In bash a hidden option is not offered, though its value would be completed.
        let offered = outcome
            .out
            .lines()
            .filter(|line| line.contains("terminal-width"));
        let offered = offered.filter(|line| line.trim() != "--terminal-width)");
        assert_eq!(offered.collect::<Vec<_>>(), [""; 0], "{name}");
        outcome.expect_code(0);
        for word in ["coverage", "--accept-endpoint", "DCS_HISTORY_TOKEN"] {
            let is_there = outcome.out.contains(word.trim_start_matches('-'));
            assert_eq!(is_there, !word.starts_with("DCS"), "{name} {word}");
        }
        // Not every machine has every shell; bash is there wherever the gate runs.
        let can_check = ["bash", "zsh", "fish"].contains(&name) && is_installed(name);
        assert!(can_check || name != "bash");
        if can_check {
            let file = program.home().join(name);
            fs::write(&file, &outcome.out).unwrap();
            let read = shell(&program, name, &["-n", file.to_str().unwrap()]);
            assert_eq!((read.code, read.err.as_str()), (Some(0), ""), "{name}");
        }
    }
    let refused = program.run(&["completions", "csh"]);
    refused.expect_code(2).expect_said(&["zsh", "elvish"]);
}

pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

#[test]
fn manual_pages_are_written_and_nothing_is_overwritten_unasked() {
    let program = Program::new();
    let main = program.run(&["man"]);
    main.expect_code(0);
    assert!(main.out.contains(".TH dcs-history 1"), "{}", main.out);

    let folder = program.home().join("man1");
    let dir = folder.to_str().unwrap();
    let missing = program.run(&["man", "--dir", dir]);
    missing
        .expect_code(2)
        .expect_said(&[dir, "--dir names a folder"]);

    fs::create_dir(&folder).unwrap();
    let written = program.run(&["man", "--dir", dir]);
    written.expect_code(0).expect_said(&["pages written to"]);
    assert_eq!(written.out, "");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("dcs-history.1"), main.out);
    assert!(read("dcs-history-list.1").contains(".SH EXAMPLES"));

    // A page that is there stays, a link is not followed, and nothing of a refused run is left.
    let elsewhere = program.home().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    fs::remove_file(folder.join("dcs-history.1")).unwrap();
    fs::write(folder.join("dcs-history-show.1"), "mine").unwrap();
    fs::remove_file(folder.join("dcs-history-list.1")).unwrap();
    symlink(&elsewhere, folder.join("dcs-history-list.1")).unwrap();
    let before = names(&folder);
    let refused = program.run(&["man", "--dir", dir]);
    refused
        .expect_code(2)
        .expect_said(&["is there already", "--force"]);
    assert_eq!(names(&folder), before);
    assert_eq!(read("dcs-history-show.1"), "mine");
    program
        .run(&["man", "--dir", dir, "--force"])
        .expect_code(0);
    assert!(read("dcs-history-show.1").contains(".SH NAME"));
    assert!(read("dcs-history-list.1").contains(".SH NAME"));
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    program.run(&["man", "--force"]).expect_code(2);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn help_names_variables_and_never_what_they_hold() {
    const SECRET: &str = "hunter2-never-shown";
    let program = Program::new();
    let mut variables = Vec::new();
    let commands = commands();
    for command in &commands {
        let help = program.run(&[command, "--help"]).out;
        let named = help.split("[env: ").skip(1);
        variables.extend(named.filter_map(|text| Some(text.split_once(']')?.0.to_owned())));
    }
    variables.sort();
    variables.dedup();
    assert!(variables.len() > 25, "{variables:?}");
    for command in &commands {
        for flag in ["--help", "-h"] {
            let mut call = program.command(&[command, flag]);
            call.envs(variables.iter().map(|name| (name, SECRET)));
            call.env("DCS_HISTORY_TOKEN", SECRET);
            let outcome = finish(call.spawn().unwrap());
            outcome.expect_code(0);
            assert!(
                !outcome.out.contains(SECRET) && !outcome.err.contains(SECRET),
                "{command}"
            );
        }
    }
}
