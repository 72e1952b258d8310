#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go), tools/record: what every controller in Go, Flagger too, sends its Events through.
#
# Guess: forty different messages about one object are forty Events.
#
# Really: nine. From the tenth of one reason on they are written over one Event, "(combined from similar events)", and
# after 25 of one object nothing is sent at all, without an error or a log line; one more is let through each five
# minutes.
#
# Matters: a run with many steps and failed checks ends with the newest Events missing, of all those that explain the
# rollback. What is to be read afterwards belongs into the status.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go/tools/record@v0.36.3 <<'GO'
package main

import (
	"fmt"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
)

func main() {
	correlator := record.NewEventCorrelator(clock.RealClock{})
	own, combined, dropped := 0, 0, 0
	for step := range 40 {
		now := meta.Now()
		event := &core.Event{
			ObjectMeta:     meta.ObjectMeta{Namespace: "test", Name: fmt.Sprint("app.", step)},
			InvolvedObject: core.ObjectReference{Kind: "Canary", Namespace: "test", Name: "app", UID: "1"},
			Source:         core.EventSource{Component: "operator"},
			Reason:         "Synced",
			Message:        fmt.Sprintf("weight is %d", step),
			FirstTimestamp: now, LastTimestamp: now, Count: 1,
		}
		result, err := correlator.EventCorrelate(event)
		switch {
		case err != nil:
			panic(err)
		case result.Skip:
			dropped++
		case result.Event.Message == event.Message:
			own++
		default:
			combined++
		}
	}
	fmt.Println("Events of their own:", own, "combined:", combined, "dropped:", dropped)
}
GO
expect <<'END'
Events of their own: 9 combined: 16 dropped: 15
END
