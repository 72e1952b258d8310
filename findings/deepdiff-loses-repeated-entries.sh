#!/usr/bin/env bash
# deepdiff 9.1.0 (Python).
#
# Guess: with ignore_order a list is compared as a bag: [10, 10, 50] and [10, 50] differ, since one has an entry more.
#
# Really: it is compared as a set: no difference, for objects in lists too. report_repetition=True has to be asked for. 1
# and 1.0 are a difference all the same, and NaN differs from itself.
#
# Matters: a check for drift says that a route with two equal rules, or a run with the same weight for two windows, is
# what Git has, after one of them was taken out; and it reports a whole threshold that was written with a point. Compare
# lists in order, or give report_repetition and ignore_numeric_type_changes.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python deepdiff==9.1.0 <<'PY'
from deepdiff import DeepDiff

rule = {"headers": {"x-canary": "yes"}}
print("weights:", DeepDiff([10, 10, 50], [10, 50], ignore_order=True))
print("rules:", DeepDiff({"match": [rule, rule]}, {"match": [rule]}, ignore_order=True))
print("told to:", DeepDiff([10, 10, 50], [10, 50], ignore_order=True, report_repetition=True).to_json())
print("1 and 1.0 differ:", bool(DeepDiff({"max": 1}, {"max": 1.0})), "NaN differs:", bool(DeepDiff(float("nan"), float("nan"))))
PY
expect <<'END'
weights: {}
rules: {}
told to: {"repetition_change":{"root[0]":{"old_repeat":2,"new_repeat":1,"old_indexes":[0,1],"new_indexes":[0],"value":10}}}
1 and 1.0 differ: True NaN differs: True
END
