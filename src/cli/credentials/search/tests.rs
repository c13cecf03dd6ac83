//! Each source alone, all of them at once, and what stops a search.

use std::path::PathBuf;

use super::*;
use crate::api::auth::{Domain, User};
use crate::cli::credentials::bag::Role;
use crate::cli::credentials::surroundings::Held;

const HOME: &str = "/home/a";
const CLOUDS: &str = "/home/a/.config/openstack/clouds.yaml";
const SECURE: &str = "/home/a/.config/openstack/secure.yaml";
const SDK: &str = "/home/a/.huaweicloud/credentials";
const HCLOUD: &str = "/home/a/.hcloud/config.json";

/// What every secret of these tests is or ends in; it must never be told.
const SECRET: &str = "hunter2";

const OTC_CLOUD: &str = "clouds:
  otc:
    profile: otc
    auth:
      auth_url: https://iam.eu-de.otc.t-systems.com/v3
      username: dora
      password: hunter2
      user_domain_name: OTC-1
      project_name: eu-de_x
    region_name: eu-de
    cacert: /ca.pem
  keys: {ak: AKCLOUDS1234567890, sk: sk-hunter2, auth: {project_id: 0123}}
  half: {auth: {username: dora}}
";

const SDK_FILE: &str = "[basic]\nak = AKFILE12345678\nsk = sk-hunter2\nproject_id = p-file\niam_endpoint = https://iam.myhuaweicloud.com\n";

fn hcloud(profile: &str) -> String {
    format!(r#"{{"authEncrypt":"false","current":"b","profiles":[{{"name":"a"}},{profile}]}}"#)
}

fn hcloud_keys() -> String {
    hcloud(
        r#"{"name":"b","mode":"AKSK","accessKeyId":"AKHCLOUD123456","secretAccessKey":"skhunter2","region":"cn-north-4","projectId":"p-hcloud"}"#,
    )
}

/// A file that is the user's alone.
fn own(text: &str) -> Held {
    Held::Text {
        text: Hidden::new(text),
        objection: None,
    }
}

fn open_to_others(text: &str) -> Held {
    Held::Text {
        text: Hidden::new(text),
        objection: Some("others can read it"),
    }
}

/// Takes a source away; the rest is left for the next in the order.
type Take = fn(&mut Machine<'_>);

type Variables<'a> = &'a [(&'a str, &'a str)];
type Files<'a> = &'a [(&'a str, Held)];

#[derive(Default)]
struct Machine<'a> {
    variables: Vec<(&'a str, &'a str)>,
    files: Vec<(&'a str, Held)>,
    flags: (Option<&'a str>, Option<&'a str>),
    profile: Option<ProfileSource>,
}

impl<'a> Machine<'a> {
    fn with(variables: &[(&'a str, &'a str)], files: &[(&'a str, Held)]) -> Self {
        Self {
            variables: variables.to_vec(),
            files: files.to_vec(),
            ..Self::default()
        }
    }

    fn search(&self) -> Result<Search, CliError> {
        let mut variables = self.variables.clone();
        variables.push(("HOME", HOME));
        let around = Surroundings::of(&variables, &self.files);
        let flags = CredentialArgs {
            token_file: self.flags.0.map(PathBuf::from),
            token_command: self.flags.1.map(str::to_owned),
        };
        let found = search(&flags, self.profile.as_ref(), &around);
        let shown = format!("{found:?}");
        assert!(!shown.contains(SECRET), "a secret is told: {shown}");
        found
    }

    #[track_caller]
    fn found(&self) -> Found {
        match self.search() {
            Ok(Search::Found(found)) => found,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refused(&self) -> CliError {
        let error = self.search().unwrap_err();
        assert_eq!(error.exit.code(), 2, "{error:?}");
        error
    }
}

fn kind(found: &Found) -> &'static str {
    match &found.credential {
        Credential::Token(_) => "token",
        Credential::TokenFile(_) => "token file",
        Credential::TokenCommand(_) => "token command",
        Credential::Keys(keys) if keys.security_token.is_some() => "temporary keys",
        Credential::Keys(_) => "keys",
        Credential::Password { .. } => "password",
        Credential::Agency(_) => "agency",
    }
}

fn profile(values: &[(&str, &str)]) -> ProfileSource {
    let values = values.iter();
    ProfileSource {
        name: "x".to_owned(),
        file: PathBuf::from("/c.toml"),
        values: values
            .map(|(key, text)| ((*key).to_owned(), Hidden::new(*text)))
            .collect(),
        ..ProfileSource::default()
    }
}

#[test]
fn with_every_source_at_once_the_first_of_the_order_is_used() {
    let files = [
        ("./clouds.yaml", own(OTC_CLOUD)),
        (SDK, own(SDK_FILE)),
        (HCLOUD, own(&hcloud_keys())),
    ];
    let mut machine = Machine::with(
        &[
            ("DCS_HISTORY_TOKEN", "hunter2"),
            ("OS_CLOUD", "otc"),
            ("OS_TOKEN", "hunter2"),
            ("HUAWEICLOUD_SDK_AK", "AKSDK123456789"),
            ("HUAWEICLOUD_SDK_SK", "hunter2"),
            ("HW_ACCESS_KEY", "AKHW1234567890"),
            ("HW_SECRET_KEY", "hunter2"),
        ],
        &files,
    );
    machine.flags = (Some("/t"), Some("echo hunter2"));
    machine.profile = Some(profile(&[("ak", "AKPROFILE12345"), ("sk", "hunter2")]));
    let order: [(&str, &str, Take); 9] = [
        ("--token-file", "token file", |machine| {
            machine.flags.0 = None;
        }),
        ("--token-command", "token command", |machine| {
            machine.flags.1 = None;
        }),
        ("DCS_HISTORY_TOKEN", "token", |machine| {
            machine.without("DCS_HISTORY_TOKEN");
        }),
        ("profile `x` in /c.toml", "keys", |machine| {
            machine.profile = None;
        }),
        ("./clouds.yaml", "password", |machine| {
            machine.without("OS_CLOUD");
        }),
        ("OS_*", "token", |machine| machine.without("OS_TOKEN")),
        ("HUAWEICLOUD_SDK_*", "keys", |machine| {
            machine.without("HUAWEICLOUD_SDK_");
        }),
        ("HW_*", "keys", |machine| machine.without("HW_")),
        (SDK, "keys", |machine| {
            machine.files.retain(|(path, _)| *path != SDK);
        }),
    ];
    for (source, expected, take) in order {
        let found = machine.found();
        assert_eq!((&*found.source, kind(&found)), (source, expected));
        assert!(found.passed_over.is_empty(), "{found:?}");
        take(&mut machine);
    }
    assert_eq!(machine.found().source, HCLOUD);
    machine.files.clear();
    let Ok(Search::TryAgency(agency)) = machine.search() else {
        panic!("nothing is left but the agency");
    };
    assert_eq!(agency.agency.metadata, "http://169.254.169.254");
    let error = agency.nothing_found();
    assert_eq!(error.exit.code(), 2);
    let places = [
        "--token-file (DCS_HISTORY_TOKEN_FILE)",
        "--token-command (DCS_HISTORY_TOKEN_COMMAND)",
        "DCS_HISTORY_TOKEN,",
        "OS_CLOUD with clouds.yaml",
        "OS_*",
        "HUAWEICLOUD_SDK_*",
        "HW_*",
        SDK,
        HCLOUD,
        "the agency",
    ];
    let told = places.iter().map(|place| error.message.find(place));
    let told: Vec<_> = told.collect();
    assert!(
        told.iter().all(Option::is_some) && told.is_sorted(),
        "{}",
        error.message
    );
}

impl Machine<'_> {
    fn without(&mut self, beginning: &str) {
        self.variables
            .retain(|(name, _)| !name.starts_with(beginning));
    }
}

#[test]
fn within_one_source_a_token_wins_over_keys_and_keys_over_a_password() {
    let login = [
        ("HW_USER_NAME", "dora"),
        ("HW_USER_PASSWORD", "hunter2"),
        ("HW_DOMAIN_NAME", "d"),
    ];
    let keys = [("HW_ACCESS_KEY", "AK"), ("HW_SECRET_KEY", "hunter2")];
    let token = [("HW_AUTH_TOKEN", "hunter2")];
    let temporary = [("HW_SECURITY_TOKEN", "hunter2")];
    let cases: [(&[Variables<'_>], &str); 5] = [
        (&[&login, &keys, &token], "token"),
        (&[&login, &keys], "keys"),
        (&[&login, &keys, &temporary], "temporary keys"),
        (&[&login], "password"),
        (&[&login, &[("HW_AUTH_TOKEN", "")]], "password"),
    ];
    for (variables, expected) in cases {
        let found = Machine::with(&variables.concat(), &[]).found();
        assert_eq!(kind(&found), expected, "{variables:?}");
    }
}

#[test]
fn half_a_credential_is_passed_over_and_named() {
    let cases: [(&[(&str, &str)], &str); 9] = [
        (
            &[("HW_ACCESS_KEY", "AK")],
            "HW_*: HW_ACCESS_KEY is set, HW_SECRET_KEY is not",
        ),
        (
            &[("OS_SECRET_KEY", "hunter2")],
            "OS_*: OS_SECRET_KEY is set, OS_ACCESS_KEY is not",
        ),
        (
            &[("OS_SECURITY_TOKEN", "hunter2")],
            "OS_*: OS_SECURITY_TOKEN is set, OS_ACCESS_KEY and OS_SECRET_KEY are not",
        ),
        (
            &[("OS_USERNAME", "dora")],
            "OS_*: OS_USERNAME is set, OS_USER_DOMAIN_NAME and OS_PASSWORD are not",
        ),
        (
            &[("OS_PASSWORD", "hunter2"), ("OS_USERNAME", "dora")],
            "OS_*: OS_USERNAME and OS_PASSWORD are set, OS_USER_DOMAIN_NAME is not",
        ),
        (
            &[("OS_USER_ID", "u")],
            "OS_*: OS_USER_ID is set, OS_PASSWORD is not",
        ),
        (
            &[("HW_USER_NAME", "dora"), ("HW_DOMAIN_ID", "d")],
            "HW_*: HW_USER_NAME and HW_DOMAIN_ID are set, HW_USER_PASSWORD is not",
        ),
        (
            &[("HUAWEICLOUD_SDK_SK", "hunter2")],
            "HUAWEICLOUD_SDK_*: HUAWEICLOUD_SDK_SK is set, HUAWEICLOUD_SDK_AK is not",
        ),
        (
            &[("HUAWEICLOUD_SDK_IDP_ID", "i")],
            "HUAWEICLOUD_SDK_IDP_ID: logging in through an identity provider is not supported",
        ),
    ];
    for (variables, expected) in cases {
        let machine = Machine::with(variables, &[(HCLOUD, own(&hcloud_keys()))]);
        let found = machine.found();
        assert_eq!(found.source, HCLOUD, "{variables:?}");
        assert_eq!(found.passed_over, [expected]);
        let Ok(Search::TryAgency(agency)) = Machine::with(variables, &[]).search() else {
            panic!("{variables:?}");
        };
        assert_eq!(agency.nothing_found().causes, [expected]);
    }
    // A domain, a region and a project are no half of anything.
    let given = [
        ("HW_DOMAIN_NAME", "d"),
        ("OS_REGION_NAME", "eu-de"),
        ("OS_PROJECT_NAME", "p"),
    ];
    let found = Machine::with(&given, &[(HCLOUD, own(&hcloud_keys()))]).found();
    assert!(found.passed_over.is_empty(), "{found:?}");
}

/// What a source says beside its credential.
const GIVEN: [Role; 6] = [
    Role::Region,
    Role::ProjectId,
    Role::ProjectName,
    Role::Iam,
    Role::Cloud,
    Role::CaFile,
];

#[test]
fn each_source_tells_the_place_of_each_part_and_what_goes_along() {
    let os = [
        ("OS_AUTH_URL", "https://iam.eu-de.otc.t-systems.com/v3"),
        ("OS_USERNAME", "dora"),
        ("OS_PASSWORD", "hunter2"),
        ("OS_DOMAIN_NAME", "OTC-1"),
        ("OS_TENANT_NAME", "eu-de_x"),
        ("OS_REGION", "eu-de"),
        ("OS_CACERT", "/ca.pem"),
    ];
    let sdk = [
        ("HUAWEICLOUD_SDK_AK", "AKSDK123456789"),
        ("HUAWEICLOUD_SDK_SK", "hunter2"),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "hunter2"),
        ("HUAWEICLOUD_SDK_PROJECT_ID", "p"),
    ];
    let cloud = [("OS_CLOUD", "otc")];
    let cases: [(Machine<'_>, &[&str]); 5] = [
        (
            Machine::with(&os, &[]),
            &[
                "user name dora OS_USERNAME",
                "domain name OTC-1 OS_DOMAIN_NAME",
                "password - OS_PASSWORD",
                "region eu-de OS_REGION",
                "project name eu-de_x OS_TENANT_NAME",
                "address of IAM https://iam.eu-de.otc.t-systems.com/v3 OS_AUTH_URL",
                "CA file /ca.pem OS_CACERT",
            ],
        ),
        (
            Machine::with(&sdk, &[]),
            &[
                "access key AKSD*** HUAWEICLOUD_SDK_AK",
                "secret key - HUAWEICLOUD_SDK_SK",
                "security token - HUAWEICLOUD_SDK_SECURITY_TOKEN",
                "project id p HUAWEICLOUD_SDK_PROJECT_ID",
            ],
        ),
        (
            Machine::with(&cloud, &[(CLOUDS, own(OTC_CLOUD))]),
            &[
                "user name dora `username` in /home/a/.config/openstack/clouds.yaml",
                "domain name OTC-1 `user_domain_name` in /home/a/.config/openstack/clouds.yaml",
                "password - `password` in /home/a/.config/openstack/clouds.yaml",
                "region eu-de `region_name` in /home/a/.config/openstack/clouds.yaml",
                "project name eu-de_x `project_name` in /home/a/.config/openstack/clouds.yaml",
                "address of IAM https://iam.eu-de.otc.t-systems.com/v3 `auth_url` in /home/a/.config/openstack/clouds.yaml",
                "cloud otc.t-systems.com `profile` in /home/a/.config/openstack/clouds.yaml",
                "CA file /ca.pem `cacert` in /home/a/.config/openstack/clouds.yaml",
            ],
        ),
        (
            Machine::with(&[], &[(SDK, own(SDK_FILE))]),
            &[
                "access key AKFI*** `ak` in /home/a/.huaweicloud/credentials",
                "secret key - `sk` in /home/a/.huaweicloud/credentials",
                "project id p-file `project_id` in /home/a/.huaweicloud/credentials",
                "address of IAM https://iam.myhuaweicloud.com `iam_endpoint` in /home/a/.huaweicloud/credentials",
            ],
        ),
        (
            Machine::with(&[], &[(HCLOUD, own(&hcloud_keys()))]),
            &[
                "access key AKHC*** `accessKeyId` in /home/a/.hcloud/config.json",
                "secret key - `secretAccessKey` in /home/a/.hcloud/config.json",
                "region cn-north-4 `region` in /home/a/.hcloud/config.json",
                "project id p-hcloud `projectId` in /home/a/.hcloud/config.json",
            ],
        ),
    ];
    for (machine, expected) in cases {
        let found = machine.found();
        let parts = found.parts.iter().map(|part| {
            let shown = part.shown.as_deref().unwrap_or("-");
            format!("{} {shown} {}", part.what, part.from)
        });
        let given = GIVEN.iter().filter_map(|role| {
            let told = found.given.get(*role)?;
            Some(format!("{} {} {}", role.name(), told.text, told.from))
        });
        assert_eq!(parts.chain(given).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_user_is_an_id_or_a_name_in_a_domain() {
    let password = ("OS_PASSWORD", "hunter2");
    let name = |domain| User::Name {
        name: "dora".to_owned(),
        domain,
    };
    let cases = [
        (
            vec![password, ("OS_USER_ID", "u"), ("OS_USERNAME", "dora")],
            User::Id("u".to_owned()),
        ),
        (
            vec![
                password,
                ("OS_USERNAME", "dora"),
                ("OS_USER_DOMAIN_ID", "d"),
                ("OS_DOMAIN_NAME", "n"),
            ],
            name(Domain::Id("d".to_owned())),
        ),
        (
            vec![password, ("OS_USERNAME", "dora"), ("DEFAULT_DOMAIN", "n")],
            name(Domain::Name("n".to_owned())),
        ),
    ];
    for (variables, expected) in cases {
        let found = Machine::with(&variables, &[]).found();
        let Credential::Password { user, .. } = found.credential else {
            panic!("{variables:?}");
        };
        assert_eq!(user, expected);
    }
}

#[test]
fn a_cloud_of_clouds_yaml_is_found_where_openstack_looks_and_the_secure_file_is_laid_over_it() {
    let plain = "clouds: {otc: {auth: {username: dora, user_domain_name: d, auth_url: 'https://one'}, region_name: eu-de}}";
    let secret = "clouds: {otc: {auth: {password: hunter2, auth_url: 'https://two'}}, other: {auth: {password: x}}}";
    let iam = |files: &[(&'static str, Held)], variables: &[(&'static str, &'static str)]| {
        let variables = [&[("OS_CLOUD", "otc")], variables].concat();
        let found = Machine::with(&variables, files).found();
        assert_eq!(kind(&found), "password");
        (
            found.given.get(Role::Iam).unwrap().text.clone(),
            found.given.get(Role::Region).unwrap().text.clone(),
        )
    };
    let two = ("https://two".to_owned(), "eu-de".to_owned());
    // A file without a secret need not be private.
    assert_eq!(
        iam(
            &[(CLOUDS, open_to_others(plain)), (SECURE, own(secret))],
            &[]
        ),
        two
    );
    let variables = [
        ("OS_CLIENT_CONFIG_FILE", "/c.yaml"),
        ("OS_CLIENT_SECURE_FILE", "/s.yaml"),
    ];
    assert_eq!(
        iam(
            &[
                ("/c.yaml", own(plain)),
                ("/s.yaml", own(secret)),
                (CLOUDS, own("clouds: {}"))
            ],
            &variables
        ),
        two
    );
    assert_eq!(
        iam(
            &[
                ("/etc/openstack/clouds.yaml", own(plain)),
                ("/etc/openstack/secure.yaml", own(secret))
            ],
            &[]
        ),
        two
    );
    let variables = [("XDG_CONFIG_HOME", "/x")];
    assert_eq!(
        iam(
            &[
                ("/x/openstack/clouds.yaml", own(plain)),
                ("/x/openstack/secure.yaml", own(secret))
            ],
            &variables
        ),
        two
    );
    let keys = Machine::with(
        &[("OS_CLOUD", "keys")],
        &[
            ("./clouds.yaml", own(OTC_CLOUD)),
            (CLOUDS, own("clouds: {}")),
        ],
    )
    .found();
    assert_eq!(
        (kind(&keys), &*keys.given.get(Role::ProjectId).unwrap().text),
        ("keys", "0123")
    );
}

#[test]
fn what_somebody_chose_is_used_or_is_an_error() {
    let fallback = ("HW_AUTH_TOKEN", "hunter2");
    let cloud = |name| [("OS_CLOUD", name), fallback];
    let yaml = [(CLOUDS, own(OTC_CLOUD))];
    let cases: [(Variables<'_>, Files<'_>, &str); 14] = [
        (&cloud("otc"), &[], "there is no clouds.yaml"),
        (
            &cloud("ocd"),
            &yaml,
            "OS_CLOUD names the cloud \"ocd\", which is not in",
        ),
        (&cloud("half"), &yaml, "holds no whole credential"),
        (
            &cloud("otc"),
            &[(CLOUDS, open_to_others(OTC_CLOUD))],
            "refused: others can read it",
        ),
        (
            &cloud("otc"),
            &[
                (CLOUDS, own("clouds: {otc: {}}")),
                (SECURE, open_to_others(OTC_CLOUD)),
            ],
            "secure.yaml holds a secret and is refused",
        ),
        (
            &cloud("otc"),
            &[(CLOUDS, own("clouds: hunter2: x\n b"))],
            "clouds.yaml is not YAML, at line",
        ),
        (
            &cloud("otc"),
            &[(CLOUDS, Held::Unreadable("Permission denied".to_owned()))],
            "cannot read",
        ),
        (
            &[("OS_CLOUD", "otc"), ("OS_CLIENT_CONFIG_FILE", "/no.yaml")],
            &yaml,
            "there is no clouds.yaml",
        ),
        (
            &[("OS_CLOUD", "otc"), ("OS_CLIENT_SECURE_FILE", "/no.yaml")],
            &yaml,
            "cannot read /no.yaml",
        ),
        (
            &[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/no")],
            &[],
            "there is no /no",
        ),
        (
            &[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/c")],
            &[("/c", own("[basic]\nak = AK"))],
            "holds no whole credential",
        ),
        (
            &[("HW_SHARED_CONFIG_FILE", "/no")],
            &[(HCLOUD, own("{}"))],
            "there is no /no",
        ),
        (
            &[("HW_PROFILE", "z")],
            &[(HCLOUD, own(r#"{"current":"b","profiles":[]}"#))],
            "there is no profile \"z\"",
        ),
        (
            &[],
            &[(SDK, open_to_others(SDK_FILE))],
            "refused: others can read it",
        ),
    ];
    for (variables, files, expected) in cases {
        let error = Machine::with(variables, files).refused();
        assert!(error.message.contains(expected), "{expected}: {error:?}");
    }
}

#[test]
fn a_profile_has_a_token_keys_a_login_or_a_cloud_and_half_of_one_ends_the_search() {
    let files = [(CLOUDS, own(OTC_CLOUD))];
    let mut machine = Machine::with(&[("HW_AUTH_TOKEN", "hunter2")], &files);
    let login = [
        ("user_name", "dora"),
        ("domain_name", "d"),
        ("password", "hunter2"),
    ];
    let mut all = profile(&[&[("ak", "AK"), ("sk", "hunter2")], &login[..]].concat());
    all.token_file = Some("/t".into());
    all.token_command = Some(Hidden::new("echo hunter2"));
    all.cloud = Some("otc".to_owned());
    let kinds = [
        "token file",
        "token command",
        "keys",
        "password",
        "password",
    ];
    for (place, expected) in kinds.into_iter().enumerate() {
        machine.profile = Some(all.clone());
        let found = machine.found();
        assert_eq!(kind(&found), expected);
        assert_eq!(
            found.source.contains("clouds.yaml"),
            place == 4,
            "{}",
            found.source
        );
        match place {
            0 => all.token_file = None,
            1 => all.token_command = None,
            2 => all.values.drain(..2).for_each(drop),
            _ => all.values.clear(),
        }
    }
    all.cloud = None;
    machine.profile = Some(all.clone());
    assert_eq!(machine.found().source, "HW_*");
    machine.profile = Some(profile(&[("ak", "AK")]));
    let error = machine.refused();
    assert_eq!(
        error.causes,
        ["profile `x` in /c.toml: `ak` is set, `sk` is not"]
    );
    all.cloud = Some("none".to_owned());
    machine.profile = Some(all);
    assert!(
        machine
            .refused()
            .message
            .contains("`cloud` in profile `x` in /c.toml names the cloud \"none\"")
    );
}

#[test]
fn the_profile_in_use_of_hcloud_is_read_by_its_mode_and_encrypted_keys_end_the_search() {
    let keys = r#""accessKeyId":"AKHCLOUD123456","secretAccessKey":"skhunter2""#;
    let file = |text: &str| Machine::with(&[], &[(HCLOUD, own(text))]);
    let b = |members: &str| hcloud(&format!(r#"{{"name":"b",{members}}}"#));
    let sso = format!(
        r#""mode":"SSO","region":"eu-de","ssoAuth":{{"stsToken":{{{keys},"securityToken":"hunter2"}}}}"#
    );
    assert_eq!(kind(&file(&b(&sso)).found()), "temporary keys");
    assert_eq!(kind(&file(&b(keys)).found()), "keys");
    // Without a word on encryption the keys themselves tell.
    let silent = |text: &str| b(text).replace(r#""authEncrypt":"false","#, "");
    assert_eq!(kind(&file(&silent(keys)).found()), "keys");
    let long = r#""accessKeyId":"YWJj+/==hunter2","secretAccessKey":"skhunter2""#;
    for text in [
        b(keys).replace(r#""false""#, r#""true""#),
        b(keys).replace(r#""false""#, "true"),
        silent(long),
    ] {
        let error = file(&text).refused();
        assert!(error.message.contains("encrypted"), "{error:?}");
        assert!(
            error.hints[0].contains("hcloud configure set --cli-auth-encrypt=false"),
            "{error:?}"
        );
    }
    let Ok(Search::TryAgency(agency)) = file(&b(r#""mode":"ecsAgency","region":"eu-de""#)).search()
    else {
        panic!("the mode stands for the agency");
    };
    assert_eq!(agency.given.get(Role::Region).unwrap().text, "eu-de");
    for (text, expected) in [
        (b(r#""mode":"other""#), "the mode \"other\""),
        ("hunter2".to_owned(), "it is not JSON"),
        ("{}".to_owned(), "`current` names no profile"),
        (
            b("\"x\":1").replace(r#""current":"b""#, r#""current":"c""#),
            "there is no profile \"c\"",
        ),
    ] {
        let Ok(Search::TryAgency(agency)) = file(&text).search() else {
            panic!("{text}");
        };
        assert!(agency.passed_over[0].contains(expected), "{agency:?}");
    }
    let variables = [("HW_SHARED_CONFIG_FILE", "/h.json"), ("HW_PROFILE", "b")];
    let text = hcloud_keys().replace(r#""current":"b""#, r#""current":"a""#);
    let found = Machine::with(&variables, &[("/h.json", own(&text)), (SDK, own(SDK_FILE))]).found();
    assert_eq!(found.source, "/h.json");
}

#[test]
fn a_value_that_cannot_be_a_secret_is_wrong_configuration_and_is_not_told() {
    for (name, other) in [
        ("OS_TOKEN", "X"),
        ("HW_SECRET_KEY", "HW_ACCESS_KEY"),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY"),
    ] {
        let error = Machine::with(&[(name, "hunter2 \n"), (other, "x")], &[]).refused();
        assert!(error.message.contains(name), "{error:?}");
    }
}

#[test]
fn the_metadata_service_may_be_somewhere_else() {
    let at = |address| Machine::with(&[("DCS_HISTORY_METADATA_ENDPOINT", address)], &[]);
    let Ok(Search::TryAgency(agency)) = at("http://10.0.0.1:8080/").search() else {
        panic!("nothing else is there");
    };
    assert_eq!(agency.agency.metadata, "http://10.0.0.1:8080");
    assert!(
        at("10.0.0.1")
            .refused()
            .message
            .contains("DCS_HISTORY_METADATA_ENDPOINT")
    );
}
