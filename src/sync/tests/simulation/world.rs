//! The world of one seed: the instances of a project and their tasks, how they change, and the server that shows them.
//!
//! The server is honest: whatever it leaves out or repeats is a way of listing that its kind of server has. What goes wrong
//! on top of that is a fault, and faults are dealt elsewhere.

use std::collections::BTreeMap;

use crate::model::time::{HOUR, MINUTE, Timestamp};
use crate::simulator::rng::Rng;

/// What comes first in a list of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Newest,
    /// Newest first, and those of one moment in another order each time.
    Shuffled,
    Oldest,
    LastUpdated,
}

/// What the count beside a list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
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

/// How pages are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paging {
    Honest,
    IgnoresLimit,
    IgnoresOffset,
    /// Past its end the list begins again.
    StartsOver,
    /// A larger limit is refused.
    Refuses(usize),
}

/// What a time filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filtering {
    OnCreated,
    OnUpdated,
    Ignored,
    Refused,
    /// Works, and without one only what was created in the last so many milliseconds is listed.
    Hides(i64),
}

/// How a server of this world lists, which stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) order: Order,
    pub(super) count: Count,
    pub(super) list_count: Count,
    pub(super) paging: Paging,
    pub(super) page_cap: usize,
    pub(super) filtering: Filtering,
    /// Tasks older than this are dropped.
    pub(super) retention: Option<i64>,
    /// How far back a lagging copy is, at most.
    pub(super) lag: i64,
    /// Every so manieth page shows a version of each task that is one older; 0 for none.
    pub(super) stale_every: usize,
    /// What the server's clock is off by; nothing where it sends no date.
    pub(super) skew: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: u32,
    pub(super) created: i64,
    /// As it is sent.
    pub(super) updated: String,
    pub(super) updated_at: i64,
    pub(super) status: &'static str,
    /// Grows with every change of any task, so that it names one state of one task.
    pub(super) version: u32,
}

impl Task {
    pub(super) fn json(&self) -> String {
        let Self {
            id,
            updated,
            status,
            version,
            ..
        } = self;
        let created = time(self.created);
        format!(
            r#"{{"id":"t{id:04}","name":"EXTEND","details":{{"new_capacity":"{version}"}},"status":"{status}","created_at":"{created}","updated_at":{updated}}}"#
        )
    }
}

/// What stands in a list: a task, or something that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Task(Task),
    Junk(String),
}

impl Entry {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Task(task) => task.json(),
            Self::Junk(text) => text.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) version: u32,
    pub(super) is_there: bool,
    pub(super) is_listed: bool,
    /// It is of a kind that has no background tasks.
    pub(super) without_tasks: bool,
    pub(super) tasks: Vec<Task>,
    pub(super) junk: Vec<String>,
    older: BTreeMap<u32, Task>,
}

impl Instance {
    pub(super) fn json(&self) -> String {
        let (id, version) = (&self.id, self.version);
        format!(
            r#"{{"instance_id":"{id}","name":"cache-{version}","engine":"Redis","capacity":8,"status":"RUNNING","created_at":"2020-09-01T00:00:00.000Z"}}"#
        )
    }

    /// The list as a server of this manner has it in order.
    fn listed(&self, manner: &Manner, start: Option<i64>, now: i64, rng: &mut Rng) -> Vec<Entry> {
        let hidden = match manner.filtering {
            Filtering::Hides(window) if start.is_none() => now - window,
            _ => i64::MIN,
        };
        let mut tasks: Vec<Task> = self
            .tasks
            .iter()
            .filter(|task| match (manner.filtering, start) {
                (Filtering::OnCreated | Filtering::Hides(_), Some(start)) => task.created >= start,
                (Filtering::OnUpdated, Some(start)) => task.updated_at >= start,
                _ => task.created >= hidden,
            })
            .cloned()
            .collect();
        match manner.order {
            Order::Newest => tasks.sort_by_key(|task| (-task.created, task.id)),
            Order::Shuffled => tasks.sort_by_cached_key(|task| (-task.created, rng.draw())),
            Order::Oldest => tasks.sort_by_key(|task| (task.created, task.id)),
            Order::LastUpdated => tasks.sort_by_key(|task| (-task.updated_at, task.id)),
        }
        let mut entries: Vec<Entry> = tasks.into_iter().map(Entry::Task).collect();
        for (place, junk) in self.junk.iter().enumerate() {
            let place = (place * 3).min(entries.len());
            entries.insert(place, Entry::Junk(junk.clone()));
        }
        entries
    }
}

pub(super) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis).unwrap()
}

/// When the worlds begin: in September 2026.
const START: i64 = 1_790_000_000_000;

/// A task that ever was, for those who ask what the archive should know of it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) instance: String,
    pub(super) id: u32,
    pub(super) created: i64,
    /// When it first stood in the list.
    pub(super) shown: i64,
    pub(super) ended: Option<i64>,
    /// Its times tell nothing, or the wrong thing.
    pub(super) is_odd: bool,
}

impl Life {
    pub(super) fn is_late(&self) -> bool {
        self.shown > self.created
    }
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) manner: Manner,
    pub(super) clock: i64,
    pub(super) instances: Vec<Instance>,
    pub(super) lives: Vec<Life>,
    /// The instances as they were at moments of the last hour, for copies that lag.
    past: Vec<(i64, Vec<Instance>)>,
    next: u32,
    pages: usize,
}

impl World {
    pub(super) fn new(manner: Manner, rng: &mut Rng) -> Self {
        let instances = rng.between(1, 3);
        let mut world = Self::of(manner, instances, rng);
        for _ in 0..rng.below(30) {
            world.create(rng, 0);
        }
        world
    }

    /// A world in which nothing has happened yet.
    pub(super) fn of(manner: Manner, instances: i64, rng: &mut Rng) -> Self {
        let mut world = Self {
            manner,
            clock: 0,
            instances: Vec::new(),
            lives: Vec::new(),
            past: Vec::new(),
            next: 0,
            pages: 0,
        };
        for _ in 0..instances {
            world.create_instance(rng);
        }
        world
    }

    fn create_instance(&mut self, rng: &mut Rng) {
        self.instances.push(Instance {
            id: rng.uuid(),
            version: 0,
            is_there: true,
            is_listed: true,
            without_tasks: false,
            tasks: Vec::new(),
            junk: Vec::new(),
            older: BTreeMap::new(),
        });
    }

    /// Lets one thing happen, a minute after the last.
    pub(super) fn act(&mut self, rng: &mut Rng) {
        self.clock += MINUTE;
        match rng.below(64) {
            0..=15 => self.create(rng, 0),
            16..=19 => self.create(rng, 100 * HOUR),
            20..=31 => self.update(rng, false),
            32..=43 => self.update(rng, true),
            44..=51 => self.delete(rng, false),
            52..=53 => self.delete(rng, true),
            54..=57 => {
                self.delete(rng, false);
                self.create(rng, 100 * HOUR);
            }
            58 if self.instances.len() < 5 => self.create_instance(rng),
            59 => self.change_instance(rng, |instance| {
                instance.is_there = false;
                instance.is_listed = false;
            }),
            60 => self.change_instance(rng, |instance| instance.version += 1),
            61 => {
                let listed = rng.one_in(2);
                self.change_instance(rng, |instance| {
                    instance.is_listed = instance.is_there && listed;
                });
            }
            62 => self.spoil(rng),
            _ if rng.one_in(4) => self.change_instance(rng, |instance| {
                instance.without_tasks = instance.tasks.is_empty();
            }),
            _ => {}
        }
        self.retain();
        self.remember();
    }

    /// Lets an ordinary thing happen: a task begins, goes on or ends.
    pub(super) fn live(&mut self, rng: &mut Rng) {
        match rng.below(4) {
            0..=1 => self.create(rng, 0),
            2 => self.update(rng, false),
            _ => self.update(rng, true),
        }
    }

    pub(super) fn pass(&mut self, millis: i64) {
        self.remember();
        self.clock += millis;
        self.retain();
        self.remember();
    }

    fn remember(&mut self) {
        let hour_ago = self.clock - HOUR;
        if self.manner.lag > 0 {
            self.past.push((self.clock, self.instances.clone()));
            let first = self
                .past
                .iter()
                .rposition(|(moment, _)| *moment <= hour_ago)
                .unwrap_or(0);
            self.past.drain(..first);
        }
    }

    fn retain(&mut self) {
        let Some(retention) = self.manner.retention else {
            return;
        };
        let (first, clock) = (self.clock - retention, self.clock);
        for instance in &mut self.instances {
            instance.tasks.retain(|task| task.created >= first);
        }
        for life in &mut self.lives {
            if life.created < first && life.ended.is_none() {
                life.ended = Some(clock);
            }
        }
    }

    fn some(&mut self, rng: &mut Rng) -> Option<usize> {
        let there: Vec<usize> = (0..self.instances.len())
            .filter(|index| self.instances[*index].is_there)
            .collect();
        (!there.is_empty()).then(|| there[rng.index(there.len())])
    }

    fn change_instance(&mut self, rng: &mut Rng, change: impl FnOnce(&mut Instance)) {
        let Some(index) = self.some(rng) else { return };
        change(&mut self.instances[index]);
        let instance = &mut self.instances[index];
        if !instance.is_there {
            for life in &mut self.lives {
                if life.instance == instance.id && life.ended.is_none() {
                    life.ended = Some(self.clock);
                }
            }
            instance.tasks.clear();
            instance.junk.clear();
        }
    }

    fn create(&mut self, rng: &mut Rng, ago: i64) {
        let Some(index) = self.some(rng) else { return };
        let created = self.clock - ago;
        let instance = &mut self.instances[index];
        if instance.without_tasks {
            return;
        }
        self.next += 1;
        // One in three is one of a burst: another has the same time.
        let created = match instance.tasks.last() {
            Some(last) if ago == 0 && rng.one_in(3) => last.created,
            _ => created,
        };
        instance.tasks.push(Task {
            id: self.next,
            created,
            updated: format!("\"{}\"", time(self.clock)),
            updated_at: self.clock,
            status: "EXECUTING",
            version: self.next,
        });
        self.lives.push(Life {
            instance: instance.id.clone(),
            id: self.next,
            created,
            shown: self.clock,
            ended: None,
            is_odd: false,
        });
    }

    fn update(&mut self, rng: &mut Rng, finishes: bool) {
        let Some(index) = self.some(rng) else { return };
        let instance = &mut self.instances[index];
        if instance.tasks.is_empty() {
            return;
        }
        let chosen = rng.index(instance.tasks.len());
        let task = &mut instance.tasks[chosen];
        let was_final = task.status != "EXECUTING";
        instance.older.insert(task.id, task.clone());
        self.next += 1;
        task.version = self.next;
        if finishes {
            task.status = rng.pick(["SUCCESS", "FAILED"]);
        }
        if rng.one_in(12) {
            let life = self
                .lives
                .iter_mut()
                .find(|life| life.instance == instance.id && life.id == task.id);
            life.unwrap().is_odd = true;
            (task.updated, task.updated_at) = odd(self.clock, rng);
        } else if !finishes || was_final || rng.one_in(2) {
            task.updated = format!("\"{}\"", time(self.clock));
            task.updated_at = self.clock;
        }
        // Else its status moves, and its time does not.
    }

    fn delete(&mut self, rng: &mut Rng, oldest: bool) {
        let Some(index) = self.some(rng) else { return };
        let instance = &mut self.instances[index];
        let chosen = if oldest {
            let by_age = |index: &usize| instance.tasks[*index].created;
            (0..instance.tasks.len()).min_by_key(by_age)
        } else {
            (!instance.tasks.is_empty()).then(|| rng.index(instance.tasks.len()))
        };
        let Some(chosen) = chosen else { return };
        let task = instance.tasks.remove(chosen);
        let life = self
            .lives
            .iter_mut()
            .find(|life| life.instance == instance.id && life.id == task.id);
        life.unwrap().ended = Some(self.clock);
    }

    fn spoil(&mut self, rng: &mut Rng) {
        let Some(index) = self.some(rng) else { return };
        let number = self.next;
        self.next += 1;
        let junk = match rng.below(5) {
            0 => format!("{number}"),
            1 => format!(r#"{{"name":"EXTEND","details":"{number}"}}"#),
            2 => format!(r#"["{number}"]"#),
            3 => format!(r#"{{"id":null,"n":{number}}}"#),
            _ => format!(r#"{{"id":"","n":{number}}}"#),
        };
        let instance = &mut self.instances[index];
        if rng.one_in(3) {
            instance.junk.clear();
        } else if !instance.without_tasks {
            instance.junk.push(junk);
        }
    }

    /// The instances as a copy that lags by so much has them.
    pub(super) fn seen(&self, lag: i64) -> &[Instance] {
        let moment = self.clock - lag;
        let copy = || {
            self.past
                .iter()
                .rev()
                .find(|(at, _)| *at <= moment)
                .or(self.past.first())
        };
        match (lag > 0).then(copy).flatten() {
            Some((_, instances)) => instances,
            None => &self.instances,
        }
    }

    /// A page of the tasks of an instance, with its count, as an honest server of this manner answers.
    pub(super) fn page(
        &mut self,
        instance: &Instance,
        window: (Option<i64>, usize, usize),
        rng: &mut Rng,
    ) -> (String, Vec<Entry>) {
        let (start, offset, limit) = window;
        let listed = instance.listed(&self.manner, start, self.clock, rng);
        let (manner, all) = (self.manner, listed.len());
        let mut shown = cut(&listed, manner.paging, offset, limit, manner.page_cap);
        self.pages += 1;
        if manner.stale_every > 0 && self.pages.is_multiple_of(manner.stale_every) {
            for entry in &mut shown {
                if let Entry::Task(task) = entry
                    && let Some(older) = instance.older.get(&task.id)
                {
                    *task = older.clone();
                }
            }
        }
        let count = counted("task_count", manner.count, all, shown.len(), offset);
        (count, shown)
    }

    /// A page of the list of instances.
    pub(super) fn list_page(&self, offset: usize, limit: usize) -> (String, Vec<Instance>) {
        let listed: Vec<Instance> = self
            .instances
            .iter()
            .filter(|instance| instance.is_listed)
            .cloned()
            .collect();
        let manner = &self.manner;
        let shown = cut(&listed, manner.paging, offset, limit, manner.page_cap);
        let count = counted(
            "instance_num",
            manner.list_count,
            listed.len(),
            shown.len(),
            offset,
        );
        (count, shown)
    }
}

/// Times that tell nothing, or the wrong thing, and where they stand among the others.
fn odd(clock: i64, rng: &mut Rng) -> (String, i64) {
    match rng.below(8) {
        0 => ("null".to_owned(), clock),
        1 => (r#""""#.to_owned(), clock),
        2 => (r#""soon""#.to_owned(), clock),
        3 => (r#""1970-01-01T00:00:00Z""#.to_owned(), clock),
        4 => (r#""2099-01-01T00:00:00Z""#.to_owned(), clock),
        5 => (r#""9999-12-31T23:59:59Z""#.to_owned(), clock),
        6 => (format!("\"{}\"", time(clock + HOUR)), clock + HOUR),
        _ => (
            format!("\"{}\"", time(clock - 3 * MINUTE)),
            clock - 3 * MINUTE,
        ),
    }
}

fn cut<T: Clone>(
    listed: &[T],
    paging: Paging,
    offset: usize,
    limit: usize,
    page_cap: usize,
) -> Vec<T> {
    let limit = match paging {
        Paging::IgnoresLimit => usize::MAX,
        _ => limit.min(page_cap),
    };
    let offset = match paging {
        Paging::IgnoresOffset => 0,
        Paging::StartsOver if offset >= listed.len() => 0,
        _ => offset,
    };
    listed.iter().skip(offset).take(limit).cloned().collect()
}

fn counted(name: &str, count: Count, all: usize, shown: usize, offset: usize) -> String {
    let number = match count {
        Count::Absent => return String::new(),
        Count::Text => return format!(r#""{name}":"{all}","#),
        Count::Whole => all,
        Count::Page => shown,
        Count::Remaining => all.saturating_sub(offset),
        Count::Capped(cap) => all.min(cap),
        Count::TooHigh => all + 3,
        Count::TooLow => all.saturating_sub(1),
        Count::Constant => 7,
    };
    format!(r#""{name}":{number},"#)
}
