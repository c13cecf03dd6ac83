//! Fuzz tests: what comes in from outside, made wrong in every way that a number can make it, against promises that hold
//! for any input.
//!
//! One seed makes one case, the same on every machine. A plain run of the tests tries a few hundred of each target;
//! `DCS_HISTORY_FUZZ_SECONDS=60` goes on for that long, from `DCS_HISTORY_FUZZ_FIRST_SEED` on, and a case that breaks a
//! promise says how to replay it: `DCS_HISTORY_FUZZ_SEED=4711 cargo test --lib fuzz::page`.
//!
//! A target is a file with one test that calls [`every_case`], and a line below.

mod archive;
mod arguments;
mod csv;
mod html;
mod mutate;
mod page;
mod room;
mod terminal;
mod times;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::simulator::rng::Rng;

/// What a target tells of a case when it is replayed.
type Broken = String;

/// A number of a variable.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to declare it on"
)]
fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok();
    value.map(|text| text.parse().expect("a number"))
}

/// Runs one case of a target after the other: so many in an everyday run, or for as long as the variables say.
///
/// A case panics if a promise is broken. The first one ends the run: what follows it would bury how to replay it.
fn every_case(target: &str, everyday: u64, case: impl Fn(&mut Rng)) {
    if let Some(seed) = variable("DCS_HISTORY_FUZZ_SEED") {
        room::note(seed);
        return case(&mut Rng::new(seed, target, 0));
    }
    let first = variable("DCS_HISTORY_FUZZ_FIRST_SEED").unwrap_or(1);
    let seconds = variable("DCS_HISTORY_FUZZ_SECONDS");
    let began = Instant::now();
    let mut tried = 0;
    while seconds.map_or(tried < everyday, |seconds| {
        began.elapsed().as_secs() < seconds
    }) {
        let seed = first + tried;
        tried += 1;
        room::note(seed);
        if let Err(broken) = tried_once(&case, target, seed) {
            panic!(
                "{broken}\nreplay it with DCS_HISTORY_FUZZ_SEED={seed} cargo test --lib fuzz::{target}"
            );
        }
    }
    println!("{target}: {tried} cases from {first} on, none broken");
}

fn tried_once(case: &impl Fn(&mut Rng), target: &str, seed: u64) -> Result<(), Broken> {
    let tried = catch_unwind(AssertUnwindSafe(|| case(&mut Rng::new(seed, target, 0))));
    tried.map_err(|broken| {
        let text = broken.downcast_ref::<String>().cloned();
        let text = text.or_else(|| broken.downcast_ref().map(|text: &&str| (*text).to_owned()));
        text.unwrap_or_default()
    })
}

#[test]
fn a_seed_makes_the_same_case_and_a_broken_one_is_told() {
    let draw = |seed| {
        let mut drawn = 0;
        let case = std::cell::RefCell::new(&mut drawn);
        tried_once(
            &|rng: &mut Rng| **case.borrow_mut() = rng.draw(),
            "page",
            seed,
        )
        .unwrap();
        drawn
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
    let broken = tried_once(
        &|rng: &mut Rng| assert!(rng.draw() == 0, "it is not"),
        "page",
        1,
    );
    assert_eq!(broken.unwrap_err(), "it is not");
}
