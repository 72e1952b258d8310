#!/usr/bin/env bash
# k8s.io/apimachinery and k8s.io/api 0.36.3 (Go): strategic merge patches, as kubectl patch sends them by default.
#
# Guess: a patch that gives a variable X a valueFrom replaces its value: the entry with that name is replaced.
#
# Really: entries of the same name are merged. X then has value and valueFrom, which the API server refuses ("may not
# be specified when `value` is not empty"). The same with a probe whose kind changes and a volume whose source
# changes.
#
# Matters: a release by kubectl patch, or an overlay, that moves a variable to a Secret fails. Say value: null beside
# it. Serin writes JSON merge patches, which replace the list.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/api@v0.36.3 k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func main() {
	for _, change := range [][2]string{
		{`{"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}`, `{"containers":[{"name":"a","env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"s","key":"x"}}}]}]}`},
		{`{"containers":[{"name":"a","livenessProbe":{"httpGet":{"port":80}}}]}`, `{"containers":[{"name":"a","livenessProbe":{"grpc":{"port":80}}}]}`},
		{`{"volumes":[{"name":"v","emptyDir":{}}]}`, `{"volumes":[{"name":"v","configMap":{"name":"c"}}]}`},
	} {
		after, err := strategicpatch.StrategicMergePatch([]byte(change[0]), []byte(change[1]), corev1.PodSpec{})
		fmt.Println(string(after), err)
	}
}
GO
expect <<'END'
{"containers":[{"env":[{"name":"X","value":"1","valueFrom":{"secretKeyRef":{"key":"x","name":"s"}}}],"name":"a"}]} <nil>
{"containers":[{"livenessProbe":{"grpc":{"port":80},"httpGet":{"port":80}},"name":"a"}]} <nil>
{"volumes":[{"configMap":{"name":"c"},"emptyDir":{},"name":"v"}]} <nil>
END
