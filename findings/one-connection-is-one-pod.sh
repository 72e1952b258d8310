#!/usr/bin/env bash
# Node 20 (http and fetch), axios 1.21.1 (JavaScript), Go 1.26, requests 2.34.2 and httpx 0.28.1 (Python).
#
# Guess: twenty requests, one after the other, are spread over the pods of a Service.
#
# Really: a Service chooses a pod for a connection, and most clients make one for all twenty: Node's http since version 19, and so
# axios, fetch, Go if the body is read, and a session or a client of Python. Twenty are made by requests.get(), httpx.get(),
# and by Go if the body is closed without being read and is long.
#
# Matters: at 10 % of the pods a client with one connection is with the canary for all its requests or for none, and a share that is
# made by numbers of pods, or a load test with a few workers, is far from it. Measure with many connections, or split by a proxy
# that looks at each request.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node axios@1.21.1 <<'JS'
import axios from "axios";
import http from "node:http";

let connections = 0;
const server = http.createServer((request, response) => response.end("x".repeat(100000)));
server.on("connection", () => (connections += 1));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;
const askers = {
  "http.get": () => new Promise((resolve) => http.get(address, (response) => response.resume().on("end", resolve))),
  "http.get, agent: false": () => new Promise((resolve) => http.get(address, { agent: false }, (response) => response.resume().on("end", resolve))),
  fetch: async () => (await fetch(address)).text(),
  axios: () => axios.get(address),
};
for (const [name, ask] of Object.entries(askers)) {
  http.globalAgent.destroy();
  connections = 0;
  for (let number = 0; number < 20; number += 1) {
    await ask();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log(`${name}: ${connections} connections`);
}
process.exit();
JS
with_go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

func main() {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Write(make([]byte, 1000000))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	for _, read := range []bool{true, false} {
		connections.Store(0)
		http.DefaultClient.CloseIdleConnections()
		for range 20 {
			answer, err := http.Get(server.URL)
			if err != nil {
				panic(err)
			}
			if read {
				io.Copy(io.Discard, answer.Body)
			}
			answer.Body.Close()
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Printf("Go, body read %v: %d connections\n", read, connections.Load())
	}
}
GO
with_python requests==2.34.2 httpx==0.28.1 <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import requests

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = set()

    def do_GET(self):
        Server.seen.add(self.client_address)
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/"
for name, get in {
    "requests.get": requests.get,
    "requests.Session": requests.Session().get,
    "httpx.get": httpx.get,
    "httpx.Client": httpx.Client().get,
}.items():
    Server.seen.clear()
    for _ in range(20):
        get(address)
    print(f"{name}: {len(Server.seen)} connections")
PY
expect <<'END'
http.get: 1 connections
http.get, agent: false: 20 connections
fetch: 1 connections
axios: 1 connections
Go, body read true: 1 connections
Go, body read false: 20 connections
requests.get: 20 connections
requests.Session: 1 connections
httpx.get: 20 connections
httpx.Client: 1 connections
END
