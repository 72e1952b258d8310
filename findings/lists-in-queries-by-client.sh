#!/usr/bin/env bash
# axios 1.21.1, ky 1.14.3, got 14.6.6, ofetch 1.5.1, undici 7.30.2 and URLSearchParams of Node 20 (JavaScript).
#
# Guess: a parameter with a list of two values is sent twice under its name, and parameters are added to those that
# stand in the address already.
#
# Really: axios sends `filter[]` twice, which is another name. ky and URLSearchParams join the list to one value with a
# comma, got refuses it, ofetch and undici send it twice. ky and got drop the query of the address, and undici refuses
# it.
#
# Matters: a gate that asks Alertmanager for alerts with filter: ['app="shop"', 'severity="page"'] asks for all alerts
# by axios, since an unknown parameter is ignored, and by ky for one matcher that matches nothing: it stays closed for
# the alerts of others, or is always open. A metrics server written as http://metrics/?nocache=1 loses that setting.
# Build a URLSearchParams with append().
#
# Seen, what the server reads: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node axios@1.21.1 ky@1.14.3 got@14.6.6 ofetch@1.5.1 undici@7.30.2 <<'JS'
import http from "node:http";
import axios from "axios";
import got from "got";
import ky from "ky";
import { ofetch } from "ofetch";
import { request } from "undici";

const server = http.createServer(({ url }, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify([...new URL(url, "http://127.0.0.1").searchParams]));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}/alerts`;
const clients = {
  axios: async (url, params) => (await axios.get(url, { params })).data,
  ky: (url, searchParams) => ky(url, { searchParams }).json(),
  got: (url, searchParams) => got(url, { searchParams }).json(),
  ofetch: (url, query) => ofetch(url, { query }),
  undici: async (url, query) => (await request(url, { query })).body.json(),
  URLSearchParams: async (url, params) => (await fetch(`${url}?${new URLSearchParams(params)}`)).json(),
};
for (const [title, url, parameters] of [
  ["a list", address, { filter: ["app=shop", "severity=page"] }],
  ["nocache=1 in the address", `${address}?nocache=1`, { query: "up" }],
]) {
  for (const [name, ask] of Object.entries(clients)) {
    if (name === "URLSearchParams" && url !== address) continue;
    const read = await ask(url, parameters).then((pairs) => pairs.map(([key, value]) => `${key}: ${value}`).join("; "), () => "refused by the client");
    console.log(`${title}, ${name}: ${read}`);
  }
}
process.exit();
JS
expect <<'END'
a list, axios: filter[]: app=shop; filter[]: severity=page
a list, ky: filter: app=shop,severity=page
a list, got: refused by the client
a list, ofetch: filter: app=shop; filter: severity=page
a list, undici: filter: app=shop; filter: severity=page
a list, URLSearchParams: filter: app=shop,severity=page
nocache=1 in the address, axios: nocache: 1; query: up
nocache=1 in the address, ky: query: up
nocache=1 in the address, got: query: up
nocache=1 in the address, ofetch: nocache: 1; query: up
nocache=1 in the address, undici: refused by the client
END
