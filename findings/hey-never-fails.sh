#!/usr/bin/env bash
# github.com/rakyll/hey v0.1.5, the load generator of Flagger's examples: it never ends with an error, and sends other
# numbers of requests than asked for.
#
# Guess: a load test in which not one request got an answer ends with a status other than 0; -n 50 -c 40 is 50 requests;
# -q 5 is 5 requests per second.
#
# Really: connection refused for all, or 500 for all, is status 0. Each of c workers sends n/c requests, rounded down: 40
# of 50. -q is per worker: -q 5 -c 4 is 20 per second.
#
# Matters: a webhook of type pre-rollout or rollout that runs hey passes whatever the canary answers: it is load, no
# check. And -q 10 -c 10 is ten times the traffic that was meant.
#
# Seen:
#   refused: status 0
#   -n 50 -c 40: status 0, 40 requests, all answered by 500
#   -z 3s -q 5 -c 4: more than 30 requests
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
GOBIN="$work" go install github.com/rakyll/hey@v0.1.5 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
python3 - "$work/hey" <<'PY'
import http.server
import socket
import socketserver
import subprocess
import sys
import threading

asked = []


class Failing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(self.path)
        self.send_response(500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


def hey(port, *options):
    """The exit status, and how many requests arrived."""
    asked.clear()
    done = subprocess.run([sys.argv[1], *options, f"http://127.0.0.1:{port}/"], capture_output=True)
    return done.returncode, len(asked)


server = Server(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as closed:
    closed_port = closed.getsockname()[1]

refused, _ = hey(closed_port, "-n", "50", "-c", "40")
failing, sent = hey(server.server_address[1], "-n", "50", "-c", "40")
_, paced = hey(server.server_address[1], "-z", "3s", "-q", "5", "-c", "4")
print(f"refused: status {refused}")
print(f"-n 50 -c 40: status {failing}, {sent} requests, all answered by 500")
print(f"-z 3s -q 5 -c 4: {'more than' if paced > 30 else 'at most'} 30 requests")
sys.exit((refused, failing, sent, paced > 30) != (0, 0, 40, True))
PY
