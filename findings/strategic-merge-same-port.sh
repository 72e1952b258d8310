#!/usr/bin/env bash
# k8s.io/apimachinery and k8s.io/api 0.36.3 (Go): strategic merge patches, as kubectl apply (client-side) and Helm 3
# make them.
#
# Guess: a Service with 443/TCP and 443/UDP has two ports, and changing the second one changes the second one.
#
# Really: ports of a Service are merged by `port` alone. The patch that is made names neither protocol, and applied it
# changes the first port. (Containers are the same with `containerPort`. Server-side apply goes by port and protocol.)
#
# Matters: HTTP/3 and DNS services have such pairs. An upgrade that renames or redirects the UDP port does that to TCP
# instead: here TCP goes to the new target port and UDP stays. A JSON merge patch, as Serin writes, replaces the list
# whole.
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
	before := []byte(`{"spec":{"ports":[{"port":443,"protocol":"TCP","targetPort":1},{"port":443,"protocol":"UDP","targetPort":1}]}}`)
	wanted := []byte(`{"spec":{"ports":[{"port":443,"protocol":"TCP","targetPort":1},{"port":443,"protocol":"UDP","targetPort":2}]}}`)
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, wanted, corev1.Service{})
	fmt.Println("patch:", string(patch), err)
	after, err := strategicpatch.StrategicMergePatch(before, patch, corev1.Service{})
	fmt.Println("after:", string(after), err)
}
GO
expect <<'END'
patch: {"spec":{"$setElementOrder/ports":[{"port":443},{"port":443}],"ports":[{"port":443,"targetPort":2}]}} <nil>
after: {"spec":{"ports":[{"port":443,"protocol":"TCP","targetPort":2},{"port":443,"protocol":"UDP","targetPort":1}]}} <nil>
END
