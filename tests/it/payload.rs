//! Records of every shape (the payload faults P01 to P23), from the wire to the views.
//!
//! Each list has a good record beside the odd ones. After a first sync the archive holds every record that was sent: as a
//! task, or set aside with its exact bytes and a reason. The second sync of the same list adds nothing and is complete, and
//! so is a sync of a clean list after that.

use serde_json::Value;

use crate::support_pages::{
    DAY, HOUR, INSTANCE, PROJECT, Raw, Reply, Scene, hex, honest, task, tasks,
};

type Check<'a> = (&'a str, &'a [&'a str]);

fn raw(text: &str) -> Raw {
    text.as_bytes().to_vec()
}

/// A list with a good record before the odd ones.
fn beside_a_good_one(odd: &[Raw]) -> Vec<Raw> {
    [&[task("good", 100, "SUCCESS")], odd].concat()
}

/// Syncs the records, checks what the archive has of them, and that neither they nor their absence harm a later sync.
fn keeps(what: &str, odd: &[Raw], first_exit: i32, checks: &[Check<'_>]) {
    let scene = Scene::of(beside_a_good_one(odd));
    let ran = scene.sync(what, first_exit);
    assert!(
        scene.kept() == scene.sent(),
        "{what}: what was sent is what is kept"
    );
    assert_eq!(
        scene.rows("SELECT status, is_final FROM tasks WHERE task_id = 'good'"),
        ["SUCCESS|1"],
        "{what}"
    );
    for (sql, expected) in checks {
        assert_eq!(scene.rows(sql), *expected, "{what}: {sql}");
    }
    let set_aside = scene.rows("SELECT count(*) FROM rejected");
    assert_eq!(set_aside != ["0"], first_exit == 3, "{what}: {set_aside:?}");
    assert_eq!(
        ran.err.contains("set aside"),
        first_exit == 3,
        "{what}: {}",
        ran.err
    );
    scene.is_idempotent(what);
    scene.completes_with_a_clean_list(what);
}

/// A server of one fixture, which is a whole list.
fn of_fixture(name: &str, count: &'static str) -> Scene {
    let path = format!(
        "{}/tests/fixtures/pages/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let body = std::fs::read(path).unwrap();
    Scene::new(move |asked| {
        if asked.offset == 0 {
            Reply::body(body.clone())
        } else {
            Reply::page(count, Vec::new())
        }
    })
}

fn keys(task_id: &str) -> String {
    format!("task_key=1\nproject_id={PROJECT}\ninstance_id={INSTANCE}\ntask_id={task_id}\n")
}

#[test]
fn the_documented_example_of_2022_is_read_to_the_last_column() {
    let scene = of_fixture("a", "1");
    scene.sync("fixture A", 0);
    let id = "8abf6e1e72c12e7c0172c15b508500aa";
    let expected = keys(id)
        + "instance_name=null\nname=ChangeInstanceSpec\nstatus=SUCCESS\nis_final=1\n\
           user_id=d53977d1adfb49c5b025ba7d33a13fd7\nuser_name=u\n\
           created_at=2020-06-17T08:18:06.597Z\nupdated_at=2020-06-17T08:18:10.106Z\nduration_ms=3509\n\
           params=null\nerror_code=null\nrevisions=1\n\
           first_seen_at=2026-10-05T12:00\nlast_seen_at=2026-10-05T12:00\nvouched_at=2026-10-05T12:00\n\
           missing_since=null\nmissing_confirmed_at=null\nmissing_as=null\nreappeared_at=null\n";
    assert_eq!(scene.sheet("SELECT * FROM tasks"), expected);
    let filled: Vec<String> = scene
        .sheet("SELECT * FROM task_details")
        .lines()
        .skip(4)
        .filter(|line| !line.ends_with("=null"))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(
        filled,
        [
            "old_capacity=0.125",
            "new_capacity=0.25",
            "old_cache_mode=single",
            "new_cache_mode=single"
        ]
    );
    assert_eq!(
        scene.rows("SELECT source, attribute, old_value, new_value FROM task_changes ORDER BY 2"),
        [
            "details|cache_mode|single|single",
            "details|capacity|0.125|0.25"
        ]
    );
    assert_eq!(
        scene.rows("SELECT count(*) FROM drift WHERE kind <> 'upstream'"),
        ["0"],
        "numbers for capacities are documented"
    );
    assert_eq!(
        scene.rows("SELECT high_water_mark FROM instances"),
        ["2020-06-17T08:18:10.106Z"]
    );
    scene.is_idempotent("fixture A");
    scene.completes_with_a_clean_list("fixture A");
}

#[test]
fn all_26_documented_details_arrive_in_their_columns() {
    let scene = of_fixture("b", "1");
    scene.sync("fixture B", 0);
    let id = "8abf6e1e72c12e7c0172c15b508500aa";
    let expected = keys(id)
        + "old_capacity=0.125\nnew_capacity=0.25\nenable_public_ip=1\n\
           public_ip_id=b4a8f6d2-2e3c-4a5b-9c1d-7e8f90a1b2c3\npublic_ip_address=203.0.113.17\nenable_ssl=0\n\
           old_cache_mode=single\nnew_cache_mode=ha\n\
           old_resource_spec_code=redis.single.xu1.tiny.128\nnew_resource_spec_code=redis.ha.xu1.tiny.r2.256\n\
           old_replica_num=1\nnew_replica_num=2\nold_cache_type=single\nnew_cache_type=ha\n\
           replica_ip=192.0.2.21\nreplica_az=eu-de-01\ngroup_name=group-0\nold_port=6379\nnew_port=6380\n\
           is_only_adjust_charging=0\naccount_name=reader\nsource_ip=192.0.2.10\ntarget_ip=192.0.2.11\n\
           node_name=node-0\nrename_commands=[\"FLUSHALL\", \"KEYS\"]\nupdated_config_length=3\n";
    assert_eq!(scene.sheet("SELECT * FROM task_details"), expected);
    let types =
        "SELECT typeof(new_capacity), typeof(enable_ssl), typeof(new_port), typeof(replica_az),
                 json_type(rename_commands) FROM task_details";
    assert_eq!(scene.rows(types), ["real|integer|integer|text|array"]);
    assert_eq!(
        scene.rows("SELECT attribute, old_value, new_value FROM task_changes WHERE source = 'details' ORDER BY 1"),
        [
            "account_name|null|reader",
            "cache_mode|single|ha",
            "cache_type|single|ha",
            "capacity|0.125|0.25",
            "enable_public_ip|null|true",
            "enable_ssl|null|false",
            "group_name|null|group-0",
            "is_only_adjust_charging|null|false",
            "node_name|null|node-0",
            "port|6379|6380",
            "public_ip_address|null|203.0.113.17",
            "public_ip_id|null|b4a8f6d2-2e3c-4a5b-9c1d-7e8f90a1b2c3",
            "rename_commands|null|[\"FLUSHALL\", \"KEYS\"]",
            "replica_az|null|eu-de-01",
            "replica_ip|null|192.0.2.21",
            "replica_num|1|2",
            "resource_spec_code|redis.single.xu1.tiny.128|redis.ha.xu1.tiny.r2.256",
            "source_ip|null|192.0.2.10",
            "target_ip|null|192.0.2.11",
            "updated_config_length|null|3",
        ]
    );
    assert_eq!(
        scene.rows("SELECT name, status, duration_ms, user_name, revisions FROM tasks"),
        ["EXTEND|SUCCESS|3509|u|1"]
    );
    assert!(
        scene.rows("SELECT * FROM drift").is_empty(),
        "all of it is documented"
    );
    scene.is_idempotent("fixture B");
    scene.completes_with_a_clean_list("fixture B");
}

#[test]
fn parameters_that_hold_an_object_become_changes() {
    let scene = of_fixture("c", r#""4""#);
    let ran = scene.sync("fixture C", 3);
    assert!(ran.err.contains("an empty answer"), "{}", ran.err);
    let id = "8abfa7b372160bfd0172165864064079";
    let expected = keys(id)
        + "instance_name=null\nname=modifyAutoTopic\nstatus=EXECUTING\nis_final=0\n\
           user_id=3df5acbc24a54fadb62a043c9000a307\nuser_name=u\n\
           created_at=2020-05-15T03:19:51.046Z\nupdated_at=2020-05-15T03:19:51.065Z\nduration_ms=null\n\
           params={\"old_auto_status\":true,\"new_auto_status\":false}\nerror_code=null\nrevisions=1\n\
           first_seen_at=2026-10-05T12:00\nlast_seen_at=2026-10-05T12:00\nvouched_at=null\n\
           missing_since=null\nmissing_confirmed_at=null\nmissing_as=null\nreappeared_at=null\n";
    assert_eq!(scene.sheet("SELECT * FROM tasks"), expected);
    assert_eq!(
        scene.rows("SELECT source, attribute, old_value, new_value FROM task_changes"),
        ["params|auto_status|true|false"]
    );
    let details = scene.sheet("SELECT * FROM task_details");
    assert!(
        details.lines().skip(4).all(|line| line.ends_with("=null")),
        "{details}"
    );
    assert_eq!(
        scene.rows("SELECT kind, what, sample FROM drift"),
        [r#"operation|modifyAutoTopic|"modifyAutoTopic""#]
    );
    assert_eq!(
        scene.rows("SELECT high_water_mark FROM instances"),
        ["null"],
        "nothing is proven"
    );
    let before = scene.history();
    scene.sync("fixture C again", 3);
    assert_eq!(before, scene.history());
    scene.completes_with_a_clean_list("fixture C");

    // Among the three others that its count speaks of, it is proven.
    let whole = std::fs::read(format!(
        "{}/tests/fixtures/pages/c.json",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    let page: Value = serde_json::from_slice(&whole).unwrap();
    let list: Vec<Raw> = [raw(&page["tasks"][0].to_string())]
        .into_iter()
        .chain(tasks(3))
        .collect();
    let scene = Scene::new(move |asked| Reply::page(r#""4""#, asked.cut(&list)));
    scene.sync("fixture C among others", 0);
    assert_eq!(
        scene.rows("SELECT open_tasks, tasks FROM instances"),
        ["1|4"]
    );
    scene.is_idempotent("fixture C among others");

    // Parameters of any other kind are kept and change nothing.
    let record =
        |params: &str| format!(r#"{{"id":"p","status":"SUCCESS","params":{params}}}"#).into_bytes();
    let changes = "SELECT attribute, old_value, new_value FROM task_changes WHERE source = 'params' ORDER BY 1";
    for (params, expected) in [
        (
            r#""{\"a\":1,\"old_b\":null,\"new_b\":{\"c\":[2]}}""#,
            &["a|null|1", "b|null|{\"c\":[2]}"][..],
        ),
        (r#"{"a":1.50,"new_b":"x"}"#, &["a|null|1.50", "b|null|x"]),
        (r#""[1,2]""#, &[]),
        (r#""not JSON {""#, &[]),
        (r#""""#, &[]),
        ("7", &[]),
        ("[{}]", &[]),
    ] {
        keeps(params, &[record(params)], 0, &[(changes, expected)]);
    }
}

#[test]
fn what_stands_beside_the_list_is_adopted_by_a_lone_record_and_corrected_by_a_proper_one() {
    let id = "8abf6e1e72c12e7c0172c15b508500aa";
    let state = "SELECT name, status, created_at, updated_at, revisions FROM tasks";
    let proper = |status: &str, updated: &str| {
        raw(&format!(
            r#"{{"id":"{id}","name":"EXTEND","status":"{status}","created_at":"2020-06-17T08:00:00.000Z","updated_at":"{updated}"}}"#
        ))
    };
    for (what, status, updated) in [
        ("later", "FAILED", "2020-06-17T08:20:00.000Z"),
        ("at the same time", "FAILED", "2020-06-17T08:18:10.106Z"),
        ("earlier", "FAILED", "2020-06-17T08:10:00.000Z"),
        (
            "earlier, and the same status",
            "SUCCESS",
            "2020-06-17T08:10:00.000Z",
        ),
        ("still running", "EXECUTING", "2020-06-17T08:10:00.000Z"),
    ] {
        let what = format!("P15 a proper record, {what}");
        let scene = of_fixture("a", "1");
        scene.sync(&what, 0);
        assert_eq!(
            scene.rows(state),
            ["ChangeInstanceSpec|SUCCESS|2020-06-17T08:18:06.597Z|2020-06-17T08:18:10.106Z|1"]
        );
        assert_eq!(
            scene.rows("SELECT count(*) FROM drift WHERE kind = 'upstream' AND what LIKE '%beside the list%'"),
            ["1"],
            "{what}: that they were adopted is said"
        );
        scene.pass(HOUR);
        scene.set(vec![proper(status, updated)]);
        scene.sync(&what, 0);
        let corrected = format!("EXTEND|{status}|2020-06-17T08:00:00.000Z|{updated}|2");
        assert_eq!(scene.rows(state), [corrected], "{what}");
        scene.is_idempotent(&what);
    }

    // Beside two records they may be of either, and so of none.
    let bare = |id: &str| raw(&format!(r#"{{"id":"{id}","name":"EXTEND"}}"#));
    let beside = r#","status":"SUCCESS","created_at":"2020-06-17T08:18:06.597Z","updated_at":"2020-06-17T08:18:10.106Z""#;
    let answers = |list: Vec<Raw>| {
        move |asked: &crate::support_pages::Asked| {
            Reply::page_with(&list.len().to_string(), asked.cut(&list), beside)
        }
    };
    let scene = Scene::new(answers(vec![bare("one"), bare("two")]));
    scene.sync("P15 two records", 0);
    let each = "SELECT task_id, status, created_at, updated_at FROM tasks ORDER BY 1";
    assert_eq!(
        scene.rows(each),
        ["one|null|null|null", "two|null|null|null"]
    );
    scene.is_idempotent("P15 two records");

    // The second page of a list that holds one record alone is no list of one record.
    let scene = Scene::new(answers(vec![bare("one"), bare("two"), bare("three")]));
    scene.sync_paged("P15 pages", 2, 0);
    assert_eq!(scene.rows("SELECT count(status) FROM tasks"), ["0"]);

    // What a record says of itself counts.
    let own = raw(
        r#"{"id":"own","status":"FAILED","created_at":"2021-01-01T00:00:00.000Z","updated_at":null}"#,
    );
    let scene = Scene::new(answers(vec![own]));
    scene.sync("P15 own fields", 0);
    assert_eq!(
        scene.rows(each),
        ["own|FAILED|2021-01-01T00:00:00.000Z|2020-06-17T08:18:10.106Z"]
    );

    // A record that loses its company to a second one keeps what it had.
    let scene = Scene::new(answers(vec![bare("one")]));
    scene.sync("P15 alone first", 0);
    scene.answer(answers(vec![bare("two"), bare("one")]));
    scene.sync("P15 then two", 0);
    assert_eq!(
        scene.rows(each),
        [
            "one|SUCCESS|2020-06-17T08:18:06.597Z|2020-06-17T08:18:10.106Z",
            "two|null|null|null"
        ]
    );
    scene.is_idempotent("P15 then two");
}

#[test]
fn what_nobody_documented_is_kept_and_journalled_once() {
    let state = "SELECT status, name, is_final FROM tasks WHERE task_id = 'x'";
    let drift = "SELECT kind, what FROM drift ORDER BY 1, 2";
    let record = |status: &str, name: &str| {
        let time = "2026-10-01T12:00:00.000Z";
        raw(&format!(
            r#"{{"id":"x","status":"{status}","name":"{name}","created_at":"{time}","updated_at":"{time}"}}"#
        ))
    };
    let cases: [(&str, &str, &[&str], &[&str]); 5] = [
        ("PAUSED", "EXTEND", &["PAUSED|EXTEND|0"], &["status|PAUSED"]),
        ("", "", &["||0"], &["operation|", "status|"]),
        (
            "成功",
            "変更",
            &["成功|変更|0"],
            &["operation|変更", "status|成功"],
        ),
        (
            "нет",
            "ÄÖ\\u00fc🙂",
            &["нет|ÄÖü🙂|0"],
            &["operation|ÄÖü🙂", "status|нет"],
        ),
        ("Success", "bindeip", &["Success|bindeip|1"], &[]),
    ];
    for (status, name, expected, journalled) in cases {
        let what = format!("P01 {status:?} {name:?}");
        keeps(
            &what,
            &[record(status, name)],
            0,
            &[(state, expected), (drift, journalled)],
        );
    }
    let fields = raw(
        r#"{"id":"x","name":"EXTEND","status":"SUCCESS","a_new_field":{"deep":[1]},"details":{"new_kind":"k","old_capacity":"1"}}"#,
    );
    keeps(
        "P02 unknown fields",
        &[
            fields.clone(),
            raw(r#"{"id":"y","status":"SUCCESS","a_new_field":"another"}"#),
        ],
        0,
        &[
            (
                "SELECT kind, what, sample FROM drift ORDER BY 2",
                &[
                    r#"field|details.new_kind|"k""#,
                    r#"field|task.a_new_field|{"deep":[1]}"#,
                ],
            ),
            (
                "SELECT attribute, old_value, new_value FROM task_changes ORDER BY 1",
                &["capacity|1|null", "kind|null|k"],
            ),
        ],
    );
    let list = beside_a_good_one(&[fields]);
    let scene =
        Scene::new(move |asked| Reply::page_with("2", asked.cut(&list), r#","next":"/v2/…""#));
    scene.sync("P02 beside the list", 0);
    assert_eq!(
        scene.rows("SELECT what FROM drift WHERE what LIKE 'answer%'"),
        ["answer.next"]
    );
    scene.is_idempotent("P02 beside the list");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn fields_that_are_missing_null_or_of_another_type_cost_nothing_else() {
    let state = "SELECT task_id, name, status, is_final, user_id, created_at, updated_at, duration_ms, params
                 FROM tasks WHERE task_id <> 'good'";
    let running = |updated: &str| {
        raw(&format!(
            r#"{{"id":"r","status":"EXECUTING","created_at":"2026-10-01T13:00:00Z"{updated}}}"#
        ))
    };
    let none = "r|null|EXECUTING|0|null|2026-10-01T13:00:00.000Z|null|null|null";
    let mark = "SELECT high_water_mark FROM instances";
    let good = "2026-10-01T13:40:00.000Z";
    let cases: Vec<(&str, Raw, &str)> = vec![
        (
            "P03 nothing but an id",
            raw(r#"{"id":"only"}"#),
            "only|null|null|0|null|null|null|null|null",
        ),
        (
            "P03 all null",
            raw(
                r#"{"id":"n","name":null,"details":null,"user_id":null,"params":null,"status":null,"created_at":null,"updated_at":null}"#,
            ),
            "n|null|null|0|null|null|null|null|null",
        ),
        ("P03 no updated_at", running(""), none),
        ("P03 null", running(r#","updated_at":null"#), none),
        ("P03 empty", running(r#","updated_at":"""#), none),
        (
            "P03 1970",
            running(r#","updated_at":"1970-01-01T00:00:00Z""#),
            "r|null|EXECUTING|0|null|2026-10-01T13:00:00.000Z|1970-01-01T00:00:00.000Z|null|null",
        ),
        (
            "P04 the id is a number",
            raw(r#"{"id":42,"status":"SUCCESS"}"#),
            "42|null|SUCCESS|1|null|null|null|null|null",
        ),
        (
            "P04 the id is a long number",
            raw(r#"{"id":123456789012345678901234567890}"#),
            "123456789012345678901234567890|null|null|0|null|null|null|null|null",
        ),
        (
            "P04 numbers and objects for text",
            raw(
                r#"{"id":"x","name":7,"status":{"code":1},"user_id":1.50,"params":["a", 1],"created_at":1592381886,"updated_at":true}"#,
            ),
            r#"x|7|{"code":1}|0|1.50|null|null|null|["a", 1]"#,
        ),
        (
            "P04 text for objects",
            raw(r#"{"id":"x","status":"SUCCESS","details":"none","enable_show":"yes"}"#),
            "x|null|SUCCESS|1|null|null|null|null|null",
        ),
        (
            "P04 a list for details",
            raw(r#"{"id":"x","details":[1,2]}"#),
            "x|null|null|0|null|null|null|null|null",
        ),
        (
            "P07 words",
            raw(r#"{"id":"x","created_at":"yesterday","updated_at":"n/a"}"#),
            "x|null|null|0|null|null|null|null|null",
        ),
        (
            "P07 no day, no hour",
            raw(
                r#"{"id":"x","created_at":"2026-02-30T00:00:00Z","updated_at":"2026-10-01T25:61:00Z"}"#,
            ),
            "x|null|null|0|null|null|null|null|null",
        ),
        (
            "P07 a mark that would be later than every other",
            raw(
                r#"{"id":"x","status":"SUCCESS","created_at":"2026-10-01T12:00:00Z","updated_at":"9999-12-31T23:59:59Z?"}"#,
            ),
            "x|null|SUCCESS|1|null|2026-10-01T12:00:00.000Z|null|null|null",
        ),
    ];
    for (what, record, expected) in cases {
        keeps(what, &[record], 0, &[(state, &[expected]), (mark, &[good])]);
    }
    keeps(
        "P04 the types are journalled",
        &[raw(
            r#"{"id":5,"details":{"old_port":"6379","enable_ssl":"true","new_capacity":[1]}}"#,
        )],
        0,
        &[
            (
                "SELECT kind, what, sample FROM drift ORDER BY 2",
                &[
                    r#"type|details.enable_ssl: string|"true""#,
                    "type|details.new_capacity: array|[1]",
                    r#"type|details.old_port: string|"6379""#,
                    "type|task.id: number|5",
                ],
            ),
            (
                "SELECT old_port, enable_ssl, new_capacity FROM task_details WHERE task_id = '5'",
                &["6379|1|null"],
            ),
            (
                "SELECT attribute, old_value, new_value FROM task_changes ORDER BY 1",
                &[
                    "capacity|null|[1]",
                    "enable_ssl|null|true",
                    "port|6379|null",
                ],
            ),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn what_is_no_record_is_set_aside_once_with_its_exact_text_and_the_reason() {
    let deep = |levels: usize| {
        [
            raw(r#"{"id":"deep","details":"#),
            vec![b'['; levels],
            vec![b']'; levels],
            raw("}"),
        ]
        .concat()
    };
    let cases: Vec<(&str, Raw, &str, &str)> = vec![
        (
            "P05 null",
            raw("null"),
            "null",
            "null in place of an object",
        ),
        (
            "P05 text",
            raw(r#""a text""#),
            "null",
            "string in place of an object",
        ),
        (
            "P05 a number",
            raw("7"),
            "null",
            "number in place of an object",
        ),
        (
            "P05 a list",
            raw("[ ]"),
            "null",
            "array in place of an object",
        ),
        (
            "P05 true",
            raw("true"),
            "null",
            "boolean in place of an object",
        ),
        ("P05 an empty object", raw("{}"), "null", "no usable id"),
        (
            "P05 without an id",
            raw(r#"{ "name" : "EXTEND" }"#),
            "null",
            "no usable id",
        ),
        (
            "P05 an empty id",
            raw(r#"{"id":""}"#),
            "null",
            "no usable id",
        ),
        (
            "P05 a null id",
            raw(r#"{"id":null}"#),
            "null",
            "no usable id",
        ),
        (
            "P05 an object for an id",
            raw(r#"{"id":{"a":1}}"#),
            "null",
            "no usable id",
        ),
        (
            "P10 a lone surrogate",
            raw(r#"{"id":"s","name":"a\ud800b"}"#),
            "s",
            "a lone surrogate in a string",
        ),
        (
            "P10 the id itself",
            raw(r#"{"id":"\udfff"}"#),
            "null",
            "a lone surrogate in a string",
        ),
        (
            "P10 not UTF-8",
            [
                raw(r#"{"id":"u","name":"a"#),
                vec![0xff, 0xc3, 0x28],
                raw(r#""}"#),
            ]
            .concat(),
            "u",
            "bytes that are not UTF-8",
        ),
        (
            "P13 nested 20,000 deep",
            deep(20_000),
            "deep",
            "nested deeper than 127 levels",
        ),
        (
            "P13 nested 128 deep",
            deep(128),
            "deep",
            "nested deeper than 127 levels",
        ),
        (
            "P20 beyond a double",
            raw(r#"{"id":"n","details":{"new_capacity":1e999}}"#),
            "n",
            "a number beyond the range of a double",
        ),
        (
            "P09 a bare NUL",
            raw("{\"id\":\"z\",\"name\":\"a\0b\"}"),
            "z",
            "a control character in a string",
        ),
        (
            "P08 a bare escape",
            raw("{\"id\":\"z\",\"name\":\"a\u{1b}[31mb\"}"),
            "z",
            "a control character in a string",
        ),
    ];
    for (what, record, id, reason) in &cases {
        let expected = format!("{id}|1|{reason}|1|1");
        keeps(
            what,
            std::slice::from_ref(record),
            3,
            &[
                (
                    "SELECT task_id, position, reason, first_sync_id, last_sync_id FROM rejected",
                    &[&expected],
                ),
                ("SELECT count(*) FROM tasks", &["1"]),
                (
                    "SELECT proven, rejected, received FROM walks ORDER BY walk_id DESC LIMIT 1",
                    &["1|1|2"],
                ),
            ],
        );
    }
    // All of them together, and some twice.
    let mut all: Vec<Raw> = cases.iter().map(|(_, record, ..)| record.clone()).collect();
    all.extend([raw("null"), raw("{}"), task("last", 1, "SUCCESS")]);
    let different = cases.len().to_string();
    keeps(
        "P05 all together",
        &all,
        3,
        &[
            ("SELECT count(*) FROM rejected", &[&different]),
            (
                "SELECT count(DISTINCT raw_sha256) FROM rejected",
                &[&different],
            ),
            ("SELECT task_id FROM tasks ORDER BY 1", &["good", "last"]),
        ],
    );
    // A value that SQL functions would cut off at a NUL is kept as bytes.
    let cut = raw("{\"id\":\"z\",\"name\":\"a\0b\"}");
    keeps(
        "P09 never cut off",
        std::slice::from_ref(&cut),
        3,
        &[(
            "SELECT lower(hex(raw)), length(raw) FROM rejected",
            &[&format!("{}|{}", hex(&cut), cut.len())],
        )],
    );
}

#[test]
fn a_record_set_aside_and_then_repaired_becomes_a_task() {
    let scene = Scene::of(beside_a_good_one(&[raw(
        r#"{"id":"x","status":"SUCCESS","name":"\ud800"}"#,
    )]));
    scene.sync("broken", 3);
    scene.set(beside_a_good_one(&[raw(
        r#"{"id":"x","status":"SUCCESS","name":"EXTEND"}"#,
    )]));
    scene.sync("repaired", 0);
    assert_eq!(
        scene.rows("SELECT name FROM tasks WHERE task_id = 'x'"),
        ["EXTEND"]
    );
    assert_eq!(
        scene.rows("SELECT task_id, first_sync_id, last_sync_id FROM rejected"),
        ["x|1|1"]
    );
}

#[test]
fn nul_characters_are_shown_and_never_cut_a_value_off() {
    let nul = |text: &str| text.replace('N', r"\u0000");
    let record = nul(
        r#"{"id":"aNb","name":"xNy","status":"sNt","user_id":"uNv","user_name":"N","params":"{\"kNey\":\"vNal\"}","error_code":"eN","details":{"node_name":"nNo","fNield":"N"}}"#,
    );
    let checks: [Check<'_>; 4] = [
        (
            "SELECT task_id, name, status, user_id, user_name, error_code FROM tasks WHERE task_id <> 'good'",
            &[r"a\u0000b|x\u0000y|s\u0000t|u\u0000v|\u0000|e\u0000"],
        ),
        (
            "SELECT node_name FROM task_details WHERE task_id <> 'good'",
            &[r"n\u0000o"],
        ),
        (
            "SELECT attribute, new_value FROM task_changes ORDER BY source, attribute",
            &[r"f\u0000ield|\u0000", r"node_name|n\u0000o"],
        ),
        (
            "SELECT count(*) FROM tasks, drift WHERE instr(task_id || name || params || what, char(0)) > 0",
            &["0"],
        ),
    ];
    // Inside `params` the sender escaped its NULs once only, so the text of `params` holds bare ones: no JSON.
    keeps("P09", &[raw(&record)], 0, &checks);
    let inner = r#"{"id":"p","params":"{\"k\\u0000ey\":\"v\\u0000al\"}"}"#;
    keeps(
        "P09 inside params",
        &[raw(inner)],
        0,
        &[(
            "SELECT attribute, new_value FROM task_changes",
            &[r"k\u0000ey|v\u0000al"],
        )],
    );
}

#[test]
fn one_id_in_two_instances_is_two_tasks() {
    let scene = Scene::new(|asked| {
        let status = if asked.instance == INSTANCE {
            "SUCCESS"
        } else {
            "FAILED"
        };
        let list = [task("same", 3, status), task("more", 1, "SUCCESS")];
        Reply::page("2", asked.cut(&list))
    });
    let other = "5560df16-cebf-4473-95c4-d1b573c16e7a";
    let both = ["--instance", INSTANCE, "--instance", other];
    for _ in 0..2 {
        let ran = scene.sync_with(&both);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(
            scene.rows(
                "SELECT instance_id, status, revisions FROM tasks WHERE task_id = 'same' ORDER BY 1"
            ),
            [format!("{INSTANCE}|SUCCESS|1"), format!("{other}|FAILED|1")]
        );
        assert_eq!(scene.rows("SELECT tasks FROM instances"), ["2", "2"]);
    }
}

#[test]
fn a_value_of_ten_megabytes_is_stored_whole() {
    let value = "0123456789abcdef".repeat(10 * 1024 * 1024 / 16);
    let record = raw(&format!(
        r#"{{"id":"big","status":"SUCCESS","params":"{value}","details":{{"node_name":"{value}"}}}}"#
    ));
    let scene = Scene::of(beside_a_good_one(std::slice::from_ref(&record)));
    scene.sync("P11", 0);
    assert!(scene.stored().contains(&record));
    assert_eq!(
        scene.rows("SELECT params FROM tasks WHERE task_id = 'big'"),
        std::slice::from_ref(&value)
    );
    assert_eq!(
        scene.rows("SELECT node_name FROM task_details WHERE task_id = 'big'"),
        [value]
    );
    scene.is_idempotent("P11");
    let shown = scene.run(&["list", "-o", "json"]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(shown.out.len() > 10 * 1024 * 1024);
}

#[test]
fn of_two_revisions_on_one_page_the_newer_is_current_whatever_their_order() {
    let (older, newer) = (task("x", 5, "EXECUTING"), task("x", 9, "SUCCESS"));
    for (what, list) in [
        ("P12 newer first", [newer.clone(), older.clone()]),
        ("P12 older first", [older, newer]),
    ] {
        keeps(
            what,
            &list,
            0,
            &[
                (
                    "SELECT status, is_final, revisions FROM tasks WHERE task_id = 'x'",
                    &["SUCCESS|1|2"],
                ),
                (
                    "SELECT status, is_current FROM task_revisions WHERE task_id = 'x' ORDER BY status",
                    &["EXECUTING|0", "SUCCESS|1"],
                ),
                (
                    "SELECT received, proven FROM walks ORDER BY walk_id DESC LIMIT 1",
                    &["3|1"],
                ),
            ],
        );
    }
    // The same record twice is one revision and two positions.
    keeps(
        "P12 twice the same",
        &[task("x", 5, "SUCCESS"), task("x", 5, "SUCCESS")],
        0,
        &[
            ("SELECT revisions FROM tasks WHERE task_id = 'x'", &["1"]),
            (
                "SELECT received, proven FROM walks ORDER BY walk_id DESC LIMIT 1",
                &["3|1"],
            ),
        ],
    );
}

#[test]
fn a_copy_that_lags_behind_takes_nothing_back() {
    let mut now = tasks(34);
    now[30] = task("t003", 50, "SUCCESS");
    let mut behind = now[2..].to_vec();
    behind[28] = task("t003", 3, "EXECUTING");
    let current = "SELECT status FROM tasks WHERE task_id = 't003'";
    let confirmed = "SELECT count(*) FROM tasks WHERE missing_confirmed_at IS NOT NULL";

    // For one page: the walk is not proven, and the next one is.
    let scene = Scene::of(now.clone());
    scene.sync_paged("P14 before", 10, 0);
    let (mut stale, healthy, lagging) = (1, now.clone(), behind.clone());
    scene.pass(HOUR);
    scene.answer(move |asked| {
        let lags = asked.offset > 20 && stale > 0;
        stale -= usize::from(lags);
        let list = if lags { &lagging } else { &healthy };
        Reply::page(&list.len().to_string(), asked.cut(list))
    });
    scene.sync_paged("P14 one page", 10, 0);
    assert_eq!(scene.rows(current), ["SUCCESS"]);
    assert_eq!(
        scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"),
        ["0"]
    );

    // For whole runs: what is newer than all that is shown may only be late.
    scene.set(behind);
    for _ in 0..3 {
        scene.pass(3 * HOUR);
        scene.sync_paged("P14 whole runs", 10, 0);
        assert_eq!(scene.rows(current), ["SUCCESS"]);
        assert_eq!(scene.rows(confirmed), ["0"]);
    }
    assert_eq!(
        scene.rows("SELECT count(*) FROM task_revisions WHERE task_id = 't003'"),
        ["2"]
    );
    scene.pass(HOUR);
    scene.set(now.clone());
    scene.sync_paged("P14 caught up", 10, 0);
    assert_eq!(
        scene.rows("SELECT count(*) FROM tasks WHERE missing_since IS NULL"),
        ["34"]
    );
    let again = "SELECT reappeared FROM syncs ORDER BY sync_id DESC LIMIT 1";
    assert_eq!(scene.rows(again), ["2"]);

    // After more than a day it is believed, and a sighting still takes it back.
    scene.set(now[1..].to_vec());
    scene.sync("P14 gone", 0);
    scene.pass(DAY + HOUR);
    scene.sync("P14 gone", 0);
    assert_eq!(scene.rows(confirmed), ["1"]);
    scene.set(now);
    scene.sync("P14 back", 0);
    assert_eq!(scene.rows(confirmed), ["0"]);
}

#[test]
fn sql_in_every_string_is_text() {
    for text in [
        "'); DROP TABLE task; --",
        "x' OR '1'='1",
        "?1 :name @name $name",
        "%_*[a-z]",
        "; ATTACH 'x' AS y;",
        "/* x */ -- y",
    ] {
        let record = format!(
            r#"{{"id":"{text}","name":"{text}","status":"{text}","user_id":"{text}","user_name":"{text}","params":"{text}","error_code":"{text}","{text}":"{text}","details":{{"node_name":"{text}","{text}":"{text}"}}}}"#
        );
        let scene = Scene::of(beside_a_good_one(&[raw(&record)]));
        scene.sync(text, 0);
        assert_eq!(
            scene.rows("SELECT task_id, name, status, user_id, user_name, params, error_code FROM tasks WHERE task_id <> 'good'"),
            [[text; 7].join("|")]
        );
        let mut changes = vec![format!("{text}|{text}"), format!("node_name|{text}")];
        changes.sort_unstable();
        assert_eq!(
            scene.rows("SELECT attribute, new_value FROM task_changes ORDER BY 1"),
            changes
        );
        for filter in [
            ["--text", text],
            ["--user", text],
            ["--status", text],
            ["--operation", text],
        ] {
            let found = scene.run(&["list", filter[0], filter[1], "-o", "json"]);
            let found: Value = serde_json::from_slice(&found.out).unwrap();
            assert_eq!(found.as_array().unwrap().len(), 1, "{filter:?}");
            assert_eq!(found[0]["task_id"], text);
        }
        let shown = scene.run(&["show", "-o", "json", "--", text]);
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        scene.is_idempotent(text);
        scene.completes_with_a_clean_list(text);
    }
}

#[test]
fn ids_are_data_and_compared_byte_by_byte() {
    let long = "k".repeat(4096);
    let ids = [
        "../../etc/passwd",
        "a%20b",
        "a b",
        "x?limit=1&y#z",
        "Case",
        "case",
        "CASE",
        "8ABF6E1E72C12E7C0172C15B508500AA",
        "8abf6e1e72c12e7c0172c15b508500aa",
        " 8abf6e1e72c12e7c0172c15b508500aa",
        "é",
        "e\u{301}",
        ".",
        "0",
        "00",
        long.as_str(),
    ];
    let records: Vec<Raw> = ids
        .iter()
        .enumerate()
        .map(|(minute, id)| task(id, u32::try_from(minute).unwrap(), "SUCCESS"))
        .collect();
    let count = (ids.len() + 1).to_string();
    keeps(
        "P22",
        &records,
        0,
        &[("SELECT count(*) FROM tasks", &[&count])],
    );
    let scene = Scene::of(records.clone());
    scene.sync_paged("P22 in pages", 3, 0);
    for (id, record) in ids.iter().zip(&records) {
        let held: Vec<u8> = scene
            .archive()
            .query_row(
                "SELECT CAST(raw AS BLOB) FROM task_revisions WHERE task_id = ?1",
                [id],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(&held, record, "{id}");
        let shown = scene.run(&["show", "-o", "json", "--", id]);
        let shown: Value = serde_json::from_slice(&shown.out)
            .unwrap_or_else(|error| panic!("{id}: {error}: {}", shown.err));
        assert_eq!(shown[0]["task_id"], **id);
    }
    let paths: Vec<String> = scene
        .asked()
        .into_iter()
        .map(|asked| asked.instance)
        .collect();
    assert!(
        paths.iter().all(|instance| instance == INSTANCE),
        "an id never becomes part of a path"
    );
}

#[test]
fn a_byte_order_mark_and_a_wrong_content_type_are_no_matter() {
    let list = beside_a_good_one(&[task("x", 1, "SUCCESS")]);
    let types = [
        Some("text/html; charset=latin-1"),
        Some("application/octet-stream"),
        Some("nonsense"),
        None,
    ];
    for (marked, content_type) in types.iter().flat_map(|one| [(false, *one), (true, *one)]) {
        let what = format!("P19 and P21: {marked} {content_type:?}");
        let mut answer = honest(list.clone());
        let scene = Scene::new(move |asked| {
            let reply = answer(asked).typed(content_type);
            if marked { reply.marked() } else { reply }
        });
        scene.sync(&what, 0);
        assert_eq!(scene.stored(), scene.sent(), "{what}");
        scene.is_idempotent(&what);
    }
}

#[test]
fn numbers_are_kept_to_the_last_digit() {
    let digits = "9".repeat(400);
    let exact = "0.1250000000000000055511151231257827";
    let record = |old: &str, new: &str| {
        raw(&format!(
            r#"{{"id":"x","status":"SUCCESS","details":{{"old_capacity":{old},"new_capacity":{new},"new_port":{new}}}}}"#
        ))
    };
    let changes = "SELECT old_value, new_value FROM task_changes WHERE attribute = 'capacity'";
    let details =
        "SELECT old_capacity, new_capacity, new_port FROM task_details WHERE task_id = 'x'";
    keeps(
        "P20 more digits than a double holds",
        &[record(exact, "16")],
        0,
        &[
            (changes, &[&format!("{exact}|16")]),
            (details, &["0.125|16.0|16"]),
        ],
    );
    keeps(
        "P20 as text",
        &[record(&format!("\"{exact}\""), "\"0.10\"")],
        0,
        &[
            (changes, &[&format!("{exact}|0.10")]),
            (details, &["0.125|0.1|null"]),
        ],
    );
    keeps(
        "P20 an exponent",
        &[record("1E-1", "-4")],
        0,
        &[(changes, &["1E-1|-4"]), (details, &["null|null|null"])],
    );
    // A whole number of 400 digits is beyond a double too, and so the record is set aside with every digit of it.
    keeps(
        "P20 400 digits",
        &[record("1", &digits)],
        3,
        &[("SELECT count(*) FROM tasks", &["1"])],
    );
    // As a text it is a text; a column of numbers must not show infinity for it.
    let text = format!("\"{digits}\"");
    let scene = Scene::of(beside_a_good_one(&[record("\"1\"", &text)]));
    scene.sync("P20 400 digits as text", 0);
    assert_eq!(scene.rows(changes), [format!("1|{digits}")]);
    assert_eq!(scene.rows(details), ["1.0|null|null"]);
    let shown = scene.run(&["show", "x", "-o", "json"]);
    assert!(
        serde_json::from_slice::<Value>(&shown.out).is_ok(),
        "what is shown is JSON"
    );
}

#[test]
fn of_a_key_that_comes_twice_the_last_one_counts() {
    keeps(
        "P23",
        &[raw(
            r#"{"id":"first","id":"x","status":"FAILED","status":"SUCCESS","details":{"new_port":1,"new_port":2},"name":"a","name":null}"#,
        )],
        0,
        &[
            (
                "SELECT task_id, status, name FROM tasks WHERE task_id <> 'good'",
                &["x|SUCCESS|null"],
            ),
            (
                "SELECT new_port FROM task_details WHERE task_id = 'x'",
                &["2"],
            ),
            ("SELECT attribute, new_value FROM task_changes", &["port|2"]),
        ],
    );
    let list = tasks(3);
    let scene =
        Scene::new(move |asked| Reply::page_with("9", asked.cut(&list), r#","task_count":3"#));
    scene.sync("P23 in the answer", 0);
    assert_eq!(
        scene.rows("SELECT server_total FROM walks ORDER BY walk_id DESC LIMIT 1"),
        ["3"]
    );
}

/// Characters that a terminal obeys or that turn a line around.
fn harmful(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn no_command_prints_a_raw_control_character() {
    let hostile = r"=1+1\u001b[31m\u0007\u009b2J\u202e\r\n\t\u0000\u0085\u007f|<script>\u2066";
    let id = "\u{1b}]0;x\u{7}\u{9b}\u{202e}id";
    let record = format!(
        r#"{{"id":"\u001b]0;x\u0007\u009b\u202eid","name":"{hostile}","status":"{hostile}","user_id":"{hostile}","user_name":"{hostile}","params":"{{\"{hostile}\":\"{hostile}\"}}","error_code":"{hostile}","{hostile}":"{hostile}","details":{{"node_name":"{hostile}","rename_commands":["{hostile}"],"new_{hostile}":"{hostile}"}}}}"#
    );
    let bare = raw("{\"id\":\"bare\",\"name\":\"\u{1b}[31m\u{9b}\u{202e}\"}");
    let literal = raw("{\"id\":\"literal\",\"name\":\"\u{9b}2J\u{202e}\u{7f}\u{85}\"}");
    let scene = Scene::of(beside_a_good_one(&[raw(&record), bare, literal]));
    let ran = scene.sync_with(&["-vvv"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(
        !ran.err
            .chars()
            .any(|character| character != '\n' && harmful(character)),
        "{:?}",
        ran.err
    );
    let commands: [&[&str]; 5] = [
        &["list"],
        &["list", "--text", "script"],
        &["show", id],
        &["show", "literal"],
        &["coverage", "--walks"],
    ];
    for (command, format) in commands.iter().flat_map(|command| {
        ["table", "csv", "markdown", "json", "jsonl"].map(|format| (command, format))
    }) {
        let shown = scene.run(&[command, &["-o", format][..]].concat());
        let what = format!("{command:?} as {format}");
        assert_eq!(shown.code, Some(0), "{what}: {}", shown.err);
        let text = String::from_utf8(shown.out).unwrap();
        assert!(text.len() > 50, "{what}");
        let allowed: &[char] = if format == "csv" {
            &['\n', '\t', '\r']
        } else {
            &['\n']
        };
        let found = text
            .chars()
            .find(|character| harmful(*character) && !allowed.contains(character));
        assert_eq!(found, None, "{what}: {text:?}");
        if format == "json" {
            let rows: Value = serde_json::from_str(&text).unwrap();
            assert!(rows.is_array(), "{what}");
        }
    }
    // In the formats for programs the text is the text that was sent, a NUL apart.
    let shown = scene.run(&["show", id, "-o", "json"]);
    let shown: Value = serde_json::from_slice(&shown.out).unwrap();
    let sent: String = serde_json::from_str(&format!("\"{hostile}\"")).unwrap();
    assert_eq!(shown[0]["name"], sent.replace('\0', "\\u0000"));
    // A cell is no formula, and quoting follows the rule.
    let shown = scene.run(&["list", "-o", "csv"]);
    let mut rows = csv::Reader::from_reader(&shown.out[..]);
    let names = rows.headers().unwrap().clone();
    let name = names.iter().position(|column| column == "name").unwrap();
    let cells: Vec<String> = rows
        .records()
        .map(|row| row.unwrap()[name].to_owned())
        .collect();
    assert!(
        cells.iter().any(|cell| cell.starts_with("'=1+1")),
        "{cells:?}"
    );
    assert!(!cells.iter().any(|cell| cell.starts_with('=')));
}
