//! What a profile may say of an upstream: which statuses end a task, and that its counts are wrong for good.

use super::{
    fake::{Asked, Fake, Reply},
    rules::{Cloud, HOUR, at, list, record},
    support::{Place, Run},
};
use crate::model::time::DAY;
use crate::sync::{Summary, outcome::Outcome};

fn ending_at(cloud: &Cloud, finals: &[&str]) -> Summary {
    let run = Run {
        final_statuses: finals,
        ..Run::of(&cloud.fake.address)
    };
    run.sync(&cloud.place).unwrap()
}

fn open(place: &Place) -> [i64; 3] {
    [
        "SELECT count(*) FROM tasks WHERE is_final = 0",
        "SELECT open_tasks FROM instances",
        "SELECT count(*) FROM tasks WHERE duration_ms IS NULL",
    ]
    .map(|sql| place.count(sql))
}

#[test]
fn a_status_said_to_be_final_ends_the_tasks_that_have_it_and_those_to_come() {
    let cloud = Cloud::new(&[record("b", 2, "Finished"), record("a", 1, "RUNNING")]);
    cloud.sync_after(0);
    assert_eq!(open(&cloud.place), [2; 3]);
    ending_at(&cloud, &["finished", "", "success"]);
    assert_eq!(open(&cloud.place), [1; 3]);
    // The archive remembers, in whatever way the status is written.
    cloud.set(&[
        record("c", 3, " FINISHED "),
        record("b", 2, "Finished"),
        record("a", 1, "RUNNING"),
    ]);
    cloud.sync_after(HOUR);
    assert_eq!(open(&cloud.place), [1; 3]);
    assert_eq!(cloud.place.count("SELECT count(*) FROM tasks"), 3);
    // One that was never met is remembered too.
    ending_at(&cloud, &["done"]);
    cloud.set(&[record("d", 4, "DONE")]);
    cloud.sync_after(HOUR);
    assert_eq!(
        cloud
            .place
            .count("SELECT is_final FROM tasks WHERE task_id = 'd'"),
        1
    );
    assert_eq!(open(&cloud.place), [1; 3]);
}

/// A server whose count is three too high, whatever it holds.
fn miscounting(fake: &Fake, records: Vec<String>) {
    fake.answer_with(Box::new(move |asked: &Asked| {
        let page: Vec<String> = records
            .iter()
            .skip(asked.offset)
            .take(asked.limit)
            .cloned()
            .collect();
        let counted = format!(r#""task_count":{}"#, records.len() + 3);
        let body = list(&page).replacen(&format!(r#""task_count":{}"#, page.len()), &counted, 1);
        Reply::ok(body, at(DAY))
    }));
}

#[test]
fn a_count_that_is_wrong_for_good_is_ignored_where_a_profile_says_so() {
    let (fake, place) = (Fake::start(), Place::new());
    let records: Vec<String> = (0..9)
        .rev()
        .map(|minute| record(&format!("t{minute}"), minute, "SUCCESS"))
        .collect();
    miscounting(&fake, records.clone());
    let heeding = Run {
        page_size: 4,
        ..Run::of(&fake.address)
    };
    let ignoring = Run {
        ignore_total: true,
        page_size: 4,
        ..Run::of(&fake.address)
    };
    let summary = heeding.sync(&place).unwrap();
    assert_eq!(summary.outcome, Outcome::Partial);
    assert!(summary.instances[0].is_short_of_its_count, "{summary:?}");
    let summary = ignoring.sync(&place).unwrap();
    assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
    // Two equal walks each time, never an incremental one.
    assert_eq!(summary.instances[0].walks, 2);
    assert_eq!(ignoring.sync(&place).unwrap().instances[0].walks, 2);
    assert_eq!(
        place.count("SELECT count(*) FROM walks WHERE kind <> 'full'"),
        0
    );
    assert_eq!(
        place.text("SELECT reason FROM walks ORDER BY walk_id DESC LIMIT 1"),
        Some("two walks in a row received the same".to_owned())
    );
    // An emptied list is not believed while its count says that there must be records.
    miscounting(&fake, Vec::new());
    let summary = ignoring.sync(&place).unwrap();
    assert_ne!(summary.outcome, Outcome::Complete, "{summary:?}");
    assert_eq!(
        place.count("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
        0
    );
    // What is ignored is not forgotten: a run that heeds the count is as strict as before.
    miscounting(&fake, records);
    assert_eq!(heeding.sync(&place).unwrap().outcome, Outcome::Partial);
}
