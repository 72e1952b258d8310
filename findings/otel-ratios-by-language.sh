#!/usr/bin/env bash
# go.opentelemetry.io/otel/sdk 1.47.0, opentelemetry-sdk 1.45.2 (Python), @opentelemetry/sdk-trace-base 2.12.1 (JavaScript).
#
# Guess: the sampler of a ratio goes by the trace id, so that all services of one ratio keep the same traces.
#
# Really: each language takes other bits: Go and Python the second half of the id, JavaScript the exclusive or of its four
# quarters. At a ratio of 0.25 Go and Python keep the same traces of these 2000, JavaScript about a quarter of them.
#
# Matters: where services sample by ratio alone, at 1 % each only one trace of 10000 is whole, and a canary that is a
# rewrite in another language has spans in other traces than its primary. Wrap the sampler: parentbased_traceidratio.
#
# Seen: see `expect` below. The ids are SHA-256 of 0 to 1999, cut.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python opentelemetry-sdk==1.45.2 <<PY
import hashlib
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

ids = [hashlib.sha256(str(i).encode()).hexdigest()[:32] for i in range(2000)]
kept = [i for i in ids if TraceIdRatioBased(0.25).should_sample(None, int(i, 16), "checkout").decision.is_sampled()]
print("Python keeps", len(kept))
open("$work/ids", "w").write("\n".join(ids))
open("$work/kept", "w").write("\n".join(kept))
PY
with_node @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 <<JS
import { readFileSync } from "node:fs";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { SamplingDecision, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace-base";

const lines = (name) => readFileSync("$work/" + name, "utf8").split("\n");
const other = new Set(lines("kept"));
const sampler = new TraceIdRatioBasedSampler(0.25);
const kept = lines("ids").filter((id) => sampler.shouldSample(ROOT_CONTEXT, id).decision === SamplingDecision.RECORD_AND_SAMPLED);
console.log("JavaScript keeps", kept.length, "of these by Python too", kept.filter((id) => other.has(id)).length);
JS
with_go go.opentelemetry.io/otel/sdk@v1.47.0 <<GO
package main

import (
	"fmt"
	"os"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func lines(name string) []string {
	text, _ := os.ReadFile("$work/" + name)
	return strings.Split(string(text), "\n")
}

func main() {
	other := map[string]bool{}
	for _, id := range lines("kept") {
		other[id] = true
	}
	kept, both := 0, 0
	for _, id := range lines("ids") {
		traceID, _ := trace.TraceIDFromHex(id)
		if sdk.TraceIDRatioBased(0.25).ShouldSample(sdk.SamplingParameters{TraceID: traceID}).Decision == sdk.RecordAndSample {
			kept++
			if other[id] {
				both++
			}
		}
	}
	fmt.Println("Go keeps", kept, "of these by Python too", both)
}
GO
expect <<'END'
Python keeps 494
JavaScript keeps 510 of these by Python too 122
Go keeps 494 of these by Python too 494
END
