"""Graphite's own web application as one process, over Whisper files of its own.

    serve.py <host>:<port> <port of the receiver> <folder for everything it stores>

The receiver takes carbon's plain text, one `path value time` a line, and writes it with Graphite's own library.
"""
import os
import socketserver
import sys
import threading
import types
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import setuptools  # noqa: F401  brings distutils back where Python has dropped it


class Undrawn(types.ModuleType):
    """Stands in for the library that draws: it is imported, and not used for JSON."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self):
        """Without asking for the name of the address, which no test bed has."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Receiver(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            path, value, time = line.decode().split()
            store(path, float(value), int(time))
            self.wfile.write(b"ok\n")


def store(path, value, time):
    file = os.path.join(os.environ["GRAPHITE_STORAGE_DIR"], "whisper", *path.split(".")) + ".wsp"
    if not os.path.exists(file):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        whisper.create(file, [(1, 3600)])
    whisper.update(file, value, time)


address, receiver, storage = sys.argv[1:4]
host, port = address.rsplit(":", 1)
os.environ["GRAPHITE_STORAGE_DIR"] = storage
os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
for folder in ("whisper", "lists", os.path.join("log", "webapp")):
    os.makedirs(os.path.join(storage, folder), exist_ok=True)
sys.modules["cairocffi"] = Undrawn("cairocffi")

import django  # noqa: E402
import whisper  # noqa: E402
from django.core.management import call_command  # noqa: E402

django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)
from graphite.wsgi import application  # noqa: E402

lines = socketserver.ThreadingTCPServer((host, int(receiver)), Receiver)
lines.daemon_threads = True
threading.Thread(target=lines.serve_forever, daemon=True).start()
make_server(host, int(port), application, Threaded, Quiet).serve_forever()
