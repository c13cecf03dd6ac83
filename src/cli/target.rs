//! Where a run reads, worked out of what was said: the addresses of DCS and IAM, and which project.
//!
//! What was set explicitly always holds. Else the region names the hosts, within the cloud that the source of the credential
//! tells; an address of IAM that belongs to no known cloud leaves nothing to be worked out, so that no token goes to a cloud
//! that it is not from.

use crate::api::cloud;

use super::credentials::bag::{Given, Role};
use super::credentials::told::Told;
use super::error::CliError;

/// What was set by option or profile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Explicit {
    pub(crate) endpoint: Option<Told>,
    pub(crate) region: Option<Told>,
    pub(crate) iam: Option<Told>,
    pub(crate) project_id: Option<Told>,
    pub(crate) project_name: Option<Told>,
}

/// Which project is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Project {
    Id(Told),
    /// IAM is asked for the id.
    Named(Told),
}

/// Where a run reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) endpoint: Told,
    pub(crate) project: Project,
    /// Nothing if none is known, and then none is needed.
    pub(crate) iam: Option<Told>,
    pub(crate) region: Option<Told>,
}

/// Works out where to read. `redirected` tells the address that the SDKs were given for a region.
pub(crate) fn target(
    explicit: &Explicit,
    given: &Given,
    needs_iam: bool,
    redirected: impl Fn(&str) -> Result<Option<Told>, CliError>,
) -> Result<Target, CliError> {
    let iam = explicit
        .iam
        .clone()
        .or_else(|| given.get(Role::Iam).cloned());
    let region = region(explicit, given, iam.as_ref())?;
    let domain = domain(given, iam.as_ref(), region.as_ref())?;
    let hosts = region.as_ref().zip(domain);
    let endpoint = match &explicit.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => endpoint(region.as_ref(), hosts.as_ref(), iam.as_ref(), redirected)?,
    };
    let project = project(explicit, given, region.as_ref())?;
    let iam = iam.or_else(|| {
        let (region, domain) = hosts?;
        Some(Told::new(
            cloud::iam(&region.text, &domain),
            worked_out(region),
        ))
    });
    let is_asked = needs_iam || matches!(project, Project::Named(_));
    if is_asked && iam.is_none() {
        let why = match &project {
            _ if needs_iam => "a password is exchanged for a token by IAM".to_owned(),
            Project::Named(name) => format!(
                "the id of the project {:?} (from {}) is asked of IAM",
                name.text, name.from
            ),
            Project::Id(_) => String::new(),
        };
        return Err(CliError::usage(format!("{why}, and its address is not known"))
            .hint("looked at --iam-endpoint (DCS_HISTORY_IAM_ENDPOINT), the source of the credential and --region (DCS_HISTORY_REGION), in this order"));
    }
    Ok(Target {
        endpoint,
        project,
        iam,
        region,
    })
}

fn worked_out(region: &Told) -> String {
    format!("the region {} (from {})", region.text, region.from)
}

/// The host in an address of IAM, without looking at it more closely than a guess needs.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    &rest[..end]
}

fn region(
    explicit: &Explicit,
    given: &Given,
    iam: Option<&Told>,
) -> Result<Option<Told>, CliError> {
    let of_host = || {
        let iam = iam?;
        let region = cloud::region_of_host(host(&iam.text))?;
        Some(Told::new(region, &*iam.from))
    };
    let region = explicit.region.clone();
    let region = region
        .or_else(|| given.get(Role::Region).cloned())
        .or_else(of_host);
    match region {
        Some(region) if !cloud::is_region(&region.text) => Err(CliError::usage(format!(
            "{} holds no region: {:?}",
            region.from, region.text
        ))
        .hint("a region reads eu-de or cn-north-4")),
        region => Ok(region),
    }
}

/// The domain of the cloud's hosts, if it is known.
fn domain(
    given: &Given,
    iam: Option<&Told>,
    region: Option<&Told>,
) -> Result<Option<String>, CliError> {
    if let Some(cloud) = given.get(Role::Cloud) {
        if cloud::is_domain(&cloud.text) {
            return Ok(Some(cloud.text.clone()));
        }
        return Err(CliError::usage(format!(
            "{} holds no domain of a cloud: {:?}",
            cloud.from, cloud.text
        ))
        .hint("it reads myhuaweicloud.com or otc.t-systems.com"));
    }
    let known = match (iam, region) {
        (Some(iam), _) => cloud::domain_of_host(host(&iam.text)),
        (None, Some(region)) => Some(cloud::domain_of_region(&region.text)),
        (None, None) => None,
    };
    Ok(known.map(str::to_owned))
}

fn endpoint(
    region: Option<&Told>,
    hosts: Option<&(&Told, String)>,
    iam: Option<&Told>,
    redirected: impl Fn(&str) -> Result<Option<Told>, CliError>,
) -> Result<Told, CliError> {
    if let Some(region) = region
        && let Some(endpoint) = redirected(&region.text)?
    {
        return Ok(endpoint);
    }
    if let Some((region, domain)) = hosts {
        return Ok(Told::new(
            cloud::dcs(&region.text, domain),
            worked_out(region),
        ));
    }
    let message = match (region, iam) {
        (Some(region), Some(iam)) => format!(
            "no endpoint is known: the region is {} (from {}), and the address of IAM from {} belongs to no cloud whose hosts are known",
            region.text, region.from, iam.from
        ),
        _ => "neither an endpoint nor a region is known".to_owned(),
    };
    Err(CliError::usage(message)
        .hint("looked at --endpoint (DCS_HISTORY_ENDPOINT), --region (DCS_HISTORY_REGION), the profile and the source of the credential, in this order")
        .hint("say --region eu-de or --endpoint https://dcs.eu-de.otc.t-systems.com, with your own region"))
}

fn project(explicit: &Explicit, given: &Given, region: Option<&Told>) -> Result<Project, CliError> {
    let id = explicit.project_id.clone().map(Project::Id);
    let named = || explicit.project_name.clone().map(Project::Named);
    let given_id = || given.get(Role::ProjectId).cloned().map(Project::Id);
    let given_name = || given.get(Role::ProjectName).cloned().map(Project::Named);
    let of_region = || region.cloned().map(Project::Named);
    id.or_else(named)
        .or_else(given_id)
        .or_else(given_name)
        .or_else(of_region)
        .ok_or_else(|| {
            CliError::usage("no project is known, and no region whose own project it could be")
                .hint("looked at --project-id (DCS_HISTORY_PROJECT_ID), the profile, the source of the credential and --region (DCS_HISTORY_REGION), in this order")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::credentials::surroundings::Surroundings;

    const NONE: &[(&str, &str)] = &[];

    fn told(text: &str) -> Option<Told> {
        (!text.is_empty()).then(|| Told::new(text, "said"))
    }

    /// What the Terraform variables give, beside an access key.
    fn given(variables: &[(&str, &str)]) -> Given {
        let around = Surroundings::of(variables, &[]);
        crate::cli::credentials::given_by_terraform(&around)
    }

    fn found(
        explicit: &Explicit,
        variables: &[(&str, &str)],
        needs_iam: bool,
    ) -> Result<(String, String, String), CliError> {
        let target = target(explicit, &given(variables), needs_iam, |_| Ok(None))?;
        let project = match target.project {
            Project::Id(id) => id.text,
            Project::Named(name) => format!("named {}", name.text),
        };
        Ok((
            target.endpoint.text,
            project,
            target.iam.map_or(String::new(), |iam| iam.text),
        ))
    }

    #[test]
    fn addresses_come_from_what_was_said_and_else_from_the_region_and_its_cloud() {
        let region = |region: &str| Explicit {
            region: told(region),
            ..Explicit::default()
        };
        let otc = "https://dcs.eu-de.otc.t-systems.com";
        let cases = [
            (
                region("eu-de"),
                NONE,
                otc,
                "named eu-de",
                "https://iam.eu-de.otc.t-systems.com",
            ),
            (
                region("cn-north-4"),
                NONE,
                "https://dcs.cn-north-4.myhuaweicloud.com",
                "named cn-north-4",
                "https://iam.cn-north-4.myhuaweicloud.com",
            ),
            (
                region(""),
                &[("HW_REGION_NAME", "eu-nl"), ("HW_PROJECT_NAME", "eu-nl_x")][..],
                "https://dcs.eu-nl.otc.t-systems.com",
                "named eu-nl_x",
                "https://iam.eu-nl.otc.t-systems.com",
            ),
            (
                region("eu-nl"),
                &[("HW_REGION_NAME", "eu-de"), ("HW_PROJECT_ID", "p")][..],
                "https://dcs.eu-nl.otc.t-systems.com",
                "p",
                "https://iam.eu-nl.otc.t-systems.com",
            ),
            // The address of IAM names its region and its cloud.
            (
                region(""),
                &[("HW_AUTH_URL", "https://iam.eu-de.otc.t-systems.com:443/v3")][..],
                otc,
                "named eu-de",
                "https://iam.eu-de.otc.t-systems.com:443/v3",
            ),
            (
                region("x-1"),
                &[("HW_AUTH_URL", "https://iam.myhuaweicloud.com/v3")][..],
                "https://dcs.x-1.myhuaweicloud.com",
                "named x-1",
                "https://iam.myhuaweicloud.com/v3",
            ),
            // What the source says of its cloud wins over what the region would mean.
            (
                region("eu-de"),
                &[("HW_CLOUD", "cloud.example.com")][..],
                "https://dcs.eu-de.cloud.example.com",
                "named eu-de",
                "https://iam.eu-de.cloud.example.com",
            ),
        ];
        for (explicit, variables, endpoint, project, iam) in cases {
            let expected = (endpoint.to_owned(), project.to_owned(), iam.to_owned());
            assert_eq!(
                found(&explicit, variables, false).unwrap(),
                expected,
                "{explicit:?} {variables:?}"
            );
        }
        let explicit = Explicit {
            endpoint: told("https://dcs.example.com"),
            region: told("eu-de"),
            iam: told("https://iam.example.com"),
            project_id: told("p"),
            project_name: told("n"),
        };
        let expected = (
            "https://dcs.example.com".into(),
            "p".into(),
            "https://iam.example.com".into(),
        );
        let variables = [
            ("HW_PROJECT_ID", "q"),
            ("HW_AUTH_URL", "https://other"),
            ("HW_REGION_NAME", "eu-nl"),
        ];
        assert_eq!(found(&explicit, &variables, true).unwrap(), expected);
        let explicit = Explicit {
            project_id: None,
            ..explicit
        };
        assert_eq!(found(&explicit, &variables, true).unwrap().1, "named n");
    }

    #[test]
    fn the_address_that_the_sdks_were_given_stands_between_what_was_said_and_the_region() {
        let redirected =
            |region: &str| Ok((region == "eu-de").then(|| Told::new("https://r.example.com", "R")));
        let mut explicit = Explicit {
            region: told("eu-de"),
            ..Explicit::default()
        };
        let endpoint = |explicit: &Explicit| {
            target(explicit, &Given::default(), false, redirected)
                .unwrap()
                .endpoint
                .text
        };
        assert_eq!(endpoint(&explicit), "https://r.example.com");
        explicit.endpoint = told("https://dcs.example.com");
        assert_eq!(endpoint(&explicit), "https://dcs.example.com");
    }

    #[test]
    fn what_cannot_be_worked_out_is_an_error_that_says_where_was_looked() {
        let of = |endpoint: &str, region: &str, id: &str| Explicit {
            endpoint: told(endpoint),
            region: told(region),
            project_id: told(id),
            ..Explicit::default()
        };
        let own = ("HW_AUTH_URL", "https://iam.private.example");
        let cases = [
            (
                of("", "", ""),
                NONE,
                false,
                "neither an endpoint nor a region",
            ),
            // A token of a private cloud must not go to a public one.
            (
                of("", "eu-de", ""),
                &[own][..],
                false,
                "belongs to no cloud",
            ),
            (of("https://d", "", ""), NONE, false, "no project is known"),
            (
                of("https://d", "", "p"),
                NONE,
                true,
                "a password is exchanged",
            ),
            (of("", "EU-DE", ""), NONE, false, "holds no region"),
            (of("", "a/b", ""), NONE, false, "holds no region"),
            (
                of("", "eu-de", ""),
                &[("HW_CLOUD", "x/y.z")][..],
                false,
                "no domain",
            ),
        ];
        for (explicit, variables, needs_iam, expected) in cases {
            let error = found(&explicit, variables, needs_iam).unwrap_err();
            assert_eq!(error.exit.code(), 2);
            assert!(error.message.contains(expected), "{error:?}");
        }
        // A name needs IAM, an id does not.
        let named = Explicit {
            endpoint: told("https://d"),
            project_name: told("n"),
            ..Explicit::default()
        };
        assert!(
            found(&named, NONE, false)
                .unwrap_err()
                .message
                .contains("asked of IAM")
        );
        assert_eq!(found(&of("https://d", "", "p"), NONE, false).unwrap().2, "");
    }
}
