//! When an instance was changed, above what the archive vouches for.

use crate::cli::report::gather::Report;
use crate::cli::report::say::{self, Say};
use crate::model::time::{HOUR, Timestamp};
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

/// Times to go by: as many beginnings of days as fit, and the end.
pub(super) fn ticks(
    report: &Report,
    say: &Say<'_>,
    at: impl Fn(Timestamp) -> Place,
) -> Vec<(Place, String)> {
    const MOST: usize = 7;
    let scope = &report.scope;
    let cut = Cut::Day;
    // A day of the zone begins where its clock shows midnight, which need not be a whole day after the last one began.
    let mut days = Vec::new();
    let mut hour = scope.since;
    let mut last = None;
    while hour < scope.until && days.len() <= MOST * 200 {
        let day = cut.of(say.zone.clock(hour));
        if last != Some(day) {
            days.push((hour, cut.name(day)));
            last = Some(day);
        }
        hour = hour.plus(HOUR);
    }
    let step = days.len().div_ceil(MOST).max(1);
    let chosen = days.into_iter().step_by(step);
    chosen.map(|(time, name)| (at(time), name)).collect()
}
