#!/usr/bin/env bash
# datetime and zoneinfo of Python 3.11, arrow 1.4.0, against pendulum 3.1.0 and pandas 3.1.1.
#
# Guess: two datetimes with a time zone, subtracted, are the time that passed between them, and one plus an hour is an hour
# later.
#
# Really: if both have the same zone, it is the difference of what clocks show: 01:30 to 03:30 is two hours in the spring
# night in which one has passed, and in the autumn night in which three have. Adding does the same, and so does arrow. With
# two zones, or in UTC, it is the time that passed. pendulum and pandas give that always.
#
# Matters: a bot that approves a Canary two hours after its step began, in the zone of its people, does so after one hour in
# one night of the year, and after three in another; a time-out may pass before it began. Subtract in UTC.
#
# Seen, from 01:30 to 03:30 in Berlin: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python arrow==1.4.0 pendulum==3.1.0 pandas==3.1.1 tzdata==2025.2 <<'PY'
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import arrow
import pandas
import pendulum

berlin = ZoneInfo("Europe/Berlin")
for day in ((2026, 3, 29), (2026, 10, 25)):
    began, ended = (datetime(*day, hour, 30, tzinfo=berlin) for hour in (1, 3))
    print(f"{began:%d %B}")
    print("  datetime:", ended - began, "by UTC:", ended.astimezone(UTC) - began.astimezone(UTC))
    print("  datetime plus two hours:", (began + timedelta(hours=2)).astimezone(UTC) - began.astimezone(UTC), "later")
    print("  arrow:", arrow.get(ended) - arrow.get(began))
    print("  pendulum:", timedelta(seconds=(pendulum.instance(ended) - pendulum.instance(began)).total_seconds()))
    print("  pandas:", (pandas.Timestamp(ended) - pandas.Timestamp(began)).to_pytimedelta())
PY
expect <<'END'
29 March
  datetime: 2:00:00 by UTC: 1:00:00
  datetime plus two hours: 1:00:00 later
  arrow: 2:00:00
  pendulum: 1:00:00
  pandas: 1:00:00
25 October
  datetime: 2:00:00 by UTC: 3:00:00
  datetime plus two hours: 3:00:00 later
  arrow: 2:00:00
  pendulum: 3:00:00
  pandas: 3:00:00
END
