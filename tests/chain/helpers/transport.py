"""One open connection to the test chain for all of Brownie's requests."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

from web3 import HTTPProvider

CHUNK_BYTES = 1 << 16
END_OF_HEAD = b"\r\n\r\n"


class KeptConnection(HTTPProvider):
    """HTTP spoken directly: what ``requests`` does around a request takes several times what the node needs for it.

    Parameters
    ----------
    uri : str
        Address of a node on this machine, ``http://host:port``.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        host, port = uri.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: ".encode()
        self._lock = threading.Lock()

    def make_request(self, method: Any, params: Any) -> Any:
        """Send one request and return the node's answer, an error included."""
        body = self.encode_rpc_request(method, params or [])
        with self._lock:
            self._socket.sendall(b"%b%d%b%b" % (self._head, len(body), END_OF_HEAD, body))
            return json.loads(self._response())

    def _response(self) -> bytes:
        """Read the body of one response."""
        received = b""
        while END_OF_HEAD not in received:
            received += self._more()
        head, _, body = received.partition(END_OF_HEAD)
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        parts, missing = [body], length - len(body)
        while missing:
            parts.append(self._more())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _more(self) -> bytes:
        received = self._socket.recv(CHUNK_BYTES)
        if not received:
            raise ConnectionError("the test chain has closed its connection")
        return received
