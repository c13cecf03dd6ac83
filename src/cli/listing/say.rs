//! How a value is phrased for people: shortened where it is drawn, and in the zone that they asked for.

use crate::cli::instance_arg::Short;
use crate::model::operation as operations;
use crate::output::phrase::{self, Precision, duration};
use crate::output::text::{cut, safe};
use crate::output::zone::Zone;
use crate::output::{Cell, Settings};

/// Columns that a terminal has where ids are shown whole (an id has 36 of them), and plain names beside the upstream's.
pub(crate) const WIDE: usize = 120;

/// Columns that the name of an instance takes on other terminals; names have up to 64.
const NAME: usize = 16;

/// Columns of the longest bar on a wide terminal.
const BAR: usize = 16;

/// The length of the longest ids that the cloud makes.
const ID: usize = 36;

/// How a cell is phrased.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Shortened for a line of a terminal.
    pub(crate) is_drawn: bool,
    pub(super) width: Option<usize>,
    short: Short,
    pub(super) zone: Zone,
}

impl Look {
    pub(crate) fn new(settings: Settings, short: Short, zone: &Zone) -> Self {
        Self {
            is_drawn: settings.width.is_some(),
            width: settings.width,
            short,
            zone: zone.clone(),
        }
    }

    /// Says whether ids and names have to be shortened.
    fn is_narrow(&self) -> bool {
        self.width.is_some_and(|width| width < WIDE)
    }
}

/// Says a value of a named column in the zone, if it is a time.
pub(crate) fn in_zone(column: &str, cell: Cell, zone: &Zone) -> Cell {
    match cell {
        Cell::Text(time) if is_time(column) => Cell::Text(zone.moment(&time, Precision::Whole)),
        other => other,
    }
}

/// Says whether a column of a view holds times.
pub(crate) fn is_time(column: &str) -> bool {
    column.ends_with("_at")
        || [
            "since",
            "until",
            "missing_since",
            "window_start",
            "window_end",
            "high_water_mark",
            "mark_before",
            "mark_after",
        ]
        .contains(&column)
}

/// The value as it stands.
pub(crate) fn plain(read: &[Cell], _: &Look) -> Cell {
    read.first().cloned().unwrap_or(Cell::Null)
}

/// A time: with seconds on a terminal, whole elsewhere.
pub(crate) fn time(read: &[Cell], look: &Look) -> Cell {
    shortened(read, look, Precision::Second)
}

/// A time of which the minute is enough on a terminal.
pub(crate) fn minute(read: &[Cell], look: &Look) -> Cell {
    shortened(read, look, Precision::Minute)
}

fn shortened(read: &[Cell], look: &Look, precision: Precision) -> Cell {
    match read.first() {
        Some(Cell::Text(time)) if look.is_drawn => Cell::Text(look.zone.moment(time, precision)),
        Some(Cell::Text(time)) => Cell::Text(look.zone.moment(time, Precision::Whole)),
        _ => plain(read, look),
    }
}

/// An instance, read as its id and its name: a name says more than an id, where there is one.
pub(crate) fn instance(read: &[Cell], look: &Look) -> Cell {
    match read {
        [_, Cell::Text(name), ..] if look.is_narrow() => Cell::text(cut(&safe(name), NAME)),
        [_, name @ Cell::Text(_), ..] => name.clone(),
        [Cell::Text(id), ..] if look.is_narrow() => Cell::Text(look.short.cut(id)),
        _ => plain(read, look),
    }
}

/// An id, whole if it is one of the usual length.
pub(crate) fn id(read: &[Cell], look: &Look) -> Cell {
    match read.first() {
        Some(Cell::Text(id)) if look.is_drawn => Cell::text(cut(&safe(id), ID)),
        _ => plain(read, look),
    }
}

/// What an operation is in plain words, beside what the cloud calls it; nothing for one that nobody documents.
pub(crate) fn operation(read: &[Cell], _: &Look) -> Cell {
    match read.first() {
        Some(Cell::Text(name)) => operations::plain(name).map_or(Cell::Null, Cell::text),
        _ => Cell::Null,
    }
}

/// A number as a bar, read with the one that the longest bar stands for.
pub(crate) fn bar(read: &[Cell], look: &Look) -> Cell {
    match read {
        [Cell::Integer(value), Cell::Integer(most)] => {
            let room = if look.is_narrow() { BAR / 2 } else { BAR };
            Cell::Text(phrase::bar(*value, *most, room))
        }
        _ => Cell::Null,
    }
}

/// Milliseconds as people say them.
pub(crate) fn elapsed(read: &[Cell], look: &Look) -> Cell {
    match read.first() {
        Some(Cell::Integer(millis)) => Cell::Text(duration(*millis)),
        _ => plain(read, look),
    }
}

/// 1 and 0 as words.
pub(crate) fn yes_no(read: &[Cell], look: &Look) -> Cell {
    match read.first() {
        Some(Cell::Integer(0)) => Cell::text("no"),
        Some(Cell::Integer(_)) => Cell::text("yes"),
        _ => plain(read, look),
    }
}
