#!/usr/bin/env bash
# ghz 0.93.0 (its package runner, which the command calls).
#
# Guess: the percentiles of a load test are those of all calls, and calls that ran into the time-out are the slowest.
#
# Really: calls that fail are in no percentile, not in the histogram and not the slowest; they are in the average, which
# so can be above the slowest. The run itself is no error: the command ends with status 0 if every call fails.
#
# Matters: of a canary that hangs on half of its calls the p99 is that of the other half: a webhook with ghz and jq that
# judges by the p99 passes it. Give --count-errors, and compare the count of OK with that of all calls.
#
# Seen: see `expect` below. Every second call hangs until the time-out of 500 ms.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/bojand/ghz/runner@v0.93.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/bojand/ghz/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

type hanging struct {
	grpc_health_v1.UnimplementedHealthServer
	calls atomic.Int32
}

func (s *hanging) Check(call context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if s.calls.Add(1)%2 == 0 {
		<-call.Done()
		return nil, call.Err()
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, &hanging{})
	reflection.Register(server)
	go server.Serve(listener)
	long := 400 * time.Millisecond
	for _, count := range []bool{false, true} {
		report, err := runner.Run("grpc.health.v1.Health.Check", listener.Addr().String(), runner.WithInsecure(true),
			runner.WithTotalRequests(20), runner.WithConcurrency(1), runner.WithTimeout(500*time.Millisecond),
			runner.WithDataFromJSON("{}"), runner.WithCountErrors(count))
		p99 := report.LatencyDistribution[len(report.LatencyDistribution)-1]
		fmt.Println("count-errors", count, report.StatusCodeDist, "error", err)
		fmt.Printf("  p%d at the time-out: %v, slowest at the time-out: %v, average above the slowest: %v\n",
			p99.Percentage, p99.Latency > long, report.Slowest > long, report.Average > report.Slowest)
	}
}
GO
expect <<'END'
count-errors false map[DeadlineExceeded:10 OK:10] error <nil>
  p99 at the time-out: false, slowest at the time-out: false, average above the slowest: true
count-errors true map[DeadlineExceeded:10 OK:10] error <nil>
  p99 at the time-out: true, slowest at the time-out: true, average above the slowest: false
END
