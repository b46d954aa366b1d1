"""Loads simulated look-ups into DuckDB or ClickHouse (chDB), twice: by reader and by patient; asks both.

arguments: duckdb|clickhouse, file of rows (moment, reader, patient, host, source, kind as numbers), file of
questions with their right answers, folder to fill. Prints one line of JSON.
"""

import json
import os
import sys
import time

engine, rows, questions, folder = sys.argv[1:]
with open(questions, encoding="utf-8") as file:
    asked = json.load(file)

COLUMNS = ["moment", "reader", "patient", "host", "source", "resource"]

if engine == "duckdb":
    import duckdb

    version = duckdb.__version__
    db = duckdb.connect(os.path.join(folder, "rows.db"))
    db.execute("SET threads = 2")
    kinds = ", ".join(f"'{column}': '{'BIGINT' if column == 'moment' else 'UINTEGER'}'" for column in COLUMNS)
    source = f"read_csv('{rows}', header = false, columns = {{{kinds}}})"

    def load(name, first):
        db.execute(f"CREATE TABLE {name} AS SELECT * FROM {source} ORDER BY {first}, moment")

    def flush():
        db.execute("CHECKPOINT")

    def ask(sql):
        return len(db.execute(sql).fetchall())

else:
    import chdb
    from chdb import session

    version = chdb.__version__
    db = session.Session(folder)
    db.query("SET max_threads = 2")
    db.query("CREATE DATABASE peers ENGINE = Atomic")
    db.query("USE peers")
    kinds = ", ".join(f"{column} {'Int64' if column == 'moment' else 'UInt32'}" for column in COLUMNS)

    def load(name, first):
        db.query(f"CREATE TABLE {name} ({kinds}) ENGINE = MergeTree ORDER BY ({first}, moment)")
        db.query(f"INSERT INTO {name} SELECT * FROM file('{rows}', CSV, '{kinds}')")

    def flush():
        pass

    def ask(sql):
        return len(db.query(sql, "CSV").bytes().splitlines())


def scope(readers, to):
    where = f"reader IN ({', '.join(map(str, readers))}) AND moment >= {asked['from']} AND moment < {to}"
    return f"SELECT patient, min(moment), max(moment), count(*) FROM by_reader WHERE {where} GROUP BY patient"


def readers_of(patient):
    where = f"patient = {patient} AND moment >= {asked['from']} AND moment < {asked['to']}"
    return f"SELECT reader, min(moment), max(moment), count(*) FROM by_patient WHERE {where} GROUP BY reader"


def timed(sqls):
    """Milliseconds of each, after all have been asked once; the answers must be right."""
    for sql, right in sqls:
        found = ask(sql)
        if found != right:
            sys.exit(f"{engine} finds {found}, bavn {right}: {sql}")
    taken = []
    for sql, _ in sqls:
        start = time.perf_counter()
        ask(sql)
        taken.append((time.perf_counter() - start) * 1e3)
    return sorted(taken)[len(taken) // 2]


start = time.perf_counter()
load("by_reader", "reader")
load("by_patient", "patient")
flush()
loaded = time.perf_counter() - start
size = sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)
print(
    json.dumps(
        {
            "version": version,
            "load_seconds": loaded,
            "bytes": size,
            "scope_ms": timed([(scope(readers, asked["part_to"]), right) for readers, right in asked["scope"]]),
            "readers_ms": timed([(readers_of(patient), right) for patient, right in asked["readers"]]),
            "union_ms": timed([(scope(readers, asked["to"]), right) for readers, right in asked["union"]]),
        }
    )
)
