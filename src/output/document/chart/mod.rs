//! Charts as geometry: where each line, column and label stands, in whole numbers. What they look like is the writer's.
//!
//! Across, a chart has no width of its own: places are hundredths of a percent, so that letters keep their size on a phone and
//! on paper alike. Down, places are pixels. The same drawing gives the same numbers everywhere.

mod bars;
mod columns;
mod described;
mod scale;
mod timeline;

#[cfg(test)]
mod tests;

use std::fmt;

pub(super) use self::described::described;

use super::{Drawing, Stacks, Tone};

/// What there is to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    /// Not even axes.
    Nothing,
    Columns(columns::Columns),
    Bars(bars::Bars),
    Timeline(timeline::Lane),
}

/// What a colour or a pattern stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) tone: Tone,
    pub(super) word: &'static str,
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Area,
    Band,
    Tick,
}

impl Shape {
    /// The class of a style sheet.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Band => "band",
            Self::Tick => "tick",
        }
    }
}

/// A text below a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) x: Percent,
    pub(super) text: String,
    pub(super) anchor: &'static str,
    /// There is room for it on a wide screen only.
    pub(super) is_extra: bool,
}

/// A place or a length across: hundredths of a percent of the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Percent(pub(super) u32);

impl Percent {
    const WHOLE: u32 = 10_000;

    /// Returns `part` of `whole`, at most all of it; nothing of nothing.
    fn of(part: u128, whole: u128) -> Self {
        let share = (part * u128::from(Self::WHOLE)).checked_div(whole);
        Self(u32::try_from(share.unwrap_or(0)).map_or(Self::WHOLE, |share| share.min(Self::WHOLE)))
    }

    /// Texts near an edge do not hang over it.
    const fn anchor(self) -> &'static str {
        match self.0 {
            0..500 => "start",
            500..=9_500 => "middle",
            _ => "end",
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(formatter, "{whole}%"),
            _ if rest % 10 == 0 => write!(formatter, "{whole}.{}%", rest / 10),
            _ => write!(formatter, "{whole}.{rest:02}%"),
        }
    }
}

/// Works out where everything stands.
pub(super) fn draw(drawing: &Drawing) -> Drawn {
    match drawing {
        Drawing::Columns(stacks) if !is_empty(stacks) => {
            Drawn::Columns(columns::Columns::new(stacks))
        }
        Drawing::Bars(stacks) if !is_empty(stacks) => Drawn::Bars(bars::Bars::new(stacks)),
        Drawing::Timeline(timeline)
            if !(timeline.bands.is_empty() && timeline.marks.is_empty()) =>
        {
            Drawn::Timeline(timeline::Lane::new(timeline))
        }
        _ => Drawn::Nothing,
    }
}

fn is_empty(stacks: &Stacks) -> bool {
    (0..stacks.labels.len()).all(|at| sum(stacks, at) == 0)
}

/// How much stands at a label, all series together.
fn sum(stacks: &Stacks, at: usize) -> u128 {
    let values = stacks.series.iter();
    values
        .map(|series| u128::from(series.values.get(at).copied().unwrap_or(0)))
        .sum()
}

/// The series that have anything to show.
fn keys(stacks: &Stacks) -> Vec<Key> {
    let series = stacks.series.iter();
    series
        .filter(|series| series.values.iter().any(|value| *value > 0))
        .map(|series| Key {
            tone: series.tone,
            word: series.name,
            shape: Shape::Area,
        })
        .collect()
}
