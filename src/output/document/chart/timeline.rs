//! What happened to one instance: ticks for its tasks, and below them a band that says what the archive can vouch for.

use super::super::super::text::cut;
use super::super::{Band, Mark, Place, Timeline, Tone, WHOLE};
use super::{Key, Label, Percent, Shape, scale};

/// Columns that tasks are gathered in: on a phone, each is two pixels wide.
const COLUMNS: usize = 180;
/// The height of the room for ticks, in pixels.
const HEIGHT: usize = 36;
/// Bands, at most. What has more is drawn in columns, of which each is what is worst in it.
const MOST_BANDS: u32 = 60;
/// What is not as it should be is seen, however short it was.
const LEAST: u32 = 50;
/// Labels that fit below a wide and a narrow chart.
const LABELS: (usize, usize) = (7, 3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Lane {
    pub(in super::super) bands: Vec<Stretch>,
    /// A path for each tone, the worst last, so that it is drawn on top.
    pub(in super::super) ticks: Vec<(Tone, String)>,
    pub(in super::super) labels: Vec<Label>,
    pub(in super::super) keys: Vec<Key>,
}

/// A piece of the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Stretch {
    pub(in super::super) x: Percent,
    pub(in super::super) width: Percent,
    pub(in super::super) tone: Tone,
}

impl Lane {
    pub(super) fn new(timeline: &Timeline) -> Self {
        Self {
            bands: bands(&timeline.bands),
            ticks: ticks(&timeline.marks),
            labels: labels(&timeline.ticks),
            keys: lane_keys(timeline),
        }
    }
}

/// How bad it is: of what falls together, the worst is shown.
const fn rank(tone: Tone) -> u8 {
    match tone {
        Tone::Faint => 0,
        Tone::Good => 1,
        Tone::Plain => 2,
        Tone::Unknown => 3,
        Tone::Doubtful => 4,
        Tone::Bad => 5,
    }
}

fn bands(bands: &[Band]) -> Vec<Stretch> {
    let mut runs = joined(bands.iter().map(|band| (band.from, band.to, band.tone)));
    if runs.len() > MOST_BANDS as usize {
        runs = joined(coarse(&runs).into_iter());
    }
    // The worst comes last: it was made wide enough to be seen, and is not to be covered by its neighbours.
    runs.sort_by_key(|(from, _, tone)| (rank(*tone), *from));
    let stretches = runs.into_iter().map(|(from, to, tone)| {
        let width = Percent::of(u128::from(to - from), u128::from(WHOLE)).0;
        let least = if rank(tone) > rank(Tone::Plain) {
            LEAST
        } else {
            1
        };
        let width = width.max(least);
        let x = Percent::of(u128::from(from), u128::from(WHOLE)).0;
        Stretch {
            x: Percent(x.min(Percent::WHOLE - width)),
            width: Percent(width),
            tone,
        }
    });
    stretches.collect()
}

/// Makes one of neighbours of one tone; what is empty or lies outside is left out.
fn joined(runs: impl Iterator<Item = (Place, Place, Tone)>) -> Vec<(Place, Place, Tone)> {
    let mut joined: Vec<(Place, Place, Tone)> = Vec::new();
    for (from, to, tone) in runs {
        let to = to.min(WHOLE);
        match joined.last_mut() {
            _ if from >= to => {}
            Some(last) if last.2 == tone && last.1 >= from => last.1 = to.max(last.1),
            _ => joined.push((from, to, tone)),
        }
    }
    joined
}

/// Cuts the whole into as many columns as there may be bands.
fn coarse(runs: &[(Place, Place, Tone)]) -> Vec<(Place, Place, Tone)> {
    let edge = |column: u32| {
        u32::try_from(u64::from(WHOLE) * u64::from(column) / u64::from(MOST_BANDS)).unwrap_or(WHOLE)
    };
    let columns = (0..MOST_BANDS).map(|column| (edge(column), edge(column + 1)));
    columns
        .filter_map(|(from, to)| {
            let within = runs.iter().filter(|run| run.0 < to && run.1 > from);
            let worst = within.map(|run| run.2).max_by_key(|tone| rank(*tone))?;
            Some((from, to, worst))
        })
        .collect()
}

/// Returns a path for each tone. In each column stands one tick: of the tone that is worst there, and the higher the more
/// tasks there are; one of a failure reaches to the top.
fn ticks(marks: &[Mark]) -> Vec<(Tone, String)> {
    let mut columns: Vec<Option<(Tone, usize)>> = vec![None; COLUMNS];
    for mark in marks {
        let column = u64::from(mark.at) * COLUMNS as u64 / u64::from(WHOLE);
        let column = usize::try_from(column).map_or(COLUMNS - 1, |column| column.min(COLUMNS - 1));
        let (tone, count) = columns[column].unwrap_or((mark.tone, 0));
        let worst = if rank(mark.tone) > rank(tone) {
            mark.tone
        } else {
            tone
        };
        columns[column] = Some((worst, count + 1));
    }
    let mut tones: Vec<Tone> = columns.iter().flatten().map(|(tone, _)| *tone).collect();
    tones.sort_by_key(|tone| rank(*tone));
    tones.dedup();
    tones
        .into_iter()
        .map(|tone| (tone, path(&columns, tone)))
        .collect()
}

fn path(columns: &[Option<(Tone, usize)>], wanted: Tone) -> String {
    let mut path = String::new();
    let mut before: Option<(usize, usize)> = None;
    for (at, column) in columns.iter().enumerate() {
        let Some((tone, count)) = *column else {
            continue;
        };
        if tone != wanted {
            continue;
        }
        let height = height(tone, count);
        path.extend([match before {
            None => format!("M{} {HEIGHT}v-{height}", 2 * at + 1),
            Some((before, fallen)) => format!("m{} {fallen}v-{height}", 2 * (at - before)),
        }]);
        before = Some((at, height));
    }
    path
}

fn height(tone: Tone, count: usize) -> usize {
    if tone == Tone::Bad {
        HEIGHT - 1
    } else {
        // A half more for each time that the count doubles.
        let doubled = count.max(1).ilog2().min(4) as usize;
        12 + 3 * doubled
    }
}

fn labels(ticks: &[(Place, String)]) -> Vec<Label> {
    let (wide, narrow) = scale::thinned(ticks.len(), LABELS.0, LABELS.1);
    let shown = ticks.iter().enumerate().step_by(wide);
    shown
        .map(|(number, (place, text))| {
            let x = Percent::of(u128::from(*place), u128::from(WHOLE));
            Label {
                x,
                text: cut(text, 12).into_owned(),
                anchor: x.anchor(),
                is_extra: number % narrow != 0,
            }
        })
        .collect()
}

/// What each colour and pattern of the drawing stands for, each once, in the order of badness.
fn lane_keys(timeline: &Timeline) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let marks = timeline.marks.iter();
    let marks = marks.map(|mark| (mark.tone, mark.word, Shape::Tick));
    let bands = timeline.bands.iter();
    let bands = bands.map(|band| (band.tone, band.word, Shape::Band));
    for (tone, word, shape) in marks.chain(bands) {
        let key = Key { tone, word, shape };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| (key.shape == Shape::Band, rank(key.tone), key.word));
    keys
}
