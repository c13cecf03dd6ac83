//! `assert-none`: was there none? Proven, found, or unknowable, as an answer and as an exit code.

use clap::Args;
use rusqlite::Connection;

use super::coverage::spans;
use super::coverage::survey::{self, Survey, Told};
use super::error::{CliError, Exit};
use super::instance_arg::Short;
use super::list::{self, TaskArgs};
use super::listing::{Listing, Look};
use super::messages::remark;
use super::output_args::{FormatArgs, cells, written};
use super::period::{PeriodArgs, RulesArgs};
use super::{Context, archive};
use crate::model::coverage::{Answer, Facts, State, Window};
use crate::model::time::Timestamp;
use crate::output;
use crate::output::json::Framing;
use crate::output::phrase::{Precision, duration};
use crate::output::sheet::{Body, Section, Sheet};
use crate::output::zone::Zone;
use crate::output::{Cell, Column, Format, Settings, json, sheet};
use crate::store::filter::{Created, TaskFilter};
use crate::store::read::{self, Order, Select, View};
use crate::store::{self, ledger};

/// Tasks that are shown of those found: enough to see what they are; `list` shows all.
const SHOWN: u64 = 20;

/// Matching tasks are counted up to here.
const COUNTED: u32 = 10_000;

/// Ask whether something did not happen: proven none, found, or cannot know.
///
/// An empty list proves nothing: perhaps nobody looked. This command answers *proven none* (exit code 0) only if no task
/// of the period matches, and walks before and after vouch for all of it. One that matches is *found* (10), and in every
/// other case it *cannot know* (11) and says why: a gap in the walks, records that could not be read, an open task that
/// may still become what was asked for.
///
/// The period is that of creation, and ends now unless told otherwise. What is younger than the last walk cannot be known
/// yet: --until ends the question earlier. Without --instance all instances are meant, also those that nobody named: then
/// the project's list of instances must have been read as well.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history assert-none --operation BindEip --period 2026-Q3
  dcs-history assert-none --instance 1f4c --status failed --since 7d --until 1h
  dcs-history assert-none --user terraform --period yesterday || echo \"exit $?\"")]
pub(crate) struct AssertNoneArgs {
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    period: PeriodArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// Count a span that is only caught up as vouched for.
    ///
    /// There, an old record that showed up late while another one was deleted would have been overlooked until the next
    /// full walk.
    #[arg(
        long,
        env = "DCS_HISTORY_ACCEPT_CAUGHT_UP",
        hide_env_values = true,
        help_heading = "Rules"
    )]
    accept_caught_up: bool,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn run(args: &AssertNoneArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &AssertNoneArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let now = (context.now)();
    let mut period = args.period.window(now)?;
    period.until = period.until.or(Some(now));
    let filter = TaskFilter {
        created: Created::In(period),
        ..args.task.filter(&archive)?
    };
    let survey = survey::survey(&archive, &filter.instances, args.rules.rules(), period)?;
    let facts = facts(&archive, &filter, period, &survey, args)?;
    let reply = Reply {
        answer: facts.answer(),
        period,
        short: Short::of(&read::instances(&archive)?),
        zone: &args.format.tz,
        doubts: doubts(&survey, &facts),
        facts: &facts,
        survey: &survey,
        tasks: tasks(&archive, &filter)?,
        asks_all: filter.instances.is_empty(),
    };
    let settings = args.format.settings(context);
    written(reply.write(settings, context))?;
    if let Some(hint) = reply.hint() {
        remark(context, &hint);
    }
    Ok(reply.exit())
}

/// Counts what matches, and what might.
fn facts<'a>(
    archive: &Connection,
    filter: &TaskFilter,
    period: Window,
    survey: &'a Survey,
    args: &AssertNoneArgs,
) -> Result<Facts<'a>, store::Error> {
    let count =
        |filter: &TaskFilter| read::count(archive, View::Tasks, &filter.condition(), COUNTED + 1);
    // What an open task is may still change, its status above all.
    let whatever_becomes = TaskFilter {
        statuses: Vec::new(),
        text: None,
        ..filter.clone()
    };
    let asks_for_what_changes = !filter.statuses.is_empty() || filter.text.is_some();
    let open = TaskFilter {
        open: true,
        ..whatever_becomes.clone()
    };
    let undated = TaskFilter {
        created: Created::Unreadable {
            period_begins: period.since,
        },
        ..whatever_becomes
    };
    Ok(Facts {
        found: count(filter)?,
        all: &survey.all,
        accept_caught_up: args.accept_caught_up,
        rejected: ledger::rejected_after(archive, &filter.instances, period.since)?,
        undated: count(&undated)?,
        open: if asks_for_what_changes {
            count(&open)?
        } else {
            0
        },
    })
}

/// Returns the first tasks that match, as `list` has them.
fn tasks(archive: &Connection, filter: &TaskFilter) -> Result<Vec<Vec<Cell>>, store::Error> {
    let select = Select {
        view: View::Tasks,
        columns: View::Tasks.all(),
        condition: filter.condition(),
        order: Some(Order::descending("created_at")),
        limit: Some(SHOWN),
    };
    Ok(read::rows(archive, &select)?
        .into_iter()
        .map(cells)
        .collect())
}

/// Returns the spans that say nothing, part by part.
fn doubts(survey: &Survey, facts: &Facts<'_>) -> Vec<Told> {
    let parts = survey.parts.iter();
    parts
        .filter(|span| !facts.says(span.state))
        .cloned()
        .collect()
}

/// Everything that there is to say.
struct Reply<'a> {
    answer: Answer,
    period: Window,
    short: Short,
    zone: &'a Zone,
    facts: &'a Facts<'a>,
    survey: &'a Survey,
    doubts: Vec<Told>,
    tasks: Vec<Vec<Cell>>,
    asks_all: bool,
}

/// The columns of the answer where it is one row.
const COLUMNS: [&str; 11] = [
    "answer",
    "exit_code",
    "since",
    "until",
    "instances",
    "found",
    "rejected",
    "undated",
    "open",
    "widest_ms",
    "not_vouched",
];

impl Reply<'_> {
    fn write(&self, settings: Settings, context: &mut Context<'_>) -> std::io::Result<()> {
        let out = &mut *context.out;
        match settings.format {
            Format::Table | Format::Markdown => sheet::write(settings, out, &self.sheet(settings)),
            Format::Json => json::write(out, Framing::Array, &[self.object()]),
            Format::Jsonl => json::write(out, Framing::Lines, &[self.object()]),
            Format::Csv => {
                let mut records = output::records(settings, out);
                let columns: Vec<_> = COLUMNS.iter().map(|name| Column::new(*name)).collect();
                records.header(&columns)?;
                records.row(&self.row())?;
                records.end()
            }
        }
    }

    /// The widest interval in which a record may have come and gone unseen.
    fn widest(&self) -> Option<i64> {
        self.survey.all.iter().filter_map(|span| span.widest).max()
    }

    fn exit(&self) -> Exit {
        match self.answer {
            Answer::ProvenNone => Exit::Done,
            Answer::Found => Exit::Found,
            Answer::CannotKnow => Exit::CannotKnow,
        }
    }

    fn row(&self) -> Vec<Cell> {
        let time =
            |time: Option<Timestamp>| time.map_or(Cell::Null, |time| Cell::Text(time.to_string()));
        let number = |number: u32| Cell::Integer(i64::from(number));
        let spans: Vec<_> = self
            .doubts
            .iter()
            .map(|span| span.reason.as_str())
            .collect();
        vec![
            Cell::text(self.answer.as_str()),
            Cell::Integer(i64::from(self.exit().code())),
            time(self.period.since),
            time(self.period.until),
            Cell::Integer(i64::try_from(self.survey.instances).unwrap_or(i64::MAX)),
            number(self.facts.found),
            number(self.facts.rejected),
            number(self.facts.undated),
            number(self.facts.open),
            self.widest().map_or(Cell::Null, Cell::Integer),
            Cell::Text(spans.join("; ")),
        ]
    }

    fn object(&self) -> json::Value {
        let rows = |columns: &[&str], rows: Vec<Vec<Cell>>| {
            let objects = rows.into_iter().map(|row| json::Value::row(columns, row));
            json::Value::Array(objects.collect())
        };
        let spans = self.doubts.iter().cloned().map(spans::row).collect();
        let mut members: Vec<_> = COLUMNS
            .iter()
            .zip(self.row())
            .take(COLUMNS.len() - 1)
            .map(|(name, cell)| ((*name).to_owned(), json::Value::Cell(cell)))
            .collect();
        members.push(("not_vouched".to_owned(), rows(&spans::COLUMNS, spans)));
        let tasks = rows(View::Tasks.columns(), self.tasks.clone());
        members.push(("tasks".to_owned(), tasks));
        json::Value::Object(members)
    }

    fn sheet(&self, settings: Settings) -> Sheet {
        let look = Look::new(settings, self.short, self.zone);
        let table = |listing: &Listing, rows: Vec<Vec<Cell>>| {
            let rows = rows.into_iter().map(|row| listing.cells(row)).collect();
            Body::Table(listing.header(), rows)
        };
        let mut sections = vec![Section {
            title: String::new(),
            body: Body::Fields(self.fields()),
        }];
        if !self.tasks.is_empty() {
            let listing = Listing::of_fields(View::Tasks.columns(), &list::FIELDS, look.clone());
            let rows = self
                .tasks
                .iter()
                .map(|row| listing.pick(View::Tasks.columns(), row));
            sections.push(Section {
                title: "What was found".to_owned(),
                body: table(&listing, rows.collect()),
            });
        }
        if self.answer == Answer::CannotKnow && !self.doubts.is_empty() {
            let listing = Listing::of_fields(&spans::COLUMNS, &spans::FIELDS, look);
            let rows = self.doubts.iter().cloned().map(spans::row);
            let rows = rows.map(|row| listing.pick(&spans::COLUMNS, &row));
            sections.push(Section {
                title: "What the archive cannot vouch for".to_owned(),
                body: table(&listing, rows.collect()),
            });
        }
        Sheet {
            title: self.answer.as_str().replace('_', " "),
            sections,
        }
    }

    fn fields(&self) -> Vec<(String, Cell)> {
        let bound = |bound: Option<Timestamp>, none: &str| {
            bound.map_or(none.to_owned(), |time| {
                self.zone.moment(&time.to_string(), Precision::Whole)
            })
        };
        let asked = match (self.asks_all, self.survey.instances) {
            (true, count) => format!("all instances ({count} known)"),
            (false, 1) => "1 instance".to_owned(),
            (false, count) => format!("{count} instances"),
        };
        let found = match (self.facts.found, self.tasks.len()) {
            (found, _) if found > COUNTED => format!("more than {COUNTED}"),
            (found, _) => found.to_string(),
        };
        let mut fields = vec![
            ("since", bound(self.period.since, "the beginning")),
            ("until", bound(self.period.until, "ever")),
            ("asked of", asked),
            ("found", found),
        ];
        if self.answer == Answer::ProvenNone
            && let Some(widest) = self.widest()
        {
            let unseen = format!(
                "only what was created and deleted within {}, between two walks",
                duration(widest)
            );
            fields.push(("may be unseen", unseen));
        }
        if self.answer == Answer::CannotKnow {
            let doubts = [
                (self.facts.rejected, "records that could not be read"),
                (self.facts.undated, "tasks without a readable time"),
                (
                    self.facts.open,
                    "open tasks that may still become what was asked for",
                ),
            ];
            for (count, what) in doubts {
                if count > 0 {
                    fields.push(("in doubt", format!("{what}: {count}")));
                }
            }
            if self.survey.instances == 0 {
                fields.push(("in doubt", "the archive holds no instance".to_owned()));
            }
        }
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Cell::Text(value)))
            .collect()
    }

    /// Returns what to do about an answer that is none.
    fn hint(&self) -> Option<String> {
        if self.answer != Answer::CannotKnow {
            return None;
        }
        let silent: Vec<_> = self
            .survey
            .all
            .iter()
            .filter(|span| !self.facts.says(span.state))
            .collect();
        if silent.iter().any(|span| span.lists > 0) {
            return Some(
                "the list of instances is not vouched for; --instance asks of those that are named"
                    .to_owned(),
            );
        }
        let [last] = silent.as_slice() else {
            return None;
        };
        if last.window.until != self.period.until {
            return None;
        }
        match (last.state, last.window.since) {
            (State::CaughtUp, _) => {
                Some("--accept-caught-up counts that as vouched for".to_owned())
            }
            (_, Some(since)) if Some(since) != self.period.since => {
                Some(format!("up to --until {since} the archive can tell"))
            }
            _ => None,
        }
    }
}
