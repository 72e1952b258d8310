#!/usr/bin/env bash
# pandas 3.1.1 and numpy 2.3.5, against polars 2.1.0 and DuckDB 2.0.1 (Python).
#
# Guess: the failures of a window without a value are NaN, as its mean and its maximum are, or null as in SQL.
#
# Really: sum() of nothing, and of NaN alone, is 0 in pandas, in resample() and groupby() too, and by nansum of numpy; the
# sum of nulls is 0 in polars. mean() and max() are NaN. Only DuckDB gives null.
#
# Matters: a judge that adds up the failures of each minute and asks for `failures <= 5` takes the minutes in which the
# canary did not report for good ones, and promotes what had crashed. Give min_count=1, or ask count() first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pandas==3.1.1 numpy==2.3.5 polars==2.1.0 duckdb==2.0.1 <<'PY'
import duckdb, numpy, pandas, polars

times = pandas.to_datetime(["2026-01-01 00:00", "2026-01-01 00:03"])
minutes = pandas.Series([1.0, 2.0], times).resample("1min")
for name in ("sum", "mean", "max", "count"):
    print("pandas", name, "of each minute:", getattr(minutes, name)().tolist())
print("pandas sum with min_count=1:", minutes.sum(min_count=1).tolist())
gap = pandas.Series([numpy.nan, numpy.nan])
print("pandas sum of NaN:", gap.sum(), "mean", gap.mean(), "numpy nansum:", numpy.nansum(gap))
print("polars sum of nulls:", polars.Series([None, None], dtype=polars.Float64).sum())
print("DuckDB sum of nulls:", duckdb.execute("SELECT sum(x) FROM (VALUES (NULL::DOUBLE)) t(x)").fetchone()[0])
PY
expect <<'END'
pandas sum of each minute: [1.0, 0.0, 0.0, 2.0]
pandas mean of each minute: [1.0, nan, nan, 2.0]
pandas max of each minute: [1.0, nan, nan, 2.0]
pandas count of each minute: [1, 0, 0, 1]
pandas sum with min_count=1: [1.0, nan, nan, 2.0]
pandas sum of NaN: 0.0 mean nan numpy nansum: 0.0
polars sum of nulls: 0.0
DuckDB sum of nulls: None
END
