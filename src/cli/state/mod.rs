//! `state`: the configuration of an instance at a moment, rebuilt from its changes; and where these do not fit together.

pub(crate) mod breaks;
mod told;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::instance_arg::Short;
use super::listing::{Listing, Look, Made};
use super::output_args::{OutputArgs, written};
use super::period::RulesArgs;
use super::{Context, archive, instance_arg, listing, when};
use crate::model::coverage::{self, State, Window};
use crate::model::time::Timestamp;
use crate::output::Cell;
use crate::output::phrase::Precision;
use crate::output::sheet::{self, Body, Section, Sheet};
use crate::report::continuity::{self, Break};
use crate::report::state::{self, Known, Listed};
use crate::store::facts;
use crate::store::filter::InstanceKey;
use crate::store::history;
use crate::store::ledger::{self, Around};
use crate::store::read;

pub(crate) use told::COLUMNS;

/// Show the configuration of an instance at a moment, rebuilt from its changes.
///
/// For each attribute: its value, the task and the user that set it and when, and how sure that is. Only tasks that had
/// succeeded by then count. One that failed is taken to have changed nothing, which is an inference; one that was under way
/// is told apart. What nothing set and nothing found is unknown. Where a list of instances told of an attribute, that stands
/// beside it with its time.
///
/// How sure: *vouched* and *caught up* as in `coverage`, for all the time since it was set; *as of*: so sure up to a time,
/// and nothing was proven since; *inherited* and *gap*: a change may be missing; *contradicted*: a later task or the list of
/// instances says otherwise; *inferred*: no task set it, one that began later says what it found; *listed*: only the list of
/// instances tells it.
///
/// With --breaks it lists where the tasks of an instance, or of all, do not fit together: one found another value than the
/// one before it left. Then a change is missing, or something happened that no task tells of.
///
/// A table is a sheet for reading, and so is Markdown; with --columns, and in JSON and CSV, there is a row an attribute.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history state --instance orders-cache
  dcs-history state --instance orders-cache --at 2026-09-30 -o json
  dcs-history state --breaks                 # of all instances")]
pub(crate) struct StateArgs {
    /// The instance: its id, its name, or an unambiguous beginning of the id; with --breaks repeatable.
    #[arg(long, value_name = "ID|NAME", required_unless_present = "breaks", value_parser = NonEmptyStringValueParser::new())]
    instance: Vec<String>,
    /// The moment [default: now].
    ///
    /// A time (2026-10-01T08:30:00Z), a date, a month (2026-10), a quarter (2026-Q3), a year, `now`, `today`, `yesterday`,
    /// or an age (90m, 36h, 7d, 2w). A period stands for its beginning; a time without a zone is UTC.
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new())]
    at: Option<String>,
    /// List where the tasks do not fit together, of all times.
    #[arg(long, conflicts_with = "at")]
    breaks: bool,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &StateArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let archive = archive::for_reading(context.global)?;
    print(args, &archive, context)
}

fn print(
    args: &StateArgs,
    archive: &Connection,
    context: &mut Context<'_>,
) -> Result<Exit, CliError> {
    let archive = read::snapshot(archive)?;
    let named = instance_arg::resolve(&archive, &args.instance)?;
    if args.breaks {
        breaks::print(&named, args.rules.rules(), &args.output, &archive, context)?;
        return Ok(Exit::Done);
    }
    if args.instance.len() > 1 {
        return Err(
            CliError::usage("the configuration of one instance at a time is shown")
                .hint("--breaks looks at several at once"),
        );
    }
    let now = (context.now)();
    let at = match &args.at {
        Some(typed) => {
            when::parse(typed, now).map_err(|error| CliError::usage(format!("--at: {error}")))?
        }
        None => now,
    };
    let mut states = Vec::new();
    // One id in two projects is one instance that was moved.
    for key in &named {
        states.push(InstanceState::read(&archive, key, at, now, args)?);
    }
    let settings = args.output.format.settings(context);
    if settings.format.is_for_people() && args.output.columns.is_empty() {
        let short = Short::of(&read::instances(&archive)?);
        let look = Look::new(settings, short, &args.output.format.tz);
        for (place, state) in states.iter().enumerate() {
            if place > 0 {
                written(writeln!(context.out))?;
            }
            let sheet = state.sheet(at, &look, args);
            written(sheet::write(settings, &mut *context.out, &sheet))?;
        }
        return Ok(Exit::Done);
    }
    let rows = states.into_iter().flat_map(|state| {
        let mut rows = state.settings;
        rows.extend(state.pending);
        rows
    });
    let made = Made {
        known: &COLUMNS,
        hidden: &[],
        fields: &told::FIELDS,
        nothing: "nothing is known",
    };
    listing::print_rows(&made, rows.collect(), &args.output, &archive, context)?;
    Ok(Exit::Done)
}

/// What is known of one instance, as rows.
struct InstanceState {
    instance: read::Instance,
    settings: Vec<Vec<Cell>>,
    pending: Vec<Vec<Cell>>,
    /// The end of the last time that the archive vouches for, and the state that it is in.
    vouched_until: Option<Timestamp>,
    state: Option<State>,
    /// When a list of instances last told of it.
    listed_at: Option<Timestamp>,
    breaks: usize,
}

impl InstanceState {
    fn read(
        archive: &Connection,
        key: &InstanceKey,
        at: Timestamp,
        now: Timestamp,
        args: &StateArgs,
    ) -> Result<Self, CliError> {
        let rules = args.rules.rules();
        let window = Window {
            since: None,
            until: Some(at),
        };
        let around = Around::of(window, rules);
        let mut ledgers = ledger::instances(archive, std::slice::from_ref(key), around)?;
        let known = ledgers.pop();
        let spans = known
            .as_ref()
            .map(|known| coverage::cover(&known.ledger, rules, window))
            .unwrap_or_default();
        let changes = history::changes(archive, key)?;
        let listed = history::listing(archive, key, at)?;
        let listed = listed.map(|told| Listed::read(told.seen, &told.raw, told.capacity));
        let server_now = facts::read_until(archive)?.unwrap_or(now);
        let facts = Known {
            changes: &changes,
            spans: &spans,
            listed: listed.as_ref(),
            server_now,
        };
        let instance = known.map(|known| known.instance).unwrap_or(read::Instance {
            key: key.clone(),
            name: None,
        });
        let row = |setting| told::row(&instance, listed.as_ref(), &setting);
        let is_claimed =
            |state: State| matches!(state, State::Vouched | State::CaughtUp | State::Closed);
        let claimed = spans.iter().rev().find(|span| is_claimed(span.state));
        let ends_by = |found: &&Break<'_>| found.until <= at;
        let breaks = continuity::breaks(&changes, server_now);
        Ok(Self {
            settings: state::settings(&facts, at).into_iter().map(row).collect(),
            pending: state::pending(&facts, at).into_iter().map(row).collect(),
            vouched_until: claimed.and_then(|span| span.window.until),
            state: spans.last().map(|span| span.state),
            listed_at: listed.as_ref().map(|listed| listed.seen),
            breaks: breaks.iter().filter(ends_by).count(),
            instance,
        })
    }

    fn sheet(&self, at: Timestamp, look: &Look, args: &StateArgs) -> Sheet {
        let zone = &args.output.format.tz;
        let moment = |time: Timestamp| zone.moment(&time.to_string(), Precision::Whole);
        let id = &self.instance.key.instance_id;
        let name = self.instance.name.as_ref().unwrap_or(id);
        let text = |text: String| Cell::Text(text);
        let mut fields = vec![
            ("project_id", text(self.instance.key.project_id.clone())),
            ("instance_id", text(id.clone())),
        ];
        let vouched = match self.vouched_until {
            None => "for nothing: no walk was proven".to_owned(),
            Some(until) if until < at => format!("until {}", moment(until)),
            Some(_) => "up to this moment".to_owned(),
        };
        fields.push(("vouched for", text(vouched)));
        if let Some(listed_at) = self.listed_at {
            fields.push(("listed", text(moment(listed_at))));
        }
        if self.state == Some(State::Closed) {
            fields.push(("state", Cell::text("the instance was gone by then")));
        }
        if self.breaks > 0 {
            let said = format!(
                "{} by then: `state --breaks --instance {id}` lists them",
                self.breaks
            );
            fields.push(("breaks", text(said)));
        }
        let fields = fields
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), cell));
        let table = |rows: &[Vec<Cell>]| {
            let listing = Listing::of_fields(&COLUMNS, &told::FIELDS, look.clone());
            let rows = rows
                .iter()
                .map(|row| listing.cells(listing.pick(&COLUMNS, row)));
            Body::Table(listing.header(), rows.collect())
        };
        let section = |title: &str, body: Body| Section {
            title: title.to_owned(),
            body,
        };
        let mut sections = vec![
            section("", Body::Fields(fields.collect())),
            section("Configuration", table(&self.settings)),
        ];
        if !self.pending.is_empty() {
            sections.push(section("Under way then", table(&self.pending)));
        }
        sections.push(section(
            "",
            Body::Remark(
                "Tasks that failed are taken to have changed nothing: that is an inference.",
            ),
        ));
        Sheet {
            title: format!("{name} at {}", moment(at)),
            sections,
        }
    }
}
