#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go), tools/leaderelection.
#
# Guess: with ReleaseOnCancel the Lease is given back when OnStartedLeading, whose context was cancelled, has returned; and
# OnStoppedLeading is called for who has led.
#
# Really: the Lease is given back at once, beside the work: another leads while the first is still finishing.
# OnStoppedLeading is called before the work ends, too, and for a candidate that has never led.
#
# Matters: an operator in Go that is replaced writes at the same time as its successor, for as long as its last pass takes:
# weights of a Canary jump back. One that tidies up in OnStoppedLeading does so as a standby that is merely restarted, and
# takes away what the leader has set. End the work before the context of the election, and remember who led.
#
# Seen, where the work of "one" takes five seconds to end: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go@v0.36.3 <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var (
	leases = fake.NewClientset().CoordinationV1()
	leads  = make(chan bool, 2)
)

// candidate runs until its context ends and its work is done.
func candidate(ctx context.Context, name string, finishing time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended, worked := make(chan bool), make(chan bool, 1)
	lock := &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Name: "operator", Namespace: "default"}, Client: leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: name},
	}
	go func() {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true,
			LeaseDuration: 60 * time.Second, RenewDeadline: 40 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					fmt.Println(name, "leads")
					leads <- true
					<-ctx.Done()
					time.Sleep(finishing)
					fmt.Println(name, "has finished its work")
					worked <- true
				},
				OnStoppedLeading: func() { fmt.Println(name, "is told that it stopped leading") },
			},
		})
		ended <- true
	}()
	return func() {
		cancel()
		<-ended
		if finishing > 0 {
			<-worked
		}
	}
}

func main() {
	stopOne := candidate(context.Background(), "one", 5*time.Second)
	<-leads
	stopTwo := candidate(context.Background(), "two", 0)
	time.Sleep(time.Second)
	stopTwo()
	candidate(context.Background(), "three", 0)
	time.Sleep(time.Second)
	stopOne()
}
GO
expect <<'END'
one leads
two is told that it stopped leading
one is told that it stopped leading
three leads
one has finished its work
END
