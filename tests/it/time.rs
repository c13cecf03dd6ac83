//! Records whose times come late, lie or say nothing, and clocks that are off (the time faults T01 to T29), met by the
//! everyday walk of a list that is too long to be read whole each time.
//!
//! T02 does not exist. How a backfill treats bounds and names (T04, T07, T20, T21) is in `backfill`, clocks of this machine
//! (T12) are set in the simulation of the library's own tests, since a program cannot be given another clock from outside.

use crate::support_pages::{DAY, HOUR, Raw, Reply, Scene, honest};

const MINUTE: i64 = 60;

/// A record with these times, written as they are sent: `"2026-10-01T12:00:00.000Z"` with its quotes, or `null`.
fn timed(id: &str, status: &str, created: &str, updated: &str) -> Raw {
    format!(
        r#"{{"id":"{id}","name":"EXTEND","status":"{status}","created_at":{created},"updated_at":{updated}}}"#
    )
    .into_bytes()
}

/// A record that was created and last changed at one time of October 2026: `05T11:00:00.000`.
fn at(id: &str, status: &str, time: &str) -> Raw {
    let time = format!("\"2026-10-{time}Z\"");
    timed(id, status, &time, &time)
}

/// 150 finished tasks of early September, newest first.
fn past() -> Vec<Raw> {
    (0..150)
        .rev()
        .map(|number| {
            let time = format!(
                "\"2026-09-{:02}T{:02}:00:00.000Z\"",
                1 + number / 24,
                number % 24
            );
            timed(&format!("p{number:03}"), "SUCCESS", &time, &time)
        })
        .collect()
}

/// The newest records, as given, before the long past.
fn after_the_past(newest: &[Raw]) -> Vec<Raw> {
    [newest.to_vec(), past()].concat()
}

/// An archive that knows these records and the long past; the mark is that of the newest.
fn known(newest: &[Raw]) -> Scene {
    let scene = Scene::of(after_the_past(newest));
    scene.sync("the first sync", 0);
    scene.asked();
    scene
}

/// Syncs a list that has changed, `minutes` later, and returns the walks of it: kind and whether it was proven.
fn catch_up(scene: &Scene, what: &str, newest: &[Raw], minutes: i64) -> Vec<String> {
    scene.set(after_the_past(newest));
    scene.pass(minutes * MINUTE);
    scene.asked();
    scene.sync(what, 0);
    walks(scene)
}

fn walks(scene: &Scene) -> Vec<String> {
    scene.rows(
        "SELECT kind || iif(proven, '', ' unproven') FROM walks
         WHERE sync_id = (SELECT max(sync_id) FROM syncs) ORDER BY walk_id",
    )
}

/// One cell of a task.
fn cell(scene: &Scene, id: &str, column: &str) -> String {
    let rows = scene.rows(&format!(
        "SELECT {column} FROM tasks WHERE task_id = '{id}'"
    ));
    assert_eq!(rows.len(), 1, "{id}: {rows:?}");
    rows[0].clone()
}

fn mark(scene: &Scene) -> String {
    scene.rows("SELECT high_water_mark FROM instances")[0].clone()
}

#[test]
fn t01_a_task_that_begins_before_the_mark_and_ends_after_it_is_finished_by_an_everyday_walk() {
    let long = |status, updated: &str| {
        timed(
            "long",
            status,
            "\"2026-09-20T08:00:00.000Z\"",
            &format!("\"{updated}\""),
        )
    };
    let newer = at("newer", "SUCCESS", "05T10:00:00.000");
    let scene = known(&[newer.clone(), long("EXECUTING", "2026-09-20T08:00:00.000Z")]);
    assert_eq!(mark(&scene), "2026-10-05T10:00:00.000Z");
    let ended = [newer, long("SUCCESS", "2026-10-05T12:10:00.000Z")];
    assert_eq!(catch_up(&scene, "t01", &ended, 30), ["incremental"]);
    assert_eq!(cell(&scene, "long", "status"), "SUCCESS");
    assert_eq!(cell(&scene, "long", "revisions"), "2");
}

#[test]
fn t03_every_way_to_say_no_end_yet_is_a_running_task_that_is_finished_later() {
    let created = "\"2026-10-05T11:00:00.000Z\"";
    let forms = [
        ("null", "EXECUTING"),
        ("\"\"", "RUNNING"),
        (created, "EXECUTING"),
        ("\"0001-01-01T00:00:00.000Z\"", "EXECUTING"),
    ];
    let mut running: Vec<Raw> = forms
        .iter()
        .enumerate()
        .map(|(number, (updated, status))| timed(&format!("r{number}"), status, created, updated))
        .collect();
    let without =
        format!(r#"{{"id":"r4","name":"EXTEND","status":"EXECUTING","created_at":{created}}}"#);
    running.push(without.into_bytes());
    let scene = known(&running);
    let open = "SELECT count(*) FROM tasks WHERE task_id LIKE 'r%' AND NOT is_final";
    assert_eq!(scene.rows(open), ["5"]);
    let ended: Vec<Raw> = (0..5)
        .map(|number| {
            timed(
                &format!("r{number}"),
                "SUCCESS",
                created,
                "\"2026-10-05T12:20:00.000Z\"",
            )
        })
        .collect();
    assert_eq!(catch_up(&scene, "t03", &ended, 30), ["incremental"]);
    assert_eq!(scene.rows(open), ["0"]);
}

#[test]
fn t04_records_without_an_update_time_are_found_since_no_filter_is_sent() {
    let newest = at("a", "SUCCESS", "05T10:00:00.000");
    let scene = known(std::slice::from_ref(&newest));
    let timeless = timed(
        "timeless",
        "SUCCESS",
        "\"2026-10-05T12:05:00.000Z\"",
        "null",
    );
    let walks = catch_up(&scene, "t04", &[timeless, newest], 15);
    assert_eq!(walks, ["incremental"]);
    assert_eq!(cell(&scene, "timeless", "status"), "SUCCESS");
    assert!(scene.asked().iter().all(|asked| asked.start.is_none()));
}

#[test]
fn t05_t06_t08_t09_t25_what_shows_late_is_found_whether_the_overlap_reaches_it_or_only_the_total_tells()
 {
    let newest = at("a", "SUCCESS", "05T10:00:00.106");
    // More than an everyday walk asks for beyond its depth.
    let between: Vec<Raw> = (10..24)
        .rev()
        .map(|hour| {
            at(
                &format!("b{hour}"),
                "SUCCESS",
                &format!("03T{hour}:30:00.000"),
            )
        })
        .collect();
    let cases = [
        ("t05: the very time of the mark", "05T10:00:00.106", 1),
        ("t06: later in the second of the mark", "05T10:00:00.900", 1),
        ("t08: minutes before the mark", "05T09:57:00.000", 1),
        ("t09: by another host's clock", "05T09:57:00.106", 1),
        ("t25: two days before the mark", "03T10:00:00.000", 2),
    ];
    for (what, time, expected) in cases {
        let mut list = [vec![newest.clone()], between.clone()].concat();
        let scene = known(&list);
        let place = match expected {
            2 => list.len(),
            _ => usize::from(time < "05T10:00:00.900"),
        };
        list.insert(place, at("late", "SUCCESS", time));
        let walks = catch_up(&scene, what, &list, 15);
        assert_eq!(walks.len(), expected, "{what}: {walks:?}");
        assert_eq!(cell(&scene, "late", "status"), "SUCCESS", "{what}");
    }
}

#[test]
fn t10_t11_t19_no_time_from_the_future_or_from_nowhere_moves_the_mark() {
    let good = at("good", "SUCCESS", "05T10:00:00.000");
    let noon = "\"2026-10-05T11:00:00.000Z\"";
    for odd in [
        "\"2099-01-01T00:00:00.000Z\"",
        "\"2026-10-05T13:00:00.000Z\"",
        "\"9999-12-31T23:59:59.999Z\"",
        "\"0001-01-01T00:00:00.000Z\"",
        "\"1970-01-01T00:00:00.000Z\"",
        "\"1969-12-31T23:59:59.000Z\"",
    ] {
        for (created, updated) in [(noon, odd), (odd, noon), (odd, odd)] {
            let strange = timed("strange", "SUCCESS", created, updated);
            let what = format!("{created} {updated}");
            let mut list = after_the_past(&[strange.clone(), good.clone()]);
            let scene = Scene::of(list.clone());
            scene.sync(&what, 0);
            assert!(scene.stored().contains(&strange), "{what}");
            let mark = mark(&scene);
            assert!(
                ("2026-10-05T10:00:00.000Z"..="2026-10-05T12:06:00.000Z").contains(&&*mark),
                "{what}: {mark}"
            );
            // What comes after it is found as ever.
            list.insert(0, at("next", "SUCCESS", "05T12:10:00.000"));
            scene.set(list);
            scene.pass(15 * MINUTE);
            scene.sync(&what, 0);
            assert_eq!(cell(&scene, "next", "status"), "SUCCESS", "{what}");
            scene.is_idempotent(&what);
        }
    }
}

#[test]
fn t13_the_time_zone_of_the_machine_changes_nothing_in_the_archive_or_in_the_output() {
    // Clocks in Berlin go back from three to two between these two.
    let list = [
        timed(
            "b",
            "SUCCESS",
            "\"2026-10-25T01:30:00.000Z\"",
            "\"2026-10-25T01:30:00.000Z\"",
        ),
        timed(
            "a",
            "SUCCESS",
            "\"2026-10-25T00:30:00.000Z\"",
            "\"2026-10-25T00:30:00.000Z\"",
        ),
    ];
    let told = ["UTC", "Europe/Berlin", "America/New_York", "nonsense"].map(|zone| {
        let scene = Scene::of(list.to_vec());
        scene.pass(30 * DAY);
        scene.set_env("TZ", zone);
        scene.sync(zone, 0);
        let times =
            scene.rows("SELECT task_id, created_at, updated_at FROM tasks ORDER BY task_id");
        let listed = scene.run(&[
            "list",
            "-o",
            "csv",
            "--columns",
            "task_id,created_at,updated_at",
        ]);
        assert_eq!(listed.code, Some(0), "{}", listed.err);
        (times, mark(&scene), listed.out)
    });
    assert_eq!(
        told[0].0[1],
        "b|2026-10-25T01:30:00.000Z|2026-10-25T01:30:00.000Z"
    );
    for other in &told[1..] {
        assert_eq!(other, &told[0]);
    }
}

#[test]
fn t14_t15_t16_t17_a_time_is_an_instant_however_it_is_written_and_its_text_stays() {
    let cases = [
        ("2026-10-05T12:00:00.000+02:00", "2026-10-05T10:00:00.000Z"),
        ("2026-10-05T04:30:00-05:30", "2026-10-05T10:00:00.000Z"),
        ("2026-10-05T10:00:00Z", "2026-10-05T10:00:00.000Z"),
        ("2026-10-05T10:00:00.123456Z", "2026-10-05T10:00:00.123Z"),
        ("2026-10-05T10:00:00", "2026-10-05T10:00:00.000Z"),
        ("2026-10-05 10:00:00.5", "2026-10-05T10:00:00.500Z"),
        ("2026-10-04T23:59:60Z", "2026-10-04T23:59:59.999Z"),
        ("yesterday", "null"),
        ("2026-13-45T99:99:99Z", "null"),
    ];
    for (sent, read) in cases {
        let good = at("good", "SUCCESS", "05T09:00:00.000");
        let text = format!("\"{sent}\"");
        let odd = timed("odd", "SUCCESS", &text, &text);
        let scene = Scene::of(after_the_past(&[odd.clone(), good]));
        scene.sync(sent, 0);
        assert_eq!(
            cell(&scene, "odd", "coalesce(created_at, 'null')"),
            read,
            "{sent}"
        );
        assert!(scene.stored().contains(&odd), "{sent}");
        let mark = mark(&scene);
        let expected = if read == "null" || read < "2026-10-05T09" {
            "2026-10-05T09:00:00.000Z"
        } else {
            read
        };
        assert_eq!(mark, expected, "{sent}");
        scene.is_idempotent(sent);
    }
}

#[test]
fn t18_a_status_that_moves_without_its_time_is_a_revision_and_an_end_is_not_taken_back() {
    let newest = |status| [at("a", status, "05T10:00:00.000")];
    let scene = known(&newest("EXECUTING"));
    catch_up(&scene, "it ends", &newest("SUCCESS"), 15);
    assert_eq!(cell(&scene, "a", "status || ' ' || revisions"), "SUCCESS 2");
    catch_up(
        &scene,
        "a copy that lags shows it running",
        &newest("EXECUTING"),
        15,
    );
    assert_eq!(cell(&scene, "a", "status || ' ' || revisions"), "SUCCESS 2");
    catch_up(&scene, "it is over again", &newest("SUCCESS"), 15);
    assert_eq!(cell(&scene, "a", "status || ' ' || revisions"), "SUCCESS 2");
}

#[test]
fn t22_without_a_date_or_with_a_wrong_one_nothing_is_lost() {
    for off in [None, Some(-3 * DAY), Some(3 * DAY)] {
        let what = format!("{off:?}");
        let first = at("a", "EXECUTING", "05T10:00:00.000");
        let scene = Scene::of(after_the_past(std::slice::from_ref(&first)));
        match off {
            None => scene.hide_date(),
            Some(seconds) => scene.pass(seconds),
        }
        scene.sync(&what, 0);
        let second = [
            at("b", "SUCCESS", "05T12:10:00.000"),
            at("a", "FAILED", "05T10:00:00.000"),
        ];
        catch_up(&scene, &what, &second, 15);
        let held = scene.rows("SELECT task_id, status FROM tasks WHERE task_id < 'p' ORDER BY 1");
        assert_eq!(held, ["a|FAILED", "b|SUCCESS"], "{what}");
        assert_eq!(scene.rows("SELECT count(*) FROM tasks"), ["152"], "{what}");
    }
}

#[test]
fn t23_after_a_week_without_cron_everything_is_caught_up_with() {
    let open = timed(
        "across",
        "EXECUTING",
        "\"2026-10-05T11:00:00.000Z\"",
        "\"2026-10-05T11:00:00.000Z\"",
    );
    let scene = known(&[open]);
    let newest: Vec<Raw> = (6..12)
        .rev()
        .map(|day| {
            at(
                &format!("day{day:02}"),
                "SUCCESS",
                &format!("{day:02}T10:00:00.000"),
            )
        })
        .chain([timed(
            "across",
            "SUCCESS",
            "\"2026-10-05T11:00:00.000Z\"",
            "\"2026-10-08T11:00:00.000Z\"",
        )])
        .collect();
    // How long ago the last full walk was is told by the first answer.
    assert_eq!(
        catch_up(&scene, "t23", &newest, 7 * 24 * 60),
        ["incremental", "full"]
    );
    assert_eq!(
        scene.rows("SELECT count(*) FROM tasks WHERE is_final"),
        ["157"]
    );
    assert_eq!(cell(&scene, "across", "status"), "SUCCESS");
}

#[test]
fn t24_a_finished_task_deep_in_the_list_that_changes_is_found_by_the_daily_full_walk() {
    let newest = at("a", "SUCCESS", "05T10:00:00.000");
    let scene = known(std::slice::from_ref(&newest));
    let mut list = after_the_past(std::slice::from_ref(&newest));
    list[100] = timed(
        "p050",
        "FAILED",
        "\"2026-09-03T02:00:00.000Z\"",
        "\"2026-10-05T12:05:00.000Z\"",
    );
    scene.set(list);
    scene.pass(15 * MINUTE);
    scene.sync("an everyday walk does not go so deep", 0);
    assert_eq!(walks(&scene), ["incremental"]);
    assert_eq!(cell(&scene, "p050", "status"), "SUCCESS");
    scene.pass(21 * HOUR);
    scene.sync("the daily one does", 0);
    assert_eq!(walks(&scene), ["incremental", "full"]);
    assert_eq!(cell(&scene, "p050", "status"), "FAILED");
}

#[test]
fn t26_a_quiet_sync_of_a_long_history_is_one_small_request() {
    let scene = known(&[at("a", "SUCCESS", "05T10:00:00.000")]);
    scene.pass(15 * MINUTE);
    scene.sync("nothing new", 0);
    let asked = scene.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].limit <= 10, "{asked:?}");
}

#[test]
fn t27_an_open_task_that_is_deleted_upstream_stays_and_is_open_work_no_more_once_that_is_certain() {
    let newest = at("b", "SUCCESS", "05T11:00:00.000");
    let open = at("a", "EXECUTING", "05T10:00:00.000");
    let scene = known(&[newest.clone(), open]);
    let waits = |scene: &Scene| {
        let told = scene.run(&["status"]);
        let told = String::from_utf8(told.out).unwrap();
        told.contains("open for more than a day")
    };
    assert!(waits(&scene));
    catch_up(&scene, "it is not there", std::slice::from_ref(&newest), 15);
    assert_eq!(cell(&scene, "a", "missing_as"), "removed");
    // Only another full walk makes it certain.
    catch_up(
        &scene,
        "nor a day later",
        std::slice::from_ref(&newest),
        21 * 60,
    );
    assert_eq!(cell(&scene, "a", "missing_confirmed_at IS NOT NULL"), "1");
    assert_eq!(cell(&scene, "a", "status"), "EXECUTING");
    assert!(!waits(&scene));
}

#[test]
fn t28_finished_tasks_that_are_deleted_stay_here_be_it_all_of_them() {
    let scene = known(&[at("a", "SUCCESS", "05T10:00:00.000")]);
    let before = scene.stored();
    scene.set(past()[..140].to_vec());
    scene.pass(15 * MINUTE);
    scene.sync("eleven are gone", 0);
    assert_eq!(
        scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
        ["11"]
    );
    scene.set(Vec::new());
    for _ in 0..3 {
        scene.pass(2 * HOUR);
        scene.sync("all are gone", 0);
    }
    assert_eq!(
        scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
        ["151"]
    );
    assert_eq!(scene.stored(), before);
}

#[test]
fn t29_what_the_provider_dropped_between_two_runs_is_a_gap_that_is_named() {
    let scene = known(&[at("a", "SUCCESS", "05T10:00:00.000")]);
    // Ten days later everything that was there has aged out, and what came and went in between was shown to nobody.
    scene.pass(10 * DAY);
    scene.answer(honest(vec![at("z", "SUCCESS", "14T10:00:00.000")]));
    scene.sync("all was dropped", 0);
    scene.pass(25 * HOUR);
    scene.sync("and stays so", 0);
    assert_eq!(
        scene.rows("SELECT missing_as, count(*) FROM tasks WHERE missing_confirmed_at IS NOT NULL GROUP BY 1"),
        ["aged_out|151"]
    );
    let gaps = scene.run(&["coverage", "--gaps", "-o", "json"]);
    assert_eq!(gaps.code, Some(0), "{}", gaps.err);
    let gaps: serde_json::Value = serde_json::from_slice(&gaps.out).unwrap();
    let mut gaps_of_it = gaps.as_array().unwrap().iter();
    let dropped = gaps_of_it.find(|gap| gap["state"] == "gap").unwrap();
    assert!(
        dropped["since"]
            .as_str()
            .unwrap()
            .starts_with("2026-10-05T11:45"),
        "{gaps}"
    );
    assert!(
        dropped["until"]
            .as_str()
            .unwrap()
            .starts_with("2026-10-15T12:00"),
        "{gaps}"
    );
    assert_eq!(dropped["reason"], "proven walks 10d00h apart; no sync ran");
}

#[test]
fn a_page_without_records_and_a_count_of_none_is_read_twice_whatever_the_clock_says() {
    let scene = Scene::new(|_| Reply::page("0", Vec::new()));
    scene.hide_date();
    scene.sync("an empty list without a date", 0);
    assert_eq!(scene.rows("SELECT count(*) FROM tasks"), ["0"]);
}
