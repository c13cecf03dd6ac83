"""Reads exports of the program as other engines do, and holds them against the archive.

Two archives are made by the program itself: the one of `demo`, and one of a server here that sends what a server should not
(control characters, lone surrogates, bytes that are no text, ten megabytes in one value, unknown fields, records without an
id). Each is exported as Parquet, and DuckDB, pandas and pyarrow must agree with SQLite on every view: its columns and their
types, the number of rows, and for each column the number of nulls, the sum, the least and the greatest value. JSON lines and
CSV are compared value by value.

Usage: check.py PROGRAM FOLDER, where FOLDER is a new one.
"""

import csv
import json
import math
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import duckdb
import pandas
import pyarrow
import pyarrow.parquet

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
INSTANCE = "11111111-2222-3333-4444-555555555555"
FLAGS = {"is_final", "is_current", "left_out", "enable_public_ip", "enable_ssl", "is_only_adjust_charging"}


def record(number, more, status="SUCCESS"):
    """Returns the text of a task; `more` is text of further members, sent as it is."""
    time = f"2026-03-01T{number // 60:02}:{number % 60:02}:00.5Z"
    head = f'"id":"task-{number:04}","name":"EXTEND","status":"{status}"'
    return f'{{{head},"created_at":"{time}","updated_at":"{time}"{more}}}'.encode()


def hostile(late):
    """Returns the list that the server shows: of its two states, the later one lacks a task and has another one finished."""
    records = [
        record(59, ',"details":{"old_capacity":"0.125","new_capacity":"8","old_port":6379,"new_port":6380}'),
        record(58, "", "SUCCESS" if late else "EXECUTING"),
        record(57, ',"user_name":"a\\u0000b\\u001b[31m\\u202ec","params":"{\\"a\\":\\"\\u0000\\"}"'),
        record(56, ',"user_name":"lone \\ud800 surrogate","params":"\\udc00"'),
        record(55, ',"user_name":"=cmd|\'/C calc\'!A0","params":"a,\\"b\\"\\r\\nc"'),
        record(54, ',"params":"' + "x" * 10_000_000 + '"'),
        record(53, ',"unheard_of":{"deep":[1,2,{"x":null}]},"details":{"enable_public_ip":"true","enable_ssl":false}', "ODD"),
        record(52, "").replace(b"2026-03-01T00:52:00.5Z", b"not a time"),
        record(51, ',"user_name":"\\u5b9f\\u4f8b \\ud83d\\ude42"'),
        b'{"name":"a record without an id"}',
        b'{"id":"bytes","name":"\xff\xfe"}',
    ]
    records += [record(number, "") for number in range(20, 0, -1)]
    return records[:-1] if late else records


class Server(BaseHTTPRequestHandler):
    late = False
    clock = datetime(2026, 4, 1, 12, tzinfo=timezone.utc)

    def do_GET(self):
        query = parse_qs(urlparse(self.path).query)
        offset, limit = (int(query.get(name, ["0"])[0]) for name in ("offset", "limit"))
        records = hostile(Server.late)
        page = b",".join(records[offset : offset + limit])
        body = b'{"task_count":"%d","tasks":[%s]}' % (len(records), page)
        self.send_response_only(200)
        self.send_header("Date", Server.clock.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def make_hostile(program, folder):
    """Syncs the server's list in its two states, hours apart by its clock."""
    folder.mkdir()
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text("gAAAAA-a-token-for-nobody-0123456789", encoding="ascii")
    archive = folder / "history.db"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for late in (False, True):
            Server.late = late
            Server.clock += timedelta(hours=2)
            command = [program, "--db", archive, "-qq", "sync", "--endpoint", f"http://127.0.0.1:{server.server_port}"]
            command += ["--project-id", "0123456789abcdef0123456789abcdef", "--instance", INSTANCE]
            command += ["--token-file", token]
            code = subprocess.run(command, timeout=120, check=False).returncode
            assert code == (0 if late else 3), code
    finally:
        server.shutdown()
        server.server_close()
    return archive


def make_demo(program, folder):
    command = [program, "-q", "demo", "--dir", folder]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=120)
    return folder / "history.db"


def text_of(raw):
    """Reads bytes of SQLite as the program does where it writes text: what is not UTF-8 is replaced."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def millis(time):
    since = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc) - EPOCH
    return since // timedelta(milliseconds=1)


def kind_of(view, column):
    """Says which type of Parquet's a column should have, by its name."""
    if column in FLAGS or (view, column) == ("walks", "proven"):
        return "BOOLEAN"
    if column.endswith("_at") or column in {"missing_since", "window_start", "window_end", "high_water_mark"}:
        return "TIMESTAMP WITH TIME ZONE"
    if column in {"mark_before", "mark_after"}:
        return "TIMESTAMP WITH TIME ZONE"
    if column in {"capacity_gb", "old_capacity", "new_capacity"}:
        return "DOUBLE"
    return "BLOB" if (view, column) == ("rejected", "raw") else None


def read_archive(archive, view):
    """Returns the columns of a view, each with its values as SQLite has them."""
    connection = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
    connection.text_factory = bytes
    cursor = connection.execute(f"SELECT * FROM {view}")
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    connection.close()
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


def expected(kind, values):
    """Sums up the values of a column of SQLite: nulls, sum, least, greatest."""
    there = [value for value in values if value is not None]
    if kind == "TIMESTAMP WITH TIME ZONE":
        there = [millis(text_of(value)) for value in there]
    elif kind == "BLOB":
        there = [len(value) for value in there]
    elif kind == "VARCHAR":
        there = [len(text_of(value).encode()) for value in there]
    return summary(len(values), there)


def summary(rows, there):
    if not there:
        return (rows, rows, None, None, None)
    return (rows, rows - len(there), math.fsum(there), float(min(there)), float(max(there)))


def by_duckdb(path, column, kind):
    value = {
        "TIMESTAMP WITH TIME ZONE": "epoch_ms({})",
        "BLOB": "octet_length({})",
        "VARCHAR": "octet_length(encode({}))",
        "BOOLEAN": "{}::INTEGER",
    }.get(kind, "{}").format(f'"{column}"')
    sql = f"SELECT count(*), count(*) FILTER ({value} IS NULL), sum({value}), min({value}), max({value}) FROM '{path}'"
    rows, nulls, *figures = duckdb.sql(sql).fetchone()
    return (rows, nulls, *(None if figure is None else float(figure) for figure in figures))


def by_pandas(frame, column, kind):
    there = frame[column].dropna()
    if kind == "TIMESTAMP WITH TIME ZONE":
        assert isinstance(there.dtype, pandas.DatetimeTZDtype), there.dtype
        there = (there - pandas.Timestamp(EPOCH)) // pandas.Timedelta(milliseconds=1)
    elif kind == "BLOB":
        there = there.map(len)
    elif kind == "VARCHAR":
        there = there.map(lambda text: len(text.encode()))
    return summary(len(frame), [float(value) for value in there])


def close(one, other):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-12)


def check_parquet(folder, archive, view):
    """Compares every column of a view, and returns how many there were."""
    path = folder / f"{view}.parquet"
    values = read_archive(archive, view)
    types = {name: str(kind) for name, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
    frame = pandas.read_parquet(path)
    table = pyarrow.parquet.read_table(path)
    assert list(types) == list(values) == list(frame.columns) == table.column_names, view
    for column, of_sqlite in values.items():
        kind = types[column]
        wanted = kind_of(view, column)
        numbers = any(isinstance(value, int) for value in of_sqlite)
        assert kind == (wanted or ("BIGINT" if numbers else kind)) and (wanted or kind in {"BIGINT", "VARCHAR"}), (
            view,
            column,
            kind,
        )
        told = expected(kind, of_sqlite)
        for reader, answer in [
            ("DuckDB", by_duckdb(path, column, kind)),
            ("pandas", by_pandas(frame, column, kind)),
        ]:
            assert all(map(close, told, answer)), f"{reader}: {view}.{column}: {answer} and not {told}"
        exact(view, column, kind, of_sqlite, table.column(column).to_pylist())
    return len(values)


def exact(view, column, kind, of_sqlite, of_parquet):
    """Every value is there as often as in the archive, whatever the order."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        of_sqlite = [None if value is None else millis(text_of(value)) for value in of_sqlite]
        of_parquet = [None if value is None else (value - EPOCH) // timedelta(milliseconds=1) for value in of_parquet]
    elif kind == "VARCHAR":
        of_sqlite = [text_of(value) for value in of_sqlite]
    order = lambda value: (value is not None, value if value is not None else 0)
    assert sorted(of_sqlite, key=order) == sorted(of_parquet, key=order), f"{view}.{column}"


def check_texts(program, archive, folder, view):
    """JSON lines and CSV of a view have the rows of the archive, value by value."""
    for ending in ("jsonl", "csv"):
        command = [program, "--db", archive, "-q", "export", view, "--raw-csv", "--out", folder / f"{view}.{ending}"]
        subprocess.run(command, check=True, timeout=300)
    values = read_archive(archive, view)
    names, rows = list(values), list(zip(*values.values()))
    with (folder / f"{view}.jsonl").open(encoding="utf-8") as lines:
        objects = [json.loads(line) for line in lines]
    assert all(list(line) == names for line in objects), view
    order = lambda row: [(value is not None, str(value)) for value in row]
    of_json = sorted((tuple(line.values()) for line in objects), key=order)
    assert of_json == sorted((tuple(map(text_of, row)) for row in rows), key=order), view
    csv.field_size_limit(1 << 30)
    with (folder / f"{view}.csv").open(encoding="utf-8", newline="") as lines:
        header, *cells = csv.reader(lines)
    assert header == names and len(cells) == len(rows), view
    assert all(len(row) == len(names) for row in cells), view


def main():
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True)
    archives = [make_demo(program, folder / "demo"), make_hostile(program, folder / "hostile")]
    columns, rows = 0, {}
    for archive in archives:
        to = archive.parent / "export"
        subprocess.run([program, "--db", archive, "-q", "export", "--out-dir", to], check=True, timeout=300)
        connection = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
        views = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
        connection.close()
        assert {path.name for path in to.iterdir()} == {f"{view}.parquet" for view in views}
        for view in views:
            columns += check_parquet(to, archive, view)
            check_texts(program, archive, to, view)
            count = duckdb.sql(f"SELECT count(*) FROM '{to / view}.parquet'").fetchone()[0]
            rows[view] = rows.get(view, 0) + count
    print(f"exports: {columns} columns of {len(rows)} views agree in DuckDB, pandas and SQLite; rows: {rows}")
    if len(rows) < 11 or not all(rows.values()):
        sys.exit("a view had no rows to compare")


main()
