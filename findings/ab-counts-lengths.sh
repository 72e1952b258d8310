#!/usr/bin/env bash
# ab of Apache 2.4.71 (Debian 12).
#
# Guess: "Failed requests" counts the answers that are no success.
#
# Really: it counts those whose length differs from that of the first, whatever their status: of 20 times 500 with one
# message 0 have failed, of 20 times 200 with a counter in the body 10. The failures stand in a line of their own, which is
# not printed when there are none; the status of the command is 0 in each case.
#
# Matters: a webhook that looks for "Failed requests: 0" passes a canary that fails always, and fails a good one whose
# pages differ. Look for "Non-2xx responses", and give -l.
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack apache2-utils=2.4.71-1~deb12u1 libapr1 libaprutil1
serve <<'PY'
import itertools
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

count = itertools.count()


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"sorry" if self.path == "/fails" else b"hello" * (1 + next(count) % 2)
        self.send_response(500 if self.path == "/fails" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(server.server_port)
server.serve_forever()
PY
for path in fails works; do
  status=0
  ab -q -n 20 "http://127.0.0.1:$port/$path" >"$work/$path" || status=$?
  echo "$path: status $status,$(grep -E '^(Failed|Non-2xx)' "$work/$path" | sed 's/  */ /g' | paste -sd, )"
done | tee "$work/seen"
diff "$work/seen" - <<'END'
fails: status 0,Failed requests: 0,Non-2xx responses: 20
works: status 0,Failed requests: 10
END
