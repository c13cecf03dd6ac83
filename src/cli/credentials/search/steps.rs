//! One source at a time: what it holds as a whole, what by half, and what of it is an error.

use std::path::Path;

use crate::api::secret::{Secret, SecretError};
use crate::cli::error::CliError;

use super::{Found, Step};
use crate::cli::credentials::bag::{Bag, Given, Role};
use crate::cli::credentials::file::unsafe_file;
use crate::cli::credentials::hidden::Hidden;
use crate::cli::credentials::huawei::{self, Hcloud};
use crate::cli::credentials::profile::ProfileSource;
use crate::cli::credentials::surroundings::{Held, Surroundings};
use crate::cli::credentials::{Credential, Part, TOKEN, clouds, variables};

fn found(source: &str, credential: Credential, parts: Vec<Part>) -> Step {
    Step::Found(Found {
        credential,
        source: source.to_owned(),
        parts,
        given: Given::default(),
        passed_over: Vec::new(),
    })
}

fn token_part(from: &str, shown: Option<String>) -> Vec<Part> {
    vec![Part {
        what: Role::Token.name(),
        shown,
        from: from.to_owned(),
    }]
}

pub(super) fn token_file(path: Option<&Path>, source: &str) -> Step {
    match path {
        Some(path) => {
            let from = format!("{source}, {}", path.display());
            found(
                source,
                Credential::TokenFile(path.to_owned()),
                token_part(&from, None),
            )
        }
        None => Step::Nothing(Vec::new()),
    }
}

pub(super) fn token_command(line: Option<Hidden>, source: &str) -> Step {
    match line {
        Some(line) => found(
            source,
            Credential::TokenCommand(line),
            token_part(source, None),
        ),
        None => Step::Nothing(Vec::new()),
    }
}

pub(super) fn token(around: &Surroundings) -> Result<Step, CliError> {
    let Some(text) = around.variable(TOKEN) else {
        return Ok(Step::Nothing(Vec::new()));
    };
    let token = Secret::parse(text.expose().to_owned()).map_err(|error: SecretError| {
        CliError::usage(format!("{TOKEN} holds no token")).because(&error)
    })?;
    Ok(found(
        TOKEN,
        Credential::Token(token),
        token_part(TOKEN, None),
    ))
}

/// Takes what a bag holds, if that is complete.
pub(super) fn judge(bag: &Bag) -> Result<Step, CliError> {
    let judged = bag.judge()?;
    Ok(match judged.credential {
        Some(credential) => Step::Found(Found {
            credential,
            source: bag.label().to_owned(),
            parts: judged.parts,
            given: judged.given,
            passed_over: judged.halves,
        }),
        None => Step::Nothing(judged.halves),
    })
}

/// The same for a source that somebody chose: it is used or is an error.
pub(super) fn chosen(bag: &Bag) -> Result<Step, CliError> {
    match judge(bag)? {
        Step::Nothing(halves) => Err(incomplete(bag.label(), halves)),
        step => Ok(step),
    }
}

fn incomplete(label: &str, halves: Vec<String>) -> CliError {
    let mut error = CliError::usage(format!("{label} was chosen and holds no whole credential"));
    error.causes = halves;
    error.hint("a credential is a token, an access key with its secret key, or a user with a domain and a password")
}

/// A profile without any credential leaves the search to the other sources; one with half of one ends it.
pub(super) fn own_profile(
    profile: &ProfileSource,
    around: &Surroundings,
) -> Result<Step, CliError> {
    let label = profile.label();
    let place = |key: &str| format!("`{key}` in {label}");
    let bag = profile.bag();
    let mut step = token_file(profile.token_file.as_deref(), &place("token_file"));
    if matches!(step, Step::Nothing(_)) {
        step = token_command(profile.token_command.clone(), &place("token_command"));
    }
    if matches!(step, Step::Nothing(_)) {
        step = judge(&bag)?;
    }
    match (&step, &profile.cloud) {
        (Step::Nothing(halves), None) if !halves.is_empty() => {
            return Err(incomplete(&label, halves.clone()));
        }
        (Step::Nothing(_), Some(cloud)) => {
            return chosen(&clouds::entry(cloud, &place("cloud"), around)?);
        }
        _ => {}
    }
    Ok(step)
}

pub(super) fn sdk_variables(around: &Surroundings) -> Result<Step, CliError> {
    let mut step = judge(&variables::sdk(around))?;
    if let Step::Nothing(halves) = &mut step
        && around.variable("HUAWEICLOUD_SDK_IDP_ID").is_some()
    {
        halves.push(
            "HUAWEICLOUD_SDK_IDP_ID: logging in through an identity provider is not supported"
                .to_owned(),
        );
    }
    Ok(step)
}

/// The provider's own variables; the last of them lead to the file of the vendor's command line.
pub(super) fn terraform(around: &Surroundings) -> Result<Step, CliError> {
    const FILE: &str = "HW_SHARED_CONFIG_FILE";
    let bag = variables::terraform(around);
    let step = judge(&bag)?;
    let (named, profile) = (around.path(FILE), around.plain("HW_PROFILE"));
    let Step::Nothing(mut halves) = step else {
        return Ok(step);
    };
    if named.is_none() && profile.is_none() {
        return Ok(Step::Nothing(halves));
    }
    let home = || Some(around.home()?.join(".hcloud/config.json"));
    let Some(path) = named.or_else(home) else {
        return Ok(Step::Nothing(halves));
    };
    match hcloud(&path, profile.as_deref(), true, around)? {
        Step::Nothing(mut more) => {
            halves.append(&mut more);
            Ok(Step::Nothing(halves))
        }
        other => Ok(other),
    }
}

pub(super) fn sdk_file(
    path: &Path,
    is_named: bool,
    around: &Surroundings,
) -> Result<Step, CliError> {
    match private(path, is_named, around)? {
        Ok(text) => {
            let bag = huawei::sdk_profile(path, &text);
            if is_named { chosen(&bag) } else { judge(&bag) }
        }
        Err(halves) => Ok(Step::Nothing(halves)),
    }
}

pub(super) fn hcloud(
    path: &Path,
    profile: Option<&str>,
    is_named: bool,
    around: &Surroundings,
) -> Result<Step, CliError> {
    let text = match private(path, is_named, around)? {
        Ok(text) => text,
        Err(halves) => return Ok(Step::Nothing(halves)),
    };
    match huawei::hcloud(path, &text, profile) {
        Hcloud::Keys(bag) if is_named => chosen(&bag),
        Hcloud::Keys(bag) => judge(&bag),
        Hcloud::Agency(bag) => Ok(Step::Agency(bag)),
        Hcloud::Encrypted => Err(CliError::usage(format!("the keys in {} are encrypted, and only hcloud can read them", path.display()))
            .hint("`hcloud configure set --cli-auth-encrypt=false` stores them as they are; or use another of the sources")),
        Hcloud::Nothing(why) if is_named => Err(CliError::usage(why)),
        Hcloud::Nothing(why) => Ok(Step::Nothing(vec![why])),
    }
}

/// Reads a file that holds nothing but secrets; `Err` inside has the sentence on why it is passed over.
fn private(
    path: &Path,
    is_named: bool,
    around: &Surroundings,
) -> Result<Result<Hidden, Vec<String>>, CliError> {
    match around.look(path) {
        Held::Text {
            objection: Some(objection),
            ..
        } => Err(unsafe_file(path, objection)),
        Held::Text {
            text,
            objection: None,
        } => Ok(Ok(text)),
        Held::Absent if is_named => Err(CliError::usage(format!(
            "there is no {}, which a variable names",
            path.display()
        ))),
        Held::Absent => Ok(Err(Vec::new())),
        Held::Unreadable(why) if is_named => {
            let mut error = CliError::usage(format!(
                "cannot read {}, which a variable names",
                path.display()
            ));
            error.causes.push(why);
            Err(error)
        }
        Held::Unreadable(why) => Ok(Err(vec![format!("{}: {why}", path.display())])),
    }
}
