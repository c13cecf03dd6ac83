//! Where the token comes from: a file, a command, or the environment, in this order.
//!
//! An explicit choice that cannot be honoured is an error and nothing else is tried. No secret is ever an argument, and no
//! message shows one, nor the command that prints it, for that may hold one too.

mod command;
mod file;

use std::{
    ffi::OsString,
    io::{self, Read},
    path::PathBuf,
};

use clap::builder::NonEmptyStringValueParser;

use crate::api::auth::{Auth, Renew};
use crate::api::secret::{Secret, SecretError};

use super::error::{CliError, Exit};

/// The variable that holds a token itself. It has no flag, because arguments show in process lists.
const TOKEN: &str = "DCS_HISTORY_TOKEN";

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct CredentialArgs {
    /// Read the token from this file; `-` is standard input.
    ///
    /// The file must belong to you or to root, and nobody else may read or change it. Without this option and
    /// --token-command, the token is taken from the variable `DCS_HISTORY_TOKEN`.
    #[arg(
        long,
        value_name = "PATH",
        env = "DCS_HISTORY_TOKEN_FILE",
        hide_env_values = true
    )]
    token_file: Option<PathBuf>,
    /// Run this with `sh` and take what it prints as the token; it is run once more if that token is refused.
    #[arg(
        long,
        value_name = "COMMAND",
        value_parser = NonEmptyStringValueParser::new(),
        env = "DCS_HISTORY_TOKEN_COMMAND",
        hide_env_values = true
    )]
    token_command: Option<String>,
}

impl CredentialArgs {
    /// Gets the token from the first source that is given.
    pub(crate) fn resolve(&self) -> Result<Auth, CliError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a clap argument would make the token a flag, and flags show in process lists"
        )]
        let variable = std::env::var_os(TOKEN);
        self.resolve_with(variable, &mut io::stdin())
    }

    fn resolve_with(
        &self,
        variable: Option<OsString>,
        stdin: &mut dyn Read,
    ) -> Result<Auth, CliError> {
        if let Some(path) = &self.token_file {
            let token = file::read(path, stdin).map_err(|error| {
                let refused = CliError::usage(error.to_string());
                let refused = error.hint().into_iter().fold(refused, CliError::hint);
                match std::error::Error::source(&error) {
                    Some(source) => refused.because(source),
                    None => refused,
                }
            })?;
            return Ok(Auth::Token { token, renew: None });
        }
        if let Some(line) = &self.token_command {
            let token = command::run(line, command::LIMIT).map_err(|error| {
                CliError::new(Exit::Refused, "the token command gave no token").because(&error)
            })?;
            let again = line.clone();
            let renew: Renew = Box::new(move || Ok(command::run(&again, command::LIMIT)?));
            return Ok(Auth::Token {
                token,
                renew: Some(renew),
            });
        }
        match variable.filter(|variable| !variable.is_empty()) {
            Some(variable) => from_variable(variable),
            None => Err(nothing_found()),
        }
    }
}

fn from_variable(variable: OsString) -> Result<Auth, CliError> {
    let token = variable
        .into_string()
        .map_err(|_| SecretError::NotAscii)
        .and_then(Secret::parse)
        .map_err(|error| CliError::usage(format!("{TOKEN} holds no token")).because(&error))?;
    Ok(Auth::Token { token, renew: None })
}

fn nothing_found() -> CliError {
    CliError::usage(format!(
        "no token was found; looked at --token-file (DCS_HISTORY_TOKEN_FILE), --token-command \
         (DCS_HISTORY_TOKEN_COMMAND) and {TOKEN}, in this order"
    ))
    .hint("put a token into a file that only you can read and give its path with --token-file")
}

/// Takes bytes for a token: text, without the one newline that editors and commands put at its end.
fn token_from(bytes: Vec<u8>) -> Result<Secret, SecretError> {
    let mut text = String::from_utf8(bytes).map_err(|_| SecretError::NotAscii)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Secret::parse(text)
}

#[cfg(test)]
mod tests;
