#!/usr/bin/env bash
# requests-cache 1.3.3 (Python).
#
# Guess: CachedSession() goes by Cache-Control of the answer, or keeps it for some minutes.
#
# Really: it keeps each answer for ever, whatever the headers say, no-store too, and in a file by default, so over
# restarts. Answers that are no 200 it does not keep. cache_control=True has to be asked for.
#
# Matters: a gate or a report in Python that puts it in to spare a metrics server sees the first value of each query until
# somebody deletes the file: a canary that is good at its first look is good for ever, since a query without a time is the
# same each time. Give expire_after, or none of it for what decides.
#
# Seen, the number that a server counts up, asked three times: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export work
with_python requests-cache==1.3.3 <<'PY'
import http.server, os, threading
import requests_cache

asked = 0


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global asked
        asked += 1
        self.send_response(500 if "failing" in self.path else 200)
        self.send_header("cache-control", "no-store, max-age=0")
        self.send_header("content-length", str(len(str(asked))))
        self.end_headers()
        self.wfile.write(str(asked).encode())

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
for settings in ({}, {"cache_control": True}):
    session = requests_cache.CachedSession(backend="memory", **settings)
    for path in ("/query", "/failing"):
        print(settings, path, [session.get(f"http://127.0.0.1:{server.server_address[1]}{path}").text for _ in range(3)])
print("backend by default:", type(requests_cache.CachedSession(os.environ["work"] + "/cache").cache).__name__)
PY
expect <<'END'
{} /query ['1', '1', '1']
{} /failing ['2', '3', '4']
{'cache_control': True} /query ['5', '6', '7']
{'cache_control': True} /failing ['8', '9', '10']
backend by default: SQLiteCache
END
