#!/usr/bin/env bash
# http.cookies of Python 3.11, against Werkzeug 3.1.9, starlette 1.10.0, Django 5.2.19 and aiohttp 3.14.5 (Python), cookie
# 2.0.2 (JavaScript), Go 1.26.
#
# Guess: a cookie that a parser cannot read is left out, or given as it is. The cookies beside it are read.
#
# Really: SimpleCookie of Python stops at JSON in a value, or at a bracket in a name, and gives nothing at all if there is a
# blank in a value or a cookie without "=". Each time the canary's cookie is lost. Go and Werkzeug leave out no more than the
# one cookie, and the others read it too.
#
# Matters: a service or a script that reads the cookie of an A/B test by SimpleCookie takes users for those of the primary as
# soon as any other cookie of the site, of a banner for example, has such a value, while the router in front sends them to the
# canary. Use the parser of the framework.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/cookies" <<'TXT'
a=1; prefs={"dark":true}; canary=always
a=1; b[x]=2; canary=always
a=1; b=two words; canary=always
a=1; b; canary=always
TXT
export COOKIES="$work/cookies"
with_python Werkzeug==3.1.9 starlette==1.10.0 Django==5.2.19 aiohttp==3.14.5 <<'PY'
import os
from http.cookies import SimpleCookie

from aiohttp.test_utils import make_mocked_request
from django.http import parse_cookie as of_django
from starlette.requests import Request
from werkzeug.http import parse_cookie as of_werkzeug

def of_starlette(text):
    return Request({"type": "http", "headers": [(b"cookie", text.encode())]}).cookies

def of_aiohttp(text):
    return make_mocked_request("GET", "/", headers={"Cookie": text}).cookies

readers = {
    "SimpleCookie": lambda text: {name: value.value for name, value in SimpleCookie(text).items()},
    "Werkzeug": of_werkzeug,
    "starlette": of_starlette,
    "Django": of_django,
    "aiohttp": of_aiohttp,
}
with open(os.environ["COOKIES"]) as file:
    for text in file.read().splitlines():
        print(text)
        for name, read in readers.items():
            print(f"  {name}: {', '.join(f'{key}={value}' for key, value in read(text).items()) or 'nothing'}")
PY
with_node cookie@2.0.2 <<'JS'
import fs from "node:fs";
import { parseCookie } from "cookie";

for (const text of fs.readFileSync(process.env.COOKIES, "utf8").trim().split("\n")) {
  const pairs = Object.entries(parseCookie(text)).map((pair) => pair.join("="));
  console.log(`cookie, ${text}: ${pairs.join(", ")}`);
}
JS
with_go <<'GO'
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
)

func main() {
	file, err := os.Open(os.Getenv("COOKIES"))
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		request := http.Request{Header: http.Header{"Cookie": {lines.Text()}}}
		fmt.Printf("Go, %s: %v\n", lines.Text(), request.Cookies())
	}
}
GO
expect <<'END'
a=1; prefs={"dark":true}; canary=always
  SimpleCookie: a=1
  Werkzeug: a=1, canary=always
  starlette: a=1, prefs={"dark":true}, canary=always
  Django: a=1, prefs={"dark":true}, canary=always
  aiohttp: a=1, prefs={"dark":true}, canary=always
a=1; b[x]=2; canary=always
  SimpleCookie: a=1
  Werkzeug: a=1, b[x]=2, canary=always
  starlette: a=1, b[x]=2, canary=always
  Django: a=1, b[x]=2, canary=always
  aiohttp: a=1, b[x]=2, canary=always
a=1; b=two words; canary=always
  SimpleCookie: nothing
  Werkzeug: a=1, canary=always
  starlette: a=1, b=two words, canary=always
  Django: a=1, b=two words, canary=always
  aiohttp: a=1, b=two, words=, canary=always
a=1; b; canary=always
  SimpleCookie: nothing
  Werkzeug: a=1, b=, canary=always
  starlette: a=1, =b, canary=always
  Django: a=1, =b, canary=always
  aiohttp: a=1, b=, canary=always
cookie, a=1; prefs={"dark":true}; canary=always: a=1, prefs={"dark":true}, canary=always
cookie, a=1; b[x]=2; canary=always: a=1, b[x]=2, canary=always
cookie, a=1; b=two words; canary=always: a=1, b=two words, canary=always
cookie, a=1; b; canary=always: a=1, canary=always
Go, a=1; prefs={"dark":true}; canary=always: [a=1 canary=always]
Go, a=1; b[x]=2; canary=always: [a=1 canary=always]
Go, a=1; b=two words; canary=always: [a=1 b="two words" canary=always]
Go, a=1; b; canary=always: [a=1 b= canary=always]
END
