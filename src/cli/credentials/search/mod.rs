//! The order in which credentials are looked for, and what stops the search.
//!
//! The first source that is complete is used; one with half of what it needs is passed over and named. A source that
//! somebody chose (a flag, a profile, `OS_CLOUD`, a file that a variable names) is used or is an error; nothing else is
//! tried in its place (`steps`). The agency of the machine is the last, and only a request can tell whether there is one.

mod steps;

use crate::api::auth::Agency;
use crate::api::cloud;
use crate::api::endpoint::Endpoint;
use crate::cli::error::CliError;

use super::bag::{Bag, Given};
use super::hidden::Hidden;
use super::profile::ProfileSource;
use super::surroundings::Surroundings;
use super::{Credential, CredentialArgs, Part, TOKEN, clouds, variables};

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
            Box::new(|| {
                Ok(steps::token_file(
                    flags.token_file.as_deref(),
                    "--token-file",
                ))
            }),
        ),
        (
            "--token-command (DCS_HISTORY_TOKEN_COMMAND)".to_owned(),
            Box::new(|| {
                Ok(steps::token_command(
                    flags.token_command.as_ref().map(Hidden::new),
                    "--token-command",
                ))
            }),
        ),
        (TOKEN.to_owned(), Box::new(|| steps::token(around))),
    ];
    if let Some(profile) = profile {
        places.push((
            profile.label(),
            Box::new(|| steps::own_profile(profile, around)),
        ));
    }
    places.push((
        "OS_CLOUD with clouds.yaml".to_owned(),
        Box::new(|| match around.plain("OS_CLOUD") {
            Some(name) => steps::chosen(&clouds::entry(&name, "OS_CLOUD", around)?),
            None => Ok(Step::Nothing(Vec::new())),
        }),
    ));
    places.push((
        variables::OPENSTACK_LABEL.to_owned(),
        Box::new(|| steps::judge(&variables::openstack(around))),
    ));
    places.push((
        variables::SDK_LABEL.to_owned(),
        Box::new(|| steps::sdk_variables(around)),
    ));
    places.push((
        variables::TERRAFORM_LABEL.to_owned(),
        Box::new(|| steps::terraform(around)),
    ));
    let home = |path: &str| around.home().map(|home| home.join(path));
    let named = around.path("HUAWEICLOUD_SDK_CREDENTIALS_FILE");
    let is_named = named.is_some();
    if let Some(path) = named.or_else(|| home(".huaweicloud/credentials")) {
        let name = path.display().to_string();
        places.push((
            name,
            Box::new(move || steps::sdk_file(&path, is_named, around)),
        ));
    }
    if let Some(path) = home(".hcloud/config.json") {
        let name = path.display().to_string();
        places.push((
            name,
            Box::new(move || steps::hcloud(&path, None, false, around)),
        ));
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

#[cfg(test)]
mod tests;
