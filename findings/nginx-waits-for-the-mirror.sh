#!/usr/bin/env bash
# nginx 1.22.1-9+deb12u11 (Debian 12): on a connection that is kept alive, the next request waits for the mirror of the
# last one.
#
# Guess: `mirror` is fire and forget: the answer of the copy is dropped, so users never feel how slow the copy is.
#
# Really: the answer itself is not delayed, but the request counts as under way until the mirrored one has ended, and
# nginx reads the next request of the connection only then.
#
# Matters: mirroring to a slow canary slows down everybody who reuses connections, which is every browser and every pool:
# the primary's users pay for the canary, and no metric of primary or canary shows it. Set short proxy timeouts for the
# mirrored location, and measure at the clients. (ingress-nginx's mirror-target is this directive.)
#
# Seen, with a mirror that takes 4 s:
#   first request: at once
#   next request of the connection, not mirrored: after 4 s
#   the same on a new connection: at once
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root nginx=1.22.1-9+deb12u11 && dpkg-deb -x nginx_*.deb .)
python3 - "$work" <<'PY'
import http.client
import http.server
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time

folder = sys.argv[1]
DELAY = 4


class Backend(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, delay):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                time.sleep(delay)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


fast, slow = Backend(0).server_address[1], Backend(DELAY).server_address[1]
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
with open(f"{folder}/nginx.conf", "w") as conf:
    conf.write(f"""
daemon off; worker_processes 1; pid {folder}/pid; events {{}}
http {{
  access_log off; {paths}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{fast}; }}
    location /mirrored {{ mirror /copy; proxy_pass http://127.0.0.1:{fast}; }}
    location = /copy {{ internal; proxy_pass http://127.0.0.1:{slow}; }}
  }}
}}
""")


def took(connection, path):
    began = time.monotonic()
    connection.request("GET", path)
    connection.getresponse().read()
    return time.monotonic() - began


nginx = subprocess.Popen([f"{folder}/usr/sbin/nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"])
try:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            if nginx.poll() is not None or time.monotonic() > deadline:
                sys.exit(open(f"{folder}/error.log").read())
            time.sleep(0.05)
    kept = http.client.HTTPConnection("127.0.0.1", port)
    first, following = took(kept, "/mirrored"), took(kept, "/")
    took(http.client.HTTPConnection("127.0.0.1", port), "/mirrored")
    another = took(http.client.HTTPConnection("127.0.0.1", port), "/")
finally:
    nginx.terminate()
    nginx.wait()

say = lambda seconds: f"after {DELAY} s" if seconds > DELAY / 2 else "at once"
seen = [say(first), say(following), say(another)]
for what, when in zip(("first request", "next request of the connection, not mirrored", "the same on a new connection"), seen):
    print(f"{what}: {when}")
sys.exit(seen != ["at once", f"after {DELAY} s", "at once"])
PY
