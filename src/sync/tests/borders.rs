//! What slips through between two pages of a list that shows the records of one time in another order with each answer.

use std::sync::{Arc, Mutex};

use super::fake::{Fake, Reply};
use super::rules::{HOUR, at, record};
use super::support::{Place, Run};
use crate::model::time::DAY;
use crate::sync::outcome::Outcome;

/// A server that shows another list with each request, and at last the same one.
struct Cloud {
    fake: Fake,
    place: Place,
    lists: Arc<Mutex<Vec<&'static str>>>,
    clock: Arc<Mutex<i64>>,
}

/// Letters are newer than the digits after them, and all digits are of one time.
fn records(list: &str) -> Vec<String> {
    let minute = |name: char| match name {
        'a'..='z' => 100 - i64::from(u32::from(name) - u32::from('a')),
        'A'..='Z' => -100,
        _ => 0,
    };
    list.chars()
        .map(|name| record(&name.to_string(), minute(name), "SUCCESS"))
        .collect()
}

impl Cloud {
    fn new() -> Self {
        let cloud = Self {
            fake: Fake::start(),
            place: Place::new(),
            lists: Arc::default(),
            clock: Arc::new(Mutex::new(DAY)),
        };
        let (lists, clock) = (Arc::clone(&cloud.lists), Arc::clone(&cloud.clock));
        cloud.fake.answer_with(Box::new(move |asked| {
            let mut lists = lists.lock().unwrap();
            let list = if lists.len() > 1 {
                lists.remove(0)
            } else {
                lists[0]
            };
            let all = records(list);
            let end = all.len().min(asked.offset + asked.limit);
            let page = all[asked.offset.min(end)..end].join(",");
            let body = format!(r#"{{"task_count":{},"tasks":[{page}]}}"#, all.len());
            Reply::ok(body, at(*clock.lock().unwrap()))
        }));
        cloud
    }

    /// Reads the list in pages of three, an hour later; returns how many walks it took and what is missing.
    fn sync(&self, lists: &[&'static str]) -> (u32, String) {
        *self.clock.lock().unwrap() += HOUR;
        *self.lists.lock().unwrap() = lists.to_vec();
        let run = Run {
            page_size: 3,
            concurrency: 1,
            ..Run::of(&self.fake.address)
        };
        let summary = run.sync(&self.place).unwrap();
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
        let missing = self.place.text(
            "SELECT coalesce(group_concat(task_id || iif(missing_confirmed_at IS NULL, '?', ''), ' '), '')
             FROM (SELECT * FROM tasks WHERE missing_since IS NOT NULL ORDER BY task_id)",
        );
        (summary.instances[0].walks, missing.unwrap())
    }
}

#[test]
fn what_slips_through_between_two_pages_is_not_called_missing() {
    let cloud = Cloud::new();
    assert_eq!(cloud.sync(&["abc123"]), (1, String::new()));
    // Before the third page 1 goes, 3 moves above the border, where 2 stays, and an old record shows that was not there: the
    // count is the same, the pages overlap, nothing comes twice, and 3 was there throughout.
    let (walks, missing) = cloud.sync(&["abc123", "abc123", "abc32Z"]);
    // The second walk has 3, and finds that 1 is not there; the third finds the same.
    assert_eq!((walks, missing.as_str()), (3, "1?"));
    let reasons = "SELECT group_concat(reason, ' | ') FROM (SELECT reason FROM walks ORDER BY walk_id LIMIT 2 OFFSET 1)";
    let slipped = "it lacks known tasks, and 1 of them may have slipped through between two pages: they have the time of a record at a page's border";
    assert_eq!(
        cloud.place.text(reasons),
        Some(format!("{slipped} | {slipped}"))
    );
}

#[test]
fn what_nobody_knows_yet_slips_through_until_the_next_walk() {
    let cloud = Cloud::new();
    cloud.sync(&["abc12"]);
    // The same as above; nothing in these answers differs from those of a list that never had 3.
    let pages = ["abc123", "abc123", "abc32Z"];
    assert_eq!(cloud.sync(&pages), (1, String::new()));
    let new = "SELECT count(*) FROM tasks WHERE task_id = '3'";
    assert_eq!(cloud.place.count(new), 0);
    cloud.sync(&["abc32Z"]);
    assert_eq!(cloud.place.count(new), 1);
}

#[test]
fn an_absence_at_a_border_costs_one_more_walk_when_it_is_noted_and_when_it_is_confirmed() {
    let cloud = Cloud::new();
    cloud.sync(&["abc123"]);
    assert_eq!(cloud.sync(&["abc12"]), (2, "3?".to_owned()));
    assert_eq!(cloud.sync(&["abc12"]), (2, "3".to_owned()));
    assert_eq!(cloud.sync(&["abc12"]), (1, "3".to_owned()));
    // One of another time than the records at the borders costs nothing.
    assert_eq!(cloud.sync(&["ac12"]), (1, "3 b?".to_owned()));
}

#[test]
fn a_list_of_one_page_has_no_border() {
    let cloud = Cloud::new();
    cloud.sync(&["a12"]);
    cloud.sync(&["a123"]);
    assert_eq!(cloud.sync(&["a1"]), (1, "2? 3?".to_owned()));
}
