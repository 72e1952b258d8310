#!/usr/bin/env bash
# client_golang 1.25.0 (promhttp), golang.org/x/net 0.62.0, gorilla/websocket 1.5.3, gobwas/ws 1.4.0 (Go).
#
# Guess: a WebSocket is a request with the code 101 in promhttp's counter, and no request of hours in its histogram of
# durations; a handshake that is refused with 403 is a 403.
#
# Really: once a library has taken the connection over the request is counted with the code 200 when the handler ends: one
# that serves the connection itself makes it as long as the connection lives, and until then it is in no counter.
# golang.org/x/net and gobwas take the connection over before they ask whether to accept: what they refuse, with 403 or
# with 426 for another version of the protocol, is a 200 too. gorilla refuses first: 403.
#
# Matters: a canary that refuses each WebSocket has 100 % of success, and one with healthy ones a p99 in the last bucket.
# When pods are replaced all their connections end at once, and a burst of slow requests comes from the old version.
# Leave such paths out of the query, or count them in the handler.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/client_golang@v1.25.0 golang.org/x/net@v0.62.0 github.com/gorilla/websocket@v1.5.3 github.com/gobwas/ws@v1.4.0 <<'GO'
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gobwas/ws"
	gorilla "github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/websocket"
)

func counted(registry *prometheus.Registry) string {
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, family := range families {
		for _, metric := range family.Metric {
			length := "short"
			if metric.Histogram.Bucket[0].GetCumulativeCount() == 0 {
				length = "longer than 2 s"
			}
			return metric.Label[0].GetValue() + ", " + length
		}
	}
	return "not counted"
}

func libraries(accept bool) map[string]http.Handler {
	no := errors.New("not now")
	return map[string]http.Handler{
		"golang.org/x/net": websocket.Server{
			Handshake: func(*websocket.Config, *http.Request) error {
				if accept {
					return nil
				}
				return no
			},
			Handler: func(connection *websocket.Conn) { io.Copy(io.Discard, connection) },
		},
		"gorilla": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			upgrader := gorilla.Upgrader{CheckOrigin: func(*http.Request) bool { return accept }}
			connection, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer connection.Close()
			connection.ReadMessage()
		}),
		"gobwas": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !accept {
				r.Header.Set("Sec-WebSocket-Version", "8") // as an older client would
			}
			connection, _, _, err := ws.UpgradeHTTP(r, w)
			if err != nil {
				return
			}
			defer connection.Close()
			io.Copy(io.Discard, connection)
		}),
	}
}

func main() {
	for _, accept := range []bool{true, false} {
		for _, name := range []string{"golang.org/x/net", "gorilla", "gobwas"} {
			registry := prometheus.NewRegistry()
			durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "seconds", Buckets: []float64{2}}, []string{"code"})
			registry.MustRegister(durations)
			server := httptest.NewUnstartedServer(promhttp.InstrumentHandlerDuration(durations, libraries(accept)[name]))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Start()
			client, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				panic(err)
			}
			fmt.Fprint(client, "GET /ws HTTP/1.1\r\nHost: app\r\nOrigin: http://app\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			status, _ := bufio.NewReader(client).ReadString('\n')
			time.Sleep(3 * time.Second)
			open := counted(registry)
			client.Close()
			time.Sleep(time.Second)
			fmt.Printf("%s: %s; after 3 s: %s; at the end: %s\n", name, strings.TrimSpace(status), open, counted(registry))
		}
	}
}
GO
expect <<'END'
golang.org/x/net: HTTP/1.1 101 Switching Protocols; after 3 s: not counted; at the end: 200, longer than 2 s
gorilla: HTTP/1.1 101 Switching Protocols; after 3 s: not counted; at the end: 200, longer than 2 s
gobwas: HTTP/1.1 101 Switching Protocols; after 3 s: not counted; at the end: 200, longer than 2 s
golang.org/x/net: HTTP/1.1 403 Forbidden; after 3 s: 200, short; at the end: 200, short
gorilla: HTTP/1.1 403 Forbidden; after 3 s: 403, short; at the end: 403, short
gobwas: HTTP/1.1 426 Upgrade Required; after 3 s: 200, short; at the end: 200, short
END
