//! Page one: what most readers read. The four questions, each with its answer, and what somebody should look at.

use super::gather::Report;
use super::say::{self, Say, count};
use crate::model::coverage::{Overall, State};
use crate::model::time::Timestamp;
use crate::output::document::{Answer, Block, Level, Point, Section, Tone};
use crate::output::phrase::duration;
use crate::report::audit::{Kind, Turn};

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
        did_it_succeed(report),
        what_cannot_be_known(report, say),
    ];
    let mut points = points(report, say);
    // The worst first; among equals their order here.
    points.sort_by_key(|point| std::cmp::Reverse(weight(point.tone)));
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

const fn weight(tone: Tone) -> u8 {
    match tone {
        Tone::Bad => 3,
        Tone::Unknown => 2,
        Tone::Doubtful => 1,
        Tone::Plain | Tone::Good | Tone::Faint => 0,
    }
}

fn was_there_a_change(report: &Report) -> Answer {
    let counts = &report.facts.counts;
    let touched = report.facts.instances.iter();
    let touched = touched.filter(|one| one.counts.tasks > 0).count();
    let (answer, tone) = match (counts.tasks, report.is_proven()) {
        (0, true) => (
            "No. No task was created, and the archive vouches for the whole period.".to_owned(),
            Tone::Good,
        ),
        (0, false) => (
            "None is known, and none can be ruled out.".to_owned(),
            Tone::Unknown,
        ),
        (tasks, _) => {
            let tasks = count(tasks, "task", "tasks");
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
    Answer {
        question: "Was there a change?".to_owned(),
        answer,
        tone,
        details,
    }
}

fn by_whom(report: &Report) -> Answer {
    let users: Vec<_> = report.users.iter().collect();
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "(no user)".to_owned());
    let answer = match users.as_slice() {
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
    Answer {
        question: "By whom?".to_owned(),
        answer,
        tone: Tone::Plain,
        details: Vec::new(),
    }
}

fn did_it_succeed(report: &Report) -> Answer {
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
            report.say_minute(read_until)
        ));
    }
    Answer {
        question: "Did it succeed?".to_owned(),
        answer,
        tone,
        details,
    }
}

fn what_cannot_be_known(report: &Report, say: &Say<'_>) -> Answer {
    let of = |state: State| {
        report
            .survey
            .all
            .iter()
            .filter(move |span| span.state == state)
    };
    let length = |state: State| -> i64 { of(state).map(millis).sum() };
    let gaps = length(State::Gap);
    let period = report.asked.until.distance(report.asked.since);
    let (answer, tone) = if report.survey.instances == 0 {
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
        let (gaps, period) = (duration(gaps), duration(period));
        (
            format!(
                "What came and went in {gaps} of these {period}: nothing vouches for that time."
            ),
            Tone::Unknown,
        )
    } else if length(State::Inherited) > 0 {
        (
            "What was deleted before the first proven reading.".to_owned(),
            Tone::Doubtful,
        )
    } else {
        (
            "Nothing that lasted: proven readings vouch for the whole period.".to_owned(),
            Tone::Good,
        )
    };
    let mut details: Vec<_> = of(State::Gap)
        .take(TOLD)
        .map(|span| {
            let whose = whose(span, report.survey.instances);
            let stretch = say.stretch(span.window.since, span.window.until);
            format!("Cannot know: {stretch} ({whose}).")
        })
        .collect();
    let more = of(State::Gap).count().saturating_sub(TOLD);
    if more > 0 {
        details.push(format!("{more} more such stretches are listed below."));
    }
    for span in of(State::Inherited).take(1) {
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
            duration(widest)
        ));
    }
    Answer {
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

pub(super) fn millis(span: &Overall) -> i64 {
    let bounds = span.window.since.zip(span.window.until);
    bounds.map_or(0, |(since, until)| until.distance(since))
}

impl Report {
    /// Says whether every moment of the period is vouched for, so that none found is none.
    pub(super) fn is_proven(&self) -> bool {
        let is_sure = |span: &Overall| {
            matches!(
                span.state,
                State::Before | State::Closed | State::Vouched | State::CaughtUp
            )
        };
        self.survey.instances > 0
            && self.survey.all.iter().all(is_sure)
            && self.rejected == 0
            && self.facts.undated.total() == 0
    }

    fn say_minute(&self, time: Timestamp) -> String {
        use crate::output::phrase::Precision;
        self.asked.zone.moment(&time.to_string(), Precision::Minute)
    }
}

/// What somebody should look at.
fn points(report: &Report, say: &Say<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    let mut point = |text: String, tone: Tone, link: &str| {
        points.push(Point {
            text,
            tone,
            link: Some(link.to_owned()),
        });
    };
    let facts = &report.facts;
    let turned = |kind: Kind, turn: Turn| -> u64 {
        let turns = facts.turns.iter();
        let turns = turns.filter(|one| (one.0, one.1) == (kind, turn));
        turns.map(|one| one.2).sum()
    };
    let times = |count: u64| match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{} times", say::grouped(many)),
    };
    let opened = [
        (Kind::PublicAccess, "Public access was enabled"),
        (
            Kind::Whitelist,
            "The IP whitelist was switched off, or opened to every address,",
        ),
        (Kind::Tls, "TLS was switched off"),
    ];
    for (kind, said) in opened {
        match turned(kind, Turn::Opened) {
            0 => {}
            many => point(format!("{said} {}.", times(many)), Tone::Bad, "exposure"),
        }
    }
    let failed = facts.failures.total();
    if failed > 0 {
        let tasks = count(failed, "task", "tasks");
        point(format!("{tasks} failed."), Tone::Bad, "failures");
    }
    if facts.removed > 0 {
        let records = count(facts.removed, "record was", "records were");
        point(
            format!(
                "{records} removed from the cloud's list. The archive has kept what they said."
            ),
            Tone::Bad,
            "missing",
        );
    }
    let gaps = report
        .survey
        .all
        .iter()
        .filter(|span| span.state == State::Gap);
    let gaps: i64 = gaps.map(millis).sum();
    if gaps > 0 {
        let gaps = duration(gaps);
        point(
            format!("For {gaps} of the period nothing vouches: a change may be missing here."),
            Tone::Unknown,
            "coverage",
        );
    }
    let doubts = [
        (
            facts.breaks.total(),
            "attribute was found other than the task before had left it.",
            "attributes were found other than the tasks before had left them.",
            "continuity",
        ),
        (
            facts.undated.total(),
            "task bears no time of creation, and may belong into the period.",
            "tasks bear no time of creation, and may belong into the period.",
            "undated",
        ),
        (
            u64::from(report.rejected),
            "record could not be read, and may be of the period.",
            "records could not be read, and may be of the period.",
            "method",
        ),
    ];
    for (number, one, many, link) in doubts {
        if number > 0 {
            point(count(number, one, many), Tone::Unknown, link);
        }
    }
    let long = duration(report.asked.long);
    if facts.stuck > 0 {
        let tasks = count(facts.stuck, "task has", "tasks have");
        point(
            format!("{tasks} been open for more than {long}."),
            Tone::Doubtful,
            "long",
        );
    }
    let slow = facts.long.total() - facts.stuck;
    if slow > 0 {
        let tasks = count(slow, "task", "tasks");
        point(
            format!("{tasks} took more than {long}."),
            Tone::Doubtful,
            "long",
        );
    }
    let changed = [
        (Kind::Whitelist, "The IP whitelist was changed"),
        (Kind::Port, "A port was changed"),
        (Kind::Password, "A password was changed"),
    ];
    for (kind, said) in changed {
        match turned(kind, Turn::Changed) {
            0 => {}
            many => point(
                format!("{said} {}.", times(many)),
                Tone::Doubtful,
                "exposure",
            ),
        }
    }
    for (place, lane) in report.survey.lanes.iter().enumerate() {
        let is_in = |gone: &Timestamp| *gone >= report.asked.since && *gone < report.asked.until;
        if let Some(gone) = lane.gone.filter(is_in) {
            let name = say.instance(&lane.instance);
            let gone = say.minute(gone);
            let text = format!("The instance {name} was found gone on {gone}.");
            let link = if facts.instances[place].counts.tasks > 0 {
                say::anchor(place)
            } else {
                "instances".to_owned()
            };
            point(text, Tone::Doubtful, &link);
        }
    }
    let aged = facts.missing.total() - facts.removed;
    if aged > 0 {
        let records = count(aged, "record is", "records are");
        point(
            format!(
                "{records} no longer listed by the cloud; the archive has kept what they said."
            ),
            Tone::Plain,
            "missing",
        );
    }
    if report.drift.1 > 0 {
        let things = count(report.drift.1, "thing was", "things were");
        point(
            format!("{things} met that the cloud's documentation does not know."),
            Tone::Plain,
            "drift",
        );
    }
    points
}
