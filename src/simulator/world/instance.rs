//! The life of one instance: a sequence of events in the order of time.
//!
//! An instance draws from its own stream of chance and only when an event happens, and events happen at their own times
//! and not at the ends of steps. So its life does not depend on other instances, nor on how far the clock is moved at once.

use std::ops::Range;

use super::operation::Operation;
use super::shape::Shape;
use super::task::{State, Task, created_of};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND};
use crate::simulator::rng::Rng;

/// One task in so many fails: about 7 %.
const ONE_FAILS_IN: u64 = 14;
/// One start in so many is followed by the removal of some finished task's record.
const ONE_REMOVED_IN: u64 = 40;
/// Half of the removals hit the newest records, which is what people have before their eyes.
const NEWEST: usize = 50;

/// A task that has not finished.
#[derive(Clone, Debug)]
struct Open {
    /// Names the record, which may have been deleted meanwhile.
    created: i64,
    /// When the record is touched next while the task runs.
    touch_at: i64,
    finish_at: i64,
    succeeds: bool,
    operation: Operation,
}

/// What happens next; open tasks are told by their position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Finish(usize),
    Touch(usize),
    Remove(usize),
    Start,
}

/// One instance with its history.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) engine_version: &'static str,
    /// A position in the world's users.
    pub(super) owner: u8,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) shape: Shape,
    /// The first 16 digits of its tasks' ids.
    pub(super) prefix: u64,
    /// Oldest first; times of creation rise strictly.
    tasks: Vec<Task>,
    open: Vec<Open>,
    removals: Vec<i64>,
    next_start: i64,
    sequence: u16,
    users: u8,
    rng: Rng,
}

/// The names of the first instances; later ones get a number.
const NAMES: [&str; 8] = [
    "orders", "sessions", "catalog", "payments", "search", "carts", "profiles", "stock",
];

impl Instance {
    /// Makes an instance with that many tasks in the period, at whose end the clock stands.
    pub(super) fn new(
        seed: u64,
        number: usize,
        tasks: usize,
        users: u8,
        period: &Range<i64>,
    ) -> Self {
        let stream = u64::try_from(number).unwrap_or(u64::MAX);
        let mut identity = Rng::new(seed, "instance", stream);
        let round = number / NAMES.len();
        let name = match round {
            0 => format!("{}-cache", NAMES[number]),
            _ => format!("{}-cache-{}", NAMES[number % NAMES.len()], round + 1),
        };
        // A day apart, the first the newest, all before the period begins.
        let age = i64::try_from(number).unwrap_or(0).saturating_mul(DAY);
        let created = period.start - age - identity.between(HOUR, DAY - HOUR);
        let mut instance = Self {
            id: identity.uuid(),
            name,
            engine_version: identity.pick(["5.0", "6.0", "6.0", "7.0"]),
            owner: u8::try_from(identity.below(u64::from(users))).unwrap_or(0),
            created,
            updated: created,
            shape: Shape::draw(&mut identity, number),
            prefix: identity.draw() | 1 << 63,
            tasks: Vec::with_capacity(tasks),
            open: Vec::new(),
            removals: Vec::new(),
            next_start: 0,
            sequence: 0,
            users,
            rng: Rng::new(seed, "life", stream),
        };
        instance.live_through(tasks, period, number.is_multiple_of(2));
        instance.next_start = period.end + instance.rng.between(MINUTE, 2 * HOUR);
        instance
    }

    /// Makes the history: tasks spread evenly over the period, each over before the next begins; where `unfinished` is
    /// set, the last is still executing at the end, so that a first look finds something that will change.
    fn live_through(&mut self, tasks: usize, period: &Range<i64>, unfinished: bool) {
        let Ok(count) = i64::try_from(tasks) else {
            return;
        };
        let slot = (period.end - period.start) / count.max(1);
        for number in 0..count {
            let begin = period.start + number * slot;
            if unfinished && number == count - 1 && slot > 1 {
                let ago = self.rng.between(1, (25 * MINUTE).min(slot - 1));
                self.start(period.end - ago);
                if let Some(open) = self.open.last_mut() {
                    open.finish_at = period.end + self.rng.between(MINUTE, 15 * MINUTE);
                    open.touch_at = period.end + self.rng.between(SECOND, 30 * SECOND);
                }
                break;
            }
            let created = begin + self.rng.between(0, (slot / 2).max(1) - 1);
            self.start(created);
            if let Some(open) = self.open.first() {
                let finished = open.finish_at.min(begin + slot - 1);
                self.finish(0, finished);
            }
        }
        // Nobody removed anything yet: the history is complete when the clock starts.
        self.removals.clear();
    }

    /// Lives on until a moment, that moment included.
    pub(super) fn advance(&mut self, until: i64) {
        while let Some((at, event)) = self.next_event()
            && at <= until
        {
            match event {
                Event::Finish(position) => self.finish(position, at),
                Event::Touch(position) => self.touch(position, at),
                Event::Remove(position) => {
                    self.removals.swap_remove(position);
                    self.remove_some();
                }
                Event::Start => {
                    self.start(at);
                    self.next_start = at.saturating_add(pause(&mut self.rng));
                }
            }
        }
    }

    /// Finds the earliest event; of two at once the order is fixed.
    fn next_event(&self) -> Option<(i64, Event)> {
        let open = self.open.iter().enumerate().flat_map(|(position, open)| {
            [
                (open.finish_at, Event::Finish(position)),
                (open.touch_at, Event::Touch(position)),
            ]
        });
        let removals = self
            .removals
            .iter()
            .enumerate()
            .map(|(position, at)| (*at, Event::Remove(position)));
        open.chain(removals)
            .chain([(self.next_start, Event::Start)])
            .min()
    }

    fn start(&mut self, at: i64) {
        let reshaping = self.open.iter().any(|open| open.operation.reshapes());
        let operation = Operation::draw(self.shape, reshaping, &mut self.rng);
        self.tasks.push(Task {
            created: at,
            updated: at,
            operation,
            sequence: self.sequence,
            user: u8::try_from(self.rng.below(u64::from(self.users))).unwrap_or(0),
            state: State::Executing,
        });
        self.sequence = self.sequence.wrapping_add(1);
        self.open.push(Open {
            created: at,
            // The documentation's running task was updated 19 ms after its creation.
            touch_at: at + self.rng.between(10, 60),
            finish_at: at + operation.duration(&mut self.rng),
            succeeds: !self.rng.one_in(ONE_FAILS_IN),
            operation,
        });
        if self.rng.one_in(ONE_REMOVED_IN) {
            self.removals
                .push(at + self.rng.between(MINUTE, 90 * MINUTE));
        }
    }

    fn touch(&mut self, position: usize, at: i64) {
        let again = at + self.rng.between(5 * SECOND, MINUTE);
        let open = &mut self.open[position];
        // The last touch is the finish itself.
        open.touch_at = if again < open.finish_at {
            again
        } else {
            i64::MAX
        };
        let created = open.created;
        if let Some(task) = self.record_mut(created) {
            task.updated = at;
        }
    }

    fn finish(&mut self, position: usize, at: i64) {
        let open = self.open.remove(position);
        if open.succeeds && open.operation.reshapes() {
            open.operation.apply(&mut self.shape);
            self.updated = at;
        }
        if let Some(task) = self.record_mut(open.created) {
            task.updated = at;
            task.state = if open.succeeds {
                State::Success
            } else {
                State::Failed
            };
        }
    }

    /// Removes one finished record, as a user does in the console; executing ones cannot be removed there.
    fn remove_some(&mut self) {
        let among = if self.rng.one_in(2) {
            self.tasks.len().min(NEWEST)
        } else {
            self.tasks.len()
        };
        let drawn = self.tasks.len() - among + self.rng.index(among);
        let finished = |position: &usize| self.tasks[*position].state != State::Executing;
        if let Some(position) = (0..self.tasks.len().min(drawn + 1)).rev().find(finished) {
            self.tasks.remove(position);
        }
    }

    fn record_mut(&mut self, created: i64) -> Option<&mut Task> {
        let position = self.position(created)?;
        self.tasks.get_mut(position)
    }

    fn position(&self, created: i64) -> Option<usize> {
        self.tasks
            .binary_search_by_key(&created, |task| task.created)
            .ok()
    }

    /// Removes a record by its id, whatever its state; a task that runs goes on without it.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        let found = created_of(id)
            .and_then(|created| self.position(created))
            .filter(|position| self.tasks[*position].id(self.prefix) == id);
        if let Some(position) = found {
            self.tasks.remove(position);
        }
        found.is_some()
    }

    /// The records that were created in a span of milliseconds, oldest first.
    pub(super) fn created_in(&self, first: i64, last: i64) -> &[Task] {
        let begin = self.tasks.partition_point(|task| task.created < first);
        let end = self.tasks.partition_point(|task| task.created <= last);
        self.tasks.get(begin..end).unwrap_or_default()
    }

    /// The instance's status in the list of instances.
    pub(super) fn status(&self) -> &'static str {
        let resizing = |open: &Open| matches!(open.operation, Operation::Resize { .. });
        if self.open.iter().any(resizing) {
            "EXTENDING"
        } else {
            "RUNNING"
        }
    }
}

/// Draws the time from one start to the next: two hours on average, and one in five soon after, so that tasks overlap.
fn pause(rng: &mut Rng) -> i64 {
    if rng.one_in(5) {
        rng.between(MINUTE, 10 * MINUTE)
    } else {
        // 5.5 minutes a fifth of the time and 148.5 the rest make 120.
        rng.between(77 * MINUTE, 220 * MINUTE)
    }
}
