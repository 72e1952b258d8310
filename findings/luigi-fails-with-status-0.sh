#!/usr/bin/env bash
# luigi 3.8.1 (Python).
#
# Guess: a program whose task fails ends with a status that is not 0.
#
# Really: the command luigi and luigi.run() end with 0 for a task that raises and for one that waits for it. A section
# [retcode] of luigi.cfg gives the command a status, but not luigi.run() in a program of one's own. luigi.build() returns
# False.
#
# Matters: a pipeline of checks in a Job passes each canary; the failure is in the log alone. Use build() and end with a
# status of one's own, or the command with [retcode].
#
# Seen, of a check that raises and a release that requires it: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export WORK="$work"
with_python luigi==3.8.1 <<'PY'
import os, subprocess, sys

work = os.environ["WORK"]
os.chdir(work)
with open("pipeline.py", "w") as file:
    file.write("""
import sys
import luigi


class Check(luigi.Task):
    def run(self):
        raise RuntimeError("the canary fails")


class Release(luigi.Task):
    def requires(self):
        return Check()

    def run(self):
        print("released")


if __name__ == "__main__":
    if sys.argv[1] == "build":
        sys.exit(not luigi.build([Release()], local_scheduler=True))
    luigi.run()
""")


def status(what, *command):
    environment = os.environ | {"PYTHONPATH": os.environ["PYTHONPATH"] + ":" + work}
    ended = subprocess.run([sys.executable, *command], capture_output=True, env=environment)
    print(f"{what}: {ended.returncode}, released: {b'released' in ended.stdout}")


status("luigi", "-m", "luigi", "--module", "pipeline", "Release", "--local-scheduler")
status("luigi.run()", "pipeline.py", "Release", "--local-scheduler")
status("luigi.build()", "pipeline.py", "build")
with open("luigi.cfg", "w") as file:
    file.write("[retcode]\ntask_failed=30\n")
status("luigi with [retcode]", "-m", "luigi", "--module", "pipeline", "Release", "--local-scheduler")
status("luigi.run() with [retcode]", "pipeline.py", "Release", "--local-scheduler")
PY
expect <<'END'
luigi: 0, released: False
luigi.run(): 0, released: False
luigi.build(): 1, released: False
luigi with [retcode]: 30, released: False
luigi.run() with [retcode]: 0, released: False
END
