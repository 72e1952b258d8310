#!/usr/bin/env bash
# http-proxy-middleware 3.0.11 (http-proxy 1.18.1) with express 5.3.0, against @fastify/http-proxy 11.6.3 (JavaScript).
#
# Guess: a proxy in Node answers 502 where its backend cannot be reached or breaks the connection off, and breaks its own
# off where the backend does so in the middle of an answer.
#
# Really: http-proxy-middleware answers 504 for both, and leaves the client of half an answer waiting, without an end and
# without an error (here for five seconds). @fastify/http-proxy answers 500 for both, and breaks the half answer off.
#
# Matters: behind a gateway in Node a canary whose pods die under their requests makes users hang, each with a connection of
# the gateway, which counts a 200 for them; and what looks like slow answers (504) or a fault of the gateway (500) is a pod
# that is not there. Set the timeout of the incoming side, and end the response in on.proxyRes when the backend's is
# aborted.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node http-proxy-middleware@3.0.11 express@5.3.0 @fastify/http-proxy@11.6.3 fastify@5.12.8 <<'JS'
import http from "node:http";
import proxy from "@fastify/http-proxy";
import express from "express";
import Fastify from "fastify";
import { createProxyMiddleware } from "http-proxy-middleware";

const backend = http.createServer((request, response) => {
  if (request.url.endsWith("/break")) return request.socket.destroy();
  if (!request.url.endsWith("/half")) return response.end("fine");
  response.writeHead(200, { "content-length": 100 });
  response.write("half");
  setTimeout(() => request.socket.destroy(), 200);
});
const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
const target = `http://127.0.0.1:${await listen(backend)}`;
const nobody = http.createServer();
const dead = `http://127.0.0.1:${await listen(nobody)}`;
nobody.close();

const app = express();
app.use("/dead", createProxyMiddleware({ target: dead }));
app.use("/", createProxyMiddleware({ target }));
const fastify = Fastify();
await fastify.register(proxy, { upstream: dead, prefix: "/dead" });
await fastify.register(proxy, { upstream: target });
await fastify.listen({ port: 0, host: "127.0.0.1" });
const ports = { "http-proxy-middleware": await listen(http.createServer(app)), "@fastify/http-proxy": fastify.server.address().port };

const told = (port, path) =>
  new Promise((done) => {
    const request = http.get({ host: "127.0.0.1", port, path, agent: new http.Agent() }, (answer) => {
      answer.on("end", () => done(answer.statusCode)).on("error", () => done(`${answer.statusCode}, broken off`)).resume();
      setTimeout(() => done(`${answer.statusCode}, without an end`), 5000);
    });
    request.on("error", (error) => done(error.code));
  });
for (const [name, port] of Object.entries(ports)) {
  for (const path of ["/fine", "/break", "/dead/fine", "/half"]) console.log(`${name} ${path}: ${await told(port, path)}`);
}
process.exit(0);
JS
expect <<'END'
http-proxy-middleware /fine: 200
http-proxy-middleware /break: 504
http-proxy-middleware /dead/fine: 504
http-proxy-middleware /half: 200, without an end
@fastify/http-proxy /fine: 200
@fastify/http-proxy /break: 500
@fastify/http-proxy /dead/fine: 500
@fastify/http-proxy /half: 200, broken off
END
