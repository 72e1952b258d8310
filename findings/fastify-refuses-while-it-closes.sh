#!/usr/bin/env bash
# fastify 5.12.8 (JavaScript).
#
# Guess: while close() runs the hooks that were given for it, requests are answered as before, or new connections refused.
#
# Really: from the moment close() is called every new request is answered with 503, while the socket still listens, and a
# preClose hook prolongs that by as long as it takes. With `return503OnClosing: false` they are answered as before.
#
# Matters: a pod goes on getting requests for seconds after SIGTERM, until the proxies know. The place that looks made for
# such a wait, a preClose hook that sleeps, turns each of them into a failure, at every promotion, after the analysis. Sleep
# before close() is called (a preStop hook of the Pod does), or set return503OnClosing to false.
#
# Seen, two requests while a preClose hook of one second runs: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node fastify@5.12.8 <<'JS'
import http from "node:http";
import Fastify from "fastify";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const ask = (port) =>
  new Promise((done) => {
    http.get({ port, host: "127.0.0.1", agent: new http.Agent() }, (answer) => answer.resume().on("end", () => done(answer.statusCode))).on("error", (error) => done(error.code));
  });
for (const options of [{}, { return503OnClosing: false }]) {
  const app = Fastify(options);
  app.get("/", async () => "fine");
  app.addHook("preClose", () => sleep(1000));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address();
  const before = await ask(port);
  const closing = app.close();
  await sleep(100);
  const during = [await ask(port), await ask(port)];
  await closing;
  console.log(JSON.stringify(options), "before", before, "during", ...during, "after", await ask(port));
}
JS
expect <<'END'
{} before 200 during 503 503 after ECONNREFUSED
{"return503OnClosing":false} before 200 during 200 200 after ECONNREFUSED
END
