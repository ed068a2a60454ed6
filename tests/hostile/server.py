"""A server on this machine that answers as a case wants, and remembers what it was asked for."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]

_ASKED: list[str] = []
_ANSWERS: dict[str, Answer] = {}


@cache
def address() -> str:
    """Start the server, and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def forget() -> None:
    """Forget answers and requests of the case before."""
    _ASKED.clear()
    _ANSWERS.clear()


def asked() -> list[str]:
    """Return the paths of all requests."""
    return list(_ASKED)


def serve(path: str, answer: Answer) -> str:
    """Answer requests whose path begins so, and return the address."""
    _ANSWERS[path] = answer
    return address() + path


def text(content: str | bytes, *, status: int = 200, **headers: str) -> Answer:
    """Answer with this content."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = content.encode() if isinstance(content, str) else content
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)

    return answer


def document(value: Any) -> Answer:
    """Answer with JSON."""
    return text(json.dumps(value), Content_Type="application/json")


def redirect(target: str) -> Answer:
    """Send on to another address."""
    return text("", status=302, Location=target)


def drip(head: bytes, *, seconds: float = 60) -> Answer:
    """Send a byte now and then, so that no single wait is long."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        for _ in range(int(seconds / 0.2)):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.2)

    return answer


def silence(_request: BaseHTTPRequestHandler) -> None:
    """Take the request and never answer."""
    time.sleep(60)


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        _ASKED.append(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        for path in sorted(_ANSWERS, key=len, reverse=True):
            if self.path.startswith(path):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    _ANSWERS[path](self)
                return
        self.send_error(404)

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 (names that http.server calls)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""
