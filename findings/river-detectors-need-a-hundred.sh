#!/usr/bin/env bash
# river 0.26.1 (Python).
#
# Guess: a detector of drift finds a change from 31 successes to 31 failures in a row.
#
# Really: ADWIN, Page-Hinkley and KSWIN with their defaults do not. ADWIN finds the change at the 24th failure of 40, and with
# clock=1 at the 31st of 31. Page-Hinkley needs 67 failures after 100 successes, and KSWIN has no opinion before it has 100
# values. drift_detected is true at the value at which the change is found, and false again behind it.
#
# Matters: a gate that feeds them one value for each minute of a run says "no drift" of a canary that fails always. Feed each
# request, set thresholds and windows for few values, or compare shares.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python river==0.26.1 <<'PY'
from river import drift

detectors = {"ADWIN": drift.ADWIN, "Page-Hinkley": drift.PageHinkley, "KSWIN": lambda: drift.KSWIN(seed=1)}
for name, make in detectors.items():
    for number in (31, 40, 100, 200):
        detector, found = make(), []
        for place, value in enumerate([0.0] * number + [1.0] * number):
            detector.update(value)
            if detector.drift_detected:
                found.append(place - number + 1)
        print(f"{name}, {number} successes and {number} failures: {f'found at failure {found[0]}' if found else 'not found'}")
for number in (20, 31, 40):
    detector, found = drift.ADWIN(clock=1), []
    for place, value in enumerate([0.0] * number + [1.0] * number):
        detector.update(value)
        if detector.drift_detected:
            found.append(place - number + 1)
    print(f"ADWIN with clock=1, {number} of each: {found}")
PY
expect <<'END'
ADWIN, 31 successes and 31 failures: not found
ADWIN, 40 successes and 40 failures: found at failure 24
ADWIN, 100 successes and 100 failures: found at failure 28
ADWIN, 200 successes and 200 failures: found at failure 24
Page-Hinkley, 31 successes and 31 failures: not found
Page-Hinkley, 40 successes and 40 failures: not found
Page-Hinkley, 100 successes and 100 failures: found at failure 67
Page-Hinkley, 200 successes and 200 failures: found at failure 58
KSWIN, 31 successes and 31 failures: not found
KSWIN, 40 successes and 40 failures: not found
KSWIN, 100 successes and 100 failures: found at failure 14
KSWIN, 200 successes and 200 failures: found at failure 14
ADWIN with clock=1, 20 of each: []
ADWIN with clock=1, 31 of each: [31]
ADWIN with clock=1, 40 of each: [24]
END
