//! The files that Huawei Cloud's SDKs and its command line keep in the home folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::bag::{Bag, Kind, Names, Role};
use super::clouds;
use super::hidden::Hidden;
use super::surroundings::{Held, Surroundings};
use super::told::Told;
use crate::cli::error::CliError;

/// The keys of `~/.huaweicloud/credentials`.
const SDK: Names = &[
    (Role::AccessKey, &["ak"]),
    (Role::SecretKey, &["sk"]),
    (Role::SecurityToken, &["security_token"]),
    (Role::ProjectId, &["project_id"]),
    (Role::Iam, &["iam_endpoint"]),
];

/// The members of a profile of `~/.hcloud/config.json`.
const HCLOUD: Names = &[
    (Role::AccessKey, &["accessKeyId"]),
    (Role::SecretKey, &["secretAccessKey"]),
    (Role::SecurityToken, &["securityToken"]),
    (Role::Region, &["region"]),
    (Role::ProjectId, &["projectId"]),
];

/// Reads the section for services that belong to a project.
pub(super) fn sdk_profile(path: &Path, text: &Hidden) -> Bag {
    let label = path.display().to_string();
    Bag::fill(label, Kind::File, SDK, |name| {
        ini(text.expose(), "basic", name)
    })
}

/// Finds a value in a file of sections: `key = value`, a comment begins with `#` or `;`. The last of several counts.
fn ini(text: &str, section: &str, key: &str) -> Option<Hidden> {
    let mut is_inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            is_inside = name.trim() == section;
        } else if let Some((name, value)) = line.split_once('=')
            && is_inside
            && name.trim() == key
        {
            found = Some(Hidden::new(value.trim()));
        }
    }
    found
}

/// What the profile in use of the vendor's command line says.
pub(super) enum Hcloud {
    Keys(Bag),
    /// The profile stands for the agency of this machine.
    Agency(Bag),
    /// The keys are there, and cannot be read.
    Encrypted,
    /// There is nothing that could be used, for this reason.
    Nothing(String),
}

/// Reads the profile of that name, else the one that is in use.
pub(super) fn hcloud(path: &Path, text: &Hidden, wanted: Option<&str>) -> Hcloud {
    let label = path.display();
    let Ok(config) = serde_json::from_str::<Value>(text.expose()) else {
        return Hcloud::Nothing(format!("{label}: it is not JSON"));
    };
    let Some(name) = wanted.or_else(|| config["current"].as_str()) else {
        return Hcloud::Nothing(format!("{label}: `current` names no profile"));
    };
    let profiles = config["profiles"].as_array().into_iter().flatten();
    let Some(profile) = profiles
        .into_iter()
        .find(|profile| profile["name"] == *name)
    else {
        return Hcloud::Nothing(format!("{label}: there is no profile {name:?}"));
    };
    let mode = profile["mode"].as_str().unwrap_or("AKSK");
    let keys = match mode {
        "AKSK" | "ecsAgency" => profile,
        "SSO" => &profile["ssoAuth"]["stsToken"],
        other => {
            return Hcloud::Nothing(format!(
                "{label}: the mode {other:?} of {name:?} is not supported"
            ));
        }
    };
    let read = |member: &str| {
        let text = keys[member].as_str().or_else(|| profile[member].as_str());
        text.map(Hidden::new)
    };
    let bag = Bag::fill(label.to_string(), Kind::File, HCLOUD, read);
    if mode == "ecsAgency" {
        Hcloud::Agency(bag)
    } else if bag.has(Role::SecretKey) && is_encrypted(&config, &read) {
        Hcloud::Encrypted
    } else {
        Hcloud::Keys(bag)
    }
}

/// Keys are encrypted unless that was switched off. Files of before there was a switch do not say; a plain key is
/// letters and digits, at most forty of them for either half, and what encryption makes is longer.
fn is_encrypted(config: &Value, read: &impl Fn(&str) -> Option<Hidden>) -> bool {
    const LONGEST: usize = 48;
    let told = match &config["authEncrypt"] {
        Value::Bool(told) => Some(*told),
        Value::String(told) => told.parse().ok(),
        _ => None,
    };
    let is_plain = |name: &str| {
        read(name).is_none_or(|text| {
            let text = text.expose();
            text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    told.unwrap_or_else(|| !(is_plain("accessKeyId") && is_plain("secretAccessKey")))
}

/// Finds the address of DCS that the SDKs were told to use in a region: by a variable, or in the file of regions.
pub(crate) fn endpoint_override(
    region: &str,
    around: &Surroundings,
) -> Result<Option<Told>, CliError> {
    let suffix = region.to_uppercase().replace('-', "_");
    let variable = format!("HUAWEICLOUD_SDK_REGION_DCS_{suffix}");
    if let Some(address) = around.plain(&variable) {
        return Ok(Some(Told::new(address, variable)));
    }
    let Some(path) = regions_file(around) else {
        return Ok(None);
    };
    let Held::Text { text, .. } = around.look(&path) else {
        return Ok(None);
    };
    let document = clouds::parse(&path, &text)?;
    let services = document.as_mapping().into_iter().flatten();
    let is_dcs = |name: &yaml_serde::Value| {
        name.as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case("dcs"))
    };
    let regions = services
        .filter(|(name, _)| is_dcs(name))
        .filter_map(|(_, regions)| regions.as_sequence())
        .flatten();
    let found = regions
        .filter_map(yaml_serde::Value::as_mapping)
        .find(|entry| clouds::text_of(entry, "id").is_some_and(|id| id.expose() == region));
    let address = found.and_then(|entry| {
        let one = clouds::text_of(entry, "endpoint");
        let several = || entry.get("endpoints")?.as_sequence()?.first()?.as_str();
        one.map(|address| address.expose().to_owned())
            .or_else(|| several().map(str::to_owned))
    });
    Ok(address.map(|address| Told::new(address, path.display().to_string())))
}

fn regions_file(around: &Surroundings) -> Option<PathBuf> {
    let named = around.path("HUAWEICLOUD_SDK_REGIONS_FILE");
    named.or_else(|| Some(around.home()?.join(".huaweicloud/regions.yaml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn a_section_holds_keys_and_values_and_comments() {
        let text = "ak = outside\n# ak = no\n[global]\nak = other\n[ basic ]\n ak=AK\n; sk = no\nsk = S=K \n\nproject_id =\n[x]\nsk = other\n";
        let cases = [
            ("ak", Some("AK")),
            ("sk", Some("S=K")),
            ("project_id", Some("")),
            ("x", None),
        ];
        for (key, expected) in cases {
            let found = ini(text, "basic", key);
            assert_eq!(found.as_ref().map(Hidden::expose), expected, "{key}");
        }
    }

    #[test]
    fn the_address_of_a_region_is_taken_from_the_variable_and_then_from_the_file() {
        let held = |text: &str| Held::Text {
            text: Hidden::new(text),
            objection: None,
        };
        let regions = "ECS:\n- id: cn-north-4\n  endpoint: https://ecs.example\nDcs:\n- id: cn-north-1\n  endpoint: https://one.example\n- id: cn-north-4\n  endpoints: [https://four.example, https://other.example]\n";
        let files = [
            ("/home/a/.huaweicloud/regions.yaml", held(regions)),
            ("/r.yaml", held("DCS: 7")),
        ];
        let around = |more: &[(&str, &str)]| {
            let variables: Vec<_> = [("HOME", "/home/a")].iter().chain(more).copied().collect();
            Surroundings::of(&variables, &files)
        };
        let variable = (
            "HUAWEICLOUD_SDK_REGION_DCS_CN_NORTH_4",
            "https://env.example",
        );
        let cases: [(Variables<'_>, &str, Option<&str>); 6] = [
            (&[], "cn-north-1", Some("https://one.example")),
            (&[], "cn-north-4", Some("https://four.example")),
            (&[], "cn-north-9", None),
            (&[variable], "cn-north-4", Some("https://env.example")),
            (&[variable], "cn-north-1", Some("https://one.example")),
            (
                &[("HUAWEICLOUD_SDK_REGIONS_FILE", "/r.yaml")],
                "cn-north-4",
                None,
            ),
        ];
        for (more, region, expected) in cases {
            let found = endpoint_override(region, &around(more)).unwrap();
            assert_eq!(
                found.map(|told| told.text).as_deref(),
                expected,
                "{region} {more:?}"
            );
        }
    }
}
