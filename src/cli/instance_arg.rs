//! Instances as people name them: by id, by name, or by the beginning of an id.

use rusqlite::Connection;

use super::error::CliError;
use super::near;
use crate::model::naming;
use crate::store::filter::InstanceKey;
use crate::store::read;
use crate::store::read::Instance;

/// Candidates that an error names: enough to recognise one's own.
const NAMED: usize = 5;

/// The fewest characters of an id that a table shows: ids are random, so eight of them nearly always tell it.
const SHORTEST: usize = 8;

/// Returns the instances that were named; none if none was.
pub(crate) fn resolve(
    archive: &Connection,
    typed: &[String],
) -> Result<Vec<InstanceKey>, CliError> {
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let known = read::instances(archive)?;
    let mut keys = Vec::new();
    for name in typed {
        keys.extend(choose(&known, name)?.into_iter().cloned());
    }
    Ok(keys)
}

/// Returns the instance that was meant: an id beats a name, a name beats a beginning.
fn choose<'a>(known: &'a [Instance], typed: &str) -> Result<Vec<&'a InstanceKey>, CliError> {
    let meant = naming::meant(typed, known, |instance| {
        (&instance.key.instance_id, instance.name.as_deref())
    });
    if meant.is_empty() {
        return Err(unknown(known, typed));
    }
    // One id in two projects is one instance that was moved; two ids are two.
    if meant
        .iter()
        .any(|instance| instance.key.instance_id != meant[0].key.instance_id)
    {
        let message = format!("{typed:?} may mean several instances");
        return Err(CliError::usage(message).hint(format!("it fits {}", listed(meant.into_iter()))));
    }
    Ok(meant.into_iter().map(|instance| &instance.key).collect())
}

/// The error for an instance that nobody knows: with those that are near by id or name, or else with those that there are.
fn unknown(known: &[Instance], typed: &str) -> CliError {
    let error = CliError::usage(format!("no instance {typed:?} in the archive"));
    if known.is_empty() {
        return error.hint("the archive holds no instance yet; `dcs-history sync` reads them");
    }
    let ids = known.iter().map(|instance| Some(&instance.key.instance_id));
    let names = known.iter().map(|instance| instance.name.as_ref());
    let spellings: Vec<_> = ids.chain(names).flatten().cloned().collect();
    let near = near::near(typed, &spellings);
    let is_near = |instance: &&Instance| {
        let name = instance.name.as_deref().unwrap_or_default();
        near.contains(&instance.key.instance_id.as_str()) || near.contains(&name)
    };
    let meant: Vec<_> = known.iter().filter(is_near).collect();
    if meant.is_empty() {
        error.hint(format!("known are {}", listed(known.iter())))
    } else {
        error.hint(format!("did you mean {}?", listed(meant.into_iter())))
    }
}

fn listed<'a>(instances: impl ExactSizeIterator<Item = &'a Instance>) -> String {
    let left_out = instances.len().saturating_sub(NAMED);
    let mut names: Vec<_> = instances
        .take(NAMED)
        .map(|instance| match &instance.name {
            Some(name) => format!("{} ({name})", instance.key.instance_id),
            None => instance.key.instance_id.clone(),
        })
        .collect();
    if left_out > 0 {
        names.push(format!("{left_out} more"));
    }
    names.join(", ")
}

/// How ids are shortened where a line has 80 columns: to as many characters as tell every instance from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short(usize);

impl Short {
    pub(crate) fn of(known: &[Instance]) -> Self {
        let mut ids: Vec<_> = known
            .iter()
            .map(|instance| instance.key.instance_id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        Self(telling(&ids).map_or(SHORTEST, |length| SHORTEST.max(length)))
    }

    pub(crate) fn cut(self, id: &str) -> String {
        id.chars().take(self.0).collect()
    }
}

/// Returns how many characters tell sorted ids apart, each of which is there once; nothing for a single one.
pub(crate) fn telling(ids: &[&str]) -> Option<usize> {
    let shared = |pair: &[&str]| {
        let (one, other) = (pair[0].chars(), pair[1].chars());
        one.zip(other)
            .take_while(|(one, other)| one == other)
            .count()
    };
    ids.windows(2).map(shared).max().map(|shared| shared + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Instance> {
        let instance = |project: &str, id: &str, name: Option<&str>| Instance {
            key: InstanceKey {
                project_id: project.to_owned(),
                instance_id: id.to_owned(),
            },
            name: name.map(str::to_owned),
        };
        vec![
            instance("p", "aaaa0000-1", Some("cache")),
            instance("p", "aaaa0000-22", Some("twin")),
            instance("p", "bbbb", Some("twin")),
            instance("p", "bbbbcc", Some("aaaa0000-1")),
            instance("p", "moved", None),
            instance("q", "moved", None),
        ]
    }

    #[test]
    fn an_instance_is_named_by_id_name_or_beginning() {
        let cases: [(&str, Result<&str, &str>); 9] = [
            ("aaaa0000-1", Ok("aaaa0000-1")),
            ("cache", Ok("aaaa0000-1")),
            ("aaaa0000-2", Ok("aaaa0000-22")),
            ("bbbb", Ok("bbbb")),
            ("mov", Ok("moved")),
            ("twin", Err("several")),
            ("aaaa", Err("several")),
            ("AAAA0000-1", Err("no instance")),
            ("", Err("no instance")),
        ];
        let known = known();
        for (typed, expected) in cases {
            match (choose(&known, typed), expected) {
                (Ok(keys), Ok(id)) => {
                    assert!(keys.iter().all(|key| key.instance_id == id), "{typed}");
                }
                (Err(error), Err(part)) => {
                    assert!(error.message.contains(part), "{typed}: {error:?}");
                }
                (other, _) => panic!("{typed}: {other:?}"),
            }
        }
        assert_eq!(choose(&known, "moved").unwrap().len(), 2);
    }

    #[test]
    fn an_unknown_instance_is_answered_with_known_ones() {
        let error = choose(&known(), "x").unwrap_err();
        assert_eq!(
            error.hints,
            [
                "known are aaaa0000-1 (cache), aaaa0000-22 (twin), bbbb (twin), bbbbcc (aaaa0000-1), moved, 1 more"
            ]
        );
        assert!(choose(&[], "x").unwrap_err().hints[0].contains("sync"));
    }

    #[test]
    fn short_ids_tell_instances_apart() {
        let known = known();
        let short = Short::of(&known);
        assert_eq!(short.cut("aaaa0000-22"), "aaaa0000-2");
        assert_eq!(Short::of(&known[2..]).cut("0123456789"), "01234567");
        assert_eq!(Short::of(&[]).cut("実例"), "実例");
    }
}
