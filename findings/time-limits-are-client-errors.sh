#!/usr/bin/env bash
# tower-http 0.7.1 (Rust; axum) and fiber 3.1.0 (Go), against echo 4.16.4, chi 5.5.0 and net/http of Go 1.26.
#
# Guess: the middleware that limits the time of a handler answers 503 or 504 when it is over.
#
# Really: TimeoutLayer::new() of tower-http and the timeout of fiber answer 408, by which the standard means a client that was
# too slow to send its request. echo and net/http answer 503, chi 504.
#
# Matters: a canary that hangs on half of its requests, and ends them itself, has a success rate of 100 % by
# `status!~"5.."`, which all built-in checks go by, at the proxy too. Give the status (TimeoutLayer::with_status_code,
# OnTimeout), or count 408 as a failure in a query of your own.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir -p "$work/cargo/src"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
axum = { version = "=0.8.9", default-features = false }
tower = { version = "0.5", features = ["util"] }
tower-http = { version = "=0.7.1", features = ["timeout"] }

[profile.dev]
debug = false
TOML
with_cargo tokio@1 --features macros,rt,time <<'RUST'
use std::time::Duration;

use axum::{Router, body::Body, http::Request, routing::get};
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    #[allow(deprecated)]
    let limit = TimeoutLayer::new(Duration::from_millis(50));
    let app = Router::new().route("/", get(|| std::future::pending::<()>())).layer(limit);
    let answer = app.oneshot(Request::new(Body::empty())).await.unwrap();
    println!("tower-http: {}", answer.status());
}
RUST
with_go github.com/gofiber/fiber/v3@v3.1.0 github.com/labstack/echo/v4@v4.16.4 github.com/go-chi/chi/v5@v5.5.0 <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/gofiber/fiber/v3"
	fibertimeout "github.com/gofiber/fiber/v3/middleware/timeout"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

const limit = 50 * time.Millisecond

var request = httptest.NewRequest(http.MethodGet, "/", nil)

func tell(name string, handler http.Handler) {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Printf("%s: %d\n", name, answer.Code)
}

func main() {
	app := fiber.New()
	app.Get("/", fibertimeout.New(func(context fiber.Ctx) error {
		<-context.Context().Done()
		return context.Context().Err()
	}, fibertimeout.Config{Timeout: limit}))
	answer, err := app.Test(request)
	if err != nil {
		panic(err)
	}
	fmt.Printf("fiber: %d\n", answer.StatusCode)

	withEcho := echo.New()
	withEcho.Use(echomiddleware.ContextTimeout(limit))
	withEcho.GET("/", func(context echo.Context) error {
		<-context.Request().Context().Done()
		return context.Request().Context().Err()
	})
	tell("echo", withEcho)

	hangs := http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	tell("chi", middleware.Timeout(limit)(hangs))
	tell("net/http", http.TimeoutHandler(hangs, limit, ""))
}
GO
expect <<'END'
tower-http: 408 Request Timeout
fiber: 408
echo: 503
chi: 504
net/http: 503
END
