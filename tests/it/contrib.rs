//! The files under `contrib/`: checked by systemd where it is there, and their very commands run as systemd and cron would.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::simulate::Simulated;
use crate::support::env::finish;
use crate::support::outcome::Outcome;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dcs-history");

fn contrib(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("contrib")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The values of a setting in a unit, in their order.
fn values<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    let lines = unit.lines();
    let found = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.collect()
}

/// A length of time as systemd and our options write it, in seconds.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.find(|letter: char| letter.is_alphabetic()).unwrap());
    let unit = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        other => panic!("{other}"),
    };
    number.parse::<u64>().unwrap() * unit
}

/// A simulated cloud, and a home with the settings and the token for it.
struct Site {
    cloud: Simulated,
    home: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let cloud = Simulated::start(&["-q", "--speed", "0"]);
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".config")).unwrap();
        Self { cloud, home }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The example of the settings with this cloud's values filled in.
    fn settings(&self) -> String {
        let instances = self.cloud.list("instances").join(",");
        let example = contrib("dcs-history.env");
        let lines = example.lines().map(|line| {
            let value = match line.split_once('=').map(|(name, _)| name) {
                Some("DCS_HISTORY_ENDPOINT") => self.cloud.text("endpoint"),
                Some("DCS_HISTORY_PROJECT_ID") => self.cloud.text("project_id"),
                Some("DCS_HISTORY_INSTANCE") => instances.as_str(),
                _ => return line.to_owned(),
            };
            format!("{}={value}", line.split('=').next().unwrap())
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    fn put_token(&self, path: &Path) {
        fs::copy(self.cloud.text("token_file"), path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs a line of shell as cron does: a minimal environment, no terminal, nothing to read.
    fn by_cron(&self, line: &str) -> Outcome {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", line])
            .env_clear()
            .current_dir(self.home.path());
        command
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin");
        command.env("SHELL", "/bin/sh").env("LOGNAME", "somebody");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(command.spawn().unwrap())
    }
}

#[test]
fn the_units_are_what_systemd_understands() {
    let folder = tempfile::tempdir().unwrap();
    let service = contrib("dcs-history.service");
    // The program lies elsewhere here.
    let installed = service.replace("/usr/local/bin/dcs-history", PROGRAM);
    assert_ne!(installed, service);
    fs::write(folder.path().join("dcs-history.service"), installed).unwrap();
    fs::write(
        folder.path().join("dcs-history.timer"),
        contrib("dcs-history.timer"),
    )
    .unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "--recursive-errors=no"]);
    command.args(["dcs-history.service", "dcs-history.timer"].map(|name| folder.path().join(name)));
    let Ok(done) = command.env("SYSTEMD_LOG_LEVEL", "warning").output() else {
        eprintln!("systemd-analyze is not here: the units are not verified");
        return;
    };
    let said = String::from_utf8_lossy(&done.stderr);
    let ours: Vec<_> = said
        .lines()
        .filter(|line| line.contains("dcs-history"))
        .collect();
    assert!(done.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn the_units_fit_the_program() {
    let (service, timer) = (contrib("dcs-history.service"), contrib("dcs-history.timer"));
    let help = Command::new(PROGRAM)
        .args(["sync", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let run_timeout = help.split("--run-timeout").nth(1).unwrap();
    let default = run_timeout.split("[default: ").nth(1).unwrap();
    let default = default.split(']').next().unwrap();
    let limit = values(&service, "TimeoutStartSec")[0];
    assert!(seconds(limit) > seconds(default), "{limit} for {default}");
    assert_eq!(values(&service, "SuccessExitStatus"), ["75 143"]);
    assert_eq!(values(&service, "SocketBindDeny"), ["any"]);
    assert_eq!(values(&service, "StateDirectoryMode"), ["0700"]);
    assert_eq!(values(&timer, "Persistent"), ["yes"]);
    assert_eq!(values(&timer, "RandomizedDelaySec").len(), 1);
    // No secret stands in a unit or in an environment.
    assert!(!service.contains("DCS_HISTORY_TOKEN="), "{service}");
    assert!(!contrib("dcs-history.env").contains("DCS_HISTORY_TOKEN="));
}

#[test]
fn the_command_of_the_unit_syncs_in_the_environment_that_the_unit_gives_it() {
    let site = Site::new();
    let (service, program) = (contrib("dcs-history.service"), "/usr/local/bin/dcs-history");
    for folder in ["state", "run", "credentials"] {
        fs::create_dir_all(site.at(folder).join("dcs-history")).unwrap();
    }
    let [name, _] = values(&service, "LoadCredential")[0]
        .split(':')
        .collect::<Vec<_>>()[..]
    else {
        panic!("a credential has a name and a place");
    };
    site.put_token(&site.at("credentials").join(name));
    let expand = |text: &str| {
        let mut text = text.to_owned();
        for (specifier, folder) in [("%S", "state"), ("%t", "run"), ("%d", "credentials")] {
            text = text.replace(specifier, site.at(folder).to_str().unwrap());
        }
        assert!(!text.contains('%'), "{text}");
        text
    };
    let [exec] = values(&service, "ExecStart")[..] else {
        panic!("one command");
    };
    let exec = expand(exec.strip_prefix(program).unwrap());
    let run = || {
        let mut command = Command::new(PROGRAM);
        command.args(exec.split_whitespace()).env_clear();
        let settings = site.settings();
        let own: Vec<_> = values(&service, "Environment")
            .into_iter()
            .map(expand)
            .collect();
        let file = settings.lines().filter(|line| !line.starts_with('#'));
        for (name, value) in file
            .chain(own.iter().map(String::as_str))
            .filter_map(|line| line.split_once('='))
        {
            command.env(name, value);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(command.spawn().unwrap())
    };
    for _ in 0..2 {
        let outcome = run();
        outcome.expect_code(0);
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
    }
    let metrics = fs::read_to_string(site.at("run/dcs-history/dcs-history.prom")).unwrap();
    assert!(metrics.contains("dcs_history_instances{"), "{metrics}");
    assert!(site.at("state/dcs-history/history.db").exists());
    every_alert_rests_on_a_metric_that_is_written(&metrics);
}

fn every_alert_rests_on_a_metric_that_is_written(metrics: &str) {
    let alerts = contrib("alerts.yml");
    let expressions: Vec<_> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .collect();
    assert_eq!(alerts.matches("- alert: ").count(), expressions.len());
    let part_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    for expression in expressions {
        let words = expression.split(|letter| !part_of_name(letter));
        let names: Vec<_> = words
            .filter(|word| word.starts_with("dcs_history_"))
            .collect();
        assert!(!names.is_empty(), "{expression}");
        for name in names {
            assert!(
                metrics.contains(&format!("# TYPE {name} gauge\n")),
                "{name}"
            );
        }
    }
}

#[test]
fn the_lines_of_the_crontab_do_what_they_say_as_cron_runs_them() {
    let site = Site::new();
    fs::write(site.at(".config/dcs-history.env"), site.settings()).unwrap();
    site.put_token(&site.at(".config/dcs-history.token"));
    fs::create_dir_all(site.at(".cargo/bin")).unwrap();
    symlink(PROGRAM, site.at(".cargo/bin/dcs-history")).unwrap();
    let crontab = contrib("crontab");
    let lines = crontab.lines().filter(|line| {
        let is_setting = line.starts_with("MAILTO=");
        !line.is_empty() && !line.starts_with('#') && !is_setting
    });
    let commands: Vec<_> = lines
        .map(|line| {
            // An unescaped percent sign ends a command for cron.
            assert!(!line.contains('%'), "{line}");
            let parts: Vec<_> = line.splitn(6, ' ').collect();
            let (times, command) = parts.split_at(5);
            let is_time = |part: &&str| part.bytes().all(|byte| b"0123456789-/*,".contains(&byte));
            assert!(times.iter().all(is_time), "{line}");
            command[0]
        })
        .collect();
    let [sync, status, backup] = commands[..] else {
        panic!("{commands:#?}");
    };
    for _ in 0..2 {
        let outcome = site.by_cron(sync);
        outcome.expect_code(0);
        assert_eq!(
            (outcome.out.as_str(), outcome.err.as_str()),
            ("", ""),
            "no mail"
        );
    }
    let outcome = site.by_cron(backup);
    outcome.expect_code(0);
    assert_eq!(
        (outcome.out.as_str(), outcome.err.as_str()),
        ("", ""),
        "no mail"
    );
    site.by_cron(backup).expect_code(0);
    assert!(site.at("dcs-history-backup.db").exists());
    // The simulated cloud's clock stands in October 2026, so what it says is not of today; that is worth a mail.
    let outcome = site.by_cron(status);
    assert!(
        outcome.out.starts_with("unhealthy\n\nReasons\n"),
        "{outcome:#?}"
    );
    let patient = format!(
        "DCS_HISTORY_MAX_AGE=5000w\n{}",
        site.settings().replace("DCS_HISTORY_MAX_AGE=36h\n", "")
    );
    fs::write(site.at(".config/dcs-history.env"), patient).unwrap();
    let outcome = site.by_cron(status);
    outcome.expect_code(0);
    assert_eq!(
        (outcome.out.as_str(), outcome.err.as_str()),
        ("", ""),
        "no mail"
    );
    // Held by another program: a line that says so.
    let db = site.at(".local/share/dcs-history/history.db.lock");
    let lock = fs::File::options().write(true).open(db).unwrap();
    lock.try_lock().unwrap();
    let outcome = site.by_cron(sync);
    outcome.expect_code(75);
    assert_eq!(outcome.err.matches("error: ").count(), 1, "{outcome:#?}");
}
