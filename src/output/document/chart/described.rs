//! What a drawing shows, in a sentence: for those who do not see it, and where there is none.

use std::collections::BTreeMap;

use super::super::{Drawing, Stacks, Timeline, WHOLE};
use super::{is_empty, sum};

/// Returns the sentence.
pub(in super::super) fn described(drawing: &Drawing) -> String {
    match drawing {
        Drawing::Columns(stacks) | Drawing::Bars(stacks) if is_empty(stacks) => {
            "There is nothing to draw.".to_owned()
        }
        Drawing::Columns(stacks) => {
            let (first, last) = (stacks.labels.first(), stacks.labels.last());
            let ends = first.zip(last);
            let span = ends.map_or_else(String::new, |(first, last)| {
                if first == last {
                    format!("{first}: ")
                } else {
                    format!("{first} to {last}: ")
                }
            });
            format!("{span}{}; {}.", totals(stacks), highest(stacks))
        }
        Drawing::Bars(stacks) => format!("{}; {}.", totals(stacks), highest(stacks)),
        Drawing::Timeline(timeline) => lane(timeline),
    }
}

fn totals(stacks: &Stacks) -> String {
    let series = stacks.series.iter().filter_map(|series| {
        let total: u128 = series.values.iter().map(|value| u128::from(*value)).sum();
        (total > 0).then(|| format!("{total} {}", series.name))
    });
    series.collect::<Vec<_>>().join(", ")
}

/// Names the label with the most; of several, the first.
fn highest(stacks: &Stacks) -> String {
    let labels = stacks.labels.iter().enumerate().rev();
    let highest = labels.max_by_key(|(at, _)| sum(stacks, *at));
    highest.map_or_else(String::new, |(at, label)| {
        format!("most in {label}, with {}", sum(stacks, at))
    })
}

fn lane(timeline: &Timeline) -> String {
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for mark in &timeline.marks {
        *counts.entry((mark.tone, mark.word)).or_default() += 1;
    }
    let tasks = match timeline.marks.len() {
        0 => "no task".to_owned(),
        1 => "1 task".to_owned(),
        count => format!("{count} tasks"),
    };
    let counts: Vec<String> = counts
        .iter()
        .map(|((_, word), count)| format!("{count} {word}"))
        .collect();
    let tasks = if counts.is_empty() {
        tasks
    } else {
        format!("{tasks}, {}", counts.join(", "))
    };
    let mut spans: BTreeMap<_, u64> = BTreeMap::new();
    for band in &timeline.bands {
        *spans.entry((band.tone, band.word)).or_default() +=
            u64::from(band.to.saturating_sub(band.from));
    }
    let spans: Vec<String> = spans
        .iter()
        .map(|((_, word), span)| format!("{word} {}", share(*span)))
        .collect();
    if spans.is_empty() {
        format!("{tasks}.")
    } else {
        format!("{tasks}; of the period: {}.", spans.join(", "))
    }
}

/// A share in whole percent, which is neither nothing nor all unless it is so.
fn share(span: u64) -> String {
    let whole = u64::from(WHOLE);
    match (span * 100 + whole / 2) / whole {
        0 if span > 0 => "less than 1 %".to_owned(),
        percent if percent >= 100 && span < whole => "more than 99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}
