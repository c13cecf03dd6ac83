//! `man`: manual pages, made from the same words as `--help`.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::error::{CliError, Exit};
use super::messages::remark;
use super::output_args::written;
use super::{Context, NAME, columns, command, whole_file};

/// Print the manual, or write one page for each command.
///
/// Without --dir the main page goes to standard output. With it the folder, which must exist, gets `dcs-history.1`,
/// `dcs-history-list.1` and so on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dcs-history man | man -l -
  dcs-history man --dir ~/.local/share/man/man1
  dcs-history man --dir ~/.local/share/man/man1 --force    # after an update")]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Replace pages that are there already.
    #[arg(long, requires = "dir")]
    force: bool,
}

pub(crate) fn run(args: &ManArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let pages = pages();
    let Some(dir) = &args.dir else {
        let main = pages.first().map(|page| page.text.as_slice());
        written(context.out.write_all(main.unwrap_or_default()))?;
        return Ok(Exit::Done);
    };
    // Nothing is written unless everything may be.
    let present = pages.iter().map(|page| dir.join(&page.name));
    if let Some(path) = present
        .clone()
        .find(|path| !args.force && fs::symlink_metadata(path).is_ok())
    {
        return Err(
            CliError::usage(format!("{} is there already", path.display()))
                .hint("--force replaces it"),
        );
    }
    for page in &pages {
        let path = dir.join(&page.name);
        whole_file::write(&path, &page.text, args.force).map_err(|error| {
            let exit = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Exit::Usage,
                _ => Exit::Machine,
            };
            CliError::new(exit, format!("cannot write {}", path.display()))
                .because(&error)
                .hint("--dir names a folder that exists and that you may write to")
        })?;
    }
    let folder = dir.display();
    remark(
        context,
        &format!("{} pages written to {folder}", pages.len()),
    );
    Ok(Exit::Done)
}

struct Page {
    name: String,
    text: Vec<u8>,
}

/// Makes all pages, the main one first.
fn pages() -> Vec<Page> {
    let mut main = command();
    // Names of commands and options that all of them take are filled in by this.
    main.build();
    let listed = |command: &&Command| command.get_name() != "help" && !command.is_hide_set();
    let commands = main.get_subcommands().filter(listed);
    std::iter::once(&main).chain(commands).map(page).collect()
}

fn page(command: &Command) -> Page {
    let man = Man::new(command.clone())
        .manual(NAME)
        .source(format!("{NAME} {}", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    let rendered = man
        .render_title(&mut text)
        .and_then(|()| man.render_name_section(&mut text))
        .and_then(|()| man.render_synopsis_section(&mut text))
        .and_then(|()| man.render_description_section(&mut text))
        .and_then(|()| man.render_options_section(&mut text));
    rendered.expect("memory takes whatever is written to it");
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(&mut text)
            .expect("memory takes whatever is written to it");
        text.extend(exits().to_roff().bytes());
    }
    for (view, meanings) in columns::of(command.get_name()) {
        let mut roff = Roff::new();
        roff.control("SH", [format!("COLUMNS ({view})").as_str()]);
        for (name, meaning) in meanings {
            roff.control("TP", [])
                .text([bold(name)])
                .text([roman(meaning)]);
        }
        text.extend(roff.to_roff().bytes());
    }
    text.extend(environment(command).to_roff().bytes());
    text.extend(examples(command).to_roff().bytes());
    Page {
        name: man.get_filename(),
        text,
    }
}

/// Names the variables; the generator leaves them out because their values are hidden.
fn environment(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for argument in command.get_arguments().filter(|one| !one.is_hide_set()) {
        if let (Some(name), Some(option)) = (argument.get_env(), argument.get_long()) {
            roff.control("TP", [])
                .text([bold(name.to_string_lossy())])
                .text([roman(format!("stands for --{option}"))]);
        }
    }
    roff
}

fn examples(command: &Command) -> Roff {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in help.lines().skip_while(|line| *line != "Examples:").skip(1) {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    roff
}

/// The exit codes as the main page explains them.
const EXITS: [(Exit, &str); 14] = [
    (Exit::Done, "done; for sync: every instance proven"),
    (
        Exit::Machine,
        "this machine failed: disk full, no permission, an I/O error",
    ),
    (Exit::Usage, "wrong usage or settings"),
    (
        Exit::Partial,
        "partly done: some instance, record or proof is missing; everything that was read is kept",
    ),
    (
        Exit::Refused,
        "refused by the cloud: authentication or permission",
    ),
    (
        Exit::Unreachable,
        "no instance could be read to its end: unreachable, unavailable, or not answering as the API should",
    ),
    (
        Exit::Archive,
        "the archive cannot be used: missing, not one of this program's, from a newer version, damaged",
    ),
    (Exit::Found, "assert-none: found"),
    (Exit::CannotKnow, "assert-none: cannot know"),
    (Exit::Unhealthy, "status: stale or unhealthy"),
    (Exit::DoesNotHold, "verify: something does not hold"),
    (Exit::Busy, "another program holds the archive"),
    (Exit::Interrupted, "interrupted (SIGINT)"),
    (Exit::Terminated, "terminated (SIGTERM)"),
];

fn exits() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in EXITS {
        let code = exit.code().to_string();
        roff.control("TP", [])
            .text([bold(code)])
            .text([roman(meaning)]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_the_sections_that_people_look_for() {
        let pages = pages();
        let names: Vec<_> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!(names[0], "dcs-history.1");
        assert!(names.contains(&"dcs-history-list.1"), "{names:?}");
        assert!(!names.contains(&"dcs-history-help.1"), "{names:?}");
        for page in &pages {
            let text = String::from_utf8(page.text.clone()).unwrap();
            for section in [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "ENVIRONMENT",
                "EXAMPLES",
            ] {
                assert!(
                    text.contains(&format!(".SH {section}\n")),
                    "{}: {section}",
                    page.name
                );
            }
            let examples = text.split(".SH EXAMPLES").nth(1).unwrap();
            assert!(
                examples.contains("dcs\\-history "),
                "{}:\n{examples}",
                page.name
            );
            assert!(!text.contains("terminal\\-width"), "{}", page.name);
        }
        let list = pages.iter().find(|page| page.name == "dcs-history-list.1");
        let list = String::from_utf8(list.unwrap().text.clone()).unwrap();
        assert!(
            list.contains("COLUMNS (tasks)") && list.contains("\\fBmissing_since\\fR"),
            "{list}"
        );
    }

    #[test]
    fn the_exit_codes_of_the_readme_are_those_of_the_manual() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = fs::read_to_string(readme).unwrap();
        let table = readme.split("\n| code | meaning |").nth(1).unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with("| "));
        let codes = rows.flat_map(|row| {
            let first = row
                .trim_start_matches("| ")
                .split(" |")
                .next()
                .unwrap_or_default();
            first.split(", ").map(str::to_owned).collect::<Vec<_>>()
        });
        let told: Vec<_> = EXITS
            .iter()
            .map(|(exit, _)| exit.code().to_string())
            .collect();
        assert_eq!(codes.collect::<Vec<_>>(), told);
    }
}
