#!/usr/bin/env bash
# express 5.3.0, koa 3.3.0 and fastify 5.12.8, with axios 1.21.1 (JavaScript).
#
# Guess: a handler that lets the error of a call to a backend through answers 500, whatever the backend said.
#
# Really: it answers with the status of the backend. The three frameworks take the status of an error for that of the
# answer, and the errors of axios bear the one that the backend gave. A backend that cannot be reached is a 500, since
# that error has no status.
#
# Matters: a canary that calls its backend with a wrong token or a path that is gone answers its users 401 or 404, which
# `status!~"5.."` counts as success: request-success-rate is 100 %, and each of its requests fails. Throw an error of
# your own in its place, or watch 4xx too.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node express@5.3.0 koa@3.3.0 fastify@5.12.8 axios@1.21.1 <<'JS'
import { createServer } from "node:http";
import axios from "axios";
import express from "express";
import Fastify from "fastify";
import Koa from "koa";

const listening = async (server) => {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${server.address().port}`;
};
const backend = await listening(createServer((request, response) => response.writeHead(Number(request.url.slice(1))).end()));
const closed = "http://127.0.0.1:1";
const call = async (path) => (await axios.get(path === "/down" ? closed : backend + path)).data;

const anExpress = express();
anExpress.set("env", "test");
anExpress.use(async (request, response) => response.json(await call(request.path)));
const aKoa = new Koa();
aKoa.silent = true;
aKoa.use(async (context) => (context.body = await call(context.path)));
const aFastify = Fastify();
aFastify.get("/*", async (request) => call(request.url));
const services = {
  express: await listening(createServer(anExpress)),
  koa: await listening(createServer(aKoa.callback())),
  fastify: await aFastify.listen({ port: 0, host: "127.0.0.1" }),
};
for (const path of ["/401", "/404", "/429", "/503", "/down"]) {
  const statuses = [];
  for (const [name, url] of Object.entries(services)) statuses.push(`${name} ${(await fetch(url + path)).status}`);
  console.log(`backend ${path.slice(1)}: ${statuses.join(", ")}`);
}
process.exit();
JS
expect <<'END'
backend 401: express 401, koa 401, fastify 401
backend 404: express 404, koa 404, fastify 404
backend 429: express 429, koa 429, fastify 429
backend 503: express 503, koa 503, fastify 503
backend down: express 500, koa 500, fastify 500
END
