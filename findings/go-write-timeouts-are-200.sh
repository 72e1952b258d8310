#!/usr/bin/env bash
# net/http of Go 1.26 with client_golang 1.25.0.
#
# Guess: a request that takes longer than the server's WriteTimeout is a failure in its metrics: 503, 504, or the handler
# gets an error when it writes.
#
# Really: the client gets an empty answer, and everything on the server's side goes well: the handler is not told, its write
# returns no error, its context is not cancelled, and promhttp counts a 200. http.TimeoutHandler answers 503 and counts it.
#
# Matters: a canary that has become too slow for its own limit fails all of its users and has a success rate of 100 % by its
# metrics; its durations are those of requests that nobody saw the end of. Bound handlers by TimeoutHandler, or judge by the
# proxy, which sees the connection break.
#
# Seen, for a handler of 0.4 s and a limit of 0.2 s: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/client_golang@v1.25.0 <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func main() {
	const limit = 200 * time.Millisecond
	handled := make(chan string)
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * limit)
		_, err := io.WriteString(w, "fine")
		handled <- fmt.Sprintf("write: %v, context: %v", err, r.Context().Err())
	})
	for _, kind := range []string{"WriteTimeout", "TimeoutHandler"} {
		requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"code"})
		var handler http.Handler = slow
		if kind == "TimeoutHandler" {
			handler = http.TimeoutHandler(slow, limit, "")
		}
		server := httptest.NewUnstartedServer(promhttp.InstrumentHandlerCounter(requests, handler))
		if kind == "WriteTimeout" {
			server.Config.WriteTimeout = limit
		}
		server.Start()
		told := make(chan string)
		go func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			answer, err := client.Get(server.URL)
			if err != nil {
				told <- "no answer"
				return
			}
			told <- answer.Status
		}()
		fmt.Printf("%s: %s\n", kind, <-handled)
		fmt.Printf("%s: client: %s\n", kind, <-told)
		server.Close()
		for _, code := range []string{"200", "503"} {
			fmt.Printf("%s: counted as %s: %v\n", kind, code, testutil.ToFloat64(requests.WithLabelValues(code)))
		}
	}
}
GO
expect <<'END'
WriteTimeout: write: <nil>, context: <nil>
WriteTimeout: client: no answer
WriteTimeout: counted as 200: 1
WriteTimeout: counted as 503: 0
TimeoutHandler: write: http: Handler timeout, context: context deadline exceeded
TimeoutHandler: client: 503 Service Unavailable
TimeoutHandler: counted as 200: 0
TimeoutHandler: counted as 503: 1
END
