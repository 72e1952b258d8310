#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: in `merge` the user's 0, false and "" lose
# against the default.
#
# Guess: `merge .user .defaults` takes the user's value wherever there is one, and the defaults elsewhere.
#
# Really: a zero value counts as missing: threshold 0 becomes 5, and skipAnalysis false becomes true. mergeOverwrite, with
# the defaults first, has it right.
#
# Matters: library charts merge the analysis of all teams like this. "skipAnalysis: false" cannot be said, nor "threshold:
# 0" or "stepWeightPromotion: 0": the release runs with what the user switched off. Use
# mergeOverwrite (deepCopy .defaults) .user.
#
# Seen: the results below.
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT'
{"user": {"threshold": 0, "skipAnalysis": false}, "defaults": {"threshold": 5, "skipAnalysis": true, "interval": "1m"}}
{{ merge .user .defaults | toJson }}
{{ mergeOverwrite (deepCopy .defaults) .user | toJson }}
TXT
expect <<'TXT'
{{ merge .user .defaults | toJson }} = {"interval":"1m","skipAnalysis":true,"threshold":5}
{{ mergeOverwrite (deepCopy .defaults) .user | toJson }} = {"interval":"1m","skipAnalysis":false,"threshold":0}
TXT
