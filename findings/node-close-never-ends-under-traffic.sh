#!/usr/bin/env bash
# close() of Node 20, stoppable 1.1.0, http-graceful-shutdown 4.0.0 and http-terminator 3.2.0 (JavaScript).
#
# Guess: after server.close() a connection that is kept alive ends with the request that is under way. Since Node 19
# close() takes care of such connections itself.
#
# Really: close() ends the connections that are idle at that moment, and no others. A connection with a request under
# way goes on: its answers say `Connection: keep-alive`, and it is served for as long as the client sends the next
# request within five seconds. close() does not finish. The packages end the connection with the request.
#
# Matters: on SIGTERM a service in Node that only calls close() goes on serving a client or a proxy that never pauses
# until Kubernetes kills it after 30 seconds, in the middle of a request. At each promotion every pod of the primary
# takes that long, and the errors come after the analysis. Set `Connection: close` on all answers from then on, call
# closeIdleConnections() again and again, or use one of the packages.
#
# Seen, of a client that sends a request each 100 ms, with one under way at the end: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node stoppable@1.1.0 http-graceful-shutdown@4.0.0 http-terminator@3.2.0 <<'JS'
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import graceful from "http-graceful-shutdown";
import { createHttpTerminator } from "http-terminator";
import stoppable from "stoppable";

const stops = {
  "close()": (server) => () => server.close(),
  "close() and closeIdleConnections()": (server) => () => {
    server.close();
    setInterval(() => server.closeIdleConnections(), 20);
  },
  stoppable: (server) => () => server.stop(),
  "http-graceful-shutdown": (server) => graceful(server, { signals: "", forceExit: false }),
  "http-terminator": (server) => {
    const terminator = createHttpTerminator({ server });
    return () => terminator.terminate();
  },
};
for (const [name, prepare] of Object.entries(stops)) {
  let served = 0;
  const server = http.createServer((request, response) => {
    served++;
    setTimeout(() => response.end("whole"), 60);
  });
  if (name === "stoppable") stoppable(server);
  const stop = prepare(server);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  let ended = false;
  server.on("close", () => (ended = true));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () =>
    new Promise((resolve) => {
      http.get({ port, agent }, (response) => response.resume().on("end", () => resolve("answered"))).on("error", resolve);
    });
  const { port } = server.address();
  await ask();
  const last = ask();
  await sleep(30);
  stop();
  served = 0;
  const before = await last;
  for (let n = 0; n < 20; n++) {
    await sleep(40);
    await ask();
  }
  console.log(`${name}: the request under way is ${before}, of 20 more ${served} are served, the server has ${ended ? "" : "not "}ended`);
  agent.destroy();
}
process.exit();
JS
expect <<'END'
close(): the request under way is answered, of 20 more 20 are served, the server has not ended
close() and closeIdleConnections(): the request under way is answered, of 20 more 0 are served, the server has ended
stoppable: the request under way is answered, of 20 more 0 are served, the server has ended
http-graceful-shutdown: the request under way is answered, of 20 more 0 are served, the server has ended
http-terminator: the request under way is answered, of 20 more 0 are served, the server has ended
END
