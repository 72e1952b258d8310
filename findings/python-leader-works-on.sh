#!/usr/bin/env bash
# kubernetes 37.0.2 (Python), leaderelection.
#
# Guess: when the Lease cannot be renewed, the work that onstarted_leading does is ended, or the program is.
#
# Really: onstopped_leading is called, run() returns, and the work goes on in its thread for as long as the program lives.
# Where run() stands in a loop, so that the program stands for election again, a second thread does the same work beside
# it.
#
# Matters: a bot in Python that approves, pauses or rolls back Canaries acts although another one leads, and twice after
# it leads again. End the program in onstopped_leading by os._exit, or ask for a flag in each turn of the work.
#
# Seen, where the lock refuses renewals for some seconds: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 <<'PY'
import json, threading, time
from types import SimpleNamespace

from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection


class Lock:
    identity, name, namespace, record, refuses = "one", "bot", "shop", None, False

    def get(self, name, namespace):
        missing = SimpleNamespace(body=json.dumps({"code": 404}), reason="Not Found")
        return (True, self.record) if self.record else (False, missing)

    def create(self, name, namespace, election_record):
        self.record = election_record
        return True

    def update(self, name, namespace, record):
        if not self.refuses:
            self.record = record
        return not self.refuses


lock, turns, started = Lock(), {}, []


def work():
    started.append(threading.current_thread())
    while True:
        turns[threading.current_thread()] = turns.get(threading.current_thread(), 0) + 1
        if len(started) == 1 and turns[started[0]] == 10:
            lock.refuses = True
        time.sleep(0.1)


config = Config(lock, lease_duration=3, renew_deadline=2, retry_period=1, onstarted_leading=work,
                onstopped_leading=lambda: print("told to stop"))
LeaderElection(config).run()
before = turns[started[0]]
time.sleep(1)
print("run() has returned, the work goes on:", turns[started[0]] > before)
lock.refuses = False
threading.Thread(target=LeaderElection(config).run, daemon=True).start()
while len(started) < 2:
    time.sleep(0.1)
before = [turns.get(thread, 0) for thread in started]
time.sleep(1)
print("leads again, threads at work:", sum(turns[thread] > n for thread, n in zip(started, before)))
PY
expect <<'END'
told to stop
run() has returned, the work goes on: True
leads again, threads at work: 2
END
