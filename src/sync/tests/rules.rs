//! The rules one by one, each in the smallest world that shows it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    fake::{Asked, Fake, Reply},
    support::{INSTANCE, Place, Run, sync, sync_of},
};
use crate::model::time::{self, DAY, MINUTE, SECOND, Timestamp};
use crate::sync::{
    READING, Refusal, Stopped, Summary,
    outcome::{InstanceEnd, Outcome},
};

/// A full hour from the end of one walk to the beginning of the next, whatever the walk itself takes.
pub(super) const HOUR: i64 = time::HOUR + SECOND;

const NOON: i64 = 1_790_000_000_000;

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOON + millis).unwrap()
}

pub(super) fn record(id: &str, minute: i64, status: &str) -> String {
    let time = at(minute * MINUTE);
    format!(
        r#"{{"id":"{id}","name":"EXTEND","status":"{status}","created_at":"{time}","updated_at":"{time}"}}"#
    )
}

pub(super) fn list(records: &[String]) -> String {
    format!(
        r#"{{"task_count":{},"tasks":[{}]}}"#,
        records.len(),
        records.join(",")
    )
}

/// A server that pages through whatever records it holds, and counts its requests.
pub(super) struct Cloud {
    pub(super) fake: Fake,
    records: Arc<Mutex<Vec<String>>>,
    pub(super) clock: Arc<Mutex<i64>>,
    requests: Arc<AtomicUsize>,
    pub(super) place: Place,
}

impl Cloud {
    pub(super) fn new(records: &[String]) -> Self {
        let cloud = Self {
            fake: Fake::start(),
            records: Arc::new(Mutex::new(records.to_vec())),
            clock: Arc::new(Mutex::new(DAY)),
            requests: Arc::new(AtomicUsize::new(0)),
            place: Place::new(),
        };
        cloud.filtered(|_, records| records);
        cloud
    }

    /// Lets a rule decide what a request is shown of the records.
    pub(super) fn filtered(
        &self,
        show: impl Fn(&Asked, Vec<String>) -> Vec<String> + Send + 'static,
    ) {
        let (records, clock) = (Arc::clone(&self.records), Arc::clone(&self.clock));
        let requests = Arc::clone(&self.requests);
        self.fake.answer_with(Box::new(move |asked| {
            requests.fetch_add(1, Ordering::Relaxed);
            let shown = show(asked, records.lock().unwrap().clone());
            let page: Vec<String> = shown
                .iter()
                .skip(asked.offset)
                .take(asked.limit)
                .cloned()
                .collect();
            let body = format!(
                r#"{{"task_count":{},"tasks":[{}]}}"#,
                shown.len(),
                page.join(",")
            );
            Reply::ok(body, at(*clock.lock().unwrap()))
        }));
    }

    pub(super) fn set(&self, records: &[String]) {
        *self.records.lock().unwrap() = records.to_vec();
    }

    pub(super) fn sync_after(&self, millis: i64) -> Summary {
        *self.clock.lock().unwrap() += millis;
        sync(&self.fake, &self.place, 1000)
    }

    fn complete_after(&self, millis: i64) -> Summary {
        let summary = self.sync_after(millis);
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
        summary
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.swap(0, Ordering::Relaxed)
    }

    pub(super) fn missing(&self) -> Vec<String> {
        let archive = self.place.read();
        let mut statement = archive
            .prepare(
                "SELECT task_id || ' ' || missing_as || iif(missing_confirmed_at IS NULL, '?', '')
                 FROM tasks WHERE missing_since IS NOT NULL ORDER BY task_id",
            )
            .unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}

fn abc() -> [String; 3] {
    [
        record("c", 3, "SUCCESS"),
        record("b", 2, "SUCCESS"),
        record("a", 1, "SUCCESS"),
    ]
}

#[test]
fn the_first_sync_asks_whether_the_list_is_whole_and_a_quiet_one_costs_one_request() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    // The question about the window, the page, and the page that holds only the shared record: nothing longer was served.
    assert_eq!(cloud.requests(), 3);
    let mut longer = abc().to_vec();
    longer.insert(0, record("d", 4, "SUCCESS"));
    cloud.set(&longer);
    cloud.complete_after(HOUR);
    cloud.requests();
    cloud.set(&longer[1..]);
    cloud.complete_after(HOUR);
    // A shorter page than the longest with a total that fits, and the question before something is called missing.
    assert_eq!(cloud.requests(), 2);
    cloud.set(&longer);
    cloud.complete_after(HOUR);
    cloud.requests();
    cloud.set(&longer[..3]);
    cloud.complete_after(HOUR);
    cloud.requests();
    cloud.complete_after(MINUTE);
    assert_eq!(cloud.requests(), 1);
}

#[test]
fn an_absence_is_noted_then_confirmed_an_hour_later() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    let [c, _, a] = abc();
    cloud.set(&[c, a]);
    cloud.complete_after(MINUTE);
    assert_eq!(cloud.missing(), ["b removed?"]);
    cloud.complete_after(30 * MINUTE);
    assert_eq!(cloud.missing(), ["b removed?"], "half an hour is too soon");
    let summary = cloud.complete_after(HOUR);
    assert_eq!(cloud.missing(), ["b removed"]);
    assert_eq!(
        summary.counts().missing,
        0,
        "it was counted when it was first noted"
    );
    assert_eq!(cloud.place.count("SELECT missing_tasks FROM instances"), 1);
}

#[test]
fn the_oldest_age_out() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    cloud.set(&abc()[..2]);
    cloud.complete_after(HOUR);
    cloud.complete_after(HOUR);
    assert_eq!(cloud.missing(), ["a aged_out"]);
}

#[test]
fn the_newest_is_called_missing_for_certain_only_after_a_day() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    cloud.set(&abc()[1..]);
    cloud.complete_after(HOUR);
    cloud.complete_after(23 * HOUR);
    assert_eq!(
        cloud.missing(),
        ["c removed?"],
        "a lagging copy may be answering"
    );
    cloud.complete_after(HOUR);
    assert_eq!(cloud.missing(), ["c removed"]);
}

#[test]
fn a_sighting_clears_what_called_it_missing_and_is_journalled() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    cloud.set(&abc()[..2]);
    cloud.complete_after(HOUR);
    cloud.complete_after(HOUR);
    cloud.set(&abc());
    let summary = cloud.complete_after(HOUR);
    assert!(cloud.missing().is_empty());
    assert_eq!(summary.counts().reappeared, 1);
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM drift WHERE what = 'task a reappeared'"),
        1
    );
    assert_eq!(cloud.place.count("SELECT missing_tasks FROM instances"), 0);
}

#[test]
fn nothing_is_called_missing_while_a_record_without_an_id_may_be_it() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    let [c, b, _] = abc();
    cloud.set(&[c, b, r#"{"name":"EXTEND"}"#.to_owned()]);
    assert_eq!(
        cloud.sync_after(HOUR).outcome,
        Outcome::Partial,
        "a record was set aside that never was before"
    );
    assert!(cloud.missing().is_empty());
    cloud.complete_after(HOUR);
    assert!(cloud.missing().is_empty());
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM rejected WHERE first_sync_id = 2 AND last_sync_id = 3"),
        1
    );
}

#[test]
fn a_rejected_record_whose_id_can_be_read_is_a_sighting() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    let [c, b, _] = abc();
    cloud.set(&[c, b, r#"{"id":"a","name":"\ud800"}"#.to_owned()]);
    assert_eq!(cloud.sync_after(HOUR).outcome, Outcome::Partial);
    cloud.complete_after(2 * HOUR);
    assert!(cloud.missing().is_empty());
}

#[test]
fn a_hidden_default_window_is_found_and_the_list_read_whole() {
    let cloud = Cloud::new(&abc());
    cloud.filtered(|asked, records| {
        if asked.start.is_some() {
            records
        } else {
            records[..2].to_vec()
        }
    });
    let summary = cloud.complete_after(0);
    assert_eq!(summary.instances[0].walks, 2);
    assert_eq!(cloud.place.count("SELECT count(*) FROM tasks"), 3);
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM drift WHERE what LIKE '%hides old records'"),
        1
    );
    cloud.complete_after(HOUR);
    assert!(cloud.missing().is_empty());
    let window = cloud
        .place
        .text("SELECT window_start FROM walks ORDER BY walk_id DESC LIMIT 1");
    assert_eq!(window.as_deref(), Some("2000-01-01T00:00:00.000Z"));
}

#[test]
fn a_hidden_window_is_found_whichever_name_of_the_lower_bound_the_server_knows() {
    // What it knows, and whether it refuses a name that it does not.
    for (knows_start, knows_begin, is_strict) in [
        (true, false, false),
        (false, true, false),
        (true, false, true),
        (true, true, true),
    ] {
        let cloud = Cloud::new(&[]);
        cloud.fake.answer_with(Box::new(move |asked| {
            let unknown =
                !knows_start && asked.start.is_some() || !knows_begin && asked.begin.is_some();
            if is_strict && unknown {
                return Reply::failed(400, "DCS.4063", at(DAY));
            }
            let is_early =
                knows_start && asked.start.is_some() || knows_begin && asked.begin.is_some();
            let shown = &abc()[..if is_early { 3 } else { 2 }];
            let end = shown.len().min(asked.offset + asked.limit);
            let page = shown[asked.offset.min(end)..end].join(",");
            let total = shown.len();
            Reply::ok(
                format!(r#"{{"task_count":{total},"tasks":[{page}]}}"#),
                at(DAY),
            )
        }));
        for walks in [2, 1] {
            let summary = sync(&cloud.fake, &cloud.place, 1000);
            assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
            assert_eq!(summary.instances[0].walks, walks, "{summary:?}");
            assert_eq!(cloud.place.count("SELECT count(*) FROM tasks"), 3);
        }
    }
}

#[test]
fn a_first_walk_proves_nothing_while_a_hidden_window_is_suspected_and_cannot_be_asked_about() {
    let cloud = Cloud::new(&abc());
    let starts = Arc::new(AtomicUsize::new(0));
    let asked_with_start = Arc::clone(&starts);
    cloud.fake.answer_with(Box::new(move |asked| {
        let is_early = asked.start.is_some();
        // The second question is refused under both names, and under the one that is left.
        if is_early && [1, 2].contains(&asked_with_start.fetch_add(1, Ordering::Relaxed)) {
            return Reply::failed(400, "DCS.4062", at(DAY));
        }
        let shown = &abc()[..if is_early { 3 } else { 2 }];
        let page: Vec<String> = shown.iter().skip(asked.offset).cloned().collect();
        let body = format!(
            r#"{{"task_count":{},"tasks":[{}]}}"#,
            shown.len(),
            page.join(",")
        );
        Reply::ok(body, at(DAY))
    }));
    let first = sync(&cloud.fake, &cloud.place, 1000);
    assert_eq!(first.outcome, Outcome::Partial, "{first:?}");
    assert_eq!(
        cloud.place.count("SELECT count(*) FROM walks WHERE proven"),
        0
    );
    let second = sync(&cloud.fake, &cloud.place, 1000);
    assert_eq!(second.outcome, Outcome::Complete, "{second:?}");
    assert_eq!(cloud.place.count("SELECT count(*) FROM tasks"), 3);
}

#[test]
fn a_window_that_begins_to_hide_records_makes_nothing_missing() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    cloud.filtered(|asked, records| {
        if asked.start.is_some() {
            records
        } else {
            records[..2].to_vec()
        }
    });
    cloud.complete_after(HOUR);
    cloud.complete_after(DAY);
    assert!(cloud.missing().is_empty());
}

#[test]
fn a_server_that_refuses_the_early_start_is_walked_without_it() {
    let cloud = Cloud::new(&abc());
    let inner = Arc::clone(&cloud.records);
    cloud.fake.answer_with(Box::new(move |asked| {
        if asked.start.is_some() {
            let body = r#"{"error_code":"DCS.4062","error_msg":"Invalid parameter start_time."}"#
                .to_owned();
            return Reply {
                status: 400,
                body,
                date: Some(at(0)),
            };
        }
        let records = inner.lock().unwrap();
        let page: Vec<String> = records
            .iter()
            .skip(asked.offset)
            .take(asked.limit)
            .cloned()
            .collect();
        Reply::ok(
            format!(
                r#"{{"task_count":{},"tasks":[{}]}}"#,
                records.len(),
                page.join(",")
            ),
            at(DAY),
        )
    }));
    let first = sync(&cloud.fake, &cloud.place, 2);
    assert_eq!(first.outcome, Outcome::Complete, "{first:?}");
    cloud.set(&abc()[..2]);
    let second = sync(&cloud.fake, &cloud.place, 2);
    assert_eq!(second.outcome, Outcome::Complete);
    assert!(
        cloud.missing().is_empty(),
        "what cannot be checked is not called missing"
    );
}

#[test]
fn the_mark_is_the_latest_credible_update_of_a_proven_walk_and_never_goes_back() {
    let future = format!(
        r#"{{"id":"f","status":"SUCCESS","created_at":"{0}","updated_at":"2099-01-01T00:00:00Z"}}"#,
        at(0)
    );
    let mut records = abc().to_vec();
    records.push(future);
    let cloud = Cloud::new(&records);
    cloud.complete_after(0);
    let mark = || cloud.place.text("SELECT high_water_mark FROM instances");
    assert_eq!(mark(), Some(at(3 * MINUTE).to_string()));
    cloud.set(&records[1..]);
    cloud.complete_after(HOUR);
    assert_eq!(mark(), Some(at(3 * MINUTE).to_string()));
}

#[test]
fn an_instance_is_gone_after_two_answers_in_two_syncs_and_noted_later() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    cloud
        .fake
        .answer_with(Box::new(|_| Reply::failed(404, "DCS.3022", at(3 * DAY))));
    let ends: Vec<InstanceEnd> = (0..4)
        .map(|_| cloud.sync_after(HOUR).instances[0].end)
        .collect();
    let expected = [
        InstanceEnd::NotRead,
        InstanceEnd::AbsenceEstablished,
        InstanceEnd::AbsenceNoted,
        InstanceEnd::AbsenceNoted,
    ];
    assert_eq!(ends, expected);
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM tasks WHERE missing_since IS NULL"),
        3
    );
    assert_eq!(
        cloud
            .place
            .count("SELECT count(*) FROM instances WHERE gone_at IS NOT NULL"),
        1
    );
}

#[test]
fn an_instance_that_was_first_read_within_a_day_is_not_gone_after_any_number_of_answers() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    let moment = Arc::clone(&cloud.clock);
    cloud.fake.answer_with(Box::new(move |_| {
        Reply::failed(404, "DCS.3022", at(*moment.lock().unwrap()))
    }));
    let gone = "SELECT count(*) FROM instances WHERE gone_at IS NOT NULL";
    for _ in 0..3 {
        let end = cloud.sync_after(7 * HOUR).instances[0].end;
        assert_eq!(end, InstanceEnd::NotRead);
        assert_eq!(cloud.place.count(gone), 0);
    }
    // What it was told all day counts as soon as it is new no more.
    let end = cloud.sync_after(7 * HOUR).instances[0].end;
    assert_eq!(end, InstanceEnd::AbsenceEstablished);
    assert_eq!(cloud.place.count(gone), 1);
}

#[test]
fn an_instance_that_nobody_knows_leaves_no_trace() {
    let cloud = Cloud::new(&abc());
    cloud.fake.answer_with(Box::new(|_| Reply {
        status: 404,
        body: r#"{"error_code":"DCS.3022","error_msg":"This DCS instance does not exist."}"#
            .to_owned(),
        date: None,
    }));
    assert_eq!(cloud.sync_after(0).outcome, Outcome::UnknownInstance);
    for table in ["project", "instance", "walk"] {
        assert_eq!(
            cloud.place.count(&format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
}

#[test]
fn an_instance_without_background_tasks_is_partial_once() {
    let cloud = Cloud::new(&abc());
    cloud.fake.answer_with(Box::new(|_| Reply {
        status: 400,
        body: r#"{"error_code":"DCS.4094","error_msg":"not supported"}"#.to_owned(),
        date: Some(at(0)),
    }));
    assert_eq!(cloud.sync_after(0).outcome, Outcome::Partial);
    assert_eq!(cloud.sync_after(0).outcome, Outcome::Complete);
}

#[test]
fn instances_are_independent_and_one_refusal_stops_all() {
    let cloud = Cloud::new(&abc());
    cloud
        .fake
        .answer_with(Box::new(|asked| match asked.instance.as_str() {
            "forbidden" => Reply {
                status: 403,
                body: r#"{"error_code":"DCS.2003"}"#.to_owned(),
                date: None,
            },
            "unauthorized" => Reply {
                status: 401,
                body: r#"{"error_code":"DCS.1001"}"#.to_owned(),
                date: None,
            },
            _ => Reply::ok(list(&[]), at(0)),
        }));
    let mixed = sync_of(&cloud.fake, &cloud.place, 1000, &["forbidden", "fine"]);
    assert_eq!(mixed.outcome, Outcome::Partial);
    assert_eq!(mixed.instances[1].end, InstanceEnd::Proven);
    assert_eq!(
        sync_of(&cloud.fake, &cloud.place, 1000, &["forbidden"]).outcome,
        Outcome::Refused
    );
    let stopped = sync_of(&cloud.fake, &cloud.place, 1000, &["unauthorized", "fine"]);
    assert!(
        matches!(stopped.stopped, Some(Stopped::Refused(_))),
        "{stopped:?}"
    );
    assert_eq!(stopped.instances[1].end, InstanceEnd::NotRead);
}

#[test]
fn a_count_that_is_too_high_for_good_is_walked_twice_and_named() {
    let cloud = Cloud::new(&abc());
    let records = Arc::clone(&cloud.records);
    cloud.fake.answer_with(Box::new(move |asked| {
        let records = records.lock().unwrap();
        let page: Vec<String> = records
            .iter()
            .skip(asked.offset)
            .take(asked.limit)
            .cloned()
            .collect();
        Reply::ok(
            format!(r#"{{"task_count":9,"tasks":[{}]}}"#, page.join(",")),
            at(DAY),
        )
    }));
    let summary = cloud.sync_after(0);
    assert_eq!(
        (summary.outcome, summary.instances[0].walks),
        (Outcome::Partial, 2)
    );
    assert!(
        summary.instances[0]
            .reason
            .contains("counts 9 records and showed 3"),
        "{summary:?}"
    );
    assert_eq!(
        cloud.place.count("SELECT count(*) FROM tasks"),
        3,
        "what was seen is stored all the same"
    );
    assert_eq!(
        cloud.place.text("SELECT high_water_mark FROM instances"),
        None
    );
}

#[test]
fn an_older_copy_changes_nothing_and_is_kept() {
    let done = record("a", 9, "SUCCESS");
    let running = record("a", 5, "EXECUTING");
    let others = [record("b", 1, "SUCCESS"), record("c", 0, "SUCCESS")];
    let with_others = |first: &String| [std::slice::from_ref(first), others.as_slice()].concat();
    let cloud = Cloud::new(&with_others(&done));
    cloud.complete_after(0);
    cloud.set(&with_others(&running));
    let summary = cloud.complete_after(HOUR);
    assert_eq!((summary.counts().older, summary.counts().changed), (1, 0));
    assert_eq!(
        cloud
            .place
            .text("SELECT status FROM tasks WHERE task_id = 'a'")
            .as_deref(),
        Some("SUCCESS")
    );
    assert_eq!(cloud.place.count("SELECT count(*) FROM task_revisions"), 4);
    assert_eq!(
        cloud
            .place
            .count("SELECT revision FROM task_revisions WHERE task_id = 'a' AND is_current"),
        1
    );
    cloud.complete_after(HOUR);
    assert_eq!(
        cloud.place.count("SELECT count(*) FROM task_revisions"),
        4,
        "the same older copy is no new revision"
    );
    cloud.set(&with_others(&done));
    assert_eq!(cloud.complete_after(HOUR).counts().same, 3);
}

#[test]
fn another_order_of_keys_is_not_a_revision() {
    let cloud = Cloud::new(&[r#"{"id":"a","status":"SUCCESS","name":"x"}"#.to_owned()]);
    cloud.complete_after(0);
    cloud.set(&[r#"{ "name" : "\u0078", "status":"SUCCESS", "id":"a" }"#.to_owned()]);
    let counts = cloud.complete_after(HOUR).counts();
    assert_eq!((counts.new, counts.changed, counts.older), (0, 0, 0));
    assert_eq!(cloud.place.count("SELECT count(*) FROM task_revisions"), 1);
}

#[test]
fn a_smaller_limit_is_remembered_for_the_endpoint() {
    let cloud = Cloud::new(&abc());
    let limits = Arc::new(Mutex::new(Vec::new()));
    let (records, seen) = (Arc::clone(&cloud.records), Arc::clone(&limits));
    cloud.fake.answer_with(Box::new(move |asked| {
        seen.lock().unwrap().push(asked.limit);
        if asked.limit > 100 {
            let body = r#"{"error_code":"DCS.4800","error_msg":"Invalid limit in the request."}"#
                .to_owned();
            return Reply {
                status: 400,
                body,
                date: None,
            };
        }
        Reply::ok(
            list(&records.lock().unwrap()[asked.offset.min(3)..]),
            at(DAY),
        )
    }));
    assert_eq!(cloud.sync_after(0).outcome, Outcome::Complete);
    assert_eq!(cloud.sync_after(0).outcome, Outcome::Complete);
    let limits = limits.lock().unwrap();
    assert_eq!(
        limits.iter().filter(|limit| **limit == 1000).count(),
        1,
        "{limits:?}"
    );
}

#[test]
fn a_project_of_another_host_is_left_alone() {
    let cloud = Cloud::new(&abc());
    cloud.complete_after(0);
    let mut other = Fake::start();
    other.address = cloud.fake.address.replace("127.0.0.1", "localhost");
    let refused = Run::of(&other.address).sync(&cloud.place);
    assert!(matches!(refused, Err(Refusal::OtherHost(_))), "{refused:?}");
    assert_eq!(cloud.place.count("SELECT count(*) FROM syncs"), 1);
    assert_eq!(
        cloud
            .place
            .text("SELECT instance_id FROM instances")
            .as_deref(),
        Some(INSTANCE)
    );
    let accepting = Run {
        accept_endpoint: true,
        ..Run::of(&other.address)
    };
    let accepted = accepting.sync(&cloud.place).unwrap();
    assert_eq!(accepted.outcome, Outcome::Complete);
    assert_eq!(
        cloud.place.text("SELECT host FROM project").as_deref(),
        Some("localhost")
    );
    assert!(Run::of(&cloud.fake.address).sync(&cloud.place).is_err());
}

/// A row of `task_changes` without its keys.
type Row = (String, String, Option<String>, Option<String>);

#[test]
fn the_views_say_what_was_normalised_wherever_the_text_stands() {
    let long = "abcdefghijklmnopqrstuvwxyz";
    let records: Vec<String> = [
        format!(r#""params":"{{\"whitelist\":[{{\"ip_list\":[\"10.0.0.1/32\",\"{long}\"]}}],\"n\":0.10}}""#),
        format!(r#""params" : "{{\"whitelist\":[\"{long}\"]}}""#),
        format!(r#""params":"{{\"whitelist\": [ \"{long}\" , 1.50 ]}}""#),
        format!(r#""params":"{{\"a\":[\"{long}\"],\"a\":[\"{long}\",2]}}""#),
        format!(r#""params":"{{\"a.b\":[\"{long}\"],\"1\":[\"{long}\"],\"old_x\":[\"{long}\"],\"new_x\":[\"{long}\"]}}""#),
        format!(r#""params":"{{\"a\":[\"{long}\\u0000\\\"\"]}}""#),
        format!(r#""params":"{long}\u0000{long}""#),
        format!(r#""params":{{"a":["{long}", 1]}}"#),
        format!(r#""params":"first {long}","params":"second {long}""#),
        format!(r#""par\u0061ms":"escaped {long}""#),
        format!(r#""details":{{"params":"inner {long}"}}"#),
        format!(r#""details":{{"params":"inner {long}"}},"params":"{{\"a\":[\"{long}\"]}}""#),
        r#""params":null"#.to_owned(),
        r#""params":"""#.to_owned(),
        r#""params":"[1,2,3,4,5,6,7,8,9,10,11,12,13]""#.to_owned(),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, params)| format!(r#"{{"id":"{number}",{params}}}"#))
    .collect();
    let cloud = Cloud::new(&records);
    cloud.complete_after(0);
    let archive = cloud.place.read();
    for (number, raw) in records.iter().enumerate() {
        let expected = (READING.normalize)(raw, None);
        let params: Option<String> = archive
            .query_row(
                "SELECT params FROM tasks WHERE task_id = ?1",
                [number.to_string()],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(params, expected.row.params, "{raw}");
        let mut statement = archive
            .prepare("SELECT source, attribute, old_value, new_value FROM task_changes WHERE task_id = ?1 ORDER BY 1, 2")
            .unwrap();
        let rows = statement
            .query_map([number.to_string()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap();
        let rows: Vec<Row> = rows.map(Result::unwrap).collect();
        let wanted: Vec<Row> = expected
            .changes
            .into_iter()
            .map(|change| {
                (
                    change.source.as_str().to_owned(),
                    change.attribute,
                    change.old_value,
                    change.new_value,
                )
            })
            .collect();
        assert_eq!(rows, wanted, "{raw}");
    }
    let stored = cloud
        .place
        .count("SELECT count(*) FROM change WHERE old IS NULL AND new IS NULL");
    assert!(
        stored > 0,
        "no value is read from the raw text, so this proves nothing"
    );
}

#[test]
fn a_long_list_is_read_side_by_side_and_a_page_that_no_longer_fits_again() {
    let tasks: Vec<String> = (0..95)
        .rev()
        .map(|number| record(&format!("t{number:03}"), number, "SUCCESS"))
        .collect();
    let cloud = Cloud::new(&tasks);
    let read = |concurrency| {
        let run = Run {
            page_size: 10,
            concurrency,
            ..Run::of(&cloud.fake.address)
        };
        let place = Place::new();
        let summary = run.sync(&place).unwrap();
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
        assert_eq!(place.count("SELECT count(*) FROM tasks"), 95);
        (cloud.requests(), summary.requests)
    };
    let (one, eight) = (read(1), read(8));
    assert_eq!(one, eight, "asking ahead costs no request");
    assert_eq!((one.0 as u64, one.0), (one.1, 12));
}

/// Two of one moment change places between two pages, in the same way in every walk: one comes twice, the other never.
#[test]
fn a_record_that_comes_twice_in_every_walk_hides_another_and_proves_nothing() {
    let cloud = Cloud::new(&[]);
    let [newest, one, middle, other, oldest] = [("z", 3), ("a", 2), ("b", 2), ("c", 2), ("o", 1)]
        .map(|(id, minute)| record(id, minute, "SUCCESS"));
    cloud.filtered(move |asked, _| {
        let (first, last) = if asked.offset == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        [&newest, first, &middle, last, &oldest]
            .map(Clone::clone)
            .to_vec()
    });
    let summary = sync(&cloud.fake, &cloud.place, 3);
    assert_eq!(summary.outcome, Outcome::Partial, "{summary:?}");
    let report = &summary.instances[0];
    assert_eq!(
        (report.walks, report.reason.as_str()),
        (4, "the list moved: a record came twice")
    );
}

/// The list is ordered by update and its count is one too low, so that the end seems to be reached; what stood at the end
/// moves to the beginning while the list is read, and what the next page would have shown of it with it.
#[test]
fn a_record_that_moves_to_the_top_behind_a_wrong_count_is_not_left_as_it_was() {
    let cloud = Cloud::new(&[]);
    let mut records: Vec<String> = (1..5)
        .rev()
        .map(|minute| record(&format!("t{minute}"), minute, "EXECUTING"))
        .collect();
    let mut requests = 0;
    cloud.fake.answer_with(Box::new(move |asked| {
        requests += 1;
        if requests == 3 {
            records.pop();
            records.insert(0, record("t1", 9, "SUCCESS"));
        }
        let page: Vec<String> = records
            .iter()
            .skip(asked.offset)
            .take(asked.limit)
            .cloned()
            .collect();
        let body = format!(r#"{{"task_count":3,"tasks":[{}]}}"#, page.join(","));
        Reply::ok(body, at(DAY))
    }));
    let summary = sync(&cloud.fake, &cloud.place, 3);
    assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
    assert_eq!(
        cloud
            .place
            .text("SELECT status FROM tasks WHERE task_id = 't1'")
            .as_deref(),
        Some("SUCCESS")
    );
}
