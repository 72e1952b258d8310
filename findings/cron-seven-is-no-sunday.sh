#!/usr/bin/env bash
# robfig/cron 3.0.1 (Go; CronJobs and KEDA), against croniter 7.0.0 (Python), cron-parser 5.10.5 and croner 11.0.1
# (JavaScript).
#
# Guess: 7 is Sunday, as in crontab(5), and "22-2" and "FRI-MON" are either read by all or by none.
#
# Really: robfig's days end at 6: "7" and "5-7" are refused. The three others take 7. Ranges over the end, of hours or of
# days, are read by croniter alone.
#
# Matters: the line of a freeze window that a gate in Python or JavaScript follows is refused in a CronJob or a trigger of
# KEDA that is to follow it too: it works where it was tried out. Write SUN or 0, and two ranges (`22-23,0-2`).
#
# Seen: see `expect` below (two runs after Sunday, 29 November, noon).
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/lines" <<'TXT'
0 0 * * 7
0 0 * * 5-7
0 22-2 * * *
0 0 * * FRI-MON
0 22-23,0-2 * * *
TXT
export LINES_OF_CRON="$work/lines"
with_go github.com/robfig/cron/v3@v3.0.1 <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

func main() {
	file, err := os.Open(os.Getenv("LINES_OF_CRON"))
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		schedule, err := cron.ParseStandard(lines.Text())
		if err != nil {
			fmt.Printf("robfig %s: refused\n", lines.Text())
			continue
		}
		first := schedule.Next(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC))
		fmt.Printf("robfig %s: %s %s\n", lines.Text(), first.Format("Mon 15h"), schedule.Next(first).Format("Mon 15h"))
	}
}
GO
with_python croniter==7.0.0 <<'PY'
import os
from datetime import datetime

from croniter import croniter

for line in open(os.environ["LINES_OF_CRON"]).read().splitlines():
    runs = croniter(line, datetime(2026, 11, 29, 12))
    print(f"croniter {line}: {runs.get_next(datetime):%a %Hh} {runs.get_next(datetime):%a %Hh}")
PY
with_node cron-parser@5.10.5 croner@11.0.1 <<'JS'
import { readFileSync } from "node:fs";
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";

const noon = new Date("2026-11-29T12:00:00Z");
const show = (date) => `${date.toUTCString().slice(0, 3)} ${date.toISOString().slice(11, 13)}h`;
const tell = (name, line, runs) => {
  try {
    console.log(`${name} ${line}: ${runs().map(show).join(" ")}`);
  } catch {
    console.log(`${name} ${line}: refused`);
  }
};
for (const line of readFileSync(process.env.LINES_OF_CRON, "utf8").trim().split("\n")) {
  tell("cron-parser", line, () => {
    const runs = CronExpressionParser.parse(line, { currentDate: noon, tz: "UTC" });
    return [runs.next().toDate(), runs.next().toDate()];
  });
  tell("croner", line, () => new Cron(line, { timezone: "UTC" }).nextRuns(2, noon));
}
JS
expect <<'END'
robfig 0 0 * * 7: refused
robfig 0 0 * * 5-7: refused
robfig 0 22-2 * * *: refused
robfig 0 0 * * FRI-MON: refused
robfig 0 22-23,0-2 * * *: Sun 22h Sun 23h
croniter 0 0 * * 7: Sun 00h Sun 00h
croniter 0 0 * * 5-7: Fri 00h Sat 00h
croniter 0 22-2 * * *: Sun 22h Sun 23h
croniter 0 0 * * FRI-MON: Mon 00h Fri 00h
croniter 0 22-23,0-2 * * *: Sun 22h Sun 23h
cron-parser 0 0 * * 7: Sun 00h Sun 00h
croner 0 0 * * 7: Sun 00h Sun 00h
cron-parser 0 0 * * 5-7: Fri 00h Sat 00h
croner 0 0 * * 5-7: Fri 00h Sat 00h
cron-parser 0 22-2 * * *: refused
croner 0 22-2 * * *: refused
cron-parser 0 0 * * FRI-MON: refused
croner 0 0 * * FRI-MON: refused
cron-parser 0 22-23,0-2 * * *: Sun 22h Sun 23h
croner 0 22-23,0-2 * * *: Sun 22h Sun 23h
END
