//! The chapters behind page one. Each is a table or two, with a chart where one says more.

use super::front::{millis, whose};
use super::gather::{Counted, Report};
use super::say::{
    self, Say, anchor, cell, changed, code, count, figures, heading, nothing, number, number_cell,
    optional, stated, status, time_cell, toned,
};
use crate::cli::coverage::spans;
use crate::model::coverage::State;
use crate::model::fact::{Change, Outcome};
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::output::document::{
    Band, Block, Chart, Drawing, Heading, Level, Mark, Place, Section, Series, Shown, Stacks,
    Table, Timeline, Tone, WHOLE,
};
use crate::output::json::Value;
use crate::output::phrase;
use crate::report::audit::{self, Entries, Entry, PIECES, exposures};
use crate::report::stats::{Counts, Cut};

/// Where what was left out of a list can be had.
const REST: &str =
    "All rows: the same command with --limit 0, with -o csv, or `dcs-history export`.";

pub(super) fn sections(report: &Report, say: &Say<'_>) -> Vec<Section> {
    let mut sections = vec![coverage(report, say), activity(report), users(report)];
    sections.extend(instances(report, say));
    sections.extend([
        failures(report, say),
        long(report, say),
        exposure(report, say),
        finished(report, say),
    ]);
    if report.facts.undated.total() > 0 {
        sections.push(undated(report, say));
    }
    sections.extend([
        missing(report, say),
        continuity(report, say),
        drift(report, say),
    ]);
    sections
}

fn chapter(id: &str, title: impl Into<String>, blocks: Vec<Block>) -> Section {
    Section {
        id: id.to_owned(),
        title: title.into(),
        level: Level::Chapter,
        blocks,
    }
}

fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

/// What a table has in common with the others.
fn table(
    name: &'static str,
    headings: Vec<Heading>,
    columns: &'static [&'static str],
    none: &str,
) -> Table {
    Table {
        name,
        caption: String::new(),
        headings,
        rows: Vec::new(),
        columns,
        data: Vec::new(),
        total: 0,
        rest: REST.to_owned(),
        nothing: none.to_owned(),
    }
}

impl Table {
    fn add(&mut self, row: Vec<Shown>, data: Vec<Value>) {
        self.rows.push(row);
        self.data.push(data);
        self.total += 1;
    }
}

fn values<const N: usize>(cells: [Cell; N]) -> Vec<Value> {
    cells.into_iter().map(Value::Cell).collect()
}

fn coverage(report: &Report, say: &Say<'_>) -> Section {
    let mut all = table(
        "coverage",
        vec![
            heading("State"),
            code("From"),
            code("Until"),
            figures("Length"),
            heading("Whose"),
        ],
        &[
            "state",
            "since",
            "until",
            "duration_ms",
            "instances",
            "lists",
        ],
        "Nothing was read yet.",
    );
    for span in &report.survey.all {
        let (word, tone) = say::state(span.state);
        all.add(
            vec![
                Shown::new(word).toned(tone),
                say.time(span.window.since),
                say.time(span.window.until),
                say::duration(Some(millis(span))),
                Shown::new(whose(span, report.survey.instances)),
            ],
            values([
                Cell::text(span.state.as_str()),
                time_cell(span.window.since),
                time_cell(span.window.until),
                Cell::Integer(millis(span)),
                number_cell(span.instances as u64),
                number_cell(span.lists as u64),
            ]),
        );
    }
    let mut parts = table(
        "not_vouched",
        vec![
            heading("Of"),
            heading("State"),
            code("From"),
            code("Until"),
            heading("Why"),
        ],
        &spans::COLUMNS,
        "There is none.",
    );
    "What is not vouched for, instance by instance".clone_into(&mut parts.caption);
    let most = report.asked.limit.unwrap_or(u64::MAX);
    let doubts = report.survey.parts.iter();
    for told in doubts.filter(|told| matches!(told.state, State::Gap | State::Inherited)) {
        if parts.rows.len() as u64 >= most {
            parts.total += 1;
            continue;
        }
        let (word, tone) = say::state(told.state);
        parts.add(
            vec![
                Shown::new(say.scope(&told.scope)),
                Shown::new(word).toned(tone),
                say.time(told.window.since),
                say.time(told.window.until),
                Shown::new(told.reason.clone()),
            ],
            spans::row(told.clone())
                .into_iter()
                .map(Value::Cell)
                .collect(),
        );
    }
    let words = "At every moment all instances together are in one of these states, the weakest that any of them is in. \
        Vouched for: proven readings before and after, near enough, so every task is here except one that was created and \
        deleted between two of them. Caught up: the same, short of an old record that showed late while another was deleted. \
        Inherited: before the first proven reading; what was still listed is here. Cannot know: no proven reading speaks for it.";
    chapter(
        "coverage",
        "What the archive can vouch for",
        vec![text(words), Block::Table(all), Block::Table(parts)],
    )
}

/// The measures of a group, as people see them.
fn measures(counts: &Counts) -> [Shown; 6] {
    [
        number(counts.tasks),
        number(counts.succeeded),
        toned(counts.failed, Tone::Bad),
        number(counts.ended()),
        toned(counts.open, Tone::Doubtful),
        toned(counts.missing, Tone::Doubtful),
    ]
}

fn measured(counts: &Counts) -> [Cell; 6] {
    [
        number_cell(counts.tasks),
        number_cell(counts.succeeded),
        number_cell(counts.failed),
        number_cell(counts.ended()),
        number_cell(counts.open),
        number_cell(counts.missing),
    ]
}

const MEASURES: [Heading; 6] = [
    figures("Tasks"),
    figures("Succeeded"),
    figures("Failed"),
    figures("Other"),
    figures("Open"),
    figures("No longer listed"),
];

fn series<'a>(counts: impl Iterator<Item = &'a Counts> + Clone) -> Vec<Series> {
    let one = |name, tone, value: fn(&Counts) -> u64| Series {
        name,
        tone,
        values: counts.clone().map(value).collect(),
    };
    vec![
        one("succeeded", Tone::Good, |counts| counts.succeeded),
        one("failed", Tone::Bad, |counts| counts.failed),
        one("ended otherwise", Tone::Plain, Counts::ended),
        one("open", Tone::Doubtful, |counts| counts.open),
    ]
}

fn activity(report: &Report) -> Section {
    let (title, unit, columns): (_, _, &'static [&'static str]) = match report.cut {
        Cut::Day => (
            "Tasks a day",
            "Day",
            &[
                "day",
                "tasks",
                "succeeded",
                "failed",
                "ended",
                "open",
                "missing",
            ],
        ),
        Cut::Week => (
            "Tasks a week",
            "Week",
            &[
                "week",
                "tasks",
                "succeeded",
                "failed",
                "ended",
                "open",
                "missing",
            ],
        ),
        Cut::Month => (
            "Tasks a month",
            "Month",
            &[
                "month",
                "tasks",
                "succeeded",
                "failed",
                "ended",
                "open",
                "missing",
            ],
        ),
    };
    let none = "No task was created in this period.";
    let mut headings = vec![code(unit)];
    headings.extend(MEASURES);
    let mut pieces = table("activity", headings, columns, none);
    // The chart has every day; a table of empty rows would be long and say nothing.
    for piece in report.pieces.iter().filter(|piece| piece.counts.tasks > 0) {
        let mut row = vec![optional(piece.name.as_deref())];
        row.extend(measures(&piece.counts));
        let mut data = vec![Value::Cell(cell(piece.name.as_deref()))];
        data.extend(values(measured(&piece.counts)));
        pieces.add(row, data);
    }
    let over_time = Chart {
        title: title.to_owned(),
        drawing: Drawing::Columns(Stacks {
            labels: report.pieces.iter().map(label).collect(),
            series: series(report.pieces.iter().map(|piece| &piece.counts)),
        }),
    };
    let mut headings = vec![heading("Operation")];
    headings.extend(MEASURES);
    headings.extend([figures("Median"), figures("Longest")]);
    let mut operations = table(
        "operations",
        headings,
        &[
            "name",
            "tasks",
            "succeeded",
            "failed",
            "ended",
            "open",
            "missing",
            "median_ms",
            "max_ms",
        ],
        none,
    );
    "By operation; how long they took is of those that ended".clone_into(&mut operations.caption);
    grouped(&mut operations, &report.operations, |name| {
        say::operation(name)
    });
    let by_operation = Chart {
        title: "How tasks ended, by operation".to_owned(),
        drawing: Drawing::Bars(Stacks {
            labels: report
                .operations
                .iter()
                .map(|one| say::operation(one.name.as_deref()).text)
                .collect(),
            series: series(report.operations.iter().map(|one| &one.counts)),
        }),
    };
    chapter(
        "activity",
        "Activity",
        vec![
            Block::Figure(over_time, pieces),
            Block::Figure(by_operation, operations),
        ],
    )
}

fn label(piece: &Counted) -> String {
    piece.name.clone().unwrap_or_default()
}

fn grouped(table: &mut Table, groups: &[Counted], name: impl Fn(Option<&str>) -> Shown) {
    for one in groups {
        let mut row = vec![name(one.name.as_deref())];
        row.extend(measures(&one.counts));
        let durations = one.durations;
        let (median, max) = (
            durations.map(|durations| durations.median),
            durations.map(|durations| durations.max),
        );
        row.extend([say::duration(median), say::duration(max)]);
        let mut data = vec![Value::Cell(cell(one.name.as_deref()))];
        data.extend(values(measured(&one.counts)));
        let millis = |millis: Option<i64>| millis.map_or(Cell::Null, Cell::Integer);
        data.extend(values([millis(median), millis(max)]));
        table.add(row, data);
    }
}

fn users(report: &Report) -> Section {
    let mut headings = vec![heading("User")];
    headings.extend(MEASURES);
    headings.extend([figures("Median"), figures("Longest")]);
    let mut users = table(
        "users",
        headings,
        &[
            "user_name",
            "tasks",
            "succeeded",
            "failed",
            "ended",
            "open",
            "missing",
            "median_ms",
            "max_ms",
        ],
        "No task was created in this period.",
    );
    grouped(&mut users, &report.users, optional);
    chapter("users", "By user", vec![Block::Table(users)])
}

fn instances(report: &Report, say: &Say<'_>) -> Vec<Section> {
    let mut headings = vec![heading("Instance"), code("Id")];
    headings.extend(MEASURES);
    headings.push(heading("Cannot know"));
    let mut all = table(
        "instances",
        headings,
        &[
            "project_id",
            "instance_id",
            "instance_name",
            "tasks",
            "succeeded",
            "failed",
            "ended",
            "open",
            "missing",
            "gap_ms",
            "gone_at",
        ],
        "The archive holds no instance.",
    );
    let mut parts = Vec::new();
    for (place, (lane, facts)) in report
        .survey
        .lanes
        .iter()
        .zip(&report.facts.instances)
        .enumerate()
    {
        let name = say.instance(&lane.instance);
        let mut shown = Shown::new(name.as_str());
        if facts.counts.tasks > 0 {
            shown = shown.linked(anchor(place));
            parts.push(instance(report, say, place));
        }
        let gap: i64 = lane
            .spans
            .iter()
            .filter(|span| span.state == State::Gap)
            .filter_map(|span| Some(span.window.until?.distance(span.window.since?)))
            .sum();
        let unknown = if gap > 0 {
            Shown::new(phrase::duration(gap)).toned(Tone::Unknown)
        } else {
            nothing()
        };
        let key = &lane.instance.key;
        let mut row = vec![shown, Shown::new(&key.instance_id)];
        row.extend(measures(&facts.counts));
        row.push(unknown);
        let mut data = values([
            Cell::text(&key.project_id),
            Cell::text(&key.instance_id),
            cell(lane.instance.name.as_deref()),
        ]);
        data.extend(values(measured(&facts.counts)));
        data.extend(values([Cell::Integer(gap), time_cell(lane.gone)]));
        all.add(row, data);
    }
    let words = "Tasks created in the period, by instance. What a task that failed would have changed is listed as well; it is \
        taken to have changed nothing.";
    let mut sections = vec![chapter(
        "instances",
        "Changes by instance",
        vec![text(words), Block::Table(all)],
    )];
    sections.extend(parts);
    sections
}

/// One instance: a timeline, and its changes.
fn instance(report: &Report, say: &Say<'_>, place: usize) -> Section {
    let lane = &report.survey.lanes[place];
    let facts = &report.facts.instances[place];
    let mut headings = vec![code("Created")];
    headings.extend([
        heading("Operation"),
        heading("What changed"),
        heading("User"),
        heading("Outcome"),
        figures("Took"),
    ]);
    let mut changes = table("changes", headings, TASK, "There is none.");
    changes.total = facts.changes.total();
    for entry in facts.changes.kept() {
        let change = &entry.change;
        changes.rows.push(vec![
            say.time(change.created),
            say::operation(change.name.as_deref()),
            changed(change),
            optional(change.user_name.as_deref()),
            status(change),
            took(report, change),
        ]);
        changes.data.push(task(report, entry));
    }
    let name = say.instance(&lane.instance);
    let chart = Chart {
        title: format!("When {name} was changed, and what the archive vouches for"),
        drawing: Drawing::Timeline(timeline(report, say, place)),
    };
    Section {
        id: anchor(place),
        title: name,
        level: Level::Part,
        blocks: vec![
            Block::Fields(vec![
                (
                    "Instance".to_owned(),
                    Shown::new(&lane.instance.key.instance_id),
                ),
                (
                    "Project".to_owned(),
                    Shown::new(&lane.instance.key.project_id),
                ),
            ]),
            Block::Chart(chart),
            Block::Table(changes),
        ],
    }
}

fn timeline(report: &Report, say: &Say<'_>, place: usize) -> Timeline {
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
fn ticks(report: &Report, say: &Say<'_>, at: impl Fn(Timestamp) -> Place) -> Vec<(Place, String)> {
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
        hour = hour.plus(crate::model::time::HOUR);
    }
    let step = days.len().div_ceil(MOST).max(1);
    let chosen = days.into_iter().step_by(step);
    chosen.map(|(time, name)| (at(time), name)).collect()
}

/// A task as data, in every list that has whole tasks.
const TASK: &[&str] = &[
    "project_id",
    "instance_id",
    "instance_name",
    "task_id",
    "name",
    "status",
    "outcome",
    "user_name",
    "created_at",
    "updated_at",
    "took_ms",
    "error_code",
    "missing_since",
    "missing_confirmed",
    "missing_as",
    "changes",
];

fn task(report: &Report, entry: &Entry) -> Vec<Value> {
    let instance = &report.survey.lanes[entry.instance].instance;
    let change = &entry.change;
    let missing = change.missing.as_ref();
    let mut data = values([
        Cell::text(&instance.key.project_id),
        Cell::text(&instance.key.instance_id),
        cell(instance.name.as_deref()),
        Cell::text(&change.task_id),
        cell(change.name.as_deref()),
        cell(change.status.as_deref()),
        Cell::text(match change.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::Ended => "ended",
            Outcome::Open => "open",
        }),
        cell(change.user_name.as_deref()),
        time_cell(change.created),
        time_cell(change.updated),
        audit::took(change, &report.scope).map_or(Cell::Null, Cell::Integer),
        cell(change.error_code.as_deref()),
        time_cell(missing.map(|missing| missing.since)),
        missing.map_or(Cell::Null, |missing| {
            Cell::Integer(i64::from(missing.is_confirmed))
        }),
        cell(missing.and_then(|missing| missing.looks.as_deref())),
    ]);
    data.push(stated(change));
    data
}

fn took(report: &Report, change: &Change) -> Shown {
    let took = audit::took(change, &report.scope);
    let shown = say::duration(took);
    if took.is_some_and(|took| took > report.asked.long) {
        shown.toned(Tone::Doubtful)
    } else {
        shown
    }
}

fn of(report: &Report, say: &Say<'_>, entry: &Entry) -> Shown {
    let name = say.instance(&report.survey.lanes[entry.instance].instance);
    let shown = Shown::new(name);
    if report.facts.instances[entry.instance].counts.tasks > 0 {
        shown.linked(anchor(entry.instance))
    } else {
        shown
    }
}

/// A chapter that is one list of tasks, with a column of its own.
fn list(
    report: &Report,
    say: &Say<'_>,
    name: &'static str,
    entries: &Entries,
    own: (Heading, &dyn Fn(&Change) -> Shown),
    none: &str,
) -> Block {
    let headings = vec![
        code("Created"),
        heading("Instance"),
        heading("Operation"),
        heading("User"),
        own.0,
        heading("Outcome"),
        figures("Took"),
    ];
    let mut table = table(name, headings, TASK, none);
    table.total = entries.total();
    for entry in entries.kept() {
        let change = &entry.change;
        table.rows.push(vec![
            say.time(change.created),
            of(report, say, entry),
            say::operation(change.name.as_deref()),
            optional(change.user_name.as_deref()),
            own.1(change),
            status(change),
            took(report, change),
        ]);
        table.data.push(task(report, entry));
    }
    Block::Table(table)
}

fn failures(report: &Report, say: &Say<'_>) -> Section {
    let error = |change: &Change| optional(change.error_code.as_deref());
    let words = "Tasks of the period that failed. They are taken to have changed nothing, which is an inference.";
    chapter(
        "failures",
        "Failures",
        vec![
            text(words),
            list(
                report,
                say,
                "failures",
                &report.facts.failures,
                (code("Error"), &error),
                "No task of the period failed.",
            ),
        ],
    )
}

fn long(report: &Report, say: &Say<'_>) -> Section {
    let words = format!(
        "Tasks that took longer than {0}, or have been open for longer than that at the last reading; also those that were created before the period and are still open.",
        phrase::duration(report.asked.long)
    );
    let what = |change: &Change| changed(change);
    chapter(
        "long",
        "Long and stuck tasks",
        vec![
            text(words),
            list(
                report,
                say,
                "long_tasks",
                &report.facts.long,
                (heading("What changed"), &what),
                "There is none.",
            ),
        ],
    )
}

fn exposure(report: &Report, say: &Say<'_>) -> Section {
    let what = |change: &Change| {
        let found = exposures(change);
        let said: Vec<_> = found
            .iter()
            .map(|one| {
                let values = phrase::change(one.old.as_deref(), one.new.as_deref());
                let kind = one.kind.as_str();
                let turn = one.turn.as_str();
                if values.is_empty() {
                    format!("{kind} {turn}")
                } else {
                    format!("{kind} {turn}: {values}")
                }
            })
            .collect();
        Shown::lines(said).unwrap_or_else(nothing)
    };
    let words = "Tasks that concern who can reach an instance: public access, IP whitelist, TLS, port, password, accounts. Those \
        that failed are listed too, and changed nothing as far as can be told.";
    chapter(
        "exposure",
        "Changes of exposure",
        vec![
            text(words),
            list(
                report,
                say,
                "exposure",
                &report.facts.exposures,
                (heading("What"), &what),
                "No task of the period concerns who can reach an instance.",
            ),
        ],
    )
}

fn finished(report: &Report, say: &Say<'_>) -> Section {
    let ended = |change: &Change| say.time(change.updated);
    chapter(
        "finished",
        "Created before, ended in the period",
        vec![
            text(
                "These are not counted among the tasks of the period, which are those that were created in it.",
            ),
            list(
                report,
                say,
                "finished",
                &report.facts.finished,
                (code("Ended"), &ended),
                "There is none.",
            ),
        ],
    )
}

fn undated(report: &Report, say: &Say<'_>) -> Section {
    let seen = |change: &Change| say.time(change.first_seen);
    chapter(
        "undated",
        "Tasks without a time of creation",
        vec![
            text(
                "The cloud sent no time of creation that can be read. They were created before they were first seen, and so perhaps in the period.",
            ),
            list(
                report,
                say,
                "undated",
                &report.facts.undated,
                (code("First seen"), &seen),
                "There is none.",
            ),
        ],
    )
}

fn missing(report: &Report, say: &Say<'_>) -> Section {
    let since = |change: &Change| {
        let Some(missing) = &change.missing else {
            return nothing();
        };
        let looks = match missing.looks.as_deref() {
            Some("aged_out") => "aged out",
            Some("removed") => "removed",
            _ => "not told apart yet",
        };
        let confirmed = if missing.is_confirmed {
            ""
        } else {
            ", not confirmed yet"
        };
        let tone = if looks == "removed" {
            Tone::Bad
        } else {
            Tone::Plain
        };
        Shown::new(format!(
            "{} ({looks}{confirmed})",
            say.moment(missing.since)
        ))
        .toned(tone)
    };
    let words = "Records of the period that the cloud no longer lists, and older ones that were missed in it. Aged out: older ones \
        are gone as well. Removed: older ones are still listed, so this one was taken out. The archive has kept what each said.";
    chapter(
        "missing",
        "Records that are no longer listed",
        vec![
            text(words),
            list(
                report,
                say,
                "missing",
                &report.facts.missing,
                (heading("Missing since"), &since),
                "The cloud still lists every record of the period.",
            ),
        ],
    )
}

fn continuity(report: &Report, say: &Say<'_>) -> Section {
    let mut breaks = table(
        "breaks",
        vec![
            heading("Instance"),
            heading("Attribute"),
            code("Left"),
            code("At"),
            code("Found"),
            code("At"),
        ],
        &[
            "project_id",
            "instance_id",
            "instance_name",
            "source",
            "attribute",
            "since",
            "left_value",
            "earlier_task_id",
            "until",
            "found_value",
            "later_task_id",
        ],
        "Every task found what the one before it had left, as far as tasks state it.",
    );
    breaks.total = report.facts.breaks.total();
    for gap in report.facts.breaks.kept() {
        let instance = &report.survey.lanes[gap.instance].instance;
        let source = gap.source.as_str();
        breaks.rows.push(vec![
            Shown::new(say.instance(instance)),
            Shown::new(phrase::attribute(source, &gap.attribute)),
            Shown::new(&gap.left),
            say.time(Some(gap.since)),
            Shown::new(&gap.found).toned(Tone::Unknown),
            say.time(Some(gap.until)),
        ]);
        breaks.data.push(values([
            Cell::text(&instance.key.project_id),
            Cell::text(&instance.key.instance_id),
            cell(instance.name.as_deref()),
            Cell::text(source),
            Cell::text(&gap.attribute),
            time_cell(Some(gap.since)),
            Cell::text(&gap.left),
            Cell::text(&gap.earlier),
            time_cell(Some(gap.until)),
            Cell::text(&gap.found),
            Cell::text(&gap.later),
        ]));
    }
    let words = "Where a task found another value than the last successful one before it had left: a change between the two is \
        missing, or something changed the instance that no task tells of. Breaks that came to light in the period are listed.";
    chapter(
        "continuity",
        "Where changes do not fit together",
        vec![text(words), Block::Table(breaks)],
    )
}

fn drift(report: &Report, say: &Say<'_>) -> Section {
    let mut drift = table(
        "drift",
        vec![
            code("First seen"),
            heading("Kind"),
            heading("What"),
            heading("Sample"),
        ],
        &["first_seen_at", "sync_id", "kind", "what", "sample"],
        "Nothing undocumented was met for the first time.",
    );
    drift.total = report.drift.1;
    for row in &report.drift.0 {
        let text = |place: usize| {
            let text = row.get(place).map(|cell| cell.to_text().into_owned());
            optional(text.as_deref())
        };
        let seen = row.first().map(|cell| cell.to_text().into_owned());
        let seen = seen.as_deref().and_then(Timestamp::parse_upstream);
        drift
            .rows
            .push(vec![say.time(seen), text(2), text(3), text(4)]);
        drift
            .data
            .push(row.iter().cloned().map(Value::Cell).collect());
    }
    let words = "Fields, states, operations and manners of the cloud that its documentation does not know, first met in the period. \
        The archive keeps them as they came; whoever relies on a report may want to know of them.";
    chapter(
        "drift",
        "What the documentation does not know",
        vec![text(words), Block::Table(drift)],
    )
}

/// Says how many rows there are of something, for the method.
pub(super) fn rows_kept(report: &Report) -> String {
    match report.asked.limit {
        None => "Every list is whole.".to_owned(),
        Some(limit) => format!(
            "A list has at most {}, and says so where it has more; all instances share those of the changes.",
            count(limit, "row", "rows")
        ),
    }
}
