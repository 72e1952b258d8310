#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: `durationRound` cuts.
#
# Guess: `durationRound "119s"` is 2m and `durationRound "90m"` is 1h30m or 2h.
#
# Really: only the largest unit is kept, and the rest is cut off: 1m and 1h. From a day on the unit is d, w is missing, and
# months are "mo", which nothing in Kubernetes reads.
#
# Matters: the interval or the deadline of a Canary that a chart tidies up so is up to half as long as was meant:
# "119s" of patience is one minute. Write the value as it is.
#
# Seen: the results below.
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT'
{}
{{ durationRound "119s" }}
{{ durationRound "90m" }}
{{ durationRound "36h" }}
{{ durationRound "1000h" }}
{{ durationRound "900ms" }}
TXT
expect <<'TXT'
{{ durationRound "119s" }} = 1m
{{ durationRound "90m" }} = 1h
{{ durationRound "36h" }} = 1d
{{ durationRound "1000h" }} = 1mo
{{ durationRound "900ms" }} = 0s
TXT
