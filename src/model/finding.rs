//! What a look through the archive finds: something that does not hold, or something that is worth knowing.

/// How much a finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Something that must hold does not.
    Fault,
    /// Worth knowing, and nothing is wrong with it.
    Note,
}

impl Weight {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Note => "note",
        }
    }
}

/// Which promise is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Promise {
    /// The file is a sound database: pages, indexes, references.
    Database,
    /// A stored text has the digest that was noted when it was received.
    Raw,
    /// What stands beside a raw text is what the text says.
    Rows,
    /// Revisions are numbered without gaps, and the current one is the one that the rules choose.
    Revisions,
    /// What is called missing was concluded by the walks that it names.
    Absence,
    /// Counters are those of the rows.
    Counters,
    /// Marks were proven.
    Mark,
    /// The ledger agrees with itself and with what it says was read.
    Ledger,
    /// Nothing that was written once was altered, removed or put in between.
    Chain,
    /// The chain contains the head that was asked for.
    Head,
    /// The tasks of an instance tell one story. The archive cannot promise that, so it is only ever a note.
    Continuity,
}

impl Promise {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Raw => "raw",
            Self::Rows => "rows",
            Self::Revisions => "revisions",
            Self::Absence => "absence",
            Self::Counters => "counters",
            Self::Mark => "mark",
            Self::Ledger => "ledger",
            Self::Chain => "chain",
            Self::Head => "head",
            Self::Continuity => "continuity",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) weight: Weight,
    pub(crate) promise: Promise,
    /// What it was found at: a task, a walk, a sync, an instance.
    pub(crate) place: String,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn fault(
        promise: Promise,
        place: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self {
            weight: Weight::Fault,
            promise,
            place: place.into(),
            what: what.into(),
        }
    }

    pub(crate) fn note(
        promise: Promise,
        place: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self {
            weight: Weight::Note,
            ..Self::fault(promise, place, what)
        }
    }
}
