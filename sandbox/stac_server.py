"""A real STAC server on loopback: pgstac on PostgreSQL with PostGIS behind stac-fastapi, and files from nginx.

``bin/stac-server`` installs the parts. A proxy in front of nginx and of the API can spoil answers on demand.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandbox.loopback import POSTGRES, free_port, postgres, running, wait_for

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv-stac/bin"
NGINX = Path("/usr/sbin/nginx")
POSTGIS = Path("/usr/share/postgresql/15/extension/postgis.control")
SIGNATURE, S3_KEY = "sig-of-today", "key-of-the-test"

PASSED_ON = ("range", "content-type", "accept", "authorization")

NGINX_CONFIG = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format bytes '$request_uri $status $body_bytes_sent';
  access_log {home}/access.log bytes;
  client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
  uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
  server {{
    listen 127.0.0.1:{port};
    location /files/ {{ alias {files}/; }}
    location /signed/ {{ if ($arg_sig != "{signature}") {{ return 403; }} alias {files}/; }}
    location /eodata/ {{ if ($http_authorization !~ "Credential={key}/") {{ return 403; }} alias {files}/; }}
  }}
}}
"""


def missing_parts() -> list[str]:
    """Return the parts of the server that this machine lacks."""
    parts = [ENVIRONMENT / "pypgstac", POSTGRES / "initdb", POSTGIS, NGINX]
    return [str(part) for part in parts if not part.exists()]


@dataclass
class Server:
    """The running server."""

    api: str
    """Address of the STAC API."""
    files: str
    """Address of nginx."""
    folder: Path
    """What nginx serves, under ``/files/`` and, with a signature, ``/signed/``."""
    home: Path
    database: dict[str, str]
    faults: Faults

    def load(self, collection: str, items: list[dict[str, Any]]) -> None:
        """Put items of a collection into the catalogue."""
        described = {
            "type": "Collection", "id": collection, "stac_version": "1.0.0", "description": collection,
            "license": "other", "links": [],
            "extent": {
                "spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]}
            },
        }  # fmt: skip
        for kind, content in (
            ("collections", [described]),
            ("items", [item | {"collection": collection} for item in items]),
        ):
            path = self.home / f"{kind}.ndjson"
            path.write_text("".join(json.dumps(document) + "\n" for document in content))
            self._pgstac("load", kind, str(path), "--method", "upsert")

    def _pgstac(self, *arguments: str) -> None:
        command = [str(ENVIRONMENT / "pypgstac"), *arguments]
        done = subprocess.run(command, env=os.environ | self.database, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def empty(self) -> None:
        """Remove all items and files."""
        ask = [str(POSTGRES / "psql"), "-q", "-c", "DELETE FROM pgstac.collections"]
        subprocess.run(ask, env=os.environ | self.database, check=True, capture_output=True)
        for path in self.folder.iterdir():
            shutil.rmtree(path)
        (self.home / "access.log").write_text("")

    def bytes_sent(self, name: str = "") -> int:
        """Return the bytes of bodies that nginx has sent of files whose address holds `name`."""
        time.sleep(0.2)  # nginx writes its log when a request is done
        lines = (line.split() for line in (self.home / "access.log").read_text().splitlines() if name in line)
        return sum(int(size) for _, _, size in lines)

    def requests(self, name: str = "") -> int:
        """Return the number of requests that nginx has answered."""
        time.sleep(0.2)
        return sum(name in line for line in (self.home / "access.log").read_text().splitlines())


@dataclass
class Faults:
    """A proxy in front of nginx and of the API: it passes everything on, except what a rule spoils."""

    files: str
    api: str
    address: str = ""
    rules: list[tuple[str, str, int]] = field(default_factory=list)
    """Pattern of the address, what to do (status, ``cut`` or ``same-page``), how often."""
    requested_paths: list[str] = field(default_factory=list)
    token: str = SIGNATURE
    first_page: bytes = b""

    def spoil(self, pattern: str, how: str, times: int = 10**6) -> None:
        """Spoil the next `times` answers whose address matches."""
        self.rules.append((pattern, how, times))

    def clear(self) -> None:
        """Forget all rules and requests, so that everything is passed on again."""
        self.rules, self.requested_paths, self.token, self.first_page = [], [], SIGNATURE, b""

    def rule(self, path: str) -> str | None:
        """Return what to do with an address, and count it; None: pass it on."""
        for index, (pattern, how, times) in enumerate(self.rules):
            if times and re.search(pattern, path):
                self.rules[index] = pattern, how, times - 1
                return how
        return None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request: pass it on, or spoil it as the first matching rule demands."""
        self.requested_paths.append(request.path)
        how = self.rule(request.path)
        if how and how.isdecimal():
            request.send_error(int(how))
            return
        if request.path.startswith("/token"):
            self._send(request, 200, {}, json.dumps({"token": f"sig={self.token}"}).encode())
            self.token = SIGNATURE
            return
        base = self.files if request.path.startswith(("/files/", "/signed/", "/eodata/")) else self.api
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length) if length else None
        kept = {key: value for key, value in request.headers.items() if key.lower() in PASSED_ON}
        if base == self.api:
            kept |= {"Host": self.address.removeprefix("http://")}
        asked = urllib.request.Request(base + request.path, data=body, headers=kept, method=request.command)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                status, headers, content = answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            status, headers, content = error.code, dict(error.headers), error.read()
        if how == "same-page":
            self.first_page = self.first_page or content
            content = self.first_page
        self._send(request, status, headers, content, cut=how == "cut")

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        headers: dict[str, str],
        content: bytes,
        *,
        cut: bool = False,
    ) -> None:
        request.send_response(status)
        length = headers.get("Content-Length", str(len(content))) if request.command == "HEAD" else str(len(content))
        for key in ("Content-Type", "Content-Range", "Accept-Ranges", "Last-Modified", "ETag"):
            if value := next((value for name, value in headers.items() if name.lower() == key.lower()), None):
                request.send_header(key, value)
        request.send_header("Content-Length", length)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            request.wfile.flush()
            request.connection.shutdown(socket.SHUT_RDWR)


def make_handler(faults: Faults) -> type[BaseHTTPRequestHandler]:
    """Return the handler class of the proxy."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are written one by one

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                faults.answer(self)

        do_POST = do_HEAD = do_GET  # noqa: N815

    return Handler


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    """Start the database, nginx, the API and the proxy; stop them at the end."""
    home = Path(tempfile.mkdtemp(prefix="stac-server-"))
    home.chmod(0o755)
    (home / "files").mkdir()
    try:
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(_postgres(home))
            files = stack.enter_context(_nginx(home))
            api = stack.enter_context(_api(home, database))
            faults = Faults(files=files, api=api)
            stack.enter_context(_proxy(faults))
            yield Server(
                api=faults.address,
                files=faults.address,
                folder=home / "files",
                home=home,
                database=database,
                faults=faults,
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _postgres(home: Path) -> Iterator[dict[str, str]]:
    with postgres(home) as env:
        for command in (
            [str(POSTGRES / "psql"), "-q", "-c", "CREATE EXTENSION IF NOT EXISTS postgis"],
            [str(ENVIRONMENT / "pypgstac"), "migrate"],
        ):
            subprocess.run(command, env=os.environ | env, check=True, capture_output=True)
        yield env


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


@contextlib.contextmanager
def _nginx(home: Path) -> Iterator[str]:
    port = free_port()
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = user + NGINX_CONFIG.format(home=home, port=port, files=home / "files", signature=SIGNATURE, key=S3_KEY)
    (home / "nginx.conf").write_text(config)
    command = [str(NGINX), "-c", str(home / "nginx.conf"), "-p", str(home), "-e", str(home / "error.log")]
    with running(command, home / "nginx.log"):
        wait_for(lambda: _answers(port), home / "nginx.log")
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _api(home: Path, database: dict[str, str]) -> Iterator[str]:
    port = free_port()
    command = [
        str(ENVIRONMENT / "uvicorn"), "--factory", "stac_fastapi.pgstac.app:create_app", "--host", "127.0.0.1",
        "--port", str(port), "--log-level", "warning",
    ]  # fmt: skip
    with running(command, home / "api.log", database):
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: bool(urllib.request.urlopen(f"{address}/_mgmt/ping", timeout=2).read()), home / "api.log")
        yield address


@contextlib.contextmanager
def _proxy(faults: Faults) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(faults))
    server.daemon_threads = True
    faults.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
