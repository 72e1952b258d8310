"""One Traefik between a client and backends, all on loopback, for the scripts beside this folder."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def servers(*backends):
    """A service of these backends (of envoy_bed)."""
    return {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{b.server_address[1]}"} for b in backends]}}


class Traefik:
    """A running Traefik with a router by path for each service, which all have these middlewares; ended on exit."""

    def __init__(self, services, middlewares=None):
        folder = os.environ["WORK"]
        self.web, self.metrics = free_port(), free_port()
        services = {"ready": servers(), **services}
        routers = {name: {"rule": f"PathPrefix(`/{name}`)", "service": name, "entryPoints": ["web"],
                          "middlewares": list(middlewares or [])} for name in services}
        dynamic = os.path.join(folder, "dynamic.json")
        with open(dynamic, "w") as file:
            optional = {"middlewares": middlewares} if middlewares else {}
            json.dump({"http": {"routers": routers, "services": services, **optional}}, file)
        self.process = subprocess.Popen(
            [os.path.join(folder, "traefik"), f"--entryPoints.web.address=127.0.0.1:{self.web}",
             f"--entryPoints.metrics.address=127.0.0.1:{self.metrics}", "--metrics.prometheus.entryPoint=metrics",
             f"--providers.file.filename={dynamic}", "--log.level=ERROR", "--global.checkNewVersion=false",
             "--global.sendAnonymousUsage=false"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        self.until(lambda: self.get("/ready") == 503 and self.requests("ready") == {})
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait()

    def until(self, condition):
        """Returns once the condition holds; ends the script after 60 s."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit("Traefik has ended")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit("timed out after 60 s")

    def get(self, path, patience=30):
        """The status of one request; None if the client gave up after `patience` seconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=patience)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except TimeoutError:
            return None
        finally:
            connection.close()

    def requests(self, service):
        """What traefik_service_request_duration_seconds_count counts, by code."""
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics").read().decode()
        line = r'^traefik_service_request_duration_seconds_count\{code="(\d+)".*service="(.*)@file"\} (\d+)$'
        series = re.findall(line, page, re.M)
        return {code: int(count) for code, name, count in series if name == service}
