#!/usr/bin/env bash
# github.com/google/go-jsonnet 0.22.0.
#
# Guess: std.prune() tidies a manifest: what it removes means nothing.
#
# Really: it removes empty objects, and in Kubernetes {} often means something: emptyDir: {}, podSelector: {} (all
# pods), a rule without limits. It goes through lists as well, and removes the elements.
#
# Matters: a NetworkPolicy that admitted everything denies everything, as its only rule is gone, and a Deployment's
# volume has no source. Serin keeps empty objects for this reason.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/google/go-jsonnet@v0.22.0 <<'GO'
package main

import (
	"fmt"

	"github.com/google/go-jsonnet"
)

func main() {
	for _, text := range []string{"{volumes: [{name: 'tmp', emptyDir: {}}]}", "{podSelector: {}, ingress: [{}], policyTypes: ['Ingress']}"} {
		told, err := jsonnet.MakeVM().EvaluateAnonymousSnippet("seen", "std.manifestJsonMinified(std.prune("+text+"))")
		fmt.Print(text, " -> ", told)
		if err != nil {
			panic(err)
		}
	}
}
GO
expect <<'END'
{volumes: [{name: 'tmp', emptyDir: {}}]} -> "{\"volumes\":[{\"name\":\"tmp\"}]}"
{podSelector: {}, ingress: [{}], policyTypes: ['Ingress']} -> "{\"policyTypes\":[\"Ingress\"]}"
END
