#!/usr/bin/env bash
# Pushgateway 1.5.1 (Debian 12).
#
# Guess: what is pushed for one job, or one version, is independent of what was pushed for others before.
#
# Really: a metric has one type for the whole gateway. As long as any group has `rate` as a gauge, a push of it as a
# counter, or without a TYPE line, is refused with 400, and nothing of that push is kept, of its other metrics neither. What
# was pushed before stays until somebody deletes it.
#
# Matters: a Job of a new version that declares its metric anew, or a shell script that leaves TYPE out, measures and is not
# heard, and a check goes on with the value of the version before, which passed. Delete the group of the former version when
# a run begins, or change the name with the type.
#
# Seen: see `diff` below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack prometheus-pushgateway=1.5.1-2+b5
python3 - <<'PY' | tee "$work/seen"
import socket
import subprocess
import time
import urllib.error
import urllib.request

with socket.create_server(("127.0.0.1", 0)) as server:
    address = f"127.0.0.1:{server.getsockname()[1]}"
gateway = subprocess.Popen(["prometheus-pushgateway", f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)


def push(group, text):
    request = urllib.request.Request(f"http://{address}/metrics/{group}", text.encode(), method="PUT")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def kept():
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        return sorted(line for line in answer.read().decode().split("\n") if line.startswith(("rate{", "other{")))


try:
    for _ in range(300):
        try:
            kept()
            break
        except OSError:
            time.sleep(0.1)
    print("version 1, a gauge:", push("job/check/version/1", "# TYPE rate gauge\nrate 99.5\n"))
    print("version 2, a counter:", push("job/check/version/2", "# TYPE rate counter\nrate 3\nother 1\n"))
    print("version 2, without TYPE:", push("job/check/version/2", "rate 3\nother 1\n"))
    print("another job, without TYPE:", push("job/another", "rate 3\n"))
    print(*kept(), sep="\n")
    print("version 2, a gauge:", push("job/check/version/2", "# TYPE rate gauge\nrate 3\nother 1\n"))
    print(*kept(), sep="\n")
finally:
    gateway.terminate()
PY
diff "$work/seen" - <<'END'
version 1, a gauge: 200
version 2, a counter: 400
version 2, without TYPE: 400
another job, without TYPE: 400
rate{instance="",job="check",version="1"} 99.5
version 2, a gauge: 200
other{instance="",job="check",version="2"} 1
rate{instance="",job="check",version="1"} 99.5
rate{instance="",job="check",version="2"} 3
END
