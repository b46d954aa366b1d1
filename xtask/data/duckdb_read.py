"""Reads AuditEvent NDJSON to seven columns with DuckDB, explicit columns, and prints seconds."""

import sys
import time

import duckdb

PATHS = sys.argv[1:]
COLUMNS = """{
    id: 'VARCHAR', recorded: 'TIMESTAMPTZ', action: 'VARCHAR', outcome: 'JSON', source: 'JSON',
    agent: 'STRUCT(who STRUCT(reference VARCHAR, identifier STRUCT("system" VARCHAR, "value" VARCHAR), display VARCHAR), requestor BOOLEAN)[]',
    entity: 'STRUCT(what STRUCT(reference VARCHAR, identifier STRUCT("system" VARCHAR, "value" VARCHAR)))[]'
}"""

db = duckdb.connect()
db.execute("SET threads = 2")
start = time.perf_counter()
(count, _) = db.execute(
    f"""
    SELECT count(*), bit_xor(hash(id, recorded, action, outcome, source, who, patient)) FROM (
        SELECT id, recorded, action, outcome, source,
            coalesce(agent[1].who.reference, agent[1].who.identifier."value", agent[1].who.display) AS who,
            coalesce(entity[1].what.reference, entity[1].what.identifier."value") AS patient
        FROM read_ndjson($1, columns = {COLUMNS}, maximum_object_size = 16777216))
    """,
    [PATHS],
).fetchone()
print(f'{{"records": {count}, "seconds": {time.perf_counter() - start:.4f}, "version": "{duckdb.__version__}"}}')
