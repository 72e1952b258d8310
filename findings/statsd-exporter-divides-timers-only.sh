#!/usr/bin/env bash
# prometheus/statsd_exporter 0.31.0, with datadog 0.52.1 (Python).
#
# Guess: a duration of 250 ms is the same value, whether it is sent as a timer, a histogram or a distribution.
#
# Really: a timer (ms) is divided by 1000, since Prometheus counts in seconds; a histogram (h) and a distribution (d) are
# taken as they are. One name is 0.25 from one service and 250 from the next.
#
# Matters: a release that changes its calls from timing() to histogram() is a thousand times slower in Prometheus and is
# rolled back; the reverse hides a canary that is slow. Name the unit in the metric, and send seconds in histograms.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python datadog==0.52.1 <<PY
import socket
from datadog.dogstatsd import DogStatsd

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.settimeout(10)
client = DogStatsd("127.0.0.1", receiver.getsockname()[1], disable_telemetry=True, disable_buffering=True, disable_aggregation=True)
with open("$work/lines", "w") as lines:
    for send in (client.timing, client.histogram, client.distribution):
        send("checkout", 250)
        print(receiver.recv(1000).decode().strip(), file=lines)
PY
with_go github.com/prometheus/statsd_exporter/pkg/line@v0.31.0 <<GO
package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/statsd_exporter/pkg/line"
)

func main() {
	parser := line.NewParser()
	parser.EnableDogstatsdParsing()
	errors := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "errors"}, []string{"reason"})
	other := prometheus.NewCounter(prometheus.CounterOpts{Name: "other"})
	file, _ := os.Open("$work/lines")
	for lines := bufio.NewScanner(file); lines.Scan(); {
		for _, event := range parser.LineToEvents(lines.Text(), *errors, other, other, other, slog.Default()) {
			fmt.Println(lines.Text(), "is", event.Value())
		}
	}
}
GO
expect <<'END'
checkout:250|ms is 0.25
checkout:250|h is 250
checkout:250|d is 250
END
