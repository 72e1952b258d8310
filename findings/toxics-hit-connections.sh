#!/usr/bin/env bash
# github.com/Shopify/toxiproxy 2.5.0 (Go).
#
# Guess: a toxic with a toxicity of 0.2 meets one request in five.
#
# Really: it is drawn once for each connection. A client that keeps its connection, as most do, has all of its requests
# slowed down, or none.
#
# Matters: a rehearsal that gives a fifth of a canary's requests a latency, to see whether its checks notice, has no fault
# at all in four runs of five, and fails the canary altogether in the fifth. Switch keep-alive off in the load, or open
# many connections.
#
# Seen, clients with 20 requests each through a latency of toxicity 0.2: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/Shopify/toxiproxy/v2@v2.5.0 github.com/rs/zerolog@v1.35.1 <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	toxics "github.com/Shopify/toxiproxy/v2/client"
	"github.com/rs/zerolog"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// slow counts the requests of a client that were slowed down.
func slow(address string, keep bool) (count int) {
	transport := &http.Transport{DisableKeepAlives: !keep}
	defer transport.CloseIdleConnections()
	for range 20 {
		began := time.Now()
		response, err := (&http.Client{Transport: transport}).Get("http://" + address)
		must(err)
		response.Body.Close()
		if time.Since(began) >= 150*time.Millisecond {
			count++
		}
	}
	return count
}

func main() {
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	go toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()).Listen("127.0.0.1", port)
	client := toxics.NewClient("127.0.0.1:" + port)
	for range 100 {
		if _, err = client.Proxies(); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	proxy, err := client.CreateProxy("canary", "127.0.0.1:0", strings.TrimPrefix(backend.URL, "http://"))
	must(err)
	_, err = proxy.AddToxic("slow", "latency", "downstream", 0.2, toxics.Attributes{"latency": 150})
	must(err)

	clients, all, none := 100, 0, 0
	for range clients {
		switch slow(proxy.Listen, true) {
		case 20:
			all++
		case 0:
			none++
		}
	}
	fmt.Println("clients that keep their connection, slow in all or in none:", all+none, "of", clients)
	fmt.Println("in all, of 100 about 20:", all >= 8 && all <= 36)
	some := 0
	for range 10 {
		if count := slow(proxy.Listen, false); count > 0 && count < 20 {
			some++
		}
	}
	fmt.Println("clients that do not, slow in some: at least 9 of 10:", some >= 9)
}
GO
expect <<'END'
clients that keep their connection, slow in all or in none: 100 of 100
in all, of 100 about 20: true
clients that do not, slow in some: at least 9 of 10: true
END
