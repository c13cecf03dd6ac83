//! What an export does, as a function of what was typed: which views, in which format, to where.

use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::output::export::Format;
use crate::store::export::{has_instances, has_period};
use crate::store::read::{ColumnName, View};

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) views: &'a [View],
    pub(super) format: Option<Format>,
    pub(super) out: Option<&'a Path>,
    pub(super) out_dir: Option<&'a Path>,
    pub(super) columns: &'a [String],
    pub(super) of_instances: bool,
    pub(super) of_period: bool,
    pub(super) out_is_terminal: bool,
}

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Each with its columns.
    pub(super) views: Vec<(View, Vec<ColumnName>)>,
    /// Views that no filter of these can be asked of, so that an export of everything is one without them.
    pub(super) left_out: Vec<View>,
    pub(super) format: Format,
    pub(super) target: Target,
}

/// Where it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Out,
    File(PathBuf),
    /// A file a view.
    Folder(PathBuf),
}

pub(super) fn plan(asked: &Asked<'_>) -> Result<Plan, CliError> {
    let mut views = asked.views.to_vec();
    let mut left_out = Vec::new();
    if views.is_empty() {
        (left_out, views) = View::ALL
            .iter()
            .partition(|view| lacks(**view, asked).is_some());
    } else if let Some((view, what)) = views
        .iter()
        .find_map(|view| Some((view, lacks(*view, asked)?)))
    {
        let view = view.name();
        return Err(CliError::usage(format!("{what} cannot be asked of {view}"))
            .hint(format!("its rows belong to none; export {view} by itself")));
    }
    let target = target(asked, &views)?;
    let by_ending = asked.out.and_then(by_ending);
    let format = asked.format.or(by_ending).unwrap_or(Format::Parquet);
    if format == Format::Parquet && target == Target::Out && asked.out_is_terminal {
        return Err(CliError::usage("a Parquet file is nothing for a terminal")
            .hint("name a file with --out FILE, or choose --format csv or --format jsonl"));
    }
    let mut planned: Vec<(View, Vec<ColumnName>)> = Vec::new();
    for view in views {
        if planned.iter().all(|(before, _)| *before != view) {
            planned.push((view, columns(asked, view)?));
        }
    }
    Ok(Plan {
        views: planned,
        left_out,
        format,
        target,
    })
}

/// Names the filter that was typed and that the rows of a view cannot be asked.
fn lacks(view: View, asked: &Asked<'_>) -> Option<&'static str> {
    if asked.of_instances && !has_instances(view) {
        Some("--instance")
    } else if asked.of_period && !has_period(view) {
        Some("a period")
    } else {
        None
    }
}

fn target(asked: &Asked<'_>, views: &[View]) -> Result<Target, CliError> {
    if let Some(folder) = asked.out_dir {
        return Ok(Target::Folder(folder.to_owned()));
    }
    if views.iter().any(|view| *view != views[0]) {
        let message = if asked.views.is_empty() {
            "all views do not go into one file"
        } else {
            "several views do not go into one file"
        };
        return Err(CliError::usage(message)
            .hint("--out-dir DIR writes a file for each view")
            .hint(format!("or name one view: {}", names(&View::ALL))));
    }
    Ok(match asked.out {
        Some(file) => Target::File(file.to_owned()),
        None => Target::Out,
    })
}

fn by_ending(file: &Path) -> Option<Format> {
    let ending = file.extension()?;
    let mut formats = Format::ALL.into_iter();
    formats.find(|format| ending.eq_ignore_ascii_case(format.name()))
}

fn columns(asked: &Asked<'_>, view: View) -> Result<Vec<ColumnName>, CliError> {
    if asked.columns.is_empty() {
        return Ok(view.all());
    }
    if asked.views.iter().any(|other| *other != view) || asked.views.is_empty() {
        return Err(CliError::usage("--columns chooses among those of one view")
            .hint("name that view alone"));
    }
    let mut columns: Vec<ColumnName> = Vec::new();
    for typed in asked.columns {
        let column = ColumnName::among(view.columns(), typed.trim()).ok_or_else(|| {
            CliError::usage(format!("the view {} has no column {typed:?}", view.name()))
                .hint(format!("its columns are {}", view.columns().join(", ")))
        })?;
        if columns.contains(&column) {
            return Err(
                CliError::usage(format!("the column {typed:?} is named twice"))
                    .hint("a file of records has a column of one name once"),
            );
        }
        columns.push(column);
    }
    Ok(columns)
}

/// The names of views, for a message.
pub(super) fn names(views: &[View]) -> String {
    let names: Vec<_> = views.iter().map(|view| view.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
