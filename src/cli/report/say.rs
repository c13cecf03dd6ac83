//! How a report phrases what its chapters have in common: times, instances, tasks, counts, states.

use crate::cli::coverage::survey::Scope;
use crate::cli::instance_arg::Short;
use crate::model::coverage::State;
use crate::model::fact::{Change, Outcome};
use crate::model::operation;
use crate::model::time::{DAY, Timestamp};
use crate::output::Cell;
use crate::output::document::{Heading, Shown, Tone};
use crate::output::json::Value;
use crate::output::phrase::{self, Precision};
use crate::output::zone::Zone;
use crate::report::attribute::is_same;
use crate::report::stats::Cut;
use crate::store::read::Instance;

/// What every chapter phrases by.
pub(super) struct Say<'a> {
    pub(super) zone: &'a Zone,
    pub(super) short: Short,
}

impl Say<'_> {
    /// A time to the second, as a clock in the zone showed it.
    pub(super) fn time(&self, time: Option<Timestamp>) -> Shown {
        time.map_or_else(nothing, |time| Shown::new(self.moment(time)))
    }

    pub(super) fn moment(&self, time: Timestamp) -> String {
        self.zone.moment(&time.to_string(), Precision::Second)
    }

    /// A time to the minute, for sentences.
    pub(super) fn minute(&self, time: Timestamp) -> String {
        self.zone.moment(&time.to_string(), Precision::Minute)
    }

    /// A stretch of time, for sentences.
    pub(super) fn stretch(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> String {
        match (since, until) {
            (Some(since), Some(until)) => {
                format!("{} to {}", self.minute(since), self.minute(until))
            }
            (Some(since), None) => format!("from {}", self.minute(since)),
            (None, Some(until)) => format!("until {}", self.minute(until)),
            (None, None) => "always".to_owned(),
        }
    }

    /// The period as people name it: a day, a month or a year if it is just one, by the clock of the zone.
    pub(super) fn period(&self, since: Timestamp, until: Timestamp) -> String {
        let [begin, end] = [since, until].map(|time| self.zone.clock(time));
        let whole = [Cut::Day, Cut::Month].into_iter().find_map(|cut| {
            let number = cut.of(begin);
            let is_first = cut.of(begin.plus(-1)) == number - 1;
            let is_last = cut.of(end) == number + 1 && cut.of(end.plus(-1)) == number;
            (is_first && is_last).then(|| cut.name(number))
        });
        if let Some(name) = whole {
            return name;
        }
        let is_midnight = |clock: Timestamp| clock.millis().rem_euclid(DAY) == 0;
        if is_midnight(begin) && is_midnight(end) {
            let last = Cut::Day.name(Cut::Day.of(end.plus(-1)));
            return format!("{} to {last}", Cut::Day.name(Cut::Day.of(begin)));
        }
        self.stretch(Some(since), Some(until))
    }

    /// Whose span it is.
    pub(super) fn scope(&self, scope: &Scope) -> String {
        match scope {
            Scope::Instance(instance) => self.instance(instance),
            Scope::List(_) => "the list of instances".to_owned(),
            Scope::All => "all".to_owned(),
        }
    }

    /// The name of an instance, or as much of its id as tells it from others.
    pub(super) fn instance(&self, instance: &Instance) -> String {
        let id = &instance.key.instance_id;
        instance.name.clone().unwrap_or_else(|| self.short.cut(id))
    }
}

/// The section of an instance.
pub(super) fn anchor(place: usize) -> String {
    format!("instance-{}", place + 1)
}

/// Where there is nothing to show.
pub(super) fn nothing() -> Shown {
    Shown::new("–").toned(Tone::Faint)
}

pub(super) fn optional(text: Option<&str>) -> Shown {
    text.filter(|text| !text.is_empty())
        .map_or_else(nothing, Shown::new)
}

/// A number; none is faint.
pub(super) fn number(number: u64) -> Shown {
    let shown = Shown::new(grouped(number));
    if number == 0 {
        shown.toned(Tone::Faint)
    } else {
        shown
    }
}

/// A number that is bad news unless it is none.
pub(super) fn toned(count: u64, tone: Tone) -> Shown {
    let shown = number(count);
    if count == 0 { shown } else { shown.toned(tone) }
}

/// Says a number in groups of three digits, with narrow blanks between them: `12 345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut said = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            said.push('\u{202f}');
        }
        said.push(digit);
    }
    said
}

/// Says how many of something there are: `1 task`, `3 tasks`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", grouped(number))
}

/// A length of time for sentences: whole days, hours and minutes have no second unit.
pub(super) fn length(millis: i64) -> String {
    let said = phrase::duration(millis);
    let whole = ["00h", "00m", "00s"];
    let short = whole.iter().find_map(|rest| said.strip_suffix(rest));
    short.map_or(said.clone(), str::to_owned)
}

pub(super) fn duration(millis: Option<i64>) -> Shown {
    millis.map_or_else(nothing, |millis| Shown::new(phrase::duration(millis)))
}

/// What an operation did, in plain words, or else what the cloud calls it.
pub(super) fn operation(name: Option<&str>) -> Shown {
    let plain = name.and_then(operation::plain);
    match (plain, name) {
        (Some(plain), Some(name)) => Shown::new(format!("{plain} ({name})")),
        _ => optional(name),
    }
}

/// How a task stands, in a word that does not need the cloud's own.
pub(super) const fn outcome(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Succeeded => ("succeeded", Tone::Good),
        Outcome::Failed => ("failed", Tone::Bad),
        Outcome::Ended => ("ended otherwise", Tone::Plain),
        Outcome::Open => ("open", Tone::Doubtful),
    }
}

pub(super) fn status(change: &Change) -> Shown {
    let (word, tone) = outcome(change.outcome);
    let status = change.status.as_deref().unwrap_or_default();
    let mut said = match change.outcome {
        Outcome::Succeeded | Outcome::Failed => word.to_owned(),
        _ if status.is_empty() => word.to_owned(),
        _ => format!("{word} ({status})"),
    };
    if change.missing.is_some() {
        said.push_str(", no longer listed");
    }
    Shown::new(said).toned(tone)
}

/// What a task changed: each attribute with its old and its new value. What it only repeats is left out.
pub(super) fn changed(change: &Change) -> Shown {
    let stated = change.stated.iter().filter(|stated| {
        let values = stated.old.as_deref().zip(stated.new.as_deref());
        !values.is_some_and(|(old, new)| is_same(old, new))
    });
    let said: Vec<_> = stated
        .map(|stated| {
            let name = phrase::attribute(stated.source.as_str(), &stated.attribute);
            let values = phrase::change(stated.old.as_deref(), stated.new.as_deref());
            format!("{name}: {values}")
        })
        .collect();
    Shown::lines(said).unwrap_or_else(nothing)
}

/// The same as data, what it repeats too.
pub(super) fn stated(change: &Change) -> Value {
    let stated = change.stated.iter().map(|stated| {
        Value::row(
            &["source", "attribute", "old_value", "new_value"],
            vec![
                Cell::text(stated.source.as_str()),
                Cell::text(&stated.attribute),
                cell(stated.old.as_deref()),
                cell(stated.new.as_deref()),
            ],
        )
    });
    Value::Array(stated.collect())
}

pub(super) fn cell(text: Option<&str>) -> Cell {
    text.map_or(Cell::Null, Cell::text)
}

pub(super) fn time_cell(time: Option<Timestamp>) -> Cell {
    time.map_or(Cell::Null, |time| Cell::Text(time.to_string()))
}

pub(super) fn number_cell(number: u64) -> Cell {
    Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A state of coverage as a word and a tone.
pub(super) const fn state(state: State) -> (&'static str, Tone) {
    match state {
        State::Before => ("before it existed", Tone::Faint),
        State::Closed => ("gone", Tone::Faint),
        State::Vouched => ("vouched for", Tone::Good),
        State::CaughtUp => ("caught up", Tone::Plain),
        State::Inherited => ("inherited", Tone::Doubtful),
        State::Gap => ("cannot know", Tone::Unknown),
    }
}

pub(super) const fn heading(title: &'static str) -> Heading {
    Heading {
        title,
        is_number: false,
        is_code: false,
    }
}

/// Above numbers.
pub(super) const fn figures(title: &'static str) -> Heading {
    Heading {
        title,
        is_number: true,
        is_code: false,
    }
}

/// Above ids, times and values.
pub(super) const fn code(title: &'static str) -> Heading {
    Heading {
        title,
        is_number: false,
        is_code: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_named_by_the_clock_of_its_zone() {
        let time = |text: &str| Timestamp::parse_upstream(text).unwrap();
        let cases = [
            (0, "2026-10-01", "2026-11-01", "2026-10"),
            (0, "2026-12-01", "2027-01-01", "2026-12"),
            (0, "2026-10-01", "2026-10-02", "2026-10-01"),
            (0, "2026-10-01", "2026-10-08", "2026-10-01 to 2026-10-07"),
            (
                0,
                "2026-10-01T12:00:00Z",
                "2026-10-02",
                "2026-10-01 12:00 to 2026-10-02 00:00",
            ),
            (
                7_200,
                "2026-10-01",
                "2026-11-01",
                "2026-10-01 02:00+02 to 2026-11-01 02:00+02",
            ),
            (
                7_200,
                "2026-09-30T22:00:00Z",
                "2026-10-31T22:00:00Z",
                "2026-10",
            ),
        ];
        for (offset, since, until, expected) in cases {
            let zone = Zone::fixed(offset).unwrap();
            let say = Say {
                zone: &zone,
                short: Short::of(&[]),
            };
            let since = if since.len() == 10 {
                format!("{since}T00:00:00Z")
            } else {
                since.to_owned()
            };
            let until = if until.len() == 10 {
                format!("{until}T00:00:00Z")
            } else {
                until.to_owned()
            };
            assert_eq!(say.period(time(&since), time(&until)), expected);
        }
    }

    #[test]
    fn a_whole_length_has_one_unit() {
        let cases = [
            (3_600_000, "1h"),
            (86_400_000, "1d"),
            (60_000, "1m"),
            (90_000_000, "1d01h"),
            (500, "0.5s"),
        ];
        for (millis, expected) in cases {
            assert_eq!(length(millis), expected);
        }
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ];
        for (number, expected) in cases {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!(count(1, "task", "tasks"), "1 task");
        assert_eq!(count(0, "task", "tasks"), "0 tasks");
    }
}
