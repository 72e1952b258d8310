#!/usr/bin/env bash
# Go 1.26, Node 20, python-dateutil 2.9.0.post0 and pandas 3.1.1 (Python).
#
# Guess: "22:00:00 CET" is 21:00 UTC, "EST" 03:00 and "GMT+2" 20:00 UTC for all that take them, and refused by the others.
#
# Really: Go's time.Parse takes CET, EST and GMT+2 for UTC, without an error, unless the machine stands in that zone.
# dateutil drops CET and EST: a time without a zone. GMT+2 is 20:00 for Node, and midnight for dateutil and pandas, which
# read the sign the other way round. Node refuses CET and knows EST, pandas refuses both. All agree about +0100.
#
# Matters: a freeze or an approval at a time that a calendar, a ticket or a header gave begins hours early or late, by the
# language of the bot, and for GMT+2 in the wrong direction. Write numbers, as in RFC 3339.
#
# Seen, in UTC: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export TZ=UTC
with_go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	for _, zone := range []string{"CET", "EST", "GMT+2", "+0100"} {
		layout := time.RFC1123
		if zone == "+0100" {
			layout = time.RFC1123Z
		}
		at, err := time.Parse(layout, "Fri, 02 Jan 2026 22:00:00 "+zone)
		fmt.Println(zone, "Go:", at.UTC().Format(time.DateTime), err)
	}
}
GO
with_node <<'JS'
for (const zone of ["CET", "EST", "GMT+2", "+0100"]) {
  const at = new Date(`Fri, 02 Jan 2026 22:00:00 ${zone}`);
  console.log(zone, "Node:", isNaN(at) ? "refused" : at.toISOString());
}
JS
with_python python-dateutil==2.9.0.post0 pandas==3.1.1 <<'PY'
import warnings
from datetime import UTC

warnings.simplefilter("ignore")
import pandas
from dateutil import parser

for zone in ("CET", "EST", "GMT+2", "+0100"):
    for name, read in (("dateutil", parser.parse), ("pandas", pandas.Timestamp)):
        try:
            at = read(f"Fri, 02 Jan 2026 22:00:00 {zone}")
            print(zone, f"{name}:", at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else f"{at}, no zone")
        except ValueError:
            print(zone, f"{name}: refused")
PY
expect <<'END'
CET Go: 2026-01-02 22:00:00 <nil>
EST Go: 2026-01-02 22:00:00 <nil>
GMT+2 Go: 2026-01-02 22:00:00 <nil>
+0100 Go: 2026-01-02 21:00:00 <nil>
CET Node: refused
EST Node: 2026-01-03T03:00:00.000Z
GMT+2 Node: 2026-01-02T20:00:00.000Z
+0100 Node: 2026-01-02T21:00:00.000Z
CET dateutil: 2026-01-02 22:00:00, no zone
CET pandas: refused
EST dateutil: 2026-01-02 22:00:00, no zone
EST pandas: refused
GMT+2 dateutil: 2026-01-03 00:00:00
GMT+2 pandas: 2026-01-03 00:00:00
+0100 dateutil: 2026-01-02 21:00:00
+0100 pandas: 2026-01-02 21:00:00
END
