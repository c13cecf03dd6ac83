//! What was read becomes a document: its title, page one, the chapters, and what programs get before the tables.

use super::gather::Report;
use super::say::{Say, cell, count, number_cell, time_cell};
use super::{chapters, front, method};
use crate::cli::instance_arg::Short;
use crate::model::coverage::State;
use crate::output::Cell;
use crate::output::document::Document;
use crate::output::json::Value;
use crate::store::chain::hex;
use crate::store::read::Instance;

/// The version of the JSON form: it changes when a member changes its meaning or goes, not when one is added.
const SCHEMA: i64 = 1;

/// Instances that the line below the title names; of more it says how many.
const NAMED: usize = 6;

pub(super) fn document(report: &Report) -> Document {
    let instances: Vec<Instance> = report
        .survey
        .lanes
        .iter()
        .map(|lane| lane.instance.clone())
        .collect();
    let say = Say {
        zone: &report.asked.zone,
        short: Short::of(&instances),
    };
    let mut sections = front::sections(report, &say);
    sections.extend(chapters::sections(report, &say));
    sections.push(method::section(report, &say));
    let period = say.stretch(Some(report.asked.since), Some(report.asked.until));
    let title = report.asked.title.clone();
    Document {
        title: title.unwrap_or_else(|| {
            let named = say.period(report.asked.since, report.asked.until);
            format!("Changes of DCS instances, {named}")
        }),
        subtitle: subtitle(report, &say, &period),
        facts: facts(report),
        sections,
        colophon: colophon(report, &say),
    }
}

fn subtitle(report: &Report, say: &Say<'_>, period: &str) -> String {
    let lanes = &report.survey.lanes;
    let named: Vec<_> = lanes
        .iter()
        .map(|lane| say.instance(&lane.instance))
        .collect();
    let whose = match (report.asked.named.is_empty(), named.len()) {
        (_, 0) => "no instance".to_owned(),
        (true, many) if many > NAMED => {
            format!("all {} known", count(many as u64, "instance", "instances"))
        }
        (true, _) => format!("all known instances: {}", named.join(", ")),
        (false, many) if many > NAMED => count(many as u64, "instance", "instances"),
        (false, _) => named.join(", "),
    };
    // The zone shows in the offset of each time; without one it is UTC.
    let zone = if say.zone.is_utc() { " UTC" } else { "" };
    let redacted = if report.asked.redact.is_nothing() {
        ""
    } else {
        " (redacted)"
    };
    format!("{period}{zone}; {whose}{redacted}")
}

fn colophon(report: &Report, say: &Say<'_>) -> String {
    let program = format!("dcs-history {}", env!("CARGO_PKG_VERSION"));
    let read = report.read_until.map_or_else(
        || "an archive that has read nothing yet".to_owned(),
        |time| format!("an archive that was last read into on {}", say.moment(time)),
    );
    let head = report.head.as_ref().map_or(String::new(), |head| {
        format!("; head {} of sync {}", hex(&head.digest), head.sync_id)
    });
    format!("Made by {program} from {read}{head}.")
}

/// What JSON has before the tables.
fn facts(report: &Report) -> Vec<(&'static str, Value)> {
    let asked = &report.asked;
    let object = |members: Vec<(&str, Cell)>| {
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(name, cell)| (name.to_owned(), Value::Cell(cell)))
                .collect(),
        )
    };
    let cell_of = Value::Cell;
    let ids = asked
        .named
        .iter()
        .map(|key| cell_of(Cell::text(&key.instance_id)));
    let ids: Vec<_> = ids.collect();
    let counts = &report.facts.counts;
    let lengths = [
        State::Vouched,
        State::CaughtUp,
        State::Inherited,
        State::Gap,
        State::Before,
        State::Closed,
    ];
    let lengths = lengths.map(|state| (state.as_str(), Cell::Integer(report.length(state))));
    let head = report.head.as_ref();
    vec![
        ("schema", cell_of(Cell::Integer(SCHEMA))),
        ("version", cell_of(Cell::text(env!("CARGO_PKG_VERSION")))),
        ("title", cell_of(cell(asked.title.as_deref()))),
        ("since", cell_of(time_cell(Some(asked.since)))),
        ("until", cell_of(time_cell(Some(asked.until)))),
        (
            "asked_of",
            if asked.named.is_empty() {
                cell_of(Cell::text("all"))
            } else {
                Value::Array(ids)
            },
        ),
        ("read_until", cell_of(time_cell(report.read_until))),
        (
            "head",
            cell_of(head.map_or(Cell::Null, |head| Cell::Text(hex(&head.digest)))),
        ),
        (
            "head_sync_id",
            cell_of(head.map_or(Cell::Null, |head| Cell::Integer(head.sync_id))),
        ),
        (
            "rules",
            object(vec![
                ("max_gap_ms", Cell::Integer(asked.rules.max_gap)),
                ("settle_ms", Cell::Integer(asked.rules.settle)),
                ("long_ms", Cell::Integer(asked.long)),
            ]),
        ),
        (
            "redacted",
            Value::Array(
                asked
                    .redact
                    .words()
                    .into_iter()
                    .map(|word| cell_of(Cell::text(word)))
                    .collect(),
            ),
        ),
        (
            "proven",
            cell_of(Cell::Integer(i64::from(report.is_proven()))),
        ),
        ("states_ms", object(lengths.to_vec())),
        (
            "totals",
            object(vec![
                ("instances", number_cell(report.survey.instances as u64)),
                ("tasks", number_cell(counts.tasks)),
                ("succeeded", number_cell(counts.succeeded)),
                ("failed", number_cell(counts.failed)),
                ("ended", number_cell(counts.ended())),
                ("open", number_cell(counts.open)),
                ("missing", number_cell(counts.missing)),
                ("finished", number_cell(report.facts.finished.total())),
                ("undated", number_cell(report.facts.undated.total())),
                ("rejected", number_cell(u64::from(report.rejected))),
            ]),
        ),
    ]
}
