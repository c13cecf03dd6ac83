//! `completions`: what a shell needs to complete the program's words.

use clap_complete::Shell;

use super::error::{CliError, Exit};
use super::output_args::written;
use super::{Context, NAME, command};

/// Print what makes a shell complete commands and options.
///
/// The script goes to standard output. Put it where your shell looks for completions, and open a new shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dcs-history completions bash > ~/.local/share/bash-completion/completions/dcs-history
  dcs-history completions zsh > ~/.zfunc/_dcs-history     # a folder that is in $fpath
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
    let script = match args.shell {
        Shell::Bash => script.replace(MISNAMED, NAMED),
        _ => script.into_owned(),
    };
    written(context.out.write_all(script.as_bytes()))?;
    Ok(Exit::Done)
}
