#!/usr/bin/env bash
# Alertmanager 0.28.1.
#
# Guess: a rollback that follows another one by minutes is a second notification, or at least the end of the first is told;
# the text of an alert that changes is sent; an alert that has ended when it arrives, as an event would, is sent once.
#
# Really: at the end of each group_interval the state is compared with the last one that was told, and nothing else is.
# An alert that ended and fired again within it is the old one: no "resolved", no second "firing", with repeat_interval
# as the next time, four hours by default. Annotations do not count. An alert that ends within group_wait, or had ended
# when it was posted, is answered with 200 and never told.
#
# Matters: two rollbacks of one Canary within five minutes (group_interval by default) are one message, with the reason of
# the first; one of less than 30 s (group_wait) is none. Put the revision into a label, or send events by a webhook.
#
# Seen: see `expect` below. group_wait is 3 s, group_interval 10 s, and each app has its group.
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
mkdir "$work/build"
(cd "$work/build" && export GOFLAGS=-mod=mod && go mod init build && go get github.com/prometheus/alertmanager/cmd/alertmanager@v0.28.1 &&
  CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$work/alertmanager" github.com/prometheus/alertmanager/cmd/alertmanager) >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }
cat >"$work/bed.py" <<'PY'
import datetime
import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

work = os.environ["WORK"]
told = {}


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]:
            told.setdefault(alert["labels"]["app"], []).append(f"{alert['status']} {alert['annotations']['text']}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hook.serve_forever, daemon=True).start()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with open(f"{work}/config.yml", "w") as config:
    config.write(
        "route: {receiver: hook, group_by: [app], group_wait: 3s, group_interval: 10s}\n"
        f"receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{hook.server_port}/'}}]}}]\n"
    )
options = [f"--config.file={work}/config.yml", f"--storage.path={work}/data", "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"]
server = subprocess.Popen([f"{work}/alertmanager", *options], stderr=open(f"{work}/server.log", "w"))
try:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready")
            break
        except OSError:
            time.sleep(0.1)

    def post(app, text, ended=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        alert = {"labels": {"alertname": "RolledBack", "app": app}, "annotations": {"text": text}}
        alert["startsAt"] = (now - datetime.timedelta(seconds=1 if ended else 0)).isoformat()
        if ended:
            alert["endsAt"] = now.isoformat()
        body = json.dumps([alert]).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2/alerts", body, {"Content-Type": "application/json"})
        return urllib.request.urlopen(request).status

    begin = time.monotonic()

    def at(second):
        time.sleep(max(0, begin + second - time.monotonic()))

    for app in ("again at once", "again later", "other text", "short"):
        post(app, "1.1")
    print("an event that has ended:", post("event", "1.1", ended=True))
    at(1)
    post("short", "1.1", ended=True)
    at(5)
    post("again at once", "1.1", ended=True)
    post("again later", "1.1", ended=True)
    at(8)
    post("again at once", "1.2")
    post("other text", "1.2")
    at(17)
    post("again later", "1.2")
    at(32)
    for app in ("again at once", "again later", "other text", "short", "event"):
        print(f"{app}: {', '.join(told.get(app, ['nothing']))}")
finally:
    server.terminate()
    server.wait()
PY
WORK="$work" PYTHONDONTWRITEBYTECODE=1 python3 "$work/bed.py" | tee "$work/seen"
diff "$work/seen" - <<'END'
an event that has ended: 200
again at once: firing 1.1
again later: firing 1.1, resolved 1.1, firing 1.2
other text: firing 1.1
short: nothing
event: nothing
END
