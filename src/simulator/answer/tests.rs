use hyper::HeaderMap;
use serde_json::json;

use super::*;
use crate::model::time::{DAY, Timestamp};
use crate::simulator::account::Scope;
use crate::simulator::manners::Filter;
use crate::simulator::route::Route;
use crate::simulator::world::Options;

fn world() -> World {
    World::new(Options {
        seed: 3,
        instances: 12,
        tasks: 35,
    })
}

/// Asks with the account's own token; `page_cap` and the manners are the service's.
fn get_from(
    world: &World,
    path: &str,
    query: &str,
    page_cap: Option<usize>,
    manners: &Manners,
) -> (u16, Value) {
    let account = Account::new(3, world);
    let service = Service {
        world,
        account: &account,
        manners,
        page_cap,
    };
    let reply = ask(&service, path, query, account.main_project());
    (reply.status, serde_json::from_str(&reply.body).unwrap())
}

fn get(world: &World, path: &str, query: &str, page_cap: Option<usize>) -> (u16, Value) {
    get_from(world, path, query, page_cap, &Manners::default())
}

/// Asks with a token for this project.
fn ask(service: &Service<'_>, path: &str, query: &str, project: &str) -> Reply {
    let headers = HeaderMap::new();
    let asked = Asked {
        method: "GET",
        path,
        query,
        headers: &headers,
        body: b"",
        number: 7,
        id: "request-7",
    };
    let caller = Caller::Token(Scope::Project(project.to_owned()));
    match Route::of(&asked) {
        Ok(Route::Instances { project }) => service.instances(&asked, &caller, project),
        Ok(Route::Tasks { project, instance }) => service.tasks(&asked, &caller, project, instance),
        other => panic!("{other:?}"),
    }
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

/// Asks with a token for the project with that position, checks that the refusal has the documented form, and returns
/// its status, code and message.
fn refused(world: &World, target: &str, project: usize) -> (u16, String, String) {
    let account = Account::new(3, world);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let service = Service {
        world,
        account: &account,
        manners: &Manners::default(),
        page_cap: None,
    };
    let reply = ask(&service, path, query, &account.projects[project].id);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    let code = body["error_code"].as_str().unwrap().to_owned();
    let message = body["error_msg"].as_str().unwrap().to_owned();
    let own = if code.starts_with("APIGW") {
        json!({"error_code": code, "error_msg": message, "request_id": "request-7"})
    } else {
        json!({"error_code": code, "error_msg": message, "error_ext_msg": null})
    };
    assert_eq!(body, own, "{target}");
    (reply.status, code, message)
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
            let refusal = refused(&world, &format!("{path}?{query}"), 0);
            let message = format!("Invalid {name} in the request.");
            assert_eq!(refusal, (400, code.to_owned(), message), "{path} {query}");
        }
    }
}

#[test]
fn every_other_refusal_has_its_documented_status_and_body() {
    let world = world();
    let (list, tasks) = paths(&world);
    let audit = Account::new(3, &world).projects[1].id.clone();
    let stranger = format!("/v2/{}/instances", "0".repeat(32));
    let absent = format!("{list}/00000000-0000-4000-8000-000000000000/tasks");
    let misnamed = format!("{list}/orders-cache/tasks");
    let empty = tasks.replace(world.project_id(), &audit);
    for (target, project, status, code, message) in [
        (
            "/v2/nonsense/instances",
            0,
            400,
            "DCS.4002",
            "Invalid project ID",
        ),
        (&*misnamed, 0, 400, "DCS.4061", "Invalid DCS instance ID"),
        (&stranger, 0, 401, "DCS.1004", "does not match"),
        (&list, 1, 401, "DCS.1004", "does not match"),
        (&list, 2, 401, "APIGW.0307", "another region"),
        (&absent, 0, 404, "DCS.3022", "does not exist"),
        (&empty, 1, 404, "DCS.3022", "does not exist"),
    ] {
        let (got, own, said) = refused(&world, target, project);
        assert_eq!((got, own.as_str()), (status, code), "{target}");
        assert!(said.contains(message), "{target}: {said}");
    }
}

#[test]
fn a_project_without_instances_has_an_empty_list() {
    let world = world();
    let account = Account::new(3, &world);
    let service = Service {
        world: &world,
        account: &account,
        manners: &Manners::default(),
        page_cap: None,
    };
    let audit = &account.projects[1].id;
    let reply = ask(&service, &format!("/v2/{audit}/instances"), "", audit);
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (200, "{\"instance_num\":0,\"instances\":[]}")
    );
}

#[test]
fn the_count_is_what_the_manners_make_of_it() {
    let world = world();
    let (list, tasks) = paths(&world);
    for (count, told) in [
        (Count::Total, json!(35)),
        (Count::Page, json!(4)),
        (Count::Text, json!("35")),
        (Count::Absent, Value::Null),
    ] {
        let manners = Manners {
            count,
            ..Manners::default()
        };
        let (_, body) = get_from(&world, &tasks, "limit=4", None, &manners);
        assert_eq!(body["task_count"], told, "{count:?}");
        assert_eq!(body.get("task_count").is_none(), count == Count::Absent);
        assert_eq!(body["tasks"].as_array().unwrap().len(), 4);
        let (_, body) = get_from(&world, &list, "limit=4", None, &manners);
        assert_eq!(
            body["instance_num"], 12,
            "the list of instances is not in question"
        );
    }
}

#[test]
fn a_cloud_that_hides_old_records_shows_them_to_whoever_asks_from_far_enough_back() {
    let mut world = world();
    let (_, tasks) = paths(&world);
    let window = 30 * DAY;
    let manners = Manners {
        window: Some(window),
        ..Manners::default()
    };
    let recent = |world: &World| {
        let since = world.now().millis() - window;
        let instance = world.instance_ids().next().unwrap();
        let all = world.tasks(instance);
        all.filter(|task| task.created_at.millis() >= since).count()
    };
    for _ in 0..2 {
        let (_, body) = get_from(&world, &tasks, "limit=1000", None, &manners);
        assert_eq!(
            body["task_count"],
            recent(&world),
            "the count hides them too"
        );
        let from_2000 = "limit=1000&start_time=20000101000000";
        let (_, body) = get_from(&world, &tasks, from_2000, None, &manners);
        assert!(body["task_count"].as_u64().unwrap() > recent(&world) as u64);
        world.advance(86_400_000);
    }
    assert!(recent(&world) > 0);
}

#[test]
fn a_filter_on_updates_keeps_what_ended_later_than_it_began() {
    let world = world();
    let (_, tasks) = paths(&world);
    let instance = world.instance_ids().next().unwrap();
    let truth: Vec<TaskRecord<'_>> = world.tasks(instance).collect();
    let task = truth
        .iter()
        .find(|task| task.updated_at.millis() - task.created_at.millis() > 60_000)
        .unwrap();
    // A bound between its two times: created before it, updated after it.
    let between = task.created_at.plus(30_000).to_string();
    let digits: String = between
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let query = format!("limit=1000&start_time={digits}");
    let bound = Timestamp::parse_upstream(&format!("{}Z", &between[..19])).unwrap();
    for (filter, shown) in [
        (Filter::Created, false),
        (Filter::Updated, true),
        (Filter::Ignored, true),
    ] {
        let manners = Manners {
            filter,
            ..Manners::default()
        };
        let (_, body) = get_from(&world, &tasks, &query, None, &manners);
        let ids: Vec<&str> = body["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|task| task["id"].as_str())
            .collect();
        let expected: Vec<&str> = truth
            .iter()
            .filter(|task| match filter {
                Filter::Created => task.created_at >= bound,
                Filter::Updated => task.updated_at >= bound,
                Filter::Ignored | Filter::Refused => true,
            })
            .map(|task| task.id.as_str())
            .collect();
        assert_eq!(ids, expected, "{filter:?}");
        assert_eq!(ids.contains(&task.id.as_str()), shown, "{filter:?}");
        assert_eq!(body["task_count"], expected.len());
    }
}
