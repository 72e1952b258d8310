#!/usr/bin/env bash
# client_golang 1.25.0 (promhttp) around httputil.ReverseProxy of Go 1.26.
#
# Guess: a client that leaves before its answer is counted as 499, as nginx and Traefik do, or not at all.
#
# Really: it is a 502. ReverseProxy takes the end of the client's request for a failure of the backend, answers 502 into
# the closed connection, and that is what is counted. (Traefik is built on it and puts 499 in place.)
#
# Matters: behind a gateway written in Go impatient users, and page reloads, are failures of the canary, and a slow but
# good version is rolled back for its success rate. Set an ErrorHandler that looks for context.Canceled.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/client_golang/prometheus/promhttp@v1.25.0 2>/dev/null <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// counted is the status that a request counts with whose client leaves after 100 ms.
func counted(handler func(http.ResponseWriter, *http.Request, error)) string {
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) }))
	at, _ := url.Parse(backend.URL)
	proxy := httputil.NewSingleHostReverseProxy(at)
	proxy.ErrorHandler = handler
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"code"})
	registry := prometheus.NewRegistry()
	registry.MustRegister(requests)
	gateway := httptest.NewServer(promhttp.InstrumentHandlerCounter(requests, proxy))

	patience, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(patience, "GET", gateway.URL, nil)
	if _, err := http.DefaultClient.Do(request); err == nil {
		return "answered"
	}
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		if families, _ := registry.Gather(); len(families) > 0 {
			return families[0].Metric[0].Label[0].GetValue()
		}
	}
	return "nothing"
}

func main() {
	fmt.Println("as it is:", counted(nil))
	fmt.Println("with an ErrorHandler:", counted(func(w http.ResponseWriter, _ *http.Request, err error) {
		if errors.Is(err, context.Canceled) {
			w.WriteHeader(499)
		} else {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
}
GO
expect <<'END'
as it is: 502
with an ErrorHandler: 499
END
