//! `clouds.yaml` with `secure.yaml` merged over it, as the clients of `OpenStack` read them.

use std::path::{Path, PathBuf};

use yaml_serde::{Mapping, Value};

use super::bag::{Bag, Kind, Names, Role};
use super::file::unsafe_file;
use super::hidden::Hidden;
use super::surroundings::{Held, Surroundings};
use crate::api::cloud::OTC;
use crate::cli::error::CliError;
use crate::cli::near;

/// The names of an entry; those under `auth` are looked for there and then beside it.
const NAMES: Names = &[
    (Role::Token, &["token"]),
    (Role::AccessKey, &["ak", "access_key"]),
    (Role::SecretKey, &["sk", "secret_key"]),
    (Role::SecurityToken, &["security_token"]),
    (Role::UserId, &["user_id"]),
    (Role::UserName, &["username"]),
    (Role::Password, &["password"]),
    (Role::DomainId, &["user_domain_id", "domain_id"]),
    (
        Role::DomainName,
        &["user_domain_name", "domain_name", "project_domain_name"],
    ),
    (Role::Region, &["region_name"]),
    (Role::ProjectId, &["project_id", "tenant_id"]),
    (Role::ProjectName, &["project_name", "tenant_name"]),
    (Role::Iam, &["auth_url"]),
    (Role::CaFile, &["cacert"]),
];

/// One cloud of the files.
pub(super) fn entry(name: &str, wanted_by: &str, around: &Surroundings) -> Result<Bag, CliError> {
    let (path, text, objection) = clouds(wanted_by, around)?;
    let document = parse(&path, &text)?;
    let mut cloud =
        pick(&document, name).ok_or_else(|| unknown(name, wanted_by, &path, &document))?;
    if let Some(objection) = objection
        && bag(&path, &cloud).holds_a_secret()
    {
        return Err(unsafe_file(&path, objection));
    }
    let named = around.path("OS_CLIENT_SECURE_FILE");
    let secure = named
        .clone()
        .unwrap_or_else(|| path.with_file_name("secure.yaml"));
    let mut label = path.clone();
    match around.look(&secure) {
        Held::Absent if named.is_none() => {}
        Held::Text { text, objection } => {
            if let Some(extra) = pick(&parse(&secure, &text)?, name) {
                let has_secret = bag(&secure, &extra).holds_a_secret();
                if let Some(objection) = objection.filter(|_| has_secret) {
                    return Err(unsafe_file(&secure, objection));
                }
                if has_secret {
                    label = PathBuf::from(format!("{} with {}", path.display(), secure.display()));
                }
                merge(&mut cloud, extra);
            }
        }
        held => return Err(unreadable(&secure, "OS_CLIENT_SECURE_FILE", &held)),
    }
    let mut bag = bag(&label, &cloud);
    // The vendor's profile: it stands for the addresses that the file then need not name.
    if text_of(&cloud, "profile").is_some_and(|profile| profile.expose() == "otc") {
        bag.add(Role::Cloud, OTC, "profile");
    }
    Ok(bag)
}

/// Finds `clouds.yaml`: where a variable says, else here, in the user's folder and in the machine's; the first counts.
fn clouds(
    wanted_by: &str,
    around: &Surroundings,
) -> Result<(PathBuf, Hidden, Option<&'static str>), CliError> {
    const VARIABLE: &str = "OS_CLIENT_CONFIG_FILE";
    let named = around.path(VARIABLE);
    let usual = || {
        let own = around.config_home();
        let own = own.map(|folder| folder.join("openstack/clouds.yaml"));
        let here = PathBuf::from("./clouds.yaml");
        let machine = PathBuf::from("/etc/openstack/clouds.yaml");
        [here].into_iter().chain(own).chain([machine]).collect()
    };
    let places: Vec<PathBuf> = named.map_or_else(usual, |path| vec![path]);
    for path in &places {
        match around.look(path) {
            Held::Text { text, objection } => return Ok((path.clone(), text, objection)),
            Held::Absent => {}
            held @ Held::Unreadable(_) => return Err(unreadable(path, wanted_by, &held)),
        }
    }
    let listed: Vec<_> = places
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let message = format!("{wanted_by} names a cloud, and there is no clouds.yaml");
    Err(CliError::usage(message).hint(format!("looked at {}", listed.join(", "))))
}

fn unreadable(path: &Path, wanted_by: &str, held: &Held) -> CliError {
    let why = match held {
        Held::Unreadable(why) => why,
        _ => "it is not there",
    };
    let mut error = CliError::usage(format!(
        "cannot read {}, which {wanted_by} asks for",
        path.display()
    ));
    error.causes.push(why.to_owned());
    error
}

/// Reads YAML. What its reader says of a fault is left out but for the place: it may quote a secret.
pub(super) fn parse(path: &Path, text: &Hidden) -> Result<Value, CliError> {
    yaml_serde::from_str(text.expose()).map_err(|error| {
        let place = error.location();
        let place = place.map_or_else(String::new, |place| format!(", at line {}", place.line()));
        CliError::usage(format!("{} is not YAML{place}", path.display()))
    })
}

fn pick(document: &Value, name: &str) -> Option<Mapping> {
    let cloud = document.get("clouds")?.get(name)?;
    cloud.as_mapping().cloned()
}

fn unknown(name: &str, wanted_by: &str, path: &Path, document: &Value) -> CliError {
    let clouds = document.get("clouds").and_then(Value::as_mapping);
    let names = clouds.into_iter().flat_map(Mapping::keys);
    let names: Vec<_> = names.filter_map(Value::as_str).map(str::to_owned).collect();
    let mut error = near::unknown("cloud", name, &names);
    error.message = format!(
        "{wanted_by} names the cloud {name:?}, which is not in {}",
        path.display()
    );
    error
}

/// Lays one mapping over another, key by key.
fn merge(under: &mut Mapping, over: Mapping) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Mapping(under)), Value::Mapping(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn bag(path: &Path, cloud: &Mapping) -> Bag {
    let auth = cloud.get("auth").and_then(Value::as_mapping);
    let read = |name: &str| {
        auth.and_then(|auth| text_of(auth, name))
            .or_else(|| text_of(cloud, name))
    };
    Bag::fill(path.display().to_string(), Kind::File, NAMES, read)
}

/// A scalar as text: people leave numbers without quotes.
pub(super) fn text_of(mapping: &Mapping, name: &str) -> Option<Hidden> {
    match mapping.get(name)? {
        Value::String(text) => Some(Hidden::new(text.as_str())),
        Value::Number(number) => Some(Hidden::new(number.to_string())),
        _ => None,
    }
}
