//! A year of cron: a sync every quarter of an hour, a few of which fail each week, and a few outages that are longer.
//!
//! What nobody can watch for a year is shown here in minutes: that the archive ends with all that happened and one list of
//! gaps that are the outages, that the thousandth sync needs no more memory than the first, and how the file grows.

use super::{
    Ended, Plan, Setting, Simulation,
    server::Weather,
    world::{Count, Filtering, Manner, Order, Paging, World, time},
};
use crate::model::{
    coverage::{self, State, Window},
    time::{DAY, HOUR, MINUTE},
};
use crate::simulator::rng::Rng;
use crate::store::ledger::{self, Tried};
use crate::sync::{outcome::Outcome, plan::Rules, tests::support::RULES, writer::HERE};

const QUARTER: i64 = 15 * MINUTE;

const YEAR: i64 = 365 * DAY;

/// Three syncs a week.
const FAILS_ONE_IN: u64 = 224;

/// What a line of the ledger takes, with its indexes, and what a short record takes, in bytes; the README says so.
const LINE: u64 = 240;
const REVISION: u64 = 700;

/// A time in which no sync can succeed.
struct Outage {
    begins: i64,
    ends: i64,
    /// What the server says, or nothing where nobody asks.
    status: Option<u16>,
}

const fn outage(day: i64, hours: i64, status: Option<u16>) -> Outage {
    let begins = day * DAY;
    Outage {
        begins,
        ends: begins + hours * HOUR,
        status,
    }
}

const OUTAGES: [Outage; 4] = [
    outage(60, 48, Some(503)),
    // Shorter than the gap that is allowed.
    outage(100, 30, Some(503)),
    outage(150, 96, Some(401)),
    // The machine that runs cron is off.
    outage(250, 120, None),
];

const MANNER: Manner = Manner {
    order: Order::Newest,
    count: Count::Whole,
    list_count: Count::Whole,
    paging: Paging::Honest,
    page_cap: 1000,
    filtering: Filtering::Ignored,
    retention: Some(60 * DAY),
    lag: 0,
    stale_every: 0,
    skew: Some(0),
};

fn year() -> Simulation {
    let world = World::of(MANNER, 3, &mut Rng::new(1, "year", 0));
    Simulation::of(1, world, |address| Setting {
        address,
        page_size: 1000,
        concurrency: 1,
        // Lists this short are read whole each time, if they may.
        rules: Rules { small: 5, ..RULES },
        wall_skew: 0,
    })
}

/// What one sync of the year is told, and what it meets.
fn plan(status: Option<u16>, rng: &mut Rng) -> Plan {
    let fails = rng.one_in(FAILS_ONE_IN);
    let how = rng.below(3);
    Plan {
        named: Vec::new(),
        backfill: None,
        retries: 0,
        commits: (fails && how == 0).then_some(1),
        weather: Weather {
            fault_every: u64::from(fails && how == 1),
            killed_at: (fails && how == 2).then(|| 1 + rng.below(4)),
            outage: status,
            ..Weather::FAIR
        },
    }
}

/// What the process holds in memory, in bytes; nothing where the machine does not tell.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
#[ignore = "takes minutes; the gate runs it in release"]
fn a_year_of_cron_ends_with_all_that_happened_and_one_explained_list_of_gaps() {
    HERE.set(true);
    let mut simulation = year();
    let mut rng = Rng::new(1, "cron", 0);
    let (mut syncs, mut failed) = (0_u32, 0_u32);
    let mut sizes = Vec::new();
    let began = simulation.state.borrow().world.clock;
    while simulation.state.borrow().world.clock < began + YEAR {
        let now = {
            let mut state = simulation.state.borrow_mut();
            // Some four things a day happen.
            if rng.one_in(24) {
                state.world.live(&mut rng);
            }
            state.log.clear();
            state.world.clock - began
        };
        let mut outages = OUTAGES.iter();
        let outage = outages.find(|outage| outage.begins <= now && now < outage.ends);
        if outage.is_none_or(|outage| outage.status.is_some()) {
            let plan = plan(outage.and_then(|outage| outage.status), &mut rng);
            let ended = simulation.attempt(plan);
            let came =
                matches!(&ended, Ended::Came(summary) if summary.outcome == Outcome::Complete);
            failed += u32::from(!came);
            simulation.checker.note(&simulation.state.borrow());
            if syncs.is_multiple_of(2_000) {
                let held = (syncs, memory().unwrap_or(0), size(&simulation));
                println!(
                    "after {syncs} syncs {} bytes of memory, {} of archive",
                    held.1, held.2
                );
                sizes.push(held);
            }
            syncs += 1;
        }
        // Cron's clock does not wait for a sync.
        let state = &mut simulation.state.borrow_mut();
        let next = began + (now / QUARTER + 1) * QUARTER;
        let rest = next - state.world.clock;
        state.world.pass(rest);
    }
    println!("{syncs} syncs, {failed} of them failed");
    // Before the checks, which need memory of their own.
    flat(&sizes);
    simulation.check(&Ended::Killed, false);
    everything_is_there(&simulation);
    the_outages_are_the_gaps(&simulation, began);
    grows_by_the_walk(&simulation, &sizes);
}

fn size(simulation: &Simulation) -> u64 {
    std::fs::metadata(&simulation.place.path).map_or(0, |file| file.len())
}

/// Nothing was deleted but by age, so every task is in the archive, as it was last.
fn everything_is_there(simulation: &Simulation) {
    let state = simulation.state.borrow();
    let lives = i64::try_from(state.world.lives.len()).unwrap();
    assert!(lives > 500, "{lives} tasks in a year");
    assert_eq!(simulation.place.count("SELECT count(*) FROM tasks"), lives);
    let listed: usize = state
        .world
        .instances
        .iter()
        .map(|one| one.tasks.len())
        .sum();
    let there = "SELECT count(*) FROM tasks WHERE missing_since IS NULL";
    assert_eq!(
        usize::try_from(simulation.place.count(there)).unwrap(),
        listed
    );
    let removed = "SELECT count(*) FROM tasks WHERE missing_as = 'removed' AND missing_confirmed_at IS NOT NULL";
    assert_eq!(simulation.place.count(removed), 0, "they aged out");
}

fn the_outages_are_the_gaps(simulation: &Simulation, began: i64) {
    let archive = simulation.place.read();
    let rules = coverage::Rules {
        max_gap: coverage::MAX_GAP,
        settle: coverage::SETTLE,
    };
    let until = simulation.state.borrow().world.clock - DAY;
    let period = Window {
        since: Some(time(began + DAY)),
        until: Some(time(until)),
    };
    let around = ledger::Around::of(period, rules);
    for known in ledger::instances(&archive, &[], around).unwrap() {
        let spans = coverage::cover(&known.ledger, rules, period);
        let gaps: Vec<_> = spans
            .iter()
            .filter(|span| span.state == State::Gap)
            .collect();
        let told: Vec<_> = gaps
            .iter()
            .map(|gap| ledger::tried(&archive, &known, gap.window).unwrap())
            .collect();
        let outages = OUTAGES
            .iter()
            .filter(|one| one.ends - one.begins > rules.max_gap);
        let outages: Vec<_> = outages.collect();
        assert_eq!(gaps.len(), outages.len(), "{gaps:?}");
        for ((gap, outage), tried) in gaps.iter().zip(outages).zip(told) {
            let (since, until) = (gap.window.since.unwrap(), gap.window.until.unwrap());
            // The last sync before it and the first after it may be one that fails.
            let early = time(began + outage.begins - 3 * QUARTER)..=time(began + outage.begins);
            let late = time(began + outage.ends)..=time(began + outage.ends + 2 * QUARTER);
            assert!(early.contains(&since) && late.contains(&until), "{gap:?}");
            match outage.status {
                Some(_) => assert!(!matches!(tried, Tried::Nothing), "{gap:?}"),
                None => assert_eq!(tried, Tried::Nothing, "{gap:?}"),
            }
        }
        assert!(spans.iter().all(|span| span.state != State::Inherited));
    }
}

/// The last syncs hold no more than the early ones, but for the world and what was shown of it, which this test remembers.
fn flat(sizes: &[(u32, u64, u64)]) {
    let (first, last) = (sizes[1].1, sizes[sizes.len() - 1].1);
    assert!(
        last < first + 4 * 1024 * 1024,
        "memory went from {first} to {last} bytes"
    );
}

/// The README says what a walk, a sync and a record add.
fn grows_by_the_walk(simulation: &Simulation, sizes: &[(u32, u64, u64)]) {
    let count = |view: &str| {
        let rows = simulation
            .place
            .count(&format!("SELECT count(*) FROM {view}"));
        u64::try_from(rows).unwrap()
    };
    let lines = count("walks") + count("syncs");
    let revisions = count("task_revisions");
    let grown = size(simulation) - sizes[0].2;
    println!(
        "{lines} lines of the ledger and {revisions} revisions made the file {grown} bytes larger"
    );
    assert!(grown < lines * LINE + revisions * REVISION);
}
