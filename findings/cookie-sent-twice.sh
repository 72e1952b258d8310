#!/usr/bin/env bash
# Werkzeug 3.1.9 (Flask), Django 5.2.19, starlette 1.10.0 (FastAPI) and aiohttp 3.14.5 (Python), cookie 2.0.2 (JavaScript;
# Express, Fastify), net/http of Go.
#
# Guess: of two cookies of one name in a request all frameworks take the first, which is the one with the longer path.
#
# Really: Flask, Node and Go take the first; Django, FastAPI and aiohttp the last.
#
# Matters: a cookie for the canary that is set once for a path and once for the whole site, or by the proxy and by the
# application, is sent twice. The proxy's route, a service in Go and one in Python then see the user on different sides:
# one shows the new page, the other the old one. Give the cookies of an A/B test one path and one writer.
#
# Seen, canary=never; canary=always: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python Werkzeug==3.1.9 Django==5.2.19 starlette==1.10.0 aiohttp==3.14.5 <<'PY'
from aiohttp.test_utils import make_mocked_request
from django.http.cookie import parse_cookie as django_cookies
from starlette.requests import cookie_parser
from werkzeug.http import parse_cookie

header = "canary=never; theme=dark; canary=always"
print("Flask:", parse_cookie(header)["canary"])
print("Django:", django_cookies(header)["canary"])
print("FastAPI:", cookie_parser(header)["canary"])
print("aiohttp:", make_mocked_request("GET", "/", headers={"Cookie": header}).cookies["canary"])
PY
with_node cookie@2.0.2 <<'JS'
import { parseCookie } from "cookie";

console.log("Node:", parseCookie("canary=never; theme=dark; canary=always").canary);
JS
with_go <<'GO'
package main

import (
	"fmt"
	"net/http"
)

func main() {
	request := http.Request{Header: http.Header{"Cookie": {"canary=never; theme=dark; canary=always"}}}
	cookie, _ := request.Cookie("canary")
	fmt.Println("Go:", cookie.Value)
}
GO
expect <<'END'
Flask: never
Django: always
FastAPI: always
aiohttp: always
Node: never
Go: never
END
