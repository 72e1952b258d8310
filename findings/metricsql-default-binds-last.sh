#!/usr/bin/env bash
# github.com/VictoriaMetrics/metricsql v0.87.3, the query language of VictoriaMetrics: `default` binds weaker than
# everything else.
#
# Guess: in `rate(failed[1m]) default 0 / rate(all[1m])` the default applies to the operand on its left: no failures are 0,
# and then it is divided.
#
# Really: it is read as rate(failed[1m]) default (0 / rate(all[1m])): where there are failures, the result is failures per
# second, undivided. `if` and `ifnot` bind as weakly.
#
# Matters: a share of failures that is to stay below 0.01 is compared with failures per second: at 1000 requests a second a
# canary with 0.1 % failures shows 1 and is rolled back; at one request in 1000 s one that always fails shows 0.001 and
# passes. Write (rate(failed[1m]) default 0) / rate(all[1m]).
#
# Seen: the readings below.
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
cd "$work"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/VictoriaMetrics/metricsql"
)

func main() {
	for _, query := range []string{
		"rate(failed[1m]) default 0 / rate(all[1m])",
		"(rate(failed[1m]) default 0) / rate(all[1m])",
		"failed if all / 2",
	} {
		expression, err := metricsql.Parse(query)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\n  is %s\n", query, expression.AppendString(nil))
	}
}
GO
(go mod init reading && go get github.com/VictoriaMetrics/metricsql@v0.87.3) 2>log || { cat log >&2; exit 1; }
go run . | tee seen
diff seen - <<'TXT'
rate(failed[1m]) default 0 / rate(all[1m])
  is rate(failed[1m]) default (0 / rate(all[1m]))
(rate(failed[1m]) default 0) / rate(all[1m])
  is (rate(failed[1m]) default 0) / rate(all[1m])
failed if all / 2
  is failed if (all / 2)
TXT
