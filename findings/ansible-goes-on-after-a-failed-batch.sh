#!/usr/bin/env bash
# ansible-core 2.19.14 (PyPI).
#
# Guess: with `serial: 2` a host that fails in the first batch ends the rollout, and the hosts of later batches keep the
# old version.
#
# Really: the failed host is left out, and the play goes on with the next batches as long as one host of a batch did not
# fail. It ends with status 2 when all others have been changed. Only a batch that fails wholly stops it, or a batch of
# which more than max_fail_percentage failed.
#
# Matters: a rollout in batches that was to stop at the first bad host brings a version that fails on every second host to
# all of them. Begin with a batch of one, `serial: [1, 2]`, and set max_fail_percentage: 0.
#
# Seen, the hosts that were changed: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export WORK=$work ANSIBLE_HOME=$work/home
with_python ansible-core==2.19.14 <<'PY'
import json
import os
import subprocess
import sys

work = os.environ["WORK"]
for name, settings in {
    "serial: 2": {"serial": 2},
    "serial: 2, max_fail_percentage: 49": {"serial": 2, "max_fail_percentage": 49},
    "serial: 2, max_fail_percentage: 50": {"serial": 2, "max_fail_percentage": 50},
    "serial: 2, max_fail_percentage: 0": {"serial": 2, "max_fail_percentage": 0},
    "serial: [1, 2]": {"serial": [1, 2]},
    "serial: 25%, of four hosts": {"serial": "25%"},
}.items():
    changed = f"{work}/changed"
    open(changed, "w").close()
    play = {
        "hosts": "all", "gather_facts": False, "connection": "local",
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [
            {"command": "{{ 'false' if inventory_hostname == 'one' else 'true' }}"},
            {"shell": f"echo {{{{ inventory_hostname }}}} >>{changed}"},
        ],
        **settings,
    }
    with open(f"{work}/play.yml", "w") as file:
        json.dump([play], file)
    run = subprocess.run(
        [sys.executable, f"{work}/python/bin/ansible-playbook", "-f", "1", "-i", "one,two,three,four,", f"{work}/play.yml"],
        capture_output=True)
    print(f"{name}: status {run.returncode}, changed: {open(changed).read().split()}")
PY
expect <<'END'
serial: 2: status 2, changed: ['two', 'three', 'four']
serial: 2, max_fail_percentage: 49: status 2, changed: []
serial: 2, max_fail_percentage: 50: status 2, changed: ['two', 'three', 'four']
serial: 2, max_fail_percentage: 0: status 2, changed: []
serial: [1, 2]: status 2, changed: []
serial: 25%, of four hosts: status 2, changed: []
END
