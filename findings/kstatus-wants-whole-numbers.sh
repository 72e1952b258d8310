#!/usr/bin/env bash
# github.com/fluxcd/cli-utils 1.2.2 and sigs.k8s.io/cli-utils 0.37.2 (Go), kstatus, with k8s.io/apimachinery 0.36.2.
#
# Guess: status.Compute reads an object that encoding/json has decoded into a map: it only looks at a few fields of it.
#
# Really: it fails for every object with a generation, because encoding/json makes a float64 of it. Decoded with
# k8s.io/apimachinery/pkg/util/json, which makes an int64 of whole numbers, the same text is Current. An object without
# generation is read either way.
#
# Matters: a pipeline in Go that asks kstatus about a Canary, from `kubectl get -o json` and encoding/json, gets an error for
# objects of a cluster, and none for those in its tests, which have no generation.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/fluxcd/cli-utils@v1.2.2 sigs.k8s.io/cli-utils@v0.37.2 k8s.io/apimachinery@v0.36.2 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	k8sjson "k8s.io/apimachinery/pkg/util/json"
	sigs "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	decoders := []struct {
		name   string
		decode func([]byte, any) error
	}{
		{"encoding/json", json.Unmarshal},
		{"apimachinery", func(text []byte, into any) error { return k8sjson.Unmarshal(text, into) }},
	}
	for _, generation := range []string{`,"generation":1`, ""} {
		text := `{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"` + generation + `},"status":{"observedGeneration":1}}`
		for _, d := range decoders {
			object := map[string]any{}
			if err := d.decode([]byte(text), &object); err != nil {
				panic(err)
			}
			of := &unstructured.Unstructured{Object: object}
			one, err := flux.Compute(of)
			two, other := sigs.Compute(of)
			fmt.Println(d.name, "generation:", generation != "", "failed:", err != nil, other != nil)
			if one != nil && two != nil {
				fmt.Println(" ", one.Status, two.Status)
			}
		}
	}
}
GO
expect <<'END'
encoding/json generation: true failed: true true
apimachinery generation: true failed: false false
  Current Current
encoding/json generation: false failed: false false
  Current Current
apimachinery generation: false failed: false false
  Current Current
END
