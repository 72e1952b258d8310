#!/usr/bin/env bash
# PyGithub 2.10.0 (Python).
#
# Guess: a POST that is answered with 502 is made once, and raises; a limit of requests raises as well, and timeout=10 ends
# each call soon.
#
# Really: it is made eleven times without a pause, and then raises RetryError of requests, which is no GithubException; a
# PATCH is made once. A call that is refused for too many requests waits ten times for as long as the server asks, an hour
# each if it says so, whatever the timeout.
#
# Matters: a server that answers 502 may have done its work: one dispatch of a release, or one comment, becomes eleven. A
# bot that opens gates stands still for hours. Give Github(retry=None), or a GithubRetry with max_rate_limit_wait.
#
# Seen, with a sleep that does not sleep: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python PyGithub==2.10.0 <<'PY'
import collections, http.server, json, logging, threading, time
import github

logging.disable(logging.CRITICAL)
asked = collections.Counter()


class Server(http.server.BaseHTTPRequestHandler):
    def answer(self):
        asked[self.command] += 1
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({"message": message}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
waits = []
time.sleep = waits.append
of = dict(base_url=f"http://127.0.0.1:{server.server_address[1]}", auth=github.Auth.Token("token"), timeout=10, lazy=True)


def told(what, call, **options):
    asked.clear()
    waits.clear()
    try:
        end = f"returns {call(github.Github(**of, **options).get_repo('team/shop'))}"
    except Exception as error:
        end = f"raises {type(error).__name__}"
    long = [round(wait) for wait in waits if wait > 1]
    print(f"{what}: {dict(asked)}, waits of {dict(collections.Counter(long))} seconds, {end}")


def dispatch(repository):
    return repository.create_repository_dispatch("release", {})


status, headers, message = 502, {}, "Bad Gateway"
told("dispatch, 502", dispatch)
told("dispatch, 502, retry=None", dispatch, retry=None)
told("branch, 502", lambda repository: repository.get_branch("main"))
told("edit, 502", lambda repository: repository.edit(description="x"))
status, headers, message = 403, {"Retry-After": "3600"}, "You have exceeded a secondary rate limit"
told("dispatch, 403 with Retry-After: 3600", dispatch)
PY
expect <<'END'
dispatch, 502: {'POST': 11}, waits of {} seconds, raises RetryError
dispatch, 502, retry=None: {'POST': 1}, waits of {} seconds, returns False
branch, 502: {'GET': 11}, waits of {} seconds, raises RetryError
edit, 502: {'PATCH': 1}, waits of {} seconds, raises GithubException
dispatch, 403 with Retry-After: 3600: {'POST': 11}, waits of {3600: 10} seconds, raises RetryError
END
