//! Where credentials and settings come from: the real program in a clean home, with one source at a time and with all.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::env::{Program, finish};
use crate::support::fake_api::{FakeApi, list};
use crate::support::outcome::Outcome;
use crate::support::{INSTANCE, PROJECT, TOKEN, tasks};

/// No metadata service answers there.
const NOBODY: &str = "http://127.0.0.1:9";

/// Everything secret that is not a token; like that, it must never be told.
const SECRET: &str = "never-to-be-told-sk";

/// A home in which nothing is set up, and what a test puts there.
struct Home {
    program: Program,
    variables: Vec<(String, String)>,
}

impl Home {
    fn new() -> Self {
        Self {
            program: Program::new(),
            variables: vec![("DCS_HISTORY_METADATA_ENDPOINT".into(), NOBODY.into())],
        }
    }

    fn set(&mut self, variables: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.variables.extend(variables.iter().map(owned));
    }

    fn unset(&mut self, beginning: &str) {
        self.variables
            .retain(|(name, _)| !name.starts_with(beginning));
    }

    fn put(&self, path: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.program.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn settings(&self, text: &str) {
        self.put(".config/dcs-history/config.toml", text, 0o600);
    }

    fn run(&self, args: &[&str]) -> Outcome {
        let mut command = self.program.command(args);
        command.current_dir(self.program.home());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        let outcome = finish(command.spawn().unwrap());
        self.program.check(&outcome);
        let said = [&outcome.out, &outcome.err];
        assert!(
            !said.iter().any(|said| said.contains(SECRET)),
            "{outcome:#?}"
        );
        outcome
    }

    /// Says which source was used and what address that makes. The archive cannot be made, so nothing is asked.
    fn source(&self, extra: &[&str]) -> String {
        let db = self.program.home().join("no/such/folder/h.db");
        let mut args = vec!["-v", "--db", db.to_str().unwrap(), "sync"];
        args.extend(extra);
        let outcome = self.run(&args);
        outcome.expect_code(6);
        let mut lines = outcome.err.lines();
        let line = lines.find(|line| line.contains("the credential is that of"));
        let line = line.unwrap_or_else(|| panic!("{outcome:#?}"));
        let home = self.program.home().to_str().unwrap();
        line.replace(home, "~")
            .replace("note: the credential is that of ", "")
            .replace("the endpoint is ", "")
    }
}

fn clouds(token: &str) -> String {
    format!(
        "clouds:\n  own:\n    auth:\n      token: {token}\n      project_id: {PROJECT}\n    region_name: eu-nl\n"
    )
}

/// A source, set up in a home; what is said of it then.
type Source = (fn(&mut Home), &'static str);

/// All sources after the options, in the order in which they are looked at.
const SOURCES: [Source; 9] = [
    (
        |home| {
            home.set(&[
                ("DCS_HISTORY_TOKEN", TOKEN),
                ("DCS_HISTORY_REGION", "eu-de"),
                ("DCS_HISTORY_PROJECT_ID", PROJECT),
            ]);
        },
        "DCS_HISTORY_TOKEN; https://dcs.eu-de.otc.t-systems.com, from the region eu-de (from DCS_HISTORY_REGION)",
    ),
    (
        |home| {
            home.settings(&format!("[profile.default]\nregion = \"eu-nl\"\nak = \"AKAKAKAKAKAK\"\nsk = \"{SECRET}\"\nproject_id = \"{PROJECT}\"\n"));
        },
        "profile `default` in ~/.config/dcs-history/config.toml; https://dcs.eu-nl.otc.t-systems.com, from the region eu-nl (from profile `default` in ~/.config/dcs-history/config.toml)",
    ),
    (
        |home| {
            home.put(".config/openstack/clouds.yaml", &clouds(TOKEN), 0o600);
            home.set(&[("OS_CLOUD", "own")]);
        },
        "~/.config/openstack/clouds.yaml; https://dcs.eu-nl.otc.t-systems.com, from the region eu-nl (from `region_name` in ~/.config/openstack/clouds.yaml)",
    ),
    (
        |home| {
            home.set(&[
                ("OS_AUTH_URL", "https://iam.eu-de.otc.t-systems.com/v3"),
                ("OS_USERNAME", "dora"),
                ("OS_PASSWORD", SECRET),
                ("OS_USER_DOMAIN_NAME", "OTC-1"),
                ("OS_PROJECT_NAME", "eu-de_x"),
            ]);
        },
        "OS_*; https://dcs.eu-de.otc.t-systems.com, from the region eu-de (from OS_AUTH_URL)",
    ),
    (
        |home| {
            home.set(&[
                ("HUAWEICLOUD_SDK_AK", "AKAKAKAKAKAK"),
                ("HUAWEICLOUD_SDK_SK", SECRET),
                ("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT),
                (
                    "HUAWEICLOUD_SDK_REGION_DCS_CN_NORTH_4",
                    "https://dcs.example.com",
                ),
            ]);
        },
        "HUAWEICLOUD_SDK_*; https://dcs.example.com, from HUAWEICLOUD_SDK_REGION_DCS_CN_NORTH_4",
    ),
    (
        |home| {
            home.set(&[
                ("HW_ACCESS_KEY", "AKAKAKAKAKAK"),
                ("HW_SECRET_KEY", SECRET),
                ("HW_SECURITY_TOKEN", SECRET),
                ("HW_REGION_NAME", "cn-north-4"),
                ("HW_PROJECT_ID", PROJECT),
            ]);
        },
        "HW_*; https://dcs.cn-north-4.myhuaweicloud.com, from the region cn-north-4 (from HW_REGION_NAME)",
    ),
    (
        |home| {
            home.put(
                ".huaweicloud/credentials",
                &format!("[basic]\nak = AKAKAKAKAKAK\nsk = {SECRET}\nproject_id = {PROJECT}\n"),
                0o600,
            );
            home.put(
                ".huaweicloud/regions.yaml",
                "DCS:\n- id: cn-north-4\n  endpoint: https://dcs-of-regions.example.com\n",
                0o644,
            );
        },
        "~/.huaweicloud/credentials; https://dcs-of-regions.example.com, from ~/.huaweicloud/regions.yaml",
    ),
    (
        |home| {
            let profile = format!(
                r#"{{"name":"n","mode":"AKSK","accessKeyId":"AKAKAKAKAKAK","secretAccessKey":"{SECRET}","region":"eu-west-101","projectId":"{PROJECT}"}}"#
            );
            home.put(
                ".hcloud/config.json",
                &format!(r#"{{"authEncrypt":"false","current":"n","profiles":[{profile}]}}"#),
                0o600,
            );
        },
        "~/.hcloud/config.json; https://dcs.eu-west-101.myhuaweicloud.com, from the region eu-west-101 (from `region` in ~/.hcloud/config.json)",
    ),
    (
        |home| {
            let profile = format!(
                r#"{{"name":"t","accessKeyId":"AKAKAKAKAKAK","secretAccessKey":"{SECRET}","region":"af-south-1","projectId":"{PROJECT}"}}"#
            );
            let path = home.put(
                "shared.json",
                &format!(r#"{{"authEncrypt":false,"current":"n","profiles":[{profile}]}}"#),
                0o600,
            );
            home.set(&[
                ("HW_SHARED_CONFIG_FILE", path.to_str().unwrap()),
                ("HW_PROFILE", "t"),
            ]);
        },
        "~/shared.json; https://dcs.af-south-1.myhuaweicloud.com, from the region af-south-1 (from `region` in ~/shared.json)",
    ),
];

/// The sources that know no region are told one.
fn region(place: usize) -> &'static [&'static str] {
    match place {
        4 | 6 => &["--region", "cn-north-4"],
        _ => &[],
    }
}

#[test]
fn each_source_alone_in_a_clean_home_is_found_with_its_region_and_its_project() {
    for (place, (set_up, expected)) in SOURCES.iter().enumerate() {
        let mut home = Home::new();
        set_up(&mut home);
        assert_eq!(home.source(region(place)), *expected);
    }
}

#[test]
fn of_all_sources_at_once_the_first_of_the_order_is_used() {
    let mut home = Home::new();
    // The file that a variable of Terraform names stands for `~/.hcloud/config.json` and before it.
    for (set_up, _) in &SOURCES[..8] {
        set_up(&mut home);
    }
    let token = home.program.home().join("token");
    let file = [
        "--token-file",
        token.to_str().unwrap(),
        "--token-command",
        "echo x",
    ];
    assert!(home.source(&file).starts_with("--token-file;"));
    assert!(home.source(&file[2..]).starts_with("--token-command;"));
    let remove = |home: &Home, path: &str| fs::remove_file(home.program.home().join(path)).unwrap();
    let take: [fn(&mut Home); 6] = [
        |home| home.unset("DCS_HISTORY_TOKEN"),
        |home| home.settings("[profile.default]\n"),
        |home| home.unset("OS_CLOUD"),
        |home| home.unset("OS_"),
        |home| home.unset("HUAWEICLOUD_SDK_AK"),
        |home| home.unset("HW_"),
    ];
    home.unset("DCS_HISTORY_REGION");
    home.set(&[("DCS_HISTORY_REGION", "cn-north-4")]);
    for (place, (_, expected)) in SOURCES[..8].iter().enumerate() {
        let source = expected.split(';').next().unwrap();
        let told = home.source(&[]);
        assert_eq!(told.split(';').next().unwrap(), source);
        match place {
            6 => remove(&home, ".huaweicloud/credentials"),
            7 => remove(&home, ".hcloud/config.json"),
            _ => take[place](&mut home),
        }
    }
    let outcome = home.run(&["sync"]);
    let half = "HUAWEICLOUD_SDK_*: HUAWEICLOUD_SDK_SK is set, HUAWEICLOUD_SDK_AK is not";
    outcome
        .expect_code(2)
        .expect_said(&["no credential was found", half]);
}

#[test]
fn a_token_of_each_kind_of_source_is_sent_as_it_is() {
    let api = FakeApi::start(list(tasks(3)));
    let sources: [fn(&mut Home); 6] = [
        |home| {
            home.set(&[
                ("DCS_HISTORY_TOKEN", TOKEN),
                ("DCS_HISTORY_PROJECT_ID", PROJECT),
            ]);
        },
        |home| {
            home.settings(&format!(
                "[profile.default]\ntoken_file = \"~/token\"\nproject_id = \"{PROJECT}\"\n"
            ));
        },
        |home| {
            home.settings(&format!("[profile.default]\ntoken_command = \"cat $HOME/token\"\nproject_id = \"{PROJECT}\"\n"));
        },
        |home| {
            home.put("c.yaml", "clouds: {own: {}}", 0o644);
            let secure = home.put("secret/s.yaml", &clouds(TOKEN), 0o600);
            home.set(&[
                ("OS_CLOUD", "own"),
                ("OS_CLIENT_CONFIG_FILE", "c.yaml"),
                ("OS_CLIENT_SECURE_FILE", secure.to_str().unwrap()),
            ]);
        },
        |home| {
            home.set(&[
                ("OS_TOKEN", TOKEN),
                ("OS_TENANT_ID", PROJECT),
                ("OS_PASSWORD", ""),
            ]);
        },
        |home| home.set(&[("HW_AUTH_TOKEN", TOKEN), ("HW_PROJECT_ID", PROJECT)]),
    ];
    for (place, set_up) in sources.iter().enumerate() {
        api.behave(list(tasks(3)));
        let mut home = Home::new();
        set_up(&mut home);
        let outcome = home.run(&["sync", "--endpoint", api.url()]);
        assert_eq!(outcome.code, Some(0), "{place}: {outcome:#?}");
        assert_eq!(home.program.task_ids().len(), 3);
        for request in api.requests() {
            assert_eq!(request.header("x-auth-token"), Some(TOKEN), "{place}");
            assert!(
                request
                    .path
                    .starts_with(&format!("/v2/{PROJECT}/instances/{INSTANCE}"))
            );
        }
    }
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_profile_and_that_over_the_default() {
    let api = FakeApi::start(list(tasks(3)));
    let url = api.url();
    let mut home = Home::new();
    home.settings(&format!("[profile.default]\nendpoint = \"{url}\"\nproject_id = \"{PROJECT}\"\ntoken_file = \"~/token\"\npage_size = 20\n"));
    // The first full page of the walk comes after the two requests that find out how the list behaves.
    let asked = |home: &Home, extra: &[&str]| {
        api.behave(list(tasks(3)));
        let fresh = home.program.home().join("fresh.db");
        let _gone = fs::remove_file(&fresh);
        let mut args = vec!["--db", fresh.to_str().unwrap(), "sync"];
        args.extend(extra);
        home.run(&args).expect_code(0);
        let limits = api.requests().into_iter().map(|request| request.limit);
        limits.max().unwrap()
    };
    assert_eq!(asked(&home, &[]), 20);
    home.set(&[("DCS_HISTORY_PAGE_SIZE", "30")]);
    assert_eq!(asked(&home, &[]), 30);
    assert_eq!(asked(&home, &["--page-size", "40"]), 40);
    // An empty variable counts as not set.
    home.unset("DCS_HISTORY_PAGE_SIZE");
    home.set(&[("DCS_HISTORY_PAGE_SIZE", ""), ("DCS_HISTORY_PROFILE", "")]);
    assert_eq!(asked(&home, &[]), 20);
}

/// Two clouds, and a profile for each.
fn two(home: &Home, one: &FakeApi, other: &FakeApi) {
    let profile = |name: &str, api: &FakeApi, project: &str| {
        format!(
            "[profile.{name}]\nendpoint = \"{}\"\nproject_id = \"{project}\"\ntoken_file = \"~/token\"\n",
            api.url()
        )
    };
    let other_project = PROJECT.replace('0', "f");
    let (b, a) = (
        profile("b", one, PROJECT),
        profile("a", other, &other_project),
    );
    // Both answer on loopback, and an instance belongs to a project.
    home.settings(&format!("{b}{a}"));
}

#[test]
fn several_profiles_are_read_in_one_run_into_one_archive() {
    let (one, other) = (
        FakeApi::start(list(tasks(2))),
        FakeApi::start(list(tasks(3))),
    );
    let home = Home::new();
    two(&home, &one, &other);
    let outcome = home.run(&["sync", "--profile", "b", "--profile", "a", "-o", "json"]);
    outcome
        .expect_code(0)
        .expect_said(&["b: sync 1: complete", "a: sync 2: complete"]);
    let summaries: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let told: Vec<_> = summaries
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["profile"], &one["new"]))
        .collect();
    assert_eq!(told, [(&"b".into(), &2.into()), (&"a".into(), &3.into())]);
    let sql = "SELECT count(DISTINCT project_id) || ' ' || count(*) FROM tasks";
    assert_eq!(home.program.rows(sql), ["2 5"]);
    assert_eq!(home.program.rows("SELECT exit_code FROM syncs"), ["0", "0"]);
    let outcome = home.run(&["sync", "--all-profiles", "-o", "csv"]);
    outcome
        .expect_code(0)
        .expect_said(&["a: sync 3", "b: sync 4"]);
    assert_eq!(outcome.out.lines().count(), 3, "{outcome:#?}");
}

#[test]
fn a_profile_that_fails_does_not_keep_the_others_from_being_read() {
    use crate::support::fake_api::Action;
    let refuse = |_: &_| {
        Action::error(
            401,
            "APIGW.0301",
            "Incorrect IAM authentication information",
        )
    };
    let broken = |_: &_| Action::error(500, "DCS.5000", "Internal error");
    let (one, other) = (FakeApi::start(broken), FakeApi::start(list(tasks(3))));
    let home = Home::new();
    two(&home, &one, &other);
    let profiles = ["sync", "--profile", "b", "--profile", "a", "--retries", "0"];
    let outcome = home.run(&profiles);
    outcome.expect_code(3).expect_said(&[
        "error: b: no instance could be read to its end",
        "a: sync 2: complete",
    ]);
    assert_eq!(home.program.rows("SELECT exit_code FROM syncs"), ["5", "0"]);
    one.behave(refuse);
    other.behave(list(tasks(3)));
    let outcome = home.run(&profiles);
    outcome
        .expect_code(4)
        .expect_said(&["error: b: the cloud refuses", "a: sync 4: complete"]);
    other.behave(broken);
    one.behave(broken);
    home.run(&profiles).expect_code(5);
}

#[test]
fn each_profile_may_have_an_archive_of_its_own() {
    let (one, other) = (
        FakeApi::start(list(tasks(2))),
        FakeApi::start(list(tasks(3))),
    );
    let mut home = Home::new();
    two(&home, &one, &other);
    // The variable would be another choice of the same weight as the flag only if it were a flag.
    home.set(&[("DCS_HISTORY_DB", "unused.db")]);
    fs::create_dir(home.program.home().join("all")).unwrap();
    let outcome = home.run(&["sync", "--all-profiles", "--db-dir", "all"]);
    outcome
        .expect_code(0)
        .expect_said(&["a: sync 1: complete", "b: sync 1: complete"]);
    for (name, count) in [("a", "3"), ("b", "2")] {
        let db = format!("all/{name}.db");
        let outcome = home.run(&[
            "--db",
            &db,
            "sql",
            "SELECT count(*) AS n FROM tasks",
            "--no-header",
        ]);
        assert_eq!(outcome.out.trim(), count);
    }
    assert!(!home.program.home().join("unused.db").exists());
}

#[test]
fn a_query_takes_the_archive_of_its_profile() {
    let api = FakeApi::start(list(tasks(2)));
    let mut home = Home::new();
    two(&home, &api, &api);
    let text =
        fs::read_to_string(home.program.home().join(".config/dcs-history/config.toml")).unwrap();
    home.settings(&text.replace("[profile.b]", "[profile.b]\ndb = \"~/own.db\""));
    home.set(&[("DCS_HISTORY_DB", "")]);
    home.run(&["sync", "--profile", "b"]).expect_code(0);
    assert!(home.program.home().join("own.db").exists());
    home.set(&[("DCS_HISTORY_PROFILE", "b")]);
    let outcome = home.run(&["list", "--no-header"]);
    assert_eq!(outcome.out.lines().count(), 2, "{outcome:#?}");
}

#[test]
fn a_file_of_settings_with_a_secret_that_others_can_read_is_refused_before_anything_is_asked() {
    let api = FakeApi::start(list(tasks(2)));
    let home = Home::new();
    let text = format!(
        "[profile.default]\nendpoint = \"{}\"\nproject_id = \"{PROJECT}\"\ntoken_file = \"~/token\"\n",
        api.url()
    );
    let path = ".config/dcs-history/config.toml";
    home.put(path, &text, 0o644);
    home.run(&["sync"]).expect_code(0);
    api.behave(list(tasks(2)));
    home.put(path, &format!("{text}sk = \"{SECRET}\"\n"), 0o644);
    home.run(&["sync"])
        .expect_code(2)
        .expect_said(&["refused: others can read it", "chmod 600"]);
    assert_eq!(api.asked(), 0);
}

#[test]
fn plain_http_from_a_source_is_refused_like_any_other() {
    let mut home = Home::new();
    home.set(&[
        ("OS_AUTH_URL", "http://iam.example.com/v3"),
        ("OS_USERNAME", "dora"),
        ("OS_PASSWORD", SECRET),
        ("OS_USER_DOMAIN_NAME", "d"),
        ("OS_PROJECT_ID", PROJECT),
    ]);
    let outcome = home.run(&["sync", "--endpoint", "https://dcs.example.com"]);
    outcome.expect_code(2).expect_said(&[
        "the address of IAM from OS_AUTH_URL cannot be used",
        "--insecure-http",
    ]);
    let outcome = home.run(&["sync", "--region", "eu-de"]);
    outcome
        .expect_code(2)
        .expect_said(&["belongs to no cloud whose hosts are known", "--endpoint"]);
}

#[test]
fn without_anything_every_place_that_was_looked_at_is_named_in_order() {
    let outcome = Home::new().run(&["sync"]);
    outcome.expect_code(2);
    let places = [
        "--token-file",
        "--token-command",
        "DCS_HISTORY_TOKEN,",
        "OS_CLOUD",
        "OS_*",
        "HUAWEICLOUD_SDK_*",
        "HW_*",
        ".huaweicloud/credentials",
        ".hcloud/config.json",
        "the agency of this machine",
    ];
    let told: Vec<_> = places.iter().map(|place| outcome.err.find(place)).collect();
    assert!(
        told.iter().all(Option::is_some) && told.is_sorted(),
        "{outcome:#?}"
    );
}
