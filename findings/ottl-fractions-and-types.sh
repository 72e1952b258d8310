#!/usr/bin/env bash
# pkg/ottl of opentelemetry-collector-contrib, module v1.4.1 (Go): the language of the collector's filters, of routing and
# of tail sampling.
#
# Guess: `attributes["status"] >= 500` holds for the text "500" or is an error, a missing attribute is neither less nor more
# nor unequal, 7 / 2 is 3.5, and Concat leaves out what is missing.
#
# Really: a text is neither less nor more than a number, without an error, and unequal to each. What is missing is unequal
# too. Whole numbers are divided without their fraction: 500 / 1000 is 0. Concat writes "<nil>".
#
# Matters: a rule that counts, keeps or routes failures by `status >= 500` sees none of a service whose SDK writes the
# status as a text, as one in another language may after a rewrite, while one by `status != 200` takes every span for a
# failure, also those that have no status. Wrap attributes in Int(), and ask for nil.
#
# Seen, for spans with "500" as a text, 500 as a number, and none: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl@v1.4.1 go.opentelemetry.io/collector/component/componenttest@v0.165.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func main() {
	parser, err := ottlspan.NewParser(
		ottlfuncs.StandardFuncs[*ottlspan.TransformContext](), componenttest.NewNopTelemetrySettings(), ottlspan.EnablePathContextNames())
	if err != nil {
		panic(err)
	}
	resource := ptrace.NewResourceSpans()
	scope := resource.ScopeSpans().AppendEmpty()
	text, number, none := scope.Spans().AppendEmpty(), scope.Spans().AppendEmpty(), scope.Spans().AppendEmpty()
	text.Attributes().PutStr("status", "500")
	number.Attributes().PutInt("status", 500)
	for _, row := range []string{
		`span.attributes["status"] >= 500`, `span.attributes["status"] < 500`, `span.attributes["status"] == 500`, `span.attributes["status"] != 200`,
		`Int(span.attributes["status"]) >= 500`, `span.attributes["status"] / 1000 == 0`, `Concat(["s", span.attributes["status"]], "-") == "s-<nil>"`,
		`7 / 2 == 3`,
	} {
		condition, err := parser.ParseCondition(row)
		if err != nil {
			panic(err)
		}
		fmt.Print(row, ":")
		for _, span := range []ptrace.Span{text, number, none} {
			holds, err := condition.Eval(context.Background(), ottlspan.NewTransformContext(resource, scope, span))
			if err != nil {
				fmt.Print(" error")
				continue
			}
			fmt.Print(" ", holds)
		}
		fmt.Println()
	}
}
GO
expect <<'END'
span.attributes["status"] >= 500: false true false
span.attributes["status"] < 500: false false false
span.attributes["status"] == 500: false true false
span.attributes["status"] != 200: true true true
Int(span.attributes["status"]) >= 500: true true false
span.attributes["status"] / 1000 == 0: error true error
Concat(["s", span.attributes["status"]], "-") == "s-<nil>": false false true
7 / 2 == 3: true true true
END
