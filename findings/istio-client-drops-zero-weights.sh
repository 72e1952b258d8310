#!/usr/bin/env bash
# istio.io/client-go 1.32.0 (Go).
#
# Guess: a VirtualService that is read and written back by Istio's own client is as it was, field by field.
#
# Really: weight: 0 and attempts: 0 are gone, mirrorPercentage: {value: 0} is {}, 1m is 60s and 1.5s is 1.500s, and fields
# that are newer than the package are dropped. For Istio it means the same; as text it differs.
#
# Matters: a tool or a mutating webhook in Go that sets a label on routes writes another text than Git, Flagger or Serin,
# which write the canary's weight of 0 out: each takes the other's text for a change and writes it again. Patch the label
# alone, and compare routes by their meaning.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go istio.io/client-go@v1.32.0 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	networking "istio.io/client-go/pkg/apis/networking/v1"
)

func main() {
	for _, rule := range []string{
		`{"route": [{"destination": {"host": "primary"}, "weight": 100}, {"destination": {"host": "canary"}, "weight": 0}]}`,
		`{"timeout": "1m", "retries": {"attempts": 3, "perTryTimeout": "1.5s"}}`,
		`{"retries": {"attempts": 0}, "mirrorPercentage": {"value": 0}}`,
		`{"timeout": "60s", "fieldOfTomorrow": true}`,
	} {
		var service networking.VirtualService
		err := json.Unmarshal([]byte(`{"spec": {"http": [`+rule+`]}}`), &service)
		text, _ := json.Marshal(&service)
		var written struct {
			Spec struct{ Http []map[string]any }
		}
		json.Unmarshal(text, &written)
		again, _ := json.Marshal(written.Spec.Http[0])
		fmt.Println(rule, "is written", string(again), err)
	}
}
GO
expect <<'END'
{"route": [{"destination": {"host": "primary"}, "weight": 100}, {"destination": {"host": "canary"}, "weight": 0}]} is written {"route":[{"destination":{"host":"primary"},"weight":100},{"destination":{"host":"canary"}}]} <nil>
{"timeout": "1m", "retries": {"attempts": 3, "perTryTimeout": "1.5s"}} is written {"retries":{"attempts":3,"perTryTimeout":"1.500s"},"timeout":"60s"} <nil>
{"retries": {"attempts": 0}, "mirrorPercentage": {"value": 0}} is written {"mirrorPercentage":{},"retries":{}} <nil>
{"timeout": "60s", "fieldOfTomorrow": true} is written {"timeout":"60s"} <nil>
END
