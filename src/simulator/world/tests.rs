use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::time::{HOUR, MINUTE};

fn world(instances: usize, tasks: usize) -> World {
    World::new(Options {
        seed: 7,
        instances,
        tasks,
    })
}

/// Everything that can be seen of a world, as text.
fn portrait(world: &World) -> String {
    let instances: Vec<InstanceRecord<'_>> = world.instances().collect();
    let mut text = format!(
        "{} {}\n",
        world.now(),
        serde_json::to_string(&instances).unwrap()
    );
    for id in world.instance_ids() {
        for task in world.tasks(id) {
            text.push_str(&serde_json::to_string(&task).unwrap());
            text.push('\n');
        }
    }
    text
}

fn only(world: &World) -> String {
    world.instance_ids().next().unwrap().to_owned()
}

fn hours(count: i64) -> u64 {
    u64::try_from(count * HOUR).unwrap()
}

#[test]
fn the_clock_starts_where_the_documentation_says() {
    assert_eq!(world(1, 0).now().to_string(), "2026-10-01T00:00:00.000Z");
    // Without instances: eight thousand years of tasks would take a while.
    let mut late = world(0, 0);
    late.now = END - 5;
    late.advance(u64::MAX);
    assert_eq!(late.now().to_string(), "9999-12-31T23:59:59.999Z");
}

#[test]
fn the_same_seed_is_the_same_world_and_another_seed_another() {
    let at = |seed| {
        let mut world = World::new(Options {
            seed,
            ..Options::default()
        });
        world.advance(hours(500));
        portrait(&world)
    };
    assert_eq!(at(1), at(1));
    assert_ne!(at(1), at(2));
}

#[test]
fn a_minute_at_once_and_sixty_seconds_are_the_same() {
    let mut once = world(3, 10);
    let mut often = once.clone();
    for _ in 0..600 {
        once.advance(60_000);
        (0..60).for_each(|_| often.advance(1000));
        assert_eq!(once.now(), often.now());
    }
    assert_eq!(portrait(&once), portrait(&often));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_world_does_not_depend_on_the_sizes_of_the_steps(
        seed: u64,
        steps in proptest::collection::vec(0_u64..40_000_000, 0..40),
    ) {
        let options = Options { seed, instances: 2, tasks: 5 };
        let mut whole = World::new(options);
        let mut stepped = World::new(options);
        whole.advance(steps.iter().sum());
        for step in steps {
            stepped.advance(step);
        }
        prop_assert_eq!(portrait(&whole), portrait(&stepped));
    }
}

#[test]
fn more_instances_change_nothing_for_the_first_ones() {
    let (mut few, mut many) = (world(2, 10), world(5, 10));
    few.advance(hours(100));
    many.advance(hours(100));
    let first: Vec<_> = few.tasks(&only(&few)).collect();
    let same: Vec<_> = many.tasks(&only(&many)).collect();
    // The ids of the project's users are the same too, since the seed is.
    assert_eq!(first, same);
}

#[test]
fn the_history_has_as_many_tasks_as_asked_for_all_of_them_before_the_start() {
    for tasks in [0, 1, 2, 40, 1000, 20_000] {
        let world = world(2, tasks);
        for (number, id) in world.instance_ids().enumerate() {
            let listed: Vec<_> = world.tasks(id).collect();
            assert_eq!(listed.len(), tasks);
            assert!(listed.iter().all(|task| task.created_at < world.now()));
            assert!(listed.iter().all(|task| task.updated_at <= world.now()));
            assert!(
                listed
                    .iter()
                    .all(|task| task.created_at.millis() >= START - HISTORY)
            );
            let running = listed
                .iter()
                .filter(|task| task.status == "EXECUTING")
                .count();
            assert_eq!(running, usize::from(number == 0 && tasks > 0), "{tasks}");
        }
    }
}

#[test]
fn tasks_are_listed_newest_first_under_ids_that_are_their_own() {
    let mut world = world(3, 200);
    world.advance(hours(1000));
    let mut ids = Vec::new();
    for instance in world.instance_ids() {
        let listed: Vec<_> = world.tasks(instance).collect();
        assert!(listed.is_sorted_by(|newer, older| newer.created_at > older.created_at));
        ids.extend(listed.into_iter().map(|task| {
            assert_eq!(task::created_of(&task.id), Some(task.created_at.millis()));
            task.id
        }));
    }
    let total = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), total);
    assert!(ids.iter().all(|id| id.len() == 32));
}

#[test]
fn a_running_task_is_touched_then_finishes_and_stays_as_it_is() {
    let mut world = world(1, 5);
    let instance = only(&world);
    let first = world.tasks(&instance).next().unwrap();
    assert_eq!(first.status, "EXECUTING");
    let (id, touched) = (first.id, first.updated_at);
    world.advance(50_000);
    let now = world.tasks(&instance).find(|task| task.id == id).unwrap();
    assert_eq!((now.status, now.updated_at > touched), ("EXECUTING", true));
    world.advance(hours(1));
    let done = world
        .tasks(&instance)
        .find(|task| task.id == id)
        .map(|task| format!("{task:?}"));
    assert!(
        done.as_ref()
            .is_some_and(|text| !text.contains("EXECUTING"))
    );
    world.advance(hours(1));
    let later = world
        .tasks(&instance)
        .find(|task| task.id == id)
        .map(|task| format!("{task:?}"));
    assert_eq!(done, later);
}

#[test]
fn the_rates_are_about_what_the_documentation_says() {
    let mut world = world(1, 0);
    let instance = only(&world);
    // A start about every two hours makes 1000.
    world.advance(hours(2000));
    // The last four digits of an id count the starts.
    let newest = world.tasks(&instance).next().unwrap().id;
    let started = usize::from_str_radix(&newest[28..], 16).unwrap() + 1;
    let gone = started - world.tasks(&instance).len();
    let mut failed = 0;
    for task in world.tasks(&instance) {
        failed += usize::from(task.status == "FAILED");
        if task.status != "EXECUTING" {
            let ran = task.updated_at.distance(task.created_at);
            assert!((MINUTE / 2..=40 * MINUTE).contains(&ran), "{ran}");
        }
    }
    assert!((900..1100).contains(&started), "{started}");
    assert!((15..40).contains(&gone), "{gone}");
    assert!((40..110).contains(&failed), "{failed}");
}

#[test]
fn old_values_are_what_the_last_success_left_and_the_list_of_instances_agrees() {
    for seed in 0..4 {
        let mut world = World::new(Options {
            seed,
            instances: 3,
            tasks: 0,
        });
        let ids: Vec<String> = world.instance_ids().map(str::to_owned).collect();
        // Records get removed; collecting them as they come keeps the chain whole.
        let mut seen: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        let initial: Vec<Value> = world
            .instances()
            .map(|one| serde_json::to_value(one).unwrap())
            .collect();
        for _ in 0..200 * 6 {
            world.advance(600_000);
            for id in &ids {
                for task in world.tasks(id).take(20) {
                    let key = format!("{} {}", task.updated_at, task.id);
                    if task.status == "SUCCESS" {
                        seen.entry(id.clone())
                            .or_default()
                            .insert(key, task.details);
                    }
                }
            }
        }
        for (number, record) in world.instances().enumerate() {
            let mut port = initial[number]["port"].clone();
            let mut spec = initial[number]["spec_code"].clone();
            let mut public = false;
            for details in seen[record.instance_id].values() {
                if let Some(old) = details.get("old_port") {
                    assert_eq!(*old, port);
                    port = details["new_port"].clone();
                }
                if let Some(old) = details.get("old_resource_spec_code") {
                    assert_eq!(without_replicas(old), without_replicas(&spec));
                    spec = details["new_resource_spec_code"].clone();
                }
                if let Some(enabled) = details.get("enable_public_ip") {
                    assert_ne!(*enabled, Value::Bool(public));
                    public = !public;
                }
            }
            assert_eq!(Value::from(record.port), port);
            assert_eq!(record.enable_publicip, public);
            assert_eq!(
                without_replicas(&record.spec_code.into()),
                without_replicas(&spec)
            );
        }
    }
}

/// A specification code without its number of replicas, which operations on replicas change too.
fn without_replicas(code: &Value) -> String {
    let parts: Vec<&str> = code.as_str().unwrap().split('.').collect();
    let replicas = |part: &&&str| !(part.len() == 2 && part.starts_with('r'));
    parts
        .iter()
        .filter(replicas)
        .copied()
        .collect::<Vec<_>>()
        .join(".")
}

#[test]
fn every_operation_and_both_names_of_a_resize_happen() {
    let world = world(6, 300);
    let mut names: Vec<&str> = Vec::new();
    for id in world.instance_ids() {
        names.extend(world.tasks(id).map(|task| task.name));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names,
        [
            "AddReplica",
            "AddWhitelist",
            "BindEip",
            "ChangeInstanceSpec",
            "DelReplica",
            "DeleteAcl",
            "EXTEND",
            "UnBindEip",
            "UpdatePort",
            "masterStandbySwapJob",
            "modify"
        ]
    );
}

#[test]
fn a_deleted_record_is_gone_and_the_others_stay() {
    let mut world = world(2, 10);
    let instance = only(&world);
    let ids: Vec<String> = world.tasks(&instance).map(|task| task.id).collect();
    for wrong in ["", "nonsense", &ids[3].replace(char::is_numeric, "a")] {
        assert!(!world.delete_task(&instance, wrong), "{wrong}");
    }
    assert!(world.delete_task(&instance, &ids[3]));
    assert!(!world.delete_task(&instance, &ids[3]));
    // The running task's record can be deleted as well, and the task goes on without one.
    assert!(world.delete_task(&instance, &ids[0]));
    world.advance(hours(1));
    let left: Vec<String> = world.tasks(&instance).map(|task| task.id).collect();
    assert_eq!(left[left.len() - 8..], [&ids[1..3], &ids[4..]].concat());
}

#[test]
fn a_deleted_instance_is_gone_and_the_others_live_on_as_they_would_have() {
    let mut world = world(3, 10);
    let mut whole = world.clone();
    let instance = only(&world);
    assert!(world.delete_instance(&instance));
    assert!(!world.delete_instance(&instance));
    assert_eq!(world.instances().len(), 2);
    assert_eq!(world.tasks(&instance).len(), 0);
    assert_eq!(world.task_page(&instance, &Selection::ALL, 0, 10), None);
    world.advance(hours(50));
    whole.advance(hours(50));
    let other = only(&world);
    assert!(world.tasks(&other).eq(whole.tasks(&other)));
}

#[test]
fn instances_are_listed_newest_first_each_with_a_name_of_its_own() {
    let world = world(20, 0);
    let listed: Vec<_> = world.instances().collect();
    assert!(listed.is_sorted_by(|newer, older| newer.created_at > older.created_at));
    assert_eq!(listed[0].name, "orders-cache");
    assert_eq!(listed[8].name, "orders-cache-2");
    let mut names: Vec<&str> = listed.iter().map(|one| one.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 20);
}

#[test]
fn pages_tile_the_list_exactly() {
    let world = world(1, 57);
    let instance = only(&world);
    let all: Vec<_> = world.tasks(&instance).collect();
    for limit in [1, 7, 10, 57, 1000] {
        let mut tiled = Vec::new();
        loop {
            let page = world
                .task_page(&instance, &Selection::ALL, tiled.len(), limit)
                .unwrap();
            assert_eq!(page.total, 57);
            if page.records.is_empty() {
                break;
            }
            tiled.extend(page.records);
        }
        assert_eq!(tiled, all, "{limit}");
    }
    let past = world
        .task_page(&instance, &Selection::ALL, usize::MAX, 10)
        .unwrap();
    assert_eq!((past.total, past.records.len()), (57, 0));
}
