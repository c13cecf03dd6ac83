//! `--evidence`: a folder with the report in every format, the rows that it rests on, and what it takes to check both with
//! nothing but `sha256sum` and `sqlite3`.
//!
//! All of it is of one moment of the archive. Neither the time of its making nor any path stands in it, so the same
//! archive, period and options give the same pack, byte by byte.

mod expected;
mod folder;
mod readme;

use std::io::{self, Write};
use std::path::Path;

use rusqlite::Connection;

use self::folder::Pack;
use super::gather::Report;
use super::{Format, rows, write_as};
use crate::cli::error::CliError;
use crate::cli::{Context, messages, paths};
use crate::output::document::Document;
use crate::output::{self, phrase::size};
use crate::report::redact::Redactor;
use crate::report::stats::Cut;
use crate::store::evidence::{self, About, Part, Pieces};

/// The sums of all other files.
const SUMS: &str = "SHA256SUMS";

/// How many rows a pack has of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rows {
    tasks: u64,
    records: u64,
    walks: u64,
    syncs: u64,
}

/// Refuses a place before anything is read, and where the report itself would go into the folder.
pub(super) fn judge(
    folder: &Path,
    out: Option<&Path>,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let db = paths::db(context.global.db.as_deref())?;
    folder::judge(folder, db.path())?;
    let is_within = out.is_some_and(|out| {
        let whole = |path: &Path| std::fs::canonicalize(path).ok();
        let of_out = out.parent().and_then(whole);
        out.parent() == Some(folder) || of_out.is_some_and(|of_out| Some(of_out) == whole(folder))
    });
    if is_within {
        let message = format!("the file of --out lies in {}", folder.display());
        return Err(CliError::usage(message)
            .hint("name another file; the folder of --evidence has the report in every format"));
    }
    Ok(())
}

/// A pack that is complete but for its name, and what there is to say of it.
pub(super) struct Done {
    pack: Pack,
    line: String,
}

/// Builds the pack beside its place.
pub(super) fn build(
    folder: &Path,
    archive: &Connection,
    report: &Report,
    document: &Document,
    redactor: &mut Redactor,
) -> Result<Done, CliError> {
    let mut pack = Pack::new(folder)?;
    for (name, format) in [
        ("report.html", Format::Html),
        ("report.md", Format::Markdown),
        ("report.json", Format::Json),
    ] {
        pack.add(name, |out, failed| {
            write_as(format, document, out).map_err(|error| failed(&error))
        })?;
    }
    let asked = &report.asked;
    pack.add("changes.csv", |out, failed| {
        super::changes(archive, asked, redactor, out, failed)
    })?;
    let breaks = report.facts.breaks.kept();
    let named: Vec<_> = breaks.flat_map(|gap| gap.tasks).collect();
    let about = asked.about(&named);
    let mut part = |name, part: Part| {
        pack.add(name, |out, failed| {
            lines(archive, part, &about, redactor, out, failed)
        })
    };
    let rows = Rows {
        tasks: part("tasks.jsonl", Part::Tasks)?,
        records: part("records.jsonl", Part::Records)?,
        walks: part("walks.jsonl", Part::Walks)?,
        syncs: part("syncs.jsonl", Part::Syncs)?,
    };
    let pieces = pieces(report);
    pack.add_text("queries.sql", &evidence::queries(&about, &pieces))?;
    pack.add_text("check.sql", &evidence::check(&about, &pieces))?;
    let expected = expected::lines(report, pieces.unit, rows.records);
    pack.add_text("expected.txt", &expected)?;
    pack.add_text("README.txt", &readme::text(report, rows))?;
    pack.add_sums(SUMS)?;
    let (files, bytes) = pack.size();
    let line = format!(
        "evidence {}: {files} files, {} tasks, {} records, {}",
        folder.display(),
        rows.tasks,
        rows.records,
        size(bytes)
    );
    Ok(Done { pack, line })
}

impl Done {
    /// Gives the folder its name, and says so; what comes between may still fail, and then there is no folder.
    pub(super) fn put_in_place(
        self,
        between: impl FnOnce() -> Result<(), CliError>,
        context: &mut Context<'_>,
    ) -> Result<(), CliError> {
        self.pack.put_in_place(between)?;
        let (err, global) = (&mut *context.err, context.global);
        messages::write(err, global, messages::Level::Result, &self.line);
        Ok(())
    }
}

/// Writes the rows of a part, one JSON object a line.
fn lines(
    archive: &Connection,
    part: Part,
    about: &About<'_>,
    redactor: &mut Redactor,
    out: &mut dyn Write,
    failed: &dyn Fn(&io::Error) -> CliError,
) -> Result<u64, CliError> {
    rows::write(
        archive,
        &part.select(about),
        output::Format::Jsonl,
        redactor,
        out,
        failed,
    )
}

/// Says how the report divides its period, in moments: a query knows no time zones.
fn pieces(report: &Report) -> Pieces {
    let (cut, zone) = (report.cut, &report.asked.zone);
    let edges = cut.edges(
        &|time| zone.clock(time),
        report.asked.since,
        report.asked.until,
    );
    let edges = edges.into_iter();
    Pieces {
        unit: match cut {
            Cut::Day => "day",
            Cut::Week => "week",
            Cut::Month => "month",
        },
        edges: edges
            .map(|(from, number)| (from, cut.name(number)))
            .collect(),
    }
}
