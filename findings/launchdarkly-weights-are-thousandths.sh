#!/usr/bin/env bash
# launchdarkly-server-sdk 9.20.0 (Python), with flags from a file.
#
# Guess: a rollout with the weights 90 and 10 gives the second variation to a tenth of the users, or is refused, since the
# weights do not add up to 100000.
#
# Really: weights are thousandths of a percent, and the last variation gets all that is left over: 99.9 % of the users.
# Without an error, a warning or another reason than FALLTHROUGH.
#
# Matters: a file of flags for a test cluster, or one that a tool writes from the weights of a canary, shows the new version
# to nearly everybody. The weights of a split have to add up to 100000; put the old version last.
#
# Seen, of 5000 users: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export FLAGS="$work/flags.json"
with_python launchdarkly-server-sdk==9.20.0 <<'PY'
import collections, json, logging, os
import ldclient
from ldclient import Context
from ldclient.config import Config
from ldclient.integrations import Files

logging.disable(logging.CRITICAL)
for weights in ([90000, 10000], [90, 10], [9000, 1000]):
    with open(os.environ["FLAGS"], "w") as file:
        rollout = {"variations": [{"variation": index, "weight": weight} for index, weight in enumerate(weights)]}
        flag = {"key": "version", "on": True, "version": 1, "salt": "s", "variations": ["primary", "canary"]}
        json.dump({"flags": {"version": flag | {"offVariation": 0, "fallthrough": {"rollout": rollout}}}}, file)
    source = Files.new_data_source(paths=[os.environ["FLAGS"]])
    client = ldclient.LDClient(Config("sdk", update_processor_class=source, send_events=False))
    told = [client.variation_detail("version", Context.create(f"user-{index}"), "default") for index in range(5000)]
    print(weights, dict(sorted(collections.Counter(one.value for one in told).items())), {one.reason["kind"] for one in told})
    client.close()
PY
expect <<'END'
[90000, 10000] {'canary': 503, 'primary': 4497} {'FALLTHROUGH'}
[90, 10] {'canary': 4996, 'primary': 4} {'FALLTHROUGH'}
[9000, 1000] {'canary': 4526, 'primary': 474} {'FALLTHROUGH'}
END
