//! A report without what shall not be shown: each part of it is taken apart whole, so that none is forgotten.

use std::cmp::Reverse;

use rusqlite::Connection;

use super::gather::{Asked, Counted, Report};
use crate::cli::coverage::survey::{InstanceLane, Scope, Survey, Told};
use crate::cli::error::CliError;
use crate::output::Cell;
use crate::report::redact::{Redactor, User};
use crate::store::facts::{self, Names};
use crate::store::filter::{Created, TaskFilter};
use crate::store::read::{Instance, View};

/// Returns what redacts a report of this archive, and everything that goes with it.
pub(super) fn redactor(archive: &Connection, asked: &Asked) -> Result<Redactor, CliError> {
    let mut people = Vec::new();
    if asked.redact.users {
        let created = TaskFilter {
            instances: asked.named.clone(),
            created: Created::In(asked.period()),
            ..TaskFilter::default()
        };
        let users = facts::users(archive, &Names::read(archive)?, &created.condition())?;
        let users = users.into_iter();
        people.extend(users.map(|facts::User { id, name }| User { id, name }));
    }
    Ok(Redactor::new(asked.redact, &people))
}

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
    // Among users with as many tasks the order was that of their names.
    users.sort_by_cached_key(|one| {
        (
            Reverse(one.counts.tasks),
            redactor.rank(one.name.as_deref()),
        )
    });
    for Counted { name, .. } in users {
        if let Some(name) = name {
            *name = redactor.user(name);
        }
    }
    for Counted { name, .. } in operations {
        self::name(redactor, name);
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
    self::name(redactor, name);
}

fn name(redactor: &mut Redactor, name: &mut Option<String>) {
    if let Some(name) = name {
        *name = redactor.name(name);
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

#[cfg(test)]
mod tests {
    use crate::model::kind::Kind;
    use crate::report::redact::is_decided;
    use crate::store::export::kind;
    use crate::store::read::View;

    #[test]
    fn somebody_has_decided_about_every_column_of_text_that_is_written() {
        let written = [
            View::Tasks,
            View::Changes,
            View::Revisions,
            View::Walks,
            View::Syncs,
            View::Drift,
        ];
        for view in written {
            for column in view.all() {
                let is_text = matches!(kind(view, column), Kind::Text | Kind::Time | Kind::Bytes);
                assert!(
                    !is_text || is_decided(column.as_str()),
                    "{} has a column {}: may it tell who, with what, or from where?",
                    view.name(),
                    column.as_str()
                );
            }
        }
    }
}
