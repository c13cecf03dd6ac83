//! What a statement of anyone's may do, and how much of everything it may take.
//!
//! The authorizer is a list of what is allowed, not of what is not: what SQLite learns in a later version is refused until
//! somebody has looked at it. The tables beneath the views are refused as well, so that nobody builds on them by mistake and
//! nobody counts rows of a walk that has not ended; that is a fence and not a wall, since all of the archive is its user's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::error::{Denied, Hints};

/// The longest text, blob or row, in bytes: the largest answer that `sync` takes unless told otherwise, and so the longest
/// record that there can be.
pub(crate) const LONGEST: usize = 64 << 20;

/// The longest query, in bytes: SQLite's own default, and room for a list of 25,000 ids.
pub(crate) const LONGEST_SQL: usize = 1_000_000;

/// What SQLite may hold in memory, in MiB: enough to sort a million tasks, or eight values of the greatest length. Nothing is
/// put on the disk, since a query shall leave no trace there.
pub(super) const MEMORY: u64 = 512;

/// Bounds of a statement. Where SQLite's own default is ample and safe it stands here too, so that nothing depends on how the
/// library was built.
const LIMITS: [(Limit, usize); 13] = [
    (Limit::SQLITE_LIMIT_LENGTH, LONGEST),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL),
    // Every view side by side has 150.
    (Limit::SQLITE_LIMIT_COLUMN, 500),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1_000),
    (Limit::SQLITE_LIMIT_PARSER_DEPTH, 1_000),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
    (Limit::SQLITE_LIMIT_VDBE_OP, 1_000_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
    // Comparing takes as long as pattern times text.
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 10_000),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 1_000),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// The functions of SQLite that do nothing but work out a value: by kind, the names that they are defined under.
#[rustfmt::skip]
pub(super) const FUNCTIONS: [&[&str]; 7] = [
    // Numbers, texts and what they are.
    &["abs", "char", "coalesce", "concat", "concat_ws", "format", "glob", "hex", "if", "ifnull", "iif", "instr", "length", "like",
      "likelihood", "likely", "lower", "ltrim", "nullif", "octet_length", "printf", "quote", "random", "randomblob", "replace", "round",
      "rtrim", "sign", "soundex", "sqlite_version", "substr", "substring", "trim", "typeof", "unhex", "unicode", "unistr",
      "unistr_quote", "unlikely", "upper", "zeroblob"],
    // Mathematics, where it is built in.
    &["acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees", "exp", "floor", "ln",
      "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"],
    // Dates and times.
    &["current_date", "current_time", "current_timestamp", "date", "datetime", "julianday", "strftime", "time", "timediff", "unixepoch"],
    // Aggregates.
    &["avg", "count", "group_concat", "max", "median", "min", "percentile", "percentile_cont", "percentile_disc", "string_agg", "sum", "total"],
    // Windows.
    &["cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "percent_rank", "rank", "row_number"],
    // JSON.
    &["->", "->>", "json", "json_array", "json_array_insert", "json_array_length", "json_error_position", "json_extract",
      "json_group_array", "json_group_object", "json_insert", "json_object", "json_patch", "json_pretty", "json_quote", "json_remove",
      "json_replace", "json_set", "json_type", "json_valid"],
    // The same, in SQLite's binary form.
    &["jsonb", "jsonb_array", "jsonb_array_insert", "jsonb_extract", "jsonb_group_array", "jsonb_group_object", "jsonb_insert",
      "jsonb_object", "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set"],
];

/// What may be read beside the views: the schema, in which they can be looked up, and the parts of a JSON text.
const READABLE: [&str; 3] = ["sqlite_master", "json_each", "json_tree"];

/// The tables in which SQLite keeps a schema, as it calls them to the authorizer.
const SCHEMAS: [&str; 2] = ["sqlite_master", "sqlite_temp_master"];

/// What the authorizer has refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Denials(Arc<Mutex<Option<Denied>>>);

impl Denials {
    /// Returns what was refused first.
    pub(super) fn first(&self) -> Option<Denied> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.clone()
    }

    fn add(&self, denied: Denied) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(denied);
    }
}

/// Puts a reader under guard. There is no way back: the connection is good for one question.
pub(super) fn guard(archive: &mut Connection) -> rusqlite::Result<(Denials, Hints)> {
    let hints = Hints::of(archive)?;
    let names = Names::of(archive, &hints)?;
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
    ] {
        archive.set_db_config(setting, value)?;
    }
    // The limit of memory is one of the process, which asks nothing else.
    archive.execute_batch(&format!(
        "PRAGMA query_only = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA hard_heap_limit = {};",
        MEMORY << 20
    ))?;
    for (limit, most) in LIMITS {
        archive.set_limit(limit, i32::try_from(most).unwrap_or(i32::MAX))?;
    }
    let denials = Denials::default();
    let told = denials.clone();
    archive.authorizer(Some(move |context: AuthContext<'_>| {
        match judge(&context, &names) {
            Ok(()) => Authorization::Allow,
            Err(denied) => {
                told.add(denied);
                Authorization::Deny
            }
        }
    }))?;
    Ok((denials, hints))
}

/// What the archive and the library have names for.
#[derive(Debug)]
struct Names {
    views: BTreeSet<String>,
    tables: BTreeSet<String>,
    /// What looks like a table and is none.
    modules: BTreeSet<String>,
}

impl Names {
    fn of(archive: &Connection, hints: &Hints) -> rusqlite::Result<Self> {
        let names = |sql: &str| {
            let mut statement = archive.prepare(sql)?;
            let names = statement.query_map([], |row| row.get(0))?;
            names.collect::<rusqlite::Result<_>>()
        };
        Ok(Self {
            views: hints.views().map(ToOwned::to_owned).collect(),
            tables: names("SELECT lower(name) FROM sqlite_schema WHERE type = 'table'")?,
            modules: names("SELECT lower(name) FROM pragma_module_list")?,
        })
    }

    /// Whether a statement may read that column of that table, where SQLite names both, the view (or the common table
    /// expression) by which it is reached, and the database.
    fn may_read(&self, table: &str, column: &str, context: &AuthContext<'_>) -> bool {
        let name = table.to_ascii_lowercase();
        let is_view = |name: &str| self.views.contains(name);
        if is_view(&name) || READABLE.contains(&&*name) || context.accessor.is_some_and(is_view) {
            return true;
        }
        // Where no column is wanted the view is not named: a table of a view comes with its database, and what was typed
        // comes as it was typed. That may be a common table expression, and a row of those is nobody's secret.
        let is_library = self.modules.contains(&name) || name.starts_with("pragma_");
        let is_table = self.tables.contains(&name);
        column.is_empty() && !is_library && is_table == context.database_name.is_some()
    }
}

/// Decides whether a statement may do that.
fn judge(context: &AuthContext<'_>, names: &Names) -> Result<(), Denied> {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => Ok(()),
        AuthAction::Function { function_name } => {
            if FUNCTIONS.iter().any(|kind| kind.contains(&function_name)) {
                Ok(())
            } else {
                Err(Denied::Function(function_name.to_owned()))
            }
        }
        AuthAction::Read {
            table_name,
            column_name,
        } => {
            if names.may_read(table_name, column_name, context) {
                Ok(())
            } else {
                Err(Denied::Table(table_name.to_owned()))
            }
        }
        other => Err(Denied::Action(action(other))),
    }
}

/// Says in the words of SQL what a statement would do.
fn action(action: AuthAction<'_>) -> String {
    let words = match action {
        // The first thing that a change of the schema does is to write there.
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
            if SCHEMAS.contains(&table_name) =>
        {
            "changing the schema (CREATE, DROP, ALTER)"
        }
        AuthAction::Insert { .. } => "INSERT",
        AuthAction::Update { .. } => "UPDATE",
        AuthAction::Delete { .. } => "DELETE",
        AuthAction::CreateIndex { .. } | AuthAction::CreateTempIndex { .. } => "CREATE INDEX",
        AuthAction::CreateTable { .. } | AuthAction::CreateTempTable { .. } => "CREATE TABLE",
        AuthAction::CreateTrigger { .. } | AuthAction::CreateTempTrigger { .. } => "CREATE TRIGGER",
        AuthAction::CreateView { .. } | AuthAction::CreateTempView { .. } => "CREATE VIEW",
        AuthAction::CreateVtable { .. } => "CREATE VIRTUAL TABLE",
        AuthAction::DropIndex { .. } | AuthAction::DropTempIndex { .. } => "DROP INDEX",
        AuthAction::DropTable { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropVtable { .. } => "DROP TABLE",
        AuthAction::DropTrigger { .. } | AuthAction::DropTempTrigger { .. } => "DROP TRIGGER",
        AuthAction::DropView { .. } | AuthAction::DropTempView { .. } => "DROP VIEW",
        AuthAction::AlterTable { .. } => "ALTER TABLE",
        AuthAction::Attach { .. } => "ATTACH",
        AuthAction::Detach { .. } => "DETACH",
        AuthAction::Reindex { .. } => "REINDEX",
        AuthAction::Analyze { .. } => "ANALYZE",
        AuthAction::Transaction { .. } => "BEGIN, COMMIT or ROLLBACK",
        AuthAction::Savepoint { .. } => "SAVEPOINT, RELEASE or ROLLBACK TO",
        AuthAction::Pragma { pragma_name, .. } => return format!("PRAGMA {pragma_name}"),
        _ => "something that this program does not know",
    };
    words.to_owned()
}
