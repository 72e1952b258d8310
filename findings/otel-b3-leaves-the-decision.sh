#!/usr/bin/env bash
# opentelemetry-propagator-b3 1.45.1 (Python), @opentelemetry/propagator-b3 2.12.0 (JavaScript),
# go.opentelemetry.io/contrib/propagators/b3 1.47.0.
#
# Guess: a B3 header without a sampling state leaves the decision to the receiver, as B3 says: with the default sampler,
# which records all root spans, the trace is recorded.
#
# Really: Python takes it for "sampled". Go and JavaScript take it for "not sampled", although Go keeps beside it that the
# decision was deferred: nothing of the trace is recorded there.
#
# Matters: behind a proxy that passes ids and no decision, services in Go and JavaScript have no traces at all and those in
# Python have each: who compares the error rates or durations of two versions by spans sees one version only. Let the
# proxy decide, or send traceparent.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python opentelemetry-sdk==1.45.2 opentelemetry-propagator-b3==1.45.1 <<'PY'
from opentelemetry.context import Context
from opentelemetry.propagators.b3 import B3SingleFormat
from opentelemetry.sdk.trace import TracerProvider

for header in ("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", None):
    context = B3SingleFormat().extract({"b3": header} if header else {}, Context())
    span = TracerProvider(shutdown_on_exit=False).get_tracer("shop").start_span("checkout", context)
    print("Python: recorded", span.is_recording(), "with ids only" if header else "without a header")
PY
with_node @opentelemetry/api@1.9.1 @opentelemetry/propagator-b3@2.12.0 @opentelemetry/sdk-trace-base@2.12.1 <<'JS'
import { defaultTextMapGetter, ROOT_CONTEXT } from "@opentelemetry/api";
import { B3Propagator } from "@opentelemetry/propagator-b3";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";

for (const header of ["0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", undefined]) {
  const context = new B3Propagator().extract(ROOT_CONTEXT, header ? { b3: header } : {}, defaultTextMapGetter);
  const span = new BasicTracerProvider().getTracer("shop").startSpan("checkout", {}, context);
  console.log("JavaScript: recorded", span.isRecording(), header ? "with ids only" : "without a header");
}
JS
with_go go.opentelemetry.io/contrib/propagators/b3@v1.47.0 go.opentelemetry.io/otel/sdk@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/contrib/propagators/b3"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	carriers := map[string]propagation.MapCarrier{
		"with ids only":    {"b3": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"},
		"without a header": {},
	}
	for _, name := range []string{"with ids only", "without a header"} {
		parent := b3.New().Extract(context.Background(), carriers[name])
		_, span := trace.NewTracerProvider().Tracer("shop").Start(parent, "checkout")
		fmt.Println("Go: recorded", span.IsRecording(), name)
	}
}
GO
expect <<'END'
Python: recorded True with ids only
Python: recorded True without a header
JavaScript: recorded false with ids only
JavaScript: recorded true without a header
Go: recorded false with ids only
Go: recorded true without a header
END
