#!/usr/bin/env bash
# opentelemetry-api 1.45.2 (Python), @opentelemetry/core 2.12.1 (JavaScript), go.opentelemetry.io/otel 1.47.0.
#
# Guess: the baggage entry version=1.2.3+build.5 is read as it was written, in every language.
#
# Really: "+" is an ordinary character in a value of W3C baggage. Go writes it bare, and Python reads it as a blank. What
# Python writes for a blank is "+", which Go and JavaScript read as "+". JavaScript writes %2B and %20, which all read.
#
# Matters: a version with build metadata that is handed on to route, to label metrics or to sample by is another one behind
# each service in Python: "version == canary" does not hold there. Replace "+" as Helm does in labels, or encode values.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.opentelemetry.io/otel@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
)

func main() {
	version, _ := baggage.NewMemberRaw("version", "1.2.3+build.5")
	all, _ := baggage.New(version)
	carrier := propagation.MapCarrier{}
	propagation.Baggage{}.Inject(baggage.ContextWithBaggage(context.Background(), all), carrier)
	fmt.Println("Go writes", carrier["baggage"])
	read := propagation.Baggage{}.Extract(context.Background(), propagation.MapCarrier{"baggage": "who=a+b"})
	fmt.Println("Go reads who=a+b as", baggage.FromContext(read).Member("who").Value())
}
GO
with_python opentelemetry-api==1.45.2 <<'PY'
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context

propagator = W3CBaggagePropagator()
read = propagator.extract({"baggage": "version=1.2.3+build.5"}, Context())
print("Python reads version=1.2.3+build.5 as", baggage.get_baggage("version", read))
carrier = {}
propagator.inject(carrier, baggage.set_baggage("who", "a b", Context()))
print("Python writes", carrier["baggage"])
PY
with_node @opentelemetry/api@1.9.1 @opentelemetry/core@2.12.1 <<'JS'
import { defaultTextMapGetter, defaultTextMapSetter, propagation, ROOT_CONTEXT } from "@opentelemetry/api";
import { W3CBaggagePropagator } from "@opentelemetry/core";

const propagator = new W3CBaggagePropagator();
const carrier = {};
const all = propagation.createBaggage({ version: { value: "1.2.3+build.5" }, who: { value: "a b" } });
propagator.inject(propagation.setBaggage(ROOT_CONTEXT, all), carrier, defaultTextMapSetter);
console.log("JavaScript writes", carrier.baggage);
const read = propagator.extract(ROOT_CONTEXT, { baggage: "who=a+b" }, defaultTextMapGetter);
console.log("JavaScript reads who=a+b as", propagation.getBaggage(read).getEntry("who").value);
JS
expect <<'END'
Go writes version=1.2.3+build.5
Go reads who=a+b as a+b
Python reads version=1.2.3+build.5 as 1.2.3 build.5
Python writes who=a+b
JavaScript writes version=1.2.3%2Bbuild.5,who=a%20b
JavaScript reads who=a+b as a+b
END
