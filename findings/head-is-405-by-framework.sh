#!/usr/bin/env bash
# FastAPI 0.165.0 (Python), chi 5.5.0, gin 1.12.0 and echo 4.16.4 (Go), against starlette 1.10.0, Flask 3.1.3, express 5.3.0,
# fastify 5.12.8, hono 4.13.19 and Go 1.26.
#
# Guess: where GET is routed HEAD is answered as well.
#
# Really: FastAPI, chi and echo answer 405 and gin 404. The others, starlette under FastAPI among them, answer 200.
#
# Matters: probes of load balancers and `curl -I` in a gate ask by HEAD. A canary that was moved from Flask to FastAPI, or from
# net/http to chi, is down for them, and each probe is one of the 4xx. Ask by GET, or route HEAD.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python fastapi==0.165.0 starlette==1.10.0 Flask==3.1.3 httpx==0.28.1 <<'PY'
import asyncio

import httpx
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

fastapi = FastAPI()
fastapi.get("/ready")(lambda: "ready")
starlette = Starlette(routes=[Route("/ready", lambda request: PlainTextResponse("ready"))])
flask = Flask("shop")
flask.get("/ready")(lambda: "ready")

async def ask(app, method):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        return (await client.request(method, "/ready")).status_code

for name, app in {"FastAPI": fastapi, "starlette": starlette}.items():
    print(f"{name}: GET {asyncio.run(ask(app, 'GET'))}, HEAD {asyncio.run(ask(app, 'HEAD'))}")
client = flask.test_client()
print(f"Flask: GET {client.get('/ready').status_code}, HEAD {client.head('/ready').status_code}")
PY
with_go github.com/go-chi/chi/v5@v5.5.0 github.com/gin-gonic/gin@v1.12.0 github.com/labstack/echo/v4@v4.16.4 <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"
)

func main() {
	ready := func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(200) }
	plain := http.NewServeMux()
	plain.HandleFunc("GET /ready", ready)
	ofChi := chi.NewRouter()
	ofChi.Get("/ready", ready)
	gin.SetMode(gin.ReleaseMode)
	ofGin := gin.New()
	ofGin.GET("/ready", func(context *gin.Context) { context.Status(200) })
	ofEcho := echo.New()
	ofEcho.GET("/ready", func(context echo.Context) error { return context.NoContent(200) })
	ask := func(name string, handler http.Handler) {
		var seen []int
		for _, method := range []string{"GET", "HEAD"} {
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(method, "/ready", nil))
			seen = append(seen, recorder.Code)
		}
		fmt.Printf("%s: GET %d, HEAD %d\n", name, seen[0], seen[1])
	}
	ask("net/http", plain)
	ask("chi", ofChi)
	ask("gin", ofGin)
	ask("echo", ofEcho)
}
GO
with_node express@5.3.0 fastify@5.12.8 hono@4.13.19 <<'JS'
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";

const app = express();
app.get("/ready", (request, response) => response.send("ready"));
const server = app.listen(0, "127.0.0.1");
const address = await new Promise((resolve) => server.on("listening", () => resolve(`http://127.0.0.1:${server.address().port}/ready`)));
const fastify = Fastify();
fastify.get("/ready", async () => "ready");
const hono = new Hono();
hono.get("/ready", (context) => context.text("ready"));
const askers = {
  express: async (method) => (await fetch(address, { method })).status,
  fastify: async (method) => (await fastify.inject({ method, url: "/ready" })).statusCode,
  hono: async (method) => (await hono.request("/ready", { method })).status,
};
for (const [name, ask] of Object.entries(askers)) console.log(`${name}: GET ${await ask("GET")}, HEAD ${await ask("HEAD")}`);
process.exit();
JS
expect <<'END'
FastAPI: GET 200, HEAD 405
starlette: GET 200, HEAD 200
Flask: GET 200, HEAD 200
net/http: GET 200, HEAD 200
chi: GET 200, HEAD 405
gin: GET 200, HEAD 404
echo: GET 200, HEAD 405
express: GET 200, HEAD 200
fastify: GET 200, HEAD 200
hono: GET 200, HEAD 200
END
