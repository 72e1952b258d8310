#!/usr/bin/env bash
# Prometheus 2.42.0 (Debian 12).
#
# Guess: `ALERTS` has a series for each alert that fires; one with `for: 10m` appears after ten minutes.
#
# Really: it is there with alertstate="pending" from the first evaluation at which the expression holds.
#
# Matters: `count(ALERTS{severity="critical"})` with max: 0, as a metric of a Canary or a gate, rolls a release back for an
# alert that nobody is told of and that is over a minute later: `for` is without effect there. Ask for alertstate="firing".
#
# Seen, three seconds after the expressions began to hold: see `diff` below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack prometheus=2.42.0+ds-5+deb12u1
cat >"$work/prometheus.yml" <<END
global: {evaluation_interval: 1s}
rule_files: [rules.yml]
END
cat >"$work/rules.yml" <<END
groups:
- name: all
  rules:
  - {alert: AtOnce, expr: vector(1)}
  - {alert: AfterTenMinutes, expr: vector(1), for: 10m}
END
WORK="$work" python3 - <<'PY' | tee "$work/seen"
import json
import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request

work = os.environ["WORK"]
with socket.create_server(("127.0.0.1", 0)) as server:
    address = f"127.0.0.1:{server.getsockname()[1]}"
prometheus = subprocess.Popen(
    ["prometheus", f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/data", f"--web.listen-address={address}"],
    stderr=subprocess.DEVNULL,
)


def ask(query):
    with urllib.request.urlopen(f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": query})) as answer:
        return json.load(answer)["data"]["result"]


try:
    for _ in range(300):
        try:
            if ask('ALERTS{alertname="AtOnce"}'):
                break
        except OSError:
            pass
        time.sleep(0.1)
    time.sleep(3)
    for series in sorted(ask("ALERTS"), key=str):
        print(series["metric"]["alertname"], series["metric"]["alertstate"])
    for query in ("count(ALERTS)", 'count(ALERTS{alertstate="firing"})'):
        print(query, ask(query)[0]["value"][1])
finally:
    prometheus.terminate()
PY
diff "$work/seen" - <<'END'
AfterTenMinutes pending
AtOnce firing
count(ALERTS) 2
count(ALERTS{alertstate="firing"}) 1
END
