//! Settings: a flag, else the environment, else the profile, else the default.
//!
//! clap knows the first, the second and the last; a profile's values are handed to it as defaults, so there is one place
//! where a value is read and judged. A line is parsed without a profile first, which tells the file and the profiles that
//! it names, and then once more for each of them.

pub(crate) mod config;
pub(crate) mod options;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use super::Cli;
use super::credentials::surroundings::{Held, Surroundings};
use super::credentials::unsafe_file;
use super::error::CliError;
use super::near;
use config::{Config, Profile};
use options::{Origin, Setting};

/// Commands that read the cloud: they take every setting of a profile. The others take those that every command has.
const READ_THE_CLOUD: [&str; 3] = ["sync", "backfill", "doctor"];

/// Commands without settings: what they do is the same for everybody.
const WITHOUT_SETTINGS: [&str; 5] = ["demo", "simulate", "completions", "man", "help"];

/// The options of a command that goes through several profiles.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Profiles")]
pub(crate) struct SeveralArgs {
    /// Read with every profile of the file of settings, one after the other.
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_ALL_PROFILES",
        hide_env_values = true
    )]
    all_profiles: bool,
    /// Give each profile an archive of its own, `NAME.db` in this folder, which must exist.
    #[arg(
        long,
        value_name = "DIR",
        env = "DCS_HISTORY_DB_DIR",
        hide_env_values = true
    )]
    db_dir: Option<PathBuf>,
}

/// One call of a command: what was typed, with one profile's settings.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) cli: Cli,
    pub(crate) effective: Effective,
}

/// What a call goes by.
#[derive(Debug, Default)]
pub(crate) struct Effective {
    pub(crate) profile: Option<Profile>,
    /// Every option with its value and its origin.
    pub(crate) settings: Vec<Setting>,
    /// The file of settings, if one was read.
    pub(crate) file: Option<PathBuf>,
    /// Whether this is one of several, so that what is said needs the profile's name.
    pub(crate) is_one_of_several: bool,
}

impl Effective {
    /// Returns the origin of a setting.
    pub(crate) fn origin(&self, key: &str) -> Option<&Origin> {
        let setting = self.settings.iter().find(|setting| setting.key == key);
        setting.map(|setting| &setting.origin)
    }

    /// Returns the profile's name where several are at work.
    pub(crate) fn told_name(&self) -> Option<&str> {
        let profile = self.profile.as_ref().filter(|_| self.is_one_of_several);
        profile.map(|profile| &*profile.source.name)
    }
}

/// Why a line makes no call.
#[derive(Debug)]
pub(crate) enum Misunderstood {
    Line(Box<clap::Error>),
    Settings(CliError),
}

impl From<clap::Error> for Misunderstood {
    fn from(error: clap::Error) -> Self {
        Self::Line(Box::new(error))
    }
}

impl From<CliError> for Misunderstood {
    fn from(error: CliError) -> Self {
        Self::Settings(error)
    }
}

/// Turns a line into calls: one, or one for each profile.
pub(crate) fn calls(
    command: &Command,
    args: &[OsString],
    around: &Surroundings,
) -> Result<Vec<Call>, Misunderstood> {
    let typed = command.clone().try_get_matches_from(args)?;
    let plain = Cli::from_arg_matches(&typed)?;
    let subcommand = typed.subcommand_name().unwrap_or_default();
    if WITHOUT_SETTINGS.contains(&subcommand) {
        return Ok(vec![call(command, plain, &typed, Effective::default())]);
    }
    let (file, config) = load(plain.global.config.as_deref(), command, around)?;
    let names = choose(subcommand, &typed, &plain, &config, file.as_deref())?;
    let db_dir = db_dir(&typed, &names)?;
    let effective = |profile: Option<&Profile>| Effective {
        profile: profile.cloned(),
        file: file.clone(),
        is_one_of_several: names.len() > 1,
        ..Effective::default()
    };
    if names.is_empty() {
        return Ok(vec![call(command, plain, &typed, effective(None))]);
    }
    let mut calls = Vec::new();
    for name in &names {
        let mut profile = config.profiles[name].clone();
        if !READ_THE_CLOUD.contains(&subcommand) {
            profile = of_every_command(profile, command);
        }
        let set = options::with_profile(command, subcommand, &profile, &typed)?;
        let matches = set.clone().try_get_matches_from(args)?;
        let cli = Cli::from_arg_matches(&matches)?;
        let mut call = call(&set, cli, &matches, effective(Some(&profile)));
        if let Some(folder) = &db_dir {
            call.keep_in(folder, name);
        }
        calls.push(call);
    }
    metrics_are_apart(&calls)?;
    Ok(calls)
}

/// One file cannot hold the metrics of two archives: each would replace what the other wrote.
fn metrics_are_apart(calls: &[Call]) -> Result<(), CliError> {
    let file = |call: &Call| {
        let mut settings = call.effective.settings.iter();
        let setting = settings.find(|setting| setting.key == "metrics_file");
        setting.and_then(|setting| setting.values.first().cloned())
    };
    for (place, call) in calls.iter().enumerate() {
        let Some(path) = file(call) else { continue };
        let is_shared = calls[..place].iter().any(|other| {
            file(other).as_ref() == Some(&path) && other.cli.global.db != call.cli.global.db
        });
        if is_shared {
            return Err(CliError::usage(format!(
                "the metrics file {path} is that of two archives"
            ))
            .hint("give each profile a `metrics_file` of its own, or all of them one archive"));
        }
    }
    Ok(())
}

fn call(command: &Command, cli: Cli, matches: &ArgMatches, mut effective: Effective) -> Call {
    effective.settings = options::origins(command, matches, effective.profile.as_ref());
    Call { cli, effective }
}

impl Call {
    /// Gives the call the archive of its profile in a folder.
    fn keep_in(&mut self, folder: &Path, name: &str) {
        let db = folder.join(format!("{name}.db"));
        let origin = self.effective.origin("db_dir").cloned();
        let settings = &mut self.effective.settings;
        if let Some(setting) = settings.iter_mut().find(|setting| setting.key == "db") {
            setting.values = vec![db.to_string_lossy().into_owned()];
            setting.origin = origin.unwrap_or(Origin::Default);
        }
        self.cli.global.db = Some(db);
    }
}

/// Keeps what every command has an option for; the rest of a profile is about the cloud.
fn of_every_command(mut profile: Profile, command: &Command) -> Profile {
    let longs: Vec<_> = command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .collect();
    let is_global = |key: &str| longs.contains(&&*key.replace('_', "-"));
    profile.options.retain(|key, _| is_global(key));
    profile
}

/// Reads the file of settings: the one that is named must be there, the one in its usual place need not.
fn load(
    named: Option<&Path>,
    command: &Command,
    around: &Surroundings,
) -> Result<(Option<PathBuf>, Config), CliError> {
    let usual = || Some(around.config_home()?.join("dcs-history/config.toml"));
    let Some(path) = named.map(Path::to_owned).or_else(usual) else {
        return Ok((None, Config::default()));
    };
    let cannot = |why: &str| {
        let mut error = CliError::usage(format!(
            "cannot read the file of settings {}",
            path.display()
        ));
        error.causes.push(why.to_owned());
        error
    };
    match around.look(&path) {
        Held::Absent if named.is_some() => Err(cannot("it is not there")),
        Held::Absent => Ok((None, Config::default())),
        Held::Unreadable(why) => Err(cannot(&why)),
        Held::Text { text, objection } => {
            let known = options::known(command);
            let config = config::parse(&path, text.expose(), &known, around.home().as_deref())?;
            match objection.filter(|_| config.holds_a_secret) {
                Some(objection) => Err(unsafe_file(&path, objection)),
                None => Ok((Some(path), config)),
            }
        }
    }
}

/// How much a choice weighs: what was typed wins over the environment.
fn weight(matches: &ArgMatches, id: &str) -> u8 {
    let source = matches
        .try_contains_id(id)
        .ok()
        .and_then(|_| matches.value_source(id));
    match source {
        Some(ValueSource::CommandLine) => 2,
        Some(ValueSource::EnvVariable) => 1,
        _ => 0,
    }
}

/// Decides which profiles a line is about; none means that none is used.
fn choose(
    subcommand: &str,
    typed: &ArgMatches,
    plain: &Cli,
    config: &Config,
    file: Option<&Path>,
) -> Result<Vec<String>, CliError> {
    let own = typed.subcommand().map_or(typed, |(_, own)| own);
    let all = weight(own, "all_profiles");
    let is_all = all > 0 && own.get_flag("all_profiles");
    let named = weight(typed, "profile").max(weight(own, "profile"));
    if is_all && named == all {
        return Err(CliError::usage("--profile and --all-profiles choose two different things")
            .hint("leave one of them out (DCS_HISTORY_PROFILE and DCS_HISTORY_ALL_PROFILES are the same two)"));
    }
    if is_all && named < all {
        if config.profiles.is_empty() {
            return Err(
                CliError::usage("--all-profiles was chosen, and there is no profile")
                    .hint(looked_in(file)),
            );
        }
        return Ok(config.profiles.keys().cloned().collect());
    }
    let mut names: Vec<String> = Vec::new();
    for name in &plain.global.profile {
        if !config.profiles.contains_key(name) {
            let known: Vec<_> = config.profiles.keys().cloned().collect();
            return Err(near::unknown("profile", name, &known).hint(looked_in(file)));
        }
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.len() > 1 && subcommand != "sync" {
        return Err(CliError::usage(format!("`{subcommand}` takes one profile"))
            .hint("only `sync` goes through several"));
    }
    if names.is_empty() && config.profiles.contains_key(config::DEFAULT) {
        names.push(config::DEFAULT.to_owned());
    }
    Ok(names)
}

fn looked_in(file: Option<&Path>) -> String {
    match file {
        Some(file) => format!("profiles are tables [profile.NAME] in {}", file.display()),
        None => "profiles are tables [profile.NAME] in dcs-history/config.toml in the XDG config directory (~/.config), or in the file that --config names; none is there".to_owned(),
    }
}

/// Decides whether each profile has an archive of its own.
fn db_dir(typed: &ArgMatches, names: &[String]) -> Result<Option<PathBuf>, CliError> {
    let own = typed.subcommand().map_or(typed, |(_, own)| own);
    let (dir, db) = (
        weight(own, "db_dir"),
        weight(typed, "db").max(weight(own, "db")),
    );
    if dir == 0 || db > dir {
        return Ok(None);
    }
    if db == dir {
        return Err(
            CliError::usage("--db and --db-dir choose two different places").hint(
                "leave one of them out (DCS_HISTORY_DB and DCS_HISTORY_DB_DIR are the same two)",
            ),
        );
    }
    if names.is_empty() {
        return Err(CliError::usage(
            "--db-dir gives each profile an archive of its own, and no profile is used",
        )
        .hint("choose profiles with --profile or --all-profiles, or an archive with --db"));
    }
    Ok(own.get_one::<PathBuf>("db_dir").cloned())
}

#[cfg(test)]
mod tests;
