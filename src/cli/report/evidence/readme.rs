//! The text that explains a pack to somebody who has nothing else: what is in it, how to check it, and what that proves.

use super::Rows;
use crate::cli::report::gather::Report;
use crate::output::phrase::duration;
use crate::output::text::safe;
use crate::store::chain::hex;
use crate::store::evidence::RECORD;

/// Returns the text. What came from a cloud stands in it without characters that a terminal would obey.
pub(super) fn text(report: &Report, rows: Rows) -> String {
    let asked = &report.asked;
    let about = about(report);
    let redacted = redacted(report);
    let head = report.head.as_ref().map(|head| hex(&head.digest));
    let (since, until) = (asked.since, asked.until);
    let Rows {
        tasks,
        records,
        walks,
        syncs,
    } = rows;
    let (gap, settle) = (duration(asked.rules.max_gap), duration(asked.rules.settle));
    let head_of = head.as_deref().unwrap_or("HEAD");
    format!(
        "Evidence for an audit report of DCS instances
=============================================

{about}{redacted}
The files
---------

report.html     The report, for a browser or a printer. Page one answers whether there was a change, by whom, whether it
                succeeded, and what the archive cannot know.
report.md       The same as text.
report.json     The same as data. This report and the two before may leave out rows of long lists, and say so then.
changes.csv     Every change of the period, one line each, the oldest first. A cell that a spreadsheet would run as a
                formula begins with an apostrophe.
tasks.jsonl     The {tasks} tasks that the report speaks of, one JSON object a line: those created in the period, those that
                ended in it, those that are open and were created before its end, those found missing in it, those
                without a time that may be of it, and both tasks of each break that the report lists.
records.jsonl   Every state of these tasks that was read, {records} in all. `raw` is the text as the cloud sent it,
                `raw_sha256` its SHA-256, `observed_at` when it was read, `sync_id` by which sync.
walks.jsonl     The {walks} readings of lists that decide what the archive can vouch for in the period. One is `proven` if it
                is certain that it saw the whole list. The rules: readings more than {gap} apart leave a gap, and a
                record may show {settle} late.
syncs.jsonl     The {syncs} syncs that made these readings and brought these records, and the last one. `head` is the head of
                the archive's hash chain after a sync.
queries.sql     The queries that give the report's figures from the archive.
check.sql       The same from tasks.jsonl, without the archive; and whether records.jsonl has every record.
expected.txt    What check.sql must print. It was made from the report's own figures, not from the files beside it.
SHA256SUMS      The SHA-256 of every other file.

The period includes its first moment, {since}, and excludes its last, {until}.
All times are in UTC; only the report itself may show them in another zone, with the offset beside each, and divide days
there. A task belongs to the period that it was created in. How it ended is what the archive knew at its last reading.

How to check it
---------------

In the folder of these files, with sha256sum and the shell of SQLite 3.38 or later:

1. No file was changed. Each must be OK:

     sha256sum -c SHA256SUMS

   Whoever can change a file can change SHA256SUMS as well: keep its own sum (`sha256sum SHA256SUMS`) elsewhere.

2. The report's figures follow from the tasks, and every record is there. Nothing must be printed:

     sqlite3 :memory: < check.sql | diff - expected.txt

3. A record is what the cloud sent, as far as its sum can tell. For the first line (for another one, another number):

     sed -n 1p records.jsonl > line.json
     sqlite3 :memory: \"{RECORD}\"
     sha256sum record.json

   The sum must be that of `raw_sha256` in line.json. Remove both files afterwards.

4. The pack fits the archive, where you can have it. The first lines must be those of expected.txt as far as they go (the
   last three of those are of the pack alone; names with invisible characters may be written in another way):

     sqlite3 -readonly archive.db < queries.sql

5. The archive is still the one that the report was made of, or has grown out of it. It says what does not hold:

     dcs-history --db archive.db verify --head {head_of}

What it proves, and what it cannot
----------------------------------

It proves that report, tasks and records fit together, and, with a sum or a head that was kept elsewhere, that none of
them was changed since. What the archive can vouch for in the period, and what not, stands on page one of the report.

It cannot prove when it was made: no time stamp authority has signed it. Nor does it prove that the archive is honest:
whoever can write the archive can make another one, with a chain and a pack that fit. So keep the head of each sync where
those who write the archive cannot change it (a ticket, a mail, another machine's log), and compare the head above with
the one that was kept. And it cannot prove that the cloud recorded every change, or sent every record as it was.
"
    )
}

/// What was left out, and what that means for the checks.
fn redacted(report: &Report) -> String {
    let words = report.asked.redact.words();
    if words.is_empty() {
        return String::new();
    }
    format!(
        "
Redacted: {}. What was left out reads (redacted), or is a pseudonym such as user-1 or address-1 that means the same in all
of these files. The raw text of records is left out as well, so their sums below can be compared with the archive's only
(step 3 is not possible), and names in step 4 differ from those of the archive.
",
        words.join(", ")
    )
}

/// The period, the instances, the last reading and the head.
fn about(report: &Report) -> String {
    let asked = &report.asked;
    let mut lines = vec![
        format!("Period         {} to {}", asked.since, asked.until),
        format!("Made by        dcs-history {}", env!("CARGO_PKG_VERSION")),
        match report.read_until {
            Some(time) => format!("Last reading   {time}"),
            None => "Last reading   none yet".to_owned(),
        },
        report.head.as_ref().map_or_else(
            || "Head           none: no sync has ended yet".to_owned(),
            |head| {
                format!(
                    "Head           {} of sync {}",
                    hex(&head.digest),
                    head.sync_id
                )
            },
        ),
        if asked.named.is_empty() {
            "Instances      all that the archive knows:".to_owned()
        } else {
            "Instances      those that were named:".to_owned()
        },
    ];
    for lane in &report.survey.lanes {
        let key = &lane.instance.key;
        let name = lane.instance.name.as_deref().map(safe);
        let name = name.map_or_else(String::new, |name| format!(" ({name})"));
        let (id, project) = (safe(&key.instance_id), safe(&key.project_id));
        lines.push(format!("               {id}{name}, project {project}"));
    }
    if report.survey.lanes.is_empty() {
        lines.push("               none".to_owned());
    }
    lines.join("\n") + "\n"
}
