//! Every setting of a call, what it is and where it comes from: a flag, the environment or the default.
//!
//! It is read off the command line as it was parsed, so no option can be forgotten here. What could hold a secret is not
//! shown: the command that prints a token, and an address with a user in it.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// A setting that has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// As the option is called.
    pub(crate) name: String,
    pub(crate) value: String,
    /// `flag`, the variable, or `default`.
    pub(crate) origin: String,
}

/// What may hold a secret, and so is only said to be set.
const NOT_SHOWN: [&str; 1] = ["token-command"];

/// Returns the settings of a subcommand as they hold for this call, in the order of `--help`.
pub(crate) fn effective(command: &Command, matches: &ArgMatches) -> Vec<Setting> {
    let Some((name, matches)) = matches.subcommand() else {
        return Vec::new();
    };
    let arguments = command
        .find_subcommand(name)
        .into_iter()
        .flat_map(Command::get_arguments);
    let settings = arguments.filter_map(|argument| {
        let (long, variable) = (argument.get_long()?, argument.get_env()?);
        let origin = match matches.value_source(argument.get_id().as_str())? {
            ValueSource::CommandLine => "flag".to_owned(),
            ValueSource::EnvVariable => variable.to_string_lossy().into_owned(),
            _ => "default".to_owned(),
        };
        let values = matches.get_raw(argument.get_id().as_str())?;
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        (!argument.is_hide_set()).then(|| Setting {
            name: long.to_owned(),
            value: shown(long, &values.join(",")),
            origin,
        })
    });
    settings.collect()
}

fn shown(name: &str, value: &str) -> String {
    if NOT_SHOWN.contains(&name) || value.contains("://") && value.contains('@') {
        return "(set, not shown)".to_owned();
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(line: &str) -> Vec<Setting> {
        let mut command = crate::cli::command();
        let words = ["dcs-history", "doctor"];
        let matches = command
            .try_get_matches_from_mut(words.into_iter().chain(line.split(' ')))
            .unwrap();
        effective(&command, &matches)
    }

    #[test]
    fn a_setting_is_told_with_its_value_and_origin_and_a_secret_is_not() {
        let line =
            "--endpoint https://u:hunter2@h --project-id p --token-command hunter2 --instance a,b";
        let settings = settings(line);
        let of = |name: &str| {
            let setting = settings.iter().find(|setting| setting.name == name);
            setting.map(|setting| (setting.value.as_str(), setting.origin.as_str()))
        };
        assert_eq!(of("endpoint"), Some(("(set, not shown)", "flag")));
        assert_eq!(of("token-command"), Some(("(set, not shown)", "flag")));
        assert_eq!(of("project-id"), Some(("p", "flag")));
        assert_eq!(of("instance"), Some(("a,b", "flag")));
        assert_eq!(of("retries"), Some(("3", "default")));
        assert_eq!(of("token-file"), None);
        assert_eq!(of("terminal-width"), None);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
