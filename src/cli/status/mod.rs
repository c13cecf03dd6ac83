//! `status`: is the archive fresh and healthy? For monitoring: a word, a reason a line, and the exit code.

pub(super) mod checkup;

use std::io::{self, Write};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::error::{CliError, Exit};
use super::metrics::{self, WatchArgs};
use super::output_args::{FormatArgs, written};
use super::{Context, archive, instance_arg, paths};
use crate::model::health::Run;
use crate::model::time::Timestamp;
use crate::output::json::{self, Framing};
use crate::output::phrase::{Precision, duration, size};
use crate::output::sheet::{Body, Section, Sheet};
use crate::output::zone::Zone;
use crate::output::{self, Cell, Column, Format, Settings, sheet};
use crate::store::read;
use checkup::{Checkup, Told};

/// Say whether the archive is fresh and healthy, for monitoring.
///
/// Healthy (exit code 0) means: the last sync was complete, it is not older than --max-age, every instance that is not
/// gone was proven within that time, and no record that cannot be read is still listed. Otherwise the exit code is 12 and
/// every reason is a line. What is worth a look and no alarm (a task that is open for more than a day, a gap of the last
/// week that nothing can close any more, a sync that is running) is a note.
///
/// With --instance only these are judged, by their own walks; a sync that failed for other instances does not count then.
/// An archive that is missing or cannot be used is exit code 6.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history status
  dcs-history status --max-age 2h || logger -p user.err 'DCS history is stale'
  dcs-history status --metrics-file /var/lib/node_exporter/dcs-history.prom
  dcs-history status -o json | jq -r '.[0].reasons[].message'")]
pub(crate) struct StatusArgs {
    /// Judge only this instance: its id, its name, or the beginning of its id. May be repeated.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    #[command(flatten)]
    watch: WatchArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn run(args: &StatusArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let db = paths::db(context.global.db.as_deref())?;
    args.watch.judge(db.path())?;
    let answered = answer(args, &db, context);
    if answered
        .as_ref()
        .is_err_and(|error| error.exit == Exit::Archive)
    {
        // What is wrong with the archive is the worse news.
        let _unsaid = args.watch.write(db.path(), &metrics::unusable());
    }
    answered
}

fn answer(args: &StatusArgs, db: &paths::Db, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let connection = archive::for_reading(context.global)?;
    let moment = read::snapshot(&connection)?;
    let (now, max_age) = ((context.now)(), args.watch.max_age());
    let named = instance_arg::resolve(&moment, &args.instance)?;
    let checkup = Checkup::of(&moment, db.path(), &named, max_age, now)?;
    let reply = Reply {
        checkup: &checkup,
        now,
        zone: &args.format.tz,
    };
    let settings = args.format.settings(context);
    written(reply.write(settings, context.out))?;
    if args.watch.metrics_file.is_some() {
        let whole = match named.as_slice() {
            [] => metrics::of(&checkup, now),
            _ => metrics::of(&Checkup::of(&moment, db.path(), &[], max_age, now)?, now),
        };
        let written = args.watch.write(db.path(), &whole);
        // That the archive is not healthy is the worse news.
        if checkup.is_healthy() {
            written?;
        }
    }
    Ok(reply.exit())
}

/// Everything that there is to say.
struct Reply<'a> {
    checkup: &'a Checkup,
    now: Timestamp,
    zone: &'a Zone,
}

/// The columns of a reason and of a note.
const FINDING: [&str; 4] = ["reason", "project_id", "instance_id", "message"];

impl Reply<'_> {
    fn exit(&self) -> Exit {
        if self.checkup.is_healthy() {
            Exit::Done
        } else {
            Exit::Unhealthy
        }
    }

    fn word(&self) -> &'static str {
        if self.checkup.is_healthy() {
            "healthy"
        } else {
            "unhealthy"
        }
    }

    fn write(&self, settings: Settings, out: &mut dyn Write) -> io::Result<()> {
        match settings.format {
            Format::Table | Format::Markdown => sheet::write(settings, out, &self.sheet()),
            Format::Json => json::write(out, Framing::Array, &[self.object()]),
            Format::Jsonl => json::write(out, Framing::Lines, &[self.object()]),
            Format::Csv => {
                let (names, mut cells): (Vec<_>, Vec<_>) = self.members().into_iter().unzip();
                let mut columns: Vec<_> = names.into_iter().map(Column::new).collect();
                for (name, notes) in [("reasons", false), ("notes", true)] {
                    let messages = self.told(notes).map(|told| told.message.as_str());
                    columns.push(Column::new(name));
                    cells.push(Cell::Text(messages.collect::<Vec<_>>().join("; ")));
                }
                let mut records = output::records(settings, out);
                records.header(&columns)?;
                records.row(&cells)?;
                records.end()
            }
        }
    }

    /// The reasons, or the notes.
    fn told(&self, notes: bool) -> impl Iterator<Item = &Told> {
        let told = self.checkup.told.iter();
        told.filter(move |told| told.finding.is_note() == notes)
    }

    /// The syncs that count where there are several projects: the last of all, and the oldest last complete one.
    fn last(&self) -> Option<&Run> {
        let runs = self.checkup.facts.runs.iter();
        runs.filter_map(|runs| runs.last.as_ref())
            .max_by_key(|run| run.sync_id)
    }

    fn complete(&self) -> Option<&Run> {
        let runs = &self.checkup.facts.runs;
        let complete = runs.iter().map(|runs| runs.complete.as_ref());
        let all: Option<Vec<_>> = complete.collect();
        all?.into_iter().min_by_key(|run| run.sync_id)
    }

    fn members(&self) -> Vec<(&'static str, Cell)> {
        let (last, complete, totals) = (self.last(), self.complete(), self.checkup.totals());
        let time =
            |run: Option<&Run>| run.map_or(Cell::Null, |run| Cell::Text(run.finished.to_string()));
        let number = |number: u32| Cell::Integer(i64::from(number));
        let age = complete.map(|run| self.now.millis() - run.finished.millis());
        vec![
            ("status", Cell::text(self.word())),
            ("exit_code", number(u32::from(self.exit().code()))),
            ("checked_at", Cell::Text(self.now.to_string())),
            ("last_success_at", time(complete)),
            ("last_success_age_ms", age.map_or(Cell::Null, Cell::Integer)),
            (
                "last_sync_id",
                last.map_or(Cell::Null, |run| Cell::Integer(run.sync_id)),
            ),
            ("last_sync_at", time(last)),
            (
                "last_outcome",
                last.map_or(Cell::Null, |run| Cell::text(run.outcome.as_str())),
            ),
            (
                "last_exit_code",
                last.and_then(|run| run.exit_code)
                    .map_or(Cell::Null, |code| number(u32::from(code))),
            ),
            ("instances", number(totals.instances)),
            ("unproven", number(totals.unproven)),
            ("tasks", number(totals.tasks)),
            ("revisions", number(totals.revisions)),
            ("open", number(totals.open)),
            ("missing", number(totals.missing)),
            ("rejected", number(totals.rejected)),
            (
                "archive_bytes",
                Cell::Integer(i64::try_from(self.checkup.bytes).unwrap_or(i64::MAX)),
            ),
        ]
    }

    fn object(&self) -> json::Value {
        let rows = |notes| {
            let optional = |text: &Option<String>| text.clone().map_or(Cell::Null, Cell::Text);
            let rows = self.told(notes).map(|told| {
                let cells = vec![
                    Cell::text(told.finding.as_str()),
                    optional(&told.project_id),
                    optional(&told.instance_id),
                    Cell::text(told.message.as_str()),
                ];
                json::Value::row(&FINDING, cells)
            });
            json::Value::Array(rows.collect())
        };
        let mut members: Vec<_> = self
            .members()
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), json::Value::Cell(cell)))
            .collect();
        members.push(("reasons".to_owned(), rows(false)));
        members.push(("notes".to_owned(), rows(true)));
        json::Value::Object(members)
    }

    fn sheet(&self) -> Sheet {
        let lines = |notes| {
            // A line each, whatever is quoted in it.
            let lines = self
                .told(notes)
                .map(|told| output::text::safe(&told.message));
            lines.collect::<Vec<_>>().join("\n")
        };
        let texts = [("Reasons", lines(false)), ("Notes", lines(true))];
        let mut sections: Vec<_> = texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(title, text)| Section {
                title: title.to_owned(),
                body: Body::Text(text),
            })
            .collect();
        sections.push(Section {
            title: String::new(),
            body: Body::Fields(self.fields()),
        });
        Sheet {
            title: self.word().to_owned(),
            sections,
        }
    }

    fn fields(&self) -> Vec<(String, Cell)> {
        let totals = self.checkup.totals();
        let told = |run: Option<&Run>| {
            run.map_or_else(
                || "none".to_owned(),
                |run| {
                    let at = self
                        .zone
                        .moment(&run.finished.to_string(), Precision::Whole);
                    let ago = duration(self.now.distance(run.finished));
                    let way = if run.finished > self.now {
                        "ahead"
                    } else {
                        "ago"
                    };
                    format!("{at}, {ago} {way} (number {})", run.sync_id)
                },
            )
        };
        let last = match self.last() {
            Some(run) if !run.is_complete() => format!("{}, {}", told(Some(run)), run.outcome),
            run => told(run),
        };
        let fields = [
            ("last complete sync", told(self.complete())),
            ("last sync", last),
            ("instances", totals.instances.to_string()),
            ("unproven", totals.unproven.to_string()),
            ("tasks", totals.tasks.to_string()),
            ("revisions", totals.revisions.to_string()),
            ("open", totals.open.to_string()),
            ("missing", totals.missing.to_string()),
            ("rejected", totals.rejected.to_string()),
            ("archive", size(self.checkup.bytes)),
        ];
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Cell::Text(value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::metrics::of;
    use crate::model::time::HOUR;
    use crate::output::Guard;
    use crate::output::metrics::render;
    use crate::store::golden;

    /// An hour after the last sync of the golden archive began.
    fn now() -> Timestamp {
        Timestamp::from_millis(1_790_906_400_000 + HOUR).unwrap()
    }

    fn checkup(change: &str) -> Checkup {
        let archive = golden::archive();
        archive.execute_batch(change).unwrap();
        let nowhere = std::path::Path::new("/nowhere/history.db");
        Checkup::of(&archive, nowhere, &[], 36 * HOUR, now()).unwrap()
    }

    fn told(checkup: &Checkup, format: Format) -> String {
        let reply = Reply {
            checkup,
            now: now(),
            zone: &Zone::UTC,
        };
        let settings = Settings {
            format,
            header: true,
            guard: Guard::On,
            width: None,
            color: false,
        };
        let mut out = Vec::new();
        reply.write(settings, &mut out).unwrap();
        let code = reply.exit().code();
        format!(
            "== {format:?} ({code})\n{}",
            String::from_utf8(out).unwrap()
        )
    }

    #[test]
    fn every_format_says_what_is_wrong() {
        let checkup = checkup(
            "INSERT INTO rejected_record(instance_key, digest, position, reason, raw, first_walk, last_walk)
               VALUES (1, x'01', 0, 'r', 'still there', 1, 3);
             UPDATE instance SET name = 'cache' || char(10) || 'one' WHERE instance_key = 1;",
        );
        let formats = [
            Format::Table,
            Format::Markdown,
            Format::Csv,
            Format::Json,
            Format::Jsonl,
        ];
        let all: String = formats.map(|format| told(&checkup, format)).concat();
        insta::assert_snapshot!("formats", all);
        insta::assert_snapshot!("metrics", render(&of(&checkup, now())));
    }

    #[test]
    fn what_is_healthy_is_said_in_a_word() {
        let checkup = checkup(
            "UPDATE sync SET finished = started, outcome = 'complete', exit_code = 0 WHERE sync_key = 3;
             UPDATE instance SET unsupported = 1 WHERE instance_key = 3;
             UPDATE task SET is_open = 0;",
        );
        insta::assert_snapshot!("healthy", told(&checkup, Format::Table));
    }
}
