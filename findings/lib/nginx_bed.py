"""One nginx between a client and backends, all on loopback, for the scripts beside this folder."""

import http.client
import http.server
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time


class Backend(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Answers with a status after a delay; with the status None it reads the request and closes the connection."""

    daemon_threads = True

    def __init__(self, status=200, delay=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.server.asked += 1
                time.sleep(delay)
                if status:
                    self.send_response(status)
                    self.end_headers()

            def log_message(self, *args):
                pass

        self.asked = 0
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __str__(self):
        return f"127.0.0.1:{self.server_address[1]}"


class Nginx:
    """A running nginx with this text in its `http` and this in its `server`; ended on exit from the block."""

    def __init__(self, server, upstreams=""):
        folder = os.environ["WORK"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config, self.log = f"{folder}/nginx.conf", f"{folder}/error.log"
        with open(config, "w") as file:
            file.write(f"daemon off; worker_processes 1; pid {folder}/pid; events {{}}\n"
                       f"http {{ access_log off; {paths}\n{upstreams}\n"
                       f"server {{ listen 127.0.0.1:{self.port};\n{server}\n}} }}\n")
        self.process = subprocess.Popen([f"{folder}/usr/sbin/nginx", "-c", config, "-e", self.log])

    def __enter__(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    sys.exit(open(self.log).read())
                time.sleep(0.05)

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port)

    def get(self, path, connection=None):
        """The status, on a connection of its own unless one is given."""
        used = connection or self.connect()
        used.request("GET", path)
        answer = used.getresponse()
        answer.read()
        if not connection:
            used.close()
        return answer.status
