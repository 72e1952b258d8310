#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 12).
#
# Guess: req.hdr(user-agent) is the header as it was sent, and a condition and a value made of it see the same.
#
# Really: req.hdr cuts a header at its commas, and conditions look at each part. "Mozilla/5.0 (KHTML, like Gecko)
# Chrome/140" has no part that begins with Mozilla and names Chrome, so `-m reg ^Mozilla.*Chrome` never matches. A condition
# holds if any part or line does, a value (for a map, a log, another header) is the last: with "x-canary: yes, no" the
# condition says yes and the map gets no. The same for cookies: the condition takes any, the value the last.
#
# Matters: an A/B test by browser meets nobody, and one request is the canary's for one rule and the primary's for the next.
# Envoy, beside it, compares the whole line. Use req.fhdr, which does not cut, and one way to ask, condition or map.
#
# Seen, of the conditions `hdr yes`, `fhdr yes`, `hdr Chrome`, `fhdr Chrome`, `cookie yes`, and the values of header and
# cookie: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/haproxy.sh"
with_haproxy 2.6.12-1+deb12u4 <<'PY' | tee "$work/seen"
import os
import socket
import subprocess
import time

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
conditions = {
    "hdr-yes": "req.hdr(x-canary) yes",
    "fhdr-yes": "req.fhdr(x-canary) yes",
    "hdr-Chrome": "req.hdr(user-agent) -m reg ^Mozilla.*Chrome",
    "fhdr-Chrome": "req.fhdr(user-agent) -m reg ^Mozilla.*Chrome",
    "cookie-yes": "req.cook(v) yes",
}
rules = "\n".join(
    f"  http-request set-var(txn.v{number}) str('{name} ') if {{ {condition} }}"
    for number, (name, condition) in enumerate(conditions.items())
)
seen = "".join(f"%[var(txn.v{number})]" for number in range(len(conditions)))
config = os.path.join(os.environ["WORK"], "haproxy.cfg")
with open(config, "w") as file:
    file.write(f"""
defaults
  mode http
  timeout client 5s
frontend in
  bind 127.0.0.1:{port}
{rules}
  http-request return status 200 content-type text/plain lf-string "{seen}header=%[req.hdr(x-canary)] cookie=%[req.cook(v)]"
""")


def ask(line):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(f"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{line}\r\n\r\n".encode())
        answer = b""
        while part := client.recv(4096):
            answer += part
    return answer.decode().split("\r\n\r\n", 1)[1]


haproxy = subprocess.Popen([os.environ["HAPROXY"], "-db", "-f", config], stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for line in (
        "x-canary: yes",
        "x-canary: yes, no",
        "x-canary: no, yes",
        "user-agent: Mozilla/5.0 (KHTML, like Gecko) Chrome/140",
        "cookie: v=yes; v=no",
    ):
        print(line, "|", ask(line))
finally:
    haproxy.terminate()
    haproxy.wait()
PY
diff "$work/seen" - <<'END'
x-canary: yes | hdr-yes fhdr-yes header=yes cookie=
x-canary: yes, no | hdr-yes header=no cookie=
x-canary: no, yes | hdr-yes header=yes cookie=
user-agent: Mozilla/5.0 (KHTML, like Gecko) Chrome/140 | fhdr-Chrome header= cookie=
cookie: v=yes; v=no | cookie-yes header= cookie=no
END
