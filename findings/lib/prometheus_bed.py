"""One Prometheus that scrapes targets on loopback each second, for the scripts beside this folder."""

import http.server
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

TEXT = "text/plain; version=0.0.4"


class Target(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Serves what `page()` returns; `content_type` may be None."""

    daemon_threads = True

    def __init__(self, page, content_type=TEXT):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = page().encode()
                self.send_response(200)
                if content_type:
                    self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self):
        """No connection is taken any more, as when a pod is gone."""
        self.shutdown()
        self.server_close()


class Prometheus:
    """A running server that scrapes these targets, each as a job of its name; ended on exit from the block."""

    def __init__(self, **targets):
        folder = os.environ["WORK"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        jobs = [{"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{target.server_address[1]}"]}]}
                for name, target in targets.items()]
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w") as file:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}, file)
        self.process = subprocess.Popen([os.path.join(folder, "prometheus"), f"--config.file={config}", "--log.level=error",
                                         f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait()

    def until(self, condition):
        """Returns once the condition holds; ends the script after 60 s."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit("Prometheus has ended")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit("timed out after 60 s")

    def ask(self, query, **more):
        """By job the values of a vector."""
        form = urllib.parse.urlencode({"query": query, **more})
        answer = json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{form}"))
        return {series["metric"].get("job", ""): float(series["value"][1]) for series in answer["data"]["result"]}


def check(**seen):
    """Prints what was seen; `name=(seen, expected)`. Ends with status 1 if one differs."""
    changed = False
    for name, (value, expected) in seen.items():
        changed |= value != expected
        print(f"{name}: {value}" + ("" if value == expected else f", expected {expected}"))
    if changed:
        sys.exit("the behaviour has changed")
