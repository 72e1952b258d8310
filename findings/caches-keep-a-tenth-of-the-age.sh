#!/usr/bin/env bash
# got 14.6.6 and undici 7.30.2, each with its cache switched on (JavaScript).
#
# Guess: an answer without Cache-Control is asked for each time, or checked by its ETag. Only max-age and Expires make a
# cache keep it.
#
# Really: if the answer has Last-Modified, both keep it for a tenth of its age without asking, as the standard allows. A
# file that has not changed for 30 days is not asked for again for three days. The ETag does not help; without
# Last-Modified, or with `Cache-Control: no-cache`, each call asks.
#
# Matters: nginx and other file servers send Last-Modified and ETag and no Cache-Control. A service that reads its
# flags, or a bot that reads a freeze or a threshold from such a file, does not see a change for days, and the longer
# the file had been stable the later. Let the server send `Cache-Control: no-cache`.
#
# Seen, of three calls, where the file changes after the first: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node got@14.6.6 undici@7.30.2 <<'JS'
import http from "node:http";
import got from "got";
import { Agent, interceptors, request } from "undici";

const days = (number) => new Date(Date.now() - number * 24 * 3600 * 1000).toUTCString();
const answers = {
  "ETag alone": { ETag: '"1"' },
  "30 days old": { ETag: '"1"', "Last-Modified": days(30) },
  "30 days old, kept for 2 days by a proxy": { ETag: '"1"', "Last-Modified": days(32), Age: 2 * 24 * 3600, Date: days(2) },
  "30 days old, kept for 4 days by a proxy": { ETag: '"1"', "Last-Modified": days(34), Age: 4 * 24 * 3600, Date: days(4) },
  "30 days old, no-cache": { ETag: '"1"', "Last-Modified": days(30), "Cache-Control": "no-cache" },
};
const clients = {
  got: () => {
    const client = got.extend({ cache: new Map() });
    return (url) => client(url).text();
  },
  undici: () => {
    const dispatcher = new Agent().compose(interceptors.cache());
    return async (url) => (await request(url, { dispatcher })).body.text();
  },
};
for (const [answer, headers] of Object.entries(answers)) {
  for (const [name, make] of Object.entries(clients)) {
    let requests = 0;
    const server = http.createServer((_, response) => {
      requests++;
      response.writeHead(200, headers).end(requests === 1 ? "old" : "new");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const ask = make();
    const seen = [];
    for (let n = 0; n < 3; n++) {
      seen.push(await ask(`http://127.0.0.1:${server.address().port}/flags.json`));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    console.log(`${answer}, ${name}: ${seen.join(", ")}`);
    server.closeAllConnections();
    server.close();
  }
}
process.exit();
JS
expect <<'END'
ETag alone, got: old, new, new
ETag alone, undici: old, new, new
30 days old, got: old, old, old
30 days old, undici: old, old, old
30 days old, kept for 2 days by a proxy, got: old, old, old
30 days old, kept for 2 days by a proxy, undici: old, old, old
30 days old, kept for 4 days by a proxy, got: old, new, new
30 days old, kept for 4 days by a proxy, undici: old, new, new
30 days old, no-cache, got: old, new, new
30 days old, no-cache, undici: old, new, new
END
