#!/usr/bin/env bash
# hot-shots 17.1.1 (JavaScript) and statsd 4.0.1 (Python) write, statsd 0.9.0 (npm) reads.
#
# Guess: gauge("spare", -5) sets the gauge to -5.
#
# Really: "-5|g" means "5 less than it is". hot-shots sends just that, so that the same value sent three times is -15. The
# Python client sends a 0 before it, in one packet, which gives -5.
#
# Matters: a metric that can be negative (spare capacity, a lag, a difference to the primary) runs away from a Node service
# for as long as it stays below zero, and a canary is judged by the number of its reports. Send it shifted by a
# constant.
#
# Seen, -5 sent three times:
#   hot-shots: -15
#   Python: -5
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true; rm -rf "$work"' EXIT
node_packages statsd@0.9.0 hot-shots@17.1.1
python_packages statsd==4.0.1

# Ports of the moment, for the daemon and its management.
read -r port admin < <(python3 - <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets, socket.create_server(("127.0.0.1", 0)) as admin:
    packets.bind(("127.0.0.1", 0))
    print(packets.getsockname()[1], admin.getsockname()[1])
PY
)
echo "{port: $port, mgmt_port: $admin, address: '127.0.0.1', mgmt_address: '127.0.0.1', flushInterval: 60000, backends: []}" \
  >"$work/config.js"
node "$work/node_modules/statsd/stats.js" "$work/config.js" >"$work/out" 2>&1 &
daemon=$!
cat >"$work/client.mjs" <<'JS'
import StatsD from "hot-shots";

const client = new StatsD({ host: "127.0.0.1", port: Number(process.env.PORT), protocol: "udp" });
for (let i = 0; i < 3; i++) client.gauge("javascript", -5);
client.close();
JS
PORT=$port ADMIN=$admin WORK=$work PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work/python" python3 - <<'PY'
import os
import re
import socket
import subprocess
import sys
import time

import statsd

port, admin, work = int(os.environ["PORT"]), int(os.environ["ADMIN"]), os.environ["WORK"]


def gauges():
    """What the daemon holds."""
    with socket.create_connection(("127.0.0.1", admin)) as connection:
        connection.sendall(b"gauges\n")
        text = b""
        while b"END" not in text:
            text += connection.recv(4096)
    return {name: float(value) for name, value in re.findall(r"'?(\w+)'?: (-?[\d.]+)", text.decode())}


deadline = time.monotonic() + 30
while True:
    try:
        gauges()
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
subprocess.run(["node", os.path.join(work, "client.mjs")], check=True, timeout=60)
client = statsd.StatsClient("127.0.0.1", port)
for _ in range(3):
    client.gauge("python", -5)
while len({"javascript", "python"} & set(gauges())) < 2 and time.monotonic() < deadline:
    time.sleep(0.1)
time.sleep(0.5)
seen = gauges()
print(f"hot-shots: {seen['javascript']:g}\nPython: {seen['python']:g}")
sys.exit((seen["javascript"], seen["python"]) != (-15, -5))
PY
