#!/usr/bin/env bash
# http.HTTPStatus of Python 3.11 and HttpStatus.valueOf of spring-web 7.0.10 (Java), against httpx 0.28.1 (Python), Node 20.
#
# Guess: each code from 100 to 599 is a status, and its class is its first digit.
#
# Really: HTTPStatus(499) raises ValueError, and HttpStatus.valueOf(499) IllegalArgumentException: both know the registered codes
# only. 499 is what nginx and Traefik count for clients that left, and 520 to 529 are codes of networks in front. For httpx and
# Node they have no text, which is no error.
#
# Matters: a bot that groups the codes of an access log or of a metric works until the first client leaves, which under a slow
# canary is soon, and ends there. Divide by 100, or take HttpStatusCode in Spring.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python httpx==0.28.1 <<'PY'
from http import HTTPStatus

import httpx

for code in [404, 499, 503, 520, 529]:
    try:
        print(f"Python {code}: {HTTPStatus(code).phrase}")
    except ValueError as error:
        print(f"Python {code}: ValueError, {error}")
    response = httpx.Response(code)
    print(f"httpx {code}: text {response.reason_phrase!r}, is_server_error {response.is_server_error}")
PY
with_java org.springframework:spring-web:7.0.10 <<'JAVA'
import org.springframework.http.*;

class Main {
  public static void main(String[] arguments) {
    for (int code : new int[] {404, 499, 503, 520, 529}) {
      String seen;
      try {
        seen = HttpStatus.valueOf(code).name();
      } catch (IllegalArgumentException error) {
        seen = "IllegalArgumentException, HttpStatusCode is5xxServerError " + HttpStatusCode.valueOf(code).is5xxServerError();
      }
      System.out.println("Spring " + code + ": " + seen);
    }
  }
}
JAVA
with_node <<'JS'
import { STATUS_CODES } from "node:http";

console.log("Node:", [404, 499, 503, 520, 529].map((code) => `${code} ${STATUS_CODES[code]}`).join(", "));
JS
expect <<'END'
Python 404: Not Found
httpx 404: text 'Not Found', is_server_error False
Python 499: ValueError, 499 is not a valid HTTPStatus
httpx 499: text '', is_server_error False
Python 503: Service Unavailable
httpx 503: text 'Service Unavailable', is_server_error True
Python 520: ValueError, 520 is not a valid HTTPStatus
httpx 520: text '', is_server_error True
Python 529: ValueError, 529 is not a valid HTTPStatus
httpx 529: text '', is_server_error True
Spring 404: NOT_FOUND
Spring 499: IllegalArgumentException, HttpStatusCode is5xxServerError false
Spring 503: SERVICE_UNAVAILABLE
Spring 520: IllegalArgumentException, HttpStatusCode is5xxServerError true
Spring 529: IllegalArgumentException, HttpStatusCode is5xxServerError true
Node: 404 Not Found, 499 undefined, 503 Service Unavailable, 520 undefined, 529 undefined
END
