#!/usr/bin/env bash
# The Prometheus exporter of the OpenTelemetry Collector, opentelemetry-collector-contrib 0.165.1 (Go).
#
# Guess: two pods of one service that send their counters to a collector have a series each on its page, or one with the
# sum.
#
# Really: they have one series, with the value of whoever sent last: attributes of the resource, such as the pod's name and
# the version, are no labels, and only service.instance.id, which SDKs leave out, tells the pods apart. Nothing warns.
#
# Matters: the counter of the primary (1000) and of the canary (5) take turns: each fall is a reset, so that rates are many
# times the real ones, and nothing can be asked for the canary alone. Set service.instance.id to the pod's uid, and take the
# attributes over as labels (resource_constant_labels).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter@v0.165.1 \
  go.opentelemetry.io/collector/exporter/exportertest@v0.165.0 go.opentelemetry.io/collector/component/componenttest@v0.165.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// sent is the counter of one pod, as its SDK sends it.
func sent(version string, count int64, instance string) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	resource := metrics.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	resource.Resource().Attributes().PutStr("service.version", version)
	resource.Resource().Attributes().PutStr("k8s.pod.name", "shop-"+version)
	if instance != "" {
		resource.Resource().Attributes().PutStr("service.instance.id", instance)
	}
	metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("requests")
	sum := metric.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	point := sum.DataPoints().AppendEmpty()
	point.SetIntValue(count)
	point.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	return metrics
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	address := listener.Addr().String()
	must(listener.Close())
	factory := prometheusexporter.NewFactory()
	config := factory.CreateDefaultConfig().(*prometheusexporter.Config)
	config.ServerConfig.NetAddr.Endpoint = address
	config.WithoutScopeInfo = true
	ctx := context.Background()
	exporter, err := factory.CreateMetrics(ctx, exportertest.NewNopSettings(factory.Type()), config)
	must(err)
	must(exporter.Start(ctx, componenttest.NewNopHost()))
	page := func(when string) {
		answer, err := http.Get("http://" + address + "/metrics")
		must(err)
		text, err := io.ReadAll(answer.Body)
		must(err)
		fmt.Println(when)
		for _, line := range regexp.MustCompile(`(?m)^requests_total.*$`).FindAllString(string(text), -1) {
			fmt.Println(" ", line)
		}
	}
	for _, instances := range [][]string{{"", ""}, {"a", "b"}} {
		must(exporter.ConsumeMetrics(ctx, sent("1", 1000, instances[0])))
		page("after the pod of version 1:")
		must(exporter.ConsumeMetrics(ctx, sent("2", 5, instances[1])))
		page("after the pod of version 2:")
	}
}
GO
expect <<'END'
after the pod of version 1:
  requests_total{job="shop"} 1000
after the pod of version 2:
  requests_total{job="shop"} 5
after the pod of version 1:
  requests_total{job="shop"} 5
  requests_total{instance="a",job="shop"} 1000
after the pod of version 2:
  requests_total{job="shop"} 5
  requests_total{instance="a",job="shop"} 1000
  requests_total{instance="b",job="shop"} 5
END
