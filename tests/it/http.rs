//! Faults of HTTP and of the answers in it, H01 to H17: the server speaks, and does not say what was asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::support::env::Program;
use crate::support::fake_api::{Action, FakeApi, Request, list, part_of};
use crate::support::faults::{
    Expected, PAGES, RECORDS, THIRD_PAGE, TWO_PAGES, body, for_good, once, unproven,
};
use crate::support::{DATE, PROJECT, TOKEN, page, tasks};

/// A refusal on the third page that is not asked about again.
const FINAL: Expected<'_> = Expected {
    code: 5,
    kept: TWO_PAGES,
    asked: THIRD_PAGE,
    said: &["offset=6"],
};

/// One behind which something may recover: asked four times.
const RETRIED: Expected<'_> = Expected {
    asked: 3 + 4,
    said: &["offset=6", "4 attempts"],
    ..FINAL
};

/// An answer that makes no sense: asked three times.
const NONSENSE: Expected<'_> = Expected {
    asked: 3 + 3,
    said: &["offset=6", "3 attempts", "not an answer of the API"],
    ..FINAL
};

/// Two instances, of which the second is troubled.
const TWO: [&str; 4] = ["--instance", "well", "--instance", "troubled"];

/// Behaves for all instances but one.
fn but_for_one(
    fault: impl Fn(&Request) -> Action + Send + Sync,
) -> impl Fn(&Request) -> Action + Send + Sync {
    move |request| match request.instance.as_str() {
        "troubled" => fault(request),
        _ => part_of(&tasks(RECORDS), request),
    }
}

/// The same a day later.
fn a_day_later(
    fault: impl Fn(&Request) -> Action + Send + Sync,
) -> impl Fn(&Request) -> Action + Send + Sync {
    let date = DATE.replace("01 Apr", "02 Apr").replace("Wed", "Thu");
    let answer = but_for_one(fault);
    move |request| answer(request).dated(&date)
}

fn absent(_: &Request) -> Action {
    Action::error(404, "DCS.3022", "instance does not exist")
}

fn shown(program: &Program, instance: &str) -> i64 {
    program.number(&format!(
        "SELECT count(*) FROM tasks WHERE instance_id = '{instance}'"
    ))
}

fn refused_token(_: &Request) -> Action {
    Action::error(401, "DCS.1001", "token expired")
}

#[test]
fn h01_a_refused_token_is_not_sent_again() {
    let said: &[&str] = &[
        "the cloud refuses the credential",
        "401",
        "expired or is wrong",
        "--token-file",
    ];
    let at_once = Expected {
        code: 4,
        kept: 0,
        asked: 1,
        said,
    };
    for_good(1, &[], at_once, refused_token);
    let later = Expected {
        code: 4,
        kept: 4,
        asked: 3,
        said,
    };
    for_good(3, &[], later, refused_token);
}

#[test]
fn h01_a_refused_token_stops_all_instances() {
    let program = Program::new();
    let api = FakeApi::start(refused_token);
    program.sync_with(&api, &TWO).expect_code(4);
    assert_eq!(api.asked(), 1);
}

#[test]
fn h01_a_token_that_can_be_renewed_is_renewed_once() {
    for (forgiving, code, asked) in [(true, 0, 5), (false, 4, 4)] {
        let program = Program::new();
        let script = program.home().join("renew");
        let text = format!(
            "#!/bin/sh\necho >> '{0}/calls'\necho token-$(($(wc -l < '{0}/calls')))\n",
            program.home().display()
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let api = FakeApi::start(move |request| {
            let first = request.header("x-auth-token") == Some("token-1");
            match request.number {
                3.. if first || !forgiving => refused_token(request),
                _ => part_of(&tasks(RECORDS), request),
            }
        });
        let mut command =
            program.command(&["sync", "--endpoint", api.url(), "--project-id", PROJECT]);
        command
            .args(PAGES)
            .arg("--token-command")
            .arg(&script)
            .env("PATH", "/usr/bin:/bin");
        let outcome = crate::support::env::finish(command.spawn().unwrap());
        outcome.expect_code(code);
        program.check(&outcome);
        assert_eq!(api.asked(), asked, "{outcome:#?}");
        assert_eq!(
            fs::read_to_string(program.home().join("calls"))
                .unwrap()
                .lines()
                .count(),
            2
        );
        program.recovers(&api, &tasks(RECORDS));
    }
}

#[test]
fn h02_an_instance_that_may_not_be_read_does_not_stop_the_others() {
    let program = Program::new();
    let forbidden = |_: &Request| Action::error(403, "DCS.4403", "no permission");
    let api = FakeApi::start(but_for_one(forbidden));
    let args = ["--instance", "troubled", "--instance", "well"];
    let outcome = program.sync_with(&api, &args);
    outcome.expect_code(3).expect_said(&[
        "instance troubled",
        "DCS.4403",
        "no permission",
        "req-fedcba98",
    ]);
    assert_eq!(
        (shown(&program, "well"), shown(&program, "troubled")),
        (9, 0)
    );
    let proven = "SELECT instance_id FROM walks WHERE proven = 1";
    assert_eq!(program.rows(proven), ["well"]);
    // Alone, a refusal is a refusal.
    let alone = Program::new();
    alone
        .sync_with(&api, &["--instance", "troubled"])
        .expect_code(4);
    api.behave(list(tasks(RECORDS)));
    program.sync_with(&api, &args).expect_code(0);
    assert_eq!(shown(&program, "troubled"), 9);
}

#[test]
fn h03_an_instance_that_was_deleted_keeps_its_rows_and_becomes_a_note() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(RECORDS)));
    program.sync_with(&api, &TWO).expect_code(0);
    api.behave(a_day_later(absent));
    for (code, said) in [
        (3, "instance troubled is said not to exist; if the next"),
        (3, "instance troubled is gone"),
        (0, "known since 2026-04-02"),
    ] {
        program
            .sync_with(&api, &TWO)
            .expect_code(code)
            .expect_said(&[said]);
        assert_eq!(
            (shown(&program, "well"), shown(&program, "troubled")),
            (9, 9)
        );
        let missing = "SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL";
        assert_eq!(program.number(missing), 0);
    }
}

#[test]
fn h03_an_instance_that_is_new_is_not_called_gone() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(RECORDS)));
    program.sync_with(&api, &TWO).expect_code(0);
    api.behave(but_for_one(absent));
    let gone = "SELECT count(*) FROM instances WHERE gone_at IS NOT NULL";
    for _ in 0..3 {
        program
            .sync_with(&api, &TWO)
            .expect_code(3)
            .expect_said(&["troubled is said not to exist; it was first seen less than a day ago"]);
        assert_eq!(program.number(gone), 0);
    }
    // It was told so before.
    api.behave(a_day_later(absent));
    program
        .sync_with(&api, &TWO)
        .expect_code(3)
        .expect_said(&["instance troubled is gone"]);
    assert_eq!(program.number(gone), 1);
}

#[test]
fn h03_an_instance_that_was_never_known_stores_nothing() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::error(404, "DCS.3022", "instance does not exist"));
    program
        .sync(&api)
        .expect_code(2)
        .expect_said(&["does not know the instance"]);
    assert_eq!(program.number("SELECT count(*) FROM instances"), 0);
    program.recovers(&api, &tasks(RECORDS));
}

#[test]
fn h03_any_other_404_is_one_of_the_endpoint() {
    for body in [
        "",
        "<html>not here</html>",
        r#"{"error_code": "APIGW.0101", "error_msg": "no such API"}"#,
    ] {
        let expected = Expected {
            said: &["404", "check the endpoint"],
            ..FINAL
        };
        for_good(THIRD_PAGE, &[], expected, move |_| {
            Action::reply(404, &[], body)
        });
        let program = Program::new();
        let api = FakeApi::start(list(tasks(RECORDS)));
        program.sync(&api).expect_code(0);
        api.behave(move |_| Action::reply(404, &[], body));
        for _ in 0..3 {
            program.sync(&api).expect_code(5);
        }
        assert_eq!(
            program.number("SELECT count(*) FROM instances WHERE gone_at IS NOT NULL"),
            0
        );
    }
}

#[test]
fn h04_a_wait_that_the_server_asks_for_is_made() {
    let program = Program::new();
    let api = FakeApi::start(|request| match request.number {
        1 => Action::reply(429, &["Retry-After: 1"], ""),
        // The date is years from this machine's clock; only the server's own says that it is one second away.
        3 => Action::reply(503, &["Retry-After: Wed, 01 Apr 2026 12:00:01 GMT"], ""),
        _ => part_of(&tasks(RECORDS), request),
    });
    let begin = Instant::now();
    program
        .sync(&api)
        .expect_code(0)
        .expect_said(&["429", "503", "asking again in 1.0 s"]);
    assert!(begin.elapsed() >= Duration::from_secs(2));
}

#[test]
fn h05_a_server_that_is_busy_for_good_is_left_alone_after_four_attempts() {
    let outcome = for_good(THIRD_PAGE, &[], RETRIED, |_| {
        Action::error(429, "APIGW.0308", "throttled")
    });
    outcome.expect_said(&["429", "APIGW.0308", "throttled"]);
}

#[test]
fn h05_all_requests_of_a_run_share_one_budget() {
    let program = Program::new();
    let api = FakeApi::start(|_| Action::reply(503, &[], ""));
    let names: Vec<_> = (0..60)
        .flat_map(|number| {
            [
                "--instance".to_owned(),
                format!("{number:08x}-0000-4000-8000-000000000000"),
            ]
        })
        .collect();
    let outcome = program.sync_with(&api, &names.iter().map(String::as_str).collect::<Vec<_>>());
    outcome.expect_code(5).expect_said(&["used up its retries"]);
    // One attempt for each instance, and a hundred retries among them.
    assert_eq!(api.asked(), 160);
}

#[test]
fn h06_a_wait_that_is_too_long_ends_the_run_and_nonsense_is_ignored() {
    let date = DATE.replace("01 Apr", "02 Apr").replace("Wed", "Thu");
    for asked in [
        "86400".to_owned(),
        date,
        "99999999999999999999999".to_owned(),
    ] {
        let said: &[&str] = if asked.len() > 20 && asked.starts_with('9') {
            &["the server asks to wait"]
        } else {
            &["the server asks to wait 1d (until 2026-04-02T12:00:00.000Z)"]
        };
        let expected = Expected { said, ..FINAL };
        let header = format!("Retry-After: {asked}");
        for_good(THIRD_PAGE, &[], expected, move |_| {
            Action::reply(429, &[&header], "")
        });
    }
    for asked in [
        "-5",
        "soon",
        "",
        "1.5",
        "Thu, 99 Foo 2026 12:00:00 GMT",
        "Wed, 01 Apr 2020 12:00:00 GMT",
    ] {
        let header = format!("Retry-After: {asked}");
        let begin = Instant::now();
        once(THIRD_PAGE, &[], move |_| Action::reply(429, &[&header], ""));
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn h07_a_server_that_stumbles_is_asked_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        once(THIRD_PAGE, &[], move |_| {
            let html = "<html><h1>\u{1b}[31mBad Gateway</h1></html>";
            Action::reply(status, &["Content-Type: text/html"], html)
        })
        .expect_said(&[&status.to_string()]);
    }
}

#[test]
fn h08_a_server_that_fails_for_good_is_named_with_its_request_id() {
    let failing = |_: &Request| Action::error(503, "DCS.5000", "try later");
    let said: &[&str] = &["503", "DCS.5000", "try later", "req-fedcba98", "4 attempts"];
    for_good(THIRD_PAGE, &[], Expected { said, ..RETRIED }, failing);
    let from_the_first = Expected {
        said,
        kept: 0,
        asked: 4,
        ..RETRIED
    };
    for_good(1, &[], from_the_first, failing);
}

#[test]
fn h08_the_newest_rows_move_no_mark_when_the_older_ones_do_not_come() {
    let program = Program::new();
    let api = FakeApi::start(list(tasks(RECORDS)));
    program.sync_with(&api, &PAGES).expect_code(0);
    let claims = "SELECT high_water_mark, last_proven_at FROM instances";
    let before = program.rows(claims);
    let more = tasks(RECORDS + 3);
    let shown = more.clone();
    api.behave(move |request| match request.offset {
        0 => part_of(&shown, request),
        _ => Action::reply(500, &[], ""),
    });
    program.sync_with(&api, &PAGES).expect_code(5);
    assert_eq!(program.rows(claims), before);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 12);
    program.recovers(&api, &more);
    assert_ne!(program.rows(claims), before);
}

#[test]
fn h09_an_error_inside_a_success_is_an_error() {
    for body in [
        r#"{"error_code": "DCS.5000", "error_msg": "internal trouble"}"#,
        r#"{"error": {"code": "DCS.5000", "message": "internal trouble"}}"#,
        r#"{"error_code": "DCS.5000", "error_msg": "internal trouble", "tasks": null}"#,
    ] {
        let outcome = for_good(THIRD_PAGE, &[], NONSENSE, move |_| Action::text(body));
        outcome.expect_said(&["DCS.5000", "internal trouble"]);
    }
}

#[test]
fn h10_a_portal_in_place_of_the_api_is_an_error() {
    let expected = Expected {
        kept: 0,
        asked: 3,
        said: &["not JSON", "<html>", "no portal or proxy"],
        ..NONSENSE
    };
    let outcome = for_good(1, &[], expected, |_| {
        let html =
            format!("<html>\u{1b}]0;owned\u{7}\u{202e}sign in, {TOKEN}\r\nerror: forged</html>");
        Action::reply(200, &["Content-Type: text/html"], html)
    });
    for raw in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(!outcome.err.contains(raw), "{outcome:#?}");
    }
    assert!(!outcome.err.contains("\nerror: forged"), "{outcome:#?}");
}

#[test]
fn h11_an_answer_without_a_list_is_no_empty_list() {
    for (body, found) in [
        ("", "an empty body"),
        ("  \r\n", "an empty body"),
        ("{}", "an object without `tasks`"),
        ("null", "a JSON null"),
        ("[]", "a JSON array"),
        ("\"tasks\"", "a JSON string"),
        (r#"{"task_count": "9"}"#, "an object without `tasks`"),
        (
            r#"{"task_count": "9", "tasks": {}}"#,
            "`tasks` is of type object",
        ),
        (
            r#"{"task_count": "9", "tasks": "none"}"#,
            "`tasks` is of type string",
        ),
        (r#"{"task_count": "9", "tasks": null}"#, "`tasks` is null"),
        (
            r#"{"task_count": "9", "tasks": [{"id": "a"}"#,
            "cut off after",
        ),
    ] {
        for_good(THIRD_PAGE, &[], NONSENSE, move |_| Action::text(body)).expect_said(&[found]);
        // Nor is it one at the very beginning, where an empty list would be believable.
        let first = Expected {
            kept: 0,
            asked: 3,
            said: &[found],
            ..NONSENSE
        };
        for_good(1, &[], first, move |_| Action::text(body));
        once(THIRD_PAGE, &[], move |_| Action::text(body));
    }
    for status in [201, 202, 204, 206] {
        for_good(THIRD_PAGE, &[], NONSENSE, move |request| match status {
            204 => Action::raw(format!(
                "HTTP/1.1 204 No Content\r\nDate: {DATE}\r\nConnection: close\r\n\r\n"
            )),
            _ => Action::reply(status, &[], body(request)),
        })
        .expect_said(&["a success without the list", &status.to_string()]);
    }
}

#[test]
fn h12_no_tasks_and_a_count_of_none_is_an_empty_list() {
    for body in [
        r#"{"task_count": "0", "tasks": null}"#,
        r#"{"task_count": 0, "tasks": []}"#,
    ] {
        let program = Program::new();
        let api = FakeApi::start(move |_| Action::text(body));
        program.sync(&api).expect_code(0);
        assert_eq!(program.number("SELECT proven FROM walks"), 1);
        program.recovers(&api, &tasks(RECORDS));
    }
}

#[test]
fn h13_a_limit_that_is_refused_is_made_smaller_and_remembered() {
    for (largest, limits) in [
        (100, &[2, 1000, 100, 100][..]),
        (10, &[2, 1000, 100, 10, 10, 10]),
    ] {
        let program = Program::new();
        let records = tasks(25);
        let shown = records.clone();
        let api = FakeApi::start(move |request| match request.limit {
            limit if limit > largest => Action::error(400, "DCS.4800", "Invalid parameter limit."),
            _ => part_of(&shown, request),
        });
        program.sync(&api).expect_code(0);
        let asked: Vec<_> = api.requests().iter().map(|request| request.limit).collect();
        assert_eq!(asked, limits);
        assert_eq!(program.number("SELECT count(*) FROM tasks"), 25);
        let shown = records.clone();
        api.behave(move |request| part_of(&shown, request));
        program.sync(&api).expect_code(0);
        assert!(
            api.requests()
                .iter()
                .all(|request| request.limit <= largest)
        );
        program.recovers(&api, &records);
    }
}

#[test]
fn h13_any_other_400_is_final() {
    let said: &[&str] = &["400", "DCS.4001", "something else", "1 attempt"];
    for_good(THIRD_PAGE, &[], Expected { said, ..FINAL }, |_| {
        Action::error(400, "DCS.4001", "something else")
    });
}

#[test]
fn h14_whichever_request_fails_the_sync_is_not_complete_and_the_next_one_is() {
    let failing = |_: &Request| Action::reply(500, &[], "");
    let none = ["--retries", "0"];
    for (at, kept) in [(1, 0), (2, 2), (3, 4), (4, 7)] {
        let expected = Expected {
            kept,
            asked: at,
            said: &["500"],
            ..FINAL
        };
        for_good(at, &none, expected, failing);
    }
    // A later walk begins without a probe: three pages and no more, and what it shows is all new.
    for at in 1..=4 {
        let program = Program::new();
        let api = FakeApi::start(list(tasks(RECORDS)));
        program.sync_with(&api, &PAGES).expect_code(0);
        let more = tasks(RECORDS + 3);
        let shown = more.clone();
        api.behave(move |request| match request.number {
            number if number == at => failing(request),
            _ => part_of(&shown, request),
        });
        let outcome = program.sync_with(&api, &[&PAGES[..], &none].concat());
        outcome.expect_code(5);
        assert_eq!(
            program.number("SELECT count(*) FROM walks WHERE proven = 1"),
            1
        );
        program.recovers(&api, &more);
    }
}

#[test]
fn h15_an_error_says_its_status_and_request_id_whatever_its_body() {
    let bodies: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"[{\"error_code\": \"X\"}]",
        b"\"text\"",
        b"plain text",
        b"{\"error_code\": 4711, \"error_msg\": [1, 2]}",
        b"{\"error\": {\"code\": 4711, \"message\": {\"deep\": null}}}",
        b"{\"errors\": [{\"error_code\": null}]}",
        b"{\"error_msg\": \"cut o",
        b"\xff\xfe\x00\x01",
        b"{\"encoded_authorization_message\": \"x\", \"error_code\": \"\\u001b[2J\"}",
    ];
    for body in bodies {
        for (status, code, asked) in [(500, 5, 4), (403, 4, 1), (418, 5, 1), (400, 5, 3)] {
            let said: &[&str] = &[&status.to_string(), "req-fedcba98"];
            let expected = Expected {
                code,
                kept: 0,
                asked,
                said,
            };
            let outcome = for_good(1, &[], expected, move |_| {
                Action::reply(status, &["X-Request-Id: req-fedcba98"], body)
            });
            assert!(!outcome.err.contains('\u{1b}'), "{outcome:#?}");
        }
    }
}

#[test]
fn h16_an_instance_without_background_tasks_is_news_once() {
    let program = Program::new();
    let unsupported = |_: &Request| Action::error(400, "DCS.4094", "not supported");
    let api = FakeApi::start(but_for_one(unsupported));
    let first = program.sync_with(&api, &TWO);
    first
        .expect_code(3)
        .expect_said(&["instance troubled has no background tasks"]);
    assert_eq!(shown(&program, "well"), 9);
    let second = program.sync_with(&api, &TWO);
    second
        .expect_code(0)
        .expect_said(&["known since 2026-04-01"]);
}

#[test]
fn h17_a_token_of_another_region_or_project_is_told_apart() {
    for (status, code) in [(401, "APIGW.0307"), (401, "DCS.1004")] {
        let said: &[&str] = &[
            "another region or project",
            code,
            PROJECT,
            "http://127.0.0.1",
        ];
        let expected = Expected {
            code: 4,
            kept: 0,
            asked: 1,
            said,
        };
        for_good(1, &[], expected, move |_| {
            Action::error(status, code, "not here")
        });
    }
}

#[test]
fn an_unproven_sync_claims_nothing_even_where_every_page_came() {
    // The count promises one record more than ever comes.
    let program = Program::new();
    let api = FakeApi::start(|request| {
        let records = tasks(RECORDS);
        let from = request.offset.min(records.len());
        let to = (from + request.limit).min(records.len());
        Action::json(&page(&records[from..to], records.len() + 1))
    });
    program.sync_with(&api, &PAGES).expect_code(3);
    unproven(&program, 3);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), 9);
    program.recovers(&api, &tasks(RECORDS));
}
