//! Any world against a model that is obviously right.
//!
//! A world is a list that creations, updates and deletions change between and during syncs, behind a server with some page
//! cap, order and meaning of `task_count`. The model is a set of what was served and of what was there throughout. After
//! every sync: what was served is in the history, nothing else is, nothing went back, and a sync that calls itself complete
//! has everything that was there throughout it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock},
};

use proptest::prelude::*;

use super::{
    fake::{Asked, Fake, Reply},
    support::{Place, Run},
};
use crate::model::time::{HOUR, MINUTE, Timestamp};
use crate::sync::outcome::Outcome;
use crate::sync::plan::{Mode, Rules};

/// One change of the world. Numbers choose a task among those there.
#[derive(Clone, Copy, Debug)]
enum Op {
    Create,
    /// A task that began long ago shows only now.
    CreateOld,
    Update(u8),
    Finish(u8),
    Delete(u8),
    DeleteOldest,
    /// One goes and an old one comes in the same moment, so that the count stays.
    Exchange(u8),
}

/// What comes first in the list.
#[derive(Clone, Copy, Debug)]
enum Order {
    Newest,
    Oldest,
    LastUpdated,
}

/// What `task_count` says.
#[derive(Clone, Copy, Debug)]
enum Count {
    Whole,
    Page,
    Remaining,
    Absent,
    Text,
    Capped(usize),
    TooHigh,
    TooLow,
    Constant,
}

#[derive(Clone, Debug)]
struct World {
    order: Order,
    count: Count,
    page_cap: usize,
    page_size: u32,
    rules: Rules,
    /// Pages under way at once.
    concurrency: u32,
    ignores_limit: bool,
    at_first: usize,
    /// Every so manieth answer comes from a copy that lags by one version of each task; 0 for none.
    lag_every: usize,
    /// For each sync: what happens before it, hours that pass, and what happens before its k-th request.
    syncs: Vec<(Vec<Op>, u8, Vec<Vec<Op>>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Task {
    id: u32,
    created: i64,
    updated: i64,
    is_final: bool,
    version: u32,
}

impl Task {
    fn json(&self) -> String {
        let (created, updated) = (time(self.created), time(self.updated));
        let status = if self.is_final {
            "SUCCESS"
        } else {
            "EXECUTING"
        };
        let version = self.version;
        format!(
            r#"{{"id":"t{:04}","name":"EXTEND","details":{{"new_capacity":"{version}"}},"status":"{status}","created_at":"{created}","updated_at":"{updated}"}}"#,
            self.id
        )
    }
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis).unwrap()
}

/// The world under way, and what a model must know of it.
struct State {
    world: World,
    tasks: Vec<Task>,
    /// What a lagging copy still shows.
    older: BTreeMap<u32, Task>,
    answers: usize,
    clock: i64,
    next_id: u32,
    pending: Vec<Vec<Op>>,
    /// Everything ever served: id and text.
    served: BTreeSet<(String, String)>,
    /// Every text that a task had during this sync.
    during: BTreeMap<u32, BTreeSet<String>>,
    /// Tasks there since this sync began.
    throughout: BTreeSet<u32>,
    /// Tasks that showed long after they began.
    late: BTreeSet<u32>,
}

impl State {
    fn new(world: &World) -> Self {
        let mut state = Self {
            world: world.clone(),
            tasks: Vec::new(),
            older: BTreeMap::new(),
            answers: 0,
            clock: 0,
            next_id: 0,
            pending: Vec::new(),
            served: BTreeSet::new(),
            during: BTreeMap::new(),
            throughout: BTreeSet::new(),
            late: BTreeSet::new(),
        };
        for _ in 0..world.at_first {
            state.act(Op::Create);
        }
        state
    }

    fn act(&mut self, op: Op) {
        self.clock += MINUTE;
        let (now, count) = (self.clock, self.tasks.len());
        let pick = |number: u8| (count > 0).then(|| usize::from(number) % count.max(1));
        match op {
            Op::Create | Op::CreateOld => {
                let created = if matches!(op, Op::Create) {
                    now
                } else {
                    self.late.insert(self.next_id);
                    now - 100 * HOUR
                };
                self.tasks.push(Task {
                    id: self.next_id,
                    created,
                    updated: now,
                    is_final: false,
                    version: 0,
                });
                self.next_id += 1;
            }
            Op::Update(number) | Op::Finish(number) => {
                let Some(index) = pick(number) else { return };
                let task = &mut self.tasks[index];
                self.older.insert(task.id, task.clone());
                task.updated = now;
                task.version += 1;
                task.is_final |= matches!(op, Op::Finish(_));
            }
            Op::Delete(number) => {
                let Some(index) = pick(number) else { return };
                self.throughout.remove(&self.tasks.remove(index).id);
            }
            Op::Exchange(number) => {
                self.act(Op::Delete(number));
                self.act(Op::CreateOld);
            }
            Op::DeleteOldest => {
                let Some(oldest) = self
                    .tasks
                    .iter()
                    .min_by_key(|task| (task.created, task.id))
                    .cloned()
                else {
                    return;
                };
                self.tasks.retain(|task| task.id != oldest.id);
                self.throughout.remove(&oldest.id);
            }
        }
        self.note();
    }

    fn note(&mut self) {
        for task in &self.tasks {
            self.during.entry(task.id).or_default().insert(task.json());
        }
    }

    fn begin_sync(&mut self, during: Vec<Vec<Op>>) {
        self.pending = during;
        self.pending.reverse();
        self.during.clear();
        self.throughout = self.tasks.iter().map(|task| task.id).collect();
        self.note();
    }

    fn listed(&self) -> Vec<Task> {
        let mut tasks = self.tasks.clone();
        match self.world.order {
            Order::Newest => tasks.sort_by_key(|task| (-task.created, task.id)),
            Order::Oldest => tasks.sort_by_key(|task| (task.created, task.id)),
            Order::LastUpdated => tasks.sort_by_key(|task| (-task.updated, task.id)),
        }
        tasks
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        for op in self.pending.pop().unwrap_or_default() {
            self.act(op);
        }
        let listed = self.listed();
        let limit = if self.world.ignores_limit {
            usize::MAX
        } else {
            asked.limit
        };
        let shown: Vec<Task> = listed
            .iter()
            .skip(asked.offset)
            .take(limit.min(self.world.page_cap))
            .cloned()
            .collect();
        self.answers += 1;
        let lags = self.world.lag_every > 0 && self.answers.is_multiple_of(self.world.lag_every);
        let shown: Vec<Task> = shown
            .into_iter()
            .map(|task| {
                self.older
                    .get(&task.id)
                    .filter(|_| lags)
                    .cloned()
                    .unwrap_or(task)
            })
            .collect();
        for task in &shown {
            // What a copy showed during the sync may be what the sync has.
            self.during.entry(task.id).or_default().insert(task.json());
            self.served
                .insert((format!("t{:04}", task.id), task.json()));
        }
        let all = listed.len();
        let count = match self.world.count {
            Count::Whole => format!(r#""task_count":{all},"#),
            Count::Page => format!(r#""task_count":{},"#, shown.len()),
            Count::Remaining => format!(r#""task_count":{},"#, all.saturating_sub(asked.offset)),
            Count::Absent => String::new(),
            Count::Text => format!(r#""task_count":"{all}","#),
            Count::Capped(cap) => format!(r#""task_count":{},"#, all.min(cap)),
            Count::TooHigh => format!(r#""task_count":{},"#, all + 3),
            Count::TooLow => format!(r#""task_count":{},"#, all.saturating_sub(1)),
            Count::Constant => r#""task_count":7,"#.to_owned(),
        };
        let rows: Vec<String> = shown.iter().map(Task::json).collect();
        Reply::ok(
            format!(r#"{{{count}"tasks":[{}]}}"#, rows.join(",")),
            time(self.clock),
        )
    }
}

/// One server for all cases: a listener a case would run the machine out of ports.
fn fake() -> &'static Fake {
    static FAKE: OnceLock<Fake> = OnceLock::new();
    FAKE.get_or_init(Fake::start)
}

fn check(world: &World) -> Result<(), TestCaseError> {
    let place = Place::new();
    let state = Arc::new(Mutex::new(State::new(world)));
    let shared = Arc::clone(&state);
    let fake = fake();
    fake.answer_with(Box::new(move |asked| shared.lock().unwrap().answer(asked)));
    for (before, hours, during) in &world.syncs {
        {
            let mut state = state.lock().unwrap();
            for op in before {
                state.act(*op);
            }
            state.clock += i64::from(*hours) * HOUR;
            state.begin_sync(during.clone());
        }
        let wall = time(state.lock().unwrap().clock);
        let summary = run(fake, world, wall).sync(&place).unwrap();
        prop_assert!(
            summary.stopped.is_none() && summary.failures.is_empty(),
            "{summary:?}"
        );
        compare(
            &place,
            &state.lock().unwrap(),
            summary.outcome == Outcome::Complete,
        )?;
    }
    quiet(fake, &place, &state, world)
}

fn run(fake: &'static Fake, world: &World, wall: Timestamp) -> Run<'static> {
    Run {
        page_size: world.page_size,
        concurrency: world.concurrency,
        rules: world.rules,
        wall,
        ..Run::of(&fake.address)
    }
}

/// Compares the archive with the model after a sync.
fn compare(place: &Place, state: &State, complete: bool) -> Result<(), TestCaseError> {
    let archive = place.read();
    let rows = |sql: &str| -> BTreeSet<(String, String)> {
        let mut statement = archive.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    };
    let history = rows("SELECT task_id, raw FROM task_revisions");
    prop_assert_eq!(
        &history,
        &state.served,
        "the history is what was served, no less and no more"
    );
    let current: BTreeMap<String, String> =
        rows("SELECT task_id, raw FROM task_revisions WHERE is_current")
            .into_iter()
            .collect();
    for (id, raw) in &current {
        // Versions grow with time in these worlds, so the newest one served must be the current one.
        let newest = state
            .served
            .iter()
            .filter(|(served, _)| served == id)
            .max_by_key(|(_, raw)| version(raw));
        prop_assert_eq!(
            newest.map(|(_, raw)| version(raw)),
            Some(version(raw)),
            "{} went back",
            id
        );
    }
    let missing = rows("SELECT task_id, missing_since FROM tasks WHERE missing_since IS NOT NULL");
    let caught_up = place
        .text("SELECT kind FROM walks ORDER BY walk_id DESC LIMIT 1")
        .as_deref()
        == Some("incremental");
    // What an incremental walk leaves to the full one: what is final, or has shown nothing new for a week.
    let left = rows(
        "SELECT task_id, raw FROM task_revisions r WHERE is_current AND (status = 'SUCCESS' OR
           (SELECT max(observed_at) FROM task_revisions n WHERE n.task_key = r.task_key)
           <= strftime('%Y-%m-%dT%H:%M:%fZ', (SELECT finished_at FROM walks ORDER BY walk_id DESC LIMIT 1), '-7 days'))",
    );
    let left: BTreeSet<&String> = left.iter().map(|(id, _)| id).collect();
    for id in state.throughout.iter().filter(|_| complete) {
        let name = format!("t{id:04}");
        let Some(raw) = current.get(&name) else {
            // An old record that came late and that a deletion balanced is the one thing that a count cannot show.
            prop_assert!(
                caught_up && state.late.contains(id),
                "complete, and {} is not there",
                name
            );
            continue;
        };
        prop_assert!(
            state.during[id].contains(raw) || caught_up && left.contains(&name),
            "complete, and {} is stale",
            name
        );
        prop_assert!(
            !missing.iter().any(|(id, _)| *id == name),
            "{} is there and called missing",
            name
        );
    }
    let there: BTreeSet<String> = state
        .tasks
        .iter()
        .map(|task| format!("t{:04}", task.id))
        .collect();
    let confirmed =
        rows("SELECT task_id, missing_as FROM tasks WHERE missing_confirmed_at IS NOT NULL");
    for (id, _) in &confirmed {
        prop_assert!(!there.contains(id), "{} is there and confirmed missing", id);
    }
    counters_match_rows(&archive)
}

fn version(raw: &str) -> u32 {
    let (_, rest) = raw.split_once(r#""new_capacity":""#).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

fn counters_match_rows(archive: &rusqlite::Connection) -> Result<(), TestCaseError> {
    let wrong: i64 = archive
        .query_row(
            "SELECT count(*) FROM instance i WHERE (tasks, open_tasks, missing_tasks, confirmed_tasks) IS NOT (
               SELECT count(*), coalesce(sum(is_open), 0), count(missing_walk), count(confirmed_walk)
               FROM task t WHERE t.instance_key = i.instance_key)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    prop_assert_eq!(
        wrong,
        0,
        "the counters of an instance are not those of its rows"
    );
    let pending: i64 = archive
        .query_row(
            "SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM pending_task)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    prop_assert_eq!(pending, 0, "something is pending after a sync");
    Ok(())
}

/// Two syncs of a world at rest: the second adds nothing but its own lines, and what is gone ends up missing.
fn quiet(
    fake: &'static Fake,
    place: &Place,
    state: &Mutex<State>,
    world: &World,
) -> Result<(), TestCaseError> {
    let mut revisions = Vec::new();
    let mut complete = true;
    state.lock().unwrap().world.lag_every = 0;
    for _ in 0..4 {
        {
            let mut state = state.lock().unwrap();
            state.clock += 30 * HOUR;
            state.begin_sync(Vec::new());
        }
        let wall = time(state.lock().unwrap().clock);
        let summary = run(fake, world, wall).sync(place).unwrap();
        complete &= summary.outcome == Outcome::Complete;
        compare(
            place,
            &state.lock().unwrap(),
            summary.outcome == Outcome::Complete,
        )?;
        revisions.push((
            place.count("SELECT count(*) FROM task_revisions"),
            place.count("SELECT count(*) FROM drift"),
            place.count("SELECT count(*) FROM tasks WHERE is_final"),
        ));
    }
    prop_assert_eq!(
        revisions[1],
        revisions[3],
        "a sync of a world at rest is not idempotent"
    );
    let state = state.lock().unwrap();
    if complete
        && !matches!(
            state.world.count,
            Count::Constant | Count::Capped(_) | Count::TooLow | Count::TooHigh
        )
    {
        let known = place.count("SELECT count(*) FROM tasks");
        // Only another full walk confirms.
        let confirms = world.rules.mode == Mode::Full || world.rules.full_every.is_some();
        let missing = place.count(if confirms {
            "SELECT count(*) FROM tasks WHERE missing_confirmed_at IS NOT NULL"
        } else {
            "SELECT count(*) FROM tasks WHERE missing_since IS NOT NULL"
        });
        prop_assert_eq!(
            known - missing,
            i64::try_from(state.tasks.len()).unwrap(),
            "what is gone is called missing"
        );
    }
    Ok(())
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => Just(Op::Create),
        1 => Just(Op::CreateOld),
        2 => any::<u8>().prop_map(Op::Update),
        2 => any::<u8>().prop_map(Op::Finish),
        3 => any::<u8>().prop_map(Op::Delete),
        1 => Just(Op::DeleteOldest),
        2 => any::<u8>().prop_map(Op::Exchange),
    ]
}

const FULL: Rules = Rules {
    mode: Mode::Full,
    overlap: 0,
    full_every: None,
    small: 0,
    spare: 0,
};

/// The everyday walk with a shallow margin, where it has the most to find, and the full one.
fn rules() -> impl Strategy<Value = Rules> {
    let overlap = prop_oneof![Just(0), Just(MINUTE), Just(24 * HOUR)];
    let full_every = prop_oneof![2 => Just(None), 1 => Just(Some(20 * HOUR))];
    let auto = (overlap, full_every, 0..3_u64, 0..4_u64).prop_map(
        |(overlap, full_every, small, spare)| Rules {
            mode: Mode::Auto,
            overlap,
            full_every,
            small,
            spare,
        },
    );
    prop_oneof![1 => Just(FULL), 3 => auto]
}

fn world() -> impl Strategy<Value = World> {
    let order = prop_oneof![
        Just(Order::Newest),
        Just(Order::Oldest),
        Just(Order::LastUpdated)
    ];
    let count = prop_oneof![
        4 => Just(Count::Whole),
        2 => Just(Count::Page),
        1 => Just(Count::Remaining),
        2 => Just(Count::Absent),
        1 => Just(Count::Text),
        1 => (1..12_usize).prop_map(Count::Capped),
        1 => Just(Count::TooHigh),
        1 => Just(Count::TooLow),
        1 => Just(Count::Constant),
    ];
    // At most two changes between two requests: with three, a list ordered by update can hide a move from every seam and
    // every count, which the rules leave to the next walk.
    let between = prop::collection::vec(op(), 0..=2);
    let during = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(between, 0..12)];
    let sync = (
        prop::collection::vec(op(), 0..6),
        prop_oneof![Just(0_u8), 0..60_u8],
        during,
    );
    let server = (
        order,
        count,
        1..8_usize,
        2..9_u32,
        any::<bool>(),
        prop_oneof![2 => Just(0), 1 => 2..5_usize],
        rules(),
        prop_oneof![2 => Just(1_u32), 1 => Just(4)],
    );
    (server, 0..18_usize, prop::collection::vec(sync, 1..4)).prop_map(
        |(
            (order, count, page_cap, page_size, ignores_limit, lag_every, rules, concurrency),
            at_first,
            syncs,
        )| World {
            order,
            count,
            page_cap: if page_cap == 7 { 1000 } else { page_cap },
            page_size,
            rules,
            concurrency,
            ignores_limit: ignores_limit && page_cap == 6,
            at_first,
            lag_every,
            syncs,
        },
    )
}

/// A world that was once archived wrongly: its count is one too low, and a record moves from the end of the list to its
/// beginning while it is read. What the second page shows is known, and what it would have shown has moved to the first.
fn a_move_behind_a_wrong_count() -> World {
    World {
        order: Order::LastUpdated,
        count: Count::TooLow,
        page_cap: 3,
        page_size: 3,
        rules: FULL,
        concurrency: 1,
        ignores_limit: false,
        at_first: 5,
        lag_every: 0,
        syncs: vec![(
            vec![Op::Delete(0)],
            0,
            vec![vec![], vec![], vec![Op::Update(88)]],
        )],
    }
}

#[test]
fn any_world_is_archived_as_the_model_says() {
    check(&a_move_behind_a_wrong_count()).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no command line to declare it on"
    )]
    let cases = std::env::var("DCS_HISTORY_PROPERTY_CASES").ok();
    // A case is a handful of syncs; these take about half a minute. More are run by setting the variable.
    let cases = cases.and_then(|text| text.parse().ok()).unwrap_or(150);
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    };
    proptest!(config, |(world in world())| check(&world)?);
}
