//! What somebody should look at, as page one lists it: a sentence each, the worst first, with the chapter that tells more.

use super::gather::Report;
use super::say::{self, Say, count};
use crate::model::coverage::State;
use crate::model::time::Timestamp;
use crate::output::document::{Point, Tone};
use crate::report::audit::{Facts, Kind, Turn};

pub(super) fn points(report: &Report, say: &Say<'_>) -> Vec<Point> {
    let mut points = opened(&report.facts);
    points.extend(failed(&report.facts));
    points.extend(unknown(report));
    points.extend(slow(report));
    points.extend(changed(&report.facts));
    points.extend(gone(report, say));
    points.extend(worth_knowing(report));
    // The worst first; among equals their order here.
    points.sort_by_key(|point| std::cmp::Reverse(weight(point.tone)));
    points
}

const fn weight(tone: Tone) -> u8 {
    match tone {
        Tone::Bad => 3,
        Tone::Unknown => 2,
        Tone::Doubtful => 1,
        Tone::Plain | Tone::Good | Tone::Faint => 0,
    }
}

fn point(text: String, tone: Tone, section: &str) -> Point {
    Point {
        text,
        tone,
        link: Some(section.to_owned()),
    }
}

/// A point for each of these changes of exposure that took effect.
fn turned(facts: &Facts, turn: Turn, tone: Tone, said: &[(Kind, &str)]) -> Vec<Point> {
    let times = |kind: Kind| -> u64 {
        let turns = facts.turns.iter();
        let turns = turns.filter(|one| (one.0, one.1) == (kind, turn));
        turns.map(|one| one.2).sum()
    };
    let points = said.iter().filter_map(|(kind, said)| {
        let often = match times(*kind) {
            0 => return None,
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            many => format!("{} times", say::grouped(many)),
        };
        Some(point(format!("{said} {often}."), tone, "exposure"))
    });
    points.collect()
}

fn opened(facts: &Facts) -> Vec<Point> {
    let said = [
        (Kind::PublicAccess, "Public access was enabled"),
        (
            Kind::Whitelist,
            "The IP whitelist was switched off, or opened to every address,",
        ),
        (Kind::Tls, "TLS was switched off"),
    ];
    turned(facts, Turn::Opened, Tone::Bad, &said)
}

fn changed(facts: &Facts) -> Vec<Point> {
    let said = [
        (Kind::Whitelist, "The IP whitelist was changed"),
        (Kind::Port, "A port was changed"),
        (Kind::Password, "A password was changed"),
    ];
    turned(facts, Turn::Changed, Tone::Doubtful, &said)
}

fn failed(facts: &Facts) -> Vec<Point> {
    let mut points = Vec::new();
    let failed = facts.failures.total();
    if failed > 0 {
        let tasks = count(failed, "task", "tasks");
        points.push(point(format!("{tasks} failed."), Tone::Bad, "failures"));
    }
    if facts.removed > 0 {
        let text = count(
            facts.removed,
            "record was removed from the cloud's list. The archive has kept it.",
            "records were removed from the cloud's list. The archive has kept them.",
        );
        points.push(point(text, Tone::Bad, "missing"));
    }
    points
}

/// What nobody can know, or what may be missing in this report.
fn unknown(report: &Report) -> Vec<Point> {
    let mut points = Vec::new();
    let gaps = report.length(State::Gap);
    if gaps > 0 {
        let gaps = say::length(gaps);
        let text =
            format!("For {gaps} of the period nothing vouches: a change may be missing here.");
        points.push(point(text, Tone::Unknown, "coverage"));
    }
    let breaks = report.facts.breaks.total();
    if breaks > 0 {
        let text = count(
            breaks,
            "attribute was found other than the task before had left it.",
            "attributes were found other than the tasks before had left them.",
        );
        points.push(point(text, Tone::Unknown, "continuity"));
    }
    let unplaced = report.unplaced().into_iter();
    points.extend(unplaced.map(|(sentence, section)| point(sentence, Tone::Unknown, section)));
    points
}

fn slow(report: &Report) -> Vec<Point> {
    let facts = &report.facts;
    let long = say::length(report.asked.long);
    let mut points = Vec::new();
    if facts.stuck > 0 {
        let tasks = count(facts.stuck, "task has", "tasks have");
        let text = format!("{tasks} been open for more than {long}.");
        points.push(point(text, Tone::Doubtful, "long"));
    }
    let slow = facts.long.total() - facts.stuck;
    if slow > 0 {
        let tasks = count(slow, "task", "tasks");
        let text = format!("{tasks} took more than {long}.");
        points.push(point(text, Tone::Doubtful, "long"));
    }
    points
}

/// Instances that an audit names one by one; of a greater number it says how many.
const NAMED: usize = 10;

fn gone(report: &Report, say: &Say<'_>) -> Vec<Point> {
    let is_in = |gone: &Timestamp| *gone >= report.asked.since && *gone < report.asked.until;
    let lanes = report.survey.lanes.iter().enumerate();
    let gone: Vec<_> = lanes
        .filter_map(|(place, lane)| Some((place, lane, lane.gone.filter(is_in)?)))
        .collect();
    if gone.len() > NAMED {
        let text = format!(
            "{} were found gone.",
            count(gone.len() as u64, "instance", "instances")
        );
        return vec![point(text, Tone::Doubtful, "instances")];
    }
    let points = gone.into_iter().map(|(place, lane, gone)| {
        let name = say.instance(&lane.instance);
        let text = format!(
            "The instance {name} was found gone on {}.",
            say.minute(gone)
        );
        if report.facts.instances[place].counts.tasks > 0 {
            point(text, Tone::Doubtful, &say::anchor(place))
        } else {
            point(text, Tone::Doubtful, "instances")
        }
    });
    points.collect()
}

fn worth_knowing(report: &Report) -> Vec<Point> {
    let mut points = Vec::new();
    let aged = report.facts.missing.total() - report.facts.removed;
    if aged > 0 {
        let text = count(
            aged,
            "record is no longer listed by the cloud. The archive has kept it.",
            "records are no longer listed by the cloud. The archive has kept them.",
        );
        points.push(point(text, Tone::Plain, "missing"));
    }
    if report.drift.1 > 0 {
        let things = count(report.drift.1, "thing was", "things were");
        let text = format!("{things} met that the cloud's documentation does not know.");
        points.push(point(text, Tone::Plain, "drift"));
    }
    points
}
