//! What does not fit: changes that contradict each other, and what the documentation does not know.

use super::{chapter, table, text, values};
use crate::cli::report::gather::Report;
use crate::cli::report::say::{Say, cell, code, heading, optional, time_cell};
use crate::cli::state::breaks;
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::output::document::{Block, Section, Shown, Tone};
use crate::output::json::Value;
use crate::output::phrase;

pub(super) fn continuity(report: &Report, say: &Say<'_>) -> Section {
    let mut breaks = table(
        "breaks",
        vec![
            heading("Instance"),
            heading("Attribute"),
            code("Left"),
            code("At"),
            code("Found"),
            code("At"),
        ],
        breaks::TASKS,
        "Every task found what the one before it had left, as far as tasks state it.",
    );
    breaks.total = report.facts.breaks.total();
    for gap in report.facts.breaks.kept() {
        let instance = &report.survey.lanes[gap.instance].instance;
        let source = gap.source.as_str();
        breaks.rows.push(vec![
            Shown::new(say.instance(instance)),
            Shown::new(phrase::attribute(source, &gap.attribute)),
            Shown::new(&gap.left),
            say.time(Some(gap.since)),
            Shown::new(&gap.found).toned(Tone::Unknown),
            say.time(Some(gap.until)),
        ]);
        breaks.data.push(values([
            Cell::text(&instance.key.project_id),
            Cell::text(&instance.key.instance_id),
            cell(instance.name.as_deref()),
            Cell::text(source),
            Cell::text(&gap.attribute),
            time_cell(Some(gap.since)),
            Cell::text(&gap.left),
            Cell::text(&gap.earlier),
            time_cell(Some(gap.until)),
            Cell::text(&gap.found),
            Cell::text(&gap.later),
        ]));
    }
    let words = "Where a task found another value than the last successful one before it had left: a change between the two is \
        missing, or something changed the instance that no task tells of. Breaks that came to light in the period are listed.";
    chapter(
        "continuity",
        "Where changes do not fit together",
        vec![text(words), Block::Table(breaks)],
    )
}

pub(super) fn drift(report: &Report, say: &Say<'_>) -> Section {
    let mut drift = table(
        "drift",
        vec![
            code("First seen"),
            heading("Kind"),
            heading("What"),
            heading("Sample"),
        ],
        &["first_seen_at", "sync_id", "kind", "what", "sample"],
        "Nothing undocumented was met for the first time.",
    );
    drift.total = report.drift.1;
    for row in &report.drift.0 {
        let text = |place: usize| {
            let text = row.get(place).map(|cell| cell.to_text().into_owned());
            optional(text.as_deref())
        };
        let seen = row.first().map(|cell| cell.to_text().into_owned());
        let seen = seen.as_deref().and_then(Timestamp::parse_upstream);
        drift
            .rows
            .push(vec![say.time(seen), text(2), text(3), text(4)]);
        drift
            .data
            .push(row.iter().cloned().map(Value::Cell).collect());
    }
    let words = "Fields, states, operations and manners of the cloud that its documentation does not know, first met in the period. \
        The archive keeps them as they came; whoever relies on a report may want to know of them.";
    chapter(
        "drift",
        "What the documentation does not know",
        vec![text(words), Block::Table(drift)],
    )
}
