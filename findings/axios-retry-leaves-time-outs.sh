#!/usr/bin/env bash
# axios-retry 4.5.0 with axios 1.21.1 (JavaScript).
#
# Guess: with retries: 3 a GET that runs into the time-out of the client is tried again, as one that is answered by 503 is.
#
# Really: a time-out is not tried again; a 503 is, three times and at once, without a pause. A POST is not tried again in
# either case.
#
# Matters: a bot that asks a metrics server or a webhook while one of its replicas hangs fails at the first try, though
# retries were put in for that; and one that restarts gets all four tries within milliseconds, before it is up. Give
# shouldResetTimeout, retryDelay and a retryCondition of your own.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node axios@1.21.1 axios-retry@4.5.0 <<'JS'
import { createServer } from "node:http";
import axios from "axios";
import axiosRetry from "axios-retry";

let calls = 0;
const server = createServer((request, response) => {
  calls += 1;
  if (request.url === "/fails") response.writeHead(503).end();
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const client = axios.create({ baseURL: `http://127.0.0.1:${server.address().port}`, timeout: 3000 });
axiosRetry(client, { retries: 3 });
for (const [method, url] of [["get", "/fails"], ["get", "/hangs"], ["post", "/fails"]]) {
  calls = 0;
  await client.request({ method, url }).catch((error) => console.log(method, url, error.code, "calls", calls));
}
process.exit();
JS
expect <<'END'
get /fails ERR_BAD_RESPONSE calls 4
get /hangs ECONNABORTED calls 1
post /fails ERR_BAD_RESPONSE calls 1
END
