//! The changes, instance by instance.

use super::activity::{MEASURES, measured, measures};
use super::tasks::{TASK, task, took};
use super::timeline::timeline;
use super::{chapter, table, text, values};
use crate::cli::report::gather::Report;
use crate::cli::report::say::{
    self, Say, anchor, cell, changed, code, figures, heading, nothing, optional, status, time_cell,
};
use crate::model::coverage::State;
use crate::output::Cell;
use crate::output::document::{Block, Chart, Drawing, Level, Section, Shown, Tone};
use crate::output::phrase;

pub(super) fn instances(report: &Report, say: &Say<'_>) -> Vec<Section> {
    let mut headings = vec![heading("Instance"), code("Id")];
    headings.extend(MEASURES);
    headings.push(heading("Cannot know"));
    let mut all = table(
        "instances",
        headings,
        &[
            "project_id",
            "instance_id",
            "instance_name",
            "tasks",
            "succeeded",
            "failed",
            "ended",
            "open",
            "missing",
            "gap_ms",
            "gone_at",
        ],
        "The archive holds no instance.",
    );
    let mut parts = Vec::new();
    for (place, (lane, facts)) in report
        .survey
        .lanes
        .iter()
        .zip(&report.facts.instances)
        .enumerate()
    {
        let name = say.instance(&lane.instance);
        let mut shown = Shown::new(name.as_str());
        if facts.counts.tasks > 0 {
            shown = shown.linked(anchor(place));
            parts.push(instance(report, say, place));
        }
        let gap: i64 = lane
            .spans
            .iter()
            .filter(|span| span.state == State::Gap)
            .filter_map(|span| span.window.length())
            .sum();
        let unknown = if gap > 0 {
            Shown::new(phrase::duration(gap)).toned(Tone::Unknown)
        } else {
            nothing()
        };
        let key = &lane.instance.key;
        let mut row = vec![shown, Shown::new(&key.instance_id)];
        row.extend(measures(&facts.counts));
        row.push(unknown);
        let mut data = values([
            Cell::text(&key.project_id),
            Cell::text(&key.instance_id),
            cell(lane.instance.name.as_deref()),
        ]);
        data.extend(values(measured(&facts.counts)));
        data.extend(values([Cell::Integer(gap), time_cell(lane.gone)]));
        all.add(row, data);
    }
    let words = "Tasks created in the period, by instance. What a task that failed would have changed is listed as well; it is \
        taken to have changed nothing. Missing are records that the cloud no longer lists.";
    let mut sections = vec![chapter(
        "instances",
        "Changes by instance",
        vec![text(words), Block::Table(all)],
    )];
    sections.extend(parts);
    sections
}

/// One instance: a timeline, and its changes.
pub(super) fn instance(report: &Report, say: &Say<'_>, place: usize) -> Section {
    let lane = &report.survey.lanes[place];
    let facts = &report.facts.instances[place];
    let mut headings = vec![code("Created")];
    headings.extend([
        heading("Operation"),
        heading("What changed"),
        heading("User"),
        heading("Outcome"),
        figures("Took"),
    ]);
    let mut changes = table("changes", headings, TASK, "There is none.");
    changes.total = facts.changes.total();
    for entry in facts.changes.kept() {
        let change = &entry.change;
        changes.rows.push(vec![
            say.time(change.created),
            say::operation(change.name.as_deref()),
            changed(change),
            optional(change.user_name.as_deref()),
            status(change),
            took(report, change),
        ]);
        changes.data.push(task(report, entry));
    }
    let name = say.instance(&lane.instance);
    let chart = Chart {
        title: format!("When {name} was changed, and what the archive vouches for"),
        drawing: Drawing::Timeline(timeline(report, say, place)),
    };
    Section {
        id: anchor(place),
        title: name,
        level: Level::Part,
        blocks: vec![
            text(format!(
                "Instance {} of project {}.",
                lane.instance.key.instance_id, lane.instance.key.project_id
            )),
            Block::Chart(chart),
            Block::Table(changes),
        ],
    }
}
