//! Whole rows beside a report: every row that leaves in a file for programs passes here, and nowhere else.

use std::io::{self, Write};

use rusqlite::Connection;

use super::redact;
use crate::cli::error::CliError;
use crate::cli::output_args::cells;
use crate::output::{self, Column, Format, Guard, Settings};
use crate::report::redact::Redactor;
use crate::store::read::{self, Select};

/// Writes the rows of a view, of which there may be any number, and returns how many there were.
pub(super) fn write(
    archive: &Connection,
    select: &Select,
    format: Format,
    redactor: &mut Redactor,
    out: &mut dyn Write,
    failed: &dyn Fn(&io::Error) -> CliError,
) -> Result<u64, CliError> {
    let settings = Settings {
        format,
        header: true,
        guard: Guard::On,
        width: None,
        color: false,
    };
    let mut records = output::records(settings, out);
    let names = select.columns.iter().map(|column| column.as_str());
    let names: Vec<_> = names.collect();
    let header: Vec<_> = names.iter().map(|name| Column::new(*name)).collect();
    records.header(&header).map_err(|error| failed(&error))?;
    let mut count = 0;
    read::stream(archive, select, |row| {
        count += 1;
        let row = redact::row(redactor, &names, cells(row));
        records.row(&row).map_err(|error| failed(&error))
    })?;
    records.end().map_err(|error| failed(&error))?;
    Ok(count)
}
