#!/usr/bin/env bash
# curl 7.88.1 (Debian 12).
#
# Guess: `curl -f` of two addresses fails if one of them answers 500, and of one that answers 302 since that is no success.
#
# Really: the status is that of the last transfer: 500 and then 200 is 0, the other way round 22. --next and ranges like
# [1-3] are no different; --fail-early ends at the first failure, and -Z, which asks all at once, fails for any of them. A
# redirect is a success unless it is followed (-L).
#
# Matters: a Job or webhook of a canary that runs `curl -f $url/healthz $url/checkout $url/version` goes by the version
# only, and one that asks a page behind a login passes while each request is sent to the login. Give --fail-early and -L.
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15
serve <<'PY'
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(self.path[1:4])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/500")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(server.server_port)
server.serve_forever()
PY
url=http://127.0.0.1:$port
while read -r arguments; do
  status=0
  # shellcheck disable=SC2086 # several words
  curl -s ${arguments//@/"$url"} >/dev/null 2>&1 || status=$?
  echo "curl $arguments: $status"
done <<'END' | tee "$work/seen"
-f @/500
-f @/500 @/200
-f @/200 @/500
-f @/[500-503] @/200
-f @/500 --next -f @/200
-f --fail-early @/500 @/200
-f -Z @/500 @/200
-f @/302
-f -L @/302
END
diff "$work/seen" - <<'END'
curl -f @/500: 22
curl -f @/500 @/200: 0
curl -f @/200 @/500: 22
curl -f @/[500-503] @/200: 0
curl -f @/500 --next -f @/200: 0
curl -f --fail-early @/500 @/200: 22
curl -f -Z @/500 @/200: 22
curl -f @/302: 0
curl -f -L @/302: 22
END
