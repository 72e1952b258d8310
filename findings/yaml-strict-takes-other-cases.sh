#!/usr/bin/env bash
# sigs.k8s.io/yaml 1.6.0 (Go; kubectl, Helm, most tools in Go) and sigs.k8s.io/json 11ed52e25bc5 (Go; the API server).
#
# Guess: UnmarshalStrict() refuses `stepweight: 10` where the field is called stepWeight, as the API server does.
#
# Really: keys are first turned into the spelling of the struct, so that any mixture of cases passes, strict or not. For
# the API server `stepweight` is an unknown field, which it drops (with a warning, if strict). Of stepWeight and
# stepweight in one file the tool takes the latter and the API server the former.
#
# Matters: a check of Canaries in CI that is written in Go shows a step of 10 % and passes the file; the cluster runs it
# without one. Check by the schema, or by a server-side dry run.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go sigs.k8s.io/yaml@v1.6.0 sigs.k8s.io/json@v0.0.0-20260909141634-11ed52e25bc5 <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

type Analysis struct {
	StepWeight int    `json:"stepWeight"`
	Interval   string `json:"interval"`
}

func main() {
	for _, text := range []string{"stepweight: 10\nInterval: 1m\n", "stepWeight: 10\nstepweight: 50\ninterval: 1m\n"} {
		var tool, server Analysis
		fmt.Println("sigs.k8s.io/yaml, strict:", yaml.UnmarshalStrict([]byte(text), &tool), tool)
		sent, _ := yaml.YAMLToJSON([]byte(text))
		dropped, _ := json.UnmarshalStrict(sent, &server)
		fmt.Println("API server:", dropped, server)
	}
}
GO
expect <<'END'
sigs.k8s.io/yaml, strict: <nil> {10 1m}
API server: [unknown field "Interval" unknown field "stepweight"] {0 }
sigs.k8s.io/yaml, strict: <nil> {50 1m}
API server: [unknown field "stepweight"] {10 1m}
END
