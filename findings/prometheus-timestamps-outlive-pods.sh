#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): a series that is exposed with timestamps goes on for five minutes after its target
# is gone.
#
# Guess: once a target cannot be scraped, its series end at the next scrape.
#
# Really: they do only where the page has no timestamps. With them (cAdvisor, federation, many gateways for other formats)
# no mark of staleness is written, and the last value is given for the whole lookback of five minutes, while `up` is 0.
#
# Matters: the last good value of a canary whose pods are gone goes on passing its check for five minutes. Bind such a
# metric to `up` (x and on (instance) up == 1), or set track_timestamps_staleness in the scrape job.
#
# Seen, when both targets have been gone for several scrapes:
#   up: {'plain': 0.0, 'stamped': 0.0}
#   error_ratio: {'stamped': 0.01}
#   four_minutes_later: {'stamped': 0.01}
set -euo pipefail
. "$(dirname "$0")/lib/prometheus.sh"
with_prometheus v0.315.0 <<'PY'
import time
from prometheus_bed import Prometheus, Target, check

plain = Target(lambda: "error_ratio 0.01\n")
stamped = Target(lambda: f"error_ratio 0.01 {time.time() * 1000:.0f}\n")
with Prometheus(plain=plain, stamped=stamped) as prometheus:
    prometheus.until(lambda: len(prometheus.ask("error_ratio")) == 2)
    for target in (plain, stamped):
        target.end()
    prometheus.until(lambda: set(prometheus.ask("sum_over_time(up[3s])").values()) == {0})
    check(up=(prometheus.ask("up"), {"plain": 0, "stamped": 0}), error_ratio=(prometheus.ask("error_ratio"), {"stamped": 0.01}),
          four_minutes_later=(prometheus.ask("error_ratio", time=time.time() + 240), {"stamped": 0.01}))
PY
