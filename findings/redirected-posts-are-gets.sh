#!/usr/bin/env bash
# requests 2.34.2, aiohttp 3.14.5, httpx 0.28.1 and urllib3 2.8.0 (Python), axios 1.21.1, got 14.6.6 and fetch of Node 20
# (JavaScript), net/http of Go 1.26.
#
# Guess: a POST that is answered by 301, as http:// is where https:// is wanted, is sent again to the new place, or fails.
#
# Really: requests, aiohttp, axios, fetch and Go make a GET without a body of it, and show the 200 of that. requests keeps
# PATCH as a method and sends it without its body. urllib3 and got keep both. httpx follows nothing and gives the 301,
# without an exception. With 307 and 308 method and body are kept by all that follow.
#
# Matters: a bot that approves a gate, posts an Event or an alert to an address that has moved behind TLS is told 200 each
# time, and nothing arrives. Write the new address, forbid redirects (allow_redirects=False, redirect: "error"), and let
# ingresses answer 308.
#
# Seen, what arrives at the new place after 301 and 308: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/server.mjs" <<'JS'
import http from "node:http";

const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const data of request) body += data;
  const code = /^\/moved(\d+)/.exec(request.url)?.[1];
  response.writeHead(Number(code ?? 200), code ? { location: "/new" } : {});
  response.end(code ? "" : `${request.method} with ${body || "nothing"}`);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
JS
mkfifo "$work/port"
node "$work/server.mjs" >"$work/port" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
read -r port <"$work/port"
export BASE="http://127.0.0.1:$port/moved"
with_python requests==2.34.2 aiohttp==3.14.5 httpx==0.28.1 urllib3==2.8.0 <<'PY'
import asyncio, os
import aiohttp, httpx, requests, urllib3

base = os.environ["BASE"]


async def with_aiohttp(method, url):
    async with aiohttp.ClientSession() as client, client.request(method, url, data="approved") as answer:
        return answer.status, await answer.text()


def with_httpx(method, url):
    answer = httpx.request(method, url, content="approved")
    return answer.status_code, answer.text or "no body"


for method, code in (("POST", 301), ("PATCH", 301), ("POST", 308)):
    url = f"{base}{code}"
    answer = requests.request(method, url, data="approved")
    print(method, code, "requests:", answer.status_code, answer.text)
    print(method, code, "aiohttp:", *asyncio.run(with_aiohttp(method, url)))
    print(method, code, "httpx:", *with_httpx(method, url))
    answer = urllib3.request(method, url, body="approved")
    print(method, code, "urllib3:", answer.status, answer.data.decode())
PY
with_node axios@1.21.1 got@14.6.6 <<'JS'
import axios from "axios";
import got from "got";

for (const code of [301, 308]) {
  const url = process.env.BASE + code;
  const [a, g, f] = [await axios.post(url, "approved"), await got.post(url, { body: "approved" }), await fetch(url, { method: "POST", body: "approved" })];
  console.log(`POST ${code} axios: ${a.status} ${a.data}, got: ${g.statusCode} ${g.body}, fetch: ${f.status} ${await f.text()}`);
}
JS
with_go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	for _, code := range []string{"301", "308"} {
		answer, err := http.Post(os.Getenv("BASE")+code, "text/plain", strings.NewReader("approved"))
		body, _ := io.ReadAll(answer.Body)
		fmt.Println("POST", code, "Go:", answer.StatusCode, string(body), err)
	}
}
GO
expect <<'END'
POST 301 requests: 200 GET with nothing
POST 301 aiohttp: 200 GET with nothing
POST 301 httpx: 301 no body
POST 301 urllib3: 200 POST with approved
PATCH 301 requests: 200 PATCH with nothing
PATCH 301 aiohttp: 200 PATCH with approved
PATCH 301 httpx: 301 no body
PATCH 301 urllib3: 200 PATCH with approved
POST 308 requests: 200 POST with approved
POST 308 aiohttp: 200 POST with approved
POST 308 httpx: 308 no body
POST 308 urllib3: 200 POST with approved
POST 301 axios: 200 GET with nothing, got: 200 POST with approved, fetch: 200 GET with nothing
POST 308 axios: 200 POST with approved, got: 200 POST with approved, fetch: 200 POST with approved
POST 301 Go: 200 GET with nothing <nil>
POST 308 Go: 200 POST with approved <nil>
END
