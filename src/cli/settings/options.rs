//! Options as clap knows them: which can stand in a profile, how a profile's values become their defaults, and where each
//! value of a call came from.

use std::path::PathBuf;

use clap::builder::OsStr;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::config::Profile;
use crate::cli::NAME;
use crate::cli::environment::without_variables;
use crate::cli::error::CliError;
use crate::cli::usage;

/// The command whose options a profile may set.
const SYNC: &str = "sync";

/// Options that choose a profile, or that a credential is made of, or that count how often they are typed.
const NOT_IN_A_PROFILE: [&str; 10] = [
    "all_profiles",
    "config",
    "db_dir",
    "help",
    "profile",
    "quiet",
    "token_command",
    "token_file",
    "verbose",
    "version",
];

/// What an option is set to, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// As it would stand in a profile: `page_size`.
    pub(crate) key: String,
    /// Nothing where an option has no default of its own.
    pub(crate) values: Vec<String>,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its flag, as typed.
    Flag(String),
    Variable(String),
    Profile {
        name: String,
        file: PathBuf,
    },
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => out.write_str(name),
            Self::Profile { name, file } => write!(out, "profile `{name}` in {}", file.display()),
            Self::Default => out.write_str("default"),
        }
    }
}

fn key(arg: &Arg) -> Option<String> {
    let key = arg.get_long()?.replace('-', "_");
    (!NOT_IN_A_PROFILE.contains(&&*key)).then_some(key)
}

fn arguments<'a>(command: &'a Command, subcommand: &str) -> impl Iterator<Item = &'a Arg> {
    let own = command.find_subcommand(subcommand);
    let own = own.into_iter().flat_map(Command::get_arguments);
    command.get_arguments().chain(own)
}

/// Returns the keys of the options that a profile may set.
pub(super) fn known(command: &Command) -> Vec<String> {
    arguments(command, SYNC).filter_map(key).collect()
}

/// Gives an option a default in place of its own, if the command has such an option.
fn with_default(command: Command, subcommand: &str, wanted: &str, values: &[String]) -> Command {
    let find = |command: &Command| {
        let mut args = command.get_arguments();
        let arg = args.find(|arg| key(arg).is_some_and(|key| key == wanted));
        arg.map(|arg| arg.get_id().to_string())
    };
    let set = |arg: Arg| arg.default_values(values.iter().map(OsStr::from));
    if let Some(id) = find(&command) {
        return command.mut_arg(id, set);
    }
    match command.find_subcommand(subcommand).and_then(find) {
        Some(id) => command.mut_subcommand(subcommand, |own| own.mut_arg(id, set)),
        None => command,
    }
}

/// Makes the profile's values the defaults of a command. `typed` is the line as it is without them: an option is left
/// alone if another one was typed that it cannot stand beside.
pub(super) fn with_profile(
    command: &Command,
    subcommand: &str,
    profile: &Profile,
    typed: &ArgMatches,
) -> Result<Command, CliError> {
    check(command, profile)?;
    let mut set = command.clone();
    for (key, values) in &profile.options {
        if values.is_empty() || is_excluded(command, subcommand, key, typed) {
            continue;
        }
        set = with_default(set, subcommand, key, values);
    }
    Ok(set)
}

/// Checks each value as if it had been typed.
fn check(command: &Command, profile: &Profile) -> Result<(), CliError> {
    let at = |key: &str| {
        let source = &profile.source;
        format!(
            "{}: profile `{}`, key `{key}`",
            source.file.display(),
            source.name
        )
    };
    let plain = without_variables(command.clone());
    for (key, values) in profile
        .options
        .iter()
        .filter(|(_, values)| !values.is_empty())
    {
        let one = with_default(plain.clone(), SYNC, key, values);
        if let Err(error) = one.try_get_matches_from([NAME, SYNC]) {
            let told = usage::error(error);
            return Err(CliError::usage(format!("{}: {}", at(key), told.message)));
        }
    }
    let set = |key: &&String| profile.options[*key].iter().any(|value| value != "false");
    let keys: Vec<_> = profile.options.keys().filter(set).collect();
    for (place, one) in keys.iter().enumerate() {
        let other = keys[..place]
            .iter()
            .find(|other| excludes(command, SYNC, one, other));
        if let Some(other) = other {
            return Err(CliError::usage(format!(
                "{}: it cannot stand beside `{other}`",
                at(one)
            )));
        }
    }
    Ok(())
}

fn is_excluded(command: &Command, subcommand: &str, wanted: &str, typed: &ArgMatches) -> bool {
    let Some((_, own)) = typed.subcommand() else {
        return false;
    };
    let Some(sub) = command.find_subcommand(subcommand) else {
        return false;
    };
    sub.get_arguments().any(|arg| {
        let source = own.value_source(arg.get_id().as_str());
        let was_typed = matches!(
            source,
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        );
        was_typed && key(arg).is_some_and(|other| excludes(command, subcommand, wanted, &other))
    })
}

/// Says whether two options cannot stand beside each other; clap notes it at one of the two.
fn excludes(command: &Command, subcommand: &str, one: &str, other: &str) -> bool {
    let Some(own) = command.find_subcommand(subcommand) else {
        return false;
    };
    let lists = |from: &str, to: &str| {
        let arg = own
            .get_arguments()
            .find(|arg| key(arg).as_deref() == Some(from));
        let listed = arg.map(|arg| own.get_arg_conflicts_with(arg));
        let mut listed = listed.into_iter().flatten();
        listed.any(|arg| key(arg).as_deref() == Some(to))
    };
    lists(one, other) || lists(other, one)
}

/// Tells for each option of a call what it is set to and by whom.
pub(super) fn origins(
    command: &Command,
    matches: &ArgMatches,
    profile: Option<&Profile>,
) -> Vec<Setting> {
    let Some((subcommand, own)) = matches.subcommand() else {
        return Vec::new();
    };
    let told = arguments(command, subcommand).filter_map(|arg| {
        let id = arg.get_id().as_str();
        let long = arg.get_long()?;
        // What is asked for on every command is found in either.
        let matches = if own.try_contains_id(id).is_ok() {
            own
        } else {
            matches
        };
        if ["help", "version"].contains(&long) {
            return None;
        }
        let key = long.replace('-', "_");
        let values = matches.get_raw(id).into_iter().flatten();
        let values = values.map(|value| match &*key {
            // A command may hold a secret.
            "token_command" => "***".to_owned(),
            _ => value.to_string_lossy().into_owned(),
        });
        let values = values.collect();
        let of_profile = profile.filter(|profile| profile.options.contains_key(&key));
        let origin = match (matches.value_source(id), of_profile) {
            (Some(ValueSource::CommandLine), _) => Origin::Flag(format!("--{long}")),
            (Some(ValueSource::EnvVariable), _) => {
                let name = arg.get_env().unwrap_or_default();
                Origin::Variable(name.to_string_lossy().into_owned())
            }
            (Some(_), Some(profile)) => Origin::Profile {
                name: profile.source.name.clone(),
                file: profile.source.file.clone(),
            },
            _ => Origin::Default,
        };
        Some(Setting {
            key,
            values,
            origin,
        })
    });
    told.collect()
}
