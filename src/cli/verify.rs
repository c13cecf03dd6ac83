//! `verify`: does the archive hold what it promises? A line a finding, and the exit code.

use std::io::{self, Write};

use clap::Args;
use rusqlite::Connection;

use super::error::{CliError, Exit};
use super::messages::remark;
use super::output_args::{FormatArgs, written};
use super::state::breaks;
use super::{Context, archive, paths, shows_progress};
use crate::model::Digest;
use crate::model::coverage::{MAX_GAP, Rules, SETTLE, State};
use crate::model::finding::{Finding, Promise, Weight};
use crate::model::time::Timestamp;
use crate::output::json::{self, Framing, Value};
use crate::output::phrase::{self, size};
use crate::output::progress::Progress;
use crate::output::sheet::{Body, Section, Sheet};
use crate::output::{self, Cell, Column, Format, Settings, sheet};
use crate::report::continuity::Break;
use crate::store;
use crate::store::chain::hex;
use crate::store::facts;
use crate::store::read;
use crate::store::verify::{self, Event, Verified};
use crate::sync::READING;

/// Findings that are kept to be printed unless told otherwise; beyond that they are only counted. A damage that has more
/// is described by the first thousand.
const KEPT: u64 = 1_000;

/// Check the archive itself: nothing altered, nothing lost, everything as it was written.
///
/// Everything that can be worked out again is, and compared: the database's pages, indexes and references; each raw text
/// against its digest; each task against its raw text; which revision is current; what is called missing; counters and
/// marks; the ledger; and the hash chain, of which each sync appends a link over what it wrote. It only reads, also while
/// a sync runs, and never talks to the cloud.
///
/// A task that found another value than the last successful one before it left is a note: nothing is wrong with the archive,
/// but a change is missing, or happened that no task tells of. `state --breaks` lists the same with all columns.
///
/// Whoever can write the file can write a new chain as well. What makes that visible is a head of the chain that is kept
/// elsewhere: `dcs-history sync -o json` prints it as `head`, and --head asks whether the archive still contains it.
///
/// Exit codes: 0 everything holds; 13 something does not; 6 the archive cannot be opened at all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dcs-history verify
  dcs-history verify --head \"$(cat head-of-last-quarter)\"
  dcs-history verify -o json | jq -r '.[0].findings[].message'")]
pub(crate) struct VerifyArgs {
    /// A head that the hash chain must contain: 64 hexadecimal digits, as a sync printed it.
    #[arg(
        long,
        value_name = "HASH",
        value_parser = digest,
        env = "DCS_HISTORY_HEAD",
        hide_env_values = true
    )]
    head: Option<Digest>,
    /// Print at most this many findings (1000 unless told otherwise); 0 prints all.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        env = "DCS_HISTORY_LIMIT",
        hide_env_values = true
    )]
    limit: Option<u64>,
    #[command(flatten)]
    format: FormatArgs,
}

/// Reads a digest as it is written: 64 hexadecimal digits.
fn digest(text: &str) -> Result<Digest, &'static str> {
    const WRONG: &str = "it is not 64 hexadecimal digits";
    let mut digest = Digest::default();
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(WRONG);
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| WRONG)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| WRONG)?;
    }
    Ok(digest)
}

pub(crate) fn run(args: &VerifyArgs, context: &mut Context<'_>) -> Result<Exit, CliError> {
    let db = paths::db(context.global.db.as_deref())?;
    let connection = archive::for_reading(context.global)?;
    let moment = read::snapshot(&connection)?;
    let progress = Progress::steps(shows_progress(context));
    let mut found = Found::new(args.limit.unwrap_or(KEPT));
    let verified = verify::verify(
        &moment,
        READING,
        args.head.as_ref(),
        &mut |event| match event {
            Event::Stage(name, steps) => progress.stage(name, steps),
            Event::Step(done) => progress.step(done),
            Event::Found(finding) => found.add(finding),
        },
    );
    // This look rests on more than the store knows; it takes the same moment, and adds to what was found.
    let joined = continuity(&moment, (context.now)(), &progress, &mut found);
    progress.finish();
    let verified = verified?;
    joined?;
    let reply = Reply {
        verified,
        log_bytes: verify::log_bytes(db.path()),
        found,
    };
    written(reply.write(args.format.settings(context), context.out))?;
    for hint in reply.hints() {
        remark(context, hint);
    }
    Ok(reply.exit())
}

/// Looks for tasks that do not fit together, one instance at a time. What cannot be read is a finding, and the next instance
/// is looked at all the same.
fn continuity(
    archive: &Connection,
    now: Timestamp,
    progress: &Progress,
    found: &mut Found,
) -> Result<(), store::Error> {
    let known = facts::read_until(archive).and_then(|until| {
        let instances = read::instances(archive)?;
        Ok((until.unwrap_or(now), instances))
    });
    let (server_now, instances) = match known {
        Ok(known) => known,
        Err(error) => {
            found.add(verify::damage(error, "table instance")?);
            return Ok(());
        }
    };
    progress.stage("continuity", instances.len().try_into().ok());
    for (instance, done) in instances.iter().zip(1..) {
        let id = &instance.key.instance_id;
        let breaks = breaks::of_instance(archive, instance, RULES, server_now, |found, state| {
            unfitting(id, found, state)
        });
        match breaks {
            Ok(breaks) => breaks.into_iter().for_each(|one| found.add(one)),
            Err(error) => found.add(verify::damage(error, format!("instance {id}"))?),
        }
        progress.step(done);
    }
    Ok(())
}

/// How strictly the ledger is read to say what a break means, as in `state --breaks` unless told otherwise.
const RULES: Rules = Rules {
    max_gap: MAX_GAP,
    settle: SETTLE,
};

/// A task that found another value than the one before it left. Nothing is wrong with the archive for that.
fn unfitting(instance: &str, found: &Break<'_>, state: Option<State>) -> Finding {
    let attribute = phrase::attribute(found.attribute.source.as_str(), found.attribute.name);
    let what = format!(
        "it found {attribute} {}, and task {} had left {} at {}: {}",
        verify::quoted(Some(found.found)),
        found.earlier.task_id,
        verify::quoted(Some(found.left)),
        found.since,
        breaks::meaning(state)
    );
    let place = format!("task {} of instance {instance}", found.later.task_id);
    Finding::note(Promise::Continuity, place, what)
}

/// What was found: the first findings, and how many there are.
struct Found {
    most: u64,
    kept: Vec<Finding>,
    faults: u64,
    notes: u64,
    /// Rows that their raw text can mend.
    mendable: bool,
}

impl Found {
    fn new(limit: u64) -> Self {
        Self {
            most: if limit == 0 { u64::MAX } else { limit },
            kept: Vec::new(),
            faults: 0,
            notes: 0,
            mendable: false,
        }
    }

    fn add(&mut self, finding: Finding) {
        match finding.weight {
            Weight::Fault => self.faults += 1,
            Weight::Note => self.notes += 1,
        }
        self.mendable |= matches!(finding.promise, Promise::Rows | Promise::Counters);
        if (self.kept.len() as u64) < self.most {
            self.kept.push(finding);
        }
    }
}

/// Everything that there is to say.
struct Reply {
    verified: Verified,
    log_bytes: u64,
    found: Found,
}

/// The columns of a finding.
const FINDING: [&str; 4] = ["weight", "kind", "place", "message"];

impl Reply {
    fn exit(&self) -> Exit {
        if self.found.faults == 0 {
            Exit::Done
        } else {
            Exit::DoesNotHold
        }
    }

    fn word(&self) -> &'static str {
        if self.found.faults == 0 {
            "everything holds"
        } else {
            "something does not hold"
        }
    }

    fn hints(&self) -> Vec<&'static str> {
        let mut hints = Vec::new();
        if self.found.kept.len() as u64 != self.found.faults + self.found.notes {
            hints.push("not all findings are shown; -n 0 for all");
        }
        if self.found.mendable {
            hints.push("rows that are not what their raw text says are rebuilt by `dcs-history reprocess`, if the text holds");
        }
        if self.found.faults > 0 {
            hints.push("what the archive was before is in your backups; `dcs-history --db FILE verify` checks one");
        }
        hints
    }

    fn write(&self, settings: Settings, out: &mut dyn Write) -> io::Result<()> {
        match settings.format {
            Format::Table | Format::Markdown => sheet::write(settings, out, &self.sheet()),
            Format::Json => json::write(out, Framing::Array, &[self.object()]),
            Format::Jsonl => json::write(out, Framing::Lines, &[self.object()]),
            Format::Csv => {
                let mut records = output::records(settings, out);
                records.header(&FINDING.map(Column::new))?;
                for finding in &self.found.kept {
                    records.row(&row(finding))?;
                }
                records.end()
            }
        }
    }

    fn head(&self) -> Option<(i64, String)> {
        let head = self.verified.head?;
        Some((head.sync_id, hex(&head.digest)))
    }

    fn object(&self) -> Value {
        let number = |number: u64| Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let (sync_id, head) = self.head().map_or((Cell::Null, Cell::Null), |(id, head)| {
            (Cell::Integer(id), Cell::Text(head))
        });
        let members = [
            ("result", Cell::text(self.word())),
            ("exit_code", Cell::Integer(i64::from(self.exit().code()))),
            ("tasks", number(self.verified.tasks)),
            ("revisions", number(self.verified.revisions)),
            ("walks", number(self.verified.walks)),
            ("links", number(self.verified.links)),
            ("head", head),
            ("head_sync_id", sync_id),
            ("log_bytes", number(self.log_bytes)),
            ("faults", number(self.found.faults)),
            ("notes", number(self.found.notes)),
        ];
        let mut members: Vec<_> = members
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), Value::Cell(cell)))
            .collect();
        let findings = self.found.kept.iter();
        let findings = findings.map(|finding| Value::row(&FINDING, row(finding).into()));
        members.push(("findings".to_owned(), Value::Array(findings.collect())));
        Value::Object(members)
    }

    fn sheet(&self) -> Sheet {
        let mut sections = Vec::new();
        for (title, weight) in [
            ("What does not hold", Weight::Fault),
            ("Notes", Weight::Note),
        ] {
            let kept = self.found.kept.iter();
            let rows: Vec<Vec<Cell>> = kept
                .filter(|finding| finding.weight == weight)
                .map(|finding| row(finding)[1..].to_vec())
                .collect();
            if !rows.is_empty() {
                let columns = vec![
                    Column::rigid(FINDING[1]),
                    Column::wanted(FINDING[2]),
                    Column::new(FINDING[3]).wrapped(),
                ];
                sections.push(Section {
                    title: title.to_owned(),
                    body: Body::Table(columns, rows),
                });
            }
        }
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
        let head = self.head().map_or_else(
            || "none: no sync has ended".to_owned(),
            |(sync_id, head)| format!("{head} (sync {sync_id})"),
        );
        [
            ("tasks", self.verified.tasks.to_string()),
            ("revisions", self.verified.revisions.to_string()),
            ("ledger lines", self.verified.walks.to_string()),
            ("links", self.verified.links.to_string()),
            ("head", head),
            ("log", size(self.log_bytes)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Cell::Text(value)))
        .collect()
    }
}

fn row(finding: &Finding) -> [Cell; 4] {
    [
        Cell::text(finding.weight.as_str()),
        Cell::text(finding.promise.as_str()),
        Cell::text(finding.place.as_str()),
        Cell::text(finding.what.as_str()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_64_hexadecimal_digits() {
        let text = "00ff".repeat(16);
        let read = digest(&format!(" {}\n", text.to_uppercase())).unwrap();
        assert_eq!(hex(&read), text);
        for wrong in [
            "",
            "00",
            &"0".repeat(63),
            &"g".repeat(64),
            &"é".repeat(32),
            &"+1".repeat(32),
        ] {
            assert!(digest(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn findings_beyond_the_limit_are_counted_and_not_kept() {
        let mut found = Found::new(2);
        for number in 0..5 {
            found.add(Finding::fault(Promise::Chain, "walk 1", number.to_string()));
        }
        found.add(Finding::note(Promise::Chain, "sync 1", "x"));
        assert_eq!((found.kept.len(), found.faults, found.notes), (2, 5, 1));
    }
}
