//! The list of instances and what follows from it, each rule in the smallest project that shows it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::{
    fake::{Asked, Fake, Reply},
    rules::{HOUR, at, list, record},
    support::{Place, Run},
};
use crate::model::time::DAY;
use crate::sync::{
    Summary,
    outcome::{InstanceEnd, Outcome},
    selection::Choice,
};

/// The answers that a project gives.
struct State {
    /// Records of the list of instances, as they are listed.
    listed: Vec<String>,
    /// What `instance_num` says besides the truth.
    count: fn(usize, usize) -> String,
    /// Tasks of each instance that exists.
    tasks: BTreeMap<String, Vec<String>>,
    page_cap: usize,
    /// Instead of the list of instances.
    refusal: Option<(u16, &'static str)>,
    clock: i64,
    asked: Vec<String>,
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let now = at(self.clock);
        self.asked.push(asked.instance.clone());
        if asked.instance.is_empty() {
            if let Some((status, code)) = self.refusal {
                return Reply::failed(status, code, now);
            }
            let shown = self.listed.iter().skip(asked.offset);
            let shown: Vec<_> = shown
                .take(asked.limit.min(self.page_cap))
                .cloned()
                .collect();
            let count = (self.count)(self.listed.len(), shown.len());
            let body = format!(r#"{{{count}"instances":[{}]}}"#, shown.join(","));
            return Reply::ok(body, now);
        }
        match self.tasks.get(&asked.instance) {
            None => Reply::failed(404, "DCS.3022", now),
            Some(tasks) => {
                let page: Vec<_> = tasks
                    .iter()
                    .skip(asked.offset)
                    .take(asked.limit)
                    .cloned()
                    .collect();
                let body =
                    list(&page).replacen(&page.len().to_string(), &tasks.len().to_string(), 1);
                Reply::ok(body, now)
            }
        }
    }
}

fn instance(id: &str, name: &str) -> String {
    format!(
        r#"{{"instance_id":"{id}","name":"{name}","engine":"Redis","engine_version":"6.0","capacity":8,"status":"RUNNING",
            "created_at":"2026-09-01T00:00:00.000Z","tags":[{{"key":"env","value":"{name}"}}]}}"#
    )
}

/// A project behind a server, and the archive that it is read into.
struct Project {
    fake: Fake,
    state: Arc<Mutex<State>>,
    place: Place,
    choice: Choice,
    page_size: u32,
}

impl Project {
    /// Instances of these names, each with its name for an id and two tasks.
    fn of(names: &[&str]) -> Self {
        let state = Arc::new(Mutex::new(State {
            listed: names.iter().map(|name| instance(name, name)).collect(),
            count: |all, _| format!(r#""instance_num":{all},"#),
            tasks: names
                .iter()
                .map(|name| {
                    (
                        (*name).to_owned(),
                        vec![record("b", 2, "SUCCESS"), record("a", 1, "SUCCESS")],
                    )
                })
                .collect(),
            page_cap: 1000,
            refusal: None,
            clock: DAY,
            asked: Vec::new(),
        }));
        let (fake, shared) = (Fake::start(), Arc::clone(&state));
        fake.answer_with(Box::new(move |asked| shared.lock().unwrap().answer(asked)));
        Self {
            fake,
            state,
            place: Place::new(),
            choice: Choice::default(),
            page_size: 1000,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn remove(&self, id: &str) {
        self.change(|state| {
            state
                .listed
                .retain(|record| !record.contains(&format!(r#""instance_id":"{id}""#)));
            state.tasks.remove(id);
        });
    }

    fn pass(&self, millis: i64) {
        self.change(|state| state.clock += millis);
    }

    fn sync_of(&self, instances: &[&str]) -> Summary {
        self.change(|state| {
            state.clock += HOUR;
            state.asked.clear();
        });
        Run {
            instances,
            choice: self.choice.clone(),
            page_size: self.page_size,
            ..Run::of(&self.fake.address)
        }
        .sync(&self.place)
        .unwrap()
    }

    fn sync(&self) -> Summary {
        self.sync_of(&[])
    }

    fn complete(&self) -> Summary {
        let summary = self.sync();
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
        summary
    }

    fn partial(&self) -> Summary {
        let summary = self.sync();
        assert_eq!(summary.outcome, Outcome::Partial, "{summary:?}");
        summary
    }

    /// Requests for the list of instances, and others.
    fn requests(&self) -> (usize, usize) {
        let asked = &self.state.lock().unwrap().asked;
        let lists = asked.iter().filter(|instance| instance.is_empty()).count();
        (lists, asked.len() - lists)
    }

    fn ids(&self, condition: &str) -> Vec<String> {
        let archive = self.place.read();
        let sql = format!("SELECT instance_id FROM instances WHERE {condition} ORDER BY 1");
        let mut statement = archive.prepare(&sql).unwrap();
        let ids = statement.query_map([], |row| row.get(0)).unwrap();
        ids.map(Result::unwrap).collect()
    }

    fn list_line(&self) -> (bool, String) {
        let archive = self.place.read();
        archive
            .query_row(
                "SELECT proven, reason FROM walks WHERE kind = 'instances' ORDER BY walk_id DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    }
}

#[test]
fn every_instance_of_the_list_is_read_and_what_the_list_tells_is_kept() {
    let project = Project::of(&["a", "b", "c"]);
    let summary = project.complete();
    assert_eq!(summary.instances.len(), 3);
    assert_eq!(
        project.ids("tasks = 2 AND name = instance_id"),
        ["a", "b", "c"]
    );
    assert_eq!(
        project.ids(
            "engine = 'Redis' AND capacity_gb = 8 AND created_at = '2026-09-01T00:00:00.000Z'"
        ),
        ["a", "b", "c"]
    );
    assert_eq!(
        project
            .place
            .count("SELECT count(*) FROM tasks WHERE instance_name = 'b'"),
        2
    );
    let lines = project.place.count(
        "SELECT count(*) FROM walks WHERE kind = 'instances' AND proven AND received = 3 AND server_total = 3
           AND instance_id IS NULL AND project_id = 'p' AND new = 3",
    );
    assert_eq!(lines, 1);
    // Instances are no tasks.
    assert_eq!(project.place.count("SELECT new FROM syncs"), 6);
}

#[test]
fn a_quiet_sync_asks_once_for_the_list_and_once_for_each_instance() {
    let project = Project::of(&["a", "b", "c"]);
    // Once pages of nine were served, a page of two is a short one.
    let many = |number: i64| -> Vec<String> {
        let minutes = (0..number).rev();
        minutes
            .map(|minute| record(&format!("t{minute}"), minute, "SUCCESS"))
            .collect()
    };
    project.change(|state| drop(state.tasks.insert("a".to_owned(), many(9))));
    project.complete();
    project.change(|state| drop(state.tasks.insert("a".to_owned(), many(2))));
    project.complete();
    project.complete();
    let before = project
        .place
        .count("SELECT count(*) FROM instance_revisions");
    project.complete();
    assert_eq!(project.requests(), (1, 3));
    assert_eq!(
        project
            .place
            .count("SELECT count(*) FROM instance_revisions"),
        before
    );
}

#[test]
fn a_long_list_is_paged_and_proven_like_a_list_of_tasks() {
    let names: Vec<String> = (0..23).map(|number| format!("i{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let project = Project::of(&names);
    project.change(|state| state.page_cap = 10);
    project.complete();
    assert_eq!(project.ids("last_proven_at IS NOT NULL").len(), 23);
    assert_eq!(project.requests().0, 4, "a probe and three pages");
}

#[test]
fn a_list_whose_count_is_that_of_the_page_is_read_twice() {
    let project = Project::of(&["a", "b", "c"]);
    project.change(|state| state.count = |_, shown| format!(r#""instance_num":{shown},"#));
    project.complete();
    assert!(project.list_line().1.contains("two walks in a row"));
    project.change(|state| state.count = |_, _| String::new());
    project.complete();
}

#[test]
fn what_a_list_says_of_an_instance_is_kept_as_its_history() {
    let project = Project::of(&["a", "b"]);
    project.complete();
    project.change(|state| state.listed[0] = instance("a", "renamed"));
    project.complete();
    project.complete();
    project.change(|state| state.listed[0] = instance("a", "a"));
    project.complete();
    let names = project.place.text(
        "SELECT group_concat(name || iif(is_current, '*', ''), ' ') FROM
           (SELECT * FROM instance_revisions WHERE instance_id = 'a' ORDER BY revision)",
    );
    assert_eq!(names.as_deref(), Some("a renamed a*"));
    assert_eq!(project.ids("name = 'a'"), ["a"]);
    assert_eq!(
        project
            .place
            .count("SELECT sum(changed) FROM walks WHERE kind = 'instances'"),
        2
    );
}

#[test]
fn a_copy_that_lags_does_not_take_an_instance_back() {
    let project = Project::of(&["a", "b"]);
    let state = |name: &str, day: u8| {
        let updated = format!(r#""updated_at":"2026-09-{day:02}T00:00:00.000Z","engine""#);
        instance("a", name).replacen(r#""engine""#, &updated, 1)
    };
    let cases = [
        ("old", 1, "old"),
        ("new", 2, "new"),
        ("old", 1, "new"),
        ("older", 1, "new"),
        ("newer", 3, "newer"),
    ];
    for (name, day, expected) in cases {
        project.change(|project| project.listed[0] = state(name, day));
        project.complete();
        let shown = project
            .place
            .text("SELECT name FROM instances WHERE instance_id = 'a'");
        assert_eq!(shown.as_deref(), Some(expected));
    }
    // What was shown is kept all the same, once.
    let names = project.place.text(
        "SELECT group_concat(name, ' ') FROM (SELECT * FROM instance_revisions WHERE instance_id = 'a' ORDER BY revision)",
    );
    assert_eq!(names.as_deref(), Some("old new older newer"));
}

#[test]
fn an_instance_is_gone_when_a_proven_list_lacks_it_and_its_own_answer_agrees() {
    let project = Project::of(&["a", "b", "c"]);
    project.complete();
    project.pass(DAY);
    project.remove("b");
    let summary = project.partial();
    let end = summary
        .instances
        .iter()
        .find(|report| report.list.instance_id() == Some("b"));
    assert_eq!(end.unwrap().end, InstanceEnd::AbsenceEstablished);
    assert_eq!(project.ids("gone_at IS NOT NULL"), ["b"]);
    assert_eq!(
        project
            .place
            .count("SELECT count(*) FROM tasks WHERE instance_id = 'b'"),
        2
    );
    // From then on it is neither asked for nor missed.
    project.complete();
    assert!(
        !project
            .state
            .lock()
            .unwrap()
            .asked
            .contains(&"b".to_owned())
    );
}

#[test]
fn an_instance_that_was_first_seen_within_a_day_is_not_gone_whether_it_had_answered_or_not() {
    for has_answered in [true, false] {
        let project = Project::of(&["a", "b", "c"]);
        // Copies that lag know nothing of what is new: its own answer comes from one, and then the list as well.
        let tasks = project.state.lock().unwrap().tasks.clone();
        if !has_answered {
            project.change(|state| drop(state.tasks.remove("b")));
        }
        project.sync();
        let listed = project.state.lock().unwrap().listed.clone();
        project.remove("b");
        for _ in 0..3 {
            let summary = project.partial();
            let mut reports = summary.instances.iter();
            let report = reports.find(|report| report.list.instance_id() == Some("b"));
            assert_eq!(report.unwrap().end, InstanceEnd::NotRead);
            assert!(project.ids("gone_at IS NOT NULL").is_empty());
        }
        // A copy that is up to date shows it again, and nothing was said of it that has to be taken back.
        project.change(|state| (state.listed, state.tasks) = (listed, tasks));
        project.complete();
        assert_eq!(project.place.count("SELECT count(*) FROM drift"), 0);
        project.pass(DAY);
        project.remove("b");
        project.partial();
        assert_eq!(project.ids("gone_at IS NOT NULL"), ["b"]);
    }
}

#[test]
fn an_instance_is_new_from_what_was_seen_of_it_first() {
    let id = "5560df16-cebf-4473-95c4-d1b573c16e79";
    // The list has known it for a day when it first answers.
    let listed = Project::of(&["a", id]);
    let tasks = listed.state.lock().unwrap().tasks.clone();
    listed.change(|state| drop(state.tasks.remove(id)));
    listed.partial();
    listed.pass(DAY);
    listed.change(|state| state.tasks = tasks);
    listed.complete();
    // It has answered for a day, by its name, when the list is first read.
    let named = Project::of(&["a", id]);
    assert_eq!(named.sync_of(&[id]).outcome, Outcome::Complete);
    named.pass(DAY);
    named.complete();
    for project in [listed, named] {
        project.remove(id);
        project.partial();
        assert_eq!(project.ids("gone_at IS NOT NULL"), [id]);
    }
}

#[test]
fn an_instance_that_the_list_lacks_and_that_answers_is_read() {
    let project = Project::of(&["a", "b", "c"]);
    project.complete();
    project.pass(DAY);
    project.change(|state| drop(state.listed.remove(1)));
    let summary = project.complete();
    assert_eq!(summary.instances.len(), 3);
    assert!(project.ids("gone_at IS NOT NULL").is_empty());
}

#[test]
fn an_instance_that_the_list_shows_is_not_gone_whatever_its_own_answer_says() {
    let project = Project::of(&["a", "b", "c"]);
    project.complete();
    project.pass(DAY);
    project.change(|state| drop(state.tasks.remove("b")));
    for _ in 0..3 {
        project.partial();
        assert!(project.ids("gone_at IS NOT NULL").is_empty());
    }
}

#[test]
fn an_unproven_list_says_of_nobody_that_it_is_gone_at_once() {
    let project = Project::of(&["a", "b", "c"]);
    project.complete();
    project.pass(DAY);
    project.remove("b");
    project.change(|state| state.count = |all, _| format!(r#""instance_num":{},"#, all + 1));
    let summary = project.partial();
    assert_eq!(summary.list.unwrap().end, InstanceEnd::Unproven);
    assert!(project.ids("gone_at IS NOT NULL").is_empty());
    project.change(|state| state.count = |all, _| format!(r#""instance_num":{all},"#));
    project.partial();
    assert_eq!(project.ids("gone_at IS NOT NULL"), ["b"]);
}

#[test]
fn a_gone_instance_that_is_listed_again_is_read_again() {
    let project = Project::of(&["a", "b"]);
    project.complete();
    let (listed, tasks) = {
        let state = project.state.lock().unwrap();
        (state.listed.clone(), state.tasks.clone())
    };
    project.pass(DAY);
    project.remove("b");
    project.partial();
    project.change(|state| (state.listed, state.tasks) = (listed, tasks));
    project.complete();
    assert!(project.ids("gone_at IS NOT NULL").is_empty());
    let told = project
        .place
        .text("SELECT what FROM drift WHERE kind = 'upstream'");
    assert_eq!(
        told.as_deref(),
        Some("instance b was gone and is listed again")
    );
    assert_eq!(
        project
            .place
            .count("SELECT sum(reappeared) FROM walks WHERE kind = 'instances'"),
        1
    );
}

#[test]
fn a_list_that_has_lost_all_is_believed_when_a_second_sync_sees_it() {
    let project = Project::of(&["a", "b"]);
    project.complete();
    project.pass(DAY);
    project.remove("a");
    project.remove("b");
    let summary = project.sync();
    assert_eq!(summary.outcome, Outcome::Unread, "{summary:?}");
    let (proven, reason) = project.list_line();
    assert!(
        !proven && reason.contains("every known instance, 2 in all"),
        "{reason}"
    );
    assert!(project.ids("gone_at IS NOT NULL").is_empty());
    project.partial();
    assert_eq!(project.ids("gone_at IS NOT NULL"), ["a", "b"]);
    project.complete();
    assert_eq!(project.requests().1, 0);
}

#[test]
fn a_list_that_lost_all_for_a_moment_took_nobody() {
    let project = Project::of(&["a", "b"]);
    project.complete();
    let listed = std::mem::take(&mut project.state.lock().unwrap().listed);
    let summary = project.partial();
    assert_eq!(summary.proven(), 2, "the known ones are read all the same");
    project.change(|state| state.listed = listed);
    project.complete();
    project.change(|state| state.listed.clear());
    project.partial();
    assert!(
        !project.list_line().0,
        "the first time is the first time again"
    );
}

#[test]
fn where_the_list_cannot_be_read_the_known_instances_are() {
    for (status, code) in [(403, "APIGW.0302"), (500, "DCS.1"), (404, "APIGW.0101")] {
        let project = Project::of(&["a", "b"]);
        project.complete();
        project.change(|state| state.refusal = Some((status, code)));
        let summary = project.partial();
        assert_eq!(summary.proven(), 2, "{status}");
        let first = Project::of(&["a", "b"]);
        first.change(|state| state.refusal = Some((status, code)));
        let outcome = if status == 403 {
            Outcome::Refused
        } else {
            Outcome::Unread
        };
        assert_eq!(first.sync().outcome, outcome, "{status}");
    }
}

#[test]
fn a_record_of_the_list_that_cannot_be_read_is_set_aside_and_told_once() {
    let project = Project::of(&["a", "b", "c"]);
    project.complete();
    project.change(|state| state.listed.push(r#"{"name":"nameless"}"#.to_owned()));
    project.partial();
    project.pass(DAY);
    project.remove("b");
    // It may be the one that is not there.
    project.sync();
    assert!(project.ids("gone_at IS NOT NULL").is_empty());
    let rejected = project
        .place
        .text("SELECT project_id || reason || raw FROM rejected WHERE instance_id IS NULL");
    assert_eq!(
        rejected.as_deref(),
        Some(r#"pno usable id{"name":"nameless"}"#)
    );
    assert_eq!(project.place.count("SELECT count(*) FROM rejected"), 1);
}

#[test]
fn an_instance_whose_record_cannot_be_read_is_read_by_its_id() {
    let project = Project::of(&["a", "b"]);
    project.change(|state| state.listed[1] = r#"{"instance_id":"b","capacity":1e999}"#.to_owned());
    let summary = project.partial();
    assert_eq!(summary.proven(), 2);
    project.complete();
}

#[test]
fn a_choice_reads_what_it_lets_through_and_the_archive_knows_of_the_rest() {
    let mut project = Project::of(&["a", "b", "c"]);
    project.choice.tags = vec![("env".to_owned(), "b".to_owned())];
    let summary = project.complete();
    assert_eq!(summary.instances.len(), 1);
    assert_eq!(project.ids("left_out"), ["a", "c"]);
    assert_eq!(project.ids("last_proven_at IS NOT NULL"), ["b"]);
    project.choice = Choice {
        exclude: vec!["c".to_owned()],
        ..Choice::default()
    };
    project.complete();
    assert_eq!(project.ids("left_out"), ["c"]);
    project.choice.tags = vec![("env".to_owned(), "nowhere".to_owned())];
    assert_eq!(project.sync().outcome, Outcome::NoneChosen);
}

#[test]
fn an_empty_project_is_complete() {
    let project = Project::of(&[]);
    let summary = project.complete();
    assert!(summary.instances.is_empty());
    assert_eq!(project.requests(), (3, 0));
}

#[test]
fn an_instance_may_be_named_by_what_only_the_cloud_knows() {
    let project = Project::of(&["a1", "a2"]);
    project.change(|state| state.listed[0] = instance("a1", "orders"));
    let summary = project.sync_of(&["orders"]);
    assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
    assert_eq!(summary.instances[0].list.instance_id(), Some("a1"));
    assert_eq!(project.sync_of(&["a"]).outcome, Outcome::UnknownInstance);
    assert_eq!(
        project.sync_of(&["nobody"]).outcome,
        Outcome::UnknownInstance
    );
    // What has the form of an id is no name.
    let unknown = project.sync_of(&["5560df16-cebf-4473-95c4-d1b573c16e79"]);
    assert_eq!(unknown.outcome, Outcome::UnknownInstance);
    assert_eq!(project.requests(), (0, 1));
}
