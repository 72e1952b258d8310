#!/usr/bin/env bash
# tokio-retry 0.3.2 (Rust).
#
# Guess: ExponentialBackoff::from_millis(100) waits 100, 200, 400, 800 ms.
#
# Really: the number is the base of the power as well: 100 ms, 10 s, 1000 s, 100000 s. The usual row is
# from_millis(2).factor(50).
#
# Matters: a webhook or an operator that looks right in its tests, where the second try succeeds after 10 s, waits
# more than a day for the fourth: longer than any progressDeadlineSeconds. Put max_delay() beside it.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo tokio-retry@=0.3.2 <<'RUST'
use tokio_retry::strategy::ExponentialBackoff;

fn main() {
    println!("{:?}", ExponentialBackoff::from_millis(100).take(4).collect::<Vec<_>>());
    println!("{:?}", ExponentialBackoff::from_millis(2).factor(50).take(4).collect::<Vec<_>>());
}
RUST
expect <<'END'
[100ms, 10s, 1000s, 100000s]
[100ms, 200ms, 400ms, 800ms]
END
