//! Syncs that are told no instance: what becomes of the project's list of instances when it, or what stands in it, is
//! hostile or broken.

use serde_json::{Value, json};

use crate::support::env::{Program, finish};
use crate::support::fake_api::{Action, FakeApi, Request, part_of};
use crate::support::outcome::Outcome;
use crate::support::{PROJECT, tasks};

fn instance(id: &str) -> Value {
    json!({"instance_id": id, "name": "cache", "status": "RUNNING", "created_at": "2026-02-01T00:00:00.000Z"})
}

/// The list of these instances, whole on one page; beyond its end a page of nothing.
fn listed(ids: &[&str], request: &Request) -> Action {
    let shown: Vec<Value> = ids
        .iter()
        .skip(request.offset)
        .map(|id| instance(id))
        .collect();
    Action::json(&json!({"instance_num": ids.len(), "instances": shown}))
}

fn is_list(request: &Request) -> bool {
    request.path == format!("/v2/{PROJECT}/instances")
}

/// A server with these instances, each with three tasks.
fn honest(ids: &'static [&'static str]) -> impl Fn(&Request) -> Action + Send + Sync {
    move |request| {
        if is_list(request) {
            listed(ids, request)
        } else if ids.contains(&&*request.instance) {
            part_of(&tasks(3), request)
        } else {
            Action::error(404, "DCS.4029", "This instance does not exist.")
        }
    }
}

/// Runs a sync that names no instance.
#[track_caller]
fn sync(program: &Program, api: &FakeApi) -> Outcome {
    let args = program.sync_args(api, &[]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = program.command(&args);
    command.env_remove("DCS_HISTORY_INSTANCE");
    let outcome = finish(command.spawn().unwrap());
    program.check(&outcome);
    outcome
}

#[test]
fn s07_hostile_instance_ids_lead_to_no_other_path() {
    const GOOD: &str = "11111111-2222-3333-4444-555555555555";
    let hostile = [
        "../../../v3/auth/tokens",
        "..",
        ".",
        "a/b",
        "a?limit=1",
        "a#b",
        "a\r\nX-Evil: 1",
        "%2e%2e%2f",
        "a b\u{0}c",
        "\u{202e}gnp.exe",
        "\u{1b}[2J",
    ];
    for id in hostile {
        let program = Program::new();
        let api = FakeApi::start(move |request| {
            if is_list(request) {
                listed(&[id, GOOD], request)
            } else if request.instance == GOOD {
                part_of(&tasks(3), request)
            } else {
                Action::error(404, "APIG.0101", "The API does not exist.")
            }
        });
        let outcome = sync(&program, &api);
        outcome.expect_code(3);
        for request in api.requests() {
            let rest = request
                .path
                .strip_prefix(&format!("/v2/{PROJECT}/instances"));
            let rest = rest.unwrap_or_else(|| panic!("{id:?}: {}", request.path));
            let parts: Vec<&str> = rest.split('/').collect();
            let is_known = match parts.as_slice() {
                [""] => true,
                ["", one, "tasks"] => !matches!(*one, "" | "." | ".."),
                _ => false,
            };
            assert!(is_known, "{id:?}: {}", request.path);
            assert!(request.header("x-evil").is_none(), "{id:?}");
            assert!(request.query.contains_key("limit") && request.query.contains_key("offset"));
        }
        let of_the_other = format!("SELECT count(*) FROM tasks WHERE instance_id = '{GOOD}'");
        assert_eq!(program.number(&of_the_other), 3, "{id:?}");
        let raw = outcome
            .err
            .chars()
            .filter(|one| one.is_control() && *one != '\n');
        assert_eq!(raw.count(), 0, "{id:?}: {:?}", outcome.err);
    }
}

const TWO: [&str; 2] = [
    "aaaaaaaa-0000-4000-8000-000000000001",
    "bbbbbbbb-0000-4000-8000-000000000002",
];

type Fault = (&'static str, fn() -> Action);

/// A fault of the network, the gateway or the service (2.1 to 2.4), as it meets the request for the list.
fn faults() -> Vec<Fault> {
    vec![
        ("N02 no answer", Action::close),
        ("N03 a reset", Action::reset),
        ("N04 half a body", || {
            Action::of_length(900, r#"{"instance_num":2,"instances":[{"instance_id":"aa"#)
        }),
        ("N10 a redirect", || {
            Action::redirect(302, "http://127.0.0.2:9/")
        }),
        ("H02 forbidden", || Action::error(403, "DCS.1005", "no")),
        ("H03 some other 404", || {
            Action::error(404, "APIG.0101", "no such API")
        }),
        ("H05 busy for good", || {
            Action::reply(429, &["Retry-After: 0"], "")
        }),
        ("H08 broken for good", || {
            Action::reply(503, &[], "<html>no</html>")
        }),
        ("H09 an error in a success", || {
            Action::json(&json!({"error_code": "DCS.5000", "error_msg": "no"}))
        }),
        ("H10 a portal", || Action::text("<html>Sign in</html>")),
        ("H11 no list", || Action::text("{}")),
        ("P01 not JSON to the end", || {
            Action::text(r#"{"instances":[{"#)
        }),
        ("G11 empty against its count", || {
            Action::json(&json!({"instance_num": 2, "instances": []}))
        }),
        ("G19 another list each time", || {
            Action::json(&json!({"instance_num": 3, "instances": [instance(TWO[0])]}))
        }),
    ]
}

#[test]
fn a_list_of_instances_that_cannot_be_read_costs_nobody_anything() {
    for (what, fault) in faults() {
        let program = Program::new();
        let api = FakeApi::start(honest(&TWO));
        sync(&program, &api).expect_code(0);
        api.behave(move |request| {
            if is_list(request) {
                fault()
            } else {
                part_of(&tasks(5), request)
            }
        });
        let outcome = sync(&program, &api);
        assert_eq!(outcome.code, Some(3), "{what}: {}", outcome.err);
        // The instances that are known are read all the same, and nobody is gone.
        assert_eq!(program.number("SELECT count(*) FROM tasks"), 10, "{what}");
        assert_eq!(
            program.number("SELECT count(*) FROM instances WHERE gone_at IS NULL"),
            2,
            "{what}"
        );
        api.behave(honest(&TWO));
        assert_eq!(
            sync(&program, &api).code,
            Some(0),
            "{what}: and then it is as ever"
        );
    }
}

#[test]
fn a_refused_token_stops_a_sync_at_the_list() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::error(401, "APIG.0301", "token expired"));
    sync(&program, &api).expect_code(4);
    assert_eq!(api.asked(), 1);
}

#[test]
fn an_instance_that_cannot_be_read_costs_the_others_nothing() {
    for (what, fault) in faults() {
        if what.starts_with("G19") {
            continue;
        }
        let program = Program::new();
        let api = FakeApi::start(honest(&TWO));
        sync(&program, &api).expect_code(0);
        api.behave(move |request| {
            if is_list(request) {
                listed(&TWO, request)
            } else if request.instance == TWO[0] {
                fault()
            } else {
                part_of(&tasks(5), request)
            }
        });
        let outcome = sync(&program, &api);
        assert_eq!(outcome.code, Some(3), "{what}: {}", outcome.err);
        assert_eq!(program.number("SELECT count(*) FROM tasks"), 8, "{what}");
        assert_eq!(
            program.number("SELECT count(*) FROM instances WHERE gone_at IS NULL"),
            2,
            "{what}"
        );
        assert_eq!(
            program.number("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
            0,
            "{what}"
        );
    }
}
