//! Lists that move, lie or never end (the paging faults G01 to G20, as a full walk meets them).
//!
//! Whatever a server does with `limit`, `offset` and `task_count`, the archive holds exactly the records that were sent; 0
//! is said only when those are all there are; and once the server behaves, the next sync completes.

use std::sync::{Arc, Mutex};

use crate::support_pages::{Asked, HOUR, INSTANCE, Raw, Reply, Scene, honest, task, tasks};

const PAGE: u32 = 10;

/// How many walks the last sync took, and how the last of them came out.
fn last_sync(scene: &Scene) -> (usize, bool, String) {
    let walks = scene.rows(
        "SELECT proven || ' ' || reason FROM walks WHERE sync_id = (SELECT max(sync_id) FROM syncs) ORDER BY walk_id",
    );
    let (proven, reason) = walks.last().unwrap().split_once(' ').unwrap();
    (walks.len(), proven == "1", reason.to_owned())
}

/// The ids that the archive holds, newest first as the tests number them.
fn ids(scene: &Scene) -> Vec<String> {
    scene.rows("SELECT task_id FROM tasks ORDER BY task_id DESC")
}

fn ids_of(list: &[Raw]) -> Vec<String> {
    let mut ids: Vec<String> = list.iter().map(|raw| id_of(raw)).collect();
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids
}

fn id_of(raw: &[u8]) -> String {
    let record: serde_json::Value = serde_json::from_slice(raw).unwrap();
    record["id"].as_str().unwrap().to_owned()
}

/// What was sent is what is kept, no more and no less.
fn holds_what_was_sent(scene: &Scene, what: &str) {
    let (sent, kept) = (scene.sent(), scene.kept());
    assert!(
        kept == sent,
        "{what}: sent {} records, kept {}",
        sent.len(),
        kept.len()
    );
}

/// After the fault: an honest server with this list is walked to a proof, and nothing else is live.
fn heals(scene: &Scene, what: &str, list: &[Raw]) {
    scene.set(list.to_vec());
    scene.pass(2 * HOUR);
    scene.sync_paged(what, PAGE, 0);
    holds_what_was_sent(scene, what);
    let live =
        scene.rows("SELECT task_id FROM tasks WHERE missing_since IS NULL ORDER BY task_id DESC");
    assert_eq!(live, ids_of(list), "{what}");
}

/// A list that changes once, just before the `at`-th page beyond the first is answered.
fn moving(
    before: Vec<Raw>,
    after: Vec<Raw>,
    at: usize,
) -> impl FnMut(&Asked) -> Reply + Send + 'static {
    let mut seams = 0;
    move |asked| {
        seams += usize::from(asked.offset > 0);
        let list = if seams < at { &before } else { &after };
        Reply::page(&list.len().to_string(), asked.cut(list))
    }
}

fn without(list: &[Raw], ids: &[&str]) -> Vec<Raw> {
    let kept = |raw: &&Raw| !ids.contains(&id_of(raw).as_str());
    list.iter().filter(kept).cloned().collect()
}

#[test]
fn a_list_that_moves_between_pages_is_walked_again_until_it_holds_still() {
    let list = tasks(34);
    let newer = |count: u32| -> Vec<Raw> {
        (0..count)
            .rev()
            .map(|number| task(&format!("u{number:03}"), 60 + number, "EXECUTING"))
            .chain(list.iter().cloned())
            .collect()
    };
    let unread_jumps = [vec![task("t005", 90, "FAILED")], without(&list, &["t005"])].concat();
    let read_sinks = [without(&list, &["t030"]), vec![task("t030", 0, "FAILED")]].concat();
    let exchanged = [
        vec![task("u000", 60, "EXECUTING")],
        without(&list, &["t033"]),
    ]
    .concat();
    let both = [
        newer(2)[..2].to_vec(),
        without(&list, &["t031", "t012", "t002"]),
    ]
    .concat();
    let oldest_first: Vec<Raw> = list.iter().rev().cloned().collect();
    let appended = [oldest_first.clone(), vec![task("u000", 60, "SUCCESS")]].concat();
    let cases = [
        ("G01 one task appears", &list, newer(1)),
        ("G01 as many as a page appear", &list, newer(PAGE)),
        (
            "G02 a read row is deleted",
            &list,
            without(&list, &["t032"]),
        ),
        (
            "G02 rows are deleted on both sides",
            &list,
            without(&list, &["t033", "t032", "t004"]),
        ),
        (
            "G02 everything that was read is deleted",
            &list,
            list[10..].to_vec(),
        ),
        ("G01 and G02 insert and delete", &list, both),
        (
            "G20 one deleted, one added, total unchanged",
            &list,
            exchanged,
        ),
        (
            "G14 an unread row jumps ahead of the reader",
            &list,
            unread_jumps,
        ),
        ("G14 a read row moves to the end", &list, read_sinks),
        (
            "G13 oldest first, a row is appended",
            &oldest_first,
            appended,
        ),
    ];
    for (what, before, after) in cases {
        for at in [1, 2, 3] {
            let what = format!("{what}, before page {}", at + 1);
            let scene = Scene::new(moving(before.clone(), after.clone(), at));
            scene.sync_paged(&what, PAGE, 0);
            holds_what_was_sent(&scene, &what);
            let (walks, proven, reason) = last_sync(&scene);
            assert!(proven, "{what}: {reason}");
            let known = ids(&scene);
            // What a row that comes for one that goes does to the places of the others, no seam can show: the proof is for
            // what was there throughout, and the next sync has the rest.
            let unseen = what.starts_with("G20");
            let throughout = ids_of(before);
            for id in ids_of(&after) {
                let due = !unseen || throughout.contains(&id);
                assert!(
                    !due || known.contains(&id),
                    "{what}: {id} is lost after {walks} walks"
                );
            }
            assert!(unseen || walks > 1, "{what}: the first walk proves nothing");
            heals(&scene, &what, &after);
        }
    }
}

#[test]
fn a_list_that_moves_on_a_later_walk_is_seen_as_well() {
    let list = tasks(34);
    let deleted = without(&list, &["t032"]);
    let exchanged = [vec![task("u000", 60, "SUCCESS")], without(&list, &["t003"])].concat();
    for (what, after) in [("G02", deleted), ("G20, the deleted one unread", exchanged)] {
        let scene = Scene::of(list.clone());
        scene.sync_paged(what, PAGE, 0);
        scene.pass(HOUR);
        scene.answer(moving(list.clone(), after.clone(), 1));
        scene.sync_paged(what, PAGE, 0);
        holds_what_was_sent(&scene, what);
        assert!(
            last_sync(&scene).0 > 1,
            "{what}: the first walk proves nothing"
        );
        heals(&scene, what, &after);
    }
}

/// One way to page through a list.
type Server = Box<dyn FnMut(&Asked) -> Reply + Send>;

fn counted(
    list: &[Raw],
    count: impl Fn(&Asked, usize) -> String + Send + 'static,
    cut: impl Fn(&Asked, &[Raw]) -> Vec<Raw> + Send + 'static,
) -> Server {
    let list = list.to_vec();
    Box::new(move |asked| {
        let page = cut(asked, &list);
        Reply::page(&count(asked, page.len()), page)
    })
}

/// Cuts pages of at most `cap` records.
fn capped(cap: usize) -> impl Fn(&Asked, &[Raw]) -> Vec<Raw> + Send + 'static {
    move |asked, list| {
        let mut page = asked.cut(list);
        page.truncate(cap);
        page
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn every_way_to_page_and_to_count_gives_all_records_and_no_false_claim() {
    let list = tasks(34);
    let total = |_: &Asked, _: usize| "34".to_owned();
    let of_page = |_: &Asked, page: usize| page.to_string();
    let nothing = |_: &Asked, _: usize| String::new();
    let constant = |text: &'static str| move |_: &Asked, _: usize| text.to_owned();
    let whole = capped(usize::MAX);
    let uneven = |asked: &Asked, list: &[Raw]| {
        let mut page = asked.cut(list);
        page.truncate(2 + (asked.offset * 7) % 5);
        page
    };
    let ignores_limit = |asked: &Asked, list: &[Raw]| -> Vec<Raw> {
        list.iter().skip(asked.offset).take(15).cloned().collect()
    };
    let everything_left = |asked: &Asked, list: &[Raw]| -> Vec<Raw> {
        list.iter().skip(asked.offset).cloned().collect()
    };
    let cases: Vec<(&str, Server, i32)> = vec![
        ("G03 pages of 7", counted(&list, total, capped(7)), 0),
        ("G03 pages of 2", counted(&list, total, capped(2)), 0),
        ("G03 uneven pages", counted(&list, total, uneven), 0),
        (
            "G03 uneven pages without a count",
            counted(&list, nothing, uneven),
            0,
        ),
        (
            "G04 pages of 15 for 10",
            counted(&list, total, ignores_limit),
            0,
        ),
        (
            "G04 pages of 15, no count",
            counted(&list, nothing, ignores_limit),
            0,
        ),
        (
            "G04 everything at once",
            counted(&list, total, everything_left),
            0,
        ),
        (
            "G07 the count of the page",
            counted(&list, of_page, capped(usize::MAX)),
            0,
        ),
        (
            "G07 the same, pages capped at 7",
            counted(&list, of_page, capped(7)),
            0,
        ),
        (
            "G07 the same, pages capped at 2",
            counted(&list, of_page, capped(2)),
            0,
        ),
        (
            "G08 too low",
            counted(&list, constant("20"), capped(usize::MAX)),
            0,
        ),
        (
            "G08 0",
            counted(&list, constant("0"), capped(usize::MAX)),
            0,
        ),
        (
            "G08 the count stops at 10",
            counted(&list, constant("10"), capped(7)),
            0,
        ),
        (
            "G09 too high by one",
            counted(&list, constant("35"), capped(usize::MAX)),
            3,
        ),
        (
            "G09 too high by far",
            counted(&list, constant("9000"), capped(7)),
            3,
        ),
        (
            "G09 higher than any list",
            counted(&list, constant("18446744073709551615"), capped(usize::MAX)),
            3,
        ),
        (
            "G10 text",
            counted(&list, constant(r#""34""#), capped(usize::MAX)),
            0,
        ),
        (
            "G10 text with blanks",
            counted(&list, constant(r#"" 34 ""#), capped(usize::MAX)),
            0,
        ),
        ("G10 absent", counted(&list, nothing, whole), 0),
        (
            "G10 null",
            counted(&list, constant("null"), capped(usize::MAX)),
            0,
        ),
        (
            "G10 negative",
            counted(&list, constant("-1"), capped(usize::MAX)),
            0,
        ),
        (
            "G10 a fraction",
            counted(&list, constant("34.0"), capped(usize::MAX)),
            0,
        ),
        (
            "G10 words",
            counted(&list, constant(r#""many""#), capped(usize::MAX)),
            0,
        ),
        (
            "G10 an object",
            counted(&list, constant("{}"), capped(usize::MAX)),
            0,
        ),
        (
            "G10 an empty text",
            counted(&list, constant(r#""""#), capped(usize::MAX)),
            0,
        ),
        (
            "G10 beyond 64 bits",
            counted(
                &list,
                constant("99999999999999999999999"),
                capped(usize::MAX),
            ),
            0,
        ),
    ];
    for (what, server, expected) in cases {
        let scene = Scene::new(server);
        let ran = scene.sync_paged(what, PAGE, expected);
        holds_what_was_sent(&scene, what);
        assert_eq!(ids(&scene), ids_of(&list), "{what}");
        let (walks, proven, reason) = last_sync(&scene);
        assert!(walks <= 4, "{what}: {walks} walks");
        assert_eq!(proven, expected == 0, "{what}: {reason}");
        if expected == 3 {
            assert!(reason.contains("and showed 34"), "{what}: {reason}");
            assert!(ran.err.contains(&reason), "{what}: {}", ran.err);
            assert_eq!(
                scene.rows("SELECT high_water_mark FROM instances"),
                ["null"],
                "{what}"
            );
        }
        heals(&scene, what, &list);
    }
}

#[test]
fn pages_of_one_record_cannot_overlap_so_they_give_everything_and_prove_nothing() {
    let list = tasks(34);
    let total = |_: &Asked, _: usize| "34".to_owned();
    let nothing = |_: &Asked, _: usize| String::new();
    for (what, server) in [
        ("G03 pages of one", counted(&list, total, capped(1))),
        (
            "G03 pages of one, no count",
            counted(&list, nothing, capped(1)),
        ),
    ] {
        let scene = Scene::new(server);
        scene.sync_paged(what, PAGE, 3);
        assert_eq!(ids(&scene), ids_of(&list), "{what}");
        assert_eq!(
            (last_sync(&scene).0, last_sync(&scene).1),
            (4, false),
            "{what}"
        );
        heals(&scene, what, &list);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn a_server_that_ignores_the_offset_or_starts_over_is_found_out() {
    let list = tasks(34);
    let first = |asked: &Asked, list: &[Raw]| list[..asked.limit.min(34)].to_vec();
    let over = |asked: &Asked, list: &[Raw]| -> Vec<Raw> {
        let rest = list.iter().cycle().skip(asked.offset % list.len());
        rest.take(asked.limit).cloned().collect()
    };
    let again = |asked: &Asked, list: &[Raw]| {
        let page = asked.cut(list);
        if page.len() > 1 {
            page
        } else {
            list[..asked.limit.min(34)].to_vec()
        }
    };
    let total = |_: &Asked, _: usize| "34".to_owned();
    let of_page = |_: &Asked, page: usize| page.to_string();
    let nothing = |_: &Asked, _: usize| String::new();
    // What came, the exit code that is right where the answers allow only one, and the records that can be had.
    let cases: Vec<(&str, Server, u32, &[i32], usize)> = vec![
        (
            "G05 offset ignored",
            counted(&list, total, first),
            PAGE,
            &[3],
            10,
        ),
        (
            "G05 no count",
            counted(&list, nothing, first),
            PAGE,
            &[3],
            10,
        ),
        (
            "G05 the count of the page",
            counted(&list, of_page, first),
            PAGE,
            &[3],
            10,
        ),
        (
            "G05 all fits one page",
            counted(&list, total, first),
            1000,
            &[0],
            34,
        ),
        (
            "G05 all fits, no count",
            counted(&list, nothing, first),
            1000,
            &[3],
            34,
        ),
        (
            "G06 begins again",
            counted(&list, total, over),
            PAGE,
            &[0, 3],
            34,
        ),
        (
            "G06 no count",
            counted(&list, nothing, over),
            PAGE,
            &[0, 3],
            34,
        ),
        (
            "G06 after the last",
            counted(&list, total, again),
            PAGE,
            &[0],
            34,
        ),
        (
            "G06 after the last, no count",
            counted(&list, nothing, again),
            PAGE,
            &[0, 3],
            34,
        ),
        (
            "G06 after the last, page count",
            counted(&list, of_page, again),
            PAGE,
            &[0, 3],
            34,
        ),
    ];
    for (what, server, page_size, expected, came) in cases {
        let scene = Scene::new(server);
        let ran = scene.sync_with(&["--page-size", &page_size.to_string()]);
        let code = ran.code.unwrap();
        assert!(expected.contains(&code), "{what}: {code}: {}", ran.err);
        holds_what_was_sent(&scene, what);
        assert_eq!(ids(&scene).len(), came, "{what}");
        let (_, proven, reason) = last_sync(&scene);
        assert_eq!(proven, code == 0, "{what}: {reason}");
        assert!(scene.asked().len() < 60, "{what}: it ends");
        heals(&scene, what, &list);
    }
}

#[test]
fn an_empty_answer_is_no_end_and_nothing_goes_missing_by_it() {
    let list = tasks(34);
    // Empty once in the middle: asked again, and the walk goes on.
    let (once, mut left) = (list.clone(), 1);
    let scene = Scene::new(move |asked| {
        let empty = asked.offset == 18 && left > 0;
        left -= usize::from(empty);
        Reply::page("34", if empty { Vec::new() } else { asked.cut(&once) })
    });
    scene.sync_paged("G11 once", PAGE, 0);
    assert_eq!(ids(&scene), ids_of(&list));
    assert_eq!(last_sync(&scene).0, 1);

    // Empty in the middle for good, with and without a count that says otherwise: what came is stored.
    for count in ["34", "", "0"] {
        let what = format!("G11 for good, count {count:?}");
        let (half, count) = (list.clone(), count.to_owned());
        let scene = Scene::new(move |asked| {
            let page = if asked.offset >= 18 {
                Vec::new()
            } else {
                asked.cut(&half)
            };
            Reply::page(&count, page)
        });
        scene.sync_paged(&what, PAGE, 3);
        holds_what_was_sent(&scene, &what);
        assert_eq!(ids(&scene).len(), 19, "{what}");
        heals(&scene, &what, &list);
    }

    // An empty list where 34 were.
    for (count, expected) in [("34", 3), ("1", 3), ("0", 0), ("", 0)] {
        let what = format!("G11 where 34 were, count {count:?}");
        let scene = Scene::of(list.clone());
        scene.sync_paged(&what, PAGE, 0);
        let mark = scene.rows("SELECT high_water_mark FROM instances");
        let (count, count_says_none) = (count.to_owned(), count == "0");
        scene.answer(move |_| Reply::page(&count, Vec::new()));
        for _ in 0..2 {
            scene.pass(2 * HOUR);
            scene.sync_paged(&what, PAGE, expected);
        }
        let gone = "SELECT count(*) FROM tasks WHERE missing_confirmed_at IS NOT NULL";
        assert_eq!(
            scene.rows(gone),
            ["0"],
            "{what}: a lagging copy may be answering"
        );
        let missing = scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL");
        // Only a count says that they are gone; its absence, where there was one before, says nothing.
        let noted = if count_says_none { "34" } else { "0" };
        assert_eq!(missing, [noted], "{what}");
        assert_eq!(ids(&scene).len(), 34, "{what}");
        assert_eq!(
            scene.rows("SELECT high_water_mark FROM instances"),
            mark,
            "{what}"
        );
        heals(&scene, &what, &list);
    }
}

#[test]
fn ties_in_another_order_on_each_request_prove_nothing_unless_all_came() {
    let list: Vec<Raw> = (0..34)
        .map(|number| task(&format!("t{number:03}"), 5, "SUCCESS"))
        .collect();
    for step in [1, 5, 11, 13] {
        let what = format!("G15 in steps of {step}");
        let (mut turning, all) = (list.clone(), list.clone());
        let scene = Scene::new(move |asked| {
            turning.rotate_left(step);
            Reply::page("34", asked.cut(&turning))
        });
        let ran = scene.sync_with(&["--page-size", "10"]);
        let code = ran.code.unwrap();
        assert!([0, 3].contains(&code), "{what}: {}", ran.err);
        holds_what_was_sent(&scene, &what);
        let (walks, proven, _) = last_sync(&scene);
        assert_eq!(proven, code == 0, "{what}");
        if proven {
            assert_eq!(ids(&scene), ids_of(&all), "{what}");
        } else {
            assert_eq!(walks, 4, "{what}");
        }
        heals(&scene, &what, &list);
    }
}

#[test]
fn two_revisions_on_one_page_or_on_two_are_both_kept() {
    let mut list = tasks(34);
    list.insert(3, task("t020", 80, "FAILED"));
    // In two answers the second might stand for another record that did not come.
    for (page_size, code) in [(1000, 0), (PAGE, 3)] {
        let what = format!("G16 in pages of {page_size}");
        let scene = Scene::of(list.clone());
        scene.sync_paged(&what, page_size, code);
        holds_what_was_sent(&scene, &what);
        let both =
            "SELECT status, is_current FROM task_revisions WHERE task_id = 't020' ORDER BY status";
        assert_eq!(scene.rows(both), ["FAILED|1", "SUCCESS|0"], "{what}");
        assert_eq!(
            scene.rows("SELECT received FROM walks ORDER BY walk_id DESC LIMIT 1"),
            ["35"],
            "{what}: both positions count"
        );
        let before = scene.history();
        scene.sync_paged(&what, page_size, code);
        assert_eq!(before, scene.history(), "{what}");
    }
}

#[test]
fn a_limit_that_is_refused_becomes_smaller_and_is_remembered() {
    let refusing = |list: Vec<Raw>, largest: usize| {
        move |asked: &Asked| {
            if asked.limit > largest {
                let body =
                    r#"{"error_code":"DCS.4800","error_msg":"Invalid limit in the request."}"#;
                return Reply::error(400, body);
            }
            Reply::page(&list.len().to_string(), asked.cut(&list))
        }
    };
    let list = tasks(34);
    for (largest, tried) in [
        (999, vec![1000, 100]),
        (100, vec![1000, 100]),
        (50, vec![1000, 100, 10]),
        (10, vec![1000, 100, 10]),
    ] {
        let what = format!("G17 at most {largest}");
        let scene = Scene::new(refusing(list.clone(), largest));
        scene.sync(&what, 0);
        assert_eq!(ids(&scene), ids_of(&list), "{what}");
        let mut limits: Vec<usize> = scene
            .asked()
            .iter()
            .map(|asked| asked.limit)
            .filter(|limit| *limit > 2)
            .collect();
        limits.dedup();
        assert_eq!(limits, tried, "{what}");
        scene.sync(&what, 0);
        let smallest = *tried.last().unwrap();
        assert!(
            scene.asked().iter().all(|asked| asked.limit <= smallest),
            "{what}: it is remembered"
        );
        heals(&scene, &what, &list);
    }
    let scene = Scene::new(refusing(list.clone(), 5));
    let ran = scene.sync("G17 not even 10", 5);
    assert!(ran.err.contains("Invalid limit"), "{}", ran.err);
    assert!(scene.asked().len() < 10);
    heals(&scene, "G17 not even 10", &list);
}

#[test]
fn a_list_that_never_ends_is_left_after_a_bounded_number_of_pages() {
    for count in ["", "34"] {
        let what = format!("G18, count {count:?}");
        let count = count.to_owned();
        let scene = Scene::new(move |asked| {
            let numbers = asked.offset..asked.offset + asked.limit;
            let page = numbers.map(|number| format!(r#"{{"id":"n{number}"}}"#).into_bytes());
            Reply::page(&count, page.collect())
        });
        let ran = scene.sync_with(&["--page-size", "3"]);
        assert!(
            [Some(3), Some(5)].contains(&ran.code),
            "{what}: {}",
            ran.err
        );
        let requests = scene.asked().len();
        assert!(
            (1000..1200).contains(&requests),
            "{what}: {requests} requests"
        );
        holds_what_was_sent(&scene, &what);
        let (walks, proven, reason) = last_sync(&scene);
        assert_eq!((walks, proven), (1, false), "{what}");
        assert!(reason.contains("did not end"), "{what}: {reason}");
    }
}

#[test]
fn a_list_whose_count_grows_with_it_ends_with_the_time_for_a_run() {
    let scene = Scene::new(|asked| {
        let numbers = asked.offset..asked.offset + asked.limit;
        let page = numbers.map(|number| format!(r#"{{"id":"n{number}"}}"#).into_bytes());
        Reply::page(&(asked.offset + 5000).to_string(), page.collect())
    });
    let ran = scene.sync_with(&["--page-size", "10", "--run-timeout", "1s"]);
    assert!([Some(3), Some(5)].contains(&ran.code), "{}", ran.err);
    // The time may be over while a page is on its way.
    let (sent, stored) = (scene.sent(), scene.stored());
    assert!(stored.is_subset(&sent));
    assert!(stored.len() > 100 && sent.len() - stored.len() < 10);
    assert!(!last_sync(&scene).1);
}

#[test]
fn one_instance_that_cannot_be_proven_does_not_spoil_another() {
    let list = tasks(34);
    let served = Arc::new(Mutex::new(list.clone()));
    let scene = Scene::new(move |asked| {
        let list = served.lock().unwrap();
        let count = if asked.instance == INSTANCE {
            40
        } else {
            list.len()
        };
        Reply::page(&count.to_string(), asked.cut(&list))
    });
    let other = "0b7e9a52-8a55-4c0e-9d6c-4f6f3f6f0a01";
    let ran = scene.sync_with(&[
        "--instance",
        INSTANCE,
        "--instance",
        other,
        "--page-size",
        "10",
    ]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let proven = "SELECT instance_id, max(proven) FROM walks GROUP BY 1 ORDER BY 2";
    assert_eq!(
        scene.rows(proven),
        [format!("{INSTANCE}|0"), format!("{other}|1")]
    );
    assert_eq!(scene.rows("SELECT count(*) FROM tasks"), ["68"]);
    scene.answer(honest(list));
    let ran = scene.sync_with(&[
        "--instance",
        INSTANCE,
        "--instance",
        other,
        "--page-size",
        "10",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

/// What a server answers to a request that bears a start.
type ToAStart = fn(&Asked, &[Raw]) -> Reply;

#[test]
fn only_the_question_about_the_window_bears_a_time_and_no_answer_to_it_loses_anything() {
    let list = tasks(34);
    // What a server does with a start: ignores it, honours it, shows nothing, refuses it.
    let answers: [(&str, ToAStart); 4] = [
        ("G12 ignored", |asked, list| {
            Reply::page("34", asked.cut(list))
        }),
        ("honoured", |asked, list| Reply::page("34", asked.cut(list))),
        ("nothing shown", |_, _| Reply::page("0", Vec::new())),
        ("refused", |_, _| {
            Reply::error(
                400,
                r#"{"error_code":"DCS.4062","error_msg":"Invalid parameter start_time."}"#,
            )
        }),
    ];
    for (what, answer) in answers {
        let all = list.clone();
        let scene = Scene::new(move |asked| match asked.start {
            Some(_) => answer(asked, &all),
            None => Reply::page("34", asked.cut(&all)),
        });
        scene.sync_paged(what, PAGE, 0);
        assert_eq!(ids(&scene), ids_of(&list), "{what}");
        let asked = scene.asked();
        let timed: Vec<&Asked> = asked.iter().filter(|asked| asked.start.is_some()).collect();
        assert!(
            !timed.is_empty()
                && timed
                    .iter()
                    .all(|asked| (asked.offset, asked.limit) == (0, 2)),
            "{what}: {timed:?}"
        );
        heals(&scene, what, &list);
    }
}

#[test]
fn a_list_that_hides_its_old_records_is_read_with_a_start() {
    let list = tasks(34);
    let all = list.clone();
    let scene = Scene::new(move |asked| {
        let shown = if asked.start.is_some() {
            &all[..]
        } else {
            &all[..12]
        };
        Reply::page(&shown.len().to_string(), asked.cut(shown))
    });
    scene.sync_paged("hidden", PAGE, 0);
    assert_eq!(ids(&scene), ids_of(&list));
    assert_eq!(
        scene.rows(
            "SELECT count(*) FROM drift WHERE kind = 'upstream' AND what LIKE '%hides old records'"
        ),
        ["1"]
    );
    scene.pass(HOUR);
    scene.sync_paged("hidden still", PAGE, 0);
    assert_eq!(
        scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
        ["0"]
    );
}

#[test]
fn records_without_an_id_are_positions_and_seams_in_every_page_size() {
    let nameless = ["null", "{}", r#"{"name":"EXTEND"}"#, "7", "null"];
    let mut list = tasks(12);
    for (index, text) in nameless.iter().enumerate() {
        list.insert(index * 3 + 1, text.as_bytes().to_vec());
    }
    let named: Vec<Raw> = tasks(12);
    for page_size in 2..=9 {
        let what = format!("nameless records in pages of {page_size}");
        let scene = Scene::of(list.clone());
        scene.sync_paged(&what, page_size, 3);
        assert_eq!(ids(&scene), ids_of(&named), "{what}");
        let last = "SELECT proven, received, rejected FROM walks ORDER BY walk_id DESC LIMIT 1";
        assert_eq!(scene.rows(last), ["1|17|4"], "{what}");
        assert_eq!(scene.set_aside().len(), 4, "{what}: one of them came twice");
        let before = scene.history();
        scene.sync_paged(&what, page_size, 0);
        assert_eq!(before, scene.history(), "{what}");
        // While one of them may be the record that is not shown, nothing is called missing.
        scene.set(list[1..].to_vec());
        scene.pass(2 * HOUR);
        scene.sync_paged(&what, page_size, 0);
        assert_eq!(
            scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
            ["0"],
            "{what}"
        );
        heals(&scene, &what, &named);
    }
}
