//! The chapters behind page one. Each is a table or two, with a chart where one says more.

mod activity;
mod coverage;
mod instances;
mod story;
mod tasks;
mod timeline;

use crate::cli::report::gather::Report;
use crate::cli::report::say::{Say, count};
use crate::output::Cell;
use crate::output::document::{Block, Heading, Level, Section, Shown, Table};
use crate::output::json::Value;

use activity::{activity, users};
use coverage::coverage;
use instances::instances;
use story::{continuity, drift};
use tasks::{exposure, failures, finished, long, missing, undated};

/// Where what was left out of a list can be had.
const REST: &str =
    "All rows: the same command with --limit 0, with -o csv, or `dcs-history export`.";

pub(super) fn sections(report: &Report, say: &Say<'_>) -> Vec<Section> {
    let mut sections = vec![coverage(report, say), activity(report), users(report)];
    sections.extend(instances(report, say));
    sections.extend([
        failures(report, say),
        long(report, say),
        exposure(report, say),
        finished(report, say),
    ]);
    if report.facts.undated.total() > 0 {
        sections.push(undated(report, say));
    }
    sections.extend([
        missing(report, say),
        continuity(report, say),
        drift(report, say),
    ]);
    sections
}

fn chapter(id: &str, title: impl Into<String>, blocks: Vec<Block>) -> Section {
    Section {
        id: id.to_owned(),
        title: title.into(),
        level: Level::Chapter,
        blocks,
    }
}

fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

/// What a table has in common with the others.
fn table(
    name: &'static str,
    headings: Vec<Heading>,
    columns: &'static [&'static str],
    none: &str,
) -> Table {
    Table {
        name,
        caption: String::new(),
        headings,
        rows: Vec::new(),
        columns,
        data: Vec::new(),
        total: 0,
        rest: REST.to_owned(),
        nothing: none.to_owned(),
    }
}

impl Table {
    fn add(&mut self, row: Vec<Shown>, data: Vec<Value>) {
        self.rows.push(row);
        self.data.push(data);
        self.total += 1;
    }
}

fn values<const N: usize>(cells: [Cell; N]) -> Vec<Value> {
    cells.into_iter().map(Value::Cell).collect()
}

/// Says how many rows there are of something, for the method.
pub(super) fn rows_kept(report: &Report) -> String {
    match report.asked.limit {
        None => "Every list is whole.".to_owned(),
        Some(limit) => format!(
            "A list has at most {}, and says so where it has more; all instances share those of the changes.",
            count(limit, "row", "rows")
        ),
    }
}
