#!/usr/bin/env bash
# py-healthcheck 1.10.1 and fastapi-health 0.4.0 (Python), alexliesenfeld/health 0.8.0, against hellofresh/health-go 5.5.4
# (Go).
#
# Guess: a health endpoint runs its checks when it is asked, and answers 503 as long as one of them fails.
#
# Really: py-healthcheck remembers a success for 27 seconds and a failure for 9, and answers 500; alexliesenfeld/health
# remembers both for one second. fastapi-health answers 200 when a check returns {"db": "down"}, as each value that is not
# empty is a success, and 500 when it raises. health-go asks each time.
#
# Matters: a canary that has lost its database stays ready, with its share of the users, for half a minute after the fault;
# a gate or a smoke test that asks after a step sees what was before it. Set success_ttl and failed_ttl to 0.
#
# Seen, the status by seconds: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python py-healthcheck==1.10.1 fastapi-health==0.4.0 fastapi==0.165.0 httpx==0.28.1 2>"$work/log" <<'PY' || { cat "$work/log" >&2; exit 1; }
import logging
import time

from fastapi import FastAPI
from fastapi.testclient import TestClient
from fastapi_health import health
from healthcheck import HealthCheck

logging.disable(logging.CRITICAL)
works = {"first": True, "second": False}
first = HealthCheck(checkers=[lambda: (works["first"], "db")])
second = HealthCheck(checkers=[lambda: (works["second"], "db")])
print("py-healthcheck at first:", first.run()[1], second.run()[1])
works.update(first=False, second=True)
began = time.monotonic()
for seconds in 1, 7, 12, 24, 31:
    time.sleep(max(0, began + seconds - time.monotonic()))
    print(f"{seconds} s after one broke and the other was mended:", first.run()[1], second.run()[1])


def false():
    return False


def down():
    return {"db": "down"}


def raises():
    raise ConnectionError


app = FastAPI()
client = TestClient(app, raise_server_exceptions=False)
for check in false, down, raises:
    app.add_api_route(f"/{check.__name__}", health([check]))
    print("fastapi-health,", check.__name__, client.get(f"/{check.__name__}").status_code)
PY
with_go github.com/alexliesenfeld/health@v0.8.0 github.com/hellofresh/health-go/v5@v5.5.4 <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	alexliesenfeld "github.com/alexliesenfeld/health"
	hellofresh "github.com/hellofresh/health-go/v5"
)

func status(handler http.Handler) int {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	return answer.Code
}

func main() {
	var err error
	check := func(context.Context) error { return err }
	hello, failed := hellofresh.New(hellofresh.WithChecks(hellofresh.Config{Name: "db", Check: check}))
	if failed != nil {
		panic(failed)
	}
	alex := alexliesenfeld.NewHandler(alexliesenfeld.NewChecker(
		alexliesenfeld.WithCheck(alexliesenfeld.Check{Name: "db", Check: check})))
	fmt.Println("health-go", status(hello.Handler()), "alexliesenfeld", status(alex))
	err = errors.New("db is down")
	fmt.Println("down, at once: health-go", status(hello.Handler()), "alexliesenfeld", status(alex))
	time.Sleep(1500 * time.Millisecond)
	fmt.Println("after 1.5 s: health-go", status(hello.Handler()), "alexliesenfeld", status(alex))
}
GO
expect <<'END'
py-healthcheck at first: 200 500
1 s after one broke and the other was mended: 200 500
7 s after one broke and the other was mended: 200 500
12 s after one broke and the other was mended: 200 200
24 s after one broke and the other was mended: 200 200
31 s after one broke and the other was mended: 500 200
fastapi-health, false 503
fastapi-health, down 200
fastapi-health, raises 500
health-go 200 alexliesenfeld 200
down, at once: health-go 503 alexliesenfeld 200
after 1.5 s: health-go 503 alexliesenfeld 503
END
