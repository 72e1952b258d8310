#!/usr/bin/env bash
# Apache 2.4.71 (Debian 12), mod_proxy_balancer.
#
# Guess: a member that refuses one connection, as a pod does that is restarted, is tried again with the next requests, or
# after the ten seconds of nginx.
#
# Really: it gets nothing for 60 s, and its requests go to the other member, so that clients see 200 throughout. A member
# that answers 500 stays in.
#
# Matters: at a split of 50 to 50 a canary whose pod was started once more has no users for a minute, and a check over the
# last minute finds no values, or none but those from before. Give retry=1 for each member, and failonstatus if 5xx shall
# count too.
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1 libbrotli1 libjansson4 libnghttp2-14
WORK=$work PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$lib python3 - <<'PY' | tee "$work/seen"
import http.client
import http.server
import os
import socket
import subprocess
import threading
import time

from nginx_bed import Backend

work = os.environ["WORK"]
asked = []
modules = "mpm_event authz_core proxy proxy_http proxy_balancer lbmethod_byrequests slotmem_shm unixd".split()


def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def get(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


class Canary(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Apache:
    def __init__(self, canary):
        self.port = free()
        config = f"{work}/apache.conf"
        with open(config, "w") as file:
            for module in modules:
                path = f"{work}/usr/lib/apache2/modules/mod_{module}.so"
                if os.path.exists(path):  # the others are built in
                    file.write(f"LoadModule {module}_module {path}\n")
            file.write(f"""
ServerRoot {work}
ServerName test
PidFile {work}/apache.pid
DefaultRuntimeDir {work}
ErrorLog {work}/error.log
User nobody
Group nogroup
Listen 127.0.0.1:{self.port}
<Proxy balancer://web>
  BalancerMember http://{Backend(200)} loadfactor=50
  BalancerMember http://{canary} loadfactor=50
</Proxy>
ProxyPass / balancer://web/
""")
        self.process = subprocess.Popen([f"{work}/usr/sbin/apache2", "-f", config, "-DFOREGROUND"], stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


with Apache(Backend(500)) as apache:
    print("answers 500:", sorted(get(apache.port) for _ in range(20)).count(500), "of 20")
port = free()
with Apache(f"127.0.0.1:{port}") as apache:
    print("refuses:", {get(apache.port) for _ in range(4)})
    began = time.monotonic()
    threading.Thread(target=http.server.HTTPServer(("127.0.0.1", port), Canary).serve_forever, daemon=True).start()
    while not asked and time.monotonic() < began + 300:
        get(apache.port)
        time.sleep(0.5)
    away = time.monotonic() - began
    print("back after", "a minute" if 50 < away < 90 else f"{away:.0f} s")
PY
diff "$work/seen" - <<'END'
answers 500: 10 of 20
refuses: {200}
back after a minute
END
