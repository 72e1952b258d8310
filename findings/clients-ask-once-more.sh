#!/usr/bin/env bash
# net/http of Go 1.26, with hey 0.1.5, HttpClient of Java 17, urllib3 2.8.0 and aiohttp 3.14.5 (Python), curl 7.88.1
# (Debian 12), against requests 2.34.2 and httpx 0.28.1 (Python), axios 1.21.1 (JavaScript).
#
# Guess: a GET whose connection is broken off before the answer is an error for the client, and a retry has to be asked for.
#
# Really: those before "against" ask again, on a new connection and without a word, if the connection had served a request
# before. They do not for a POST. requests, which is built on urllib3, httpx and axios give the error.
#
# Matters: a canary that breaks off each second request has no failure for a load test by hey or for callers in Go and Java,
# and half of them fail for callers that use requests; it works twice for each answer. Do not judge by the client: what a
# proxy counts shows it.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/breaks.py" <<'PY'
"""Answers the first request of each connection, and breaks off the second."""
import socketserver


class Connection(socketserver.StreamRequestHandler):
    def read(self):
        line = self.rfile.readline()
        while line and self.rfile.readline() != b"\r\n":
            pass
        return line

    def handle(self):
        if self.read():
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            self.read()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Connection)
print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
server.serve_forever()
PY
mkfifo "$work/address"
python3 "$work/breaks.py" >"$work/address" &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
read -r URL <"$work/address"
export URL
with_go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	for _, method := range []string{"GET", "POST"} {
		failed := 0
		for range 20 {
			request, _ := http.NewRequest(method, os.Getenv("URL"), nil)
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				failed++
				continue
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		fmt.Printf("Go %s: %d of 20 failed\n", method, failed)
	}
}
GO
GOBIN="$work" go install github.com/rakyll/hey@v0.1.5 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
"$work/hey" -n 20 -c 1 "$URL" | sed -n 's/^  \(\[200\]\)\t/hey GET: \1 /p' | tee -a "$work/seen"
with_java <<'JAVA'
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Main {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (var method : new String[] {"GET", "POST"}) {
            int failed = 0;
            for (int number = 0; number < 20; number++) {
                var request = HttpRequest.newBuilder(URI.create(System.getenv("URL")))
                        .method(method, HttpRequest.BodyPublishers.noBody()).build();
                try {
                    client.send(request, HttpResponse.BodyHandlers.ofString());
                } catch (java.io.IOException error) {
                    failed++;
                }
            }
            System.out.println("Java " + method + ": " + failed + " of 20 failed");
        }
    }
}
JAVA
with_python urllib3==2.8.0 aiohttp==3.14.5 requests==2.34.2 httpx==0.28.1 <<'PY'
import asyncio
import os

import aiohttp
import httpx
import requests
import urllib3

URL = os.environ["URL"]


def count(name, call):
    failed = 0
    for _ in range(20):
        try:
            call()
        except (urllib3.exceptions.HTTPError, requests.RequestException, httpx.HTTPError):
            failed += 1
    print(f"{name}: {failed} of 20 failed")


async def with_aiohttp(method):
    failed = 0
    async with aiohttp.ClientSession() as session:
        for _ in range(20):
            try:
                async with session.request(method, URL) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                failed += 1
    print(f"aiohttp {method}: {failed} of 20 failed")


pool, session, client = urllib3.PoolManager(), requests.Session(), httpx.Client()
for method in ("GET", "POST"):
    count(f"urllib3 {method}", lambda: pool.request(method, URL))
    asyncio.run(with_aiohttp(method))
count("requests GET", lambda: session.get(URL).content)
count("httpx GET", lambda: client.get(URL))
PY
with_node axios@1.21.1 <<'JS'
import { Agent } from "node:http";
import axios from "axios";

const httpAgent = new Agent({ keepAlive: true });
let failed = 0;
for (let number = 0; number < 20; number += 1) await axios.get(process.env.URL, { httpAgent }).catch(() => (failed += 1));
console.log(`axios GET: ${failed} of 20 failed`);
process.exit();
JS
if curl --silent --fail --output "$work/1" "$URL" --output "$work/2" "$URL" --output "$work/3" "$URL"; then
  echo "curl GET of three: status 0" | tee -a "$work/seen"
fi
expect <<'END'
Go GET: 0 of 20 failed
Go POST: 10 of 20 failed
hey GET: [200] 20 responses
Java GET: 0 of 20 failed
Java POST: 10 of 20 failed
urllib3 GET: 0 of 20 failed
aiohttp GET: 0 of 20 failed
urllib3 POST: 10 of 20 failed
aiohttp POST: 10 of 20 failed
requests GET: 10 of 20 failed
httpx GET: 10 of 20 failed
axios GET: 10 of 20 failed
curl GET of three: status 0
END
