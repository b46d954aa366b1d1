"""Reads AuditEvent NDJSON into a table of seven columns with DuckDB, the columns said beforehand.

The requestor's name and the patient's are picked out of their lists, as any use of them must.
"""

import json
import sys
import time

import duckdb

NAMED = 'STRUCT(reference VARCHAR, identifier STRUCT("system" VARCHAR, "value" VARCHAR), display VARCHAR)'
COLUMNS = f"""{{
    id: 'VARCHAR', recorded: 'TIMESTAMPTZ', action: 'VARCHAR', outcome: 'JSON', source: 'JSON',
    agent: 'STRUCT(who {NAMED}, requestor BOOLEAN)[]',
    entity: 'STRUCT(what {NAMED}, role JSON)[]'
}}"""
TABLE = f"""
    CREATE TEMP TABLE events AS SELECT id, recorded, action, outcome, source,
        coalesce(who.reference, who.identifier."value", who.display) AS who,
        coalesce(patient.reference, patient.identifier."value") AS patient
    FROM (
        SELECT *, list_filter(agent, lambda a: a.requestor)[1].who AS who,
            list_filter(entity, lambda e: e.role IS NOT NULL)[1].what AS patient
        FROM read_ndjson($1, columns = {COLUMNS}))
"""

db = duckdb.connect()
db.execute("SET threads = 2")
start = time.perf_counter()
db.execute(TABLE, [sys.argv[1:]])
seconds = time.perf_counter() - start
(records,) = db.execute("SELECT count(*) FROM events").fetchone()
print(json.dumps({"records": records, "seconds": seconds, "version": duckdb.__version__}))
