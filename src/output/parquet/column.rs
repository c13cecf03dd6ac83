//! One column of a row group: its values while they are gathered, and how they are written.

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

use super::Unfit;
use crate::model::kind::Kind;
use crate::model::time::Timestamp;
use crate::output::Cell;

/// Values that are handed to the library together: it works through them in lots of a thousand, and texts are
/// split off from each other for no more than these.
const BATCH: usize = 8_192;

/// The gathered values of one column.
pub(super) struct Column {
    kind: Kind,
    /// One a row: 1 where there is a value.
    levels: Vec<i16>,
    values: Values,
}

/// The values that are there.
enum Values {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Flags(Vec<bool>),
    /// All texts behind each other, and where each of them ends.
    Texts(Vec<u8>, Vec<usize>),
}

impl Values {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Time | Kind::Integer => Self::Integers(Vec::new()),
            Kind::Real => Self::Reals(Vec::new()),
            Kind::Flag => Self::Flags(Vec::new()),
            Kind::Text | Kind::Bytes => Self::Texts(Vec::new(), Vec::new()),
        }
    }
}

impl Column {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            levels: Vec::new(),
            values: Values::of(kind),
        }
    }

    /// Adds a value, and returns how many bytes it takes here.
    pub(super) fn push(&mut self, cell: &Cell) -> std::result::Result<usize, Unfit> {
        let bytes = match (&mut self.values, self.kind, cell) {
            (_, _, Cell::Null) => {
                self.levels.push(0);
                return Ok(size_of::<i16>());
            }
            (Values::Integers(values), Kind::Time, Cell::Text(text)) => {
                let time = Timestamp::parse_upstream(text).filter(|_| is_whole(text));
                values.push(time.ok_or(Unfit)?.millis());
                size_of::<i64>()
            }
            (Values::Integers(values), Kind::Integer, Cell::Integer(number)) => {
                values.push(*number);
                size_of::<i64>()
            }
            (Values::Reals(values), _, Cell::Real(number)) => {
                values.push(*number);
                size_of::<f64>()
            }
            (Values::Flags(values), _, Cell::Integer(number @ (0 | 1))) => {
                values.push(*number == 1);
                size_of::<bool>()
            }
            (Values::Texts(all, ends), kind, cell) => {
                match cell {
                    Cell::Bytes(bytes) if kind == Kind::Bytes => all.extend_from_slice(bytes),
                    // A reader refuses a text that is not UTF-8.
                    cell => all.extend_from_slice(cell.to_text().as_bytes()),
                }
                let begin = ends.last().copied().unwrap_or_default();
                ends.push(all.len());
                size_of::<usize>() + all.len() - begin
            }
            _ => return Err(Unfit),
        };
        self.levels.push(1);
        Ok(size_of::<i16>() + bytes)
    }

    /// Writes what was gathered, and forgets it.
    pub(super) fn write(&mut self, to: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let empty = Self::new(self.kind);
        let Self { levels, values, .. } = std::mem::replace(self, empty);
        match values {
            Values::Integers(values) => {
                write::<Int64Type>(to, &levels, |from, to| values[from..to].to_vec())
            }
            Values::Reals(values) => {
                write::<DoubleType>(to, &levels, |from, to| values[from..to].to_vec())
            }
            Values::Flags(values) => {
                write::<BoolType>(to, &levels, |from, to| values[from..to].to_vec())
            }
            Values::Texts(all, ends) => {
                let all = ByteArray::from(all);
                write::<ByteArrayType>(to, &levels, |from, to| {
                    let mut begin = from.checked_sub(1).map_or(0, |before| ends[before]);
                    let slice = |end: &usize| {
                        let text = all.slice(begin, end - begin);
                        begin = *end;
                        text
                    };
                    ends[from..to].iter().map(slice).collect()
                })
            }
        }
    }
}

/// Says whether a time has the one form that the archive's views give it. What has another one may mean anything.
fn is_whole(time: &str) -> bool {
    time.len() == "2020-06-17T08:18:06.597Z".len() && time.contains('T') && time.ends_with('Z')
}

/// Writes a column in batches; the values from one number to another are asked for when they are needed.
fn write<T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    levels: &[i16],
    mut values: impl FnMut(usize, usize) -> Vec<T::T>,
) -> Result<()> {
    let mut from = 0;
    for levels in levels.chunks(BATCH) {
        let there = levels.iter().filter(|level| **level == 1).count();
        let batch = values(from, from + there);
        to.typed::<T>().write_batch(&batch, Some(levels), None)?;
        from += there;
    }
    Ok(())
}
