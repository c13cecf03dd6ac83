//! Query commands as they are typed, on the golden archive: what comes out, what is said, how it ends.

mod coverage;
mod facts;
mod formats;
mod report;

use super::*;
use crate::store::golden;

/// The golden archive as a file of its own.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        Self::made(golden::create)
    }

    fn made(make: fn(&std::path::Path)) -> Self {
        let archive = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        make(&archive.path());
        archive
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    /// Runs a command line; the width is that of the terminal behind standard output, if there is one.
    fn run(&self, line: &str, terminal: Option<u16>) -> Outcome {
        let mut args: Vec<OsString> = vec!["dcs-history".into(), "--db".into(), self.path().into()];
        args.extend(line.split(' ').map(OsString::from));
        if let Some(width) = terminal {
            args.extend([
                format!("--terminal-width={width}").into(),
                "--color=never".into(),
            ]);
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run(args, &mut out, &mut err, (terminal.is_some(), false));
        let text = |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(&*self.path().to_string_lossy(), "ARCHIVE")
        };
        Outcome {
            exit,
            out: text(out),
            err: text(err),
        }
    }

    fn out(&self, line: &str) -> String {
        let outcome = self.run(line, None);
        assert_eq!(
            (outcome.exit, outcome.err.as_str()),
            (Exit::Done, ""),
            "{line}"
        );
        outcome.out
    }

    fn drawn(&self, line: &str) -> String {
        let outcome = self.run(line, Some(80));
        assert_eq!(
            (outcome.exit, outcome.err.as_str()),
            (Exit::Done, ""),
            "{line}"
        );
        for line in outcome.out.lines() {
            assert!(crate::output::text::width(line) <= 80, "{line}");
        }
        ageless(&outcome.out)
    }
}

struct Outcome {
    exit: Exit,
    out: String,
    err: String,
}

/// Takes out ages, which change with the day on which the test runs.
fn ageless(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once("  (") {
        Some((before, age)) if age.ends_with("ago)") => format!("{before}  (… ago)\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn list_reads_well_on_a_terminal_of_80_columns() {
    insta::assert_snapshot!(Archive::new().drawn("list"), @r"
    created_at           instance    name         status       user_name    duration
    ───────────────────  ──────────  ───────────  ───────────  ───────────  ────────
    2026-09-30 00:00:00  e1f2a3b4-0  実例の名前…  成功         ann          -
    2026-09-29 00:00:00  1f4c2a90-b  BindEip      EXECUTING    eve\u{202e…  -
    2026-09-28 00:00:00  1f4c2a90-c  UpdatePort   SUCCESS      Joanna <sc…  0.9s
    2026-09-28 00:00:00  1f4c2a90-c  EXTEND       FAILED       =HYPERLINK…  1h01m
    2026-09-01 10:00:00  1f4c2a90-b  ChangeInst…  SUCCESS      ann          1m05s
    2026-08-01 00:00:00  1f4c2a90-b  UpdatePort   SUCCESS (m…  -            1.0s
    -                    1f4c2a90-c  modify       -            -            -
    ");
}

#[test]
fn a_piped_list_shortens_nothing() {
    insta::assert_snapshot!(Archive::new().out("list"), @r#"
    created_at                instance                              name                            operation              status             user_name               duration
    2026-09-30T00:00:00.000Z  e1f2a3b4-0000-4000-8000-000000000003  実例の名前を変更する操作です🙂  -                      成功               ann                     -
    2026-09-29T00:00:00.123Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  BindEip                         public access enabled  EXECUTING          eve\u{202e}nimda        -
    2026-09-28T00:00:00.000Z  1f4c2a90-c0ff-4eee-8d3c-000000000002  UpdatePort                      port changed           SUCCESS            Joanna <script>         0.9s
    2026-09-28T00:00:00.000Z  1f4c2a90-c0ff-4eee-8d3c-000000000002  EXTEND                          specification changed  FAILED             =HYPERLINK("http://e")  1h01m
    2026-09-01T10:00:00.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec              specification changed  SUCCESS            ann                     1m05s
    2026-08-01T00:00:00.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  UpdatePort                      port changed           SUCCESS (missing)  -                       1.0s
    -                         1f4c2a90-c0ff-4eee-8d3c-000000000002  modify                          password changed       -                  -                       -
    "#);
}

#[test]
fn list_as_markdown() {
    insta::assert_snapshot!(Archive::new().out("list -o markdown"), @r#"
    | created_at | instance | name | operation | status | user_name | duration |
    | --- | --- | --- | --- | --- | --- | --- |
    | 2026-09-30T00:00:00.000Z | e1f2a3b4-0000-4000-8000-000000000003 | 実例の名前を変更する操作です🙂 |  | 成功 | ann |  |
    | 2026-09-29T00:00:00.123Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | BindEip | public access enabled | EXECUTING | eve\\u{202e}nimda |  |
    | 2026-09-28T00:00:00.000Z | 1f4c2a90-c0ff-4eee-8d3c-000000000002 | UpdatePort | port changed | SUCCESS | Joanna &lt;script&gt; | 0.9s |
    | 2026-09-28T00:00:00.000Z | 1f4c2a90-c0ff-4eee-8d3c-000000000002 | EXTEND | specification changed | FAILED | =HYPERLINK("http&#58;//e") | 1h01m |
    | 2026-09-01T10:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | ChangeInstanceSpec | specification changed | SUCCESS | ann | 1m05s |
    | 2026-08-01T00:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | UpdatePort | port changed | SUCCESS (missing) |  | 1.0s |
    |  | 1f4c2a90-c0ff-4eee-8d3c-000000000002 | modify | password changed |  |  |  |
    "#);
}

#[test]
fn json_has_every_column_of_the_view_under_its_name() {
    let archive = Archive::new();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&archive.out("list -o json")).unwrap();
    assert_eq!(rows.len(), 7);
    insta::assert_snapshot!(archive.out("list -o jsonl --user ann -n 2 --sort created_at"), @r#"
    {"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","instance_name":null,"name":"ChangeInstanceSpec","status":"SUCCESS","is_final":1,"user_id":"u-1","user_name":"ann","created_at":"2026-09-01T10:00:00.000Z","updated_at":"2026-09-01T10:01:05.250Z","duration_ms":65250,"params":"{\"note\":\"100%_done\"}","error_code":null,"revisions":2,"first_seen_at":"2026-09-30T02:00:05.250Z","last_seen_at":"2026-10-01T02:00:04.000Z","vouched_at":"2026-10-01T02:00:01.000Z","missing_since":null,"missing_confirmed_at":null,"missing_as":null,"reappeared_at":null}
    {"task_key":4,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-c0ff-4eee-8d3c-000000000002","task_id":"00112233445566778899aabbccddeeff","instance_name":null,"name":"UpdatePort","status":"SUCCESS","is_final":1,"user_id":"u-4","user_name":"Joanna <script>","created_at":"2026-09-28T00:00:00.000Z","updated_at":"2026-09-28T00:00:00.900Z","duration_ms":900,"params":null,"error_code":null,"revisions":1,"first_seen_at":"2026-09-30T02:00:09.000Z","last_seen_at":"2026-10-01T02:00:05.000Z","vouched_at":"2026-10-01T02:00:01.000Z","missing_since":null,"missing_confirmed_at":null,"missing_as":null,"reappeared_at":null}
    "#);
}

#[test]
fn list_as_csv() {
    let out =
        Archive::new().out("list -o csv --columns task_id,user_name,params,created_at,duration_ms");
    insta::assert_snapshot!(out, @r#"
    task_id,user_name,params,created_at,duration_ms
    Ab\u{1b}[31m,ann,,2026-09-30T00:00:00.000Z,
    0011223344556677ffffffffffffffff,eve\u{202e}nimda,,2026-09-29T00:00:00.123Z,
    00112233445566778899aabbccddeeff,Joanna <script>,,2026-09-28T00:00:00.000Z,900
    '=cmd|'/C calc'!A0,"'=HYPERLINK(""http://e"")","a|b
    c",2026-09-28T00:00:00.000Z,3661000
    00112233445566778899aabbccddeeff,ann,"{""note"":""100%_done""}",2026-09-01T10:00:00.000Z,65250
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a,,,2026-08-01T00:00:00.000Z,1000
    6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b,,,,
    "#);
}

#[test]
fn filters_reach_the_archive() {
    let archive = Archive::new();
    let cases: [(&str, &[&str]); 12] = [
        ("--instance e1f2", &["8"]),
        (
            "--instance e1f2 --instance 1f4c2a90-c",
            &["8", "4", "3", "6"],
        ),
        ("--operation extend --operation BINDEIP", &["2", "3", "1"]),
        ("--status failed", &["3"]),
        ("--user joanna", &["4"]),
        ("--text 6380", &["4"]),
        ("--since 2026-09 --until 2026-09-29", &["4", "3", "1"]),
        ("--since 2026-Q3 --until 2026-09", &["5"]),
        ("--missing", &["5"]),
        ("--new", &["8", "6"]),
        ("--sort duration_ms:desc -n 2", &["3", "1"]),
        ("--sort status --limit 1", &["2"]),
    ];
    for (filter, expected) in cases {
        let out = archive.out(&format!("list --columns task_key --no-header {filter}"));
        assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{filter}");
    }
}

#[test]
fn what_was_typed_wrong_is_refused_with_what_would_be_right() {
    let archive = Archive::new();
    let cases = [
        (
            "list --columns task_id,nonsense",
            "instance_name, name, status",
        ),
        ("list --sort task_id;drop", "the columns are task_key"),
        ("list --sort name:up", "COLUMN:desc"),
        (
            "list --instance nobody",
            "known are 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726, 1f4c2a90-c0ff",
        ),
        ("list --instance 1f4c2a90", "it fits 1f4c2a90-b7de"),
        ("list --since tomorrow", "yesterday"),
        (
            "list --since 2026-10 --until 2026-10",
            "--until is excluded",
        ),
        ("list --output xml", "jsonl"),
        ("list --text=", "value is required"),
        ("coverage --walks --gaps", "cannot be used with"),
        (
            "coverage --since 2026-10 --period 2026",
            "cannot be used with",
        ),
        ("coverage --period 7d", "2026-Q3"),
        ("coverage --max-gap 36", "a unit is missing"),
        (
            "assert-none --since 2026-10 --until 2026-09",
            "--until is excluded",
        ),
        ("show 9999", "dcs-history list"),
        ("show 0011223344556677 --instance nobody", "no instance"),
    ];
    for (line, expected) in cases {
        let outcome = archive.run(line, None);
        assert_eq!(
            (outcome.exit, outcome.out.as_str()),
            (Exit::Usage, ""),
            "{line}"
        );
        assert!(outcome.err.contains(expected), "{line}: {}", outcome.err);
    }
}

#[test]
fn changes_read_well_on_a_terminal_of_80_columns() {
    insta::assert_snapshot!(Archive::new().drawn("changes"), @r"
    created_at        instance    user_name     what          change       status
    ────────────────  ──────────  ────────────  ────────────  ───────────  ─────────
    2026-09-30 00:00  e1f2a3b4-0  ann           実例の名前…   -            成功
    2026-09-29 00:00  1f4c2a90-b  eve\u{202e}…  enable_publ…  true         EXECUTING
    2026-09-28 00:00  1f4c2a90-c  Joanna <scr…  port          6379 → 6380  SUCCESS
    2026-09-28 00:00  1f4c2a90-c  =HYPERLINK(…  params.note   \u{1b}[2J    FAILED
    2026-09-01 10:00  1f4c2a90-b  ann           capacity      4 → 8.0      SUCCESS
    2026-09-01 10:00  1f4c2a90-b  ann           port          6379 → (no…  SUCCESS
    2026-09-01 10:00  1f4c2a90-b  ann           params.note   100%_done    SUCCESS
    2026-08-01 00:00  1f4c2a90-b  -             port changed  -            SUCCESS
    -                 1f4c2a90-c  -             password ch…  -            -
    ");
}

#[test]
fn changes_on_a_wide_terminal() {
    insta::assert_snapshot!(Archive::new().run("changes", Some(160)).out, @r#"
    created_at        instance                              name                operation           user_name          attribute         change            status
    ────────────────  ────────────────────────────────────  ──────────────────  ──────────────────  ─────────────────  ────────────────  ────────────────  ─────────
    2026-09-30 00:00  e1f2a3b4-0000-4000-8000-000000000003  実例の名前を変更…   -                   ann                -                 -                 成功
    2026-09-29 00:00  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  BindEip             public access ena…  eve\u{202e}nimda   enable_public_ip  true              EXECUTING
    2026-09-28 00:00  1f4c2a90-c0ff-4eee-8d3c-000000000002  UpdatePort          port changed        Joanna <script>    port              6379 → 6380       SUCCESS
    2026-09-28 00:00  1f4c2a90-c0ff-4eee-8d3c-000000000002  EXTEND              specification cha…  =HYPERLINK("http…  params.note       \u{1b}[2J         FAILED
    2026-09-01 10:00  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec  specification cha…  ann                capacity          4 → 8.0           SUCCESS
    2026-09-01 10:00  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec  specification cha…  ann                port              6379 → (nothing)  SUCCESS
    2026-09-01 10:00  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec  specification cha…  ann                params.note       100%_done         SUCCESS
    2026-08-01 00:00  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  UpdatePort          port changed        -                  -                 -                 SUCCESS
    -                 1f4c2a90-c0ff-4eee-8d3c-000000000002  modify              password changed    -                  -                 -                 -
    "#);
}

#[test]
fn piped_changes_shorten_nothing() {
    insta::assert_snapshot!(Archive::new().out("changes"), @r#"
    created_at                instance                              name                            operation              user_name               attribute         change            status
    2026-09-30T00:00:00.000Z  e1f2a3b4-0000-4000-8000-000000000003  実例の名前を変更する操作です🙂  -                      ann                     -                 -                 成功
    2026-09-29T00:00:00.123Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  BindEip                         public access enabled  eve\u{202e}nimda        enable_public_ip  true              EXECUTING
    2026-09-28T00:00:00.000Z  1f4c2a90-c0ff-4eee-8d3c-000000000002  UpdatePort                      port changed           Joanna <script>         port              6379 → 6380       SUCCESS
    2026-09-28T00:00:00.000Z  1f4c2a90-c0ff-4eee-8d3c-000000000002  EXTEND                          specification changed  =HYPERLINK("http://e")  params.note       \u{1b}[2J         FAILED
    2026-09-01T10:00:00.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec              specification changed  ann                     capacity          4 → 8.0           SUCCESS
    2026-09-01T10:00:00.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec              specification changed  ann                     port              6379 → (nothing)  SUCCESS
    2026-09-01T10:00:00.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  ChangeInstanceSpec              specification changed  ann                     params.note       100%_done         SUCCESS
    2026-08-01T00:00:00.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  UpdatePort                      port changed           -                       -                 -                 SUCCESS
    -                         1f4c2a90-c0ff-4eee-8d3c-000000000002  modify                          password changed       -                       -                 -                 -
    "#);
}

#[test]
fn changes_as_markdown() {
    insta::assert_snapshot!(Archive::new().out("changes -o markdown"), @r#"
    | created_at | instance | name | operation | user_name | attribute | change | status |
    | --- | --- | --- | --- | --- | --- | --- | --- |
    | 2026-09-30T00:00:00.000Z | e1f2a3b4-0000-4000-8000-000000000003 | 実例の名前を変更する操作です🙂 |  | ann |  |  | 成功 |
    | 2026-09-29T00:00:00.123Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | BindEip | public access enabled | eve\\u{202e}nimda | enable_public_ip | true | EXECUTING |
    | 2026-09-28T00:00:00.000Z | 1f4c2a90-c0ff-4eee-8d3c-000000000002 | UpdatePort | port changed | Joanna &lt;script&gt; | port | 6379 → 6380 | SUCCESS |
    | 2026-09-28T00:00:00.000Z | 1f4c2a90-c0ff-4eee-8d3c-000000000002 | EXTEND | specification changed | =HYPERLINK("http&#58;//e") | params.note | \\u{1b}\[2J | FAILED |
    | 2026-09-01T10:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | ChangeInstanceSpec | specification changed | ann | capacity | 4 → 8.0 | SUCCESS |
    | 2026-09-01T10:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | ChangeInstanceSpec | specification changed | ann | port | 6379 → (nothing) | SUCCESS |
    | 2026-09-01T10:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | ChangeInstanceSpec | specification changed | ann | params.note | 100%\_done | SUCCESS |
    | 2026-08-01T00:00:00.000Z | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | UpdatePort | port changed |  |  |  | SUCCESS |
    |  | 1f4c2a90-c0ff-4eee-8d3c-000000000002 | modify | password changed |  |  |  |  |
    "#);
}

#[test]
fn changes_as_csv() {
    let line = "changes -o csv --columns task_id,user_name,attribute,old_value,new_value";
    insta::assert_snapshot!(Archive::new().out(line), @r#"
    task_id,user_name,attribute,old_value,new_value
    Ab\u{1b}[31m,ann,,,
    0011223344556677ffffffffffffffff,eve\u{202e}nimda,enable_public_ip,,true
    00112233445566778899aabbccddeeff,Joanna <script>,port,6379,6380
    '=cmd|'/C calc'!A0,"'=HYPERLINK(""http://e"")",note,,\u{1b}[2J
    00112233445566778899aabbccddeeff,ann,capacity,4,8.0
    00112233445566778899aabbccddeeff,ann,port,6379,
    00112233445566778899aabbccddeeff,ann,note,,100%_done
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a,,,,
    6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b,,,,
    "#);
}

#[test]
fn changes_as_json_have_every_column_of_the_view() {
    let archive = Archive::new();
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&archive.out("changes -o json")).unwrap();
    assert_eq!(rows.len(), 9);
    insta::assert_snapshot!(archive.out("changes -o jsonl --attribute capacity"), @r#"{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","instance_name":null,"name":"ChangeInstanceSpec","status":"SUCCESS","is_final":1,"user_id":"u-1","user_name":"ann","created_at":"2026-09-01T10:00:00.000Z","updated_at":"2026-09-01T10:01:05.250Z","missing_since":null,"source":"details","attribute":"capacity","old_value":"4","new_value":"8.0"}"#);
}

#[test]
fn the_filters_of_changes_reach_the_archive() {
    let archive = Archive::new();
    let cases: [(&str, &[&str]); 14] = [
        ("--attribute port", &["4 port", "1 port"]),
        (
            "--attribute PORT --attribute Note",
            &["4 port", "3 note", "1 port", "1 note"],
        ),
        ("--attribute params.note", &["3 note", "1 note"]),
        ("--attribute params.port", &[]),
        ("--attribute replica_num", &[]),
        ("--instance e1f2", &["8 -"]),
        (
            "--operation extend",
            &["3 note", "1 capacity", "1 port", "1 note"],
        ),
        ("--status failed", &["3 note"]),
        ("--user joanna", &["4 port"]),
        ("--text 6380", &["4 port"]),
        (
            "--since 2026-09-28 --until 2026-09-29",
            &["4 port", "3 note"],
        ),
        ("--missing", &["5 -"]),
        ("--new", &["8 -", "6 -"]),
        (
            "--sort attribute -n 2",
            &["1 capacity", "2 enable_public_ip"],
        ),
    ];
    for (filter, expected) in cases {
        let out = archive.out(&format!(
            "changes --columns task_key,attribute -o csv --no-header {filter}"
        ));
        let lines: Vec<_> = out
            .lines()
            .map(|line| match line.split_once(',') {
                Some((key, "")) => format!("{key} -"),
                _ => line.replace(',', " "),
            })
            .collect();
        assert_eq!(lines, expected, "{filter}");
    }
}

#[test]
fn what_a_task_merely_repeats_is_shown_on_demand() {
    let archive = Archive::new();
    let add = "INSERT INTO attribute VALUES (9, 'details', 'cache_mode', 1); INSERT INTO change VALUES (4, 9, 'ha', 'ha'), (5, 9, 'ha', 'ha');";
    rusqlite::Connection::open(archive.path())
        .unwrap()
        .execute_batch(add)
        .unwrap();
    let line = "changes --columns task_key,attribute,old_value,new_value --no-header -o csv --text update --since 2026-08";
    for (extra, expected) in [
        ("", "4,port,6379,6380\n"),
        (
            " --all",
            "4,cache_mode,ha,ha\n4,port,6379,6380\n5,cache_mode,ha,ha\n",
        ),
    ] {
        assert_eq!(archive.out(&format!("{line}{extra}")), expected);
    }
}

#[test]
fn a_filter_that_names_what_nobody_knows_is_refused_with_near_names() {
    let archive = Archive::new();
    let cases = [
        (
            "--operation BindEpi",
            "no operation \"BindEpi\" is known",
            "did you mean BindEip?",
        ),
        (
            "--operation resize",
            "no operation \"resize\" is known",
            "known are BindEip, ChangeInstanceSpec",
        ),
        (
            "--status sucess",
            "no status \"sucess\" is known",
            "did you mean SUCCESS?",
        ),
        (
            "--status CANCELED",
            "no status \"CANCELED\" is known",
            "did you mean CANCELLED?",
        ),
        (
            "--instance 1f4c2a91",
            "no instance \"1f4c2a91\"",
            "did you mean 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726",
        ),
    ];
    for command in ["list", "changes", "assert-none"] {
        for (filter, said, hint) in cases {
            let outcome = archive.run(&format!("{command} {filter}"), None);
            assert_eq!(
                (outcome.exit, outcome.out.as_str()),
                (Exit::Usage, ""),
                "{filter}"
            );
            assert!(
                outcome.err.contains(said) && outcome.err.contains(hint),
                "{}",
                outcome.err
            );
        }
    }
    let outcome = archive.run("changes --attribute new_capacity", None);
    assert_eq!(outcome.exit, Exit::Usage);
    assert!(
        outcome.err.contains("did you mean capacity"),
        "{}",
        outcome.err
    );
}

#[test]
fn what_is_documented_and_was_never_seen_is_an_empty_answer() {
    let archive = Archive::new();
    for filter in [
        "--operation addwhitelist",
        "--status cancelled",
        "--user nobody",
    ] {
        for command in ["list", "changes"] {
            assert_eq!(archive.out(&format!("{command} -o json {filter}")), "[]\n");
        }
    }
    let outcome = archive.run("assert-none --operation addwhitelist --since 2020", None);
    assert_eq!(outcome.exit, Exit::CannotKnow, "{}", outcome.err);
    let said = archive.run("list --user joana", None).err;
    assert_eq!(
        said,
        "no task matches; no user \"joana\" is known, did you mean Joanna <script>?\n"
    );
    let said = archive.run("changes --user 0815", None).err;
    assert_eq!(said, "no change matches; no user \"0815\" is known\n");
    // A user who is known and did nothing of that kind is not doubted.
    let said = archive.run("list --user ann --status failed", None).err;
    assert_eq!(said, "no task matches\n");
}

#[test]
fn nothing_found_is_said_and_is_no_error() {
    let archive = Archive::new();
    let outcome = archive.run("list --text nowhere", None);
    assert_eq!((outcome.exit, outcome.out.as_str()), (Exit::Done, ""));
    assert_eq!(outcome.err, "no task matches\n");
    assert_eq!(archive.run("list --text nowhere -q", None).err, "");
    assert_eq!(archive.out("list --text nowhere -o json"), "[]\n");
    let logged = archive.run("list --text nowhere --log-format json", None);
    assert_eq!(
        logged.err,
        "{\"level\":\"info\",\"message\":\"no task matches\"}\n"
    );
}

#[test]
fn a_terminal_is_shown_fifty_tasks_and_told_so() {
    let archive = Archive::new();
    golden::add_tasks(&rusqlite::Connection::open(archive.path()).unwrap(), 100);
    let lines = |line: &str, terminal| {
        let outcome = archive.run(&format!("list --no-header {line}"), terminal);
        (outcome.out.lines().count(), outcome.err)
    };
    let said = "50 of 107 shown; -n 0 for all\n".to_owned();
    assert_eq!(lines("-o jsonl", Some(80)), (50, said));
    assert_eq!(lines("-o table -n 0", Some(80)), (107, String::new()));
    assert_eq!(lines("-o table -n 60", Some(80)), (60, String::new()));
    assert_eq!(lines("-o table", None), (107, String::new()));
    assert_eq!(lines("-o table -n 3", None), (3, String::new()));
    assert_eq!(lines("-n 18446744073709551615", None), (107, String::new()));
}

#[test]
fn show_tells_a_task_whole() {
    let archive = Archive::new();
    let line = "show 00112233445566778 --instance 1f4c2a90-b";
    insta::assert_snapshot!(archive.drawn(line), @r#"
    Task 00112233445566778899aabbccddeeff

      project_id     0a1b2c3d4e5f60718293a4b5c6d7e8f9
      instance_id    1f4c2a90-b7de-4f0e-8d3c-5a6b79081726
      task_id        00112233445566778899aabbccddeeff
      name           ChangeInstanceSpec
      operation      specification changed
      status         SUCCESS
      is_final       yes
      user_id        u-1
      user_name      ann
      created_at     2026-09-01 10:00:00  (… ago)
      updated_at     2026-09-01 10:01:05  (… ago)
      duration       1m05s
      params         {"note":"100%_done"}
      revisions      2
      first_seen_at  2026-09-30 02:00:05  (… ago)
      last_seen_at   2026-10-01 02:00:04  (… ago)
      vouched_at     2026-10-01 02:00:01  (… ago)

    What it changed
      capacity     4 → 8.0
      port         6379 → (nothing)
      params.note  100%_done

    Revisions (* is the current one)
    rev  observed_at          status     updated_at           differs in
    ───  ───────────────────  ─────────  ───────────────────  ──────────────────────
    1    2026-09-30 02:00:05  EXECUTING  2026-09-01 10:00:00  -
    2*   2026-10-01 02:00:04  SUCCESS    2026-09-01 10:01:05  status, params, detai…

    Raw record (revision 2)
    {
      "task_id": "00112233445566778899aabbccddeeff",
      "status": "SUCCESS",
      "details": {
        "old_capacity": "4",
        "new_capacity": "8.0",
        "old_port": 6379
      },
      "params": "{\"note\":\"100%_done\"}"
    }
    "#);
    insta::assert_snapshot!(archive.out(&format!("{line} -o markdown")), @r#"
    # Task 00112233445566778899aabbccddeeff

    - project_id: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
    - instance_id: 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726
    - task_id: 00112233445566778899aabbccddeeff
    - name: ChangeInstanceSpec
    - operation: specification changed
    - status: SUCCESS
    - is_final: yes
    - user_id: u-1
    - user_name: ann
    - created_at: 2026-09-01T10:00:00.000Z
    - updated_at: 2026-09-01T10:01:05.250Z
    - duration: 1m05s
    - params: {"note":"100%\_done"}
    - revisions: 2
    - first_seen_at: 2026-09-30T02:00:05.250Z
    - last_seen_at: 2026-10-01T02:00:04.000Z
    - vouched_at: 2026-10-01T02:00:01.000Z

    ## What it changed

    - capacity: 4 → 8.0
    - port: 6379 → (nothing)
    - params.note: 100%\_done

    ## Revisions (\* is the current one)

    | rev | observed_at | status | updated_at | differs in |
    | --- | --- | --- | --- | --- |
    | 1 | 2026-09-30T02:00:05.250Z | EXECUTING | 2026-09-01T10:00:00.000Z |  |
    | 2\* | 2026-10-01T02:00:04.000Z | SUCCESS | 2026-09-01T10:01:05.250Z | status, params, details.new_capacity, details.old_port |

    ## Raw record (revision 2)

        {
          "task_id": "00112233445566778899aabbccddeeff",
          "status": "SUCCESS",
          "details": {
            "old_capacity": "4",
            "new_capacity": "8.0",
            "old_port": 6379
          },
          "params": "{\"note\":\"100%_done\"}"
        }
    "#);
    insta::assert_snapshot!(archive.out(&format!("{line} -o jsonl")), @r#"{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","instance_name":null,"name":"ChangeInstanceSpec","status":"SUCCESS","is_final":1,"user_id":"u-1","user_name":"ann","created_at":"2026-09-01T10:00:00.000Z","updated_at":"2026-09-01T10:01:05.250Z","duration_ms":65250,"params":"{\"note\":\"100%_done\"}","error_code":null,"revisions":2,"first_seen_at":"2026-09-30T02:00:05.250Z","last_seen_at":"2026-10-01T02:00:04.000Z","vouched_at":"2026-10-01T02:00:01.000Z","missing_since":null,"missing_confirmed_at":null,"missing_as":null,"reappeared_at":null,"details":{"old_capacity":4.0,"new_capacity":8.0,"old_port":6379},"changes":[{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","source":"details","attribute":"capacity","old_value":"4","new_value":"8.0"},{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","source":"details","attribute":"port","old_value":"6379","new_value":null},{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","source":"params","attribute":"note","old_value":null,"new_value":"100%_done"}],"revisions":[{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","revision":1,"is_current":0,"observed_at":"2026-09-30T02:00:05.250Z","sync_id":1,"status":"EXECUTING","updated_at":"2026-09-01T10:00:00.000Z","raw_sha256":"0000000000000000000000000000000000000000000000000000000000000000","raw":"{\"task_id\":\"00112233445566778899aabbccddeeff\",\"status\":\"EXECUTING\",\"details\":{\"old_capacity\":\"4\",\"new_capacity\":\"8\"}}"},{"task_key":1,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":"1f4c2a90-b7de-4f0e-8d3c-5a6b79081726","task_id":"00112233445566778899aabbccddeeff","revision":2,"is_current":1,"observed_at":"2026-10-01T02:00:04.000Z","sync_id":2,"status":"SUCCESS","updated_at":"2026-09-01T10:01:05.250Z","raw_sha256":"0000000000000000000000000000000000000000000000000000000000000000","raw":"{\"task_id\":\"00112233445566778899aabbccddeeff\",\"status\":\"SUCCESS\",\"details\":{\"old_capacity\":\"4\",\"new_capacity\":\"8.0\",\"old_port\":6379},\"params\":\"{\\\"note\\\":\\\"100%_done\\\"}\"}"}]}"#);
    insta::assert_snapshot!(archive.out(&format!("{line} -o csv")), @r#"
    task_key,project_id,instance_id,task_id,revision,is_current,observed_at,sync_id,status,updated_at,raw_sha256,raw
    1,0a1b2c3d4e5f60718293a4b5c6d7e8f9,1f4c2a90-b7de-4f0e-8d3c-5a6b79081726,00112233445566778899aabbccddeeff,1,0,2026-09-30T02:00:05.250Z,1,EXECUTING,2026-09-01T10:00:00.000Z,0000000000000000000000000000000000000000000000000000000000000000,"{""task_id"":""00112233445566778899aabbccddeeff"",""status"":""EXECUTING"",""details"":{""old_capacity"":""4"",""new_capacity"":""8""}}"
    1,0a1b2c3d4e5f60718293a4b5c6d7e8f9,1f4c2a90-b7de-4f0e-8d3c-5a6b79081726,00112233445566778899aabbccddeeff,2,1,2026-10-01T02:00:04.000Z,2,SUCCESS,2026-09-01T10:01:05.250Z,0000000000000000000000000000000000000000000000000000000000000000,"{""task_id"":""00112233445566778899aabbccddeeff"",""status"":""SUCCESS"",""details"":{""old_capacity"":""4"",""new_capacity"":""8.0"",""old_port"":6379},""params"":""{\""note\"":\""100%_done\""}""}"
    "#);
    let array: Vec<serde_json::Value> =
        serde_json::from_str(&archive.out(&format!("{line} -o json"))).unwrap();
    assert_eq!(array[0]["details"]["new_capacity"], 8.0);
}

#[test]
fn show_stands_hostile_text() {
    let archive = Archive::new();
    insta::assert_snapshot!(archive.drawn("show =cmd"), @r#"
    Task =cmd|'/C calc'!A0

      project_id     0a1b2c3d4e5f60718293a4b5c6d7e8f9
      instance_id    1f4c2a90-c0ff-4eee-8d3c-000000000002
      task_id        =cmd|'/C calc'!A0
      name           EXTEND
      operation      specification changed
      status         FAILED
      is_final       yes
      user_name      =HYPERLINK("http://e")
      created_at     2026-09-28 00:00:00  (… ago)
      updated_at     2026-09-28 01:01:01  (… ago)
      duration       1h01m
      params         a|b\nc
      error_code     DCS.4999
      revisions      1
      first_seen_at  2026-09-30 02:00:09  (… ago)
      last_seen_at   2026-10-01 02:00:05  (… ago)
      vouched_at     2026-10-01 02:00:01  (… ago)

    What it changed
      params.note  \u{1b}[2J

    Revisions (* is the current one)
    rev  observed_at          status  updated_at           differs in
    ───  ───────────────────  ──────  ───────────────────  ──────────
    1*   2026-09-30 02:00:09  FAILED  2026-09-28 01:01:01  -

    Raw record (revision 1)
    {
      "raw": "only-in-raw"
    }
    "#);
}

#[test]
fn an_ambiguous_id_is_answered_with_what_to_type() {
    let archive = Archive::new();
    let outcome = archive.run("show 00112233445566778899aabbccddeeff", None);
    assert_eq!((outcome.exit, outcome.out.as_str()), (Exit::Usage, ""));
    insta::assert_snapshot!(outcome.err, @r#"
    error: "00112233445566778899aabbccddeeff" may mean several tasks
    hint: 00112233445566778899aabbccddeeff --instance 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726
    hint: 00112233445566778899aabbccddeeff --instance 1f4c2a90-c0ff-4eee-8d3c-000000000002
    "#);
}

#[test]
fn a_beginning_of_several_ids_is_answered_with_how_much_of_them_to_type() {
    let archive = Archive::new();
    let outcome = archive.run("show 001 --instance 1f4c2a90-b", None);
    insta::assert_snapshot!(outcome.err, @r#"
    error: "001" may mean several tasks
    hint: 17 characters tell these 2 ids apart
    hint: 00112233445566778899aabbccddeeff
    hint: 0011223344556677ffffffffffffffff
    "#);
    insta::assert_snapshot!(archive.run("show 001", None).err, @r#"
    error: "001" may mean several tasks
    hint: 17 characters tell these 2 ids apart
    hint: 00112233445566778899aabbccddeeff --instance 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726
    hint: 00112233445566778899aabbccddeeff --instance 1f4c2a90-c0ff-4eee-8d3c-000000000002
    hint: 0011223344556677ffffffffffffffff
    "#);
    golden::add_tasks(&rusqlite::Connection::open(archive.path()).unwrap(), 100);
    insta::assert_snapshot!(archive.run("show plain", None).err, @r#"
    error: "plain" may mean several tasks
    hint: 8 characters tell these 100 ids apart
    hint: plain100
    hint: plain101
    hint: plain102
    hint: plain103
    hint: plain104
    hint: plain105
    hint: plain106
    hint: plain107
    hint: plain108
    hint: plain109
    hint: and more
    "#);
}

#[test]
fn show_says_what_became_of_a_task_upstream() {
    let archive = Archive::new();
    let shown = |line: &str| {
        let lines = archive.out(line);
        let kept = lines.lines().filter(|line| {
            ["missing", "reappeared", "upstream"]
                .iter()
                .any(|name| line.trim().starts_with(name))
        });
        kept.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(shown("show 5a5a"), @"
    missing_since  2026-10-01T02:00:04.000Z
    missing_as     removed
    upstream       no longer lists it, which a second walk has to confirm; it looks deleted: older ones are still there
    ");
    let back =
        "UPDATE task SET missing_walk = NULL, missing_as = NULL, seen_walk = 3 WHERE task_key = 5";
    rusqlite::Connection::open(archive.path())
        .unwrap()
        .execute_batch(back)
        .unwrap();
    insta::assert_snapshot!(shown("show 5a5a"), @"
    reappeared_at  2026-10-01T02:00:04.000Z
    upstream       lists it again, after it was missing
    ");
    assert_eq!(shown("show 6b6b"), "");
}

#[test]
fn the_ledger_fits_a_terminal_of_80_columns() {
    insta::assert_snapshot!(Archive::new().drawn("coverage --walks"), @r"
    walk  started_at        instance    kind       proven  read  new  chg
    ────  ────────────────  ──────────  ─────────  ──────  ────  ───  ───
       7  2026-10-01 02:00  -           instances  yes        3    0    0
          all received
       6  2026-10-01 02:00  e1f2a3b4-0  full #2    no         1    1    0
          answer\u{1b}\r\ncut off
       4  2026-10-01 02:00  1f4c2a90-c  full       yes        3    1    0
          all received
       3  2026-10-01 02:00  1f4c2a90-b  full       yes        2    0    1
          all received
       2  2026-09-30 02:00  1f4c2a90-c  full       no         2    2    0
          the list moved while it was read
       1  2026-09-30 02:00  1f4c2a90-b  full       yes        3    3    0
          all received
    ");
}

#[test]
fn a_piped_ledger_shortens_nothing() {
    let archive = Archive::new();
    insta::assert_snapshot!(archive.out("coverage --walks --instance 1f4c2a90-b -n 1"), @"
    walk_id  started_at                instance_id                           attempt  kind  proven  received  new  changed  reason
          3  2026-10-01T02:00:01.000Z  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726        1  full  yes            2    0        1  all received
    ");
    insta::assert_snapshot!(archive.out("coverage --walks -n 1 -o jsonl"), @r#"{"walk_id":7,"sync_id":2,"project_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","instance_id":null,"attempt":1,"kind":"instances","window_start":null,"window_end":null,"started_at":"2026-10-01T02:00:00.100Z","finished_at":"2026-10-01T02:00:00.900Z","proven":1,"reason":"all received","requests":1,"server_total":3,"received":3,"new":0,"changed":0,"same":0,"older":0,"rejected":0,"missing":0,"reappeared":0,"mark_before":null,"mark_after":null,"error":null}"#);
}

#[test]
fn an_archive_that_is_not_there_is_named_with_the_command_that_makes_one() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Archive { folder };
    for line in [
        "list",
        "changes",
        "show 1",
        "instances",
        "coverage",
        "coverage --walks",
        "assert-none",
    ] {
        let outcome = nothing.run(line, None);
        assert_eq!(
            (outcome.exit, outcome.out.as_str()),
            (Exit::Archive, ""),
            "{line}"
        );
        assert!(outcome.err.contains("ARCHIVE"), "{}", outcome.err);
        assert!(outcome.err.contains("dcs-history sync"), "{}", outcome.err);
        assert!(!nothing.path().exists(), "{line} made a file");
    }
}

#[test]
fn a_file_that_is_no_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive { folder };
    for content in [
        &b"not a database at all, but long enough to have a header"[..],
        b"",
    ] {
        std::fs::write(archive.path(), content).unwrap();
        assert_eq!(archive.run("list", None).exit, Exit::Archive);
    }
}

/// A reader that goes away at once.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_reader_that_went_away_is_a_quiet_end() {
    let archive = Archive::new();
    for format in ["table", "json", "jsonl", "csv", "markdown"] {
        for command in [
            "list",
            "changes",
            "instances",
            "coverage",
            "coverage --walks",
            "assert-none",
            "show 5",
        ] {
            let path = archive.path();
            let line = format!("dcs-history {command} -o {format} --db {}", path.display());
            let mut err = Vec::new();
            let exit = run(
                line.split(' ').map(OsString::from),
                &mut Gone,
                &mut err,
                (false, false),
            );
            assert_eq!((exit, err.len()), (Exit::Done, 0), "{command} {format}");
        }
    }
}

/// Options that a job which runs by itself does not set for all its commands, each with the command that has it (`*` is
/// any): they choose what one call is about.
const NOT_SETTINGS: &[(&str, &[&str])] = &[
    ("*", &["help", "version", "verbose", "quiet"]),
    ("backfill", &["since", "until", "period"]),
    // Filters, and what to print of several things.
    (
        "list",
        &[
            "instance",
            "operation",
            "status",
            "user",
            "text",
            "since",
            "until",
            "period",
            "missing",
            "new",
            "as-of",
            "observed-at",
        ],
    ),
    (
        "stats",
        &[
            "by",
            "instance",
            "operation",
            "status",
            "user",
            "text",
            "since",
            "until",
            "period",
            "missing",
            "new",
        ],
    ),
    ("state", &["instance", "at", "breaks"]),
    (
        "changes",
        &[
            "attribute",
            "all",
            "instance",
            "operation",
            "status",
            "user",
            "text",
            "since",
            "until",
            "period",
            "missing",
            "new",
        ],
    ),
    ("show", &["instance"]),
    ("instances", &["instance", "history"]),
    (
        "coverage",
        &[
            "instance", "since", "until", "period", "gaps", "walks", "drift",
        ],
    ),
    (
        "assert-none",
        &[
            "instance",
            "operation",
            "status",
            "user",
            "text",
            "since",
            "until",
            "period",
        ],
    ),
    // The columns and the rows of an answer belong to its query.
    ("sql", &["param", "columns", "limit"]),
    // So do those of one view, which another export would not know.
    (
        "export",
        &[
            "out", "out-dir", "force", "instance", "since", "until", "period", "columns",
        ],
    ),
    (
        "report",
        &[
            "instance", "since", "until", "period", "title", "output", "out", "force", "evidence",
        ],
    ),
    ("demo", &["dir"]),
    ("reprocess", &["dry-run"]),
    ("backup", &["force"]),
    ("status", &["instance"]),
    // Its options make a cloud to try things on.
    (
        "simulate",
        &[
            "port",
            "seed",
            "instances",
            "tasks",
            "speed",
            "page-cap",
            "latency",
            "dir",
            "filter",
            "filter-name",
            "count",
            "window",
            "token-life",
            "metadata",
            "skew",
            "throttle",
            "retry-after",
            "trouble",
            "trouble-form",
        ],
    ),
    ("man", &["dir", "force"]),
];

#[test]
fn every_setting_has_its_variable_and_no_help_shows_the_value_of_one() {
    let mut root = command();
    root.build();
    let commands: Vec<_> = std::iter::once(&root)
        .chain(root.get_subcommands())
        .collect();
    let is_listed = |command: &str, option: &str| {
        let lists = NOT_SETTINGS
            .iter()
            .filter(|(name, _)| *name == "*" || *name == command);
        lists
            .flat_map(|(_, options)| *options)
            .any(|name| *name == option)
    };
    let mut variables = 0;
    for command in commands {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let Some(option) = arg.get_long() else {
                continue;
            };
            let expected = format!(
                "DCS_HISTORY_{}",
                option.to_ascii_uppercase().replace('-', "_")
            );
            let variable = arg.get_env().map(|name| name.to_string_lossy());
            let name = command.get_name();
            match variable {
                Some(variable) => {
                    assert_eq!(variable, expected, "{name} --{option}");
                    assert!(arg.is_hide_env_values_set(), "{name} --{option}");
                    variables += 1;
                }
                None => assert!(is_listed(name, option), "{name} --{option} has no variable"),
            }
        }
    }
    assert!(variables > 60, "{variables}");
    for (name, options) in NOT_SETTINGS.iter().filter(|(name, _)| *name != "*") {
        let command = root.find_subcommand(name).unwrap();
        for option in *options {
            let arg = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(option));
            assert!(
                arg.is_some_and(|arg| arg.get_env().is_none()),
                "{name} --{option} is listed"
            );
        }
    }
    command().debug_assert();
}

#[test]
fn a_line_that_is_not_understood_is_one_error_in_the_form_that_was_asked_for() {
    let archive = Archive::new();
    let hostile = "\u{1b}[2J\r\nerror:\u{202e}x\u{7}";
    let lines = [
        format!("list {hostile}"),
        format!("list --output={hostile}"),
        format!("list --limit={hostile}"),
        format!("list --since={hostile}"),
        format!("list --columns={hostile}"),
        format!("list --{hostile}=1"),
        format!("list --color={hostile}"),
        format!("show {hostile}"),
        format!("sync --timeout={hostile}"),
        format!("simulate --speed={hostile}"),
        format!("simulate --latency={hostile}"),
        hostile.to_owned(),
        "sync".to_owned(),
        "coverage --walks --drift".to_owned(),
    ];
    for line in lines {
        let outcome = archive.run(&line, None);
        assert_eq!(
            (outcome.exit, outcome.out.as_str()),
            (Exit::Usage, ""),
            "{line:?}"
        );
        let labels = ["error: ", "  caused by: ", "hint: "];
        for said in outcome.err.lines() {
            assert!(
                labels.iter().any(|label| said.starts_with(label)),
                "{said:?}"
            );
            assert!(!said.contains(crate::output::text::obeyed), "{said:?}");
        }
        assert_eq!(outcome.err.matches("error: ").count(), 1, "{}", outcome.err);

        let logged = archive.run(&format!("{line} --log-format=json"), None).err;
        assert_eq!(logged.lines().count(), 1, "{logged}");
        let said: serde_json::Value = serde_json::from_str(&logged).unwrap();
        assert_eq!((&said["code"], &said["kind"]), (&2.into(), &"usage".into()));
        assert!(
            said["message"].as_str().is_some_and(|text| text.len() > 10),
            "{logged}"
        );
        assert!(said["hint"].is_string(), "{logged}");
    }
}

#[test]
fn colour_follows_the_stream_and_what_was_typed() {
    let archive = Archive::new();
    let run = |line: &str, terminals| {
        let path = archive.path();
        let line = format!("dcs-history --db {} {line}", path.display());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        run(
            line.split(' ').map(OsString::from),
            &mut out,
            &mut err,
            terminals,
        );
        (out.contains(&0x1b), err.contains(&0x1b))
    };
    let always = "--color always";
    let cases = [
        (format!("list {always}"), (true, false)),
        (format!("list {always} -o json"), (false, false)),
        (format!("list {always} --text nowhere"), (false, false)),
        (format!("list {always} --nonsense"), (false, true)),
        (format!("list {always} --help"), (true, false)),
        (format!("show {always} 5a"), (true, false)),
        (format!("show {always} nothing"), (false, true)),
        ("list --color never --nonsense".to_owned(), (false, false)),
        ("list --color=never --help".to_owned(), (false, false)),
    ];
    for (line, expected) in cases {
        for terminals in [(false, false), (true, true)] {
            assert_eq!(run(&line, terminals), expected, "{line}");
        }
    }
    for line in ["list", "list --nonsense", "list --help", "show 5a"] {
        assert_eq!(run(line, (false, false)), (false, false), "{line}");
    }
}

#[test]
fn an_example_is_not_broken_on_a_terminal_of_80_columns() {
    let top = command();
    for command in std::iter::once(&top).chain(top.get_subcommands()) {
        let Some(examples) = command.get_after_help().map(ToString::to_string) else {
            continue;
        };
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
        }
    }
}

#[test]
fn times_are_shown_in_another_zone_to_people_only() {
    let archive = Archive::new();
    insta::assert_snapshot!(archive.drawn("list --tz +05:30 -n 2"), @r"
    created_at                 instance    name       status     user_name  duration
    ─────────────────────────  ──────────  ─────────  ─────────  ─────────  ────────
    2026-09-30 05:30:00+05:30  e1f2a3b4-0  実例の名…  成功       ann        -
    2026-09-29 05:30:00+05:30  1f4c2a90-b  BindEip    EXECUTING  eve\u{20…  -
    ");
    insta::assert_snapshot!(archive.out("list --tz +05:30 -n 2 -o markdown"), @r"
    | created_at | instance | name | operation | status | user_name | duration |
    | --- | --- | --- | --- | --- | --- | --- |
    | 2026-09-30T05:30:00.000+05:30 | e1f2a3b4-0000-4000-8000-000000000003 | 実例の名前を変更する操作です🙂 |  | 成功 | ann |  |
    | 2026-09-29T05:30:00.123+05:30 | 1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 | BindEip | public access enabled | EXECUTING | eve\\u{202e}nimda |  |
    ");
    insta::assert_snapshot!(archive.out("list --tz -03:00 -n 2 --columns created_at,task_key,missing_since,status"), @"
    created_at                     task_key  missing_since  status
    2026-09-29T21:00:00.000-03:00         8  -              成功
    2026-09-28T21:00:00.123-03:00         2  -              EXECUTING
    ");
    insta::assert_snapshot!(archive.drawn("coverage --walks --tz +01:00 -n 1"), @"
    walk  started_at           instance  kind       proven  read  new  chg
    ────  ───────────────────  ────────  ─────────  ──────  ────  ───  ───
       7  2026-10-01 03:00+01  -         instances  yes        3    0    0
          all received
    ");
    let question = "sql SELECT\tcreated_at\tFROM\ttasks\tWHERE\ttask_key=2";
    insta::assert_snapshot!(archive.out(&format!("{question} --tz +05:30")), @"
    created_at
    2026-09-29T05:30:00.123+05:30
    ");
    let sheet = archive.out("show 5a --tz +02:00");
    assert!(sheet.contains("2026-08-01T02:00:00.000+02:00\n"), "{sheet}");
    for format in ["json", "jsonl", "csv"] {
        for command in [
            "list",
            "coverage --walks",
            "show 5a",
            "list --columns created_at",
            question,
        ] {
            let line = format!("{command} -o {format}");
            let zoned = archive.out(&format!("{line} --tz +05:30"));
            assert_eq!(zoned, archive.out(&line), "{line}");
        }
    }
}

#[test]
fn a_wide_terminal_is_used() {
    let outcome = Archive::new().run("list -n 3", Some(160));
    insta::assert_snapshot!(outcome.out, @r"
    created_at           instance                              name            operation       status     user_name       duration  task_id
    ───────────────────  ────────────────────────────────────  ──────────────  ──────────────  ─────────  ──────────────  ────────  ────────────────────────────────
    2026-09-30 00:00:00  e1f2a3b4-0000-4000-8000-000000000003  実例の名前を…   -               成功       ann             -         Ab\u{1b}[31m
    2026-09-29 00:00:00  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726  BindEip         public access…  EXECUTING  eve\u{202e}ni…  -         0011223344556677ffffffffffffffff
    2026-09-28 00:00:00  1f4c2a90-c0ff-4eee-8d3c-000000000002  UpdatePort      port changed    SUCCESS    Joanna <scrip…  0.9s      00112233445566778899aabbccddeeff
    ");
}

#[test]
fn more_columns_than_have_room_are_told_one_below_the_other() {
    let line =
        "list -n 1 --columns task_key,instance_id,task_id,name,status,user_name,params,created_at";
    insta::assert_snapshot!(Archive::new().drawn(line), @r"
    ── 1 ───────────────────────────────────────────────────────────────────────────
    task_key     8
    instance_id  e1f2a3b4-0000-4000-8000-000000000003
    task_id      Ab\u{1b}[31m
    name         実例の名前を変更する操作です🙂
    status       成功
    user_name    ann
    params       -
    created_at   2026-09-30T00:00:00.000Z
    ");
}
