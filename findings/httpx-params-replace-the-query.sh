#!/usr/bin/env bash
# httpx 0.28.1 and urllib3 2.8.0, against requests 2.34.2 and aiohttp 3.14.5 (Python).
#
# Guess: parameters of a call are added to those that stand in the address.
#
# Really: httpx replaces the query of the address by them, even by an empty dict, and urllib3 puts a second question mark
# behind it, which makes one parameter of the two. requests and aiohttp add them. httpx adds those that the client was
# given by params=, and with a query in base_url it puts the path behind the query.
#
# Matters: the address of a metrics server is often given with a parameter that decides what is asked: a tenant,
# dedup=false, nocache=1. A gate that moves from requests to httpx asks without it, and is answered with 200. Give the
# parameter to the client.
#
# Seen, the path that is asked for: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python httpx==0.28.1 urllib3==2.8.0 requests==2.34.2 aiohttp==3.14.5 <<'PY'
import asyncio, http.server, threading
import aiohttp, httpx, requests, urllib3


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
base = f"http://127.0.0.1:{server.server_address[1]}"
address = f"{base}/api/v1/query?nocache=1"
wanted = {"query": "up"}


async def ask():
    async with aiohttp.ClientSession() as client, client.get(address, params=wanted) as answer:
        return await answer.text()


print("requests:", requests.get(address, params=wanted).text)
print("aiohttp:", asyncio.run(ask()))
print("httpx:", httpx.get(address, params=wanted).text)
print("httpx, no parameters:", httpx.get(address, params={}).text)
print("httpx, of the client:", httpx.Client(params={"nocache": "1"}).get(f"{base}/api/v1/query", params=wanted).text)
print("httpx, base_url:", httpx.Client(base_url=f"{base}/?nocache=1").get("/api/v1/query").text)
print("urllib3:", urllib3.request("GET", address, fields=wanted).data.decode())
PY
expect <<'END'
requests: /api/v1/query?nocache=1&query=up
aiohttp: /api/v1/query?nocache=1&query=up
httpx: /api/v1/query?query=up
httpx, no parameters: /api/v1/query
httpx, of the client: /api/v1/query?nocache=1&query=up
httpx, base_url: /?nocache=1/api/v1/query
urllib3: /api/v1/query?nocache=1?query=up
END
