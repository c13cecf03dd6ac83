"""Asks the README's questions through other programs that read SQLite, and compares what they answer.

An archive is made by the program itself, from its simulated cloud on this machine. Python's sqlite3, pandas, Datasette and the
command-line program sqlite3 must all answer as `dcs-history sql -o json` does.

Usage: ask.py PROGRAM FOLDER, where FOLDER is a new one for the archive.
"""

import asyncio
import json
import math
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas
from datasette.app import Datasette

README = Path(__file__).parents[2] / "README.md"


def make_archive(program, folder):
    """Syncs two instances of the simulated cloud; one process is started, and ended by its own handle."""
    cloud = subprocess.Popen(
        [program, "simulate", "-q", "--speed", "0", "--dir", folder / "simulated"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ready = json.loads(cloud.stdout.readline())
        archive = folder / "history.db"
        command = [program, "--db", archive, "-q", "sync", "--endpoint", ready["endpoint"]]
        command += ["--project-id", ready["project_id"], "--token-file", ready["token_file"]]
        command += ["--instance", ",".join(ready["instances"][:2])]
        subprocess.run(command, check=True, timeout=120)
        return archive
    finally:
        cloud.terminate()
        cloud.wait(timeout=30)


def questions():
    """Returns the statements of the README's blocks of SQL."""
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sql\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    statements = [part for block in blocks for part in re.split(r"(?<=;)\n", block)]
    return [statement.strip() for statement in statements if statement.strip()]


def by_program(program, archive, sql):
    command = [program, "--db", archive, "sql", "-o", "json", "-"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def by_python(archive, sql):
    connection = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row)) for row in cursor]
    connection.close()
    return rows


def by_pandas(archive, sql):
    connection = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
    frame = pandas.read_sql_query(sql, connection)
    connection.close()
    return [
        {name: None if pandas.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def by_datasette(archive, sql):
    async def ask():
        datasette = Datasette([str(archive)], settings={"max_returned_rows": 100_000, "sql_time_limit_ms": 30_000})
        # A statement may not end with a semicolon there.
        query = {"sql": sql.rstrip(";"), "_shape": "array"}
        answer = await datasette.client.get(f"/{archive.stem}.json", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return asyncio.run(ask())


def by_sqlite3(archive, sql):
    command = ["sqlite3", "-readonly", "-batch", "-json", archive]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=True, timeout=60)
    # It prints nothing at all for no rows.
    return json.loads(done.stdout or "[]")


def same(one, other):
    """Compares two answers: pandas makes a number with a point of every one in a column that lacks some."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-12)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    return one == other


def main():
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True)
    if shutil.which("sqlite3") is None:
        sys.exit("the program sqlite3 is not installed")
    archive = make_archive(program, folder)
    clients = [by_python, by_pandas, by_datasette, by_sqlite3]
    asked, rows, failed = 0, 0, 0
    for sql in questions():
        expected = by_program(program, archive, sql)
        rows += len(expected)
        for client in clients:
            answer = client(archive, sql)
            asked += 1
            if not same(answer, expected):
                failed += 1
                print(f"{client.__name__} differs from `sql`:\n{sql}\n{answer[:3]}\n{expected[:3]}")
    print(f"SQL clients: {asked} answers compared, {rows} rows each, {failed} differ")
    if failed or asked < 12 * len(clients) or rows < 50:
        sys.exit(1)


main()
