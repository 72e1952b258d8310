"""Graphite's own web application as one process, over Whisper files of its own.

    serve.py <host>:<port> <port of the receiver> <folder for everything it stores>
    serve.py --check                                            only says whether it could

The receiver takes carbon's plain text, one `path value time` a line, and writes it with Graphite's own library.
"""
import os
import socketserver
import sys
import tempfile
import threading
import time
import types
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import setuptools  # noqa: F401  brings distutils back where Python has dropped it
import whisper


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
            path, value, at = line.decode().split()
            store(path, float(value), int(at))
            self.wfile.write(b"ok\n")


def store(path, value, at):
    file = os.path.join(os.environ["GRAPHITE_STORAGE_DIR"], "whisper", *path.split(".")) + ".wsp"
    if not os.path.exists(file):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        whisper.create(file, [(1, 3600)])
    whisper.update(file, value, at)


def application(storage):
    """Graphite over this folder, with its tables made."""
    os.environ["GRAPHITE_STORAGE_DIR"] = storage
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    for folder in ("whisper", "lists", os.path.join("log", "webapp")):
        os.makedirs(os.path.join(storage, folder), exist_ok=True)
    sys.modules["cairocffi"] = Undrawn("cairocffi")

    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from graphite.wsgi import application

    return application


def main():
    if sys.argv[1:] == ["--check"]:
        with tempfile.TemporaryDirectory() as storage:
            application(storage)
            store("checked", 1.0, int(time.time()))
        return
    address, receiver, storage = sys.argv[1:4]
    host, port = address.rsplit(":", 1)
    served = application(storage)
    lines = socketserver.ThreadingTCPServer((host, int(receiver)), Receiver)
    lines.daemon_threads = True
    threading.Thread(target=lines.serve_forever, daemon=True).start()
    make_server(host, int(port), served, Threaded, Quiet).serve_forever()


if __name__ == "__main__":
    main()
