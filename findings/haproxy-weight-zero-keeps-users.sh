#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 12).
#
# Guess: a server with the weight 0 gets no requests.
#
# Really: it gets no new users. Those whom a cookie or a stick table leads to it go on to it, also while its every answer is a
# 500, and for as long as they keep the cookie. `set server … state maint` moves them.
#
# Matters: a rollback that sets the weight of the canary to 0 leaves everybody who was on it with the broken version, and
# the metrics, which see fewer and fewer of them, look better by the minute. Take the server out, or change the name of the
# cookie.
#
# Seen, of 20 requests each:
#   weight 100: 20 of the user's with a cookie to the canary, 10 of others
#   weight 0: 20 of the user's with a cookie to the canary, 0 of others
#   weight 0, by a stick table: 20 of the user's to the canary
#   state maint: 0 of the user's with a cookie to the canary, 0 of others
set -euo pipefail
. "$(dirname "$0")/lib/haproxy.sh"
with_haproxy 2.6.12-1+deb12u4 <<'PY'
import http.client
import http.server
import os
import socket
import subprocess
import threading
import time


class Version(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.name.encode()
        self.send_response(500 if self.server.name == "canary" else 200)
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


def get(path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def of_canary(path="/", **headers):
    return [get(path, headers) for _ in range(20)].count("canary")


def admin(command):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(control)
        connection.sendall(f"{command}\n".encode())
        answer = connection.recv(1000).decode().strip()
    assert not answer, answer


port, control, config = free(), os.path.join(os.environ["WORK"], "control"), os.path.join(os.environ["WORK"], "haproxy.cfg")
primary, canary = serve("primary"), serve("canary")
with open(config, "w") as file:
    file.write(f"""
global
  stats socket {control} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:{port}
  use_backend sticky if {{ path /sticky }}
  default_backend cookies
backend cookies
  cookie version insert indirect nocache
  server primary {primary} weight 100 cookie primary
  server canary {canary} weight 100 cookie canary
backend sticky
  stick-table type string size 1k
  stick on req.hdr(user)
  server primary {primary} weight 100
  server canary {canary} weight 100
""")
process = subprocess.Popen([os.environ["HAPROXY"], "-db", "-f", config], stderr=subprocess.DEVNULL)
seen = []


def tell(line):
    seen.append(line)
    print(line)


try:
    for _ in range(300):
        try:
            get("/", {})
            break
        except OSError:
            time.sleep(0.1)
    stuck = next(name for name in map(str, range(100)) if get("/sticky", {"user": name}) == "canary")
    tell(f"weight 100: {of_canary(Cookie='version=canary')} of the user's with a cookie to the canary, {of_canary()} of others")
    admin("set server cookies/canary weight 0")
    admin("set server sticky/canary weight 0")
    tell(f"weight 0: {of_canary(Cookie='version=canary')} of the user's with a cookie to the canary, {of_canary()} of others")
    tell(f"weight 0, by a stick table: {of_canary('/sticky', user=stuck)} of the user's to the canary")
    admin("set server cookies/canary state maint")
    tell(f"state maint: {of_canary(Cookie='version=canary')} of the user's with a cookie to the canary, {of_canary()} of others")
finally:
    process.terminate()
    process.wait()
assert seen == [
    "weight 100: 20 of the user's with a cookie to the canary, 10 of others",
    "weight 0: 20 of the user's with a cookie to the canary, 0 of others",
    "weight 0, by a stick table: 20 of the user's to the canary",
    "state maint: 0 of the user's with a cookie to the canary, 0 of others",
], "the behaviour has changed"
PY
