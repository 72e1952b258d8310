#!/usr/bin/env bash
# polars 2.1.0 and DuckDB 2.0.1, against pandas 3.1.1 (Python).
#
# Guess: NaN >= 99 is false, as in every programming language, so that 0 / 0 passes no limit.
#
# Really: for polars and DuckDB NaN is greater than every number: `rate >= 99` holds for it, and a filter by it keeps it.
# The largest value of a column with NaN is NaN for DuckDB, the largest number for polars and pandas.
#
# Matters: a judge in a Job or a webhook that keeps its measurements in a table passes a canary without traffic by
# `success >= 99`; the same judge written for pandas fails it. Limits from above (`errors <= 1`) fail in all three. Leave NaN
# out first: is_not_nan(), isnan().
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python polars==2.1.0 duckdb==2.0.1 pandas==3.1.1 <<'PY'
import duckdb
import pandas
import polars

good, all_of_them = [50.0, 0.0, 999.0], [100.0, 0.0, 1000.0]

table = polars.DataFrame({"good": good, "all": all_of_them}).select((100 * polars.col("good") / polars.col("all")).alias("rate"))
print("polars: rate", table["rate"].to_list())
print("polars: >= 99", table.filter(polars.col("rate") >= 99)["rate"].to_list())
print("polars: max", table["rate"].max())

rows = "(SELECT unnest([0.5::DOUBLE, 'nan', 0.999]) * 100 AS rate)"
print("DuckDB: >= 99", [rate for rate, in duckdb.sql(f"SELECT rate FROM {rows} WHERE rate >= 99").fetchall()])
print("DuckDB: <= 99", [rate for rate, in duckdb.sql(f"SELECT rate FROM {rows} WHERE rate <= 99").fetchall()])
print("DuckDB: max", duckdb.sql(f"SELECT max(rate) FROM {rows}").fetchall()[0][0])

rates = 100 * pandas.Series(good) / pandas.Series(all_of_them)
print("pandas: >= 99", rates[rates >= 99].tolist())
print("pandas: max", rates.max())
PY
expect <<'END'
polars: rate [50.0, nan, 99.9]
polars: >= 99 [nan, 99.9]
polars: max 99.9
DuckDB: >= 99 [nan, 99.9]
DuckDB: <= 99 [50.0]
DuckDB: max nan
pandas: >= 99 [99.9]
pandas: max 99.9
END
