//! When an instance was changed, above what the archive vouches for.

use crate::cli::report::gather::Report;
use crate::cli::report::say::{self, Say};
use crate::model::time::{DAY, Timestamp};
use crate::output::document::{Band, Mark, Place, Timeline, WHOLE};
use crate::report::audit::PIECES;
use crate::report::stats::Cut;

pub(super) fn timeline(report: &Report, say: &Say<'_>, place: usize) -> Timeline {
    let lane = &report.survey.lanes[place];
    let scope = &report.scope;
    let length = i128::from(scope.until.distance(scope.since).max(1));
    let at = |time: Timestamp| -> Place {
        let away = time.millis().saturating_sub(scope.since.millis());
        let place = i128::from(away) * i128::from(WHOLE) / length;
        Place::try_from(place.clamp(0, i128::from(WHOLE))).unwrap_or_default()
    };
    let bands = lane.spans.iter().map(|span| {
        let (word, tone) = say::state(span.state);
        Band {
            from: span.window.since.map_or(0, at),
            to: span.window.until.map_or(WHOLE, at),
            tone,
            word,
        }
    });
    let marks = report.facts.instances[place].marks.iter();
    let marks = marks.map(|(piece, outcome)| {
        let (word, tone) = say::outcome(*outcome);
        let middle = (2 * i128::from(*piece) + 1) * i128::from(WHOLE) / (2 * i128::from(PIECES));
        Mark {
            at: Place::try_from(middle).unwrap_or(WHOLE),
            tone,
            word,
        }
    });
    Timeline {
        ticks: ticks(report, say, at),
        bands: bands.collect(),
        marks: marks.collect(),
    }
}

/// Times to go by: the beginnings of some days, as far apart as there is room for, and the beginning of the period.
fn ticks(report: &Report, say: &Say<'_>, at: impl Fn(Timestamp) -> Place) -> Vec<(Place, String)> {
    const MOST: i64 = 7;
    let scope = &report.scope;
    let step = scope.until.distance(scope.since) / MOST;
    let mut ticks: Vec<(Place, String)> = Vec::new();
    for number in 0..MOST {
        let time = scope.since.plus(step * number);
        let clock = say.zone.clock(time);
        let midnight = time.plus(-clock.millis().rem_euclid(DAY));
        let name = Cut::Day.name(Cut::Day.of(clock));
        if ticks.last().is_none_or(|(_, last)| *last != name) {
            ticks.push((at(midnight), name));
        }
    }
    ticks
}
