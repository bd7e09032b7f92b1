"""A real MLflow server whose answers can be held back, replaced by errors, or cut off."""

import threading

from werkzeug.serving import make_server


class Tracker:
    """Serves MLflow on a port of this machine, in a thread.

    Attributes:
        held: While it is set, no request is answered.
        status: A status of HTTP, such as 403, that answers every request; None for MLflow's own.
        requests: Number of requests so far.
    """

    def __init__(self, app):
        self.app, self.status, self.requests = app, None, 0
        self.held, self.released = False, threading.Event()
        self.server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.uri = f"http://127.0.0.1:{self.server.port}"
        self._serve()

    def _serve(self):
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def _answer(self, environ, start_response):
        self.requests += 1
        if self.held:
            self.released.wait(60)
        if self.status is not None:
            start_response(f"{self.status} No", [("Content-Type", "text/plain")])
            return [b"no"]
        return self.app(environ, start_response)

    def release(self):
        """Answer again."""
        self.held = False
        self.released.set()

    def stop(self):
        """Stop listening: connections are refused."""
        self.release()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
