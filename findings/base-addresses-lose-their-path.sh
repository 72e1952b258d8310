#!/usr/bin/env bash
# aiohttp 3.14.5 and urljoin of Python 3.11, new URL() of Node 20 and URL.Parse of Go 1.26, against httpx 0.28.1 (Python),
# axios 1.21.1 and ofetch 1.5.1 (JavaScript).
#
# Guess: a client with the base address http://vm:8481/select/0/prometheus/ that asks for /api/v1/query asks below the
# base.
#
# Really: the first four go by the rule for links in pages: a leading slash begins at the host, and /select/0/prometheus
# is gone. The other three put the two behind each other.
#
# Matters: a gate that works with Prometheus asks the root of a VictoriaMetrics cluster, of Thanos or Mimir behind a
# prefix, or of a gateway: a 400, a 404 or a page of HTML in each look, which a gate that counts "no result" as no failure
# takes for a pass. A change from httpx to aiohttp brings it. Leave the leading slash out, and end the base with one.
#
# Seen, the path that is asked for: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python aiohttp==3.14.5 httpx==0.28.1 <<'PY'
import asyncio, http.server, threading, urllib.parse
import aiohttp, httpx


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_address[1]}/select/0/prometheus/"


async def ask(path):
    async with aiohttp.ClientSession(base_url=base) as client, client.get(path) as answer:
        return await answer.text()


for path in ("/api/v1/query", "api/v1/query"):
    print(path, "aiohttp:", asyncio.run(ask(path)))
    print(path, "urljoin:", urllib.parse.urlsplit(urllib.parse.urljoin(base, path)).path)
    print(path, "httpx:", httpx.Client(base_url=base).get(path).text)
PY
with_node axios@1.21.1 ofetch@1.5.1 <<'JS'
import http from "node:http";
import axios from "axios";
import { ofetch } from "ofetch";

const server = http.createServer((request, response) => response.end(request.url));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseURL = `http://127.0.0.1:${server.address().port}/select/0/prometheus/`;
for (const path of ["/api/v1/query", "api/v1/query"]) {
  console.log(path, "new URL:", new URL(path, baseURL).pathname);
  console.log(path, "axios:", (await axios.get(path, { baseURL })).data);
  console.log(path, "ofetch:", await ofetch(path, { baseURL, parseResponse: (text) => text }));
}
server.closeAllConnections();
server.close();
JS
with_go <<'GO'
package main

import (
	"fmt"
	"net/url"
)

func main() {
	base, _ := url.Parse("http://vm:8481/select/0/prometheus/")
	for _, path := range []string{"/api/v1/query", "api/v1/query"} {
		joined, _ := base.Parse(path)
		fmt.Println(path, "Go:", joined.Path, "JoinPath:", base.JoinPath(path).Path)
	}
}
GO
expect <<'END'
/api/v1/query aiohttp: /api/v1/query
/api/v1/query urljoin: /api/v1/query
/api/v1/query httpx: /select/0/prometheus/api/v1/query
api/v1/query aiohttp: /select/0/prometheus/api/v1/query
api/v1/query urljoin: /select/0/prometheus/api/v1/query
api/v1/query httpx: /select/0/prometheus/api/v1/query
/api/v1/query new URL: /api/v1/query
/api/v1/query axios: /select/0/prometheus/api/v1/query
/api/v1/query ofetch: /select/0/prometheus/api/v1/query
api/v1/query new URL: /select/0/prometheus/api/v1/query
api/v1/query axios: /select/0/prometheus/api/v1/query
api/v1/query ofetch: /select/0/prometheus/api/v1/query
/api/v1/query Go: /api/v1/query JoinPath: /select/0/prometheus/api/v1/query
api/v1/query Go: /select/0/prometheus/api/v1/query JoinPath: /select/0/prometheus/api/v1/query
END
