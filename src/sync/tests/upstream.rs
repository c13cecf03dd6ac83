//! How the upstream behaves, met in passing: kept when it is first seen, told once when it is another, and never a reason to
//! prove more or less.

use super::{
    fake::{Asked, Reply},
    rules::{Cloud, HOUR, at, record},
    support::sync,
};
use crate::sync::outcome::Outcome;

/// A list of that many finished tasks, newest first.
fn tasks(count: i64) -> Vec<String> {
    let one = |minute: i64| record(&format!("t{minute}"), minute, "SUCCESS");
    (1..=count).rev().map(one).collect()
}

/// What the archive keeps, as `what finding`.
fn manners(cloud: &Cloud) -> Vec<String> {
    texts(
        cloud,
        "SELECT what || ' ' || finding FROM upstream ORDER BY what",
    )
}

/// The journal of what the upstream did.
fn drift(cloud: &Cloud) -> Vec<String> {
    texts(
        cloud,
        "SELECT sync_id || ' ' || what FROM drift WHERE kind = 'upstream' AND what LIKE '%, now %' ORDER BY sync_id, what",
    )
}

fn texts(cloud: &Cloud, sql: &str) -> Vec<String> {
    let archive = cloud.place.read();
    let mut statement = archive.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn complete(cloud: &Cloud) {
    let summary = cloud.sync_after(HOUR);
    assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
}

/// Lets a server answer with a body of its own.
fn answers(cloud: &Cloud, body: impl Fn(&Asked) -> String + Send + 'static) {
    let clock = std::sync::Arc::clone(&cloud.clock);
    cloud.fake.answer_with(Box::new(move |asked| {
        Reply::ok(body(asked), at(*clock.lock().unwrap()))
    }));
}

fn page(records: &[String], asked: &Asked, count: impl Fn(usize, usize) -> String) -> String {
    let shown: Vec<_> = records
        .iter()
        .skip(asked.offset)
        .take(asked.limit)
        .cloned()
        .collect();
    format!(
        r#"{{"task_count":{},"tasks":[{}]}}"#,
        count(shown.len(), records.len()),
        shown.join(",")
    )
}

#[test]
fn what_is_first_seen_is_kept_and_a_sync_that_sees_the_same_writes_nothing_of_it() {
    let cloud = Cloud::new(&tasks(5));
    complete(&cloud);
    let expected = [
        "count total",
        "count_type number",
        "default_window whole",
        "order newest first",
    ];
    assert_eq!(manners(&cloud), expected);
    let all = "SELECT host || what || finding || evidence || first_seen_at || last_seen_at FROM upstream ORDER BY what";
    let before = texts(&cloud, all);
    complete(&cloud);
    cloud.set(&tasks(7));
    complete(&cloud);
    assert_eq!(texts(&cloud, all), before);
    assert!(drift(&cloud).is_empty());
}

#[test]
fn a_count_in_another_form_is_told_once() {
    let cloud = Cloud::new(&tasks(5));
    complete(&cloud);
    let as_text = |asked: &Asked| page(&tasks(5), asked, |_, all| format!("\"{all}\""));
    answers(&cloud, as_text);
    complete(&cloud);
    let told = ["2 count_type at 127.0.0.1: number, now text"];
    assert_eq!(drift(&cloud), told);
    assert!(manners(&cloud).contains(&"count_type text".to_owned()));
    complete(&cloud);
    assert_eq!(drift(&cloud), told);
    // It goes back, which is another change, and then does the first one again.
    answers(&cloud, |asked| {
        page(&tasks(5), asked, |_, all| all.to_string())
    });
    complete(&cloud);
    answers(&cloud, as_text);
    complete(&cloud);
    let told = [
        "2 count_type at 127.0.0.1: number, now text",
        "4 count_type at 127.0.0.1: text, now number",
    ];
    assert_eq!(drift(&cloud), told);
    assert!(manners(&cloud).contains(&"count_type text".to_owned()));
}

#[test]
fn a_count_that_becomes_that_of_the_page_is_found_and_the_proof_rests_on_two_equal_walks() {
    let cloud = Cloud::new(&tasks(5));
    let in_pages_of_two = || {
        let summary = sync(&cloud.fake, &cloud.place, 2);
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
    };
    in_pages_of_two();
    answers(&cloud, |asked| {
        page(&tasks(5), asked, |shown, _| shown.to_string())
    });
    in_pages_of_two();
    assert_eq!(drift(&cloud), ["2 count at 127.0.0.1: total, now no total"]);
    assert_eq!(
        cloud
            .place
            .text("SELECT reason FROM walks ORDER BY walk_id DESC LIMIT 1")
            .as_deref(),
        Some("two walks in a row received the same")
    );
    assert_eq!(cloud.place.count("SELECT count(*) FROM tasks"), 5);
}

#[test]
fn an_order_that_turns_round_is_found() {
    let cloud = Cloud::new(&tasks(5));
    complete(&cloud);
    let mut turned = tasks(5);
    turned.reverse();
    cloud.set(&turned);
    complete(&cloud);
    let told = ["2 order at 127.0.0.1: newest first, now oldest first"];
    assert_eq!(drift(&cloud), told);
}

#[test]
fn pages_that_are_cut_and_a_limit_that_is_refused_are_found() {
    let cloud = Cloud::new(&tasks(1_200));
    complete(&cloud);
    assert!(manners(&cloud).contains(&"page_limit served".to_owned()));
    cloud.filtered(|_, records| records);
    let cut = |asked: &Asked| {
        let asked = Asked {
            limit: asked.limit.min(500),
            ..asked.clone()
        };
        page(&tasks(1_200), &asked, |_, all| all.to_string())
    };
    answers(&cloud, cut);
    // A day later the whole list is read again.
    let summary = cloud.sync_after(24 * HOUR);
    assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
    assert_eq!(
        drift(&cloud),
        ["2 page_limit at 127.0.0.1: served, now cut"]
    );
    let clock = std::sync::Arc::clone(&cloud.clock);
    cloud.fake.answer_with(Box::new(move |asked| {
        let date = at(*clock.lock().unwrap());
        if asked.limit > 100 {
            return Reply {
                body: r#"{"error_code":"DCS.4062","error_msg":"Invalid limit in the request."}"#
                    .to_owned(),
                ..Reply::failed(400, "DCS.4062", date)
            };
        }
        Reply::ok(page(&tasks(1_200), asked, |_, all| all.to_string()), date)
    }));
    let summary = cloud.sync_after(24 * HOUR);
    assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
    assert_eq!(
        drift(&cloud)[1],
        "3 page_limit at 127.0.0.1: cut, now refused"
    );
}

#[test]
fn a_window_that_comes_in_later_is_a_change_and_one_without_old_records_is_none() {
    let cloud = Cloud::new(&tasks(5));
    complete(&cloud);
    cloud.filtered(|asked, records| match asked.start {
        Some(_) => records,
        None => records[..3].to_vec(),
    });
    complete(&cloud);
    let told = ["2 default_window at 127.0.0.1: whole, now hides old records"];
    assert_eq!(drift(&cloud), told);
    cloud.filtered(|_, records| records);
    complete(&cloud);
    assert_eq!(drift(&cloud), told);
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
        0
    );
}

#[test]
fn a_sync_that_something_stopped_leaves_it_to_the_next_one() {
    let cloud = Cloud::new(&tasks(5));
    let clock = std::sync::Arc::clone(&cloud.clock);
    cloud.fake.answer_with(Box::new(move |asked| {
        let date = at(*clock.lock().unwrap());
        if asked.start.is_none() {
            return Reply::failed(401, "APIGW.0301", date);
        }
        Reply::ok(page(&tasks(5), asked, |_, all| all.to_string()), date)
    }));
    let summary = cloud.sync_after(HOUR);
    assert!(summary.stopped.is_some());
    assert!(manners(&cloud).is_empty());
}
