//! The order in which credentials are looked for, and what stops the search.
//!
//! The first source that is complete is used; one with half of what it needs is passed over and named. A source that
//! somebody chose (a flag, a profile, `OS_CLOUD`, a file that a variable names) is used or is an error; nothing else is
//! tried in its place. The agency of the machine is the last, and only a request can tell whether there is one.

use std::path::{Path, PathBuf};

use crate::api::auth::Agency;
use crate::api::cloud;
use crate::api::endpoint::Endpoint;
use crate::api::secret::{Secret, SecretError};
use crate::cli::error::CliError;

use super::bag::{Bag, Given, Role};
use super::file::unsafe_file;
use super::hidden::Hidden;
use super::huawei::Hcloud;
use super::profile::ProfileSource;
use super::surroundings::{Held, Surroundings};
use super::{Credential, CredentialArgs, Part, TOKEN, clouds, huawei, variables};

/// Where the metadata service is, if not where every ECS has it.
const METADATA: &str = "DCS_HISTORY_METADATA_ENDPOINT";

/// What a search comes to.
#[derive(Debug)]
pub(crate) enum Search {
    Found(Found),
    /// Nothing that could be read gives a credential; the machine itself may have one.
    TryAgency(TryAgency),
}

/// A credential, where its parts come from, and what its source says beside it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) credential: Credential,
    pub(crate) source: String,
    pub(crate) parts: Vec<Part>,
    pub(crate) given: Given,
    /// A sentence for each source that had half a credential, or could not be read.
    pub(crate) passed_over: Vec<String>,
}

/// What is left to try, and what to say if that fails.
#[derive(Debug)]
pub(crate) struct TryAgency {
    pub(crate) agency: Agency,
    pub(crate) given: Given,
    pub(crate) passed_over: Vec<String>,
    looked: Vec<String>,
    source: String,
}

impl TryAgency {
    /// The machine has an agency.
    pub(crate) fn found(self) -> Found {
        Found {
            parts: vec![Part {
                what: "agency",
                shown: None,
                from: self.agency.metadata.clone(),
            }],
            credential: Credential::Agency(self.agency),
            source: self.source,
            given: self.given,
            passed_over: self.passed_over,
        }
    }

    /// It has none.
    pub(crate) fn nothing_found(&self) -> CliError {
        let mut error = CliError::usage(format!(
            "no credential was found; looked at {} and the agency of this machine ({}), in this order",
            self.looked.join(", "),
            self.agency.metadata
        ));
        error.causes.clone_from(&self.passed_over);
        error.hint("put a token into a file that only you can read and give its path with --token-file, or set one of these up; see `A real account` in the README")
    }
}

/// What one place comes to.
enum Step {
    Found(Found),
    Agency(Bag),
    /// Nothing that is complete; a sentence for what is there by half.
    Nothing(Vec<String>),
}

type Place<'a> = (String, Box<dyn FnOnce() -> Result<Step, CliError> + 'a>);

/// Looks for a credential.
pub(crate) fn search(
    flags: &CredentialArgs,
    profile: Option<&ProfileSource>,
    around: &Surroundings,
) -> Result<Search, CliError> {
    let (mut looked, mut passed_over) = (Vec::new(), Vec::new());
    let mut agency = None;
    for (name, look) in places(flags, profile, around) {
        looked.push(name);
        match look()? {
            Step::Found(mut found) => {
                passed_over.append(&mut found.passed_over);
                found.passed_over = passed_over;
                return Ok(Search::Found(found));
            }
            Step::Agency(bag) => {
                agency = Some(bag);
                break;
            }
            Step::Nothing(mut halves) => passed_over.append(&mut halves),
        }
    }
    let (source, given) = match agency {
        Some(bag) => (
            format!("the agency that {} chooses", bag.label()),
            bag.judge()?.given,
        ),
        None => ("the agency of this machine".to_owned(), Given::default()),
    };
    Ok(Search::TryAgency(TryAgency {
        agency: metadata(around)?,
        given,
        passed_over,
        looked,
        source,
    }))
}

/// The places in their order, each with the way to look at it.
fn places<'a>(
    flags: &'a CredentialArgs,
    profile: Option<&'a ProfileSource>,
    around: &'a Surroundings,
) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = vec![
        (
            "--token-file (DCS_HISTORY_TOKEN_FILE)".to_owned(),
            Box::new(|| Ok(token_file(flags.token_file.as_deref(), "--token-file"))),
        ),
        (
            "--token-command (DCS_HISTORY_TOKEN_COMMAND)".to_owned(),
            Box::new(|| {
                Ok(token_command(
                    flags.token_command.as_ref().map(Hidden::new),
                    "--token-command",
                ))
            }),
        ),
        (TOKEN.to_owned(), Box::new(|| token(around))),
    ];
    if let Some(profile) = profile {
        places.push((profile.label(), Box::new(|| own_profile(profile, around))));
    }
    places.push((
        "OS_CLOUD with clouds.yaml".to_owned(),
        Box::new(|| match around.plain("OS_CLOUD") {
            Some(name) => chosen(&clouds::entry(&name, "OS_CLOUD", around)?),
            None => Ok(Step::Nothing(Vec::new())),
        }),
    ));
    places.push((
        variables::OPENSTACK_LABEL.to_owned(),
        Box::new(|| judge(&variables::openstack(around))),
    ));
    places.push((
        variables::SDK_LABEL.to_owned(),
        Box::new(|| sdk_variables(around)),
    ));
    places.push((
        variables::TERRAFORM_LABEL.to_owned(),
        Box::new(|| terraform(around)),
    ));
    let home = |path: &str| around.home().map(|home| home.join(path));
    let named = around.path("HUAWEICLOUD_SDK_CREDENTIALS_FILE");
    let is_named = named.is_some();
    if let Some(path) = named.or_else(|| home(".huaweicloud/credentials")) {
        let name = path.display().to_string();
        places.push((name, Box::new(move || sdk_file(&path, is_named, around))));
    }
    if let Some(path) = home(".hcloud/config.json") {
        let name = path.display().to_string();
        places.push((name, Box::new(move || hcloud(&path, None, false, around))));
    }
    places
}

fn metadata(around: &Surroundings) -> Result<Agency, CliError> {
    let Some(address) = around.plain(METADATA) else {
        return Ok(Agency {
            metadata: cloud::METADATA.to_owned(),
        });
    };
    // Plain http is all that this service speaks, and it is a link away.
    let endpoint = Endpoint::parse(&address, true).map_err(|error| {
        CliError::usage(format!("the address in {METADATA} cannot be used")).because(&error)
    })?;
    Ok(Agency {
        metadata: endpoint.as_str().to_owned(),
    })
}

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

fn token_file(path: Option<&Path>, source: &str) -> Step {
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

fn token_command(line: Option<Hidden>, source: &str) -> Step {
    match line {
        Some(line) => found(
            source,
            Credential::TokenCommand(line),
            token_part(source, None),
        ),
        None => Step::Nothing(Vec::new()),
    }
}

fn token(around: &Surroundings) -> Result<Step, CliError> {
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
fn judge(bag: &Bag) -> Result<Step, CliError> {
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
fn chosen(bag: &Bag) -> Result<Step, CliError> {
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
fn own_profile(profile: &ProfileSource, around: &Surroundings) -> Result<Step, CliError> {
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

fn sdk_variables(around: &Surroundings) -> Result<Step, CliError> {
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
fn terraform(around: &Surroundings) -> Result<Step, CliError> {
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

fn sdk_file(path: &PathBuf, is_named: bool, around: &Surroundings) -> Result<Step, CliError> {
    match private(path, is_named, around)? {
        Ok(text) => {
            let bag = huawei::sdk_profile(path, &text);
            if is_named { chosen(&bag) } else { judge(&bag) }
        }
        Err(halves) => Ok(Step::Nothing(halves)),
    }
}

fn hcloud(
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

#[cfg(test)]
mod tests;
