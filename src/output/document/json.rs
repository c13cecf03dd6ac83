//! A document for programs: one object, whose tables hold their rows as data, a row a line.
//!
//! First the facts, then `answers` and `attention` of page one, then each table by its name as
//! `{"total": …, "rows": […]}`, in the order in which the names appear. Tables of one name are one: their rows follow each
//! other, and their totals are added. Characters that a terminal would obey are written as `\uXXXX`.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::super::json::{Row, harmless};
use super::{Answer, Block, Document, Level, Point, Table};

/// Writes the whole document.
pub(crate) fn write(out: &mut dyn Write, document: &Document) -> io::Result<()> {
    let mut members = Members {
        out,
        is_empty: true,
    };
    for (name, value) in &document.facts {
        members.begin(name)?;
        harmless(members.out, value)?;
    }
    let front = || {
        let sections = document.sections.iter();
        sections
            .filter(|section| section.level == Level::Front)
            .flat_map(|section| &section.blocks)
    };
    members.begin("answers")?;
    members.rows(front().flat_map(|block| match block {
        Block::Answers(answers) => answers.as_slice(),
        _ => &[],
    }))?;
    members.begin("attention")?;
    members.rows(front().flat_map(|block| match block {
        Block::Points(points) => points.as_slice(),
        _ => &[],
    }))?;
    for name in names(document) {
        members.table(name, || tables(document).filter(|table| table.name == name))?;
    }
    members.end()
}

/// The tables, in the order in which people read them.
fn tables(document: &Document) -> impl Iterator<Item = &Table> {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks.filter_map(|block| match block {
        Block::Table(table) | Block::Figure(_, table) => Some(table),
        _ => None,
    })
}

/// The names of the tables, each once, in the order of their first appearance.
fn names(document: &Document) -> Vec<&'static str> {
    let mut names = Vec::new();
    for table in tables(document) {
        if !names.contains(&table.name) {
            names.push(table.name);
        }
    }
    names
}

/// Writes the members of the one object.
struct Members<'a> {
    out: &'a mut dyn Write,
    is_empty: bool,
}

impl Members<'_> {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        self.out
            .write_all(if self.is_empty { b"{\n" } else { b",\n" })?;
        self.is_empty = false;
        harmless(self.out, &name)?;
        self.out.write_all(b": ")
    }

    fn rows(&mut self, rows: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
        self.out.write_all(b"[")?;
        let mut end: &[u8] = b"]";
        for (number, row) in rows.enumerate() {
            self.out
                .write_all(if number == 0 { b"\n" } else { b",\n" })?;
            harmless(self.out, &row)?;
            end = b"\n]";
        }
        self.out.write_all(end)
    }

    fn table<'b, Tables: Iterator<Item = &'b Table>>(
        &mut self,
        name: &str,
        tables: impl Fn() -> Tables,
    ) -> io::Result<()> {
        self.begin(name)?;
        let total = tables().fold(0_u64, |sum, table| sum.saturating_add(table.total));
        write!(self.out, "{{\"total\": {total}, \"rows\": ")?;
        self.rows(tables().flat_map(|table| {
            table.data.iter().map(|cells| Row {
                columns: table.columns,
                cells,
            })
        }))?;
        self.out.write_all(b"}")
    }

    fn end(&mut self) -> io::Result<()> {
        self.out
            .write_all(if self.is_empty { b"{}\n" } else { b"\n}\n" })
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(4))?;
        object.serialize_entry("question", &self.question)?;
        object.serialize_entry("answer", &self.answer)?;
        object.serialize_entry("tone", self.tone.name())?;
        object.serialize_entry("details", &self.details)?;
        object.end()
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry("text", &self.text)?;
        object.serialize_entry("tone", self.tone.name())?;
        object.end()
    }
}
