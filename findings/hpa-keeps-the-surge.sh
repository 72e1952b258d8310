#!/usr/bin/env bash
# Kubernetes 1.36.3 (module k8s.io/kubernetes, pkg/controller/podautoscaler): an HPA with an external metric takes the
# extra pod of a rolling update for the number of pods that is wanted.
#
# Guess: with AverageValue the number of pods is metric / target, rounded up: 100 at a target of 10 is 10 pods, whatever
# is running. The tolerance of 10 % only spares small changes of the metric.
#
# Really: within the tolerance the answer is status.replicas, and that counts surge pods. With 10 pods wanted and 11
# running, 100 / (10 * 11) is 0.91, so the HPA asks for 11, and the Deployment is scaled up by its own update.
#
# Matters: each promotion rolls the primary; with maxSurge at or below a tenth of its pods the HPA (or KEDA's, all of whose
# triggers are such metrics) adopts the surge and keeps it until the metric moves. A primary of 10 pods runs 11, and its
# autoscaler is not broken. Use a maxSurge above a tenth of the pods, or a smaller tolerance in the HPA's behavior.
#
# Seen, of a metric of 100 with a target of 10:
#   10 pods: 10
#   11 pods: 11
#   12 pods: 10
#   9 pods: 10
set -euo pipefail
parts=$(cd "$(dirname "$0")/../e2e/parts/bed" && pwd)
. "$(dirname "$0")/lib/work.sh"
cd "$work"
# Kubernetes is no library: what it needs is pinned there.
cp "$parts/go.mod" "$parts/go.sum" .
grep -q 'k8s.io/kubernetes v1.36.3' go.mod
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// queue is a metrics API that has one external metric, of 100.
type queue struct{}

func (queue) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{100}, time.Time{}, nil
}

func (queue) GetResourceMetric(context.Context, core.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, nil
}

func (queue) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, nil
}

func (queue) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, nil
}

func main() {
	calculator := podautoscaler.NewReplicaCalculator(queue{}, nil, 0, 0)
	// The tolerances, down and up, have no constructor outside of the package; 0.1 is the controller's default.
	usual := podautoscaler.Tolerances{}
	*(*[2]float64)(unsafe.Pointer(&usual)) = [2]float64{0.1, 0.1}
	for _, running := range []int32{10, 11, 12, 9} {
		wanted, _, _, err := calculator.GetExternalPerPodMetricReplicas(running, 10, "queue", usual, "shop", nil)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d pods: %d\n", running, wanted)
	}
}
GO
CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o calculator . 2>log || { cat log >&2; exit 1; }
./calculator | tee seen
diff seen - <<'TXT'
10 pods: 10
11 pods: 11
12 pods: 10
9 pods: 10
TXT
