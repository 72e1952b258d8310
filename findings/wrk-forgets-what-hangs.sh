#!/usr/bin/env bash
# wrk 4.1.0 (Debian 12).
#
# Guess: a request that gets no answer within --timeout is counted as a time-out; and where all requests fail, the status
# of the command says so.
#
# Really: a time-out is counted when the late answer comes. A request that is never answered is in no number at all: not
# among the requests, the errors or the latencies. Its connection is lost for the rest of the test. The status is 0, also
# where every answer is a 500.
#
# Matters: of a canary that hangs, wrk reports the requests before that and their good p99, and the webhook passes. Compare
# the number of requests with a floor, and look for "Non-2xx".
#
# Seen: see `expect` below. The server answers the first request of a connection and keeps the second waiting.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack wrk=4.1.0-3+b2 libluajit-5.1-2 libluajit-5.1-common
serve <<'PY'
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.asked = 0

    def do_GET(self):
        self.asked += 1
        if self.asked == 2 and self.path == "/hangs":
            time.sleep(60)
        self.send_response(500 if self.path == "/fails" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
server.daemon_threads = True
print(server.server_port)
server.serve_forever()
PY
for path in hangs fails; do
  status=0
  wrk --threads 1 --connections 1 --duration 4s --timeout 1s --latency "http://127.0.0.1:$port/$path" >"$work/$path" || status=$?
  echo "$path: status $status, time-outs told: $(grep -c timeout "$work/$path" || true), failures told: $(grep -c Non-2xx "$work/$path" || true)"
done | tee "$work/seen"
grep -o '[0-9]* requests in' "$work/hangs" | tee -a "$work/seen"
diff "$work/seen" - <<'END'
hangs: status 0, time-outs told: 0, failures told: 0
fails: status 0, time-outs told: 0, failures told: 1
1 requests in
END
