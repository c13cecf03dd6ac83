//! The id of the project that is read, asked of IAM where only a name is known.

use crate::api::client::{Client, Project};
use crate::api::endpoint::Endpoint;
use crate::api::error::ApiError;
use crate::cli::credentials::told::Told;
use crate::cli::error::{CliError, Exit};
use crate::model::time::Timestamp;

/// Asks IAM for the id of the project with this name.
pub(super) async fn id(
    client: &Client,
    iam: &Endpoint,
    name: &Told,
    now: fn() -> Timestamp,
) -> Result<String, CliError> {
    let projects = client.projects(iam, &name.text).await;
    let projects = projects.map_err(|error| unanswered(&error, name, now()))?;
    choose(&projects, name)
}

/// A refusal is the credential's; anything else leaves nothing to be read.
fn unanswered(error: &ApiError, name: &Told, now: Timestamp) -> CliError {
    let exit = if error.is_unauthorized() || error.is_forbidden() {
        Exit::Refused
    } else {
        Exit::Unreachable
    };
    let message = format!(
        "cannot find the id of the project {:?} (from {})",
        name.text, name.from
    );
    let told = CliError::new(exit, message).because(error);
    let told = error.hints(now).into_iter().fold(told, CliError::hint);
    told.hint("with --project-id nothing has to be asked")
}

/// Takes the one project of that name; none and several are for the user to decide.
fn choose(projects: &[Project], name: &Told) -> Result<String, CliError> {
    let named: Vec<_> = projects
        .iter()
        .filter(|project| project.name == name.text)
        .collect();
    match named.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(CliError::usage(format!(
            "IAM knows no project {:?} (from {}) for this credential",
            name.text, name.from
        ))
        .hint("check the region, or give the project's id with --project-id")),
        several => {
            let ids: Vec<_> = several.iter().map(|project| &*project.id).collect();
            let message = format!(
                "{} projects are called {:?} (from {}): {}",
                ids.len(),
                name.text,
                name.from,
                ids.join(", ")
            );
            Err(CliError::usage(message)
                .hint("give the id of the one that is meant with --project-id"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_project_of_the_name_is_taken_and_none_or_several_are_refused_with_their_ids() {
        let project = |id: &str, name: &str| Project {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        let name = Told::new("eu-de", "--region");
        let all = [
            project("1", "eu-de_x"),
            project("2", "eu-de"),
            project("3", "eu-de"),
        ];
        assert_eq!(choose(&all[..2], &name).unwrap(), "2");
        for (projects, expected) in [
            (&all[..1], "no project \"eu-de\" (from --region)"),
            (&all[..], "2, 3"),
        ] {
            let error = choose(projects, &name).unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(error.message.contains(expected), "{error:?}");
        }
    }
}
