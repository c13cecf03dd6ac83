//! `completions`: what a shell needs to complete the program's words.

use std::collections::BTreeSet;

use clap_complete::Shell;

use super::error::{CliError, Exit};
use super::output_args::written;
use super::{Context, NAME, command};

/// Print what makes a shell complete commands and options.
///
/// The script goes to standard output. Put it where your shell looks for completions, and open a new shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dcs-history completions bash > \\
      ~/.local/share/bash-completion/completions/dcs-history
  dcs-history completions zsh > ~/.zfunc/_dcs-history  # a folder in $fpath
  dcs-history completions fish > ~/.config/fish/completions/dcs-history.fish
  source <(dcs-history completions bash)                  # for this shell alone")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// How `clap_complete` 4.6 names this program's commands in bash where it completes them, and where it recognises them: it
/// takes the hyphen of the name for the border of a command in the first place only, so that nothing fits.
const MISNAMED: &str = "dcs__subcmd__history";
const NAMED: &str = "dcs__history";

pub(crate) fn run(args: &CompletionsArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    // Written to memory first: the generator takes a reader that went away for a fault of the program.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), NAME, &mut script);
    let script = String::from_utf8_lossy(&script);
    let hidden = hidden(&command());
    let script = match args.shell {
        Shell::Bash => hidden
            .iter()
            .fold(script.replace(MISNAMED, NAMED), |script, option| {
                script.replace(&format!(" {option} "), " ")
            }),
        // In the other languages an option is offered by a line of its own.
        _ => script
            .split_inclusive('\n')
            .filter(|line| !hidden.iter().any(|option| offers(line, option)))
            .collect(),
    };
    written(context.out.write_all(script.as_bytes()))?;
    Ok(Exit::Done)
}

/// The options that `--help` does not show; the generator offers them all the same.
fn hidden(command: &clap::Command) -> BTreeSet<String> {
    let own = command
        .get_arguments()
        .filter(|option| option.is_hide_set());
    let own = own.filter_map(|option| option.get_long().map(|long| format!("--{long}")));
    own.chain(command.get_subcommands().flat_map(hidden))
        .collect()
}

fn offers(line: &str, option: &str) -> bool {
    let fish = format!(" -l {} ", option.trim_start_matches('-'));
    let after = line.split(option).nth(1);
    line.contains(&fish) || after.is_some_and(|rest| rest.starts_with(['=', ' ', '\'', '[']))
}
