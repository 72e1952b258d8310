#!/usr/bin/env bash
# ratelimit 2.0.0 (Rust), limiter 4.1.0 (JavaScript), golang.org/x/time 0.15.0.
#
# Guess: a token bucket begins full: of 20 calls at once, at a limit of 10 an hour, 10 pass; and at a limit of 0 none.
#
# Really: that is so for Go and the RateLimiter of limiter. ratelimit and the TokenBucket of limiter begin empty and
# refuse the first call. And a limit of 0 is none at all for ratelimit: each call passes.
#
# Matters: a webhook or a bot that drops what its limiter refuses loses the first alert after each restart, which is the
# only one there is. And who sets a sender to 0 to silence it takes the limit off.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo ratelimit@=2.0.0 <<'RUST'
use std::time::Duration;

fn passed(mut call: impl FnMut() -> bool) -> usize {
    (0..20).filter(|_| call()).count()
}

fn main() {
    let hour = Duration::from_secs(3600);
    let ratelimit = ratelimit::Ratelimiter::builder(10).period(hour).build().unwrap();
    println!("ratelimit: {} of 20 pass", passed(|| ratelimit.try_wait().is_ok()));
    let nothing = ratelimit::Ratelimiter::builder(0).period(hour).build().unwrap();
    println!("ratelimit, 0 an hour: {} of 20 pass", passed(|| nothing.try_wait().is_ok()));
}
RUST
with_node limiter@4.1.0 <<'JS'
import { RateLimiter, TokenBucket } from "limiter";

const passed = (limiter) => Array.from({ length: 20 }, () => limiter.tryRemoveTokens(1)).filter(Boolean).length;
console.log("RateLimiter of limiter:", passed(new RateLimiter({ tokensPerInterval: 10, interval: "hour" })), "of 20 pass");
const bucket = new TokenBucket({ bucketSize: 10, tokensPerInterval: 10, interval: "hour" });
console.log("TokenBucket of limiter:", passed(bucket), "of 20 pass");
JS
with_go golang.org/x/time@v0.15.0 <<'GO'
package main

import (
	"fmt"

	"golang.org/x/time/rate"
)

func passed(limiter *rate.Limiter) (count int) {
	for range 20 {
		if limiter.Allow() {
			count++
		}
	}
	return count
}

func main() {
	fmt.Println("x/time/rate:", passed(rate.NewLimiter(10.0/3600, 10)), "of 20 pass")
	fmt.Println("x/time/rate, 0 an hour:", passed(rate.NewLimiter(0, 0)), "of 20 pass")
}
GO
expect <<'END'
ratelimit: 0 of 20 pass
ratelimit, 0 an hour: 20 of 20 pass
RateLimiter of limiter: 10 of 20 pass
TokenBucket of limiter: 0 of 20 pass
x/time/rate: 10 of 20 pass
x/time/rate, 0 an hour: 0 of 20 pass
END
