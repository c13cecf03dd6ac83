//! `dcs-history simulate`: what it prints, what it leaves behind, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dcs-history"));
    command.arg("simulate").args(args);
    command
}

/// A simulated cloud in a process of its own, which ends with the test whatever happens.
pub(crate) struct Simulated {
    child: Child,
    ready: Value,
}

impl Simulated {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = program(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, ready }
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.ready[name].as_array().unwrap().iter();
        values.map(|value| value.as_str().unwrap()).collect()
    }

    fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let address = self.text("endpoint").strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nX-Auth-Token: {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    /// Sends a signal and returns the exit code with everything that was still said.
    fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let (mut out, mut err) = (String::new(), String::new());
        let pipes = (self.child.stdout.take(), self.child.stderr.take());
        pipes.0.unwrap().read_to_string(&mut out).unwrap();
        pipes.1.unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), out, err)
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn it_says_where_it_answers_and_takes_its_files_with_it_when_it_is_told_to_stop() {
    for signal in ["-INT", "-TERM"] {
        let cloud = Simulated::start(&[
            "--seed",
            "5",
            "--instances",
            "2",
            "--tasks",
            "12",
            "--speed",
            "0",
        ]);
        let token_file = Path::new(cloud.text("token_file")).to_owned();
        let credentials_file = Path::new(cloud.text("credentials_file")).to_owned();
        let directory = token_file.parent().unwrap().to_owned();
        assert_eq!(
            (mode(&token_file), mode(&credentials_file), mode(&directory)),
            (0o600, 0o600, 0o700)
        );
        let written = std::fs::read_to_string(&token_file).unwrap();
        let token = written.strip_suffix('\n').unwrap();
        let credentials: Value =
            serde_json::from_str(&std::fs::read_to_string(&credentials_file).unwrap()).unwrap();
        assert_eq!(credentials["token"], token);

        let instances = cloud.ready["instances"].as_array().unwrap().clone();
        assert_eq!(instances.len(), 2);
        let project = format!("/v2/{}/instances", cloud.text("project_id"));
        let (status, list) = cloud.get(&project, token);
        assert_eq!((status, &list["instance_num"]), (200, &Value::from(2)));
        assert_eq!(list["instances"][0]["instance_id"], instances[0]);
        let tasks = format!("{project}/{}/tasks", instances[1].as_str().unwrap());
        let (status, page) = cloud.get(&tasks, token);
        assert_eq!((status, &page["task_count"]), (200, &Value::from(12)));
        let (status, refused) = cloud.get(&tasks, "another");
        assert_eq!(
            (status, &refused["error_code"]),
            (401, &Value::from("DCS.1001"))
        );

        let (endpoint, shown) = (cloud.text("endpoint").to_owned(), token.to_owned());
        let (code, out, err) = cloud.stop(signal);
        assert_eq!((code, out.as_str()), (Some(0), ""), "{signal}: {err}");
        assert!(
            err.contains(&format!("sync --endpoint {endpoint}")),
            "{err}"
        );
        assert!(err.contains(token_file.to_str().unwrap()), "{err}");
        assert!(!err.contains(&shown), "the token itself is never printed");
        assert!(!directory.exists(), "{signal}");
    }
}

#[test]
fn it_can_be_quiet_and_do_without_instances() {
    let cloud = Simulated::start(&["-q", "--instances", "0"]);
    assert_eq!(cloud.ready["instances"], Value::Array(Vec::new()));
    let (code, _, err) = cloud.stop("-TERM");
    assert_eq!((code, err.as_str()), (Some(0), ""));
}

#[test]
fn its_files_go_where_they_are_wanted_and_nothing_there_is_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("simulated");
    let args = ["-q", "--dir", folder.to_str().unwrap()];
    let cloud = Simulated::start(&args);
    assert_eq!(
        Path::new(cloud.text("token_file")),
        folder.join("token"),
        "the name is absolute"
    );
    assert_eq!((mode(&folder.join("token")), mode(&folder)), (0o600, 0o700));

    // A second cloud does not take the first one's files away, neither when it fails nor when the first one ends.
    let second = output(&args);
    let err = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), second.stdout.len()), (Some(2), 0));
    assert!(err.contains("is there already"), "{err}");
    assert!(folder.join("token").exists() && folder.join("credentials.json").exists());

    let (code, _, _) = cloud.stop("-TERM");
    assert_eq!(code, Some(0));
    assert!(!folder.exists());

    // In a folder that was there before, only its own files go.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("mine"), "kept").unwrap();
    let (code, _, _) = Simulated::start(&args).stop("-INT");
    assert_eq!(code, Some(0));
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["mine"]);

    // A file of somebody else's stays, and so does nothing half made.
    std::fs::write(folder.join("credentials.json"), "{}").unwrap();
    let refused = output(&args);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!folder.join("token").exists());
    assert_eq!(
        std::fs::read_to_string(folder.join("credentials.json")).unwrap(),
        "{}"
    );
    let nowhere = place.path().join("no/such");
    let refused = output(&["--dir", nowhere.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
}

fn output(args: &[&str]) -> Output {
    program(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_port_in_use_is_an_error_of_the_machine_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = output(&["--port", &port]);
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0));
    assert!(
        err.contains(&format!("port {port} on 127.0.0.1 is in use")),
        "{err}"
    );
    assert!(err.contains("--port 0"), "{err}");
}

#[test]
fn values_that_make_no_cloud_are_wrong_usage() {
    for (args, said) in [
        (["--latency", "5"], "a unit is missing"),
        (["--latency", "1.5s"], "is not one of the units"),
        (["--speed", "-1"], "a speed is a number"),
        (["--speed", "inf"], "a speed is a number"),
        (["--page-cap", "0"], "0"),
        (["--instances", "1001"], "1001"),
        (["--tasks", "1000001"], "1000001"),
        (["--port", "65536"], "65536"),
    ] {
        // A negative number is a value here and not an option.
        let joined = args.join("=");
        let ended = output(&[&joined]);
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{joined}: {err}");
        assert!(err.contains(said), "{joined}: {err}");
    }
}

#[test]
fn help_ends_with_examples() {
    let ended = output(&["--help"]);
    let help = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let examples = help.split("Examples:").nth(1).unwrap();
    assert!(
        examples
            .lines()
            .filter(|line| line.contains("dcs-history simulate"))
            .count()
            >= 2,
        "{help}"
    );
}
