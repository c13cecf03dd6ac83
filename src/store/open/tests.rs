//! The door, tried: what is refused and left as it was, what survives a kill, and who waits for whom.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use refinery::Runner;
use tempfile::TempDir;

use super::*;
use crate::store::format::{FORMAT, check_format};

/// Long enough to show that somebody is waited for, short enough for a test.
const SHORT: Duration = Duration::from_millis(50);

/// A later format, of more than one statement.
const LATER: &str = "CREATE TABLE later(x INTEGER PRIMARY KEY, y TEXT) STRICT;
    INSERT INTO later SELECT value, hex(randomblob(2000)) FROM generate_series_of_ten;
    DROP VIEW generate_series_of_ten;
    PRAGMA user_version = 2;";

fn now() -> Timestamp {
    Timestamp::parse_upstream("2026-10-01T02:03:04.567Z").unwrap()
}

fn room() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    (folder, path)
}

/// A room with a finished archive in it.
fn furnished() -> (TempDir, PathBuf) {
    let (folder, path) = room();
    finish(writable(&path, now()).unwrap()).unwrap();
    (folder, path)
}

/// Every file of a folder, byte for byte; what a link leads to stands for the link.
fn contents(folder: &TempDir) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(&path).ok()))
        .collect()
}

fn names(folder: &TempDir) -> Vec<String> {
    contents(folder)
        .into_keys()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn alter(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn patch(path: &Path, at: usize, bytes: &[u8]) {
    let mut file = fs::read(path).unwrap();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, file).unwrap();
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn an_archive_is_born_whole_private_and_alone() {
    let (folder, path) = room();
    let writable = writable(&path, now()).unwrap();
    assert_eq!(
        number(&writable.connection, "SELECT count(*) FROM tasks"),
        0
    );
    check_format(&writable.connection).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{entry:?}");
    }
    finish(writable).unwrap();
    assert_eq!(names(&folder), ["history.db", "history.db.lock"]);
    let header = fs::read(&path).unwrap();
    assert_eq!(&header[68..72], b"DCSH");
    assert_eq!(&header[60..64], &[0, 0, 0, 1]);
}

#[test]
fn the_format_is_the_number_of_the_last_migration() {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    assert_eq!(files.count(), usize::try_from(FORMAT).unwrap());
    let (_folder, path) = furnished();
    let connection = readable(&path).unwrap();
    let sql = "SELECT max(version) FROM refinery_schema_history";
    assert_eq!(number(&connection, sql), i64::from(FORMAT));
    assert_eq!(
        number(&connection, "PRAGMA user_version"),
        i64::from(FORMAT)
    );
}

#[test]
fn every_safety_setting_is_on() {
    let (_folder, path) = room();
    let writable = writable(&path, now()).unwrap();
    let reader = readable(&path).unwrap();
    for (setting, write, read) in [
        ("journal_mode", "wal", "wal"),
        ("synchronous", "2", "2"),
        ("foreign_keys", "1", "0"),
        ("trusted_schema", "0", "0"),
        ("cell_size_check", "1", "1"),
        ("query_only", "0", "1"),
        ("cache_size", "-16384", "-16384"),
        ("busy_timeout", "30000", "30000"),
    ] {
        for (connection, expected) in [(&writable.connection, write), (&reader, read)] {
            let told: String = connection
                .pragma_query_value(None, setting, |row| {
                    Ok(match row.get_ref(0)? {
                        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                        value => value.as_str()?.to_owned(),
                    })
                })
                .unwrap();
            assert_eq!(told, expected, "{setting}");
        }
    }
    for connection in [&writable.connection, &reader] {
        let told = connection.prepare("SELECT \"nosuchcolumn\" FROM tasks");
        assert!(told.is_err(), "a misspelt column was taken for a text");
    }
    let refused = reader.execute_batch("DELETE FROM task").unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::ReadOnly));
}

#[test]
fn an_empty_file_left_by_a_crash_becomes_an_archive() {
    let (_folder, path) = room();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(readable(&path).unwrap_err().kind, Kind::Missing));
    finish(writable(&path, now()).unwrap()).unwrap();
    readable(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_birth_that_was_killed_is_begun_again() {
    let (folder, path) = room();
    let built = furnished();
    // Half an archive, and the journal that would turn the next one of that name back into something else.
    let whole = fs::read(built.1).unwrap();
    let new = folder.path().join("history.db.new");
    fs::write(&new, &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("history.db.new-journal"), [0xd9; 2048]).unwrap();
    assert!(matches!(readable(&path).unwrap_err().kind, Kind::Missing));
    finish(writable(&path, now()).unwrap()).unwrap();
    assert_eq!(names(&folder), ["history.db", "history.db.lock"]);
    readable(&path).unwrap();
}

#[test]
fn a_birth_that_fails_leaves_nothing_and_a_link_in_its_way_is_not_followed() {
    let (folder, path) = room();
    let broken = Formats::later("CREATE TABLE x(y); CREATE TABLE x(y);");
    let told = write_as(&broken, &path, now(), SHORT).unwrap_err();
    assert!(matches!(told, Kind::Machine { .. }), "{told:?}");
    assert_eq!(names(&folder), ["history.db.lock"]);

    let other = folder.path().join("other");
    fs::write(&other, "precious").unwrap();
    symlink(&other, folder.path().join("history.db.new")).unwrap();
    let told = writable(&path, now()).unwrap_err();
    assert!(matches!(told.kind, Kind::NotAFile(_)), "{told:?}");
    assert_eq!(fs::read(&other).unwrap(), b"precious");
    assert!(!path.exists());
}

/// Makes what is to be refused at a path, and the beginning of the kind that refuses it.
type Case = (&'static str, fn(&Path), &'static str);

#[test]
fn what_is_not_an_archive_of_ours_is_refused_and_left_as_it_is() {
    let cases: [Case; 13] = [
        (
            "a text file",
            |path| fs::write(path, "dear diary\n").unwrap(),
            "NotOurs",
        ),
        (
            "another's database",
            |path| alter(path, "CREATE TABLE a(b)"),
            "NotOurs",
        ),
        (
            "another's database with a log",
            |path| {
                let connection = Connection::open(path).unwrap();
                connection
                    .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
                    .unwrap();
                connection
                    .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE a(b)")
                    .unwrap();
            },
            "NotOurs",
        ),
        (
            "another's mark",
            |path| alter(path, "PRAGMA application_id = 7; CREATE TABLE a(b)"),
            "NotOurs",
        ),
        (
            "a newer archive",
            |path| born(path, "PRAGMA user_version = 2"),
            "Newer",
        ),
        (
            "an archive of no format",
            |path| born(path, "PRAGMA user_version = 0"),
            "Damaged",
        ),
        (
            "cut in half",
            |path| {
                born(path, "");
                let bytes = fs::read(path).unwrap();
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            },
            "Damaged",
        ),
        (
            "a log without its database",
            |path| fs::write(path.with_extension("db-wal"), [7; 4096]).unwrap(),
            "Damaged",
        ),
        ("a folder", |path| fs::create_dir(path).unwrap(), "NotAFile"),
        (
            "a socket",
            |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            "NotAFile",
        ),
        (
            "a device",
            |path| symlink("/dev/null", path).unwrap(),
            "NotAFile",
        ),
        (
            "a link to nowhere",
            |path| symlink("no/where.db", path).unwrap(),
            "NoFolder",
        ),
        (
            "a link to a text file",
            |path| {
                fs::write(path.with_extension("txt"), "dear diary\n").unwrap();
                symlink(path.with_extension("txt"), path).unwrap();
            },
            "NotOurs",
        ),
    ];
    for (name, make, expected) in cases {
        let (folder, path) = room();
        make(&path);
        let before = contents(&folder);
        let told = writable_within(&path, now(), SHORT).unwrap_err();
        assert!(
            format!("{:?}", told.kind).starts_with(expected),
            "{name}: {told:?}"
        );
        assert_eq!(told.class(), Class::Archive, "{name}");
        assert!(!told.hints().is_empty(), "{name}");
        assert_eq!(contents(&folder), before, "{name}");
        let told = readable(&path).unwrap_err();
        let expected = expected.replace("NoFolder", "Missing");
        assert!(
            format!("{:?}", told.kind).starts_with(&expected),
            "{name}: {told:?}"
        );
        assert_eq!(contents(&folder), before, "{name}");
    }
}

/// Makes an archive and alters it; nothing but the archive stays.
fn born(path: &Path, sql: &str) {
    finish(writable(path, now()).unwrap()).unwrap();
    fs::remove_file(path.with_extension("db.lock")).unwrap();
    // Without this, SQLite would leave the change in a log for as long as the connection lives.
    alter(path, &format!("PRAGMA journal_mode = DELETE; {sql}"));
}

#[test]
fn a_path_without_a_folder_is_told_from_an_archive_that_is_not_there() {
    let (folder, path) = room();
    let cases = [
        (folder.path().join("no/history.db"), "NoFolder", "Missing"),
        (path.clone(), "", "Missing"),
        (
            PathBuf::from("/dev/null/history.db"),
            "NotAFile",
            "NotAFile",
        ),
    ];
    for (path, writing, reading) in cases {
        let told = readable(&path).unwrap_err();
        assert!(format!("{:?}", told.kind).starts_with(reading), "{told:?}");
        assert_eq!(told.class(), Class::Archive);
        if !writing.is_empty() {
            let told = writable(&path, now()).unwrap_err();
            assert!(format!("{:?}", told.kind).starts_with(writing), "{told:?}");
            assert_eq!(told.class(), Class::Archive);
        }
    }
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn a_folder_that_nobody_may_write_to_is_the_machines_fault() {
    // Not even root makes a file there.
    let told = writable(Path::new("/proc/history.db"), now()).unwrap_err();
    assert_eq!(told.class(), Class::Machine, "{told:?}");
    assert!(told.to_string().contains("/proc/history.db"));
}

#[test]
fn a_schema_with_something_strange_in_it_is_refused() {
    let cases = [
        (
            "CREATE TRIGGER t AFTER INSERT ON task BEGIN DELETE FROM task; END",
            "NotOurs",
        ),
        ("CREATE VIEW extra AS SELECT 1", "NotOurs"),
        (
            "DROP VIEW tasks; CREATE VIEW tasks AS SELECT 1 AS task_key",
            "NotOurs",
        ),
        ("CREATE TABLE extra(x)", "NotOurs"),
        ("DROP VIEW drift", "Damaged"),
        ("ANALYZE", "ok"),
    ];
    for (sql, expected) in cases {
        let (_folder, path) = room();
        born(&path, sql);
        let before = fs::read(&path).unwrap();
        for told in [
            readable(&path).map(drop),
            writable_within(&path, now(), SHORT).map(drop),
        ] {
            let told = told.map_or_else(|error| format!("{:?}", error.kind), |()| "ok".to_owned());
            assert!(told.starts_with(expected), "{sql}: {told}");
        }
        assert!(
            expected == "ok" || fs::read(&path).unwrap() == before,
            "{sql}"
        );
    }
}

#[test]
fn one_program_writes_and_the_other_is_told_who_under_every_name_of_the_archive() {
    let (folder, path) = furnished();
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    let first = writable(&path, now()).unwrap();
    for name in [&path, &link] {
        let told = writable(name, now().plus(1)).unwrap_err();
        assert_eq!(told.class(), Class::Busy);
        let told = std::error::Error::source(&told).unwrap().to_string();
        let expected = format!("process {} (dcs-history", std::process::id());
        assert!(told.starts_with(&expected), "{told}");
        assert!(told.ends_with("since 2026-10-01T02:03:04.567Z"), "{told}");
    }
    drop(first);
    writable(&link, now()).unwrap();
}

#[test]
fn a_foreign_writer_is_waited_for_and_then_busy() {
    let (_folder, path) = furnished();
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = std::time::Instant::now();
    let told = writable_within(&path, now(), SHORT).unwrap_err();
    assert!(start.elapsed() >= SHORT);
    assert!(matches!(told.kind, Kind::Busy { holder: None }), "{told:?}");
    foreign.execute_batch("ROLLBACK").unwrap();
    writable_within(&path, now(), SHORT).unwrap();
}

#[test]
fn readers_read_while_a_writer_writes_and_hold_up_nobody() {
    let (_folder, path) = furnished();
    let writer = writable(&path, now()).unwrap();
    let insert = "BEGIN IMMEDIATE; INSERT INTO operation(name) VALUES ('a')";
    writer.connection.execute_batch(insert).unwrap();
    let reader = readable(&path).unwrap();
    let count = "SELECT count(*) FROM operation";
    assert_eq!(number(&reader, count), 0);
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(number(&reader, count), 0);
    writer.connection.execute_batch("COMMIT").unwrap();
    assert_eq!(number(&reader, count), 0);
    // The end of the run does not wait for the reader, who still sees its own moment.
    finish(writer).unwrap();
    assert_eq!(number(&reader, count), 0);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(number(&reader, count), 1);
}

#[test]
fn the_end_of_a_run_leaves_everything_in_one_file() {
    let (folder, path) = furnished();
    let writer = writable(&path, now()).unwrap();
    let insert = "INSERT INTO operation(name) VALUES ('a')";
    writer.connection.execute_batch(insert).unwrap();
    // Another connection keeps the log alive, so that it is the checkpoint which empties it.
    let reader = readable(&path).unwrap();
    finish(writer).unwrap();
    assert_eq!(
        fs::metadata(folder.path().join("history.db-wal"))
            .unwrap()
            .len(),
        0
    );
    drop(reader);
}

#[test]
fn a_damaged_archive_is_found_after_an_accident() {
    let (_folder, path) = room();
    born(&path, "INSERT INTO sync(started, version) VALUES (1, 'x')");
    finish(writable(&path, now()).unwrap()).unwrap();
    // The root page of a table that nothing reads at the door.
    let page = number(
        &readable(&path).unwrap(),
        "SELECT rootpage FROM sqlite_schema WHERE name = 'operation'",
    );
    let size = number(&readable(&path).unwrap(), "PRAGMA page_size");
    let at = usize::try_from((page - 1) * size).unwrap();
    patch(&path, at, &[0xff; 100]);
    let before = fs::read(&path).unwrap();
    let told = writable_within(&path, now(), SHORT).unwrap_err();
    assert!(matches!(told.kind, Kind::Damaged(_)), "{told:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn damage_in_the_schema_is_damage() {
    let (_folder, path) = furnished();
    patch(&path, 100, &[0xff; 2000]);
    let told = [
        writable_within(&path, now(), SHORT).map(drop).unwrap_err(),
        readable(&path).map(drop).unwrap_err(),
    ];
    for told in told {
        assert!(matches!(told.kind, Kind::Damaged(_)), "{told:?}");
    }
}

#[test]
fn a_format_that_changed_meanwhile_is_seen_by_the_next_transaction() {
    let (_folder, path) = furnished();
    let writer = writable(&path, now()).unwrap();
    alter(&path, "PRAGMA user_version = 2");
    let transaction = writer.connection.unchecked_transaction().unwrap();
    let told = check_format(&transaction).unwrap_err();
    assert!(
        matches!(told.kind, Kind::Newer { found: 2, known: 1 }),
        "{told:?}"
    );
    drop(transaction);
    // The file says 1, the log says 2: an older program sees that too, and moves nothing from one into the other.
    let copy = tempfile::tempdir().unwrap();
    let target = copy.path().join("history.db");
    fs::copy(&path, &target).unwrap();
    fs::copy(
        path.with_extension("db-wal"),
        copy.path().join("history.db-wal"),
    )
    .unwrap();
    assert_eq!(fs::read(&target).unwrap()[63], 1);
    let before = fs::read(&target).unwrap();
    let told = writable_within(&target, now(), SHORT).unwrap_err();
    assert!(
        matches!(told.kind, Kind::Newer { found: 2, .. }),
        "{told:?}"
    );
    assert_eq!(fs::read(&target).unwrap(), before);
    assert!(matches!(
        readable(&target).unwrap_err().kind,
        Kind::Newer { .. }
    ));
}

#[test]
fn an_older_archive_is_brought_up_to_date_or_stays_as_it_was() {
    let (_folder, path) = furnished();
    let broken = Formats::later("CREATE TABLE later(x) STRICT; PRAGMA user_version = 2;");
    let told = write_as(&broken, &path, now(), SHORT).unwrap_err();
    assert!(matches!(told, Kind::Machine { .. }), "{told:?}");
    writable(&path, now()).unwrap();

    let later = later();
    let told = read_as(&later, &path).unwrap_err();
    assert!(
        matches!(told, Kind::Older { found: 1, known: 2 }),
        "{told:?}"
    );
    finish(write_as(&later, &path, now(), SHORT).unwrap()).unwrap();
    assert_eq!(
        number(
            &read_as(&later, &path).unwrap(),
            "SELECT count(*) FROM later"
        ),
        10
    );
    let told = writable(&path, now()).unwrap_err();
    assert!(
        matches!(told.kind, Kind::Newer { found: 2, known: 1 }),
        "{told:?}"
    );
}

fn later() -> Formats {
    let ten =
        "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 10)";
    let view = format!("CREATE VIEW generate_series_of_ten AS {ten} SELECT value FROM n;");
    Formats::later(&format!("{view} {LATER}"))
}

#[test]
fn a_migration_killed_anywhere_leaves_the_old_archive_or_the_new_one() {
    let (folder, path) = furnished();
    let snapshots = tempfile::tempdir().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let later = later();
    let mut connection = connect(&Place::of(&path).unwrap(), &Formats::current(), SHORT).unwrap();
    // A cache of a few pages, so that much of the unfinished transaction is in the log already.
    connection.execute_batch("PRAGMA cache_size = 3").unwrap();
    let (from, to, counter) = (
        folder.path().to_owned(),
        snapshots.path().to_owned(),
        Arc::clone(&count),
    );
    let snapshot = move || {
        // What stands on the disk now is what a kill would leave.
        let target = to.join(counter.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir(&target).unwrap();
        for name in ["history.db", "history.db-wal"] {
            fs::copy(from.join(name), target.join(name)).unwrap();
        }
    };
    let last = snapshot.clone();
    connection
        .progress_handler(
            40,
            Some(move || {
                snapshot();
                false
            }),
        )
        .unwrap();
    later.migrate(&mut connection).unwrap();
    last();
    drop(connection);

    let (mut old, mut new) = (0, 0);
    for number in 0..count.load(Ordering::Relaxed) {
        let path = snapshots.path().join(number.to_string()).join("history.db");
        match readable(&path) {
            Ok(_) => old += 1,
            Err(error) => {
                assert!(
                    matches!(error.kind, Kind::Newer { .. }),
                    "{number}: {error:?}"
                );
                new += 1;
            }
        }
        finish(write_as(&later, &path, now(), SHORT).unwrap()).unwrap();
        let reader = read_as(&later, &path).unwrap();
        assert_eq!(
            self::number(&reader, "SELECT count(*) FROM later"),
            10,
            "{number}"
        );
    }
    assert!(old > 10 && new >= 1, "{old} old, {new} new");
}

#[test]
fn the_notes_of_the_migration_runner_are_not_trusted() {
    for sql in [
        "UPDATE refinery_schema_history SET applied_on = 'yesterday'",
        "UPDATE refinery_schema_history SET applied_on = '2026-10-01 00:00:00Z'",
        "UPDATE refinery_schema_history SET checksum = 'x'",
        "UPDATE refinery_schema_history SET checksum = '1'",
        "UPDATE refinery_schema_history SET name = 'x'",
        "INSERT INTO refinery_schema_history VALUES (-1, 'x', 'y', 'z')",
    ] {
        let (_folder, path) = room();
        born(&path, sql);
        let told = write_as(&later(), &path, now(), SHORT).unwrap_err();
        assert!(matches!(told, Kind::NotOurs(_)), "{sql}: {told:?}");
    }
}

#[test]
fn a_copy_where_nothing_can_be_written_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let strange = folder.path().join("a b?c#d%41&mode=rwc é.db");
    finish(writable(&strange, now()).unwrap()).unwrap();
    let before = contents(&folder);
    let connection = open_still(&fs::canonicalize(&strange).unwrap()).unwrap();
    let connection = accept(prepare_reader(connection).unwrap(), &Formats::current()).unwrap();
    assert_eq!(number(&connection, "SELECT count(*) FROM tasks"), 0);
    assert_eq!(contents(&folder), before, "no file was made beside it");

    let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    for (code, wal, expected) in [
        (rusqlite::ffi::SQLITE_CANTOPEN, 0, true),
        (rusqlite::ffi::SQLITE_READONLY_DIRECTORY, 0, true),
        (rusqlite::ffi::SQLITE_READONLY_DIRECTORY, 1, false),
        (rusqlite::ffi::SQLITE_CANTOPEN, 1, false),
        (rusqlite::ffi::SQLITE_CORRUPT, 0, false),
        (rusqlite::ffi::SQLITE_BUSY, 0, false),
    ] {
        assert_eq!(is_still(&failure(code), wal), expected, "{code}, {wal}");
    }
}

#[test]
fn a_relative_name_that_looks_like_a_uri_is_a_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:history.db?mode=memory");
    finish(writable(&path, now()).unwrap()).unwrap();
    assert!(path.is_file());
    readable(&path).unwrap();
}

#[test]
fn the_migration_runner_takes_what_is_embedded() {
    // The macro's own runner, as it orders them, and no file in between.
    let mut connection = Connection::open_in_memory().unwrap();
    let runner: Runner = crate::store::format::migrations::runner();
    runner.set_grouped(true).run(&mut connection).unwrap();
    check_format(&connection).unwrap();
}

/// An archive of the first release, which is never edited; see the head of the file.
const FIRST_RELEASE: &str = include_str!("../../../tests/fixtures/first-release.sql");

/// What a later release may do: more columns, more tables made of the rows that there are, another view.
const NEXT: &str = "ALTER TABLE task ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE per_user(user_key INTEGER PRIMARY KEY REFERENCES user, tasks INTEGER NOT NULL) STRICT;
    INSERT INTO per_user SELECT user_key, count(*) FROM task WHERE user_key IS NOT NULL GROUP BY user_key;
    CREATE INDEX task_weight ON task(weight);
    DROP VIEW upstream;
    CREATE VIEW upstream AS SELECT host, aspect AS what, finding FROM manner;
    PRAGMA user_version = 2;";

fn first_release() -> (TempDir, PathBuf) {
    let (folder, path) = room();
    alter(&path, FIRST_RELEASE);
    (folder, path)
}

/// Every row of every table of the first format, by the columns that it had.
fn rows(connection: &Connection) -> BTreeMap<String, Vec<String>> {
    let first = Connection::open_in_memory().unwrap();
    first.execute_batch(FIRST_RELEASE).unwrap();
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'refinery%'";
    let mut tables = first.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut all = BTreeMap::new();
    for table in tables.map(Result::unwrap) {
        let columns = first.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<_> = columns.column_names().collect();
        let columns = columns.join(", ");
        let sql = format!("SELECT {columns} FROM {table} ORDER BY {columns}");
        let mut statement = connection.prepare(&sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells = (0..count).map(|column| row.get::<_, rusqlite::types::Value>(column));
            Ok(format!("{:?}", cells.collect::<Result<Vec<_>, _>>()?))
        });
        all.insert(table, rows.unwrap().map(Result::unwrap).collect());
    }
    all
}

#[test]
fn an_archive_of_the_first_release_is_read_and_brought_up_to_date_with_every_row() {
    let (_folder, path) = first_release();
    let reader = readable(&path).unwrap();
    let before = rows(&reader);
    assert!(before["task"].len() > 10, "{:?}", before["task"]);
    drop(reader);

    let next = Formats::later(NEXT);
    let told = read_as(&next, &path).unwrap_err();
    assert!(
        matches!(told, Kind::Older { found: 1, known: 2 }),
        "{told:?}"
    );
    finish(write_as(&next, &path, now(), SHORT).unwrap()).unwrap();
    let reader = read_as(&next, &path).unwrap();
    assert_eq!(number(&reader, "PRAGMA user_version"), 2);
    assert_eq!(rows(&reader), before);
    let counted = "SELECT (SELECT sum(tasks) FROM per_user) - (SELECT sum(weight) FROM task WHERE user_key IS NOT NULL)";
    assert_eq!(number(&reader, counted), 0);
    let noted = "SELECT count(*) FROM refinery_schema_history";
    assert_eq!(number(&reader, noted), 2);
    drop(reader);
    // Once is enough, and the release before is told what has happened.
    finish(write_as(&next, &path, now(), SHORT).unwrap()).unwrap();
    let told = writable(&path, now()).unwrap_err();
    assert!(
        matches!(told.kind, Kind::Newer { found: 2, known: 1 }),
        "{told:?}"
    );
}

#[test]
fn a_migration_that_fails_on_an_archive_of_the_first_release_leaves_it_as_it_was() {
    let (_folder, path) = first_release();
    let before = rows(&readable(&path).unwrap());
    let broken = Formats::later(&format!(
        "{NEXT} INSERT INTO per_user SELECT 1, 1 UNION SELECT 1, 2;"
    ));
    let told = write_as(&broken, &path, now(), SHORT).unwrap_err();
    assert!(matches!(told, Kind::Machine { .. }), "{told:?}");
    let reader = readable(&path).unwrap();
    assert_eq!(number(&reader, "PRAGMA user_version"), 1);
    assert_eq!(rows(&reader), before);
}

#[test]
fn a_first_migration_that_was_edited_would_refuse_the_archives_that_there_are() {
    let (_folder, path) = first_release();
    let before = fs::read(&path).unwrap();
    let edited = Formats::later(NEXT).with_another_first();
    let told = write_as(&edited, &path, now(), SHORT).unwrap_err();
    assert!(
        matches!(&told, Kind::NotOurs(told) if told.contains("a migration 1 that is not this program's")),
        "{told:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_header_that_claims_a_format_of_no_sqlite_is_damage() {
    let (_folder, path) = furnished();
    // SQLite's format of schemas, of which 4 is the last one.
    patch(&path, 44, &5_u32.to_be_bytes());
    for told in [
        readable(&path).unwrap_err(),
        writable(&path, now()).unwrap_err(),
    ] {
        assert!(matches!(told.kind, Kind::Damaged(_)), "{told:?}");
    }
}
