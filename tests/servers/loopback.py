"""What the loopback servers share: a threaded HTTP server on 127.0.0.1 with a request log and ways to fail.

A :class:`Failure` is set for everything or for one key (a symbol, a request type). A stalled request is held
until the server is closed or told to recover, so that no test has to wait for a timeout of the server's.
"""

from __future__ import annotations

import threading
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import ssl
    from types import TracebackType
    from typing import Self

__all__ = ["Failure", "LoopbackHandler", "LoopbackServer"]

EVERYTHING = "*"


class Failure(Enum):
    """A way to fail."""

    RATE_LIMITED = "429"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    HTML = "html"
    MALFORMED = "malformed"
    BLANK = "blank"
    NULL = "null"
    OBJECT = "object"
    EMPTY = "empty"
    NOT_FOUND = "not_found"
    NO_CLOSE = "no_close"
    STALL = "stall"
    DROP = "drop"


WEB_PAGE = "<html><body>Will be right back</body></html>"
ANSWERS: dict[Failure, tuple[int, str, str]] = {
    Failure.RATE_LIMITED: (429, "text/plain", "Too Many Requests"),
    Failure.UNAUTHORIZED: (401, "text/plain", "Unauthorized"),
    Failure.FORBIDDEN: (403, "text/plain", "Forbidden"),
    Failure.SERVER_ERROR: (500, "text/html", "<html>Internal Server Error</html>"),
    Failure.UNAVAILABLE: (503, "text/plain", "Service Unavailable"),
    Failure.HTML: (200, "text/html", WEB_PAGE),
    Failure.MALFORMED: (200, "application/json", '{"chart": {"result": ['),
    Failure.BLANK: (200, "application/json", ""),
    Failure.NULL: (200, "application/json", "null"),
    Failure.OBJECT: (200, "application/json", "{}"),
}
"""Failures that are one fixed answer, whatever the service; the others are up to it."""


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers one connection; the service derives from it."""

    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Say nothing: the owner keeps a log."""

    def send(self, status: int, kind: str, body: str, cookie: str | None = None) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if cookie is not None:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)

    def fail(self, failure: Failure) -> bool:
        """Fail so, if this failure is the same for every service; say whether it was."""
        if failure is Failure.STALL:
            self.server.owner.recovered.wait()
        if failure in {Failure.STALL, Failure.DROP}:
            self.close_connection = True
            return True
        if failure in ANSWERS:
            self.send(*ANSWERS[failure])
            return True
        return False


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    owner: LoopbackServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what is being tested."""


class LoopbackServer:
    """A server on a free port of 127.0.0.1, from ``with`` to the end of its block."""

    handler: ClassVar[type[LoopbackHandler]]

    def __init__(self, port: int = 0) -> None:
        self.requests: list[str] = []
        self.recovered = threading.Event()
        self._port = port
        self._failures: dict[str, Failure] = {}
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """The port that is listened to."""
        return self._port

    @property
    def address(self) -> str:
        """``127.0.0.1:port``."""
        return f"127.0.0.1:{self._port}"

    def fail(self, how: Failure | str, *keys: str) -> None:
        """From now on fail so, for these keys or, without any, for everything."""
        with self._lock:
            self.recovered.clear()
            self._failures.update(dict.fromkeys(keys or (EVERYTHING,), Failure(how)))

    def recover(self) -> None:
        """Answer everything properly again, and let go what was held."""
        with self._lock:
            self._failures.clear()
            self.recovered.set()

    def failure(self, key: str) -> Failure | None:
        """How a request for `key` is to fail now, if at all."""
        with self._lock:
            return self._failures.get(key, self._failures.get(EVERYTHING))

    def note(self, request: str) -> None:
        """Keep a request in the log."""
        with self._lock:
            self.requests.append(request)

    def count(self, part: str) -> int:
        """How many requests so far had `part` in them."""
        with self._lock:
            return sum(part in request for request in self.requests)

    def tls(self) -> ssl.SSLContext | None:
        """The server's certificate, where it speaks TLS."""
        return None

    def __enter__(self) -> Self:
        self._server = _QuietServer(("127.0.0.1", self._port), self.handler)
        self._server.owner = self
        context = self.tls()
        if context is not None:
            # The handshake is left to the connection's own thread: a client that stops in it must not stop the rest.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.recover()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
