#!/usr/bin/env bash
# autocannon 9.0.0 (npm).
#
# Guess: a request whose connection the server breaks off counts under `errors`, and one that runs into the timeout counts
# with its duration.
#
# Really: a request whose connection is broken off is in no counter, `resets` neither: with half of them broken it is
# "errors 0, non2xx 0", and only fewer requests in total than were sent. What timed out is an error and not in the
# durations: a p99 of a few milliseconds with half of the requests hung for a second.
#
# Matters: a webhook that runs it and fails on `errors` or `non2xx`, or on the p99, passes the canary whose pods crash or
# hang. Compare "2xx" with requests.sent.
#
# Seen, 40 requests: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node autocannon@9.0.0 <<'JS'
import http from "node:http";
import autocannon from "autocannon";

let asked = 0;
const server = http.createServer((request, response) => {
  const bad = ++asked % 2 === 1;
  if (bad && request.url === "/breaks") request.socket.destroy();
  else if (bad && request.url === "/hangs") return;
  else response.writeHead(bad ? 500 : 200).end("ok");
});
server.listen(0, "127.0.0.1", async () => {
  for (const path of ["/breaks", "/hangs", "/fails"]) {
    asked = 0;
    const url = `http://127.0.0.1:${server.address().port}${path}`;
    const told = await autocannon({ url, amount: 40, connections: 4, timeout: 1 });
    console.log(path, "sent", told.requests.sent, "total", told.requests.total, "2xx", told["2xx"], "non2xx", told.non2xx,
      "errors", told.errors, "resets", told.resets, "p99 below 1 s", told.latency.p99 < 1000);
  }
  process.exit();
});
JS
expect <<'END'
/breaks sent 40 total 20 2xx 20 non2xx 0 errors 0 resets 0 p99 below 1 s true
/hangs sent 40 total 20 2xx 20 non2xx 0 errors 20 resets 0 p99 below 1 s true
/fails sent 40 total 40 2xx 20 non2xx 20 errors 0 resets 0 p99 below 1 s true
END
