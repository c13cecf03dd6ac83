//! A report without what shall not be shown: each part of it is taken apart whole, so that none is forgotten.

use super::gather::{Counted, Report};
use crate::cli::coverage::survey::{InstanceLane, Scope, Survey, Told};
use crate::output::Cell;
use crate::report::redact::Redactor;
use crate::store::read::{Instance, View};

pub(super) fn report(report: &mut Report, redactor: &mut Redactor) {
    if redactor.is_idle() {
        return;
    }
    let Report {
        asked: _,
        scope: _,
        read_until: _,
        head: _,
        survey,
        facts,
        operations,
        users,
        pieces: _,
        cut: _,
        drift: (drift, _),
        rejected: _,
    } = report;
    // Users first, so that their numbers follow the order of their list.
    for Counted { name, .. } in users {
        if let Some(name) = name {
            *name = redactor.user(name);
        }
    }
    for Counted { name, .. } in operations {
        text(redactor, name);
    }
    redactor.facts(facts);
    self::survey(survey, redactor);
    for cells in drift {
        *cells = row(redactor, View::Drift.columns(), std::mem::take(cells));
    }
}

fn survey(survey: &mut Survey, redactor: &mut Redactor) {
    let Survey {
        parts,
        all: _,
        instances: _,
        lanes,
    } = survey;
    for Told {
        scope,
        window: _,
        state: _,
        widest: _,
        reason,
    } in parts
    {
        *reason = redactor.text(reason);
        match scope {
            Scope::Instance(instance) => self::instance(instance, redactor),
            Scope::List(_) | Scope::All => {}
        }
    }
    for InstanceLane {
        instance,
        spans: _,
        gone: _,
    } in lanes
    {
        self::instance(instance, redactor);
    }
}

fn instance(Instance { key: _, name }: &mut Instance, redactor: &mut Redactor) {
    text(redactor, name);
}

fn text(redactor: &mut Redactor, text: &mut Option<String>) {
    if let Some(text) = text {
        *text = redactor.text(text);
    }
}

/// Returns a row of a view without what shall not be shown. Numbers stay: none says who or where.
pub(super) fn row(redactor: &mut Redactor, columns: &[&str], cells: Vec<Cell>) -> Vec<Cell> {
    if redactor.is_idle() {
        return cells;
    }
    let texts: Vec<_> = cells
        .iter()
        .map(|cell| match cell {
            Cell::Text(_) | Cell::Bytes(_) => Some(cell.to_text()),
            Cell::Null | Cell::Integer(_) | Cell::Real(_) => None,
        })
        .collect();
    let redacted = redactor.row(columns, |place| texts[place].as_deref());
    let cells = cells.iter().zip(redacted);
    let cells = cells.map(|(cell, redacted)| redacted.map_or_else(|| cell.clone(), Cell::Text));
    cells.collect()
}
