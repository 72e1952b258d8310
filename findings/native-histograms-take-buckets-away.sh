#!/usr/bin/env bash
# client_golang 1.25.0 (Go).
#
# Guess: NativeHistogramBucketFactor adds a native histogram to the buckets that a histogram without Buckets has anyway.
#
# Really: with it, and without Buckets, there are no buckets but +Inf on the page: what is scraped as text, which is all
# that Prometheus asks for unless told otherwise, has sum and count only.
#
# Matters: a release that switches native histograms on "for later" loses its durations: request-duration finds no
# number, and a good version is rolled back. Write Buckets: prometheus.DefBuckets beside it.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/client_golang/prometheus/promhttp@v1.25.0 <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	registry := prometheus.NewRegistry()
	for _, options := range []prometheus.HistogramOpts{
		{Name: "plain"},
		{Name: "native", NativeHistogramBucketFactor: 1.1},
		{Name: "both", NativeHistogramBucketFactor: 1.1, Buckets: prometheus.DefBuckets},
	} {
		histogram := prometheus.NewHistogram(options)
		histogram.Observe(0.3)
		registry.MustRegister(histogram)
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	for _, accept := range []string{"text/plain", "application/openmetrics-text; version=1.0.0"} {
		request, answer := httptest.NewRequest(http.MethodGet, "/metrics", nil), httptest.NewRecorder()
		request.Header.Set("Accept", accept)
		handler.ServeHTTP(answer, request)
		for _, name := range []string{"plain", "native", "both"} {
			fmt.Printf("%s, %s: %d buckets\n", accept, name, strings.Count(answer.Body.String(), name+"_bucket{"))
		}
	}
}
GO
expect <<'END'
text/plain, plain: 12 buckets
text/plain, native: 1 buckets
text/plain, both: 12 buckets
application/openmetrics-text; version=1.0.0, plain: 12 buckets
application/openmetrics-text; version=1.0.0, native: 1 buckets
application/openmetrics-text; version=1.0.0, both: 12 buckets
END
