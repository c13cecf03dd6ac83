//! The archive file: altered anywhere, it is refused, found out, or shows what it showed; it is never written to by who only
//! reads, and no alteration makes a command panic.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::room::{self, Tally, alone, archive, clear, run};
use super::{every_case, mutate};
use crate::simulator::rng::Rng;

const EVERYDAY: u64 = 20;

/// No command takes a hundredth of this on an archive so small.
const HANGS: Duration = Duration::from_secs(20);

/// What people ask an archive, one of each kind of reading.
const QUESTIONS: [&str; 16] = [
    "list -o jsonl",
    "list --missing",
    "list --as-of 2026-09-30T12:00:00Z",
    "list --observed-at 2026-10-01",
    "changes -o csv",
    "show task-2",
    "show a0000000000000000000000000000003 -o json",
    "stats --by user",
    "state --breaks",
    "state --instance 11111111-0000-4000-8000-000000000001",
    "coverage",
    "coverage --walks",
    "instances --history",
    "assert-none --operation BindEip --period 2026-10-01",
    "status",
    "export task_revisions --format csv",
];

/// The views of the contract that `verify` vouches for; what a host's manner is, it does not.
const VIEWS: [&str; 10] = [
    "tasks",
    "task_details",
    "task_changes",
    "task_revisions",
    "changes",
    "instances",
    "instance_revisions",
    "syncs",
    "walks",
    "rejected",
];

const WORDS: [&[u8]; 12] = [
    b"CREATE VIEW ",
    b"CREATE TRIGGER ",
    b"SELECT ",
    b"SUCCESS",
    b"FAILED",
    b"EXECUTING",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x0d\0\0\0",
    b"\x05\0\0\0",
    b"{\"id\":",
];

#[test]
fn a_file_that_was_altered_is_refused_found_out_or_shows_the_same() {
    alone(
        "fuzz::archive::a_file_that_was_altered_is_refused_found_out_or_shows_the_same",
        |room| {
            let whole = archive(room);
            let path = room.join("history.db");
            fs::write(&path, &whole).unwrap();
            let before = shown(&path);
            assert_eq!(ask(&path, "verify").code, 0);
            let codes = Tally::default();
            every_case("archive", EVERYDAY, |rng| {
                clear(room);
                let altered = alter(&whole, rng);
                fs::write(&path, &altered).unwrap();
                let verified = ask(&path, "verify -o json");
                codes.count(verified.code);
                assert!(
                    matches!(verified.code, 0 | 6 | 13),
                    "verify: {} {}",
                    verified.code,
                    verified.err
                );
                for _ in 0..3 {
                    let question = rng.pick(QUESTIONS);
                    let ended = ask(&path, question);
                    let own = matches!(ended.code, 0 | 2 | 6)
                        || (question == "status" && ended.code == 12)
                        || (question.starts_with("assert") && matches!(ended.code, 10 | 11));
                    assert!(own, "{question}: {} {}", ended.code, ended.err);
                    if verified.code == 6 {
                        assert_eq!(ended.code, 6, "{question}: {}", ended.err);
                    }
                }
                if verified.code == 0 {
                    assert_eq!(shown(&path), before, "it is called whole");
                }
                let after = fs::read(&path).unwrap();
                assert!(after == altered, "somebody who only reads wrote");
            });
            println!("what `verify` said: {codes:?}");
        },
    );
}

/// Asks one question, within bounds.
fn ask(path: &Path, question: &str) -> room::Ended {
    let mut args: Vec<OsString> = vec!["--db".into(), path.into()];
    args.extend(question.split(' ').map(OsString::from));
    let began = Instant::now();
    let ended = run(&args, false);
    assert!(
        began.elapsed() < HANGS,
        "{question} took {:?}",
        began.elapsed()
    );
    ended
}

/// Everything that the archive shows, or how it fails to.
fn shown(path: &Path) -> Vec<(u8, Vec<u8>)> {
    let views = VIEWS.iter();
    let shown = views.map(|view| {
        let ended = ask(path, &format!("export {view} --format jsonl"));
        (ended.code, ended.out)
    });
    shown.collect()
}

fn alter(whole: &[u8], rng: &mut Rng) -> Vec<u8> {
    const PAGE: usize = 8_192;
    let mut bytes = whole.to_vec();
    let pages = bytes.len() / PAGE;
    let (one, other) = (rng.index(pages) * PAGE, rng.index(pages) * PAGE);
    match rng.below(12) {
        0 => bytes[one..one + PAGE].fill(0),
        1 => bytes.copy_within(one..one + PAGE, other),
        2 => bytes.truncate(rng.index(whole.len())),
        3 => bytes.truncate(one),
        // The header, and the schema behind it.
        4 => in_place(&mut bytes, 0, 100, rng),
        5 => in_place(&mut bytes, 100, PAGE - 100, rng),
        6 => mutate::bytes(&mut bytes, 2, &WORDS, rng),
        // The head of a page, where it says how it is to be read.
        7 | 8 => in_place(&mut bytes, one, 24, rng),
        _ => in_place(&mut bytes, one, PAGE, rng),
    }
    bytes
}

/// Changes some bytes in a stretch, and moves none.
fn in_place(bytes: &mut [u8], from: usize, length: usize, rng: &mut Rng) {
    for _ in 0..=rng.below(4) {
        let at = from + rng.index(length);
        if rng.one_in(3) {
            let word = rng.pick(WORDS);
            let end = bytes.len().min(at + word.len());
            bytes[at..end].copy_from_slice(&word[..end - at]);
        } else {
            bytes[at] ^= 1 << rng.below(8);
        }
    }
}
