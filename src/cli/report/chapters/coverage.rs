//! What the archive can vouch for, of all together and where it cannot, instance by instance.

use super::{chapter, table, text, values};
use crate::cli::coverage::spans;
use crate::cli::report::front::whose;
use crate::cli::report::gather::Report;
use crate::cli::report::say::{self, Say, code, figures, heading, number_cell, time_cell};
use crate::model::coverage::State;
use crate::output::Cell;
use crate::output::document::{Block, Section, Shown};
use crate::output::json::Value;

pub(super) fn coverage(report: &Report, say: &Say<'_>) -> Section {
    let mut all = table(
        "coverage",
        vec![
            heading("State"),
            code("From"),
            code("Until"),
            figures("Length"),
            heading("Whose"),
        ],
        &[
            "state",
            "since",
            "until",
            "duration_ms",
            "instances",
            "lists",
        ],
        "Nothing was read yet.",
    );
    for span in &report.survey.all {
        let (word, tone) = say::state(span.state);
        all.add(
            vec![
                Shown::new(word).toned(tone),
                say.time(span.window.since),
                say.time(span.window.until),
                say::duration(span.window.length()),
                Shown::new(whose(span, report.survey.instances)),
            ],
            values([
                Cell::text(span.state.as_str()),
                time_cell(span.window.since),
                time_cell(span.window.until),
                span.window.length().map_or(Cell::Null, Cell::Integer),
                number_cell(span.instances as u64),
                number_cell(span.lists as u64),
            ]),
        );
    }
    let mut parts = table(
        "not_vouched",
        vec![
            heading("Of"),
            heading("State"),
            code("From"),
            code("Until"),
            heading("Why"),
        ],
        &spans::COLUMNS,
        "There is none.",
    );
    "What is not vouched for, instance by instance".clone_into(&mut parts.caption);
    let most = report.asked.limit.unwrap_or(u64::MAX);
    let doubts = report.survey.parts.iter();
    for told in doubts.filter(|told| matches!(told.state, State::Gap | State::Inherited)) {
        if parts.rows.len() as u64 >= most {
            parts.total += 1;
            continue;
        }
        let (word, tone) = say::state(told.state);
        parts.add(
            vec![
                Shown::new(say.scope(&told.scope)),
                Shown::new(word).toned(tone),
                say.time(told.window.since),
                say.time(told.window.until),
                Shown::new(told.reason.clone()),
            ],
            spans::row(told.clone())
                .into_iter()
                .map(Value::Cell)
                .collect(),
        );
    }
    let words = "At every moment all instances together are in one of these states, the weakest that any of them is in. \
        Vouched for: proven readings before and after, near enough, so every task is here except one that was created and \
        deleted between two of them. Caught up: the same, short of an old record that showed late while another was deleted. \
        Inherited: before the first proven reading; what was still listed is here. Cannot know: no proven reading speaks for it.";
    chapter(
        "coverage",
        "What the archive can vouch for",
        vec![text(words), Block::Table(all), Block::Table(parts)],
    )
}
