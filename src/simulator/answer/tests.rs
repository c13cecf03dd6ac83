use serde_json::{Value, json};

use super::*;
use crate::simulator::world::Options;

fn world() -> World {
    World::new(Options {
        seed: 3,
        instances: 12,
        tasks: 35,
    })
}

fn get(world: &World, path: &str, query: &str, page_cap: Option<usize>) -> (u16, Value) {
    let request = Request {
        method: "GET",
        path,
        query,
        token: Some(world.token()),
        id: "request-7",
    };
    let answer = answer(world, &request, page_cap);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn paths(world: &World) -> (String, String) {
    let list = format!("/v2/{}/instances", world.project_id());
    let tasks = format!("{list}/{}/tasks", world.instance_ids().next().unwrap());
    (list, tasks)
}

#[test]
fn pages_over_the_wire_tile_the_truth_and_count_all_of_it() {
    let world = world();
    let (list, tasks) = paths(&world);
    let instance = world.instance_ids().next().unwrap();
    let truth: Vec<Value> = world
        .tasks(instance)
        .map(|task| serde_json::to_value(task).unwrap())
        .collect();
    let all: Vec<Value> = world
        .instances()
        .map(|one| serde_json::to_value(one).unwrap())
        .collect();
    for (path, count, records, truth) in [
        (&tasks, "task_count", "tasks", truth),
        (&list, "instance_num", "instances", all),
    ] {
        for (limit, page_cap) in [(1, None), (4, None), (1000, None), (1000, Some(6))] {
            let mut tiled: Vec<Value> = Vec::new();
            loop {
                let query = format!("offset={}&limit={limit}", tiled.len());
                let (status, body) = get(&world, path, &query, page_cap);
                assert_eq!((status, &body[count]), (200, &json!(truth.len())));
                let page = body[records].as_array().unwrap();
                assert!(page.len() <= page_cap.unwrap_or(limit));
                if page.is_empty() {
                    break;
                }
                tiled.extend(page.clone());
            }
            assert_eq!(tiled, truth, "{path} {limit} {page_cap:?}");
        }
        let (_, body) = get(&world, path, "", None);
        assert_eq!(
            body[records].as_array().unwrap().len(),
            10,
            "the default limit"
        );
    }
}

#[test]
fn a_window_selects_by_creation_with_both_seconds_included() {
    let world = world();
    let (_, tasks) = paths(&world);
    let instance = world.instance_ids().next().unwrap();
    let truth: Vec<TaskRecord<'_>> = world.tasks(instance).collect();
    let compact = |task: &TaskRecord<'_>| -> String {
        task.created_at
            .to_string()
            .chars()
            .filter(char::is_ascii_digit)
            .take(14)
            .collect()
    };
    let (newer, older) = (compact(&truth[5]), compact(&truth[20]));
    for (query, expected) in [
        (format!("start_time={older}&end_time={newer}"), 5..21),
        (format!("begin_time={older}&end_time={newer}"), 5..21),
        (format!("begin_time={newer}"), 0..6),
        (format!("start_time={newer}&begin_time={older}"), 0..6),
        (format!("end_time={older}"), 20..35),
        ("start_time=20990101000000".to_owned(), 0..0),
    ] {
        let (status, body) = get(&world, &tasks, &format!("{query}&limit=1000"), None);
        let ids: Vec<&str> = body["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|task| task["id"].as_str())
            .collect();
        let wanted: Vec<&str> = truth[expected]
            .iter()
            .map(|task| task.id.as_str())
            .collect();
        assert_eq!((status, &ids), (200, &wanted), "{query}");
        assert_eq!(body["task_count"], json!(wanted.len()), "{query}");
    }
}

#[test]
fn a_task_has_the_documented_fields_and_no_others() {
    let world = world();
    let (list, tasks) = paths(&world);
    let (_, body) = get(&world, &tasks, "limit=1000", None);
    for task in body["tasks"].as_array().unwrap() {
        let mut names: Vec<&str> = task
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.retain(|name| *name != "params");
        assert_eq!(
            names,
            [
                "created_at",
                "details",
                "enable_show",
                "id",
                "name",
                "status",
                "updated_at",
                "user_id",
                "user_name"
            ]
        );
        assert_eq!(task["params"].is_string(), task["name"] == "AddWhitelist");
    }
    let (_, body) = get(&world, &list, "limit=1000", None);
    for instance in body["instances"].as_array().unwrap() {
        let small = instance["capacity"] == 0;
        assert_eq!(instance["capacity_minor"].is_string(), small, "{instance}");
    }
}

/// Asks, checks that the refusal has the documented form, and returns its status, code and message.
fn refused(
    world: &World,
    method: &str,
    target: &str,
    token: Option<&str>,
) -> (u16, String, String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method,
        path,
        query,
        token,
        id: "request-7",
    };
    let answer = answer(world, &request, None);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let code = body["error_code"].as_str().unwrap().to_owned();
    let message = body["error_msg"].as_str().unwrap().to_owned();
    let own = if code.starts_with("APIGW") {
        json!({"error_code": code, "error_msg": message, "request_id": "request-7"})
    } else {
        json!({"error_code": code, "error_msg": message, "error_ext_msg": null})
    };
    assert_eq!(body, own, "{target}");
    (answer.status, code, message)
}

#[test]
fn parameters_out_of_range_are_refused_by_name_on_every_list() {
    let world = world();
    let (list, tasks) = paths(&world);
    for (query, code, name) in [
        ("offset=-1", "DCS.4800", "offset"),
        ("limit=0", "DCS.4062", "limit"),
        ("limit=1001", "DCS.4062", "limit"),
        ("start_time=1", "DCS.4063", "start_time"),
        ("begin_time=1", "DCS.4063", "begin_time"),
        ("end_time=1", "DCS.4063", "end_time"),
    ] {
        for path in [&list, &tasks] {
            let refusal = refused(
                &world,
                "GET",
                &format!("{path}?{query}"),
                Some(world.token()),
            );
            let message = format!("Invalid {name} in the request.");
            assert_eq!(refusal, (400, code.to_owned(), message), "{path} {query}");
        }
    }
}

#[test]
fn every_other_refusal_has_its_documented_status_and_body() {
    let world = world();
    let (list, tasks) = paths(&world);
    let (tasks, token) = (tasks.as_str(), Some(world.token()));
    let stranger = format!("/v2/{}/instances", "0".repeat(32));
    let absent = format!("{list}/00000000-0000-4000-8000-000000000000/tasks");
    let misnamed = format!("{list}/orders-cache/tasks");
    let unpublished = "has not been published";
    for (method, target, token, status, code, message) in [
        (
            "GET",
            "/v2/nonsense/instances",
            token,
            400,
            "DCS.4002",
            "Invalid project ID",
        ),
        (
            "GET",
            &misnamed,
            token,
            400,
            "DCS.4061",
            "Invalid DCS instance ID",
        ),
        ("GET", tasks, None, 401, "DCS.1003", "missing"),
        (
            "GET",
            tasks,
            Some("wrong"),
            401,
            "DCS.1001",
            "Invalid token.",
        ),
        ("GET", tasks, Some(""), 401, "DCS.1001", "Invalid token."),
        ("GET", &stranger, token, 401, "DCS.1004", "does not match"),
        ("GET", &absent, token, 404, "DCS.3022", "does not exist"),
        ("GET", "/", token, 404, "APIGW.0101", unpublished),
        ("GET", "/v1.0/x", None, 404, "APIGW.0101", unpublished),
        ("DELETE", tasks, token, 405, "APIGW.0101", "HTTP method"),
        ("HEAD", &list, token, 405, "APIGW.0101", "HTTP method"),
    ] {
        let (got, own, said) = refused(&world, method, target, token);
        assert_eq!((got, own.as_str()), (status, code), "{method} {target}");
        assert!(said.contains(message), "{said}");
    }
}
