#!/usr/bin/env bash
# client_golang 1.25.0, prom-client 15.1.3 (JavaScript).
#
# Guess: ten linear buckets from 0.1 in steps of 0.1 end at 0.1, 0.2 and so on to 1, in each library.
#
# Really: Go adds up, JavaScript multiplies, and neither rounds: le="0.30000000000000004" in both, le="0.8" in JavaScript
# and "0.7999999999999999" in Go, "1" in JavaScript and "0.9999999999999999" in Go. ExponentialBucketsRange(0.1, 100, 4) of
# Go has none of 1, 10 and 100.
#
# Matters: the share of requests below 0.8 s, …_bucket{le="0.8"}, finds nothing after a rewrite in Go: "no values found", or
# a share of 0 behind `or vector(0)`. And a request of exactly 1 s is in the bucket "0.9999999999999999" no more. Write
# bounds out.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/client_golang@v1.25.0 <<'GO'
package main

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

func main() {
	fmt.Println("Go:", prometheus.LinearBuckets(0.1, 0.1, 10))
	fmt.Println("Go:", prometheus.ExponentialBucketsRange(0.1, 100, 4))
}
GO
with_node prom-client@15.1.3 <<'JS'
import { linearBuckets } from "prom-client";

console.log("JavaScript:", linearBuckets(0.1, 0.1, 10).join(" "));
JS
expect <<'END'
Go: [0.1 0.2 0.30000000000000004 0.4 0.5 0.6 0.7 0.7999999999999999 0.8999999999999999 0.9999999999999999]
Go: [0.1 0.9999999999999999 9.999999999999998 99.99999999999996]
JavaScript: 0.1 0.2 0.30000000000000004 0.4 0.5 0.6 0.7000000000000001 0.8 0.9 1
END
