#!/usr/bin/env bash
# chaostoolkit 1.19.0 with chaostoolkit-lib 1.44.0 (Python).
#
# Guess: `chaos run` ends with a status other than 0 when the steady state does not hold before the experiment, and when an
# action of its method fails.
#
# Really: it ends with 0 and "completed" in both cases, and if a probe of the method is out of its tolerance. In the first
# case the method has not even run. Only a steady state that held before and does not hold after it is 1.
#
# Matters: a webhook or a Job that rehearses a failure on the canary passes when the canary was broken from the start, and
# when the failure was never caused. Read the journal: steady_state_met of `before`, and the status of each activity.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export WORK=$work
with_python chaostoolkit==1.19.0 chaostoolkit-lib==1.44.0 <<'PY'
import json
import os
import pathlib
import subprocess
import sys

os.chdir(os.environ["WORK"])


def shell(kind, name, command, **more):
    return {"type": kind, "name": name, "provider": {"type": "process", "path": "sh", "arguments": ["-c", command]}, **more}


def run(title, steady, *method):
    pathlib.Path("weight").write_text("10")
    probe = shell("probe", "steady", steady, tolerance=0)
    experiment = {
        "title": title, "description": title, "method": method, "rollbacks": [],
        "steady-state-hypothesis": {"title": "steady", "probes": [probe]},
    }
    pathlib.Path("experiment.json").write_text(json.dumps(experiment))
    chaos = subprocess.run([sys.executable, "-m", "chaostoolkit", "run", "experiment.json"], capture_output=True)
    journal = json.loads(pathlib.Path("journal.json").read_text())
    activities = [f"{a['activity']['name']} {a['status']}" for a in journal["run"]]
    print(f"{title}: {chaos.returncode}, deviated {journal['deviated']}, method: {', '.join(activities) or 'not run'}")


kill = shell("action", "kill", "true")
refused = {"type": "action", "name": "kill", "provider": {"type": "http", "url": "http://127.0.0.1:9/", "timeout": 5}}
run("holds before and after", "grep -q 10 weight", kill)
run("does not hold before", "grep -q 50 weight", kill)
run("the action fails", "grep -q 10 weight", refused)
run("a probe of the method is out of its tolerance", "grep -q 10 weight", shell("probe", "look", "grep -q 50 weight", tolerance=0))
run("does not hold after", "grep -q 10 weight", shell("action", "kill", "echo 5 >weight"))
PY
expect <<'END'
holds before and after: 0, deviated False, method: kill succeeded
does not hold before: 0, deviated False, method: not run
the action fails: 0, deviated False, method: kill failed
a probe of the method is out of its tolerance: 0, deviated False, method: look succeeded
does not hold after: 1, deviated True, method: kill succeeded
END
