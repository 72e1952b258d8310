#!/usr/bin/env bash
# prometheus-http-query 0.9.0 (Rust) and prometheus-api-client 0.7.2 (Python), with the parser of Prometheus 3.15.0 (module
# v0.315.0).
#
# Guess: a value that is given to a builder of selectors arrives at Prometheus as it is.
#
# Really: both put it between quotes as it stands. In PromQL a backslash begins an escape: `/users/\d+` is refused, and
# `shop\todo` has a tab in it.
#
# Matters: a gate for a Canary that makes its query of a pattern or of the value of a label works until there is a backslash
# in it. Then it is an error or "no values found", and a good release ends. Double the backslashes before.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
. "$(dirname "$0")/lib/promql_reads.sh"
mkdir -p "$work/cargo/src"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[profile.dev]
debug = false
TOML
with_cargo prometheus-http-query@=0.9.0 --no-default-features <<'RUST'
use prometheus_http_query::Selector;

fn main() {
    println!("{}", Selector::new().metric("requests").regex_eq("path", r"/users/\d+"));
    println!("{}", Selector::new().metric("requests").eq("job", r"shop\todo"));
}
RUST
with_python prometheus-api-client==0.7.2 <<'PY'
import http.server
import json
import threading
import urllib.parse

from prometheus_api_client import PrometheusConnect


class Prometheus(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["query"][0])
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = PrometheusConnect(f"http://127.0.0.1:{server.server_port}")
client.get_current_metric_value("requests", {"path": r"/users/\d+"})
client.get_current_metric_value("requests", {"job": r"shop\todo"})
PY
cp "$work/seen" "$work/queries"
promql_reads v0.315.0 "$work/queries"
expect <<'END'
{__name__="requests",path=~"/users/\d+"}
{__name__="requests",job="shop\todo"}
requests{path='/users/\d+'}
requests{job='shop\todo'}
Prometheus: {__name__="requests",path=~"/users/\d+"}: refused, unknown escape sequence U+0064 'd'
Prometheus: {__name__="requests",job="shop\todo"}: {__name__="requests",job="shop\todo"}
Prometheus: requests{path='/users/\d+'}: refused, unknown escape sequence U+0064 'd'
Prometheus: requests{job='shop\todo'}: requests{job="shop\todo"}
END
