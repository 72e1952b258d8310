#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 12), its own Prometheus exporter: what a server does not answer is in no response code of it.
#
# Guess: haproxy_server_http_responses_total{server="canary",code="5xx"} counts what clients got as 5xx from the canary.
#
# Really: it has what the server itself answered. Connections that it refuses (503 for the client) or breaks off (502)
# and requests that it does not answer in time (504) are in the backend's 5xx alone, where primary and canary are one,
# and in haproxy_server_connection_errors_total and haproxy_server_response_errors_total. Envoy has 503 and 504 at the
# cluster.
#
# Matters: the success rate of a canary by server is 100 %, or "no values found", while it is down, crashes or hangs.
# Subtract the two error counters as well.
#
# Seen, one request each:
#   answers_503: client 503, server 5xx 1, backend 5xx 1, errors 0
#   breaks_off: client 502, server 5xx 0, backend 5xx 1, errors 1
#   hangs: client 504, server 5xx 0, backend 5xx 1, errors 1
#   refuses: client 503, server 5xx 0, backend 5xx 1, errors 1
set -euo pipefail
. "$(dirname "$0")/lib/haproxy.sh"
with_haproxy 2.6.12-1+deb12u4 <<'PY'
import http.client
import os
import re
import socket
import subprocess
import time

from nginx_bed import Backend


def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


servers = {"answers_503": Backend(503), "breaks_off": Backend(None), "hangs": Backend(200, delay=3), "refuses": f"127.0.0.1:{free()}"}
port, exporter = free(), free()
config = os.path.join(os.environ["WORK"], "haproxy.cfg")
with open(config, "w") as file:
    file.write(f"""
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 30s
  timeout server 1s
frontend in
  bind 127.0.0.1:{port}
  use_backend %[path,word(1,/)]
frontend metrics
  bind 127.0.0.1:{exporter}
  http-request use-service prometheus-exporter
""")
    for name, at in servers.items():
        file.write(f"backend {name}\n  server canary {at}\n")
process = subprocess.Popen([os.environ["HAPROXY"], "-db", "-f", config], stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            get(exporter, "/metrics")
            break
        except OSError:
            time.sleep(0.1)
    clients = {name: get(port, f"/{name}")[0] for name in servers}
    page = get(exporter, "/metrics")[1]
finally:
    process.terminate()
    process.wait()


def value(metric, name):
    return sum(int(count) for labels, count in re.findall(rf"^haproxy_{metric}{{(.*)}} (\d+)$", page, re.M)
               if f'proxy="{name}"' in labels and ('code="5xx"' in labels or "code=" not in labels))


seen = {}
for name in servers:
    errors = value("server_connection_errors_total", name) + value("server_response_errors_total", name)
    seen[name] = (clients[name], value("server_http_responses_total", name), value("backend_http_responses_total", name), errors)
    print("{}: client {}, server 5xx {}, backend 5xx {}, errors {}".format(name, *seen[name]))
assert seen == {"answers_503": (503, 1, 1, 0), "breaks_off": (502, 0, 1, 1), "hangs": (504, 0, 1, 1), "refuses": (503, 0, 1, 1)}, \
    "the behaviour has changed"
PY
