//! The server over real sockets on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::*;
use crate::simulator::manners::{Metadata, Shape, SigningClock, Trouble};
use crate::simulator::signature::tests::sign;

/// Asks over a connection of its own and returns the status, the head in small letters, and the body.
fn ask(cloud: &Running, method: &str, target: &str, token: &str) -> (u16, String, Value) {
    let (status, head, body) = send(cloud, method, target, &[("X-Auth-Token", token)], "");
    (status, head, serde_json::from_str(&body).unwrap())
}

/// The same with any headers and a body; the answer's body is text.
fn send(
    cloud: &Running,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let address = cloud.endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let length = body.len();
    write!(
        stream,
        "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

/// The value of a header in a head in small letters.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn tasks(cloud: &Running) -> String {
    let world = cloud.world();
    let instance = world.instance_ids().next().unwrap();
    format!("/v2/{}/instances/{instance}/tasks", cloud.project_id)
}

#[test]
fn a_page_is_served_with_the_worlds_own_time() {
    let cloud = start(Options::default()).unwrap();
    let target = format!("{}?limit=1000", tasks(&cloud));
    let (status, head, body) = ask(&cloud, "GET", &target, &cloud.token);
    assert_eq!((status, &body["task_count"]), (200, &Value::from(40)));
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(
        head.contains("date: thu, 01 oct 2026 00:00:00 gmt"),
        "{head}"
    );
    assert_eq!(head.matches("\r\ndate:").count(), 1, "{head}");
    assert!(
        head.contains("x-request-id: 00000000000000000000000000000001"),
        "{head}"
    );
    cloud.world().advance(86_400_000 + 61_000);
    let (_, head, later) = ask(&cloud, "GET", &target, &cloud.token);
    assert!(
        head.contains("date: fri, 02 oct 2026 00:01:01 gmt"),
        "{head}"
    );
    assert_ne!(body, later);
    assert_eq!(cloud.requests(), 2);
}

#[test]
fn refusals_come_with_their_status_and_a_body() {
    let cloud = start(Options::default()).unwrap();
    let target = tasks(&cloud);
    let (status, _, body) = ask(&cloud, "GET", &target, "wrong");
    assert_eq!(
        (status, &body["error_code"]),
        (401, &Value::from("DCS.1001"))
    );
    let (status, head, body) = ask(&cloud, "POST", &target, &cloud.token);
    assert_eq!(
        (status, &body["error_code"]),
        (405, &Value::from("APIGW.0101"))
    );
    assert!(head.contains("allow: get"), "{head}");
    let id = body["request_id"].as_str().unwrap();
    assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
}

#[test]
fn a_password_is_given_for_a_token_that_ends_by_the_worlds_clock() {
    let cloud = start(Options::default()).unwrap();
    let account = &cloud.account;
    let log_in = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "id": account.user_id, "password": account.password,
        }}},
        "scope": {"project": {"name": "sim-1"}},
    }});
    let target = "/v3/auth/tokens?nocatalog=true";
    let (status, head, body) = send(&cloud, "POST", target, &[], &log_in.to_string());
    assert_eq!(status, 201, "{body}");
    assert!(header(&head, "x-iam-trace-id").is_some(), "{head}");
    let token = header(&head, "x-subject-token").unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["token"]["project"]["id"], *cloud.project_id);
    assert_eq!(ask(&cloud, "GET", &tasks(&cloud), token).0, 200);
    let (status, _, found) = ask(&cloud, "GET", "/v3/projects?name=sim-1", token);
    assert_eq!(
        (status, &found["projects"][0]["id"]),
        (200, &json!(cloud.project_id))
    );

    cloud.world().advance(86_400_000);
    let (status, _, body) = ask(&cloud, "GET", &tasks(&cloud), token);
    assert_eq!((status, &body["error_code"]), (401, &json!("DCS.1002")));
    let (status, _, body) = ask(&cloud, "GET", "/v3/projects", token);
    assert_eq!((status, &body["error"]["code"]), (401, &json!(401)));
    // The token that was there from the start ends only where its life was told.
    assert_eq!(ask(&cloud, "GET", &tasks(&cloud), &cloud.token).0, 200);
}

#[test]
fn a_signature_is_judged_by_its_own_clock_and_so_is_its_refusal_dated() {
    fn machine() -> Timestamp {
        Timestamp::from_millis(world::START + 1_000 * 86_400_000).unwrap()
    }
    let cloud = start(Options {
        manners: Manners {
            signing_clock: SigningClock {
                machine: Some(machine),
                ahead: 60_000,
            },
            ..Manners::default()
        },
        ..Options::default()
    })
    .unwrap();
    let keys = (&*cloud.account.access_key, &*cloud.account.secret_key);
    let target = format!("/v2/{}/instances", cloud.project_id);
    for (path, body_is) in [(&*target, "instance_num"), ("/v3/projects", "sim-1_audit")] {
        let get = |moment| {
            let [date, authorization] = sign(keys, "GET", path, moment);
            let headers = [(date.0, &*date.1), (authorization.0, &*authorization.1)];
            send(&cloud, "GET", path, &headers, "")
        };
        let (status, head, body) = get(machine());
        assert_eq!(status, 200, "{body}");
        assert!(body.contains(body_is), "{body}");
        assert_eq!(header(&head, "date"), Some("thu, 01 oct 2026 00:00:00 gmt"));
        let world = Timestamp::from_millis(world::START).unwrap();
        let (status, head, body) = get(world);
        assert_eq!(status, 401);
        let told =
            "signature expired, signature time:20261001T000000Z,server time:20290627T000100Z";
        assert!(body.contains(told) && body.contains("APIGW.0301"), "{body}");
        assert_eq!(header(&head, "date"), Some("wed, 27 jun 2029 00:01:00 gmt"));
    }
}

#[test]
fn the_metadata_service_gives_keys_that_sign_and_neither_trouble_nor_throttling_is_in_its_way() {
    let cloud = start(Options {
        manners: Manners {
            metadata: Metadata::Token,
            throttle: Some(0),
            trouble: Trouble {
                every: std::num::NonZeroU32::new(3),
                shape: Shape::Portal,
            },
            ..Manners::default()
        },
        ..Options::default()
    })
    .unwrap();
    let ttl = [("X-Metadata-Token-Ttl-Seconds", "60")];
    let (status, _, token) = send(&cloud, "PUT", "/meta-data/latest/api/token", &ttl, "");
    assert_eq!(status, 200, "{token}");
    for _ in 0..3 {
        let keys = "/openstack/latest/securitykey";
        let (status, _, body) = send(&cloud, "GET", keys, &[("X-Metadata-Token", &token)], "");
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let access = body["credential"]["access"].as_str().unwrap();
        let now = cloud.world().now();
        assert!(cloud.account.find_temporary(access, now).is_some());
    }
    let kind = |head: &str| header(head, "content-type").unwrap().to_owned();
    let (status, head, body) = send(&cloud, "GET", "/v3/projects", &[], "");
    assert_eq!((status, &*kind(&head)), (429, "application/json"), "{body}");
    let (status, head, body) = send(&cloud, "GET", "/v3/projects", &[], "");
    assert_eq!((status, &*kind(&head)), (200, "text/html"), "{body}");
}

#[test]
fn a_body_without_end_is_not_read_to_its_end() {
    let cloud = start(Options::default()).unwrap();
    let body = "x".repeat(LONGEST_BODY + 1);
    let (status, _, told) = send(&cloud, "POST", "/v3/auth/tokens", &[], &body);
    assert_eq!(status, 413);
    assert!(told.contains("APIGW.0201"), "{told}");
}

#[test]
fn the_clock_runs_at_its_speed_and_keeps_fractions() {
    let begin = Instant::now();
    let at = |millis| begin + Duration::from_millis(millis);
    let pace = |speed| Pace {
        speed,
        last: begin,
        owed: 0.0,
    };
    let mut still = pace(0.0);
    assert_eq!(still.passed(at(5000)), 0);
    let mut fast = pace(60.0);
    assert_eq!(
        (fast.passed(at(1000)), fast.passed(at(1500))),
        (60_000, 30_000)
    );
    let mut slow = pace(0.25);
    let passed: Vec<u64> = (1..=8).map(|millis| slow.passed(at(millis))).collect();
    assert_eq!(passed, [0, 0, 0, 1, 0, 0, 0, 1]);
    let mut absurd = pace(1e300);
    assert_eq!(absurd.passed(at(1000)), u64::MAX);
    // Time that seems to run backwards moves nothing.
    assert_eq!(pace(60.0).passed(begin), 0);
}

#[test]
fn a_world_in_motion_is_seen_moving() {
    let cloud = start(Options {
        speed: 10_000.0,
        ..Options::default()
    })
    .unwrap();
    let target = tasks(&cloud);
    let begin = Instant::now();
    let (_, first, _) = ask(&cloud, "GET", &target, &cloud.token);
    while begin.elapsed() < Duration::from_secs(20) {
        let (_, head, _) = ask(&cloud, "GET", &target, &cloud.token);
        if head.lines().find(|line| line.starts_with("date"))
            != first.lines().find(|line| line.starts_with("date"))
        {
            return;
        }
    }
    panic!("the clock did not move within 20 seconds");
}

#[test]
fn latency_delays_every_answer_and_a_cap_cuts_pages() {
    let latency = Duration::from_millis(120);
    let cloud = start(Options {
        latency,
        page_cap: Some(3),
        ..Options::default()
    })
    .unwrap();
    let begin = Instant::now();
    let target = format!("{}?limit=1000", tasks(&cloud));
    let (_, _, body) = ask(&cloud, "GET", &target, &cloud.token);
    assert!(begin.elapsed() >= latency);
    assert_eq!(body["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(body["task_count"], Value::from(40));
}

#[test]
fn a_lagging_copy_answers_as_often_as_it_was_told_to_and_under_the_date_of_now() {
    let cloud = start(Options::default()).unwrap();
    let mut targets = Vec::new();
    for instance in cloud.world().instance_ids() {
        targets.push(format!(
            "/v2/{}/instances/{instance}/tasks?limit=1000",
            cloud.project_id
        ));
    }
    let [other, lagging, ..] = &targets[..] else {
        panic!("{targets:?}");
    };
    let list = |target: &str| {
        let (status, head, body) = ask(&cloud, "GET", target, &cloud.token);
        assert_eq!(status, 200);
        assert!(
            cloud.world().now().millis() == world::START || head.contains("02 oct"),
            "{head}"
        );
        body
    };
    let before = [list(other), list(lagging)];
    let copy = cloud.world().clone();
    let instance = copy.instance_ids().nth(1).unwrap().to_owned();
    cloud.world().advance(86_400_000);
    cloud.lag(LaggingCopy::new(copy, &instance, 2));
    // Other instances and other requests neither see the copy nor use it up.
    assert_ne!(list(other), before[0]);
    list(&format!("/v2/{}/instances", cloud.project_id));
    assert_eq!(
        [list(lagging), list(lagging)],
        [&before[1]; 2].map(Clone::clone)
    );
    assert_ne!(list(lagging), before[1]);
}

#[test]
fn dropping_the_handle_closes_the_port_and_a_taken_port_is_an_error() {
    let cloud = start(Options::default()).unwrap();
    let port = cloud.endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let taken = start(Options {
        port,
        ..Options::default()
    });
    assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    let address = cloud.endpoint.strip_prefix("http://").unwrap().to_owned();
    drop(cloud);
    assert!(TcpStream::connect(address).is_err());
}
