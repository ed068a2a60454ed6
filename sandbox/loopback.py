"""Processes on loopback for tests that talk to real servers: ports, starting, waiting, ending; PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql/15/bin"))


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with its children, and stop them at the end."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=stream, env=os.environ | (env or {}), start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def wait_for(ready: Callable[[], bool], log: Path, *, limit_s: float = 60) -> None:
    """Wait until `ready` returns true; raise RuntimeError with the end of `log` after `limit_s` seconds."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            if ready():
                return
        time.sleep(0.2)
    raise RuntimeError(f"the server does not answer: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def postgres(home: Path) -> Iterator[dict[str, str]]:
    """Run PostgreSQL with its data in `home`, which its user must be able to enter; yield the clients' environment."""
    data, port, log = home / "db", free_port(), home / "db.log"
    data.mkdir()
    as_postgres: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL does not run as root
        shutil.chown(data, "postgres", "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    initdb = [*as_postgres, str(POSTGRES / "initdb"), "-D", str(data), "-U", "owner", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    env = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "owner", "PGPASSWORD": "x", "PGDATABASE": "postgres"}
    start = [
        *as_postgres, str(POSTGRES / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(data),
        "-c", "fsync=off", "-c", "timezone=UTC",
    ]  # fmt: skip
    with running(start, log):
        ask = [str(POSTGRES / "psql"), "-q", "-c", "SELECT 1"]
        wait_for(lambda: bool(subprocess.run(ask, env=os.environ | env, check=True, capture_output=True)), log)
        yield env
