//! The world behind the simulated cloud: instances, their tasks, and a clock of its own.
//!
//! The world is deterministic: a seed, the number of instances and tasks, and the total by which the clock was moved say
//! everything, however many steps it was moved in. Nothing here reads a real clock or does I/O, and tests may read the
//! whole truth and delete what they like.

mod instance;
mod operation;
mod shape;
mod task;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::model::time::{DAY, Timestamp};
use crate::simulator::rng::Rng;
use instance::Instance;
use operation::ZONES;
use task::Task;
pub(crate) use task::TaskRecord;
use task::{as_text, moment};

/// Where every world's clock starts: 2026-10-01T00:00:00Z.
pub(crate) const START: i64 = 1_790_812_800_000;

/// How far the history reaches back at the start: about half a year, through the renaming of an operation.
const HISTORY: i64 = 180 * DAY;

/// The last moment that has a text form, 9999-12-31T23:59:59.999Z: there the clock stands still.
const END: i64 = 253_402_300_799_999;

/// Who works on the instances.
const USERS: [&str; 6] = [
    "anna.meyer",
    "jonas.weber",
    "li.wei",
    "priya.nair",
    "ops-automation",
    "terraform",
];

/// What a world is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    pub(crate) instances: usize,
    /// How many tasks each instance has behind it when the clock starts.
    pub(crate) tasks: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            instances: 3,
            tasks: 40,
        }
    }
}

/// A person or program that starts tasks.
#[derive(Clone, Debug)]
struct User {
    id: String,
    name: &'static str,
}

/// The simulated cloud's content.
#[derive(Clone, Debug)]
pub(crate) struct World {
    now: i64,
    project_id: String,
    token: String,
    users: Vec<User>,
    vpc_id: String,
    instances: Vec<Instance>,
}

/// Which tasks are meant: those whose times lie between the bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) created: (i64, i64),
    pub(crate) updated: (i64, i64),
}

impl Selection {
    pub(crate) const ALL: Self = Self {
        created: (i64::MIN, i64::MAX),
        updated: (i64::MIN, i64::MAX),
    };

    fn includes(&self, task: &Task) -> bool {
        self.updated.0 <= task.updated && task.updated <= self.updated.1
    }
}

/// A page of records, and how many there are in all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page<T> {
    pub(crate) total: usize,
    pub(crate) records: Vec<T>,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let mut identity = Rng::new(options.seed, "project", 0);
        let users: Vec<User> = USERS
            .into_iter()
            .map(|name| User {
                id: identity.hex_id(),
                name,
            })
            .collect();
        let count = u8::try_from(users.len()).unwrap_or(u8::MAX);
        let period = START - HISTORY..START;
        Self {
            now: START,
            project_id: identity.hex_id(),
            token: format!("simulated-token-{:016x}", identity.draw()),
            users,
            vpc_id: identity.uuid(),
            instances: (0..options.instances)
                .map(|number| Instance::new(options.seed, number, options.tasks, count, &period))
                .collect(),
        }
    }

    /// The world's own time.
    pub(crate) fn now(&self) -> Timestamp {
        moment(self.now)
    }

    /// Moves the clock; what happens meanwhile does not depend on the size of the steps.
    pub(crate) fn advance(&mut self, milliseconds: u64) {
        let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
        self.now = self.now.saturating_add(milliseconds).min(END);
        for instance in &mut self.instances {
            instance.advance(self.now);
        }
    }

    pub(crate) fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The one token that the simulated cloud accepts. It opens nothing else, and looks like it.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The instances as the upstream lists them, newest first.
    pub(crate) fn instances(&self) -> impl ExactSizeIterator<Item = InstanceRecord<'_>> {
        self.instances
            .iter()
            .map(|instance| InstanceRecord::of(instance, self))
    }

    /// The ids of the instances, in the order of [`Self::instances`].
    pub(crate) fn instance_ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.instances.iter().map(|instance| instance.id.as_str())
    }

    /// The tasks of an instance as they are, newest first; none for an instance that does not exist.
    #[cfg(test)]
    pub(crate) fn tasks(&self, instance: &str) -> impl ExactSizeIterator<Item = TaskRecord<'_>> {
        let (tasks, prefix) = self.find(instance).map_or((&[] as &[Task], 0), |found| {
            (found.created_in(i64::MIN, i64::MAX), found.prefix)
        });
        tasks
            .iter()
            .rev()
            .map(move |task| TaskRecord::of(task, prefix, &self.users))
    }

    /// A page of an instance's selected tasks, newest first; nothing for an instance that does not exist.
    pub(crate) fn task_page(
        &self,
        instance: &str,
        selection: &Selection,
        offset: usize,
        limit: usize,
    ) -> Option<Page<TaskRecord<'_>>> {
        let found = self.find(instance)?;
        let (first, last) = selection.created;
        let created = found.created_in(first, last);
        // The usual page of a long list is cut out without a look at what lies before it.
        let (total, rest, offset) = if selection.updated == Selection::ALL.updated {
            let rest = created.len().saturating_sub(offset);
            (created.len(), created.get(..rest).unwrap_or_default(), 0)
        } else {
            let total = created.iter().filter(|task| selection.includes(task));
            (total.count(), created, offset)
        };
        let newest_first = rest.iter().rev().filter(|task| selection.includes(task));
        Some(Page {
            total,
            records: newest_first
                .skip(offset)
                .take(limit)
                .map(|task| TaskRecord::of(task, found.prefix, &self.users))
                .collect(),
        })
    }

    /// Removes the record of a task, as somebody with the right to do so can; says whether there was one.
    pub(crate) fn delete_task(&mut self, instance: &str, id: &str) -> bool {
        self.instances
            .iter_mut()
            .find(|known| known.id == instance)
            .is_some_and(|found| found.delete(id))
    }

    /// Deletes an instance with all its records; says whether there was one.
    #[cfg(test)]
    pub(crate) fn delete_instance(&mut self, instance: &str) -> bool {
        let before = self.instances.len();
        self.instances.retain(|known| known.id != instance);
        self.instances.len() < before
    }

    fn find(&self, instance: &str) -> Option<&Instance> {
        self.instances.iter().find(|known| known.id == instance)
    }
}

/// An instance as the upstream lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct InstanceRecord<'a> {
    pub(crate) instance_id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) engine: &'static str,
    pub(crate) engine_version: &'static str,
    pub(crate) spec_code: String,
    /// Whole GB: 0 below one.
    pub(crate) capacity: u32,
    /// The fraction of an instance below one GB, such as `.125`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity_minor: Option<&'static str>,
    pub(crate) status: &'static str,
    #[serde(serialize_with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(serialize_with = "as_text")]
    pub(crate) updated_at: Timestamp,
    pub(crate) ip: String,
    pub(crate) port: u16,
    pub(crate) domain_name: String,
    pub(crate) enable_publicip: bool,
    pub(crate) publicip_id: Option<String>,
    pub(crate) publicip_address: Option<String>,
    pub(crate) vpc_id: &'a str,
    pub(crate) vpc_name: &'static str,
    pub(crate) user_id: &'a str,
    pub(crate) user_name: &'static str,
    pub(crate) enterprise_project_id: &'static str,
    pub(crate) az_codes: [&'static str; 2],
    pub(crate) charging_mode: u8,
    pub(crate) tags: [Tag; 1],
}

/// A label that somebody put on an instance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Tag {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
}

impl<'a> InstanceRecord<'a> {
    fn of(instance: &'a Instance, world: &'a World) -> Self {
        let shape = instance.shape;
        let owner = &world.users[usize::from(instance.owner) % world.users.len()];
        let capacity = shape.spec.capacity();
        Self {
            instance_id: &instance.id,
            name: &instance.name,
            engine: "Redis",
            engine_version: instance.engine_version,
            spec_code: shape.spec.code(),
            capacity: capacity.parse().unwrap_or(0),
            capacity_minor: capacity.strip_prefix('0'),
            status: instance.status(),
            created_at: moment(instance.created),
            updated_at: moment(instance.updated),
            ip: shape.addresses(),
            port: shape.port,
            domain_name: format!("redis-{}.dcs.example", instance.id),
            enable_publicip: shape.public_ip.is_some(),
            publicip_id: shape.public_ip.map(shape::PublicIp::id),
            publicip_address: shape.public_ip.map(|bound| bound.address.to_string()),
            vpc_id: &world.vpc_id,
            vpc_name: "shop",
            user_id: &owner.id,
            user_name: owner.name,
            enterprise_project_id: "0",
            az_codes: ZONES,
            charging_mode: 0,
            tags: [Tag {
                key: "stage",
                value: "production",
            }],
        }
    }
}
