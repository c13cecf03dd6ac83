//! One shape for most faults: an upstream that behaves up to a request and is wrong from there on, for good.

use serde_json::Value;

use super::env::Program;
use super::fake_api::{Action, FakeApi, Request, part_of};
use super::outcome::Outcome;
use super::tasks;

/// Small pages, so that nine records take a probe and three pages: requests 1 to 4.
pub(crate) const PAGES: [&str; 2] = ["--page-size", "4"];
pub(crate) const RECORDS: u32 = 9;

/// The request for the third page, and how many records were seen before it: four, and three behind the shared one.
pub(crate) const THIRD_PAGE: usize = 4;
pub(crate) const TWO_PAGES: i64 = 7;

/// What a fault is expected to come to.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) code: i32,
    /// Tasks that the archive shows afterwards.
    pub(crate) kept: i64,
    /// Requests sent, the good ones included.
    pub(crate) asked: usize,
    pub(crate) said: &'a [&'a str],
}

/// Runs a sync whose upstream is wrong from that request on; then checks what must hold, and that the next one completes.
#[track_caller]
pub(crate) fn for_good(
    from: usize,
    args: &[&str],
    expected: Expected<'_>,
    fault: impl Fn(&Request) -> Action + Send + Sync + 'static,
) -> Outcome {
    let (program, records) = (Program::new(), tasks(RECORDS));
    let good = records.clone();
    let api = FakeApi::start(move |request| {
        if request.number < from {
            part_of(&good, request)
        } else {
            fault(request)
        }
    });
    let outcome = program.sync_with(&api, &[&PAGES, args].concat());
    outcome
        .expect_code(expected.code)
        .expect_said(expected.said);
    assert_eq!(api.asked(), expected.asked, "{outcome:#?}");
    unproven(&program, expected.code);
    assert_eq!(program.number("SELECT count(*) FROM tasks"), expected.kept);
    program.recovers(&api, &records);
    outcome
}

/// Nothing was proven, no mark was set, and the ledger's last sync ended as the process did.
#[track_caller]
pub(crate) fn unproven(program: &Program, code: i32) {
    let claims = "SELECT count(*) FROM instances WHERE high_water_mark IS NOT NULL OR last_proven_at IS NOT NULL";
    assert_eq!(program.number(claims), 0);
    let walks = "SELECT count(*) FROM walks WHERE proven = 1 OR mark_after IS NOT NULL";
    assert_eq!(program.number(walks), 0);
    let last = "SELECT exit_code FROM syncs ORDER BY sync_id DESC LIMIT 1";
    assert_eq!(program.number(last), i64::from(code));
}

/// Runs a sync whose upstream is wrong in one answer only, which must not matter.
#[track_caller]
pub(crate) fn once(
    at: usize,
    args: &[&str],
    fault: impl Fn(&Request) -> Action + Send + Sync + 'static,
) -> Outcome {
    let (program, records) = (Program::new(), tasks(RECORDS));
    let good = records.clone();
    let api = FakeApi::start(move |request| {
        if request.number == at {
            fault(request)
        } else {
            part_of(&good, request)
        }
    });
    let outcome = program.sync_with(&api, &[&PAGES, args].concat());
    outcome.expect_code(0);
    let proven = "SELECT proven, received FROM walks ORDER BY walk_id DESC LIMIT 1";
    assert_eq!(program.rows(proven), ["1|9"]);
    program.recovers(&api, &records);
    outcome
}

/// The body of the proper answer to a request.
pub(crate) fn body(request: &Request) -> String {
    let records: Vec<Value> = tasks(RECORDS);
    let from = request.offset.min(records.len());
    let to = (from + request.limit).min(records.len());
    super::page(&records[from..to], records.len()).to_string()
}
