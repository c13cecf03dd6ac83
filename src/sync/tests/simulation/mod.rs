//! Whole years of syncs from one seed: a world, a server with its manner, faults, kills, and after every sync the promises.
//!
//! One number makes everything: which instances and tasks there are and how they change before and during syncs, how the
//! server lists and counts them, what goes wrong on the way, when the program is killed or its disk is full, and what each
//! sync is told to do. After each sync the archive is held against the world's truth ([`check`]).
//!
//! `DCS_HISTORY_SEEDS=100000` runs so many seeds, `DCS_HISTORY_SEED=4711` replays one and prints what happened.

mod check;
mod server;
mod world;
mod year;

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tokio::{net::TcpListener, runtime::Runtime, sync::Notify, task::LocalSet};

use self::{
    check::Checker,
    server::{State, Weather},
    world::{Count, Filtering, Life, Manner, Order, Paging, World, time},
};
use super::support::{Place, Run};
use crate::api::client::{Filter, StartParameter};
use crate::model::time::{DAY, HOUR, MINUTE};
use crate::simulator::rng::Rng;
use crate::sync::{
    Refusal, Summary,
    plan::{Mode, Rules},
    writer::HERE,
};

fn manner(rng: &mut Rng) -> Manner {
    let count = |rng: &mut Rng| match rng.below(16) {
        0..=6 => Count::Whole,
        7..=8 => Count::Page,
        9 => Count::Remaining,
        10..=11 => Count::Absent,
        12 => Count::Text,
        13 => Count::Capped(1 + rng.index(12)),
        14 => rng.pick([Count::TooHigh, Count::TooLow]),
        _ => Count::Constant,
    };
    let filtering = match rng.below(8) {
        0..=2 => Filtering::OnCreated,
        3 => Filtering::OnUpdated,
        4..=5 => Filtering::Ignored,
        6 => Filtering::Refused,
        _ => Filtering::Hides(rng.between(5, 90) * HOUR),
    };
    // A list that hides records is told by its count alone: where that tells nothing, nobody can know.
    let task_count = match filtering {
        Filtering::Hides(_) => Count::Whole,
        _ => count(rng),
    };
    let list_count = count(rng);
    // Nor where a server shows the beginning of a list alone, whatever is asked for, and counts just that.
    let agrees = |count| matches!(count, Count::Capped(_) | Count::Constant | Count::TooLow);
    Manner {
        order: rng.pick([
            Order::Newest,
            Order::Newest,
            Order::Newest,
            Order::Shuffled,
            Order::Oldest,
            Order::LastUpdated,
        ]),
        count: task_count,
        list_count,
        paging: match rng.below(10) {
            0 => Paging::IgnoresLimit,
            1 if !agrees(task_count) && !agrees(list_count) => Paging::IgnoresOffset,
            2 => Paging::StartsOver,
            3 => Paging::Refuses(rng.pick([10, 100])),
            _ => Paging::Honest,
        },
        page_cap: rng.pick([1, 2, 3, 4, 5, 6, 1000, 1000]),
        filtering,
        retention: rng.one_in(4).then_some(150 * HOUR),
        lag: rng.pick([0, 0, 10 * MINUTE, 40 * MINUTE]),
        stale_every: rng.pick([0, 0, 0, 2, 3]),
        skew: rng.pick([
            Some(0),
            Some(0),
            Some(0),
            Some(3 * DAY),
            Some(-3 * DAY),
            None,
        ]),
    }
}

/// What stays the same in all syncs of a seed.
#[derive(Debug)]
struct Setting {
    address: String,
    page_size: u32,
    concurrency: u32,
    rules: Rules,
    /// What this machine's clock is off by.
    wall_skew: i64,
}

impl Setting {
    /// Whether every clock that a sync may go by is past the times of the records.
    fn times_tell(&self, state: &State) -> bool {
        let server = state.world.manner.skew.unwrap_or(self.wall_skew);
        server.min(self.wall_skew) >= 0
    }

    /// Whether the only clock is so far behind that it never passes the times of the records.
    fn is_lost(&self, state: &State) -> bool {
        state.world.manner.skew.is_none() && self.wall_skew < 0
    }
}

fn setting(address: String, is_dated: bool, rng: &mut Rng) -> Setting {
    let rules = Rules {
        mode: if rng.one_in(4) {
            Mode::Full
        } else {
            Mode::Auto
        },
        overlap: rng.pick([0, MINUTE, DAY]),
        full_every: rng.pick([None, Some(20 * HOUR), Some(20 * HOUR)]),
        small: rng.below(3),
        spare: rng.below(4),
    };
    Setting {
        address,
        page_size: rng.pick([2, 3, 4, 5, 8, 1000]),
        concurrency: rng.pick([1, 1, 4, 8]),
        rules,
        // Virtual time goes on while a sync runs, and this machine's clock does not notice. Where it is the only one, it is
        // ahead, or all that happens during a sync would seem to lie in the future.
        wall_skew: if is_dated {
            rng.pick([0, 0, 5 * HOUR, -20 * 365 * DAY, 20 * 365 * DAY])
        } else {
            rng.pick([5 * HOUR, -20 * 365 * DAY, 20 * 365 * DAY])
        },
    }
}

/// What one sync is told to do, and how it ends if it is not let.
struct Plan {
    named: Vec<String>,
    backfill: Option<Filter>,
    retries: u32,
    commits: Option<u32>,
    weather: Weather,
}

fn plan(state: &State, rng: &mut Rng) -> Plan {
    let known: Vec<String> = state
        .world
        .instances
        .iter()
        .map(|instance| instance.id.clone())
        .collect();
    let named = if rng.one_in(4) {
        known.into_iter().filter(|_| rng.one_in(2)).collect()
    } else {
        Vec::new()
    };
    let backfill = rng.one_in(16).then(|| Filter {
        parameter: rng.pick([StartParameter::StartTime, StartParameter::BeginTime]),
        start: Some(time(state.world.clock - rng.between(1, 100) * HOUR)),
        end: rng.one_in(2).then(|| time(state.world.clock)),
    });
    Plan {
        named,
        backfill,
        retries: rng.pick([0, 2, 3]),
        commits: rng
            .one_in(8)
            .then(|| u32::try_from(rng.below(6)).unwrap_or(0)),
        weather: Weather {
            fault_every: rng.pick([0, 0, 0, 20, 5, 2]),
            change_every: rng.pick([0, 0, 2, 4, 8]),
            lag: rng.between(0, state.world.manner.lag.max(0)) * i64::from(rng.one_in(2)),
            killed_at: rng.one_in(6).then(|| 1 + rng.below(12)),
            outage: None,
        },
    }
}

/// One world, its server, and the archive that it is read into.
struct Simulation {
    seed: u64,
    runtime: Runtime,
    local: LocalSet,
    state: Rc<RefCell<State>>,
    kill: Rc<Notify>,
    place: Place,
    setting: Setting,
    checker: Checker,
}

/// How a sync ended.
enum Ended {
    Came(Box<Summary>),
    Killed,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "world", 0);
        let manner = manner(&mut rng);
        let world = World::new(manner, &mut rng);
        Self::of(seed, world, |address| {
            setting(address, manner.skew.is_some(), &mut rng)
        })
    }

    fn of(seed: u64, world: World, setting: impl FnOnce(String) -> Setting) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let state = State::new(world, Rng::new(seed, "events", 0));
        let state = Rc::new(RefCell::new(state));
        let kill = Rc::new(Notify::new());
        let local = LocalSet::new();
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port of this machine");
        let address = format!("http://{}", listener.local_addr().unwrap());
        local.spawn_local(server::serve(listener, Rc::clone(&state), Rc::clone(&kill)));
        Self {
            seed,
            runtime,
            local,
            state,
            kill,
            place: Place::new(),
            setting: setting(address),
            checker: Checker::default(),
        }
    }

    fn run(&mut self) {
        let mut rng = Rng::new(self.seed, "syncs", 0);
        for _ in 0..rng.between(2, 8) {
            let hours = rng.pick([0, 0, 1, 6, 20, 30, 60]);
            {
                let mut state = self.state.borrow_mut();
                for _ in 0..rng.below(8) {
                    state.world.act(&mut rng);
                }
                state.world.pass(hours * HOUR);
            }
            let plan = plan(&self.state.borrow(), &mut rng);
            self.sync(plan);
        }
        self.rest();
    }

    /// Syncs of a world at rest: soon nothing is new, and what can be proven is.
    fn rest(&mut self) {
        {
            let mut state = self.state.borrow_mut();
            state.world.manner.retention = None;
            state.world.manner.stale_every = 0;
        }
        let mut seen = Vec::new();
        for _ in 0..5 {
            self.state.borrow_mut().world.pass(30 * HOUR);
            let ended = self.sync(Plan {
                named: Vec::new(),
                backfill: None,
                retries: 3,
                commits: None,
                weather: Weather::FAIR,
            });
            let Ended::Came(summary) = ended else {
                unreachable!("nobody kills a sync of a world at rest")
            };
            seen.push((check::holdings(&self.place), summary));
        }
        // Where those of one moment change their places from page to page, some come late; and where no full walk is ever
        // due, so does an old record that showed up as another was deleted.
        let may_come_late = {
            let world = &self.state.borrow().world;
            world.manner.order == Order::Shuffled
                || self.setting.rules.full_every.is_none() && world.lives.iter().any(Life::is_late)
        };
        // The clock goes on, and what gets older than a window shows it: it is journalled, and the hidden come to light.
        let [_, drift_before, ..] = seen[2].0;
        let [_, drift_after, ..] = seen[4].0;
        let found_the_window = drift_before != drift_after
            && matches!(
                self.state.borrow().world.manner.filtering,
                Filtering::Hides(_)
            );
        assert!(
            may_come_late || found_the_window || seen[2].0 == seen[4].0,
            "a sync of a world at rest is not idempotent: {:?} and then {:?}",
            seen[2].0,
            seen[4].0
        );
        let summary = &seen[4].1;
        check::at_rest(&self.place, &self.state.borrow(), summary, &self.setting);
    }

    /// Syncs, and checks the promises.
    fn sync(&mut self, plan: Plan) -> Ended {
        let is_backfill = plan.backfill.is_some();
        let ended = self.attempt(plan);
        self.check(&ended, is_backfill);
        ended
    }

    fn check(&mut self, ended: &Ended, is_backfill: bool) {
        let summary = match ended {
            Ended::Came(summary) => Some(&**summary),
            Ended::Killed => None,
        };
        let state = self.state.borrow();
        self.checker
            .after(&self.place, &state, summary, &self.setting, is_backfill);
    }

    fn attempt(&self, plan: Plan) -> Ended {
        let setting = &self.setting;
        let (wall, token) = {
            let mut state = self.state.borrow_mut();
            let line = format!(
                "sync at {} of {:?}: backfill {:?}, retries {}, commits {:?}, faults {}, changes {}, lag {}, killed {:?}",
                time(state.world.clock),
                plan.named,
                plan.backfill,
                plan.retries,
                plan.commits,
                plan.weather.fault_every,
                plan.weather.change_every,
                plan.weather.lag,
                plan.weather.killed_at,
            );
            state.log.push(line);
            state.begin(plan.weather);
            let wall = time(state.world.clock + setting.wall_skew);
            (wall, state.token.clone())
        };
        let named: Vec<&str> = plan.named.iter().map(String::as_str).collect();
        let run = Run {
            token: &token,
            page_size: setting.page_size,
            concurrency: setting.concurrency,
            rules: setting.rules,
            instances: &named,
            backfill: plan.backfill,
            wall,
            retries: plan.retries,
            timeout: Duration::from_secs(1),
            commits: plan.commits,
            ..Run::of(&setting.address)
        };
        let place = &self.place;
        let kill = Rc::clone(&self.kill);
        let work = async {
            tokio::select! {
                biased;
                () = kill.notified() => None,
                ended = run.work(place) => Some(ended),
            }
        };
        let ended = self.runtime.block_on(self.local.run_until(work));
        // A sync that ended on its own just before it was to be killed leaves the word for the next.
        let _late = self.kill.notified().now_or_never();
        let ended = match ended {
            None => Ended::Killed,
            Some(Ok(summary)) => Ended::Came(Box::new(summary)),
            Some(Err(Refusal::Store(_))) if plan.commits.is_some() => Ended::Killed,
            Some(Err(refusal)) => panic!("{refusal}"),
        };
        if let Ended::Came(summary) = &ended {
            let mut state = self.state.borrow_mut();
            state.log.push(format!("{summary:?}"));
        }
        ended
    }
}

/// How many seeds an everyday run of the tests tries; the gate goes on for two minutes.
const EVERYDAY: u64 = 60;

fn variable(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no command line to declare it on"
    )]
    let value = std::env::var(name).ok();
    value.map(|text| text.parse().expect("a number"))
}

/// Runs a seed, and says which promise it broke.
fn run(seed: u64, tells: bool) -> Result<(), String> {
    HERE.set(true);
    let mut simulation = Simulation::new(seed);
    let state = Rc::clone(&simulation.state);
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simulation.run()));
    if tells {
        println!("{:?}", state.borrow().world.manner);
        println!("{:?}", simulation.setting);
        for line in &state.borrow().log {
            println!("{line}");
        }
    }
    ran.map_err(|broken| {
        let text = broken.downcast_ref::<String>().cloned();
        let text = text.or_else(|| broken.downcast_ref().map(|text: &&str| (*text).to_owned()));
        format!(
            "seed {seed} (replay it with DCS_HISTORY_SEED={seed}): {}",
            text.unwrap_or_default()
        )
    })
}

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = variable("DCS_HISTORY_SEED") {
        return run(seed, true).unwrap();
    }
    let first = variable("DCS_HISTORY_FIRST_SEED").unwrap_or(1);
    let seconds = variable("DCS_HISTORY_SEED_SECONDS");
    let seeds = match (variable("DCS_HISTORY_SEEDS"), seconds) {
        (Some(seeds), _) => seeds,
        (None, Some(_)) => u64::MAX / 2,
        (None, None) => EVERYDAY,
    };
    let began = Instant::now();
    let mut broken = Vec::new();
    let mut ran = 0;
    while ran < seeds && broken.len() < 20 {
        broken.extend(run(first + ran, false).err());
        ran += 1;
        if seconds.is_some_and(|seconds| began.elapsed().as_secs() >= seconds) {
            break;
        }
    }
    println!("{ran} seeds from {first} on, {} broken", broken.len());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
