//! Columns from left to right, their series standing on each other.

use super::super::super::text::cut;
use super::super::Stacks;
use super::{Key, Label, Percent, keys, scale, sum};

/// The height of the plot, in pixels.
const HEIGHT: u128 = 140;
/// Units of a path in a pixel: ten, so that a small difference is seen when the chart is enlarged.
const UNITS: u128 = 10;
/// What is more than nothing is seen: a pixel and a half.
const LEAST: u128 = 15;
/// Units across from one column to the next.
const SLOT: usize = 10;
/// Above so many columns there is no gap between them: it would be finer than a pixel of a phone.
const MOST_WITH_GAPS: usize = 62;
/// Labels that fit below a wide and a narrow chart: each is about as wide as a date.
const LABELS: (usize, usize) = (9, 3);
/// Where the middle of the last label is on a phone, at most.
const LAST_ON_PHONE: Percent = Percent(9_300);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Columns {
    /// The width of the drawing in units of its paths.
    pub(in super::super) units: usize,
    pub(in super::super) lines: Vec<Line>,
    /// Those with something to show, the lowest of the stack first.
    pub(in super::super) series: Vec<(Key, String)>,
    pub(in super::super) labels: Vec<Label>,
}

/// A line of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Line {
    pub(in super::super) y: u128,
    pub(in super::super) value: u128,
}

impl Columns {
    pub(super) fn new(stacks: &Stacks) -> Self {
        let count = stacks.labels.len();
        let most = (0..count).map(|at| sum(stacks, at)).max().unwrap_or(0);
        let values = scale::lines(most);
        let top = values.last().copied().unwrap_or(1);
        Self {
            units: count * SLOT,
            lines: values
                .into_iter()
                .map(|value| Line {
                    y: HEIGHT - value * HEIGHT / top,
                    value,
                })
                .collect(),
            series: keys(stacks).into_iter().zip(paths(stacks, top)).collect(),
            labels: labels(&stacks.labels),
        }
    }
}

/// Returns a path for each series that has something to show.
fn paths(stacks: &Stacks, top: u128) -> Vec<String> {
    let count = stacks.labels.len();
    let (left, width) = if count > MOST_WITH_GAPS {
        (0, SLOT)
    } else {
        (1, SLOT - 2)
    };
    let mut heights = vec![0; count];
    let mut paths = Vec::new();
    for series in &stacks.series {
        let mut path = String::new();
        for (at, below) in heights.iter_mut().enumerate() {
            let value = u128::from(series.values.get(at).copied().unwrap_or(0));
            if value == 0 {
                continue;
            }
            let height = (value * HEIGHT * UNITS / top).max(LEAST);
            let x = at * SLOT + left;
            // The foot of the column below is where this one stands; it may lift the stack above its true height by what was
            // added to be seen, but never out of the plot.
            let foot = (HEIGHT * UNITS).saturating_sub(*below);
            let height = height.min(foot);
            path.extend([format!("M{x} {}h{width}v{height}h-{width}z", foot - height)]);
            *below += height;
        }
        if !path.is_empty() {
            paths.push(path);
        }
    }
    paths
}

fn labels(texts: &[String]) -> Vec<Label> {
    let count = texts.len();
    let (wide, narrow) = scale::thinned(count, LABELS.0, LABELS.1);
    let shown = texts.iter().enumerate().step_by(wide);
    shown
        .map(|(at, text)| {
            let x = Percent::of(at as u128 * 2 + 1, count as u128 * 2);
            Label {
                x,
                text: cut(text, 12).into_owned(),
                // The plot leaves room for half a label at its left, and a phone has none at its right.
                anchor: "middle",
                is_extra: at % narrow != 0 || x > LAST_ON_PHONE,
            }
        })
        .collect()
}
