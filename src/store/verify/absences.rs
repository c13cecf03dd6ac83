//! What a task's flags must be by what walks concluded of it, one conclusion after the other.

use crate::store::chain::AbsenceKind;
use crate::store::scan::Flags;

/// Returns the flags, or what is impossible about the conclusions: walk, kind, and the last walk that showed the task.
pub(super) fn flags(absences: &[(i64, i64, Option<i64>)]) -> Result<Flags, String> {
    let mut flags = Flags::default();
    for (walk, number, seen_walk) in absences {
        let Some(kind) = AbsenceKind::of(*number) else {
            return Err(format!(
                "walk {walk} is said to have concluded {number}, which is nothing"
            ));
        };
        let (is_missing, is_confirmed) =
            (flags.missing_walk.is_some(), flags.confirmed_walk.is_some());
        let word = match kind {
            AbsenceKind::Removed => "removed",
            AbsenceKind::AgedOut => "aged_out",
            AbsenceKind::Confirmed if is_missing && !is_confirmed => {
                flags.confirmed_walk = Some(*walk);
                continue;
            }
            AbsenceKind::Reappeared if is_missing => {
                flags = Flags {
                    seen_walk: Some(*walk),
                    ..Flags::default()
                };
                continue;
            }
            AbsenceKind::Confirmed | AbsenceKind::Reappeared => {
                return Err(format!(
                    "walk {walk} concluded that it is {kind:?}, and it was not missing"
                ));
            }
        };
        if is_missing {
            return Err(format!("walk {walk} missed it, and it was missing already"));
        }
        flags = Flags {
            seen_walk: *seen_walk,
            missing_walk: Some(*walk),
            confirmed_walk: None,
            missing_as: Some(word.to_owned()),
        };
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_conclusions_are_the_flags() {
        let missing = |walk, seen, confirmed, word: &str| {
            Ok(Flags {
                seen_walk: Some(seen),
                missing_walk: Some(walk),
                confirmed_walk: confirmed,
                missing_as: Some(word.to_owned()),
            })
        };
        let back = Ok(Flags {
            seen_walk: Some(9),
            ..Flags::default()
        });
        let cases = [
            (vec![], Ok(Flags::default())),
            (vec![(5, 1, Some(4))], missing(5, 4, None, "removed")),
            (vec![(5, 2, Some(4))], missing(5, 4, None, "aged_out")),
            (
                vec![(5, 1, Some(4)), (7, 3, None)],
                missing(5, 4, Some(7), "removed"),
            ),
            (
                vec![(5, 1, Some(4)), (7, 3, None), (9, 4, None)],
                back.clone(),
            ),
            (vec![(5, 1, Some(4)), (9, 4, None)], back),
            (
                vec![(5, 1, Some(4)), (9, 4, None), (11, 1, Some(9))],
                missing(11, 9, None, "removed"),
            ),
        ];
        for (absences, expected) in cases {
            assert_eq!(flags(&absences), expected, "{absences:?}");
        }
    }

    #[test]
    fn conclusions_that_do_not_follow_from_each_other_are_told() {
        for absences in [
            vec![(5, 3, None)],
            vec![(5, 4, None)],
            vec![(5, 1, None), (6, 2, None)],
            vec![(5, 1, None), (6, 3, None), (7, 3, None)],
            vec![(5, 9, None)],
        ] {
            assert!(flags(&absences).is_err(), "{absences:?}");
        }
    }
}
