#!/usr/bin/env bash
# uvicorn 0.54.0, gunicorn 27.0.1, hypercorn 0.18.0, granian 2.8.9, waitress 3.0.2 and daphne 4.2.3 (Python).
#
# Guess: a server for production that gets SIGTERM, as every pod that goes does, finishes the requests that it has.
#
# Really: uvicorn, gunicorn, hypercorn and granian do. waitress and daphne end at once, and the client's connection is
# closed without an answer. No preStop sleep helps a request that is longer than it.
#
# Matters: each promotion replaces all pods of the primary and takes those of the canary away. With these two every
# request under way is lost then, after the analysis, where no check looks. Put the time of the longest request into
# preStop, or take another server.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python uvicorn==0.54.0 gunicorn==27.0.1 hypercorn==0.18.0 granian==2.8.9 waitress==3.0.2 daphne==4.2.3 <<'PY'
import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time

folder = sys.path[1]
with open(os.path.join(folder, "app.py"), "w") as file:
    file.write("""
import asyncio
import time


def wsgi(environ, start):
    time.sleep(1.5)
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope, receive, send):
    while scope["type"] == "lifespan":
        event = (await receive())["type"]
        await send({"type": event + ".complete"})
        if event == "lifespan.shutdown":
            return
    await asyncio.sleep(1.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
""")


def request(port, answers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        answers.append(connection.getresponse().status)
    except OSError as error:
        answers.append(type(error).__name__)


for name, command in {
    "uvicorn": "uvicorn app:asgi --port PORT",
    "gunicorn": "gunicorn app:wsgi -b 127.0.0.1:PORT",
    "hypercorn": "hypercorn app:asgi -b 127.0.0.1:PORT",
    "granian": "granian app:wsgi --interface wsgi --port PORT",
    "waitress": "waitress-serve --host 127.0.0.1 --port PORT app:wsgi",
    "daphne": "daphne -p PORT app:asgi",
}.items():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program, *arguments = command.replace("PORT", str(port)).split()
    server = subprocess.Popen([os.path.join(folder, "bin", program), *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    time.sleep(1)
    answers = []
    client = threading.Thread(target=request, args=(port, answers))
    client.start()
    time.sleep(0.5)
    server.send_signal(signal.SIGTERM)
    client.join()
    server.wait(30)
    print(f"{name}: {answers[0]}", flush=True)
PY
expect <<'END'
uvicorn: 200
gunicorn: 200
hypercorn: 200
granian: 200
waitress: RemoteDisconnected
daphne: RemoteDisconnected
END
