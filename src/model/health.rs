//! Whether an archive is fresh and healthy: pure, from what its ledger says.
//!
//! What is wrong is a [`Finding`]; some findings are notes, which are worth a look and no alarm. An alarm that never ends is
//! switched off, so whatever is a reason here ends when somebody did something about it, or when the next sync is complete.

use super::coverage::{self, Ledger, Rules, SETTLE, Why, Window};
use super::standing::FUTURE_TOLERANCE;
use super::time::{DAY, Timestamp};

/// Open tasks are noted after this: the longest operations take hours.
pub(crate) const LONG_OPEN: i64 = DAY;

/// Gaps are noted for this long after they ended; `coverage --gaps` tells all of them.
const GAPS_NOTED: i64 = 7 * DAY;

/// How one sync ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) sync_id: i64,
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
    pub(crate) outcome: String,
    /// None of one that was killed.
    pub(crate) exit_code: Option<u8>,
    pub(crate) requests: u32,
    pub(crate) retries: u32,
}

impl Run {
    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self.exit_code, Some(0))
    }
}

/// The syncs of one project. One that read nothing names no project, and counts for every one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    /// None where the archive knows no project yet.
    pub(crate) project_id: Option<String>,
    pub(crate) last: Option<Run>,
    pub(crate) complete: Option<Run>,
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The tasks of an instance.
    Tasks,
    /// The instances of a project.
    Instances,
}

/// What is known of one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) kind: Kind,
    pub(crate) ledger: Ledger,
    /// It says that it has no background tasks, or the sync was told not to read it.
    pub(crate) is_excused: bool,
    /// Records that could not be read, and are still there.
    pub(crate) rejected: u32,
    /// Tasks that are open for longer than [`LONG_OPEN`].
    pub(crate) long_open: u32,
}

impl List {
    /// When the last proven walk began.
    pub(crate) fn proven(&self) -> Option<Timestamp> {
        let last = self.ledger.proven.iter().max_by_key(|walk| walk.number);
        last.map(|walk| walk.started)
    }

    fn is_closed(&self) -> bool {
        self.ledger.gone.is_some() || self.is_excused
    }

    /// Whether it ought to have been proven within that time, and was not.
    pub(crate) fn is_stale(&self, max_age: i64, now: Timestamp) -> bool {
        if self.is_closed() {
            return false;
        }
        match self.proven() {
            Some(proven) => now.distance(proven) > max_age,
            // Nobody asked for the list of instances where instances are named by hand.
            None => self.kind == Kind::Tasks,
        }
    }
}

/// What an archive is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) runs: Vec<Runs>,
    /// When the sync began that has not ended.
    pub(crate) unfinished: Option<Timestamp>,
    /// Somebody holds the archive now.
    pub(crate) is_held: bool,
    pub(crate) lists: Vec<List>,
    /// Only some instances are asked for: then the syncs are judged by what they mean for these.
    pub(crate) is_narrowed: bool,
}

/// What was found; numbers are those of `runs` and of `lists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// No sync has ever ended.
    NeverSynced { run: usize },
    /// Syncs have ended, and none of them complete.
    NeverComplete { run: usize },
    /// The last complete sync is too long ago.
    Old { run: usize, at: Timestamp },
    /// The last sync failed, or left something out.
    NotComplete { run: usize },
    /// The last sync ended after now.
    ClockAhead { run: usize, at: Timestamp },
    /// A sync began, never ended, and does not run.
    Abandoned { since: Timestamp },
    /// No walk of the list was proven lately, or ever.
    Stale { list: usize },
    /// Records that cannot be read are still there.
    Rejected { list: usize, count: u32 },
    /// A sync is at work.
    Running { since: Timestamp },
    /// Tasks are open for long.
    LongOpen { list: usize, count: u32 },
    /// A stretch of time that nothing vouches for has ended lately.
    Gap { list: usize, window: Window },
}

impl Finding {
    /// Worth a look, and no alarm.
    pub(crate) const fn is_note(self) -> bool {
        matches!(
            self,
            Self::Running { .. } | Self::LongOpen { .. } | Self::Gap { .. }
        )
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NeverSynced { .. } => "never_synced",
            Self::NeverComplete { .. } => "never_complete",
            Self::Old { .. } => "old",
            Self::NotComplete { .. } => "not_complete",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::Abandoned { .. } => "abandoned",
            Self::Stale { .. } => "stale",
            Self::Rejected { .. } => "rejected",
            Self::Running { .. } => "running",
            Self::LongOpen { .. } => "long_open",
            Self::Gap { .. } => "gap",
        }
    }
}

/// The period in which gaps are noted.
pub(crate) fn noted(now: Timestamp) -> Window {
    Window {
        since: Some(now.plus(-GAPS_NOTED)),
        until: Some(now),
    }
}

/// Walks further apart than this are a gap, walks older than it are stale: one number for both.
pub(crate) const fn rules(max_age: i64) -> Rules {
    Rules {
        max_gap: max_age,
        settle: SETTLE,
    }
}

/// Judges an archive: no finding that is not a note means that it is healthy.
pub(crate) fn judge(facts: &Facts, max_age: i64, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (run, runs) in facts.runs.iter().enumerate() {
        findings.extend(of_runs(run, runs, facts.is_narrowed, max_age, now));
    }
    if let Some(since) = facts.unfinished {
        findings.push(if facts.is_held {
            Finding::Running { since }
        } else {
            Finding::Abandoned { since }
        });
    }
    for (number, list) in facts.lists.iter().enumerate() {
        findings.extend(of_list(number, list, max_age, now));
    }
    findings.sort_by_key(|finding| finding.is_note());
    findings
}

fn of_runs(
    run: usize,
    runs: &Runs,
    is_narrowed: bool,
    max_age: i64,
    now: Timestamp,
) -> Vec<Finding> {
    let Some(last) = &runs.last else {
        return vec![Finding::NeverSynced { run }];
    };
    let mut findings = Vec::new();
    let at = last.finished;
    if at > now.plus(FUTURE_TOLERANCE) {
        findings.push(Finding::ClockAhead { run, at });
    }
    if is_narrowed {
        return findings;
    }
    match &runs.complete {
        None => findings.push(Finding::NeverComplete { run }),
        Some(Run { finished: at, .. }) if now.distance(*at) > max_age => {
            findings.push(Finding::Old { run, at: *at });
        }
        Some(_) => {}
    }
    if !last.is_complete() {
        findings.push(Finding::NotComplete { run });
    }
    findings
}

fn of_list(number: usize, list: &List, max_age: i64, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if list.is_stale(max_age, now) {
        findings.push(Finding::Stale { list: number });
    }
    if list.is_closed() {
        return findings;
    }
    if list.rejected > 0 {
        findings.push(Finding::Rejected {
            list: number,
            count: list.rejected,
        });
    }
    if list.long_open > 0 {
        findings.push(Finding::LongOpen {
            list: number,
            count: list.long_open,
        });
    }
    let spans = coverage::cover(&list.ledger, rules(max_age), noted(now));
    let gaps = spans
        .iter()
        .filter(|span| matches!(span.why, Why::TooFarApart(_) | Why::ClockWentBack));
    findings.extend(gaps.map(|span| Finding::Gap {
        list: number,
        window: span.window,
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coverage::Proven;
    use crate::model::time::HOUR;

    const MAX_AGE: i64 = 36 * HOUR;

    /// Hours after some moment; it is hour 0 now.
    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_790_812_800_000 + hours * HOUR).unwrap()
    }

    /// When a sync ended, and with which code, if there is one.
    type Ended = Option<(i64, Option<u8>)>;

    fn run(ended: Ended) -> Option<Run> {
        ended.map(|(hours, exit_code)| Run {
            sync_id: 1,
            started: at(hours),
            finished: at(hours),
            outcome: String::new(),
            exit_code,
            requests: 0,
            retries: 0,
        })
    }

    fn list(kind: Kind, proven: &[i64]) -> List {
        let walks = proven.iter().zip(1..).map(|(hours, number)| Proven {
            number,
            started: at(*hours),
            is_full: true,
        });
        List {
            kind,
            ledger: Ledger {
                proven: walks.collect(),
                ..Ledger::default()
            },
            is_excused: false,
            rejected: 0,
            long_open: 0,
        }
    }

    fn healthy() -> Facts {
        Facts {
            runs: vec![Runs {
                project_id: None,
                last: run(Some((-1, Some(0)))),
                complete: run(Some((-1, Some(0)))),
            }],
            lists: vec![list(Kind::Tasks, &[-25, -1])],
            ..Facts::default()
        }
    }

    fn told(facts: &Facts) -> Vec<String> {
        let findings = judge(facts, MAX_AGE, at(0));
        let told = findings.iter().map(|finding| {
            let mark = if finding.is_note() { "note " } else { "" };
            format!("{mark}{}", finding.as_str())
        });
        told.collect()
    }

    #[test]
    fn the_syncs_are_judged_by_the_last_one_and_the_last_complete_one() {
        let cases: [(&str, Ended, Ended, &[&str]); 10] = [
            ("complete", Some((-1, Some(0))), Some((-1, Some(0))), &[]),
            ("none", None, None, &["never_synced"]),
            (
                "never complete",
                Some((-1, Some(3))),
                None,
                &["never_complete", "not_complete"],
            ),
            (
                "the last one partial",
                Some((-1, Some(3))),
                Some((-2, Some(0))),
                &["not_complete"],
            ),
            (
                "the last one was killed",
                Some((-1, None)),
                Some((-2, Some(0))),
                &["not_complete"],
            ),
            (
                "just within",
                Some((-36, Some(0))),
                Some((-36, Some(0))),
                &[],
            ),
            (
                "too old",
                Some((-37, Some(0))),
                Some((-37, Some(0))),
                &["old"],
            ),
            (
                "failing for long",
                Some((-1, Some(5))),
                Some((-40, Some(0))),
                &["old", "not_complete"],
            ),
            (
                "an hour ahead",
                Some((1, Some(0))),
                Some((1, Some(0))),
                &["clock_ahead"],
            ),
            (
                "a year ahead is no fresher",
                Some((9000, Some(0))),
                Some((9000, Some(0))),
                &["clock_ahead", "old"],
            ),
        ];
        for (name, last, complete, expected) in cases {
            let mut facts = healthy();
            facts.runs[0].last = run(last);
            facts.runs[0].complete = run(complete);
            assert_eq!(told(&facts), expected, "{name}");
        }
        let mut clocks = healthy();
        let soon = at(0).plus(FUTURE_TOLERANCE);
        clocks.runs[0].last.as_mut().unwrap().finished = soon;
        assert!(told(&clocks).is_empty(), "clocks may differ by minutes");
    }

    #[test]
    fn every_project_is_judged_by_its_own_syncs() {
        let mut facts = healthy();
        facts.runs.push(Runs {
            project_id: Some("other".to_owned()),
            last: run(Some((-1, Some(5)))),
            complete: run(Some((-40, Some(0)))),
        });
        let findings = judge(&facts, MAX_AGE, at(0));
        assert_eq!(
            findings,
            [
                Finding::Old {
                    run: 1,
                    at: at(-40)
                },
                Finding::NotComplete { run: 1 }
            ]
        );
    }

    #[test]
    fn a_sync_that_never_ended_is_running_or_abandoned() {
        let mut facts = healthy();
        facts.unfinished = Some(at(-3));
        assert_eq!(told(&facts), ["abandoned"]);
        facts.is_held = true;
        assert_eq!(told(&facts), ["note running"]);
    }

    #[test]
    fn every_list_is_judged_by_its_own_walks() {
        let gone = |mut list: List| {
            list.ledger.gone = Some(at(-90));
            list
        };
        let unsupported = |list: List| List {
            is_excused: true,
            ..list
        };
        let with = |list: List, rejected, long_open| List {
            rejected,
            long_open,
            ..list
        };
        let tasks = |proven: &[i64]| list(Kind::Tasks, proven);
        let instances = |proven: &[i64]| list(Kind::Instances, proven);
        let cases: [(&str, List, &[&str]); 15] = [
            ("fresh", tasks(&[-25, -1]), &[]),
            ("never proven", tasks(&[]), &["stale"]),
            ("just within", tasks(&[-36]), &[]),
            ("too old", tasks(&[-37]), &["stale"]),
            ("too far ahead", tasks(&[37]), &["stale"]),
            ("gone", gone(tasks(&[-100])), &[]),
            ("gone, never proven", gone(tasks(&[])), &[]),
            ("without tasks", unsupported(tasks(&[])), &[]),
            ("a list that nobody asked for", instances(&[]), &[]),
            ("a list that was read once", instances(&[-37]), &["stale"]),
            ("rejected", with(tasks(&[-1]), 2, 0), &["rejected"]),
            ("rejected, but gone", gone(with(tasks(&[-1]), 2, 3)), &[]),
            ("long open", with(tasks(&[-1]), 0, 3), &["note long_open"]),
            ("a gap in this week", tasks(&[-100, -25, -1]), &["note gap"]),
            (
                "a gap before it",
                tasks(&[-400, -200, -169, -140, -110, -80, -50, -25, -1]),
                &[],
            ),
        ];
        for (name, list, expected) in cases {
            let mut facts = healthy();
            facts.lists = vec![list];
            assert_eq!(told(&facts), expected, "{name}");
        }
    }

    #[test]
    fn asked_of_some_instances_other_ones_and_their_syncs_do_not_count() {
        let mut facts = healthy();
        facts.runs[0].last = run(Some((-1, Some(3))));
        facts.runs[0].complete = None;
        facts.is_narrowed = true;
        assert_eq!(told(&facts), [""; 0]);
        facts.runs[0].last = None;
        assert_eq!(told(&facts), ["never_synced"]);
    }
}
