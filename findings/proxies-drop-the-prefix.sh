#!/usr/bin/env bash
# http-proxy-middleware 3.0.11, express-http-proxy 2.1.2 and @fastify/http-proxy 11.6.3, against http-proxy-middleware 2.0.9
# (JavaScript), Go 1.26.
#
# Guess: a proxy that is mounted at /api passes /api/users on as it is, as http-proxy-middleware did.
#
# Really: the backend is asked for /users since version 3, and by the two others. With pathFilter instead of a mount it is
# /api/users, and /apiary goes to the backend as well. Go's ReverseProxy behind a ServeMux keeps the path.
#
# Matters: a gateway in Node that gets the newer version answers 404 for all, and a route of a Canary that matches the prefix /api
# in front of the application matches nothing any more. Write the target with its path, or rewrite the path by hand.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node express@5.3.0 fastify@5.12.8 http-proxy-middleware@3.0.11 older@npm:http-proxy-middleware@2.0.9 express-http-proxy@2.1.2 @fastify/http-proxy@11.6.3 <<'JS'
import fastifyProxy from "@fastify/http-proxy";
import express from "express";
import expressProxy from "express-http-proxy";
import Fastify from "fastify";
import { createProxyMiddleware } from "http-proxy-middleware";
import http from "node:http";
import older from "older";

const listen = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));
const target = await listen(http.createServer((request, response) => response.end(`backend ${request.url}`)));
const mounted = (handler) => listen(http.createServer(express().use("/api", handler)));
const fastify = Fastify();
await fastify.register(fastifyProxy, { upstream: target, prefix: "/api" });
const proxies = {
  "http-proxy-middleware 3": await mounted(createProxyMiddleware({ target })),
  "http-proxy-middleware 3, pathFilter": await listen(http.createServer(express().use(createProxyMiddleware({ target, pathFilter: "/api" })))),
  "http-proxy-middleware 2": await mounted(older.createProxyMiddleware({ target, logLevel: "silent" })),
  "express-http-proxy": await mounted(expressProxy(target)),
  "@fastify/http-proxy": await fastify.listen({ port: 0, host: "127.0.0.1" }),
};
for (const [name, address] of Object.entries(proxies)) {
  for (const path of ["/api/users", "/api", "/apiary"]) {
    const answer = await fetch(address + path);
    console.log(`${name}, ${path}: ${answer.status === 200 ? await answer.text() : answer.status}`);
  }
}
process.exit();
JS
with_go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
)

func main() {
	backend := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		fmt.Fprint(answer, "backend ", request.URL.Path)
	}))
	target, err := url.Parse(backend.URL)
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", httputil.NewSingleHostReverseProxy(target))
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, httptest.NewRequest("GET", "/api/users", nil))
	fmt.Printf("Go, /api/users: %s\n", recorder.Body)
}
GO
expect <<'END'
http-proxy-middleware 3, /api/users: backend /users
http-proxy-middleware 3, /api: backend /
http-proxy-middleware 3, /apiary: 404
http-proxy-middleware 3, pathFilter, /api/users: backend /api/users
http-proxy-middleware 3, pathFilter, /api: backend /api
http-proxy-middleware 3, pathFilter, /apiary: backend /apiary
http-proxy-middleware 2, /api/users: backend /api/users
http-proxy-middleware 2, /api: backend /api
http-proxy-middleware 2, /apiary: 404
express-http-proxy, /api/users: backend /users
express-http-proxy, /api: backend /
express-http-proxy, /apiary: 404
@fastify/http-proxy, /api/users: backend /users
@fastify/http-proxy, /api: backend /
@fastify/http-proxy, /apiary: 404
Go, /api/users: backend /api/users
END
