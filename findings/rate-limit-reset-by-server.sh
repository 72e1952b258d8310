#!/usr/bin/env bash
# express-rate-limit 8.7.5 with express 5.3.0, @fastify/rate-limit 11.2.0 with fastify 5.12.8, koa-ratelimit 6.0.0 with koa 3.3.0
# (JavaScript), Flask-Limiter 4.1.1 with Flask 3.1.3 (Python).
#
# Guess: X-RateLimit-Reset of an answer 429 is the time at which calls are taken again, in seconds since 1970.
#
# Really: it is that for express-rate-limit and Flask-Limiter, that with a fraction for koa-ratelimit, and the number of seconds to
# wait for @fastify/rate-limit. With standardHeaders of draft-6 express-rate-limit has it in RateLimit-Reset as seconds to
# wait. Retry-After is seconds to wait in all of them, but Flask-Limiter does not send these headers until they are enabled.
#
# Matters: a bot that sleeps until the time in the header does not sleep at all in front of fastify, and one that sleeps for the
# number sleeps for 56 years in front of the others. A fraction is refused by parsers of whole numbers. Go by Retry-After.
#
# Seen, of a limit of one call in a minute: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node express-rate-limit@8.7.5 express@5.3.0 @fastify/rate-limit@11.2.0 fastify@5.12.8 koa-ratelimit@6.0.0 koa@3.3.0 <<'JS'
import fastifyLimit from "@fastify/rate-limit";
import express from "express";
import { rateLimit } from "express-rate-limit";
import fastify from "fastify";
import Koa from "koa";
import koaLimit from "koa-ratelimit";

const kind = (text) => {
  if (text === null) return "none";
  const number = Number(text);
  const what = number > 1e12 ? "milliseconds since 1970" : number > 1e9 ? "seconds since 1970" : number > 50 && number <= 60 ? "seconds to wait" : text;
  return `${what}${text.includes(".") ? " with a fraction" : ""}`;
};
const show = async (name, server) => {
  const address = `http://127.0.0.1:${server.address().port}/`;
  await fetch(address);
  const { status, headers } = await fetch(address);
  console.log(`${name}: ${status}, X-RateLimit-Reset ${kind(headers.get("x-ratelimit-reset"))},`,
    `RateLimit-Reset ${kind(headers.get("ratelimit-reset"))}, Retry-After ${kind(headers.get("retry-after"))}`);
};
const listen = (app) => new Promise((resolve) => { const server = app.listen(0, "127.0.0.1", () => resolve(server)); });
for (const [name, options] of [["express-rate-limit", {}], ["express-rate-limit, draft-6", { standardHeaders: "draft-6", legacyHeaders: false }]]) {
  const app = express();
  app.use(rateLimit({ windowMs: 60000, limit: 1, ...options }));
  app.get("/", (request, response) => response.send("ok"));
  await show(name, await listen(app));
}
const app = fastify();
await app.register(fastifyLimit, { max: 1, timeWindow: 60000 });
app.get("/", async () => "ok");
await app.listen({ port: 0, host: "127.0.0.1" });
await show("@fastify/rate-limit", app.server);
const koa = new Koa();
koa.use(koaLimit({ driver: "memory", db: new Map(), duration: 60000, max: 1 }));
koa.use((context) => { context.body = "ok"; });
await show("koa-ratelimit", await listen(koa));
process.exit();
JS
with_python Flask-Limiter==4.1.1 Flask==3.1.3 <<'PY'
import time
import warnings

import flask
import flask_limiter

warnings.simplefilter("ignore")
for enabled in (False, True):
    app = flask.Flask("app")
    flask_limiter.Limiter(lambda: "bot", app=app, default_limits=["1 per minute"], storage_uri="memory://", headers_enabled=enabled)
    app.route("/")(lambda: "ok")
    client = app.test_client()
    client.get("/")
    answer = client.get("/")
    reset = answer.headers.get("X-RateLimit-Reset")
    print(f"Flask-Limiter, headers_enabled={enabled}: {answer.status_code}, X-RateLimit-Reset",
          reset and ("seconds since 1970" if abs(float(reset) - time.time()) < 90 else reset), "Retry-After", "Retry-After" in answer.headers)
PY
expect <<'END'
express-rate-limit: 429, X-RateLimit-Reset seconds since 1970, RateLimit-Reset none, Retry-After seconds to wait
express-rate-limit, draft-6: 429, X-RateLimit-Reset none, RateLimit-Reset seconds to wait, Retry-After seconds to wait
@fastify/rate-limit: 429, X-RateLimit-Reset seconds to wait, RateLimit-Reset none, Retry-After seconds to wait
koa-ratelimit: 429, X-RateLimit-Reset seconds since 1970 with a fraction, RateLimit-Reset none, Retry-After seconds to wait
Flask-Limiter, headers_enabled=False: 429, X-RateLimit-Reset None Retry-After False
Flask-Limiter, headers_enabled=True: 429, X-RateLimit-Reset seconds since 1970 Retry-After True
END
