#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 3.3.0 (Go; Helm's templates).
#
# Guess: `duration 90` is 1m30s, as `duration "90"` is.
#
# Really: it takes text or int64. An int or a float64, which is what a number in values.yaml is, gives 0s without an
# error.
#
# Matters: `interval: {{ duration .Values.interval }}` with interval 90 makes a Canary with an interval of 0s. Write
# `duration (toString .Values.interval)`; large floats need `int64` first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/Masterminds/sprig/v3@v3.3.0 <<'GO'
package main

import (
	"encoding/json"
	"os"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

const text = `literal: {{ duration 90 }}
values: {{ duration .interval }}
text: {{ duration "90" }}
int64: {{ duration (int64 .interval) }}
`

func main() {
	var values map[string]any
	if err := json.Unmarshal([]byte(`{"interval": 90}`), &values); err != nil {
		panic(err)
	}
	if err := template.Must(template.New("").Funcs(sprig.TxtFuncMap()).Parse(text)).Execute(os.Stdout, values); err != nil {
		panic(err)
	}
}
GO
expect <<'END'
literal: 0s
values: 0s
text: 1m30s
int64: 1m30s
END
