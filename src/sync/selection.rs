//! Which instances a run reads: those that were named, or those that the list of instances shows and the choice lets
//! through. Pure.

use glob::Pattern;

use crate::model::{naming, rows::InstanceRow};
use crate::store::instances::KnownInstance;

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    /// These, by their ids, or by something that may be the name or the beginning of the id of one that the cloud has.
    Named(Vec<String>),
    /// All that the project has, as far as the choice goes.
    Discovered(Choice),
}

/// Which of the instances of a project are wanted; nothing said means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Ids, names, or beginnings of ids.
    pub(crate) exclude: Vec<String>,
    /// All of them must be there.
    pub(crate) tags: Vec<(String, String)>,
    /// One of them must fit.
    pub(crate) names: Vec<Pattern>,
}

/// What the list of instances says about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// A list of this sync showed it.
    Shown,
    /// A proven list of this sync lacks it.
    Lacking,
    /// No list was read that could tell.
    Untold,
}

/// An instance to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) instance_id: String,
    pub(crate) sight: Sight,
}

/// What a choice comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) targets: Vec<Target>,
    /// How many are known to be gone, and are not read.
    pub(crate) gone: u64,
    /// The ids that the choice leaves out.
    pub(crate) left_out: Vec<String>,
    /// What was to be excluded and is no instance, or may be several.
    pub(crate) unmatched: Vec<String>,
}

impl Choice {
    fn is_everything(&self) -> bool {
        self.exclude.is_empty() && self.tags.is_empty() && self.names.is_empty()
    }

    fn fits(&self, row: &InstanceRow) -> bool {
        let name = row.name.as_deref().unwrap_or_default();
        let named = self.names.is_empty() || self.names.iter().any(|glob| glob.matches(name));
        named && self.tags.iter().all(|tag| row.tags.contains(tag))
    }
}

/// Chooses among the instances that are known; `can_tell` is whether what the list of this sync lacks is not there.
///
/// What is known and was not shown is read all the same: its own answer is what tells whether it is gone.
pub(crate) fn choose(choice: &Choice, known: &[KnownInstance], can_tell: bool) -> Chosen {
    let mut chosen = Chosen::default();
    let mut excluded = Vec::new();
    for typed in &choice.exclude {
        match meant(typed, known).as_slice() {
            [id] => excluded.push(*id),
            _ => chosen.unmatched.push(typed.clone()),
        }
    }
    for instance in known {
        let id = instance.instance_id.as_str();
        if instance.gone.is_some() && !instance.is_shown {
            chosen.gone += 1;
        } else if excluded.contains(&id) || !choice.is_everything() && !choice.fits(&instance.row) {
            chosen.left_out.push(id.to_owned());
        } else {
            let sight = match (instance.is_shown, can_tell) {
                (true, _) => Sight::Shown,
                (false, true) => Sight::Lacking,
                (false, false) => Sight::Untold,
            };
            let instance_id = id.to_owned();
            chosen.targets.push(Target { instance_id, sight });
        }
    }
    chosen
}

/// Returns the ids that somebody may have meant; one that is gone only where nothing that is there fits.
pub(crate) fn meant<'a>(typed: &str, known: &'a [KnownInstance]) -> Vec<&'a str> {
    fn told(instance: &KnownInstance) -> (&str, Option<&str>) {
        (instance.instance_id.as_str(), instance.row.name.as_deref())
    }
    let is_there = |instance: &&'a KnownInstance| instance.gone.is_none() || instance.is_shown;
    let mut meant = naming::meant(typed, known, told);
    if meant.iter().any(is_there) {
        meant.retain(is_there);
    }
    meant
        .into_iter()
        .map(|instance| instance.instance_id.as_str())
        .collect()
}

/// Says whether a text has the form of an instance's id, so that it is not worth looking for an instance of that name.
pub(crate) fn is_id(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    let hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use Sight::{Lacking, Shown, Untold};

    fn known(id: &str, name: &str, tags: &[(&str, &str)]) -> KnownInstance {
        let tag = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        KnownInstance {
            instance_id: id.to_owned(),
            row: InstanceRow {
                name: Some(name.to_owned()),
                tags: tags.iter().map(tag).collect(),
                ..InstanceRow::default()
            },
            is_shown: true,
            gone: None,
        }
    }

    fn world() -> Vec<KnownInstance> {
        let mut unlisted = known("dd01", "old", &[]);
        unlisted.is_shown = false;
        let mut gone = known("ee01", "orders", &[("env", "prod")]);
        (gone.is_shown, gone.gone) = (false, Some(Timestamp::EPOCH));
        vec![
            known("aa01", "orders-eu", &[("env", "prod"), ("team", "a")]),
            known("aa02", "orders-us", &[("env", "prod"), ("team", "b")]),
            known("bb01", "sessions", &[("env", "dev")]),
            unlisted,
            gone,
        ]
    }

    fn choice(exclude: &[&str], tags: &[(&str, &str)], names: &[&str]) -> Choice {
        Choice {
            exclude: exclude.iter().map(|text| (*text).to_owned()).collect(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            names: names
                .iter()
                .map(|glob| Pattern::new(glob).unwrap())
                .collect(),
        }
    }

    #[test]
    fn the_choice_says_which_instances_are_read() {
        let cases: [(&str, Choice, &[&str]); 11] = [
            (
                "all",
                choice(&[], &[], &[]),
                &["aa01", "aa02", "bb01", "dd01"],
            ),
            (
                "by a tag",
                choice(&[], &[("env", "prod")], &[]),
                &["aa01", "aa02"],
            ),
            (
                "by two tags, both",
                choice(&[], &[("env", "prod"), ("team", "b")], &[]),
                &["aa02"],
            ),
            (
                "a tag's value counts",
                choice(&[], &[("env", "pro")], &[]),
                &[],
            ),
            (
                "by name",
                choice(&[], &[], &["orders-*"]),
                &["aa01", "aa02"],
            ),
            (
                "a name is matched whole",
                choice(&[], &[], &["orders"]),
                &[],
            ),
            (
                "by two names, either",
                choice(&[], &[], &["*-eu", "old"]),
                &["aa01", "dd01"],
            ),
            (
                "but one id",
                choice(&["aa01"], &[], &[]),
                &["aa02", "bb01", "dd01"],
            ),
            (
                "but one name",
                choice(&["sessions"], &[], &[]),
                &["aa01", "aa02", "dd01"],
            ),
            (
                "but a beginning",
                choice(&["b"], &[], &[]),
                &["aa01", "aa02", "dd01"],
            ),
            (
                "a tag, but one",
                choice(&["aa02"], &[("env", "prod")], &[]),
                &["aa01"],
            ),
        ];
        for (name, choice, expected) in cases {
            let chosen = choose(&choice, &world(), true);
            let ids: Vec<_> = chosen
                .targets
                .iter()
                .map(|target| &target.instance_id)
                .collect();
            assert_eq!(ids, expected, "{name}");
            assert_eq!(chosen.gone, 1, "{name}");
            assert_eq!(chosen.left_out.len(), 4 - expected.len(), "{name}");
        }
    }

    #[test]
    fn what_may_be_several_instances_excludes_none() {
        let chosen = choose(&choice(&["aa", "nobody"], &[], &[]), &world(), true);
        assert_eq!(chosen.unmatched, ["aa", "nobody"]);
        assert_eq!(chosen.targets.len(), 4);
    }

    #[test]
    fn what_the_list_says_of_an_instance_depends_on_its_proof() {
        let sights = |can_tell| -> Vec<_> {
            let chosen = choose(&Choice::default(), &world(), can_tell);
            chosen.targets.iter().map(|target| target.sight).collect()
        };
        assert_eq!(sights(true), [Shown, Shown, Shown, Lacking]);
        assert_eq!(sights(false), [Shown, Shown, Shown, Untold]);
    }

    #[test]
    fn one_that_was_gone_and_is_shown_is_read() {
        let mut back = world();
        back[4].is_shown = true;
        let chosen = choose(&Choice::default(), &back, true);
        assert_eq!((chosen.targets.len(), chosen.gone), (5, 0));
    }

    #[test]
    fn an_id_beats_a_name_and_a_name_beats_a_beginning() {
        let mut known = world();
        known[2].row.name = Some("aa01".to_owned());
        assert_eq!(meant("aa01", &known), ["aa01"]);
        known[1].row.name = Some("aa".to_owned());
        assert_eq!(meant("aa", &known), ["aa02"]);
        assert_eq!(meant("d", &known), ["dd01"]);
        // The name of one that is gone is that of the one that took its place, and else its own.
        assert_eq!(meant("orders", &known), ["ee01"]);
        known[3].row.name = Some("orders".to_owned());
        assert_eq!(meant("orders", &known), ["dd01"]);
        assert!(meant("", &known).is_empty());
    }

    #[test]
    fn an_id_has_its_form() {
        assert!(is_id("5560df16-cebf-4473-95c4-d1b573c16e79"));
        for name in [
            "orders",
            "",
            "5560df16",
            "5560df16-cebf-4473-95c4-d1b573c16e7g",
        ] {
            assert!(!is_id(name), "{name}");
        }
    }
}
