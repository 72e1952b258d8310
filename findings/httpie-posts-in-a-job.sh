#!/usr/bin/env bash
# httpie 3.2.4 (Python).
#
# Guess: `http URL` asks with GET, and its exit status tells of a 500, as that of `curl --fail` does.
#
# Really: that is so at a terminal only. Where standard input is anything else, /dev/null and an empty pipe too, it is
# taken for the body: the request is a POST with `content-type: application/json`. The exit status is 0 for 500 and for 302.
#
# Matters: a Job, a webhook or a step of CI that was tried out by hand does something else in the cluster: it writes, or
# is answered 405, which is status 0 as well. Give --ignore-stdin and --check-status.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python httpie==3.2.4 <<'PY'
import http.server
import os
import subprocess
import sys
import threading


class Answers(http.server.BaseHTTPRequestHandler):
    def answer(self):
        asked.append(self.command)
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


asked = []
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
for status, *options in [(200,), (500,), (302,), (200, "--ignore-stdin"), (500, "--ignore-stdin", "--check-status")]:
    command = [sys.executable, "-m", "httpie", *options, f"http://127.0.0.1:{server.server_port}/{status}"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=os.environ)
    print(*options, f"{asked.pop()} answered by {status}: exit status {ended.returncode}")
PY
expect <<'END'
POST answered by 200: exit status 0
POST answered by 500: exit status 0
POST answered by 302: exit status 0
--ignore-stdin GET answered by 200: exit status 0
--ignore-stdin --check-status GET answered by 500: exit status 5
END
