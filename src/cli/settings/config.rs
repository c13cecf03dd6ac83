//! The file of settings: profiles by name, each with options of `sync` and a credential, checked to the last key.
//!
//! A key that is not known is an error, because a misspelt setting that is passed over is one that silently does not hold.
//! What the reader of TOML says of a fault is repeated only for the place, for the text may hold a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::cli::credentials::hidden::Hidden;
use crate::cli::credentials::profile::{self, ProfileSource};
use crate::cli::error::CliError;
use crate::cli::near;

/// The profile that is used when none is named.
pub(crate) const DEFAULT: &str = "default";

/// Keys whose values are paths: `~/` is the home folder, and a relative path begins at the file of settings.
const PATHS: [&str; 4] = ["ca_file", "db", "metrics_file", "token_file"];

/// A profile, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    /// Its name, its file and its credential.
    pub(crate) source: ProfileSource,
    /// Options by key, as they would be typed.
    pub(crate) options: BTreeMap<String, Vec<String>>,
    /// Statuses that are final besides those that the program knows.
    pub(crate) final_statuses: Vec<String>,
    /// The upstream's count says nothing.
    pub(crate) ignore_total: bool,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) profiles: BTreeMap<String, Profile>,
    pub(crate) holds_a_secret: bool,
}

/// Reads the text of a file. `known` are the keys that stand for options.
pub(crate) fn parse(
    path: &Path,
    text: &str,
    known: &[String],
    home: Option<&Path>,
) -> Result<Config, CliError> {
    let document: Table = toml::from_str(text).map_err(|error| not_toml(path, text, &error))?;
    let mut config = Config::default();
    for (key, value) in document {
        let Value::Table(profiles) = value else {
            return Err(not_a_profile(path, &key));
        };
        if key != "profile" {
            return Err(not_a_profile(path, &key));
        }
        for (name, profile) in profiles {
            let place = Place {
                path,
                name: &name,
                home,
            };
            let Value::Table(keys) = profile else {
                return Err(not_a_profile(path, &format!("profile.{name}")));
            };
            check_name(path, &name)?;
            let (profile, has_secret) = place.profile(keys, known)?;
            config.holds_a_secret |= has_secret;
            config.profiles.insert(name, profile);
        }
    }
    Ok(config)
}

fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> CliError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    CliError::usage(format!("{} is not TOML, at line {line}", path.display()))
        .hint("a profile is a line [profile.NAME] and lines key = \"value\" below it; texts stand in quotes")
}

fn not_a_profile(path: &Path, key: &str) -> CliError {
    CliError::usage(format!("{}: {key:?} is no profile", path.display())).hint(
        "settings stand below a line [profile.NAME]; [profile.default] is used when none is named",
    )
}

/// A name is typed, listed with commas, and names a file with `--db-dir`.
fn check_name(path: &Path, name: &str) -> Result<(), CliError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.is_empty() && name.bytes().all(plain) && !name.starts_with(['.', '-']) {
        return Ok(());
    }
    let message = format!("{}: a profile cannot be called {name:?}", path.display());
    Err(CliError::usage(message).hint("letters, digits, `-`, `_` and `.` make a name"))
}

/// Which profile of which file is read.
struct Place<'a> {
    path: &'a Path,
    name: &'a str,
    home: Option<&'a Path>,
}

impl Place<'_> {
    fn profile(&self, keys: Table, known: &[String]) -> Result<(Profile, bool), CliError> {
        let mut profile = Profile {
            source: ProfileSource {
                name: self.name.to_owned(),
                file: self.path.to_owned(),
                ..ProfileSource::default()
            },
            ..Profile::default()
        };
        let mut has_secret = false;
        for (key, value) in keys {
            let part = profile::NAMES.iter().find(|(_, names)| names[0] == key);
            if let Some((role, _)) = part {
                has_secret |= role.is_secret();
                let text = Hidden::new(self.text(&key, value)?);
                profile.source.values.push((key, text));
                continue;
            }
            match &*key {
                "token_file" => {
                    profile.source.token_file = Some(self.located(&self.text(&key, value)?).into());
                }
                // A command may hold a secret, and whoever may change it runs commands as this user.
                "token_command" => {
                    has_secret = true;
                    let line = Hidden::new(self.text(&key, value)?);
                    profile.source.token_command = Some(line);
                }
                "cloud" => profile.source.cloud = Some(self.text(&key, value)?),
                "final_statuses" => profile.final_statuses = self.texts(&key, value)?,
                "total" => profile.ignore_total = self.total(&self.text(&key, value)?)?,
                _ if known.contains(&key) => {
                    let texts = self.texts(&key, value)?;
                    let texts = texts.into_iter().map(|text| {
                        if PATHS.contains(&&*key) {
                            self.located(&text)
                        } else {
                            text
                        }
                    });
                    profile.options.insert(key.clone(), texts.collect());
                }
                _ => return Err(self.unknown(&key, known)),
            }
        }
        Ok((profile, has_secret))
    }

    fn at(&self, key: &str) -> String {
        format!(
            "{}: profile `{}`, key `{key}`",
            self.path.display(),
            self.name
        )
    }

    fn unknown(&self, key: &str, known: &[String]) -> CliError {
        let own = [
            "token_file",
            "token_command",
            "cloud",
            "final_statuses",
            "total",
        ];
        let parts = profile::NAMES.iter().map(|(_, names)| names[0]);
        let all = own.into_iter().chain(parts).map(str::to_owned);
        let all: Vec<_> = all.chain(known.iter().cloned()).collect();
        let mut error = near::unknown("key", &key.replace('-', "_"), &all);
        error.message = format!(
            "{}: profile `{}` has the key `{key}`, which is not known",
            self.path.display(),
            self.name
        );
        error
    }

    fn text(&self, key: &str, value: Value) -> Result<String, CliError> {
        match self.texts(key, value)?.as_mut_slice() {
            [one] => Ok(std::mem::take(one)),
            _ => Err(CliError::usage(format!(
                "{}: one value belongs here",
                self.at(key)
            ))),
        }
    }

    /// Returns a value as what would be typed; a list gives several.
    fn texts(&self, key: &str, value: Value) -> Result<Vec<String>, CliError> {
        let texts = match value {
            Value::String(text) => vec![text],
            Value::Integer(number) => vec![number.to_string()],
            Value::Boolean(is_so) => vec![is_so.to_string()],
            Value::Array(values) => {
                let texts = values.into_iter().map(|value| match value {
                    Value::Array(_) => Err(self.no_value(key)),
                    one => self.text(key, one),
                });
                return texts.collect();
            }
            _ => return Err(self.no_value(key)),
        };
        if texts.iter().any(String::is_empty) {
            return Err(CliError::usage(format!("{}: it is empty", self.at(key)))
                .hint("leave a key out that says nothing"));
        }
        Ok(texts)
    }

    fn no_value(&self, key: &str) -> CliError {
        CliError::usage(format!(
            "{}: not a text, a whole number, true, false or a list of them",
            self.at(key)
        ))
    }

    fn total(&self, text: &str) -> Result<bool, CliError> {
        match text {
            "auto" => Ok(false),
            "ignore" => Ok(true),
            _ => Err(CliError::usage(format!(
                "{}: it is \"auto\" or \"ignore\"",
                self.at("total")
            ))),
        }
    }

    fn located(&self, text: &str) -> String {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let path = match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ if text == "-" => PathBuf::from(text),
            _ => folder.join(text),
        };
        path.to_string_lossy().into_owned()
    }
}
