//! Every source of credentials, each alone in a clean home, used to its end: the simulated cloud logs the user in, verifies
//! the signatures, tells the id of a project, and is read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::simulate::Simulated;
use crate::support::env::finish;
use crate::support::outcome::Outcome;

/// A cloud whose clock stands still at today, since a signature is of a moment.
struct Account {
    /// Held because it ends with its value.
    _cloud: Simulated,
    known: Value,
}

impl Account {
    fn new() -> Self {
        let cloud = Simulated::start(&["-q", "--speed", "0", "--tasks", "3"]);
        let text = fs::read_to_string(cloud.text("credentials_file")).unwrap();
        let known = serde_json::from_str(&text).unwrap();
        Self {
            _cloud: cloud,
            known,
        }
    }

    fn get(&self, name: &str) -> &str {
        self.known[name].as_str().unwrap()
    }

    /// Fills in a text: `{ak}` is this account's.
    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in self.known.as_object().unwrap() {
            text = text.replace(&format!("{{{name}}}"), value.as_str().unwrap());
        }
        text
    }

    /// Syncs in a home with these variables and files only.
    fn sync(&self, variables: &[(&str, &str)], files: &[(&str, &str)], args: &[&str]) -> Outcome {
        let home = tempfile::tempdir().unwrap();
        for (path, text) in files {
            put(&home.path().join(path), &self.fill(text));
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_dcs-history"));
        command
            .env_clear()
            .env("HOME", home.path())
            .env("DCS_HISTORY_METADATA_ENDPOINT", "http://127.0.0.1:9")
            .args([
                "sync",
                "--endpoint",
                self.get("endpoint"),
                "-o",
                "json",
                "--retries",
                "0",
            ])
            .args(args)
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in variables {
            command.env(name, self.fill(value));
        }
        let outcome = finish(command.spawn().unwrap());
        for secret in ["token", "password", "sk"] {
            let shown = format!("{outcome:?}");
            assert!(
                !shown.contains(self.get(secret)),
                "the {secret} is shown: {outcome:#?}"
            );
        }
        outcome
    }
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Variables, and files in the home folder.
type Source = (
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
);

const SOURCES: [Source; 12] = [
    (
        &[
            ("DCS_HISTORY_TOKEN", "{token}"),
            ("DCS_HISTORY_PROJECT_ID", "{project_id}"),
        ],
        &[],
    ),
    // The region's own project is looked up by its name.
    (
        &[
            ("DCS_HISTORY_TOKEN", "{token}"),
            ("DCS_HISTORY_REGION", "{region}"),
            ("DCS_HISTORY_IAM_ENDPOINT", "{iam_endpoint}/v3/"),
        ],
        &[],
    ),
    (
        &[],
        &[(
            ".config/dcs-history/config.toml",
            "[profile.default]\nak = \"{ak}\"\nsk = \"{sk}\"\nproject_name = \"{project_name}\"\niam_endpoint = \"{iam_endpoint}\"\n",
        )],
    ),
    (
        &[],
        &[(
            ".config/dcs-history/config.toml",
            "[profile.default]\nuser_name = \"{user_name}\"\npassword = \"{password}\"\ndomain_name = \"{domain_name}\"\nproject_id = \"{project_id}\"\niam_endpoint = \"{iam_endpoint}\"\n",
        )],
    ),
    (
        &[("OS_CLOUD", "sim")],
        &[
            (
                ".config/openstack/clouds.yaml",
                "clouds: {sim: {auth: {auth_url: '{iam_endpoint}/v3', username: '{user_name}', user_domain_name: '{domain_name}', project_name: '{project_name}'}}}",
            ),
            (
                ".config/openstack/secure.yaml",
                "clouds: {sim: {auth: {password: '{password}'}}}",
            ),
        ],
    ),
    (
        &[
            ("OS_AUTH_URL", "{iam_endpoint}/v3"),
            ("OS_USERNAME", "{user_name}"),
            ("OS_PASSWORD", "{password}"),
            ("OS_USER_DOMAIN_NAME", "{domain_name}"),
            ("OS_PROJECT_NAME", "{project_name}"),
        ],
        &[],
    ),
    (
        &[
            ("OS_AUTH_URL", "{iam_endpoint}/v3"),
            ("OS_USER_ID", "{user_id}"),
            ("OS_PASSWORD", "{password}"),
            ("OS_PROJECT_ID", "{project_id}"),
        ],
        &[],
    ),
    (
        &[
            ("HUAWEICLOUD_SDK_AK", "{ak}"),
            ("HUAWEICLOUD_SDK_SK", "{sk}"),
            ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "{iam_endpoint}"),
            ("DCS_HISTORY_REGION", "{region}"),
        ],
        &[],
    ),
    (
        &[
            ("HW_ACCESS_KEY", "{ak}"),
            ("HW_SECRET_KEY", "{sk}"),
            ("HW_REGION_NAME", "{region}"),
            ("HW_AUTH_URL", "{iam_endpoint}/v3"),
        ],
        &[],
    ),
    (
        &[],
        &[(
            ".huaweicloud/credentials",
            "[basic]\nak = {ak}\nsk = {sk}\nproject_id = {project_id}\n",
        )],
    ),
    (
        &[],
        &[(
            ".hcloud/config.json",
            r#"{"authEncrypt":"false","current":"c","profiles":[{"name":"c","mode":"AKSK","accessKeyId":"{ak}","secretAccessKey":"{sk}","region":"{region}","projectId":"{project_id}"}]}"#,
        )],
    ),
    (
        &[
            ("DCS_HISTORY_METADATA_ENDPOINT", "{metadata_endpoint}"),
            ("DCS_HISTORY_PROJECT_ID", "{project_id}"),
        ],
        &[],
    ),
];

#[test]
fn each_source_alone_opens_the_cloud() {
    let account = Account::new();
    for (variables, files) in SOURCES {
        let outcome = account.sync(variables, files, &[]);
        assert_eq!(
            outcome.code,
            Some(0),
            "{variables:?} {files:?}: {outcome:#?}"
        );
        let summary: Value = serde_json::from_str(&outcome.out).unwrap();
        assert_eq!(summary[0]["instances"], 3, "{outcome:#?}");
        assert!(summary[0]["new"].as_i64().unwrap() > 3, "{outcome:#?}");
    }
}

#[test]
fn what_the_cloud_refuses_is_4_and_a_project_that_nobody_knows_is_2() {
    let account = Account::new();
    let wrong = [
        ("HW_ACCESS_KEY", "{ak}"),
        ("HW_SECRET_KEY", "wrong"),
        ("HW_PROJECT_ID", "{project_id}"),
    ];
    account.sync(&wrong, &[], &[]).expect_code(4);
    let wrong = [
        ("OS_AUTH_URL", "{iam_endpoint}"),
        ("OS_USER_ID", "{user_id}"),
        ("OS_PASSWORD", "wrong"),
        ("OS_PROJECT_ID", "{project_id}"),
    ];
    account.sync(&wrong, &[], &[]).expect_code(4);
    let nobody = [
        ("HW_ACCESS_KEY", "{ak}"),
        ("HW_SECRET_KEY", "{sk}"),
        ("HW_PROJECT_NAME", "nobody's"),
        ("HW_AUTH_URL", "{iam_endpoint}"),
    ];
    account
        .sync(&nobody, &[], &[])
        .expect_code(2)
        .expect_said(&["IAM knows no project \"nobody's\" (from HW_PROJECT_NAME)"]);
    account.sync(&[], &[], &[]).expect_code(2).expect_said(&[
        "no credential was found",
        "the agency of this machine (http://127.0.0.1:9)",
    ]);
}
