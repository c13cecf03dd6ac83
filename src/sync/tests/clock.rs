//! By which clock a page is judged where not every answer tells the time: one clock for each walk, which its line in the
//! ledger shows, so that the archive's own proof comes to the same end.

use std::sync::{Arc, Mutex};

use super::fake::{Fake, Reply};
use super::rules::{at, record};
use super::support::{Place, Run};
use crate::model::finding::Weight;
use crate::model::time::{DAY, HOUR, MINUTE};
use crate::store::verify;
use crate::sync::{READING, outcome::Outcome};

/// A server whose clock stays at noon; this machine's is three days ahead of it.
struct Cloud {
    fake: Fake,
    place: Place,
    records: Arc<Mutex<Vec<String>>>,
    /// So many answers come without a date.
    undated: Arc<Mutex<u32>>,
}

impl Cloud {
    fn new() -> Self {
        let cloud = Self {
            fake: Fake::start(),
            place: Place::new(),
            records: Arc::new(Mutex::new(Vec::new())),
            undated: Arc::new(Mutex::new(0)),
        };
        let (records, undated) = (Arc::clone(&cloud.records), Arc::clone(&cloud.undated));
        cloud.fake.answer_with(Box::new(move |asked| {
            let all = records.lock().unwrap();
            let end = all.len().min(asked.offset + asked.limit);
            let page = all[asked.offset.min(end)..end].join(",");
            let mut undated = undated.lock().unwrap();
            let is_dated = *undated == 0;
            *undated = undated.saturating_sub(1);
            Reply {
                status: 200,
                body: format!(r#"{{"task_count":{},"tasks":[{page}]}}"#, all.len()),
                date: is_dated.then(|| at(0)),
            }
        }));
        cloud
    }

    /// Syncs a list whose first record was last changed in that minute, in pages of two; so many answers come undated.
    fn sync(&self, minute: i64, undated: u32) {
        let first = record("t", 0, "EXECUTING").replace(
            &format!(r#""updated_at":"{}""#, at(0)),
            &format!(r#""updated_at":"{}""#, at(minute * MINUTE)),
        );
        let others = (1..5).map(|number| record(&format!("o{number}"), -60 * number, "SUCCESS"));
        *self.records.lock().unwrap() = [first].into_iter().chain(others).collect();
        *self.undated.lock().unwrap() = undated;
        let run = Run {
            page_size: 2,
            wall: at(3 * DAY),
            ..Run::of(&self.fake.address)
        };
        let summary = run.sync(&self.place).unwrap();
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
        let mut faults = Vec::new();
        verify::verify(&self.place.read(), READING, None, &mut |event| {
            if let verify::Event::Found(finding) = event
                && finding.weight == Weight::Fault
            {
                faults.push(finding);
            }
        })
        .unwrap();
        assert_eq!(faults, []);
    }

    /// When the task was last changed, by its current state.
    fn current(&self) -> Option<String> {
        self.place
            .text("SELECT updated_at FROM tasks WHERE task_id = 't'")
    }

    fn mark(&self) -> Option<String> {
        self.place.text("SELECT high_water_mark FROM instances")
    }
}

fn minute(number: i64) -> String {
    at(number * MINUTE).to_string()
}

#[test]
fn a_first_page_waits_for_the_time_that_the_next_answer_tells() {
    let cloud = Cloud::new();
    cloud.sync(-5, 0);
    // By the server's clock it lies hours in the future, and is no reason to give up the state that is believed.
    cloud.sync(300, 1);
    assert_eq!(cloud.current(), Some(minute(-5)));
    assert_eq!(cloud.mark(), Some(minute(-5)));
    let ended = cloud.place.text("SELECT max(finished_at) FROM walks");
    assert!(ended < Some(at(HOUR).to_string()), "{ended:?}");
}

#[test]
fn a_walk_that_began_by_this_machines_clock_ends_by_it() {
    let cloud = Cloud::new();
    cloud.sync(-5, 0);
    cloud.sync(300, 2);
    assert_eq!(
        cloud.current(),
        Some(minute(300)),
        "it lies in the past by now"
    );
    let times = "SELECT started_at || ' ' || finished_at FROM walks ORDER BY walk_id DESC LIMIT 1";
    let all = at(3 * DAY);
    assert_eq!(cloud.place.text(times), Some(format!("{all} {all}")));
    // What an older copy shows while the server's clock counts again is believed more: that clock has not come so far.
    cloud.sync(-5, 0);
    assert_eq!(cloud.current(), Some(minute(-5)));
}

#[test]
fn a_server_that_never_tells_the_time_is_judged_by_this_machines_clock() {
    let cloud = Cloud::new();
    cloud.sync(-5, u32::MAX);
    cloud.sync(300, u32::MAX);
    assert_eq!(cloud.current(), Some(minute(300)));
    assert_eq!(cloud.mark(), Some(minute(300)));
}
