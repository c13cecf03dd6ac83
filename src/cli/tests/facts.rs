//! `stats`, `state` and the past, as a terminal shows them.

use super::*;

#[test]
fn stats_draws_bars_on_a_terminal() {
    insta::assert_snapshot!(Archive::new().run("stats", Some(80)).out, @"
    name                tasks            failed  open  missing  median  p95    max
    ──────────────────  ─────  ────────  ──────  ────  ───────  ──────  ─────  ─────
    UpdatePort              2  ████████       0     0        1  0.9s    1.0s   1.0s
    BindEip                 1  ████           0     1        0  -       -      -
    ChangeInstanceSpec      1  ████           0     0        0  1m05s   1m05s  1m05s
    EXTEND                  1  ████           1     0        0  1h01m   1h01m  1h01m
    modify                  1  ████           0     1        0  -       -      -
    実例の名前を変更…       1  ████           0     1        0  -       -      -
    ");
}

#[test]
fn two_keys_leave_a_usual_terminal_no_room_for_bars() {
    let archive = Archive::new();
    let narrow = archive.run("stats --by user,status", Some(80)).out;
    assert!(!narrow.contains('█'), "{narrow}");
    let wide = archive.run("stats --by user,status", Some(120)).out;
    assert!(wide.contains('█'), "{wide}");
    for line in narrow.lines() {
        assert!(crate::output::text::width(line) <= 80, "{line}");
    }
}

#[test]
fn bars_are_for_terminals_alone() {
    let archive = Archive::new();
    for format in ["table", "markdown", "csv", "json", "jsonl"] {
        let told = archive.run(&format!("stats -o {format}"), None).out;
        assert!(!told.contains('█') && !told.contains("most"), "{told}");
    }
}

#[test]
fn a_state_is_a_sheet_that_fits_a_terminal() {
    let line = "state --instance 1f4c2a90-b --at 2026-10-01T12:00:00Z";
    insta::assert_snapshot!(Archive::new().drawn(line), @r"
    1f4c2a90-b7de-4f0e-8d3c-5a6b79081726 at 2026-10-01T12:00:00.000Z

      project_id   0a1b2c3d4e5f60718293a4b5c6d7e8f9
      instance_id  1f4c2a90-b7de-4f0e-8d3c-5a6b79081726
      vouched for  until 2026-10-01T01:45:01.000Z

    Configuration
    attribute           value  since             user_name  certainty
    ──────────────────  ─────  ────────────────  ─────────  ─────────
    capacity            8.0    2026-09-01 10:01  ann        inherited
                        as of 2026-10-01 01:45; what was deleted before the first
                        proven walk, 2026-09-30T02:00:01.000Z, is unknown
    resource_spec_code  -      -                 -          unknown
    cache_mode          -      -                 -          unknown
    cache_type          -      -                 -          unknown
    replica_num         -      -                 -          unknown
    port                -      2026-09-01 10:01  ann        unknown
                        the task states the old value only
    enable_public_ip    -      -                 -          unknown
    public_ip_address   -      -                 -          unknown
    public_ip_id        -      -                 -          unknown
    enable_ssl          -      -                 -          unknown
    enable_whitelist    -      -                 -          unknown
    whitelist           -      -                 -          unknown

    Under way then
    attribute          value  since             user_name         certainty  note
    ─────────────────  ─────  ────────────────  ────────────────  ─────────  ────
    enable_public_ip   true   2026-09-29 00:00  eve\u{202e}nimda  pending    -
    public_ip_address  -      2026-09-29 00:00  eve\u{202e}nimda  pending    -
    public_ip_id       -      2026-09-29 00:00  eve\u{202e}nimda  pending    -

    Tasks that failed are taken to have changed nothing: that is an inference.
    ");
}

#[test]
fn a_state_that_is_not_known_is_said_on_a_terminal() {
    let outcome = Archive::new().run("list --as-of 2026-09-28T00:00:00.500Z", Some(80));
    insta::assert_snapshot!(outcome.out + &outcome.err, @"
    created_at           instance    name          status     user_name     duration
    ───────────────────  ──────────  ────────────  ─────────  ────────────  ────────
    2026-09-28 00:00:00  1f4c2a90-c  UpdatePort    (unknown)  Joanna <scr…  -
    2026-09-28 00:00:00  1f4c2a90-c  EXTEND        (unknown)  =HYPERLINK(…  -
    2026-09-01 10:00:00  1f4c2a90-b  ChangeInsta…  SUCCESS    ann           1m05s
    2026-08-01 00:00:00  1f4c2a90-b  UpdatePort    SUCCESS    -             1.0s
    of 2 tasks the state at that time is not known, only later ones were seen; it is shown as (unknown)
    ");
}
