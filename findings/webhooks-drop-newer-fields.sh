#!/usr/bin/env bash
# gomodules.xyz/jsonpatch 2.5.0, by which controller-runtime answers for webhooks (Go), with k8s.io/api 0.36.3.
#
# Guess: a webhook that decodes a Pod, sets a label and answers with the difference to what it got patches the label.
#
# Really: the patch removes every field that its version of k8s.io/api does not know, and adds empty resources and an
# empty status.
#
# Matters: a sidecar injector that is older than the cluster takes newer fields out of all pods. The manifest was right
# and no one tells of it: a release that needs such a field behaves as if it were not there, and is rolled back, or its
# primary is as broken as it. Make the patch by hand, or from two copies of the typed object.
#
# Seen, where `newerField` stands for what a later version brings: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go gomodules.xyz/jsonpatch/v2@v2.5.0 k8s.io/api@v0.36.3 k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"sort"

	"gomodules.xyz/jsonpatch/v2"
	core "k8s.io/api/core/v1"
)

func show(name string, before, after []byte) {
	operations, err := jsonpatch.CreatePatch(before, after)
	lines := []string{}
	for _, operation := range operations {
		lines = append(lines, operation.Json())
	}
	sort.Strings(lines)
	fmt.Println(name, err, lines)
}

func main() {
	sent := []byte(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"},
		"spec": {"newerField": true, "containers": [{"name": "app", "image": "app:1"}]}}`)
	var pod core.Pod
	json.Unmarshal(sent, &pod)
	untouched, _ := json.Marshal(pod)
	pod.Labels = map[string]string{"team": "shop"}
	labelled, _ := json.Marshal(pod)
	show("from what was sent:", sent, labelled)
	show("from two copies:", untouched, labelled)
}
GO
expect <<'END'
from what was sent: <nil> [{"op":"add","path":"/metadata/labels","value":{"team":"shop"}} {"op":"add","path":"/spec/containers/0/resources","value":{}} {"op":"add","path":"/status","value":{}} {"op":"remove","path":"/spec/newerField"}]
from two copies: <nil> [{"op":"add","path":"/metadata/labels","value":{"team":"shop"}}]
END
