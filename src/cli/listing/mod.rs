//! Records as a command lists them: which columns in which order, and how each is phrased for whoever reads it.
//!
//! A command names the columns that it knows and the *fields* that people see unless they choose otherwise. Programs (JSON,
//! CSV) get every column as it stands, whoever names columns gets those as they stand, and a table or Markdown gets the
//! fields: whole where it is piped, shortened where it is drawn on a terminal.

mod say;

use std::cmp::Ordering;
use std::ops::ControlFlow;

use rusqlite::Connection;

pub(crate) use say::{
    Look, WIDE, bar, elapsed, id, in_zone, instance, is_time, minute, operation, plain, time,
    yes_no,
};

use super::Context;
use super::error::CliError;
use super::instance_arg::Short;
use super::messages::remark;
use super::output_args::{OutputArgs, cells, written};
use crate::output;
use crate::output::{Cell, Column, Settings};
use crate::store::filter::Condition;
use crate::store::read;
use crate::store::read::{ColumnName, Order, Select, View};

/// Rows that a terminal shows of a long list unless told otherwise: two screens.
pub(crate) const ON_A_TERMINAL: u64 = 50;

/// Matching rows are counted up to here for the remark on what is not shown: among a million tasks counting on would take
/// longer than listing did.
const COUNTED: u32 = 1_000;

/// Makes one cell of the cells of the columns that a field reads.
pub(crate) type Say = fn(&[Cell], &Look) -> Cell;

/// What people see of a record in one column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    title: &'static str,
    /// The title on a terminal.
    drawn: &'static str,
    /// The narrowest terminal that shows it.
    from_width: usize,
    /// It is shown where nothing is drawn.
    is_piped: bool,
    is_rigid: bool,
    is_wrapped: bool,
    reads: &'static [&'static str],
    say: Say,
}

impl Field {
    /// A field that shows one column under its own name.
    pub(crate) const fn new(name: &'static str, reads: &'static [&'static str], say: Say) -> Self {
        Self {
            is_wrapped: false,
            title: name,
            drawn: name,
            from_width: 0,
            is_piped: true,
            is_rigid: false,
            reads,
            say,
        }
    }

    /// A drawn table cuts other columns first.
    pub(crate) const fn rigid(mut self) -> Self {
        self.is_rigid = true;
        self
    }

    /// As the last one on a terminal it goes on in the lines below.
    pub(crate) const fn wrapped(mut self) -> Self {
        self.is_wrapped = true;
        self
    }

    /// On a terminal it has this shorter title.
    pub(crate) const fn drawn_as(mut self, title: &'static str) -> Self {
        self.drawn = title;
        self
    }

    /// A terminal has no room for it.
    pub(crate) const fn not_drawn(mut self) -> Self {
        self.from_width = usize::MAX;
        self
    }

    /// Only a terminal with at least so many columns shows it.
    pub(crate) const fn on_width(mut self, width: usize) -> Self {
        self.from_width = width;
        self.is_piped = false;
        self
    }

    /// A terminal with fewer columns has no room for it.
    pub(crate) const fn wide_from(mut self, width: usize) -> Self {
        self.from_width = width;
        self
    }

    /// Says whether this is the field of that title.
    pub(crate) fn is_titled(&self, title: &str) -> bool {
        self.title == title
    }

    fn is_shown(&self, width: Option<usize>) -> bool {
        width.map_or(self.is_piped, |width| self.from_width <= width)
    }
}

/// What is shown of each record.
#[derive(Debug)]
pub(crate) struct Listing {
    shape: Shape,
    look: Look,
}

#[derive(Debug)]
enum Shape {
    /// Columns as they are, for programs.
    Data(Vec<ColumnName>),
    /// The same for people, who may want another time zone.
    Named(Vec<ColumnName>),
    /// Fields, each with the places of what it reads.
    Fields(Vec<(Field, Vec<usize>)>, Vec<ColumnName>),
}

impl Listing {
    /// Decides what is shown of records that have these columns.
    pub(crate) fn new(
        known: &[&'static str],
        fields: &[Field],
        args: &OutputArgs,
        settings: Settings,
        short: Short,
    ) -> Result<Self, CliError> {
        let look = Look::new(settings, short, &args.format.tz);
        let shape = match args.columns(known)? {
            Some(named) if settings.format.is_for_people() => Shape::Named(named),
            Some(named) => Shape::Data(named),
            None if !settings.format.is_for_people() => Shape::Data(ColumnName::all(known)),
            None => Shape::of_fields(known, fields, settings.width),
        };
        Ok(Self { shape, look })
    }

    /// Shows the fields, whatever was typed.
    pub(crate) fn of_fields(known: &[&'static str], fields: &[Field], look: Look) -> Self {
        let shape = Shape::of_fields(known, fields, look.width);
        Self { shape, look }
    }

    /// Picks what it reads of a row of all known columns.
    pub(crate) fn pick(&self, known: &[&str], row: &[Cell]) -> Vec<Cell> {
        let place = |column: &ColumnName| known.iter().position(|name| *name == column.as_str());
        let places = self.columns().iter().filter_map(place);
        places.map(|place| row[place].clone()).collect()
    }

    /// Returns the columns that rows must have, in this order.
    pub(crate) fn columns(&self) -> &[ColumnName] {
        match &self.shape {
            Shape::Data(columns) | Shape::Named(columns) | Shape::Fields(_, columns) => columns,
        }
    }

    pub(crate) fn header(&self) -> Vec<Column> {
        match &self.shape {
            Shape::Data(columns) | Shape::Named(columns) => {
                let names = columns.iter().map(|column| Column::wanted(column.as_str()));
                names.collect()
            }
            Shape::Fields(fields, _) => fields.iter().map(|(field, _)| self.title(field)).collect(),
        }
    }

    fn title(&self, field: &Field) -> Column {
        let title = if self.look.is_drawn {
            field.drawn
        } else {
            field.title
        };
        if field.is_rigid {
            Column::rigid(title)
        } else if field.is_wrapped {
            Column::new(title).wrapped()
        } else {
            Column::new(title)
        }
    }

    /// Turns a row of the columns into what is shown of it.
    pub(crate) fn cells(&self, row: Vec<Cell>) -> Vec<Cell> {
        let fields = match &self.shape {
            Shape::Data(_) => return row,
            Shape::Named(columns) => {
                let cells = columns.iter().zip(row);
                return cells
                    .map(|(column, cell)| in_zone(column.as_str(), cell, &self.look.zone))
                    .collect();
            }
            Shape::Fields(fields, _) => fields,
        };
        let said = fields.iter().map(|(field, places)| {
            let read: Vec<_> = places
                .iter()
                .filter_map(|place| row.get(*place).cloned())
                .collect();
            (field.say)(&read, &self.look)
        });
        said.collect()
    }
}

impl Shape {
    fn of_fields(known: &[&'static str], fields: &[Field], width: Option<usize>) -> Self {
        let mut columns: Vec<ColumnName> = Vec::new();
        let mut place = |name: &str| {
            let column = ColumnName::among(known, name)?;
            let found = columns.iter().position(|known| *known == column);
            Some(found.unwrap_or_else(|| {
                columns.push(column);
                columns.len() - 1
            }))
        };
        let shown = fields
            .iter()
            .filter(|field| field.is_shown(width))
            .map(|field| {
                let places = field.reads.iter().filter_map(|name| place(name)).collect();
                (*field, places)
            })
            .collect();
        Self::Fields(shown, columns)
    }
}

/// Which records of a view a command lists.
pub(crate) struct Listed<'a> {
    pub(crate) view: View,
    pub(crate) fields: &'a [Field],
    pub(crate) condition: Condition,
    /// The order, unless another one was typed.
    pub(crate) order: Order,
    /// Rows that a terminal shows unless told otherwise.
    pub(crate) on_a_terminal: Option<u64>,
    /// What there is to say where nothing matches.
    pub(crate) nothing: &'a str,
}

/// Prints records of a view as they were asked for.
pub(crate) fn print(
    listed: &Listed<'_>,
    args: &OutputArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let settings = args.format.settings(context);
    let limit = args.limit(listed.on_a_terminal, context.out_is_terminal);
    let known = listed.view.columns();
    let short = Short::of(&read::instances(archive)?);
    let listing = Listing::new(known, listed.fields, args, settings, short)?;
    let select = Select {
        view: listed.view,
        columns: listing.columns().to_vec(),
        condition: listed.condition.clone(),
        order: Some(args.order(known)?.unwrap_or(listed.order)),
        // One more than is shown tells whether there are more.
        limit: limit.map(|limit| limit.saturating_add(1)),
    };
    let (mut shown, mut is_more) = (0, false);
    let mut records = output::records(settings, &mut *context.out);
    written(records.header(&listing.header()))?;
    read::stream(archive, &select, |row| {
        if limit == Some(shown) {
            is_more = true;
            return Ok(());
        }
        shown += 1;
        written(records.row(&listing.cells(cells(row))))
    })?;
    written(records.end())?;
    drop(records);
    if shown == 0 && settings.format.is_for_people() {
        remark(context, listed.nothing);
    }
    if is_more && args.limit.is_none() {
        let total = read::count(archive, listed.view, &select.condition, COUNTED + 1)?;
        let total = if total > COUNTED {
            format!("more than {COUNTED}")
        } else {
            total.to_string()
        };
        remark(context, &format!("{shown} of {total} shown; -n 0 for all"));
    }
    Ok(())
}

/// Records that stand in no view.
pub(crate) struct Made<'a> {
    /// The columns that programs get and people can name.
    pub(crate) known: &'a [&'static str],
    /// Columns of each row behind those, which only fields read.
    pub(crate) hidden: &'a [&'static str],
    pub(crate) fields: &'a [Field],
    /// What there is to say where there is none.
    pub(crate) nothing: &'a str,
}

/// Prints records that stand in no view: each a row of all columns.
pub(crate) fn print_rows(
    made: &Made<'_>,
    mut rows: Vec<Vec<Cell>>,
    args: &OutputArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let settings = args.format.settings(context);
    let short = Short::of(&read::instances(archive)?);
    let known = made.known;
    let all = [known, made.hidden].concat();
    let listing = if args.columns.is_empty() && settings.format.is_for_people() {
        Listing::of_fields(
            &all,
            made.fields,
            Look::new(settings, short, &args.format.tz),
        )
    } else {
        Listing::new(known, made.fields, args, settings, short)?
    };
    let place = |column: &ColumnName| known.iter().position(|name| *name == column.as_str());
    if let Some(order) = args.order(known)?
        && let Some(by) = place(&order.column)
    {
        rows.sort_by(|one, other| in_order(&one[by], &other[by], order.descending));
    }
    if let Some(limit) = args.limit(None, context.out_is_terminal) {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let mut records = output::records(settings, &mut *context.out);
    written(records.header(&listing.header()))?;
    for row in &rows {
        written(records.row(&listing.cells(listing.pick(&all, row))))?;
    }
    written(records.end())?;
    drop(records);
    if rows.is_empty() && settings.format.is_for_people() {
        remark(context, made.nothing);
    }
    Ok(())
}

/// Takes a row, and says whether another one is wanted.
pub(crate) type Each<'a> = dyn FnMut(Vec<Cell>) -> Result<ControlFlow<()>, CliError> + 'a;

/// Prints records that stand in no view as they are made, in their order, each a row of all columns.
pub(crate) fn print_made(
    made: &Made<'_>,
    on_a_terminal: Option<u64>,
    args: &OutputArgs,
    archive: &Connection,
    context: &mut Context<'_>,
    feed: impl FnOnce(&mut Each<'_>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let settings = args.format.settings(context);
    let limit = args.limit(on_a_terminal, context.out_is_terminal);
    let short = Short::of(&read::instances(archive)?);
    let listing = Listing::new(made.known, made.fields, args, settings, short)?;
    let (mut shown, mut is_more) = (0, false);
    let mut records = output::records(settings, &mut *context.out);
    written(records.header(&listing.header()))?;
    feed(&mut |row| {
        if limit == Some(shown) {
            is_more = true;
            return Ok(ControlFlow::Break(()));
        }
        shown += 1;
        written(records.row(&listing.cells(listing.pick(made.known, &row))))?;
        Ok(ControlFlow::Continue(()))
    })?;
    written(records.end())?;
    drop(records);
    if shown == 0 && settings.format.is_for_people() {
        remark(context, made.nothing);
    }
    if is_more && args.limit.is_none() {
        remark(
            context,
            &format!("{shown} shown, and there are more; -n 0 for all"),
        );
    }
    Ok(())
}

/// Compares as the archive does: numbers before text, what is absent last either way.
fn in_order(one: &Cell, other: &Cell, descending: bool) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    match (one, other) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Greater,
        (_, Cell::Null) => Ordering::Less,
        (Cell::Integer(one), Cell::Integer(other)) => turned(one.cmp(other)),
        (Cell::Real(one), Cell::Real(other)) => turned(one.total_cmp(other)),
        _ => turned(one.to_text().cmp(&other.to_text())),
    }
}
