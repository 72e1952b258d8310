#!/usr/bin/env bash
# client-go 0.36.3: the JSONPath of kubectl and of Argo Rollouts' web metrics.
#
# Guess: {.rows[*][2:]} gives what stands from the third place on in each row, or an error for a row that is too short.
#
# Really: at the first row that has exactly two entries the slice is empty, and all later rows are left out, without an
# error; those before it are kept. A row of one entry is an error.
#
# Matters: a metric that reads the newest values of several series by a slice sees only the series before the first one
# that has no new value: the bad ones behind it are not measured.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go@v0.36.3 k8s.io/client-go/util/jsonpath@v0.36.3 k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/client-go/util/jsonpath"
)

func main() {
	for _, document := range []string{`{"rows":[[1,2,3],[4,5,6]]}`, `{"rows":[[1,2,3],[4,5],[7,8,9]]}`, `{"rows":[[4,5],[7,8,9]]}`, `{"rows":[[1,2,3],[4]]}`} {
		var data any
		if err := json.Unmarshal([]byte(document), &data); err != nil {
			panic(err)
		}
		path := jsonpath.New("seen")
		if err := path.Parse("{.rows[*][2:]}"); err != nil {
			panic(err)
		}
		var told bytes.Buffer
		err := path.Execute(&told, data)
		fmt.Println(document, "->", told.String(), err)
	}
}
GO
expect <<'END'
{"rows":[[1,2,3],[4,5,6]]} -> 3 6 <nil>
{"rows":[[1,2,3],[4,5],[7,8,9]]} -> 3 <nil>
{"rows":[[4,5],[7,8,9]]} ->  <nil>
{"rows":[[1,2,3],[4]]} ->  array index out of bounds: index 2, length 1
END
