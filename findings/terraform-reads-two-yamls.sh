#!/usr/bin/env bash
# github.com/zclconf/go-cty-yaml 1.2.0 (Go; yamldecode() of Terraform), against sigs.k8s.io/yaml 1.6.0 (kubectl).
#
# Guess: yamldecode() reads a manifest as kubectl does, or as YAML 1.2 says throughout.
#
# Really: its booleans are those of YAML 1.1 (on, yes and y are true), its integers those of 1.2: 0644 is 644 and 1_000 a
# text, where kubectl reads 420 and 1000. A plain date gets a time of day.
#
# Matters: a manifest that kubectl applies, given to Terraform's Kubernetes provider by yamldecode(file(...)), mounts files
# with the mode 01204, and an annotation `released: 2024-01-15` is another text: in a pod template that is a release.
# Quote, and write modes as decimal numbers.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/zclconf/go-cty-yaml@v1.2.0 github.com/zclconf/go-cty@v1.20.0 sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	terraform "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty/json"
	kubectl "sigs.k8s.io/yaml"
)

func main() {
	for _, value := range []string{"0644", "0o644", "08", "on", "y", "2024-01-15", "1_000", "12:30"} {
		text := []byte("a: " + value)
		kind, err := terraform.Standard.ImpliedType(text)
		if err != nil {
			panic(err)
		}
		read, err := terraform.Unmarshal(text, kind)
		if err != nil {
			panic(err)
		}
		ours, _ := json.Marshal(read, kind)
		theirs, _ := kubectl.YAMLToJSON(text)
		fmt.Printf("%s: Terraform %s, kubectl %s\n", value, ours, theirs)
	}
}
GO
expect <<'END'
0644: Terraform {"a":644}, kubectl {"a":420}
0o644: Terraform {"a":420}, kubectl {"a":420}
08: Terraform {"a":8}, kubectl {"a":8}
on: Terraform {"a":true}, kubectl {"a":true}
y: Terraform {"a":true}, kubectl {"a":true}
2024-01-15: Terraform {"a":"2024-01-15T00:00:00Z"}, kubectl {"a":"2024-01-15"}
1_000: Terraform {"a":"1_000"}, kubectl {"a":1000}
12:30: Terraform {"a":"12:30"}, kubectl {"a":"12:30"}
END
