#!/usr/bin/env bash
# requests 2.34.2 and aiohttp 3.14.5, against httpx 0.28.1 (Python) and curl 7.88.1 (Debian 12).
#
# Guess: an Authorization header that a call is given is what is sent; an entry for the host in .netrc is for calls
# without one.
#
# Really: requests replaces the header by the name and the password of .netrc, in a session too. aiohttp raises ValueError
# with trust_env=True, and leaves .netrc alone without it. curl reads .netrc only when told to, and then the header wins;
# httpx does not read it.
#
# Matters: a gate or a bot with a valid token is answered with 401 where somebody has left an entry for the host, such as
# a build machine, or a Pod whose home has one for Git; the token is right, and the same call works by curl. Set
# trust_env = False on the session, or hand the token over by auth=.
#
# Seen, the header that arrives: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export NETRC="$work/netrc"
printf 'machine 127.0.0.1 login bot password old\n' >"$NETRC"
chmod 600 "$NETRC"
with_python requests==2.34.2 aiohttp==3.14.5 httpx==0.28.1 <<'PY'
import asyncio, http.server, os, subprocess, threading
import aiohttp, httpx, requests


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        seen = self.headers.get("authorization", "none").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(seen)))
        self.end_headers()
        self.wfile.write(seen)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_address[1]}/api/v1/query"
headers = {"Authorization": "Bearer token"}


async def ask(trust_env):
    async with aiohttp.ClientSession(trust_env=trust_env, headers=headers) as client:
        try:
            async with client.get(address) as answer:
                return await answer.text()
        except ValueError:
            return "ValueError"


class Token(requests.auth.AuthBase):
    def __call__(self, request):
        request.headers.update(headers)
        return request


print("requests:", requests.get(address, headers=headers).text)
with requests.Session() as session:
    session.headers.update(headers)
    print("requests, session:", session.get(address).text)
    session.trust_env = False
    print("requests, trust_env = False:", session.get(address).text)
print("requests, auth:", requests.get(address, auth=Token()).text)
print("aiohttp:", asyncio.run(ask(False)))
print("aiohttp, trust_env=True:", asyncio.run(ask(True)))
print("httpx:", httpx.get(address, headers=headers).text)
curl = ["curl", "-s", "--netrc-file", os.environ["NETRC"], "-H", "Authorization: Bearer token", address]
print("curl --netrc-file:", subprocess.run(curl, capture_output=True, text=True).stdout)
PY
expect <<'END'
requests: Basic Ym90Om9sZA==
requests, session: Basic Ym90Om9sZA==
requests, trust_env = False: Bearer token
requests, auth: Bearer token
aiohttp: Bearer token
aiohttp, trust_env=True: ValueError
httpx: Bearer token
curl --netrc-file: Bearer token
END
