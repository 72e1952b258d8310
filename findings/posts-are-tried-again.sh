#!/usr/bin/env bash
# aiohttp-retry 2.9.1 (Python), fetch-retry 6.0.0 (JavaScript) and go-retryablehttp 0.7.8 (Go), against httpx-retries 0.6.0
# (Python).
#
# Guess: a library that tries requests again leaves POST alone, as axios-retry, got and urllib3 do.
#
# Really: these three make it again for each 5xx: aiohttp-retry and go-retryablehttp with what is preset, fetch-retry as soon as
# retryOn has the status, and after a lost connection without being told to. httpx-retries leaves it alone.
#
# Matters: a webhook that opens a gate, an alert or the creation of a run is made up to five times where the server did the work and
# only its answer was lost. Send a key by which the server knows a repetition, or limit the methods.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python aiohttp==3.14.5 aiohttp-retry==2.9.1 httpx==0.28.1 httpx-retries==0.6.0 <<'PY'
import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
from aiohttp_retry import ExponentialRetry, RetryClient
from httpx_retries import Retry, RetryTransport

class Failing(BaseHTTPRequestHandler):
    seen = 0

    def do_POST(self):
        Failing.seen += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/"

async def by_aiohttp(method):
    async with RetryClient(retry_options=ExponentialRetry(start_timeout=0.01)) as client:
        await client.request(method, address, data="open")

def by_httpx(method):
    with httpx.Client(transport=RetryTransport(retry=Retry(total=3, backoff_factor=0.01))) as client:
        client.request(method, address, content="open")

for name, ask in {"aiohttp-retry": lambda method: asyncio.run(by_aiohttp(method)), "httpx-retries": by_httpx}.items():
    for method in ["GET", "POST"]:
        Failing.seen = 0
        ask(method)
        print(f"{name}, {method}: {Failing.seen} requests")
PY
with_node fetch-retry@6.0.0 <<'JS'
import retry from "fetch-retry";
import http from "node:http";

let seen;
let answer;
const server = http.createServer((request, response) => {
  seen += 1;
  request.resume();
  request.on("end", () => answer(response));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const ask = async (name, options) => {
  for (const method of ["GET", "POST"]) {
    seen = 0;
    const body = method === "POST" ? "open" : undefined;
    await retry(fetch, { retryDelay: 1, ...options })(`http://127.0.0.1:${server.address().port}`, { method, body }).catch(() => {});
    console.log(`fetch-retry, ${method}, ${name}: ${seen} requests`);
  }
};
answer = (response) => response.writeHead(503).end();
await ask("503", {});
await ask("503 and retryOn", { retryOn: [503] });
answer = (response) => response.destroy();
await ask("connection lost", {});
process.exit();
JS
with_go github.com/hashicorp/go-retryablehttp@v0.7.8 <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	seen := 0
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		seen++
		answer.WriteHeader(503)
	}))
	client := retryablehttp.NewClient()
	client.Logger, client.RetryWaitMin, client.RetryWaitMax = nil, time.Millisecond, time.Millisecond
	for _, method := range []string{"GET", "POST"} {
		seen = 0
		request, err := retryablehttp.NewRequest(method, server.URL, []byte("open"))
		if err != nil {
			panic(err)
		}
		client.Do(request)
		fmt.Printf("go-retryablehttp, %s: %d requests\n", method, seen)
	}
}
GO
expect <<'END'
aiohttp-retry, GET: 3 requests
aiohttp-retry, POST: 3 requests
httpx-retries, GET: 4 requests
httpx-retries, POST: 1 requests
fetch-retry, GET, 503: 1 requests
fetch-retry, POST, 503: 1 requests
fetch-retry, GET, 503 and retryOn: 4 requests
fetch-retry, POST, 503 and retryOn: 4 requests
fetch-retry, GET, connection lost: 4 requests
fetch-retry, POST, connection lost: 4 requests
go-retryablehttp, GET: 5 requests
go-retryablehttp, POST: 5 requests
END
