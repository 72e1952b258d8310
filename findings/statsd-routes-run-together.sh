#!/usr/bin/env bash
# statsd 4.0.1 and datadog 0.56.0 (Python) and hot-shots 17.1.1 (JavaScript) write, statsd 0.9.0 (npm) reads.
#
# Guess: a counter that is named by its route, "GET /carts/:id", is one of its own, with some characters replaced.
#
# Really: the daemon takes what stands before the first colon for the name, and the Python clients leave the colon as it
# is: every route below /carts/ is GET_-carts-, while braces, as in /carts/{id}, are dropped: GET_-carts-id. hot-shots
# writes an underscore for the colon.
#
# Matters: the failures of one route are added to the requests of all that share its beginning, so that a canary that
# fails on each checkout has a success rate of 99 %; and a rewrite in another language counts under another name. Name
# routes by letters, digits and dots.
#
# Seen, what the daemon holds: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/node"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work/node" statsd@0.9.0 >"$work/npm.log"
read -r port admin < <(python3 - <<'PY'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets, socket.create_server(("127.0.0.1", 0)) as admin:
    packets.bind(("127.0.0.1", 0))
    print(packets.getsockname()[1], admin.getsockname()[1])
PY
)
echo "{port: $port, mgmt_port: $admin, address: '127.0.0.1', mgmt_address: '127.0.0.1', flushInterval: 600000, backends: []}" \
  >"$work/config.js"
node "$work/node/node_modules/statsd/stats.js" "$work/config.js" >"$work/out" 2>&1 &
daemon=$!
export PORT=$port ADMIN=$admin
: >"$work/seen"
with_python statsd==4.0.1 datadog==0.56.0 <<'PY'
import os, socket, time
import statsd
from datadog.dogstatsd import DogStatsd

port, admin = int(os.environ["PORT"]), int(os.environ["ADMIN"])
deadline = time.monotonic() + 30
while True:
    try:
        socket.create_connection(("127.0.0.1", admin)).close()
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
plain = statsd.StatsClient("127.0.0.1", port, prefix="python")
dog = DogStatsd("127.0.0.1", port, namespace="datadog", disable_telemetry=True, disable_buffering=True)
for route in ("GET /carts/:id", "GET /carts/:id/checkout", "GET /carts/:user", "GET /carts/{id}"):
    plain.incr(route)
    dog.increment(route)
PY
with_node hot-shots@17.1.1 <<'JS'
import net from "node:net";
import StatsD from "hot-shots";

const client = new StatsD({ host: "127.0.0.1", port: Number(process.env.PORT), prefix: "javascript.", maxBufferSize: 0 });
for (const route of ["GET /carts/:id", "GET /carts/:id/checkout", "GET /carts/:user", "GET /carts/{id}"]) client.increment(route);
const ask = () =>
  new Promise((resolve) => {
    let text = "";
    const socket = net.connect(Number(process.env.ADMIN), "127.0.0.1", () => socket.write("counters\n"));
    socket.on("data", (data) => (text += data).includes("END") && (socket.destroy(), resolve(text)));
  });
const counters = (text) => [...text.matchAll(/'((?:python|datadog|javascript)\.[^']*)': (\d+)/g)].map(([, name, n]) => `${name} ${n}`);
const deadline = Date.now() + 30_000;
while (counters(await ask()).reduce((sum, line) => sum + Number(line.split(" ").pop()), 0) < 12 && Date.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
for (const line of counters(await ask()).sort()) console.log(line);
client.close();
JS
expect <<'END'
datadog.GET_-carts- 3
datadog.GET_-carts-id 1
javascript.GET_-carts-_id 1
javascript.GET_-carts-_id-checkout 1
javascript.GET_-carts-_user 1
javascript.GET_-carts-id 1
python.GET_-carts- 3
python.GET_-carts-id 1
END
