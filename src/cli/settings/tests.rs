//! What a line and a file of settings come to: whose value holds, which profiles are used, and what is refused.

use super::*;
use crate::cli::credentials::hidden::Hidden;
use crate::cli::environment::without_variables;
use crate::cli::error::Exit;
use crate::cli::{NAME, command};

const FILE: &str = "/home/a/.config/dcs-history/config.toml";

fn held(text: &str, objection: Option<&'static str>) -> Held {
    Held::Text {
        text: Hidden::new(text),
        objection,
    }
}

fn of(line: &str, files: &[(&str, Held)]) -> Result<Vec<Call>, CliError> {
    let around = Surroundings::of(&[("HOME", "/home/a")], files);
    let words = std::iter::once(NAME).chain(line.split_whitespace());
    let args: Vec<_> = words.map(OsString::from).collect();
    let command = without_variables(command());
    calls(&command, &args, &around).map_err(|error| match error {
        Misunderstood::Settings(error) => error,
        Misunderstood::Line(error) => panic!("{error}"),
    })
}

fn with(line: &str, config: &str) -> Result<Vec<Call>, CliError> {
    of(line, &[(FILE, held(config, None))])
}

/// The one call of a line.
#[track_caller]
fn one(line: &str, config: &str) -> Call {
    let mut calls = with(line, config).unwrap();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

/// A setting of a call, with its origin: `1000 default`.
#[track_caller]
fn setting(call: &Call, key: &str) -> String {
    let setting = call.effective.settings.iter();
    let setting = setting.clone().find(|setting| setting.key == key).unwrap();
    format!("{} {}", setting.values.join(","), setting.origin)
}

#[test]
fn a_flag_wins_over_the_profile_and_the_profile_over_the_default() {
    let config = "[profile.x]\npage_size = 500\nwait = \"5m\"\nexclude = [\"a\", \"b,c\"]\naccept_endpoint = true\ninsecure_http = false\nregion = \"eu-de\"\ncolor = \"never\"\n";
    let call = one("sync --profile x --page-size 10", config);
    let cases = [
        ("page_size", "10 --page-size"),
        (
            "wait",
            "5m profile `x` in /home/a/.config/dcs-history/config.toml",
        ),
        (
            "exclude",
            "a,b,c profile `x` in /home/a/.config/dcs-history/config.toml",
        ),
        (
            "accept_endpoint",
            "true profile `x` in /home/a/.config/dcs-history/config.toml",
        ),
        (
            "insecure_http",
            "false profile `x` in /home/a/.config/dcs-history/config.toml",
        ),
        (
            "region",
            "eu-de profile `x` in /home/a/.config/dcs-history/config.toml",
        ),
        (
            "color",
            "never profile `x` in /home/a/.config/dcs-history/config.toml",
        ),
        ("mode", "auto default"),
        ("endpoint", " default"),
        ("profile", "x --profile"),
    ];
    for (key, expected) in cases {
        assert_eq!(setting(&call, key), expected);
    }
    assert_eq!(call.effective.file.as_deref(), Some(Path::new(FILE)));
    assert_eq!(call.effective.told_name(), None);
    // What was typed and cannot stand beside a profile's value takes its place.
    let call = one("sync --profile x --instance i", config);
    assert_eq!(setting(&call, "exclude"), " default");
    let call = one("sync", config);
    assert_eq!(setting(&call, "page_size"), "1000 default");
}

#[test]
fn the_profile_called_default_is_used_when_none_is_named_and_other_commands_take_what_all_have() {
    let config = "[profile.default]\ndb = \"own.db\"\nmetrics_file = \"~/m.prom\"\nca_file = \"/ca.pem\"\npage_size = 9\n[profile.other]\npage_size = 8\n";
    let call = one("sync", config);
    let at = "profile `default` in /home/a/.config/dcs-history/config.toml";
    for (key, expected) in [
        ("db", "/home/a/.config/dcs-history/own.db"),
        ("metrics_file", "/home/a/m.prom"),
        ("ca_file", "/ca.pem"),
        ("page_size", "9"),
    ] {
        assert_eq!(setting(&call, key), format!("{expected} {at}"));
    }
    assert_eq!(
        setting(&one("sync --profile other", config), "db"),
        " default"
    );
    let call = one("list", config);
    assert_eq!(
        call.cli.global.db,
        Some("/home/a/.config/dcs-history/own.db".into())
    );
    assert_eq!(
        setting(&one("backfill --since 7d", config), "page_size"),
        format!("9 {at}")
    );
    let call = one("simulate --port 1", "nonsense");
    assert!(call.effective.profile.is_none());
}

#[test]
fn several_profiles_make_several_calls_each_with_its_own_settings() {
    let config = "[profile.b]\npage_size = 7\n[profile.a]\n[profile.default]\n";
    let told = |line: &str| {
        let calls = with(line, config).unwrap();
        let names = calls.iter().map(|call| {
            let db = call.cli.global.db.as_deref().map(Path::display);
            let db = db.map_or(String::new(), |db| db.to_string());
            let name = &call.effective.profile.as_ref().unwrap().source.name;
            let size = setting(call, "page_size");
            format!("{name} {db} {}", size.split(' ').next().unwrap())
        });
        names.collect::<Vec<_>>()
    };
    let cases: [(&str, &[&str]); 6] = [
        ("sync --profile b --profile a", &["b  7", "a  1000"]),
        ("sync --profile a,b --profile a", &["a  1000", "b  7"]),
        ("sync --all-profiles", &["a  1000", "b  7", "default  1000"]),
        (
            "sync --all-profiles --db-dir /d",
            &[
                "a /d/a.db 1000",
                "b /d/b.db 7",
                "default /d/default.db 1000",
            ],
        ),
        ("sync --profile b --db-dir /d", &["b /d/b.db 7"]),
        ("sync --db-dir /d", &["default /d/default.db 1000"]),
    ];
    for (line, expected) in cases {
        assert_eq!(told(line), expected, "{line}");
    }
    let calls = with("sync --all-profiles --db-dir /d", config).unwrap();
    assert_eq!(setting(&calls[0], "db"), "/d/a.db --db-dir");
    assert_eq!(calls[0].effective.told_name(), Some("a"));
    assert!(with("sync --all-profiles --metrics-file /m", config).is_ok());
}

#[test]
fn what_is_wrong_with_the_choice_of_a_profile_is_said() {
    let config = "[profile.prod]\n[profile.test]\n";
    let cases = [
        ("sync --profile prd", config, "no profile \"prd\" is known"),
        ("list --profile prd", config, "no profile \"prd\" is known"),
        ("sync --profile prod", "", "no profile \"prod\" is known"),
        ("sync --all-profiles", "", "there is no profile"),
        (
            "sync --all-profiles --profile prod",
            config,
            "choose two different things",
        ),
        (
            "backfill --since 7d --profile prod,test",
            config,
            "`backfill` takes one profile",
        ),
        (
            "list --profile prod --profile test",
            config,
            "`list` takes one profile",
        ),
        ("sync --db-dir /d", config, "no profile is used"),
        (
            "sync --all-profiles --db-dir /d --metrics-file /m",
            config,
            "is that of two archives",
        ),
        (
            "sync --profile prod --db-dir /d --db x",
            config,
            "choose two different places",
        ),
    ];
    for (line, config, expected) in cases {
        let error = with(line, config).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains(expected), "{line}: {error:?}");
    }
    let error = with("sync --profile prd", config).unwrap_err();
    assert!(error.hints[0].contains("prod"), "{error:?}");
    let error = of("sync --profile prod", &[]).unwrap_err();
    assert!(error.hints[0].contains("none is there"), "{error:?}");
    let error = of("sync --config /no.toml", &[]).unwrap_err();
    assert!(error.message.contains("/no.toml") && error.causes == ["it is not there"]);
    assert!(of("sync", &[]).is_ok());
    let unreadable = Held::Unreadable("Permission denied".to_owned());
    assert!(
        of("sync", &[(FILE, unreadable)])
            .unwrap_err()
            .message
            .contains(FILE)
    );
    assert_eq!(
        of(
            "sync --config /c.toml",
            &[("/c.toml", held("[profile.default]", None))]
        )
        .unwrap()
        .len(),
        1
    );
}

#[test]
fn a_fault_in_a_file_is_told_with_its_profile_and_key_and_without_what_it_holds() {
    let cases = [
        (
            "[profile.x]\npage_size = 0",
            "profile `x`, key `page_size`: invalid value '0'",
        ),
        (
            "[profile.x]\nmode = \"hunter\"",
            "profile `x`, key `mode`: invalid value",
        ),
        (
            "[profile.x]\npage_size = [1, 2]",
            "profile `x`, key `page_size`",
        ),
        ("[profile.x]\nwait = 1.5", "key `wait`: not a text"),
        ("[profile.x]\nwait = {a = 1}", "key `wait`: not a text"),
        ("[profile.x]\nwait = [[\"5m\"]]", "key `wait`: not a text"),
        ("[profile.x]\nregion = \"\"", "key `region`: it is empty"),
        (
            "[profile.x]\ncloud = [\"a\", \"b\"]",
            "key `cloud`: one value",
        ),
        (
            "[profile.x]\ntotal = \"never\"",
            "key `total`: it is \"auto\" or \"ignore\"",
        ),
        (
            "[profile.x]\npage-size = 10",
            "has the key `page-size`, which is not known",
        ),
        (
            "[profile.x]\ntoken = \"hunter2\"",
            "has the key `token`, which is not known",
        ),
        (
            "[profile.x]\nprofile = \"y\"",
            "has the key `profile`, which is not known",
        ),
        (
            "[profile.x]\nverbose = 1",
            "has the key `verbose`, which is not known",
        ),
        (
            "[profile.x]\ninstance = \"a\"\nexclude = \"b\"",
            "cannot stand beside",
        ),
        ("[profile.\"a/b\"]", "cannot be called \"a/b\""),
        ("[profile.\"..\"]", "cannot be called"),
        ("[profil.x]", "\"profil\" is no profile"),
        ("profile = 7", "\"profile\" is no profile"),
        ("[profile]\nx = 7", "\"profile.x\" is no profile"),
        ("region = \"eu-de\"", "\"region\" is no profile"),
        ("[profile.x]\npassword = hunter2", "is not TOML, at line 2"),
        (
            "[profile.x]\npassword = \"hunter2",
            "is not TOML, at line 2",
        ),
        (
            "[profile.x]\npassword = \"hunter2\"\npassword = \"hunter2\"",
            "is not TOML, at line 3",
        ),
    ];
    for (config, expected) in cases {
        let error = with("sync --profile x", config).unwrap_err();
        assert_eq!(error.exit, Exit::Usage, "{config}");
        assert!(error.message.contains(expected), "{config}: {error:?}");
        assert!(error.message.contains(FILE), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let error = with("sync --profile x", "[profile.x]\npage-size = 10").unwrap_err();
    assert_eq!(error.hints, ["did you mean page_size?"]);
}

#[test]
fn only_a_file_with_a_secret_must_be_private() {
    let open = Some("others can read it");
    for (config, is_refused) in [
        ("[profile.x]\nsk = \"s\"", true),
        ("[profile.x]\n[profile.y]\npassword = \"p\"", true),
        ("[profile.x]\nsecurity_token = \"t\"", true),
        ("[profile.x]\ntoken_command = \"pass dcs\"", true),
        (
            "[profile.x]\nak = \"a\"\ntoken_file = \"t\"\nregion = \"eu-de\"",
            false,
        ),
    ] {
        for line in ["sync --profile x", "list"] {
            let came = of(line, &[(FILE, held(config, open))]);
            assert_eq!(came.is_err(), is_refused, "{config}");
            let said = came.err().map(|error| error.message).unwrap_or_default();
            assert_eq!(said.contains("refused: others can read it"), is_refused);
        }
    }
}

#[test]
fn a_profile_has_what_no_option_stands_for() {
    let config = "[profile.x]\nfinal_statuses = [\"DONE\", \"ENDED\"]\ntotal = \"ignore\"\ntoken_file = \"t\"\ncloud = \"otc\"\nproject_name = \"p\"\nuser_name = \"dora\"\n[profile.y]\nfinal_statuses = \"DONE\"\ntotal = \"auto\"\ntoken_file = \"~/t\"";
    let profile = |name: &str| {
        one(&format!("sync --profile {name}"), config)
            .effective
            .profile
            .unwrap()
    };
    let x = profile("x");
    assert_eq!(
        (x.final_statuses, x.ignore_total),
        (vec!["DONE".to_owned(), "ENDED".to_owned()], true)
    );
    assert_eq!(
        x.source.token_file,
        Some("/home/a/.config/dcs-history/t".into())
    );
    assert_eq!(x.source.cloud.as_deref(), Some("otc"));
    assert_eq!(x.source.label(), format!("profile `x` in {FILE}"));
    let y = profile("y");
    assert_eq!(
        (y.final_statuses, y.ignore_total),
        (vec!["DONE".to_owned()], false)
    );
    assert_eq!(y.source.token_file, Some("/home/a/t".into()));
}

#[test]
fn a_token_command_is_not_shown_among_the_settings() {
    let call = one("sync --token-command hunter2", "");
    assert_eq!(setting(&call, "token_command"), "*** --token-command");
    assert!(!format!("{:?}", call.effective).contains("hunter2"));
}

/// The example that comes with the program names every key that there is, and each is one that the program reads.
#[test]
fn the_example_of_a_file_has_every_key() {
    let example = include_str!("../../../contrib/config.toml");
    let lines = example
        .lines()
        .map(|line| line.strip_prefix('#').unwrap_or(line));
    let shown: String = lines
        .filter(|line| {
            line.starts_with('[')
                || line
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' '))
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let all = options::known(&command());
    let config = config::parse(Path::new("example"), &shown, &all, None).unwrap();
    let keys: Vec<_> = shown
        .lines()
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    let own = [
        "token_file",
        "token_command",
        "cloud",
        "final_statuses",
        "total",
    ];
    let parts = super::super::credentials::profile::NAMES
        .iter()
        .map(|(_, names)| names[0]);
    for key in all.iter().map(String::as_str).chain(own).chain(parts) {
        assert!(keys.contains(&key), "{key} is not in contrib/config.toml");
    }
    let typed = command().try_get_matches_from([NAME, "sync"]).unwrap();
    for (name, mut profile) in config.profiles {
        // The two ways to choose instances are shown side by side and exclude each other.
        profile.options.remove("instance");
        let set = options::with_profile(&without_variables(command()), "sync", &profile, &typed);
        assert!(set.is_ok(), "{name}: {:?}", set.err());
    }
    // As it stands, it sets nothing that needs to be true of anybody's cloud.
    assert!(config::parse(Path::new("example"), example, &all, None).is_ok());
}
