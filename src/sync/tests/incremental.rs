//! The incremental walk, rule by rule: each test fails when its rule is taken out.

use std::sync::{Arc, Mutex};

use super::fake::Reply;
use super::rules::{Cloud, HOUR, at, record};
use super::support::{RULES, Run};
use crate::model::time::{DAY, MINUTE};
use crate::sync::outcome::Outcome;
use crate::sync::plan::Rules;

/// So many tasks, newest first, the newest a few hours old; all finished.
fn tasks(count: i64) -> Vec<String> {
    (0..count)
        .rev()
        .map(|number| done(&format!("t{number:04}"), number))
        .collect()
}

fn done(id: &str, hour: i64) -> String {
    record(id, hour * 60 - 200 * 60, "SUCCESS")
}

fn sync(cloud: &Cloud, millis: i64) -> Outcome {
    sync_by(cloud, millis, RULES)
}

fn sync_by(cloud: &Cloud, millis: i64, rules: Rules) -> Outcome {
    *cloud.clock.lock().unwrap() += millis;
    let wall = at(*cloud.clock.lock().unwrap());
    let run = Run {
        rules,
        wall,
        ..Run::of(&cloud.fake.address)
    };
    run.sync(&cloud.place).unwrap().outcome
}

/// The walks so far, each as its kind, whether it is proven, and what it received.
fn walks(cloud: &Cloud) -> Vec<String> {
    let archive = cloud.place.read();
    let mut statement = archive
        .prepare("SELECT kind || iif(proven, ' proven ', ' unproven ') || received FROM walks ORDER BY walk_id")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn last_walk(cloud: &Cloud) -> String {
    walks(cloud).pop().unwrap()
}

/// A cloud whose list was read whole just now.
fn read_whole(records: &[String]) -> Cloud {
    let cloud = Cloud::new(records);
    assert_eq!(sync(&cloud, 0), Outcome::Complete);
    cloud.requests();
    cloud
}

#[test]
fn a_quiet_instance_costs_one_small_request() {
    let cloud = read_whole(&tasks(150));
    for _ in 0..3 {
        assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
        assert_eq!(cloud.requests(), 1);
    }
    // The tasks of the day before the mark, the one at its edge, and a few more.
    assert_eq!(last_walk(&cloud), "incremental proven 33");
    assert_eq!(
        cloud.place.count("SELECT count(*) FROM task_revisions"),
        150
    );
}

#[test]
fn an_open_task_is_waited_for_whatever_clock_noted_it() {
    let mut list = tasks(150);
    list[140] = record("t0009", 9 * 60 - 200 * 60, "EXECUTING");
    let cloud = Cloud::new(&[]);
    let records = Arc::new(Mutex::new(list));
    let (shown, mut is_first) = (Arc::clone(&records), true);
    cloud.fake.answer_with(Box::new(move |asked| {
        let shown = shown.lock().unwrap();
        let end = shown.len().min(asked.offset + asked.limit);
        let page = shown[asked.offset.min(end)..end].join(",");
        let total = shown.len();
        let body = format!(r#"{{"task_count":{total},"tasks":[{page}]}}"#);
        // The first answer does not tell the time, and this machine's clock is twenty years ahead.
        let date = (!std::mem::take(&mut is_first)).then(|| at(DAY));
        Reply {
            status: 200,
            body,
            date,
        }
    }));
    let run = Run {
        wall: at(20 * 365 * DAY),
        ..Run::of(&cloud.fake.address)
    };
    assert_eq!(run.sync(&cloud.place).unwrap().outcome, Outcome::Complete);
    let began = cloud.place.text("SELECT max(started_at) FROM walks");
    assert!(began < Some(at(2 * DAY).to_string()), "{began:?}");
    records.lock().unwrap()[140] = done("t0009", 9);
    assert_eq!(run.sync(&cloud.place).unwrap().outcome, Outcome::Complete);
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM tasks WHERE NOT is_final"),
        0
    );
}

#[test]
fn new_tasks_and_a_finished_one_are_caught_up_with_and_move_the_mark() {
    let mut list = tasks(150);
    list[40] = record("t0109", 109 * 60 - 200 * 60, "EXECUTING");
    let cloud = read_whole(&list);
    let mark = || cloud.place.text("SELECT high_water_mark FROM instances");
    let before = mark();
    list[40] = done("t0109", 109);
    list.insert(0, record("new", 60, "EXECUTING"));
    cloud.set(&list);
    assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
    // Down to the open task, which lies deeper than the mark.
    assert_eq!(last_walk(&cloud), "incremental proven 49");
    assert_eq!(cloud.requests(), 1);
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM tasks WHERE is_final"),
        150
    );
    assert!(mark() > before);
    assert_eq!(
        cloud.place.text("SELECT last_proven_at FROM instances"),
        cloud.place.text("SELECT max(started_at) FROM walks")
    );
    assert_eq!(
        cloud.place.text("SELECT last_full_at FROM instances"),
        cloud.place.text("SELECT min(started_at) FROM walks")
    );
}

#[test]
fn more_new_tasks_than_expected_cost_another_request() {
    let mut list = tasks(150);
    let cloud = read_whole(&list);
    for number in 0..40 {
        list.insert(0, record(&format!("new{number}"), number, "SUCCESS"));
    }
    cloud.set(&list);
    assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "incremental proven 190");
    assert_eq!(cloud.requests(), 2);
}

#[test]
fn a_deletion_or_a_late_old_record_calls_for_a_full_walk_in_the_same_sync() {
    let whole = tasks(150);
    let mut late = whole.clone();
    late.insert(140, record("late", -12_000 + 60 * 9 + 30, "SUCCESS"));
    let mut shorter = whole.clone();
    shorter.remove(140);
    for (list, received, tasks) in [(late, 151, 151), (shorter, 149, 150)] {
        let cloud = read_whole(&whole);
        cloud.set(&list);
        assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
        let walks = walks(&cloud);
        assert_eq!(walks[1], "incremental unproven 33");
        assert_eq!(walks[2], format!("full proven {received}"));
        assert_eq!(cloud.place.count("SELECT count(*) FROM tasks"), tasks);
    }
}

#[test]
fn a_task_called_missing_is_not_counted_and_its_return_is() {
    let whole = tasks(150);
    let cloud = read_whole(&whole);
    let mut shorter = whole.clone();
    shorter.remove(5);
    cloud.set(&shorter);
    assert_eq!(sync(&cloud, HOUR), Outcome::Complete);
    assert_eq!(cloud.missing(), ["t0144 removed?"]);
    assert_eq!(sync(&cloud, MINUTE), Outcome::Complete);
    assert!(last_walk(&cloud).starts_with("incremental proven"));
    cloud.set(&whole);
    assert_eq!(sync(&cloud, MINUTE), Outcome::Complete);
    assert!(last_walk(&cloud).starts_with("incremental proven"));
    assert_eq!(cloud.missing(), [""; 0]);
}

#[test]
fn a_list_in_another_order_or_with_a_repeat_is_always_read_whole() {
    let mut shuffled = tasks(150);
    shuffled.swap(3, 140);
    let mut repeated = tasks(150);
    repeated.insert(7, repeated[7].clone());
    for list in [shuffled, repeated] {
        let cloud = read_whole(&list);
        assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
        assert!(last_walk(&cloud).starts_with("full proven"));
    }
}

#[test]
fn a_list_that_loses_its_order_is_noticed() {
    let mut list = tasks(150);
    let cloud = read_whole(&list);
    list.swap(3, 9);
    cloud.set(&list);
    assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
    assert_eq!(
        cloud
            .place
            .text("SELECT reason FROM walks WHERE kind = 'incremental'")
            .as_deref(),
        Some("the records are not newest first")
    );
    assert_eq!(last_walk(&cloud), "full proven 150");
}

#[test]
fn a_rejected_record_at_the_top_calls_for_a_full_walk_and_one_below_is_counted() {
    let mut list = tasks(150);
    list.insert(140, "17".to_owned());
    let cloud = Cloud::new(&list);
    assert_eq!(sync(&cloud, 0), Outcome::Partial);
    assert_eq!(sync(&cloud, MINUTE), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "incremental proven 33");
    list.insert(1, "18".to_owned());
    cloud.set(&list);
    assert_eq!(sync(&cloud, MINUTE), Outcome::Partial);
    let walks = walks(&cloud);
    assert_eq!(walks[2..], ["incremental unproven 33", "full proven 152"]);
}

#[test]
fn a_task_that_hangs_is_left_to_the_full_walk_after_a_week() {
    let mut list = tasks(199);
    list[149] = record("t0049", 49 * 60 - 200 * 60, "EXECUTING");
    let cloud = read_whole(&list);
    let rarely = Rules {
        full_every: None,
        ..RULES
    };
    assert_eq!(sync_by(&cloud, HOUR, rarely), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "incremental proven 158");
    assert_eq!(sync_by(&cloud, 7 * DAY, rarely), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "incremental proven 33");
}

#[test]
fn a_full_walk_comes_when_it_is_due_or_asked_for() {
    let cloud = read_whole(&tasks(150));
    assert_eq!(sync(&cloud, 19 * HOUR), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "incremental proven 33");
    assert_eq!(sync(&cloud, HOUR), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "full proven 150");
    let asked = Rules {
        mode: crate::sync::plan::Mode::Full,
        ..RULES
    };
    assert_eq!(sync_by(&cloud, MINUTE, asked), Outcome::Complete);
    assert_eq!(last_walk(&cloud), "full proven 150");
}

#[test]
fn a_count_that_stops_being_a_total_is_not_believed_any_more() {
    let cloud = read_whole(&tasks(150));
    cloud.filtered(|asked, records| {
        let end = records.len().min(asked.offset + asked.limit);
        records[..end].to_vec()
    });
    assert_eq!(sync(&cloud, 15 * MINUTE), Outcome::Complete);
    let walks = walks(&cloud);
    assert_eq!(walks[1], "incremental unproven 33");
    assert!(walks.last().unwrap().starts_with("full proven"));
}
