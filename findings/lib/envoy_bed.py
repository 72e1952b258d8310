"""One Envoy between a client and backends, all on loopback, for the scripts beside this folder."""

import http.client
import http.server
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
ANY_PORT = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}


class Backend(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Answers each request with `answer(request)`: a status, or a status and a dict of headers."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("content-length") or 0))
                said = answer(self)
                status, headers = said if isinstance(said, tuple) else (said, {})
                self.send_response(status)
                for name, value in {**headers, "content-length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Envoy may hang up on a backend: that is part of what is looked at."""


def cluster(name, *backends, **fields):
    """A static cluster of these backends."""
    at = [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": b.server_address[1]}}}}
          for b in backends]
    return {"name": name, "connect_timeout": "5s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": at}]}, **fields}


def weighted(**weights):
    """The weighted clusters of a route, in the order given."""
    return {"clusters": [{"name": name, "weight": weight} for name, weight in weights.items()]}


def route(prefix="/", match=None, **action):
    """A route for a prefix."""
    return {"match": {"prefix": prefix, **(match or {})}, "route": action}


def watched(name, kind, *resources):
    """Puts resources of the discovery service `kind` into a file that Envoy watches; gives the source that reads it."""
    path = os.path.join(os.environ["WORK"], name)
    typed = [{"@type": f"type.googleapis.com/envoy.config.{kind}", **resource} for resource in resources]
    with open(path + ".new", "w") as file:
        json.dump({"version_info": str(time.time()), "resources": typed}, file)
    os.rename(path + ".new", path)
    return {"resource_api_version": "V3", "path_config_source": {"path": path}}


class Envoy:
    """A running Envoy with these routes, clusters and HTTP filters, and `more` configuration; ended on exit from the block."""

    def __init__(self, routes, clusters, filters=(), **more):
        folder = os.environ["WORK"]
        manager = {"@type": HCM, "stat_prefix": "in",
                   "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
                                    "validate_clusters": False},
                   "http_filters": [*filters, {"name": "router", "typed_config": {"@type": ROUTER}}]}
        listener = {"name": "in", "address": ANY_PORT,
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}
        config, admin = os.path.join(folder, "envoy.json"), os.path.join(folder, "admin")
        with open(config, "w") as file:
            json.dump({"admin": {"address": ANY_PORT}, "stats_flush_interval": "0.1s",
                       "node": {"id": "envoy", "cluster": "findings"},
                       "static_resources": {"listeners": [listener], "clusters": clusters}, **more}, file)
        if os.path.exists(admin):
            os.remove(admin)
        self.process = subprocess.Popen([os.environ["ENVOY"], "-c", config, "--admin-address-path", admin,
                                         "--log-level", "error", "--concurrency", "1", "--use-dynamic-base-id"])
        try:
            self.admin = self.until(lambda: os.path.exists(admin) and open(admin).read())
            self.until(lambda: "LIVE" in self.ask("/ready"))
        except BaseException:
            self.end()
            raise
        listeners = json.loads(self.ask("/listeners?format=json"))["listener_statuses"]
        self.port = listeners[0]["local_address"]["socket_address"]["port_value"]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()

    def end(self):
        self.process.terminate()
        self.process.wait()

    def until(self, condition):
        """What the condition comes to, once it holds; an error after 30 s."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit("Envoy has ended")
            try:
                if found := condition():
                    return found
            except OSError:
                pass
            time.sleep(0.02)
        sys.exit("timed out after 30 s")

    def ask(self, path):
        return urllib.request.urlopen(f"http://{self.admin}{path}").read().decode()

    def get(self, path="/", headers=(), body=None, patience=30):
        """The status of one request on a connection of its own; None if the client gave up after `patience` seconds.

        The headers of the answer are in `last_headers`.
        `headers` is a dict, or a list of pairs for a header that comes more than once.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            headers = list(headers.items() if isinstance(headers, dict) else headers)
            connection.putrequest("POST" if body else "GET", path, skip_host="host" in dict(headers))
            for name, value in headers + ([("content-length", str(len(body)))] if body else []):
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            answer.read()
            self.last_headers = answer.headers
            return answer.status
        except TimeoutError:
            return None
        finally:
            connection.close()

    def stat(self, metric, **labels):
        """The value of one series as Prometheus would scrape it; None if there is none."""
        for line in self.ask("/stats/prometheus").splitlines():
            if line.startswith(metric + "{") and all(f'{k}="{v}"' in line for k, v in labels.items()):
                return float(line.rsplit(" ", 1)[1])
        return None

    def requests(self, name):
        """What the cluster's `envoy_cluster_upstream_rq` counts, by response code."""
        series = re.findall(r"^envoy_cluster_upstream_rq\{(.*)\} (\d+)$", self.ask("/stats/prometheus"), re.M)
        return {re.search(r'response_code="(\d+)"', labels)[1]: int(count)
                for labels, count in series if f'envoy_cluster_name="{name}"' in labels}


def check(**seen):
    """Prints what was seen; `name=(seen, expected)`. Ends with status 1 if one differs."""
    changed = False
    for name, (value, expected) in seen.items():
        changed |= value != expected
        print(f"{name}: {value}" + ("" if value == expected else f", expected {expected}"))
    if changed:
        sys.exit("the behaviour has changed")
