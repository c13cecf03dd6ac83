//! From options and surroundings to what a run needs: the addresses, the credential, the project.

use std::io;
use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::SourceArgs;
use crate::api::auth::metadata::{Metadata, Presence};
use crate::api::auth::{Auth, Scope};
use crate::api::client::Settings;
use crate::api::endpoint::Endpoint;
use crate::cli::credentials::Part;
use crate::cli::credentials::bag::Role;
use crate::cli::credentials::huawei::endpoint_override;
use crate::cli::credentials::search::{Found, Search, TryAgency, search};
use crate::cli::credentials::surroundings::Surroundings;
use crate::cli::credentials::told::Told;
use crate::cli::error::{CliError, Exit};
use crate::cli::settings::Effective;
use crate::cli::target::{Explicit, Project, Target, target};

/// Where the cloud answers, and whose instances are read.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The service's address, such as `https://dcs.eu-de.otc.t-systems.com` [default: that of the region].
    #[arg(
        long,
        value_name = "URL",
        env = "DCS_HISTORY_ENDPOINT",
        hide_env_values = true
    )]
    endpoint: Option<String>,
    /// The region, such as `eu-de` or `cn-north-4` [default: that of the credential's source].
    #[arg(
        long,
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new(),
        env = "DCS_HISTORY_REGION",
        hide_env_values = true
    )]
    region: Option<String>,
    /// The project that the instances belong to [default: that of the credential's source, else the region's own].
    #[arg(
        long,
        value_name = "ID",
        value_parser = NonEmptyStringValueParser::new(),
        env = "DCS_HISTORY_PROJECT_ID",
        hide_env_values = true
    )]
    project_id: Option<String>,
    /// The address of IAM, which gives a token for a password and knows the ids of projects [default: that of the
    /// credential's source, else the region's].
    #[arg(
        long,
        value_name = "URL",
        env = "DCS_HISTORY_IAM_ENDPOINT",
        hide_env_values = true
    )]
    iam_endpoint: Option<String>,
}

/// What a run needs to begin.
pub(crate) struct Source {
    pub(crate) endpoint: Endpoint,
    /// Where the address came from.
    pub(crate) endpoint_from: String,
    /// Until it is handed over.
    pub(crate) auth: Option<Auth>,
    /// The address of IAM, and where that came from; there if anything is to be asked of it.
    pub(crate) iam: Option<(Endpoint, String)>,
    pub(crate) project: Project,
    pub(crate) region: Option<Told>,
    /// Certificates that the credential's source trusts.
    pub(crate) ca_file: Option<Told>,
    /// The source of the credential, and of each of its parts.
    pub(crate) credential: (String, Vec<Part>),
    /// Sources that had half a credential.
    pub(crate) passed_over: Vec<String>,
}

impl Source {
    /// Hands the credential over, once: whoever has it sends it.
    pub(crate) fn take_auth(&mut self) -> Result<Auth, CliError> {
        self.auth
            .take()
            .ok_or_else(|| CliError::new(Exit::Machine, "the credential was used before"))
    }

    /// The settings of the network, with the certificates of the credential's source if no others were chosen.
    pub(crate) fn settings(&self, mut settings: Settings) -> Settings {
        let own = self.ca_file.as_ref().map(|file| PathBuf::from(&file.text));
        settings.ca_file = settings.ca_file.or(own);
        settings
    }
}

impl SourceArgs {
    /// Finds out where to read and with what. The token file is read and the token command is run.
    pub(crate) fn resolve(
        &self,
        effective: &Effective,
        around: &Surroundings,
    ) -> Result<Source, CliError> {
        let found = self.find(effective, around)?;
        let explicit = self.place.explicit(effective);
        let needs_iam = found.credential.needs_iam();
        let target = target(&explicit, &found.given, needs_iam, |region| {
            endpoint_override(region, around)
        })?;
        self.prepare(found, target)
    }

    fn find(&self, effective: &Effective, around: &Surroundings) -> Result<Found, CliError> {
        let profile = effective.profile.as_ref().map(|profile| &profile.source);
        match search(&self.credentials, profile, around)? {
            Search::Found(found) => Ok(found),
            Search::TryAgency(agency) => ask_for_agency(agency),
        }
    }

    fn prepare(&self, found: Found, target: Target) -> Result<Source, CliError> {
        let endpoint = self
            .network
            .endpoint(&target.endpoint.text, &target.endpoint.from)?;
        let is_asked = found.credential.needs_iam() || matches!(target.project, Project::Named(_));
        let iam = match target.iam.filter(|_| is_asked) {
            Some(iam) => Some((self.network.iam(&iam.text, &iam.from)?, iam.from)),
            None => None,
        };
        let scope = match &target.project {
            Project::Id(id) => Scope::ProjectId(id.text.clone()),
            Project::Named(name) => Scope::ProjectName(name.text.clone()),
        };
        let login = || {
            let iam = iam.as_ref().map(|(iam, _)| iam.clone());
            let iam = iam.ok_or_else(|| CliError::usage("the address of IAM is not known"))?;
            Ok((iam, scope))
        };
        Ok(Source {
            auth: Some(found.credential.into_auth(login, &mut io::stdin())?),
            endpoint,
            endpoint_from: target.endpoint.from,
            iam,
            project: target.project,
            region: target.region,
            ca_file: found.given.get(Role::CaFile).cloned(),
            credential: (found.source, found.parts),
            passed_over: found.passed_over,
        })
    }
}

/// Asks the machine whether it has an agency; a second where there is no metadata service.
fn ask_for_agency(agency: TryAgency) -> Result<Found, CliError> {
    let runtime = crate::cli::runtime()?;
    let metadata = runtime
        .block_on(async { Metadata::new(&agency.agency) })
        .map_err(|error| CliError::usage("cannot set up the connection").because(&error))?;
    match runtime.block_on(metadata.probe()) {
        Ok(Presence::Found) => Ok(agency.found()),
        Ok(Presence::Nothing) => Err(agency.nothing_found()),
        // Another cloud's machine refuses the question in its own way, and has no agency either.
        Err(error)
            if error
                .status()
                .is_some_and(|status| (400..500).contains(&status)) =>
        {
            Err(agency.nothing_found().because(&error))
        }
        Err(error) => {
            let message = "the metadata service of this machine does not answer as it should";
            Err(CliError::new(Exit::Unreachable, message)
                .because(&error)
                .hint("give a credential in one of the other ways; see `A real account` in the README"))
        }
    }
}

impl PlaceArgs {
    /// What was set, with its origin. A name of a project has no option: names are for people, ids for jobs.
    fn explicit(&self, effective: &Effective) -> Explicit {
        let told = |key: &str, value: &Option<String>| {
            let text = value.as_ref()?;
            let origin = effective.origin(key);
            let from = origin.map_or_else(
                || format!("--{}", key.replace('_', "-")),
                ToString::to_string,
            );
            Some(Told::new(text, from))
        };
        let project_name = effective.profile.as_ref().and_then(|profile| {
            let source = &profile.source;
            let value = source.values.iter().find(|(key, _)| key == "project_name");
            let (key, text) = value?;
            Some(Told::new(
                text.expose(),
                format!("`{key}` in {}", source.label()),
            ))
        });
        let project_id = told("project_id", &self.project_id);
        Explicit {
            endpoint: told("endpoint", &self.endpoint),
            region: told("region", &self.region),
            iam: told("iam_endpoint", &self.iam_endpoint),
            project_id,
            project_name,
        }
    }
}
