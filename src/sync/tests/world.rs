//! Syncs of the simulated cloud while it lives, against its own truth.

use std::collections::BTreeMap;

use super::support::{Place, Run};
use crate::model::time::{HOUR, MINUTE};
use crate::simulator::{self, Running, world};
use crate::sync::outcome::Outcome;

/// What the simulated cloud holds: task id to status and last update.
fn truth(cloud: &Running, instance: &str) -> BTreeMap<String, (String, String)> {
    let world = cloud.world();
    world
        .tasks(instance)
        .map(|task| {
            (
                task.id.clone(),
                (task.status.to_owned(), task.updated_at.to_string()),
            )
        })
        .collect()
}

/// What the archive says is there: the same, without what is called missing.
fn archived(place: &Place, instance: &str) -> BTreeMap<String, (String, String)> {
    let archive = place.read();
    let mut statement = archive
        .prepare("SELECT task_id, status, updated_at FROM tasks WHERE instance_id = ?1 AND missing_since IS NULL")
        .unwrap();
    let rows = statement
        .query_map([instance], |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_living_cloud_is_archived_task_by_task_and_nothing_that_was_seen_is_lost() {
    let cloud = simulator::start(simulator::Options {
        world: world::Options {
            seed: 11,
            instances: 2,
            tasks: 60,
        },
        page_cap: Some(25),
        ..simulator::Options::default()
    })
    .unwrap();
    let ids: Vec<String> = cloud
        .world()
        .instance_ids()
        .map(ToOwned::to_owned)
        .collect();
    let instances: Vec<&str> = ids.iter().map(String::as_str).collect();
    let place = Place::new();
    let run = Run {
        project_id: &cloud.project_id,
        token: &cloud.token,
        instances: &instances,
        ..Run::of(&cloud.endpoint)
    };
    let mut seen = BTreeMap::new();
    for step in 0_u64..20 {
        let summary = run.sync(&place).unwrap();
        assert_eq!(summary.outcome, Outcome::Complete, "{summary:?}");
        for id in &instances {
            let there = truth(&cloud, id);
            assert_eq!(
                archived(&place, id),
                there,
                "instance {id} after step {step}"
            );
            seen.extend(there);
        }
        let hours = [0, 0, 7, 0, 30][usize::try_from(step % 5).unwrap()];
        cloud
            .world()
            .advance(u64::try_from(hours * HOUR + 20 * MINUTE).unwrap());
        if step == 6 {
            let middle = cloud.world().tasks(&ids[0]).nth(30).unwrap().id.clone();
            assert!(cloud.world().delete_task(&ids[0], &middle));
        }
    }
    assert_eq!(
        place.count("SELECT count(*) FROM tasks"),
        i64::try_from(seen.len()).unwrap()
    );
    assert!(place.count("SELECT count(*) FROM tasks WHERE missing_as = 'removed'") >= 1);
    assert!(place.count("SELECT count(*) FROM task_revisions WHERE revision > 1") > 2);
    assert_eq!(place.count("SELECT count(*) FROM rejected"), 0);
    assert_eq!(
        place.count("SELECT count(*) FROM drift WHERE kind <> 'upstream'"),
        0
    );
    let requests = place.count("SELECT sum(requests) FROM walks");
    assert_eq!(u64::try_from(requests).unwrap(), cloud.requests());
    assert!(cloud.world().delete_instance(&ids[1]));
    for outcome in [Outcome::Partial, Outcome::Partial, Outcome::Complete] {
        let summary = run.sync(&place).unwrap();
        assert_eq!(summary.outcome, outcome, "{summary:?}");
    }
    assert_eq!(
        place.count("SELECT count(*) FROM instances WHERE gone_at IS NOT NULL"),
        1
    );
}
