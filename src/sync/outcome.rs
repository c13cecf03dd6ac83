//! What a sync came to: pure, from what each instance came to.

/// What one instance came to in one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstanceEnd {
    Proven,
    /// Proven, and a record was set aside that never was before.
    ProvenWithNewRejects,
    /// Its walk reached the end and proves nothing.
    Unproven,
    /// That it does not exist any more was established by this sync.
    AbsenceEstablished,
    /// It is known not to exist any more.
    AbsenceNoted,
    /// It says, for the first time, that it has no background tasks.
    UnsupportedFound,
    UnsupportedNoted,
    /// Its walk did not reach the end, or it was not tried.
    NotRead,
    /// The cloud refuses to show it.
    Forbidden,
    /// It was never known, and the cloud does not know it.
    Unknown,
}

impl InstanceEnd {
    pub(crate) const fn is_proven(self) -> bool {
        matches!(self, Self::Proven | Self::ProvenWithNewRejects)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Proven | Self::ProvenWithNewRejects => "proven",
            Self::Unproven => "unproven",
            Self::AbsenceEstablished | Self::AbsenceNoted => "gone",
            Self::UnsupportedFound | Self::UnsupportedNoted => "unsupported",
            Self::NotRead => "not_read",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
        }
    }
}

/// What the sync as a whole came to, apart from what stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Partial,
    /// Every instance was refused.
    Refused,
    /// No instance was read to its end.
    Unread,
    /// Only instances that the cloud does not know were asked for.
    UnknownInstance,
    /// No instance is what was asked for.
    NoneChosen,
}

/// Says what a sync came to; `list` is what the list of instances did, where it was read. Complete means that it and every
/// instance are proven and that nothing was rejected for the first time.
pub(crate) fn outcome(list: Option<InstanceEnd>, ends: &[InstanceEnd]) -> Outcome {
    let of_instances = of_instances(ends);
    match list {
        None | Some(InstanceEnd::Proven) => of_instances,
        // What the list does not prove, no instance makes good; and without any, the list is all that there was to read.
        Some(_) if of_instances == Outcome::Complete && !ends.is_empty() => Outcome::Partial,
        Some(_) if !ends.is_empty() => of_instances,
        Some(InstanceEnd::ProvenWithNewRejects) => Outcome::Partial,
        Some(InstanceEnd::Forbidden) => Outcome::Refused,
        Some(_) => Outcome::Unread,
    }
}

fn of_instances(ends: &[InstanceEnd]) -> Outcome {
    use InstanceEnd::{
        AbsenceEstablished, AbsenceNoted, Forbidden, NotRead, Proven, ProvenWithNewRejects,
        Unproven, UnsupportedFound, UnsupportedNoted,
    };
    let all = |of: &[InstanceEnd]| ends.iter().all(|end| of.contains(end));
    let any = |of: &[InstanceEnd]| ends.iter().any(|end| of.contains(end));
    if all(&[Proven, AbsenceNoted, UnsupportedNoted]) {
        return Outcome::Complete;
    }
    let told = [
        Proven,
        ProvenWithNewRejects,
        Unproven,
        AbsenceEstablished,
        AbsenceNoted,
        UnsupportedFound,
        UnsupportedNoted,
    ];
    if any(&told) {
        return Outcome::Partial;
    }
    if any(&[NotRead]) {
        return Outcome::Unread;
    }
    if any(&[Forbidden]) {
        Outcome::Refused
    } else {
        Outcome::UnknownInstance
    }
}

#[cfg(test)]
mod tests {
    use InstanceEnd::*;

    use super::*;

    #[test]
    fn what_a_sync_came_to_follows_from_its_instances() {
        let cases: [(&str, &[InstanceEnd], Outcome); 17] = [
            ("all proven", &[Proven, Proven], Outcome::Complete),
            (
                "a gone one, known",
                &[Proven, AbsenceNoted],
                Outcome::Complete,
            ),
            ("only gone ones, known", &[AbsenceNoted], Outcome::Complete),
            (
                "without tasks, known",
                &[UnsupportedNoted],
                Outcome::Complete,
            ),
            ("a new reject", &[ProvenWithNewRejects], Outcome::Partial),
            ("unproven", &[Unproven], Outcome::Partial),
            ("one of two unproven", &[Proven, Unproven], Outcome::Partial),
            (
                "absence established",
                &[AbsenceEstablished],
                Outcome::Partial,
            ),
            (
                "without tasks, first time",
                &[UnsupportedFound],
                Outcome::Partial,
            ),
            ("one not read", &[Proven, NotRead], Outcome::Partial),
            ("one refused", &[Proven, Forbidden], Outcome::Partial),
            (
                "one unknown among others",
                &[Proven, Unknown],
                Outcome::Partial,
            ),
            ("none read", &[NotRead, NotRead], Outcome::Unread),
            (
                "none read, one refused",
                &[NotRead, Forbidden],
                Outcome::Unread,
            ),
            ("all refused", &[Forbidden, Forbidden], Outcome::Refused),
            ("unknown alone", &[Unknown], Outcome::UnknownInstance),
            (
                "unknown, and another not read",
                &[Unknown, NotRead],
                Outcome::Unread,
            ),
        ];
        for (name, ends, expected) in cases {
            assert_eq!(outcome(None, ends), expected, "{name}");
        }
    }

    #[test]
    fn the_list_of_instances_has_its_part_in_what_a_sync_came_to() {
        let proven: &[InstanceEnd] = &[Proven];
        let cases: [(InstanceEnd, &[InstanceEnd], Outcome); 13] = [
            (Proven, proven, Outcome::Complete),
            (Proven, &[], Outcome::Complete),
            (Proven, &[NotRead], Outcome::Unread),
            (ProvenWithNewRejects, proven, Outcome::Partial),
            (ProvenWithNewRejects, &[], Outcome::Partial),
            (Unproven, proven, Outcome::Partial),
            (Unproven, &[], Outcome::Unread),
            (NotRead, proven, Outcome::Partial),
            (NotRead, &[NotRead], Outcome::Unread),
            (NotRead, &[], Outcome::Unread),
            (Forbidden, proven, Outcome::Partial),
            (Forbidden, &[Forbidden], Outcome::Refused),
            (Forbidden, &[], Outcome::Refused),
        ];
        for (list, ends, expected) in cases {
            assert_eq!(outcome(Some(list), ends), expected, "{list:?} {ends:?}");
        }
    }
}
