#!/usr/bin/env bash
# pm2 7.0.4, npm of Node 20, supervisor 4.3.0 (Python), against honcho 2.0.0, circus 0.19.0 (Python), concurrently 9.2.5 (npm).
#
# Guess: a manager of processes that gets SIGTERM passes it on, and waits for a server that finishes its request of 14 s
# within the 30 s that a pod has.
#
# Really: pm2-runtime kills the server after 1.6 s, supervisord after 10 s. `npm start` ends at once, as a process that
# was killed, and leaves the server to itself: where it is the first process of a container, that one is killed with it.
# honcho, circus and concurrently wait.
#
# Matters: at each promotion the pods of the primary are replaced, and requests that take longer fail for their users
# whatever terminationGracePeriodSeconds says, after the analysis has passed. Start the server itself, or give
# --kill-timeout, stopwaitsecs.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
python_packages honcho==2.0.0 supervisor==4.3.0 circus==0.19.0 setuptools==80.9.0
node_packages --ignore-scripts pm2@7.0.4 concurrently@9.2.5
mkdir "$work/app"
cd "$work/app"
cat >server.mjs <<'JS'
import http from "node:http";
import fs from "node:fs";

const server = http.createServer((request, response) => {
  fs.writeFileSync("asked", "");
  setTimeout(() => response.end("finished"), 14000);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => server.close(() => process.exit(0)));
server.listen(0, "127.0.0.1", () => fs.writeFileSync("port", String(server.address().port)));
JS
echo '{"name": "app", "private": true, "scripts": {"start": "node server.mjs"}}' >package.json
echo 'web: node server.mjs' >Procfile
printf '[supervisord]\nnodaemon=true\n[program:web]\ncommand=node server.mjs\n' >supervisord.conf
printf '[circus]\nendpoint = ipc://%s/a\npubsub_endpoint = ipc://%s/b\n[watcher:web]\ncmd = node server.mjs\ncopy_env = True\n' "$work" "$work" >circus.ini
cat >../bed.py <<'PY'
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request


def words(seconds):
    return "at once" if seconds < 1 else "after 1.6 s" if seconds < 4 else "after 10 s" if seconds < 12.5 else "after 14 s"


def ask(result):
    with open("port") as port:
        address = f"http://127.0.0.1:{port.read()}/"
    try:
        result.append(urllib.request.urlopen(address, timeout=30).read().decode())
    except OSError:
        result.append("cut off")
    except Exception as error:
        result.append("cut off" if "RemoteDisconnected" in type(error).__name__ else repr(error))
    result.append(time.monotonic())


def wait_for(name):
    for _ in range(600):
        if os.path.exists(name) and (name != "port" or os.path.getsize(name)):
            return
        time.sleep(0.05)
    sys.exit(f"no {name}")


for command in (["node", "server.mjs"], ["pm2-runtime", "start", "server.mjs"], ["supervisord", "-c", "supervisord.conf"], ["npm", "start"],
                ["honcho", "start"], ["circusd", "circus.ini"], ["concurrently", "node server.mjs"]):
    for name in ("port", "asked"):
        if os.path.exists(name):
            os.remove(name)
    manager = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for("port")
        time.sleep(2)
        result = []
        client = threading.Thread(target=ask, args=(result,))
        client.start()
        wait_for("asked")
        told = time.monotonic()
        manager.send_signal(signal.SIGTERM)
        manager.wait(60)
        ended = time.monotonic() - told
        client.join()
        print(f"{command[0]}: ends {words(ended)}, the request is {result[0]}", flush=True)
    finally:
        try:
            os.killpg(manager.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
PY
PM2_HOME="$work/pm2" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work/python" PATH="$work/node_modules/.bin:$work/python/bin:$PATH" python3 ../bed.py | tee "$work/seen"
diff "$work/seen" - <<'END'
node: ends after 14 s, the request is finished
pm2-runtime: ends after 1.6 s, the request is cut off
supervisord: ends after 10 s, the request is cut off
npm: ends at once, the request is finished
honcho: ends after 14 s, the request is finished
circusd: ends after 14 s, the request is finished
concurrently: ends after 14 s, the request is finished
END
