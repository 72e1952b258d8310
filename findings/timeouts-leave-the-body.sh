#!/usr/bin/env bash
# axios 1.21.1, ky 1.14.3, undici 7.30.2, got 14.6.6 and fetch of Node 20 (JavaScript), requests 2.34.2, httpx 0.28.1,
# urllib3 2.8.0 and aiohttp 3.14.5 (Python), HttpClient of Java 17, curl 7.88.1.
#
# Guess: a time-out of one second ends a call after one second, also where the server has begun to answer and sends a byte
# now and then.
#
# Really: for axios, ky and Java it ends with the headers: a body that drips for four seconds is waited for, as one that
# drips for an hour would be. requests, httpx, urllib3 and undici bound the time between two bytes, urllib3 also with
# Timeout(total=1). got, fetch with AbortSignal.timeout(), aiohttp and curl end the call.
#
# Matters: a webhook or a bot that asks a gate or a metrics server which is overloaded hangs far beyond the deadline of its
# step, although its time-out is set. Give a signal to axios, and bound the whole call in Python by hand.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/server.py" <<'PY'
import http.server
import time


class Dripping(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        try:
            for _ in range(10):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.4)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
PY
: >"$work/address"
python3 "$work/server.py" >"$work/address" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
until [ -s "$work/address" ]; do sleep 0.1; done
ADDRESS=$(cat "$work/address")
export ADDRESS
with_node axios@1.21.1 ky@1.14.3 undici@7.30.2 got@14.6.6 <<'JS'
import axios from "axios";
import got from "got";
import ky from "ky";
import { request } from "undici";

const { ADDRESS } = process.env;
const told = async (name, call) => {
  const began = Date.now();
  try {
    await call();
    console.log(`${name}: answered after ${Date.now() - began > 3000 ? "four seconds" : "the limit"}`);
  } catch {
    console.log(`${name}: ends after ${Date.now() - began > 3000 ? "four seconds" : "the limit"}`);
  }
};
await told("axios, timeout", () => axios.get(ADDRESS, { timeout: 1000 }));
await told("axios, signal", () => axios.get(ADDRESS, { signal: AbortSignal.timeout(1000) }));
await told("ky, timeout", () => ky(ADDRESS, { timeout: 1000, retry: 0 }).text());
await told("undici, bodyTimeout", async () => (await request(ADDRESS, { headersTimeout: 1000, bodyTimeout: 1000 })).body.text());
await told("got, timeout.request", () => got(ADDRESS, { timeout: { request: 1000 }, retry: { limit: 0 } }));
await told("fetch, signal", async () => (await fetch(ADDRESS, { signal: AbortSignal.timeout(1000) })).text());
JS
with_python requests==2.34.2 httpx==0.28.1 urllib3==2.8.0 aiohttp==3.14.5 <<'PY'
import asyncio
import os
import time

import aiohttp
import httpx
import requests
import urllib3

address = os.environ["ADDRESS"]


async def with_aiohttp():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session, session.get(address) as answer:
        await answer.read()


calls = {
    "requests, timeout": lambda: requests.get(address, timeout=1),
    "httpx, timeout": lambda: httpx.get(address, timeout=1),
    "urllib3, total": lambda: urllib3.request("GET", address, timeout=urllib3.Timeout(total=1), retries=False),
    "aiohttp, total": lambda: asyncio.run(with_aiohttp()),
}
for name, call in calls.items():
    began = time.monotonic()
    try:
        call()
        how = "answered"
    except (TimeoutError, urllib3.exceptions.TimeoutError, httpx.TimeoutException, requests.Timeout):
        how = "ends"
    print(f"{name}: {how} after {'four seconds' if time.monotonic() - began > 3 else 'the limit'}")
PY
with_java <<'JAVA'
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;

public class Main {
    public static void main(String[] arguments) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(System.getenv("ADDRESS"))).timeout(Duration.ofSeconds(1)).build();
        var began = System.nanoTime();
        var how = "answered";
        try {
            HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        } catch (HttpTimeoutException ended) {
            how = "ends";
        }
        System.out.println("Java, timeout: " + how + " after " + (System.nanoTime() - began > 3e9 ? "four seconds" : "the limit"));
        System.exit(0);
    }
}
JAVA
if curl -s -m 1 -o "$work/body" "$ADDRESS"; then how=answered; else how=ends; fi
echo "curl, -m: $how" | tee -a "$work/seen"
expect <<'END'
axios, timeout: answered after four seconds
axios, signal: ends after the limit
ky, timeout: answered after four seconds
undici, bodyTimeout: answered after four seconds
got, timeout.request: ends after the limit
fetch, signal: ends after the limit
requests, timeout: answered after four seconds
httpx, timeout: answered after four seconds
urllib3, total: answered after four seconds
aiohttp, total: ends after the limit
Java, timeout: answered after four seconds
curl, -m: ends
END
