#!/usr/bin/env bash
# express 5.3.0 and koa 3.3.0, against @fastify/cookie 11.1.5 and hono 4.13.19 (JavaScript), Flask 3.1.3, Django 5.2.19 and
# starlette 1.10.0 (Python), Go 1.26.
#
# Guess: maxAge of a cookie is Max-Age, in seconds, and 0 deletes the cookie.
#
# Really: in express and koa it is in milliseconds, though express writes Max-Age: 86400 is 86 seconds, or a date in 86. In Go
# and koa 0 is no limit: the cookie stays until the browser is closed; -1 of Go is Max-Age=0.
#
# Matters: a user who is meant to stay with the canary for a day is dealt out anew after one and a half minutes, and one who was
# meant to leave it stays. Give 86400000 to express, and -1 to Go.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node express@5.3.0 koa@3.3.0 fastify@5.12.8 @fastify/cookie@11.1.5 hono@4.13.19 <<'JS'
import cookie from "@fastify/cookie";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { setCookie } from "hono/cookie";
import Koa from "koa";
import http from "node:http";

const listen = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
const ages = async (name, ask) => {
  for (const age of [86400, 0]) {
    const text = (await ask(age)).headers.get("set-cookie");
    const date = text.match(/expires=([^;]*)/i)?.[1];
    const seconds = date && Math.max(0, Math.round((new Date(date) - Date.now()) / 30000) * 30);
    const part = text.match(/Max-Age=\d+/)?.[0] ?? "no Max-Age";
    console.log(`${name}, maxAge ${age}: ${part}${date ? `, expires in about ${seconds} s` : ""}`);
  }
};
const byQuery = async (handler) => {
  const address = await listen(http.createServer(handler));
  return (age) => fetch(`${address}/?age=${age}`);
};

const app = express();
app.get("/", (request, response) => response.cookie("canary", "always", { maxAge: Number(request.query.age) }).end());
await ages("express", await byQuery(app));
const koa = new Koa();
koa.use((context) => {
  context.cookies.set("canary", "always", { maxAge: Number(context.query.age) });
  context.body = "";
});
await ages("koa", await byQuery(koa.callback()));
const fastify = Fastify();
await fastify.register(cookie);
fastify.get("/", (request, reply) => reply.setCookie("canary", "always", { maxAge: Number(request.query.age) }).send(""));
await fastify.ready();
await ages("@fastify/cookie", await byQuery((request, response) => fastify.server.emit("request", request, response)));
const hono = new Hono();
hono.get("/", (context) => {
  setCookie(context, "canary", "always", { maxAge: Number(context.req.query("age")) });
  return context.text("");
});
await ages("hono", (age) => hono.request(`/?age=${age}`));
process.exit();
JS
with_python Flask==3.1.3 Django==5.2.19 starlette==1.10.0 <<'PY'
import re

import flask
from django.conf import settings
from django.http import HttpResponse
from starlette.responses import Response

settings.configure()
for age in [86400, 0]:
    for name, response in {"Flask": flask.Response(), "Django": HttpResponse(), "starlette": Response()}.items():
        response.set_cookie("canary", "always", max_age=age)
        text = response.cookies.output() if name == "Django" else response.headers["set-cookie"]
        print(f"{name}, max_age {age}: {re.search('Max-Age=[0-9]+', text)[0]}")
PY
with_go <<'GO'
package main

import (
	"fmt"
	"net/http"
)

func main() {
	for _, age := range []int{86400, 0, -1} {
		fmt.Printf("Go, MaxAge %d: %v\n", age, &http.Cookie{Name: "canary", Value: "always", MaxAge: age})
	}
}
GO
expect <<'END'
express, maxAge 86400: Max-Age=86, expires in about 90 s
express, maxAge 0: Max-Age=0, expires in about 0 s
koa, maxAge 86400: no Max-Age, expires in about 90 s
koa, maxAge 0: no Max-Age
@fastify/cookie, maxAge 86400: Max-Age=86400
@fastify/cookie, maxAge 0: Max-Age=0
hono, maxAge 86400: Max-Age=86400
hono, maxAge 0: Max-Age=0
Flask, max_age 86400: Max-Age=86400
Django, max_age 86400: Max-Age=86400
starlette, max_age 86400: Max-Age=86400
Flask, max_age 0: Max-Age=0
Django, max_age 0: Max-Age=0
starlette, max_age 0: Max-Age=0
Go, MaxAge 86400: canary=always; Max-Age=86400
Go, MaxAge 0: canary=always
Go, MaxAge -1: canary=always; Max-Age=0
END
