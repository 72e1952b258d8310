#!/usr/bin/env bash
# SQLite 3 of Python 3.11, DataFusion 55.0.0, against DuckDB 2.0.1 and Polars 2.1.0.
#
# Guess: `sum(failed) / count(*)` over a table of requests is the share of failures in each engine for SQL.
#
# Really: SQLite and DataFusion divide whole numbers as PostgreSQL does: it is 0 until every request fails. DuckDB and
# Polars give the fraction. `avg(failed)` is the same for all; 1 / 0 is NULL, an error or infinity.
#
# Matters: a judge that was tried out with DuckDB in a notebook and runs on another engine passes a canary that fails three
# requests of four. Write avg(failed), or 1.0 * sum(failed).
#
# Seen, for three failures of four: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python duckdb==2.0.1 datafusion==55.0.0 polars==2.1.0 numpy==2.3.5 <<'PY'
import sqlite3

import datafusion
import duckdb
import polars

sqlite, duck, fusion = sqlite3.connect(":memory:"), duckdb.connect(), datafusion.SessionContext()
make = "CREATE TABLE requests AS SELECT column1 AS failed FROM (VALUES (1), (1), (1), (0))"
sqlite.execute(make)
fusion.sql(make).collect()
duck.execute("CREATE TABLE requests AS SELECT failed FROM (VALUES (1), (1), (1), (0)) AS rows(failed)")
frames = polars.SQLContext(requests=polars.DataFrame({"failed": [1, 1, 1, 0]}))
engines = {
    "SQLite": lambda query: sqlite.execute(query).fetchone()[0],
    "DataFusion": lambda query: fusion.sql(query).to_pylist()[0]["share"],
    "DuckDB": lambda query: duck.execute(query).fetchone()[0],
    "Polars": lambda query: frames.execute(query).collect().item(),
}


def answer(engine, query):
    try:
        return engine(query)
    except Exception:
        return "refused"


for expression in ("sum(failed) / count(*)", "1.0 * sum(failed) / count(*)", "avg(failed)", "sum(failed) / 0"):
    print(expression, *(f"{name}: {answer(engine, f'SELECT {expression} AS share FROM requests')}" for name, engine in engines.items()))
PY
expect <<'END'
sum(failed) / count(*) SQLite: 0 DataFusion: 0 DuckDB: 0.75 Polars: 0.75
1.0 * sum(failed) / count(*) SQLite: 0.75 DataFusion: 0.75 DuckDB: 0.75 Polars: 0.7500000
avg(failed) SQLite: 0.75 DataFusion: 0.75 DuckDB: 0.75 Polars: 0.75
sum(failed) / 0 SQLite: None DataFusion: refused DuckDB: inf Polars: inf
END
