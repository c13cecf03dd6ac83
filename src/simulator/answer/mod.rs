//! What DCS says to a request: pure, so that every answer can be tested without a socket.
//!
//! The order of the checks is that of the real way in: the gateway knows the path and the method and who asks, the service
//! then looks at the project, the instance, and at last the parameters.

use serde::Serialize;
use serde_json::Value;

use super::account::Account;
use super::gateway::Caller;
use super::manners::{Count, Manners};
use super::query::Query;
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::{Asked, is_project_id, is_uuid};
use super::world::{InstanceRecord, Page, TaskRecord, World};

/// The service as it stands before a request: what it holds, whose it is, and how it behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service<'a> {
    pub(crate) world: &'a World,
    pub(crate) account: &'a Account,
    pub(crate) manners: &'a Manners,
    /// The most records in a page, whatever limit is asked for.
    pub(crate) page_cap: Option<usize>,
}

#[derive(Serialize)]
struct TaskList<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task_count: Option<Value>,
    tasks: Vec<TaskRecord<'a>>,
}

#[derive(Serialize)]
struct InstanceList<'a> {
    instance_num: usize,
    instances: Vec<InstanceRecord<'a>>,
}

impl Service<'_> {
    /// Answers a request for the instances of a project.
    pub(crate) fn instances(&self, asked: &Asked<'_>, caller: &Caller, project: &str) -> Reply {
        told(self.instance_list(asked, caller, project), asked)
    }

    /// Answers a request for the tasks of an instance.
    pub(crate) fn tasks(
        &self,
        asked: &Asked<'_>,
        caller: &Caller,
        project: &str,
        instance: &str,
    ) -> Reply {
        told(self.task_list(asked, caller, project, instance), asked)
    }

    fn instance_list(
        &self,
        asked: &Asked<'_>,
        caller: &Caller,
        project: &str,
    ) -> Result<String, Refusal> {
        self.check(caller, project)?;
        let query = self.query(asked)?;
        // All instances are in one project; the others are empty.
        let all = self.world.instances();
        let number = if self.holds(project) { all.len() } else { 0 };
        Ok(text(&InstanceList {
            instance_num: number,
            instances: all
                .take(number)
                .skip(query.offset)
                .take(query.limit)
                .collect(),
        }))
    }

    fn task_list(
        &self,
        asked: &Asked<'_>,
        caller: &Caller,
        project: &str,
        instance: &str,
    ) -> Result<String, Refusal> {
        self.check(caller, project)?;
        if !is_uuid(instance) {
            return Err(Refusal::InstanceFormat);
        }
        let mut known = self.world.instance_ids();
        if !self.holds(project) || !known.any(|known| known == instance) {
            return Err(Refusal::NoInstance);
        }
        let query = self.query(asked)?;
        let found = self
            .world
            .task_page(instance, &query.selection, query.offset, query.limit)
            .ok_or(Refusal::NoInstance)?;
        Ok(text(&TaskList {
            task_count: self.count(&found),
            tasks: found.records,
        }))
    }

    fn check(&self, caller: &Caller, project: &str) -> Result<(), Refusal> {
        if !is_project_id(project) {
            return Err(Refusal::ProjectFormat);
        }
        caller.may_see(project, self.account)
    }

    fn holds(&self, project: &str) -> bool {
        project == self.world.project_id()
    }

    fn query(&self, asked: &Asked<'_>) -> Result<Query, Refusal> {
        let mut query = Query::read(asked.query, self.manners, self.world.now())?;
        query.limit = query.limit.min(self.page_cap.unwrap_or(usize::MAX));
        Ok(query)
    }

    fn count(&self, found: &Page<TaskRecord<'_>>) -> Option<Value> {
        match self.manners.count {
            Count::Total => Some(found.total.into()),
            Count::Page => Some(found.records.len().into()),
            Count::Text => Some(found.total.to_string().into()),
            Count::Absent => None,
        }
    }
}

fn told(list: Result<String, Refusal>, asked: &Asked<'_>) -> Reply {
    match list {
        Ok(body) => Reply::json(200, body),
        Err(refusal) => refusal.reply(asked.id),
    }
}

fn text(list: &impl Serialize) -> String {
    serde_json::to_string(list).expect("records have text keys only, so they can always be written")
}

#[cfg(test)]
mod tests;
