//! `dcs-history simulate`: what it prints, what it leaves behind, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

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
        let (status, _, body) = self.send("GET", path, &format!("X-Auth-Token: {token}\r\n"), "");
        (status, serde_json::from_str(&body).unwrap())
    }

    /// Asks over a connection of its own and returns the status, the head in small letters, and the body.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        let address = self.text("endpoint").strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    /// What `credentials.json` holds.
    pub(crate) fn credentials(&self) -> Value {
        let text = std::fs::read_to_string(self.text("credentials_file")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Asks for the tasks of the first instance with the token of the file.
    fn tasks(&self, query: &str) -> (u16, Value) {
        let (project, instance) = (self.text("project_id"), self.list("instances")[0]);
        let token = std::fs::read_to_string(self.text("token_file")).unwrap();
        let path = format!("/v2/{project}/instances/{instance}/tasks?{query}");
        self.get(&path, token.trim_end())
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

#[test]
fn its_credentials_open_iam_and_each_stands_under_its_name() {
    let cloud = Simulated::start(&["-q", "--speed", "0"]);
    let keys = cloud.credentials();
    for (name, expected) in [
        ("endpoint", cloud.text("endpoint")),
        ("iam_endpoint", cloud.text("iam_endpoint")),
        ("metadata_endpoint", cloud.text("metadata_endpoint")),
        ("region", cloud.text("region")),
        ("project_id", cloud.text("project_id")),
        ("project_name", "sim-1"),
    ] {
        assert_eq!(keys[name], expected, "{name}");
    }
    let secrets = [
        "token",
        "user_name",
        "user_id",
        "password",
        "domain_name",
        "domain_id",
        "ak",
        "sk",
    ];
    for name in secrets {
        assert!(
            keys[name].as_str().is_some_and(|text| !text.is_empty()),
            "{name}"
        );
    }
    let user = json!({
        "name": keys["user_name"],
        "password": keys["password"],
        "domain": {"name": keys["domain_name"]},
    });
    let identity = json!({"methods": ["password"], "password": {"user": user}});
    let scope = json!({"project": {"name": keys["project_name"]}});
    let request = json!({"auth": {"identity": identity, "scope": scope}}).to_string();
    let (status, head, body) = cloud.send("POST", "/v3/auth/tokens", "", &request);
    assert_eq!(status, 201, "{body}");
    let token = head
        .lines()
        .find_map(|line| line.strip_prefix("x-subject-token: "))
        .unwrap();
    let list = format!("/v2/{}/instances", cloud.text("project_id"));
    assert_eq!(cloud.get(&list, token).0, 200);
    let (status, found) = cloud.get("/v3/projects?name=sim-2", token);
    assert_eq!(
        (status, found["projects"].as_array().unwrap().len()),
        (200, 2)
    );
    // The metadata service gives other keys than those of the file.
    let (status, _, body) = cloud.send("GET", "/openstack/latest/securitykey", "", "");
    let given: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_ne!(given["credential"]["access"], keys["ak"]);
}

#[test]
fn it_filters_and_counts_as_it_is_told() {
    const FUTURE: &str = "20990101000000";
    let shown = |args: &[&str], query: &str| {
        let args = [&["-q", "--speed", "0"], args].concat();
        let (status, body) = Simulated::start(&args).tasks(query);
        let tasks = body["tasks"].as_array().map(Vec::len);
        (status, body["task_count"].clone(), tasks)
    };
    let (start, begin) = (
        format!("start_time={FUTURE}"),
        format!("begin_time={FUTURE}"),
    );
    let none = (200, json!(0), Some(0));
    let ten = (200, json!(40), Some(10));
    for (args, query, expected) in [
        (&[] as &[&str], &*start, none.clone()),
        (&[], &begin, none.clone()),
        (&["--filter-name", "start_time"], &start, none.clone()),
        (&["--filter-name", "start_time"], &begin, ten.clone()),
        (&["--filter-name", "begin_time"], &start, ten.clone()),
        (&["--filter", "updated"], &start, none),
        (&["--filter", "ignored"], &start, ten.clone()),
        (&["--filter", "refused"], &start, (400, Value::Null, None)),
        (&["--filter", "refused"], "", ten),
        (&["--count", "page"], "limit=7", (200, json!(7), Some(7))),
        (&["--count", "text"], "limit=7", (200, json!("40"), Some(7))),
        (
            &["--count", "absent"],
            "limit=7",
            (200, Value::Null, Some(7)),
        ),
    ] {
        assert_eq!(shown(args, query), expected, "{args:?} {query}");
    }
    let hidden = Simulated::start(&["-q", "--speed", "0", "--window", "20d"]);
    let (_, recent) = hidden.tasks("limit=1000");
    let (_, all) = hidden.tasks("limit=1000&start_time=20000101000000");
    assert_eq!(all["task_count"], 40);
    assert!(recent["task_count"].as_u64().unwrap() < 40, "{recent}");
}

#[test]
fn it_fails_and_throttles_as_it_is_told() {
    let cloud = Simulated::start(&["-q", "--throttle", "0", "--retry-after", "1500ms"]);
    let (status, head, body) = cloud.send("GET", "/v3/projects", "", "");
    assert_eq!(status, 429, "{body}");
    assert!(head.contains("\r\nretry-after: 2"), "{head}");
    assert!(
        body.contains("policy user over ratelimit,limit:0,time:1 second"),
        "{body}"
    );

    let cloud = Simulated::start(&["-q", "--trouble", "2", "--trouble-form", "html"]);
    let token = "X-Auth-Token: shown-to-everybody\r\n";
    let statuses: Vec<u16> = (0..4)
        .map(|_| cloud.send("GET", "/v3/projects", token, "").0)
        .collect();
    assert_eq!(statuses, [401, 502, 401, 502]);
    let (_, head, body) = (
        cloud.send("GET", "/", token, ""),
        cloud.send("GET", "/", token, ""),
    )
        .1;
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(body.contains("shown-to-everybody"), "{body}");

    let cloud = Simulated::start(&["-q", "--metadata", "off"]);
    assert_eq!(
        cloud.send("GET", "/openstack/latest/securitykey", "", "").0,
        404
    );
}

#[test]
fn a_token_ends_after_the_life_that_it_is_given() {
    // 20 virtual hours a second: the life is over long before the patience is.
    let cloud = Simulated::start(&["-q", "--token-life", "24h", "--speed", "72000"]);
    let begin = Instant::now();
    let mut last = cloud.tasks("");
    while last.0 == 200 && begin.elapsed() < Duration::from_secs(30) {
        last = cloud.tasks("");
    }
    assert_eq!((last.0, &last.1["error_code"]), (401, &json!("DCS.1002")));
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
        (["--filter", "mtime"], "created, updated, ignored, refused"),
        (["--filter-name", "since"], "start_time, begin_time, both"),
        (["--count", "0"], "total, page, text, absent"),
        (["--window", "0s"], "nothing can be done in no time"),
        (["--token-life", "1"], "a unit is missing"),
        (["--metadata", "on"], "both, plain, token, off"),
        (["--skew", "-20m"], "a duration is a whole number"),
        (["--throttle", "many"], "many"),
        (["--retry-after", "5s"], "--throttle"),
        (["--trouble", "0"], "0"),
        (["--trouble-form", "html"], "--trouble"),
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
