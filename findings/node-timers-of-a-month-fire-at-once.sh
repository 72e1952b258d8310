#!/usr/bin/env bash
# Node 20 (JavaScript), against threading.Timer of Python 3.11 and time.AfterFunc of Go 1.26.
#
# Guess: a timer for 30 days fires in 30 days, if the process lives so long.
#
# Really: more than 24.8 days do not fit, and it fires after a millisecond: setTimeout, its promise, and
# AbortSignal.timeout; setInterval does so a thousand times a second. A line on standard error is all that tells. Python
# and Go wait.
#
# Matters: a bot that ends a freeze over the holidays, or lets an approval run out, by such a timer does it at once, and
# one that looks once a month asks the API server without a pause; for shorter times the same code is right. Look each
# hour whether it is time.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node 2>/dev/null <<'JS'
import { setTimeout as wait } from "node:timers/promises";

const day = 24 * 60 * 60 * 1000;
for (const days of [24, 30]) {
  const fired = {};
  const timers = [
    setTimeout(() => (fired.setTimeout = true), days * day),
    setInterval(() => (fired.times = (fired.times ?? 0) + 1), days * day),
  ];
  const stop = new AbortController();
  wait(days * day, null, { signal: stop.signal }).then(() => (fired.promise = true), () => {});
  AbortSignal.timeout(days * day).onabort = () => (fired.signal = true);
  await wait(1000);
  timers.forEach(clearTimeout);
  stop.abort();
  const often = fired.times > 10 ? "often" : "never";
  console.log(`${days} days: setTimeout ${!!fired.setTimeout}, promise ${!!fired.promise}, AbortSignal ${!!fired.signal}, setInterval ${often}`);
}
JS
python3 - <<'PY' | tee -a "$work/seen"
import threading

timer = threading.Timer(30 * 24 * 60 * 60, print, ["fired"])
timer.daemon = True
timer.start()
timer.join(1)
print("Python, 30 days: waits", timer.is_alive())
PY
with_go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	fired := make(chan bool, 1)
	time.AfterFunc(30*24*time.Hour, func() { fired <- true })
	select {
	case <-fired:
		fmt.Println("Go, 30 days: fired")
	case <-time.After(time.Second):
		fmt.Println("Go, 30 days: waits")
	}
}
GO
expect <<'END'
24 days: setTimeout false, promise false, AbortSignal false, setInterval never
30 days: setTimeout true, promise true, AbortSignal true, setInterval often
Python, 30 days: waits True
Go, 30 days: waits
END
