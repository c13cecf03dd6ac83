//! Where a credential comes from: every source that the users of the two clouds already have, in one order (`search`).
//!
//! What stands where is read by one module a family (`variables`, `clouds`, `huawei`, `profile`), and judged in one place
//! (`bag`). No secret is ever an argument, and no message shows one, nor the command that prints it, for that may hold one
//! too.

pub(crate) mod bag;
mod clouds;
mod command;
mod file;
pub(crate) mod hidden;
pub(crate) mod huawei;
pub(crate) mod profile;
pub(crate) mod search;
pub(crate) mod surroundings;
pub(crate) mod told;
mod variables;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::builder::NonEmptyStringValueParser;

use crate::api::auth::{Agency, Auth, Keys, Login, Renew, Scope, User};
use crate::api::endpoint::Endpoint;
use crate::api::secret::{Password, Secret, SecretError};

use super::error::{CliError, Exit};
use hidden::Hidden;

pub(crate) use file::unsafe_file;

/// The variable that holds a token itself. It has no flag, because arguments show in process lists.
const TOKEN: &str = "DCS_HISTORY_TOKEN";

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct CredentialArgs {
    /// Read the token from this file; `-` is standard input.
    ///
    /// The file must belong to you or to root, and nobody else may read or change it. Without this option and
    /// --token-command, the credential is taken from the variable `DCS_HISTORY_TOKEN`, or else from where the tools of
    /// your cloud find theirs.
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

/// A credential as its source gives it.
#[derive(Debug)]
pub(crate) enum Credential {
    Token(Secret),
    TokenFile(PathBuf),
    /// A line for the shell, which may hold a secret itself.
    TokenCommand(Hidden),
    Keys(Keys),
    Password {
        user: User,
        password: Password,
    },
    Agency(Agency),
}

/// A part of a credential, for people who want to know where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) what: &'static str,
    /// The first characters of an access key, the name of a user; nothing of a secret.
    pub(crate) shown: Option<String>,
    pub(crate) from: String,
}

impl Credential {
    /// Says whether IAM must be asked before the service can be.
    pub(crate) const fn needs_iam(&self) -> bool {
        matches!(self, Self::Password { .. })
    }

    /// Makes the credential of a run: reads the file, runs the command. `login` is where and for which project a password
    /// is exchanged for a token.
    pub(crate) fn into_auth(
        self,
        login: impl FnOnce() -> Result<(Endpoint, Scope), CliError>,
        stdin: &mut dyn Read,
    ) -> Result<Auth, CliError> {
        Ok(match self {
            Self::Token(token) => Auth::Token { token, renew: None },
            Self::TokenFile(path) => Auth::Token {
                token: from_file(&path, stdin)?,
                renew: None,
            },
            Self::TokenCommand(line) => from_command(line)?,
            Self::Keys(keys) => Auth::Keys(keys),
            Self::Password { user, password } => {
                let (iam, scope) = login()?;
                Auth::Password(Login {
                    iam,
                    user,
                    password,
                    scope,
                })
            }
            Self::Agency(agency) => Auth::Agency(agency),
        })
    }
}

fn from_file(path: &Path, stdin: &mut dyn Read) -> Result<Secret, CliError> {
    file::read(path, stdin).map_err(|error| {
        let refused = CliError::usage(error.to_string());
        let refused = error.hint().into_iter().fold(refused, CliError::hint);
        match std::error::Error::source(&error) {
            Some(source) => refused.because(source),
            None => refused,
        }
    })
}

fn from_command(line: Hidden) -> Result<Auth, CliError> {
    let token = command::run(line.expose(), command::LIMIT).map_err(|error| {
        CliError::new(Exit::Refused, "the token command gave no token").because(&error)
    })?;
    let renew: Renew = Box::new(move || Ok(command::run(line.expose(), command::LIMIT)?));
    Ok(Auth::Token {
        token,
        renew: Some(renew),
    })
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

/// What the variables of one family say beside their credential, for the tests of what is made of it.
#[cfg(test)]
pub(crate) fn given_by_terraform(around: &surroundings::Surroundings) -> bag::Given {
    let bag = variables::terraform(around);
    bag.judge().expect("no secret is in it").given
}

#[cfg(test)]
mod tests;
