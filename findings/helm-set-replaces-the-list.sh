#!/usr/bin/env bash
# helm.sh/helm/v3 v3.22.0 (pkg/strvals and pkg/chartutil): `--set metrics[1].max=5` changes an entry of a user's list, and
# wipes out a chart's.
#
# Guess: the second check gets another limit, and the rest stays, wherever the list comes from.
#
# Really: --set is applied to the user's files first, and lists of the chart's own values.yaml are then replaced as a whole.
# With the list in a file of -f the entry is changed. With the list in the chart the result is [null, {max: 5}]: the first
# check is null and the second has lost its name. And `metrics={}` is no empty list but one of an empty text.
#
# Matters: the same flag, moved to another environment that has no values file, takes the checks out of a Canary. Give lists
# as a whole, with --set-json or -f; render `helm template` in CI and look at spec.analysis.metrics.
#
# Seen:
#   list in a -f file, metrics[1].max=5: [{"max":500,"name":"success"},{"max":5,"name":"errors"}]
#   list in the chart, metrics[1].max=5: [null,{"max":5}]
#   list in the chart, metrics={}: [""]
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
cd "$work"
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"
)

// checks are values as they are read from a file.
func checks() map[string]any {
	var values map[string]any
	must(json.Unmarshal([]byte(`{"metrics": [{"name": "success", "max": 500}, {"name": "errors", "max": 1}]}`), &values))
	return values
}

// show prints what templates see, given a chart's values, those of -f, and --set.
func show(where, set string, ofChart, ofFile map[string]any) {
	must(strvals.ParseInto(set, ofFile))
	values, err := chartutil.CoalesceValues(&chart.Chart{Metadata: &chart.Metadata{Name: "app"}, Values: ofChart}, ofFile)
	must(err)
	metrics, err := json.Marshal(values["metrics"])
	must(err)
	fmt.Printf("%s, %s: %s\n", where, set, metrics)
}

func main() {
	show("list in a -f file", "metrics[1].max=5", map[string]any{}, checks())
	show("list in the chart", "metrics[1].max=5", checks(), map[string]any{})
	show("list in the chart", "metrics={}", checks(), map[string]any{})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
(go mod init values && go get helm.sh/helm/v3/pkg/chartutil@v3.22.0 && go build -o values .) 2>log || { cat log >&2; exit 1; }
./values | tee seen
diff seen - <<'TXT'
list in a -f file, metrics[1].max=5: [{"max":500,"name":"success"},{"max":5,"name":"errors"}]
list in the chart, metrics[1].max=5: [null,{"max":5}]
list in the chart, metrics={}: [""]
TXT
