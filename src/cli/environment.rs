//! What an environment variable means when it is there and holds nothing: that it is not set.
//!
//! Service managers and shells leave variables empty that somebody meant to remove. An empty *flag*, on the other hand, was
//! typed, and is judged as typed.

use clap::{Arg, Command, builder::Resettable};

/// Detaches every argument of a command and of its subcommands from a variable that is empty.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    command
        .mut_args(|argument| {
            if is_empty(&argument) {
                argument.env(Resettable::Reset)
            } else {
                argument
            }
        })
        .mut_subcommands(without_empty_variables)
}

/// Detaches every argument of a command and of its subcommands from its variable.
pub(crate) fn without_variables(command: Command) -> Command {
    command
        .mut_args(|argument| argument.env(Resettable::Reset))
        .mut_subcommands(without_variables)
}

fn is_empty(argument: &Arg) -> bool {
    argument.get_env().is_some_and(|name| {
        #[expect(
            clippy::disallowed_methods,
            reason = "it is declared as a clap `env` argument; only its emptiness is looked at"
        )]
        let value = std::env::var_os(name);
        value.is_some_and(|value| value.is_empty())
    })
}
