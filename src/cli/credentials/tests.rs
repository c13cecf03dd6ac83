//! Which source wins, and what happens when the one that was chosen gives nothing.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use clap::{CommandFactory as _, Parser};
use tempfile::TempDir;

use super::search::{Search, search};
use super::surroundings::Surroundings;
use super::*;
use crate::cli::environment::without_empty_variables;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    credentials: CredentialArgs,
}

fn put(folder: &TempDir, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    let mut file = fs::File::create_new(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn args(file: Option<&Path>, command: Option<&str>) -> CredentialArgs {
    CredentialArgs {
        token_file: file.map(Path::to_owned),
        token_command: command.map(str::to_owned),
    }
}

fn auth(args: &CredentialArgs, variable: &str, stdin: &str) -> Result<Auth, CliError> {
    let around = Surroundings::of(&[(TOKEN, variable)], &[]);
    match search(args, None, &around)? {
        Search::Found(found) => {
            let login = || panic!("no password is asked for");
            found.credential.into_auth(login, &mut stdin.as_bytes())
        }
        Search::TryAgency(agency) => Err(agency.nothing_found()),
    }
}

/// Resolves, and returns the token and whether it can be renewed.
fn resolve(args: &CredentialArgs, variable: &str, stdin: &str) -> Result<(Secret, bool), CliError> {
    let Auth::Token { token, renew } = auth(args, variable, stdin)? else {
        panic!("not a token");
    };
    Ok((token, renew.is_some()))
}

fn is(token: &str, renewable: bool) -> (Secret, bool) {
    (Secret::parse(token.to_owned()).unwrap(), renewable)
}

#[test]
fn the_file_wins_over_the_command_and_the_command_over_the_variable() {
    let folder = TempDir::new().unwrap();
    let file = put(&folder, "token", "from-file\n", 0o600);
    let file = Some(file.as_path());
    let command = Some("echo from-command");
    let cases = [
        (args(file, command), is("from-file", false)),
        (args(file, None), is("from-file", false)),
        (args(None, command), is("from-command", true)),
        (args(None, None), is("from-variable", false)),
    ];
    for (args, expected) in cases {
        assert_eq!(resolve(&args, "from-variable", "").unwrap(), expected);
    }
}

#[test]
fn one_final_newline_of_a_file_is_dropped_and_no_more() {
    let folder = TempDir::new().unwrap();
    let good = ["the-token", "the-token\n", "the-token\r\n"];
    for (place, text) in good.iter().enumerate() {
        let path = put(&folder, &format!("good-{place}"), text, 0o600);
        let read = resolve(&args(Some(&path), None), "", "");
        assert_eq!(read.unwrap(), is("the-token", false), "{text:?}");
    }
    let long = "x".repeat(65_537);
    let bad = [
        "",
        "\n",
        "hunter2\n\n",
        "hunter2\r",
        " hunter2",
        "hunter2\nhunter2",
        &long,
    ];
    for (place, text) in bad.iter().enumerate() {
        let path = put(&folder, &format!("bad-{place}"), text, 0o600);
        let error = resolve(&args(Some(&path), None), "other", "").unwrap_err();
        assert_eq!(error.exit, Exit::Usage, "{text:?}");
        assert!(error.message.contains(&format!("bad-{place}")), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_token_file_is_judged_by_the_target_of_its_link() {
    let folder = TempDir::new().unwrap();
    let open = put(&folder, "open", "the-token\n", 0o644);
    let closed = put(&folder, "closed", "the-token\n", 0o600);
    let (to_open, to_closed) = (
        folder.path().join("to-open"),
        folder.path().join("to-closed"),
    );
    symlink(&open, &to_open).unwrap();
    symlink(&closed, &to_closed).unwrap();
    for path in [&closed, &to_closed] {
        assert!(resolve(&args(Some(path), None), "", "").is_ok(), "{path:?}");
    }
    for path in [&open, &to_open] {
        let error = resolve(&args(Some(path), None), "other", "").unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("others can read it"), "{error:?}");
        assert!(error.hints[0].contains("chmod 600"), "{error:?}");
    }
}

#[test]
fn a_file_that_was_chosen_and_cannot_be_read_ends_the_search() {
    let folder = TempDir::new().unwrap();
    for path in [folder.path().join("missing"), folder.path().to_owned()] {
        let args = args(Some(&path), Some("echo from-command"));
        let error = resolve(&args, "from-variable", "").unwrap_err();
        assert_eq!(error.exit, Exit::Usage, "{error:?}");
    }
    let missing = args(Some(&folder.path().join("missing")), None);
    let error = resolve(&missing, "", "").unwrap_err();
    assert!(error.causes[0].contains("No such file"), "{error:?}");
}

#[test]
fn a_dash_reads_standard_input() {
    let args = args(Some(Path::new("-")), None);
    assert_eq!(resolve(&args, "", "piped\n").unwrap(), is("piped", false));
    assert_eq!(resolve(&args, "", "").unwrap_err().exit, Exit::Usage);
}

#[test]
fn a_command_that_fails_is_a_refusal_and_ends_the_search() {
    let cases = [("exit 3", "exit status: 3"), ("true", "printed nothing")];
    for (line, expected) in cases {
        let error = resolve(&args(None, Some(line)), "from-variable", "").unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
        assert!(error.causes[0].contains(expected), "{error:?}");
    }
}

#[test]
fn a_command_is_run_again_to_renew_its_token() {
    let folder = TempDir::new().unwrap();
    let count = folder.path().join("count");
    let line = format!(
        "echo x >> '{0}'; wc -l < '{0}' | tr -d ' '",
        count.display()
    );
    let auth = auth(&args(None, Some(&line)), "", "");
    let Ok(Auth::Token { token, renew }) = auth else {
        panic!("no token: {auth:?}");
    };
    assert_eq!(token, is("1", true).0);
    assert_eq!(renew.unwrap()().unwrap(), is("2", true).0);
}

#[test]
fn a_variable_that_holds_no_token_is_wrong_configuration() {
    let error = resolve(&args(None, None), "hunter2\n", "").unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.message.contains("DCS_HISTORY_TOKEN"), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn no_option_takes_a_secret_and_none_shows_the_value_of_its_variable() {
    let command = Line::command();
    let options: Vec<_> = command
        .get_arguments()
        .filter(|argument| argument.get_id() != "help")
        .collect();
    let names: Vec<_> = options
        .iter()
        .filter_map(|option| option.get_long())
        .collect();
    assert_eq!(names, ["token-file", "token-command"]);
    assert!(options.iter().all(|option| option.is_hide_env_values_set()));
}

#[test]
fn an_empty_flag_is_wrong_usage_and_an_empty_variable_is_none() {
    for flag in ["--token-file", "--token-command"] {
        let typed = Line::try_parse_from(["dcs-history", flag, ""]);
        assert_eq!(typed.unwrap_err().exit_code(), 2, "{flag}");
    }
    // Cargo sets this one for every test of this package, and it is empty because the version is no pre-release.
    let command = Line::command().mut_arg("token_file", |argument| {
        argument.env("CARGO_PKG_VERSION_PRE")
    });
    let command = command.mut_arg("token_command", |argument| argument.env("CARGO_PKG_NAME"));
    let typed = command.clone().try_get_matches_from(["dcs-history"]);
    assert!(typed.is_err(), "the variable is not there or not empty");
    let typed = without_empty_variables(command).try_get_matches_from(["dcs-history"]);
    let typed = typed.unwrap();
    assert_eq!(typed.get_one::<PathBuf>("token_file"), None);
    let kept = typed.get_one::<String>("token_command");
    assert_eq!(kept.map(String::as_str), Some("dcs-history"));
}
