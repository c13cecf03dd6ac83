//! Bars from top to bottom, their series standing beside each other.

use super::super::super::text::cut;
use super::super::{Stacks, Tone};
use super::{Key, Percent, keys, sum};

/// From one bar to the next, in pixels: a line of letters, the bar, and some air.
const PITCH: usize = 38;
/// Bars, at most: nobody compares more of them, and the table has the rest.
const MOST: usize = 24;
/// What is more than nothing is seen.
const LEAST: u32 = 40;
/// Letters of a label: as many as stand beside its sum on a phone.
const LETTERS: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Bars {
    pub(in super::super) height: usize,
    pub(in super::super) rows: Vec<Bar>,
    pub(in super::super) keys: Vec<Key>,
    /// Bars that were left out.
    pub(in super::super) more: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Bar {
    pub(in super::super) y: usize,
    pub(in super::super) label: String,
    pub(in super::super) total: u128,
    /// What each series has of it, in words.
    pub(in super::super) parts: String,
    pub(in super::super) pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Piece {
    pub(in super::super) x: Percent,
    pub(in super::super) width: Percent,
    pub(in super::super) tone: Tone,
}

impl Bars {
    pub(super) fn new(stacks: &Stacks) -> Self {
        let count = stacks.labels.len();
        let most = (0..count).map(|at| sum(stacks, at)).max().unwrap_or(0);
        let labels = stacks.labels.iter().take(MOST).enumerate();
        let rows: Vec<Bar> = labels
            .map(|(at, label)| Bar {
                y: at * PITCH,
                label: cut(label, LETTERS).into_owned(),
                total: sum(stacks, at),
                parts: parts(stacks, at),
                pieces: pieces(stacks, at, most),
            })
            .collect();
        Self {
            height: rows.len() * PITCH,
            more: count - rows.len(),
            rows,
            keys: keys(stacks),
        }
    }
}

fn parts(stacks: &Stacks, at: usize) -> String {
    let parts = stacks.series.iter().filter_map(|series| {
        let value = series.values.get(at).copied().unwrap_or(0);
        (value > 0).then(|| format!("{value} {}", series.name))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn pieces(stacks: &Stacks, at: usize, most: u128) -> Vec<Piece> {
    let mut x = 0;
    let mut pieces = Vec::new();
    for series in &stacks.series {
        let value = u128::from(series.values.get(at).copied().unwrap_or(0));
        if value > 0 {
            let width = Percent::of(value, most).0.max(LEAST);
            // What was added to be seen is taken from the last piece, so that no bar is longer than the longest.
            let start = x.min(Percent::WHOLE - LEAST);
            let width = width.min(Percent::WHOLE - start);
            pieces.push(Piece {
                x: Percent(start),
                width: Percent(width),
                tone: series.tone,
            });
            x = start + width;
        }
    }
    pieces
}
