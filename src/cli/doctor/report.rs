//! The report: rows for programs, sections for people.

use std::io::{self, Write};

use crate::output::sheet::{self, Body, Section, Sheet};
use crate::output::{self, Cell, Column, Settings};

/// The columns of a row.
pub(crate) const COLUMNS: [&str; 4] = ["section", "name", "value", "note"];

/// Everything that there is to say, in the order in which it was found out.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Row>);

#[derive(Debug)]
struct Row {
    section: &'static str,
    name: String,
    value: String,
    /// On what it rests, where it comes from, what follows; empty where there is nothing to add.
    note: String,
}

impl Report {
    pub(super) fn add(
        &mut self,
        section: &'static str,
        name: impl Into<String>,
        value: impl Into<String>,
        note: impl Into<String>,
    ) {
        let (name, value, note) = (name.into(), value.into(), note.into());
        self.0.push(Row {
            section,
            name,
            value,
            note,
        });
    }

    pub(super) fn write(&self, settings: Settings, out: &mut dyn Write) -> io::Result<()> {
        if settings.format.is_for_people() {
            return sheet::write(settings, out, &self.sheet());
        }
        let mut records = output::records(settings, out);
        let columns: Vec<_> = COLUMNS.iter().map(|name| Column::new(*name)).collect();
        records.header(&columns)?;
        for row in &self.0 {
            let note = match row.note.as_str() {
                "" => Cell::Null,
                note => Cell::text(note),
            };
            records.row(&[
                Cell::text(row.section),
                Cell::text(row.name.as_str()),
                Cell::text(row.value.as_str()),
                note,
            ])?;
        }
        records.end()
    }

    fn sheet(&self) -> Sheet {
        let mut sections: Vec<Section> = Vec::new();
        for row in &self.0 {
            let text = match row.note.as_str() {
                "" => row.value.clone(),
                note => format!("{} ({note})", row.value),
            };
            let field = (row.name.clone(), Cell::Text(text));
            match sections.last_mut() {
                Some(Section {
                    title,
                    body: Body::Fields(fields),
                }) if title == row.section => fields.push(field),
                _ => sections.push(Section {
                    title: row.section.to_owned(),
                    body: Body::Fields(vec![field]),
                }),
            }
        }
        Sheet {
            title: "dcs-history doctor".to_owned(),
            sections,
        }
    }
}
