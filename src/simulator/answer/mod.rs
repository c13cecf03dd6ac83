//! What the simulated cloud says to a request: pure, so that every answer can be tested without a socket.
//!
//! The order of the checks is that of the real way in: the gateway knows the path and the method, the service then looks
//! at the token, the project, the instance, and at last the parameters.

use serde::Serialize;

use crate::simulator::request::{Query, Refusal, Route, is_project_id, is_uuid};
use crate::simulator::world::{InstanceRecord, TaskRecord, World};

/// A request, as far as the answer depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) token: Option<&'a str>,
    /// The id that the answer carries; gateway errors repeat it in the body.
    pub(crate) id: &'a str,
}

/// A status and a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

#[derive(Serialize)]
struct TaskList<'a> {
    task_count: usize,
    tasks: Vec<TaskRecord<'a>>,
}

#[derive(Serialize)]
struct InstanceList<'a> {
    instance_num: usize,
    instances: Vec<InstanceRecord<'a>>,
}

/// Answers a request from the world as it is; `page_cap` cuts a page to so many records, whatever limit is asked for.
pub(crate) fn answer(world: &World, request: &Request<'_>, page_cap: Option<usize>) -> Answer {
    match page(world, request, page_cap) {
        Ok(body) => Answer { status: 200, body },
        Err(refusal) => Answer {
            status: refusal.codes().0,
            body: refusal.body(request.id),
        },
    }
}

fn page(world: &World, request: &Request<'_>, page_cap: Option<usize>) -> Result<String, Refusal> {
    let route = Route::read(request.path)?;
    if request.method != "GET" {
        return Err(Refusal::Method);
    }
    let token = request.token.ok_or(Refusal::NoToken)?;
    if token != world.token() {
        return Err(Refusal::WrongToken);
    }
    if !is_project_id(route.project()) {
        return Err(Refusal::ProjectFormat);
    }
    if route.project() != world.project_id() {
        return Err(Refusal::OtherProject);
    }
    match route {
        Route::Instances { .. } => {
            let query = Query::read(request.query)?;
            let limit = query.limit.min(page_cap.unwrap_or(usize::MAX));
            let list = InstanceList {
                instance_num: world.instances().len(),
                instances: world.instances().skip(query.offset).take(limit).collect(),
            };
            Ok(text(&list))
        }
        Route::Tasks { instance, .. } => {
            if !is_uuid(instance) {
                return Err(Refusal::InstanceFormat);
            }
            if !world.instance_ids().any(|known| known == instance) {
                return Err(Refusal::NoInstance);
            }
            let query = Query::read(request.query)?;
            let limit = query.limit.min(page_cap.unwrap_or(usize::MAX));
            let found = world
                .task_page(instance, query.created, query.offset, limit)
                .ok_or(Refusal::NoInstance)?;
            let list = TaskList {
                task_count: found.total,
                tasks: found.records,
            };
            Ok(text(&list))
        }
    }
}

fn text(list: &impl Serialize) -> String {
    serde_json::to_string(list).expect("records have text keys only, so they can always be written")
}

#[cfg(test)]
mod tests;
