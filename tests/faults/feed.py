"""A price feed over real HTTP, of which the case says what it serves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Feed:
    """A service of one document.

    Parameters
    ----------
    serve : Callable, optional
        Makes status and body for each request; ``status`` and ``body`` as they are set when not given.
    """

    def __init__(self, serve: Callable[[], tuple[int, bytes]] | None = None) -> None:
        self.status, self.body = 200, b""
        answer = serve or (lambda: (self.status, self.body))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = answer()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
