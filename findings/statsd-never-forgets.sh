#!/usr/bin/env bash
# statsd 0.9.0 (npm): what has been sent once is sent on to Graphite with every flush, until it restarts.
#
# Guess: when a pod is gone its metrics end, and the series has no newer points.
#
# Really: a counter goes on as 0 and a gauge with its last value until the daemon restarts, unless deleteCounters and
# deleteGauges (or deleteIdleStats) are set.
#
# Matters: "no data" never happens behind StatsD. A canary that died, or never got a request, shows 0 errors and the last
# latency it reported, and passes. Let a check demand requests as well (a second metric with min: 1), or set
# deleteIdleStats.
#
# Seen, three flushes after the only packet:
#   kept: counter 0, gauge 7
#   deleteIdleStats: counter undefined, gauge undefined
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true; rm -rf "$work"' EXIT
node_packages statsd@0.9.0

# Ports of the moment, for the daemon and its management.
read -r port admin < <(python3 - <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets, socket.create_server(("127.0.0.1", 0)) as admin:
    packets.bind(("127.0.0.1", 0))
    print(packets.getsockname()[1], admin.getsockname()[1])
PY
)
# Each flush is one line of JSON.
mkdir "$work/backend"
cat >"$work/backend/index.js" <<'JS'
exports.init = (start, config, events) => {
  events.on('flush', (time, metrics) => console.log(JSON.stringify([metrics.counters.requests, metrics.gauges.latency])));
  return true;
};
JS

# flushes <more config>: the values in the third flush after the packet
flushes() {
  echo "{port: $port, mgmt_port: $admin, address: '127.0.0.1', mgmt_address: '127.0.0.1', flushInterval: 500,
    backends: ['$work/backend/index.js'] $1}" >"$work/config.js"
  : >"$work/out"
  node "$work/node_modules/statsd/stats.js" "$work/config.js" >"$work/out" 2>&1 &
  daemon=$!
  PORT=$port OUT=$work/out python3 - <<'PY'
import json
import os
import socket
import sys
import time


def lines():
    return [json.loads(line) for line in open(os.environ["OUT"]) if line.startswith("[") and line.endswith("\n")]


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("timed out after 30 s: " + open(os.environ["OUT"]).read())
        time.sleep(0.05)


until(lines)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.sendto(b"requests:5|c\nlatency:7|g", ("127.0.0.1", int(os.environ["PORT"])))
until(lambda: [5, 7] in lines())
until(lambda: len(lines()) > lines().index([5, 7]) + 3)
counter, gauge = ("undefined" if value is None else value for value in lines()[lines().index([5, 7]) + 3])
print(f"counter {counter}, gauge {gauge}")
PY
  kill "$daemon"
  wait "$daemon" || true
  daemon=
}

{ echo "kept: $(flushes '')"; echo "deleteIdleStats: $(flushes ', deleteIdleStats: true')"; } | tee "$work/seen"
diff "$work/seen" - <<'TXT'
kept: counter 0, gauge 7
deleteIdleStats: counter undefined, gauge undefined
TXT
