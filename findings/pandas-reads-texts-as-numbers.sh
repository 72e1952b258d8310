#!/usr/bin/env bash
# pandas 3.1.1 (Python), against polars 2.1.0 (Python).
#
# Guess: read_json keeps what is a text in JSON, as json.loads does.
#
# Really: a column of texts that all look like numbers becomes numbers: "1.10" is 1.1, "1e5" 100000, "007" 7 and "1_000"
# 1000. read_csv, which has to guess, also takes the namespaces null and NA for no value. dtype=False and
# keep_default_na=False have to be given.
#
# Matters: a report or a judge over runs groups the releases 1.1 and 1.10 as one version, and a commit of digits and one e
# as a number; whether it does depends on the other rows, since one text that is no number keeps the column. Values of
# Prometheus, which are meant as numbers, come right by chance.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pandas==3.1.1 polars==2.1.0 <<'PY'
import io
import pandas, polars

runs = b'[{"version": "1.10", "commit": "1e5", "build": "007"}, {"version": "1.1", "commit": "2e5", "build": "008"}]'
print("read_json:", pandas.read_json(io.BytesIO(runs)).to_dict("records"))
print("versions:", pandas.read_json(io.BytesIO(runs)).groupby("version").size().to_dict())
mixed = b'[{"version": "1.10"}, {"version": "1.1"}, {"version": "1.2-rc"}]'
print("with 1.2-rc beside:", pandas.read_json(io.BytesIO(mixed))["version"].tolist())
print("dtype=False:", pandas.read_json(io.BytesIO(runs), dtype=False)["version"].tolist())
print("polars:", polars.read_json(io.BytesIO(runs))["version"].to_list())
print("read_csv:", pandas.read_csv(io.StringIO("namespace,failed\nnull,1\nNA,2\nshop,3\n"))["namespace"].tolist())
PY
expect <<'END'
read_json: [{'version': 1.1, 'commit': 100000.0, 'build': 7}, {'version': 1.1, 'commit': 200000.0, 'build': 8}]
versions: {1.1: 2}
with 1.2-rc beside: ['1.10', '1.1', '1.2-rc']
dtype=False: ['1.10', '1.1']
polars: ['1.10', '1.1']
read_csv: [nan, nan, 'shop']
END
