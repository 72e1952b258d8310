#!/usr/bin/env bash
# KEDA 2.21.0 (module github.com/kedacore/keda/v2, apis/keda/v1alpha1): a pause that is switched off by `no`, `off` or an empty
# value is a pause.
#
# Guess: autoscaling.keda.sh/paused and its kin are booleans: `no` and `off`, as YAML has them, or the empty text that a template
# leaves, are false, or an error that the ScaledObject tells.
#
# Really: true, false, 1, 0, t, f and their capitals are read as Go reads them, and whatever else is true. It is so for paused,
# paused-scale-in, paused-scale-out and force-activation. Nothing is said about it.
#
# Matters: an annotation that a chart renders from a value that is empty holds an application where it is, or never lets it
# shrink. Leave the annotation out, or write "false".
#
# Seen:
#   paused: "true" true, "1" true, "yes" true, "on" true, "false" false, "0" false, "F" false, "no" true, "off" true, "" true, "disabled" true
#   paused-scale-in: "no" true, "false" false
#   force-activation: "no" true, "false" false
set -euo pipefail
parts=$(cd "$(dirname "$0")/../e2e/parts/keda" && pwd)
. "$(dirname "$0")/lib/work.sh"
cd "$work"
# One set of versions: KEDA has more requirements than a module of its own would find alike.
cp "$parts/go.mod" "$parts/go.sum" .
grep -q 'github.com/kedacore/keda/v2 v2.21.0' go.mod
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

func told(annotation string, values []string, is func(*v1alpha1.ScaledObject) bool) {
	var seen []string
	for _, value := range values {
		var scaled v1alpha1.ScaledObject
		scaled.Annotations = map[string]string{"autoscaling.keda.sh/" + annotation: value}
		seen = append(seen, fmt.Sprintf("%q %t", value, is(&scaled)))
	}
	fmt.Printf("%s: %s\n", annotation, strings.Join(seen, ", "))
}

func main() {
	all := []string{"true", "1", "yes", "on", "false", "0", "F", "no", "off", "", "disabled"}
	told("paused", all, (*v1alpha1.ScaledObject).NeedToBePausedByAnnotation)
	told("paused-scale-in", []string{"no", "false"}, (*v1alpha1.ScaledObject).NeedToPauseScaleIn)
	told("force-activation", []string{"no", "false"}, (*v1alpha1.ScaledObject).NeedToForceActivation)
}
GO
CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags='-s -w' -o pauses . 2>log || { cat log >&2; exit 1; }
./pauses | tee seen
diff seen - <<'TXT'
paused: "true" true, "1" true, "yes" true, "on" true, "false" false, "0" false, "F" false, "no" true, "off" true, "" true, "disabled" true
paused-scale-in: "no" true, "false" false
force-activation: "no" true, "false" false
TXT
