#!/usr/bin/env bash
# humantime 2.4.0 (Rust) writes, Go's time.ParseDuration reads.
#
# Guess: a duration that humantime (or humantime-serde) writes into a custom resource is read by controllers in Go.
#
# Really: it puts a blank between the parts ("1m 30s"), which Go refuses, and goes on to days and months. Whole
# minutes or hours work by luck. In the other direction "1M" is a month for humantime.
#
# Matters: durations of a Canary written by a tool in Rust are refused by Flagger and Serin, but only for some values.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo humantime@=2.4.0 <<'RUST'
use std::time::Duration;

fn main() {
    for seconds in [60, 90, 93_600, 3_000_000] {
        println!("{seconds}: {}", humantime::format_duration(Duration::from_secs(seconds)));
    }
    println!("1M: {:?}", humantime::parse_duration("1M").unwrap());
}
RUST
with_go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	for _, text := range []string{"1m", "1m 30s", "1day 2h"} {
		_, err := time.ParseDuration(text)
		fmt.Println(text, "read by Go:", err == nil)
	}
}
GO
expect <<'END'
60: 1m
90: 1m 30s
93600: 1day 2h
3000000: 1month 4days 6h 46m 24s
1M: 2630016s
1m read by Go: true
1m 30s read by Go: false
1day 2h read by Go: false
END
