"""Fixtures for tests of remote shards: HTTP servers with and without range requests."""

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from datamodules.sources import shards as shards_module
from datamodules.sources.shard_fetcher import fetcher
from datamodules.splits.sampler import WINDOW


class Gate:
    """What holds a request up until a test lets it through.

    Attributes:
        reached: Set when the request has come.
        opened: To be set by the test.
    """

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def hold(self):
        """Hold up a request."""
        self.reached.set()
        self.opened.wait()


class RangeHandler(SimpleHTTPRequestHandler):
    """Handler with range requests; it closes some connections after half of the content.

    Args:
        log: List to which each request is added, as path and range.
        broken: Numbers, from 1, of the requests whose connections are closed early.
        gates: Gates by the names of files, which hold up the requests for them.
    """

    def __init__(self, *args, log, broken, gates, **options):
        self.log, self.broken, self.gates = log, broken, gates
        super().__init__(*args, **options)

    def do_GET(self):
        with open(self.translate_path(self.path), "rb") as stream:  # noqa: PTH123
            content = stream.read()
        requested = self.headers["Range"]
        self.log.append((self.path[1:], requested))
        if gate := self.gates.get(self.path[1:]):
            gate.hold()
        if requested:
            first, last = map(int, requested.removeprefix("bytes=").split("-"))
            content = content[first : last + 1]
        self.send_response(206 if requested else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        breaks = len(self.log) in self.broken
        self.wfile.write(content[: len(content) // 2] if breaks else content)

    def log_message(self, format, *args):
        pass


class PlainHandler(SimpleHTTPRequestHandler):
    """Python's own handler, which does not support range requests."""

    def log_message(self, format, *args):
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
    """Function that serves the shards, logs requests, and breaks or holds up some of them."""

    @contextmanager
    def run(broken=(), held=()):
        log, gates = [], {name: Gate() for name in held}
        handler = partial(RangeHandler, log=log, broken=broken, gates=gates)
        with serving(shards, handler) as url:
            yield (url, log, gates) if held else (url, log)
            fetcher(WINDOW).want([])

    yield run
    shards_module._opened.cache_clear()


@pytest.fixture
def serve_without_ranges():
    """Function that serves a folder with Python's own server, without range requests."""
    return lambda folder: serving(folder, PlainHandler)
