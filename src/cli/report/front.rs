//! Page one: what most readers read. The four questions, each with its answer, and what somebody should look at.

use super::attention;
use super::gather::Report;
use super::say::{self, Say, count};
use crate::model::coverage::{Answer, Facts, Overall, State};
use crate::output::document::{self, Block, Level, Section, Tone};

/// Stretches of time and names that an answer tells one by one: more are in their chapter.
const TOLD: usize = 5;

pub(super) fn sections(report: &Report, say: &Say<'_>) -> Vec<Section> {
    let section = |id: &str, title: &str, blocks| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        level: Level::Front,
        blocks,
    };
    let answers = vec![
        was_there_a_change(report),
        by_whom(report),
        did_it_succeed(report, say),
        what_cannot_be_known(report, say),
    ];
    let points = attention::points(report, say);
    let attention = if points.is_empty() {
        Block::Text("Nothing in this period needs attention.".to_owned())
    } else {
        Block::Points(points)
    };
    vec![
        section("summary", "In short", vec![Block::Answers(answers)]),
        section("attention", "What needs attention", vec![attention]),
    ]
}

fn was_there_a_change(report: &Report) -> document::Answer {
    let counts = &report.facts.counts;
    let touched = report.facts.instances.iter();
    let touched = touched.filter(|one| one.counts.tasks > 0).count();
    let (answer, tone) = match report.answer(counts.tasks) {
        Answer::ProvenNone => (
            "No. No task was created, and the archive vouches for the whole period.".to_owned(),
            Tone::Good,
        ),
        Answer::CannotKnow => (
            "None is known, and none can be ruled out.".to_owned(),
            Tone::Unknown,
        ),
        Answer::Found => {
            let tasks = count(counts.tasks, "task", "tasks");
            let of = report.survey.instances as u64;
            let instances = format!("{} of {}", touched, count(of, "instance", "instances"));
            (format!("Yes: {tasks}, on {instances}."), Tone::Plain)
        }
    };
    let mut details = Vec::new();
    let finished = report.facts.finished.total();
    if finished > 0 {
        let tasks = count(finished, "task was", "tasks were");
        details.push(format!(
            "Besides, {tasks} created before the period and ended in it."
        ));
    }
    document::Answer {
        question: "Was there a change?".to_owned(),
        answer,
        tone,
        details,
    }
}

fn by_whom(report: &Report) -> document::Answer {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "(no user)".to_owned());
    let answer = match report.users.as_slice() {
        [] => "By nobody that is known.".to_owned(),
        [one] => format!("By {}.", name(&one.name)),
        several => {
            let named: Vec<_> = several
                .iter()
                .take(TOLD)
                .map(|one| format!("{} ({})", name(&one.name), say::grouped(one.counts.tasks)))
                .collect();
            let rest = several.len().saturating_sub(TOLD) as u64;
            let rest = match rest {
                0 => String::new(),
                rest => format!(", and {} more", say::grouped(rest)),
            };
            format!("By {}{rest}.", named.join(", "))
        }
    };
    document::Answer {
        question: "By whom?".to_owned(),
        answer,
        tone: Tone::Plain,
        details: Vec::new(),
    }
}

fn did_it_succeed(report: &Report, say: &Say<'_>) -> document::Answer {
    let counts = &report.facts.counts;
    let parts = [
        (counts.succeeded, "succeeded"),
        (counts.failed, "failed"),
        (counts.ended(), "ended otherwise"),
        (counts.open, "still open"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", say::grouped(*count)))
        .collect();
    let (answer, tone) = match counts.tasks {
        0 => ("There is nothing to tell.".to_owned(), Tone::Faint),
        1 if counts.succeeded == 1 => ("Yes, it succeeded.".to_owned(), Tone::Good),
        tasks if counts.succeeded == tasks => {
            let all = say::grouped(tasks);
            (format!("Yes, all {all} succeeded."), Tone::Good)
        }
        _ => {
            let tone = if counts.failed > 0 {
                Tone::Bad
            } else {
                Tone::Doubtful
            };
            (format!("Not all: {}.", parts.join(", ")), tone)
        }
    };
    let mut details = Vec::new();
    if counts.open > 0
        && let Some(read_until) = report.read_until
    {
        details.push(format!(
            "What is open was so at the last reading, {}.",
            say.minute(read_until)
        ));
    }
    document::Answer {
        question: "Did it succeed?".to_owned(),
        answer,
        tone,
        details,
    }
}

fn what_cannot_be_known(report: &Report, say: &Say<'_>) -> document::Answer {
    let gaps = report.length(State::Gap);
    let period = report.asked.until.distance(report.asked.since);
    let (answer, tone) = if report.survey.all.is_empty() {
        (
            "Anything: the archive holds no instance.".to_owned(),
            Tone::Unknown,
        )
    } else if gaps >= period {
        (
            "Anything: at no moment does the archive vouch for all of it.".to_owned(),
            Tone::Unknown,
        )
    } else if gaps > 0 {
        let (gaps, period) = (say::length(gaps), say::length(period));
        (
            format!(
                "Whatever came and went within {gaps} of these {period}: nothing vouches for them."
            ),
            Tone::Unknown,
        )
    } else if report.length(State::Inherited) > 0 {
        (
            "What was deleted before the first proven reading.".to_owned(),
            Tone::Doubtful,
        )
    } else if report.length(State::CaughtUp) > 0 {
        (
            "Whether an old record showed late while another was deleted: part of the period is only caught up."
                .to_owned(),
            Tone::Doubtful,
        )
    } else if !report.is_proven() {
        (
            "Whether what cannot be read or placed is of the period.".to_owned(),
            Tone::Unknown,
        )
    } else {
        (
            "Nothing that lasted: proven readings vouch for the whole period.".to_owned(),
            Tone::Good,
        )
    };
    let mut details: Vec<_> = report
        .spans(State::Gap)
        .take(TOLD)
        .map(|span| {
            let whose = whose(span, report.survey.instances);
            let stretch = say.stretch(span.window.since, span.window.until);
            format!("Cannot know: {stretch} ({whose}).")
        })
        .collect();
    let more = report.spans(State::Gap).count().saturating_sub(TOLD);
    if more > 0 {
        details.push(format!("{more} more such stretches are listed below."));
    }
    for span in report.spans(State::Inherited).take(1) {
        let stretch = say.stretch(span.window.since, span.window.until);
        details.push(format!(
            "Inherited: {stretch}. What was still listed then is here; what had been deleted before, nobody can tell."
        ));
    }
    if let Some(widest) = report
        .survey
        .all
        .iter()
        .filter_map(|span| span.widest)
        .max()
    {
        details.push(format!(
            "Elsewhere only a task that was created and deleted between two readings may be unseen; they were at most {} apart.",
            say::length(widest)
        ));
    }
    let unplaced = report.unplaced().into_iter();
    details.extend(unplaced.map(|(sentence, _)| sentence));
    document::Answer {
        question: "What can we not know?".to_owned(),
        answer,
        tone,
        details,
    }
}

/// Whose the doubt is: the list of instances concerns those that nobody knows.
pub(super) fn whose(span: &Overall, instances: usize) -> String {
    let mut whose = Vec::new();
    if span.instances > 0 {
        let of = count(instances as u64, "instance", "instances");
        whose.push(format!("{} of {of}", span.instances));
    }
    if span.lists > 0 {
        whose.push("the list of instances itself".to_owned());
    }
    whose.join(", and ")
}

impl Report {
    /// Answers whether there was none, by the rule of `assert-none`.
    fn answer(&self, found: u64) -> Answer {
        let counted = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let facts = Facts {
            found: counted(found),
            all: &self.survey.all,
            rejected: self.rejected,
            undated: counted(self.facts.undated.total()),
            ..Facts::default()
        };
        facts.answer()
    }

    /// Says whether every moment of the period is vouched for and nothing is in doubt: what is not here was not there.
    pub(super) fn is_proven(&self) -> bool {
        self.answer(0) == Answer::ProvenNone
    }

    /// The stretches in which all together are in a state.
    pub(super) fn spans(&self, state: State) -> impl Iterator<Item = &Overall> {
        let spans = self.survey.all.iter();
        spans.filter(move |span| span.state == state)
    }

    /// For how long they are in it, in milliseconds.
    pub(super) fn length(&self, state: State) -> i64 {
        self.spans(state)
            .filter_map(|span| span.window.length())
            .sum()
    }

    /// Sentences on what may be of the period and cannot be placed, each with the section that tells more.
    pub(super) fn unplaced(&self) -> Vec<(String, &'static str)> {
        let unplaced = [
            (
                self.facts.undated.total(),
                "task bears no time of creation, and may belong into the period.",
                "tasks bear no time of creation, and may belong into the period.",
                "undated",
            ),
            (
                u64::from(self.rejected),
                "record could not be read, and may be of the period.",
                "records could not be read, and may be of the period.",
                "method",
            ),
        ];
        let unplaced = unplaced.iter().filter(|(number, ..)| *number > 0);
        unplaced
            .map(|(number, one, many, section)| (count(*number, one, many), *section))
            .collect()
    }
}
