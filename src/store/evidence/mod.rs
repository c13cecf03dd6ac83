//! What a report rests on, for somebody who trusts neither the report nor this program: the rows, and queries that work its
//! figures out again, in the archive or without it, for nothing but the `sqlite3` shell.
//!
//! The two ask the same of one table, `told`: there it is made of the contract's views, here of lines of JSON. Texts
//! stand in it as JSON writes them, so that no name can look like another line of the answer.

mod literal;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use literal::{among, text, time};
pub(crate) use rows::{About, Part, touched};

use crate::model::status;
use crate::model::time::Timestamp;

/// The figures of a report; the first line of the answer names what they are.
const FIGURES: &str = include_str!("figures.sql");
/// The lists of tasks that are told apart from the others.
const LISTS: &str = include_str!("lists.sql");
/// How lines of JSON become rows.
const READ: &str = include_str!("read.sql");
/// Whether every record is there.
const RECORDS: &str = include_str!("records.sql");

/// The first line of the answer.
pub(crate) const COLUMNS: &str = "what|name|tasks|succeeded|failed|ended|open|missing";

/// What `sqlite3` is told to write the received text of the line in `line.json` to a file of its own, as it was received.
pub(crate) const RECORD: &str =
    "SELECT writefile('record.json', CAST(readfile('line.json') AS TEXT) ->> '$.raw')";

/// How a report divides its period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// `day`, `week` or `month`.
    pub(crate) unit: &'static str,
    /// From when on which one holds, in the order of time; the first from the beginning of the period on.
    pub(crate) edges: Vec<(Timestamp, String)>,
}

/// Returns the queries that give a report's figures from the archive.
pub(crate) fn queries(about: &About<'_>, pieces: &Pieces) -> String {
    let mut sql = String::from(
        "-- The figures of the report, from the archive that it was made of, over the views that the program promises:\n\
         --\n\
         --   sqlite3 -readonly archive.db < queries.sql\n\
         --\n\
         -- First the lines that expected.txt has as well, as far as they are figures of the report; then its lists.\n\n",
    );
    prepare(&mut sql, about, pieces);
    let (outcome, these) = (outcome("status", "is_final"), among(about.instances));
    let _infallible = write!(
        sql,
        "-- Every task of these instances. Names are written as JSON: one line each, whatever is in them.\n\
         CREATE TEMP VIEW told AS\n\
         SELECT task_key, json_quote(instance_id) AS instance_id, json_quote(task_id) AS task_id, json_quote(name) AS name,\n  \
           json_quote(coalesce(user_name, user_id)) AS user, created_at, updated_at, first_seen_at, missing_since, missing_as,\n  \
           error_code, {outcome} AS outcome\n\
         FROM main.tasks\nWHERE {these};\n\n\
         {FIGURES}{LISTS}\
         -- How often each list was read in the period, and how often that was proven. What the coverage rests on begins\n\
         -- with the last proven full walk before the period: those lines are in walks.jsonl.\n\
         .print\n.print Readings of lists in the period\n\
         SELECT json_quote(instance_id) AS instance_id, kind, count(*) AS walks, sum(proven) AS proven,\n  \
           min(started_at) AS first, max(started_at) AS last\n\
         FROM main.walks\n\
         WHERE started_at >= (SELECT since FROM period) AND started_at < (SELECT until FROM period)\n  \
           AND {these}\n\
         GROUP BY project_id, instance_id, kind ORDER BY project_id, instance_id, kind;\n",
    );
    sql
}

/// Returns the queries that work a report's figures out from the lines of a pack alone.
pub(crate) fn check(about: &About<'_>, pieces: &Pieces) -> String {
    let mut sql = String::from(
        "-- Works the figures of the report out again from tasks.jsonl and records.jsonl, without the archive:\n\
         --\n\
         --   sqlite3 :memory: < check.sql | diff - expected.txt\n\
         --\n\
         -- No difference, no output. It needs the shell of SQLite 3.38 or later, and is run in the folder of these files.\n\n",
    );
    prepare(&mut sql, about, pieces);
    let outcome = outcome("line ->> '$.status'", "line ->> '$.is_final'");
    let _infallible = write!(
        sql,
        "{READ}\
         -- Every task. Names stay as they are written in the file.\n\
         CREATE TEMP TABLE told AS\n\
         SELECT line ->> '$.task_key' AS task_key, line -> '$.instance_id' AS instance_id, line -> '$.name' AS name,\n  \
           CASE WHEN line ->> '$.user_name' IS NULL THEN line -> '$.user_id' ELSE line -> '$.user_name' END AS user,\n  \
           line ->> '$.created_at' AS created_at, line ->> '$.updated_at' AS updated_at,\n  \
           line ->> '$.first_seen_at' AS first_seen_at, line ->> '$.missing_since' AS missing_since,\n  \
           line ->> '$.revisions' AS revisions, {outcome} AS outcome\n\
         FROM task_line;\n\n\
         {FIGURES}{RECORDS}",
    );
    sql
}

/// What both begin with: how the shell answers, and the period.
fn prepare(sql: &mut String, about: &About<'_>, pieces: &Pieces) {
    let (since, until, unit) = (time(about.since), time(about.until), text(pieces.unit));
    let edges = pieces.edges.iter();
    let edges: Vec<_> = edges
        .map(|(since, name)| format!("({}, {})", time(*since), text(name)))
        .collect();
    let _infallible = write!(
        sql,
        ".bail on\n.headers off\n.mode list\n.separator \"|\" \"\\n\"\n.nullvalue ''\n\n\
         CREATE TEMP TABLE period(since TEXT, until TEXT, unit TEXT);\n\
         INSERT INTO period VALUES ({since}, {until}, {unit});\n\
         -- From when on which {} holds in the report's time zone.\n\
         CREATE TEMP TABLE piece(since TEXT PRIMARY KEY, name TEXT);\n\
         INSERT INTO piece VALUES\n  {};\n\n\
         .print {COLUMNS}\n\n",
        pieces.unit,
        edges.join(",\n  ")
    );
}

/// How a task stands, as the report judges it: by its status in any case; what is not known to have ended is open.
fn outcome(status: &str, is_final: &str) -> String {
    let is = |known: &[&str]| rows::is_among(status, known);
    format!(
        "CASE\n    WHEN {is_final} = 0 THEN 'open'\n    \
           WHEN {} THEN 'succeeded'\n    \
           WHEN {} THEN 'failed'\n    \
           WHEN {} THEN 'ended'\n    \
           ELSE 'open' END",
        is(&status::SUCCEEDED),
        is(&status::FAILED),
        is(&status::FINAL)
    )
}
