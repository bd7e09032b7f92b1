"""Fixtures for tests of shards: HTTP servers."""

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from datamodules.sources import shards as shards_module


class RangeHandler(SimpleHTTPRequestHandler):
    """Supports ranges; breaks some of the connections half-way."""

    def __init__(self, *args, log, broken, **options):
        self.log, self.broken = log, broken
        super().__init__(*args, **options)

    def do_GET(self):
        with open(self.translate_path(self.path), "rb") as stream:  # noqa: PTH123
            content = stream.read()
        asked = self.headers["Range"]
        self.log.append((self.path[1:], asked))
        if asked:
            first, last = map(int, asked.removeprefix("bytes=").split("-"))
            content = content[first : last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        breaks = len(self.log) in self.broken
        self.wfile.write(content[: len(content) // 2] if breaks else content)

    def log_message(self, *args):
        pass


class PlainHandler(SimpleHTTPRequestHandler):
    """Python's own handler, which does not support ranges."""

    def log_message(self, *args):
        pass


@contextmanager
def serving(folder, handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def serve(shards):
    """Serve the shards, log the requests, and break those with the given numbers."""

    @contextmanager
    def run(broken=()):
        log = []
        with serving(shards, partial(RangeHandler, log=log, broken=broken)) as url:
            yield url, log

    yield run
    shards_module._opened.cache_clear()


@pytest.fixture
def serve_plainly():
    """Serve a folder by Python's own server, which does not support ranges."""
    return lambda folder: serving(folder, PlainHandler)
