#!/usr/bin/env bash
# cron 0.17.0 and croner 4.0.3 (Rust), robfig/cron 3.0.1 (Go; CronJobs and KEDA), APScheduler 3.11.3 and croniter 7.0.0
# (Python), croner 11.0.1 (JavaScript).
#
# Guess: "0 9 * * 1" is 9 o'clock on Monday, as in crontab(5).
#
# Really: for Rust's cron crate 1 is Sunday, for APScheduler's from_crontab() it is Tuesday (0 is Monday there).
#
# Matters: a gate or a freeze window ("no releases on Friday afternoon") that a webhook or a bot computes from the same
# text as a CronJob or a KEDA trigger opens on another day. Write days by name: all of them read MON alike.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo cron@=0.17.0 croner@=4.0.3 chrono@0.4 <<'RUST'
use std::str::FromStr;

fn main() {
    let from: chrono::DateTime<chrono::Utc> = "2026-01-07T12:00:00Z".parse().unwrap();
    for day in ["1", "MON"] {
        let cron = cron::Schedule::from_str(&format!("0 0 9 * * {day}")).unwrap();
        let croner = croner::Cron::from_str(&format!("0 9 * * {day}")).unwrap();
        println!("Rust cron {day}: {}", cron.after(&from).next().unwrap().format("%A"));
        println!("Rust croner {day}: {}", croner.find_next_occurrence(&from, false).unwrap().format("%A"));
    }
}
RUST
with_go github.com/robfig/cron/v3@v3.0.1 <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

func main() {
	for _, day := range []string{"1", "MON"} {
		schedule, err := cron.ParseStandard("0 9 * * " + day)
		if err != nil {
			panic(err)
		}
		fmt.Println("Go robfig/cron "+day+":", schedule.Next(time.Date(2026, 1, 7, 12, 0, 0, 0, time.UTC)).Weekday())
	}
}
GO
with_python APScheduler==3.11.3 croniter==7.0.0 <<'PY'
import datetime
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

now = datetime.datetime(2026, 1, 7, 12, tzinfo=datetime.timezone.utc)
for day in ("1", "MON"):
    apscheduler = CronTrigger.from_crontab(f"0 9 * * {day}", timezone="UTC").get_next_fire_time(None, now)
    print(f"Python APScheduler {day}:", apscheduler.strftime("%A"))
    print(f"Python croniter {day}:", croniter(f"0 9 * * {day}", now).get_next(datetime.datetime).strftime("%A"))
PY
with_node croner@11.0.1 <<'JS'
import { Cron } from "croner";

for (const day of ["1", "MON"]) {
  const next = new Cron(`0 9 * * ${day}`, { timezone: "UTC" }).nextRun(new Date("2026-01-07T12:00:00Z"));
  console.log(`JavaScript croner ${day}:`, next.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" }));
}
JS
expect <<'END'
Rust cron 1: Sunday
Rust croner 1: Monday
Rust cron MON: Monday
Rust croner MON: Monday
Go robfig/cron 1: Monday
Go robfig/cron MON: Monday
Python APScheduler 1: Tuesday
Python croniter 1: Monday
Python APScheduler MON: Monday
Python croniter MON: Monday
JavaScript croner 1: Monday
JavaScript croner MON: Monday
END
