#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 12).
#
# Guess: `acl canary rand(100) lt 50` is one decision for a request, so that a header that is set `if canary` and the
# backend that is chosen `if canary` agree.
#
# Really: the number is drawn anew at each line that names the ACL, for `unless` too. Of eight requests three go where their
# header says, three to the other version, and two have no header, although both cases are covered. A variable that is set
# once agrees.
#
# Matters: logs, cookies and metrics by that header give the canary's failures to the primary and the reverse: both sides
# look the same, whatever the canary does, and a sticky cookie sends users to the other version. Set a variable first, and
# make the ACL of it.
#
# Seen, of 1000 requests at 50 %, give or take 60:
#   drawn in the ACL: agree 375, differ 375, without header 250
#   drawn once: agree 1000, differ 0, without header 0
set -euo pipefail
. "$(dirname "$0")/lib/haproxy.sh"
with_haproxy 2.6.12-1+deb12u4 <<'PY'
import collections
import http.client
import http.server
import os
import socket
import subprocess
import threading
import time


class Version(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.headers.get('x-version')} to {self.server.name}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(name):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Version)
    server.name = name
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def get(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


ports = {"drawn in the ACL": free(), "drawn once": free()}
decisions = {"drawn in the ACL": "acl canary rand(100) lt 50", "drawn once": "http-request set-var(txn.draw) rand(100)\n  acl canary var(txn.draw) -m int lt 50"}
frontends = "".join(
    f"""
frontend {name.replace(" ", "-")}
  bind 127.0.0.1:{port}
  {decisions[name]}
  http-request set-header x-version canary if canary
  http-request set-header x-version primary unless canary
  use_backend canary if canary
  default_backend primary
"""
    for name, port in ports.items()
)
configuration = os.environ["WORK"] + "/haproxy.cfg"
with open(configuration, "w") as file:
    file.write(f"""
defaults
  mode http
  timeout connect 30s
  timeout client 30s
  timeout server 30s
{frontends}
backend canary
  server one {serve("canary")}
backend primary
  server one {serve("primary")}
""")
haproxy = subprocess.Popen([os.environ["HAPROXY"], "-f", configuration], stderr=subprocess.DEVNULL)
try:
    for port in ports.values():
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
    for name, port in ports.items():
        counts = collections.Counter(get(port) for _ in range(1000))
        agree = counts["canary to canary"] + counts["primary to primary"]
        none = counts["None to canary"] + counts["None to primary"]
        print(f"{name}: agree {agree}, differ {1000 - agree - none}, without header {none}", flush=True)
        if name == "drawn once":
            assert agree == 1000, counts
        else:
            assert 315 < agree < 435 and 190 < none < 310, counts
finally:
    haproxy.terminate()
PY
