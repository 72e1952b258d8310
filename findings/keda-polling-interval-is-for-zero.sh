#!/usr/bin/env bash
# KEDA 2.21.0 (module github.com/kedacore/keda/v2, apis/keda/v1alpha1): pollingInterval means nothing for an application that
# keeps one pod.
#
# Guess: pollingInterval is how often KEDA asks the triggers. With 2 an application follows its load within some two seconds,
# and the server of the metrics is asked every two seconds.
#
# Really: with minReplicaCount of 1 or more the interval is without effect. The HorizontalPodAutoscaler asks through KEDA's metrics
# server, every 15 s for the whole cluster (--horizontal-pod-autoscaler-sync-period). The interval counts with a minimum
# of 0, with idleReplicaCount, or where a trigger has useCachedMetrics.
#
# Matters: minReplicaCount of 0 and 1 differ by more than a pod. Raised from 0 to 1, as for the time of a canary release, a
# ScaledObject reacts later than before, although nobody touched the interval; and a primary that is to follow its load
# faster needs another period of the controller, not another interval.
#
# Seen:
#   minReplicaCount unset: true
#   minReplicaCount 0: true
#   minReplicaCount 1: false
#   minReplicaCount 1, idleReplicaCount 0: true
#   minReplicaCount 1, useCachedMetrics: true
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
	"encoding/json"
	"fmt"

	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

func main() {
	for _, at := range []struct{ about, spec string }{
		{"minReplicaCount unset", `{"triggers": [{"type": "prometheus"}]}`},
		{"minReplicaCount 0", `{"minReplicaCount": 0, "triggers": [{"type": "prometheus"}]}`},
		{"minReplicaCount 1", `{"minReplicaCount": 1, "triggers": [{"type": "prometheus"}]}`},
		{"minReplicaCount 1, idleReplicaCount 0", `{"minReplicaCount": 1, "idleReplicaCount": 0, "triggers": [{"type": "prometheus"}]}`},
		{"minReplicaCount 1, useCachedMetrics", `{"minReplicaCount": 1, "triggers": [{"type": "prometheus", "useCachedMetrics": true}]}`},
	} {
		var scaled v1alpha1.ScaledObject
		if err := json.Unmarshal([]byte(`{"spec": `+at.spec+`}`), &scaled); err != nil {
			panic(err)
		}
		fmt.Printf("%s: %t\n", at.about, scaled.IsPollingIntervalRelevant())
	}
}
GO
CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags='-s -w' -o polls . 2>log || { cat log >&2; exit 1; }
./polls | tee seen
diff seen - <<'TXT'
minReplicaCount unset: true
minReplicaCount 0: true
minReplicaCount 1: false
minReplicaCount 1, idleReplicaCount 0: true
minReplicaCount 1, useCachedMetrics: true
TXT
