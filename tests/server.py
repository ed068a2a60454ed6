"""An MLflow server on loopback, for tests that may open a socket (``enable_socket``)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.loopback import free_port


def wait(uri: str, process: subprocess.Popen[bytes] | None = None, *, limit_s: float = 90) -> None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        assert process is None or process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=2):
            return
        time.sleep(0.3)
    pytest.fail("the server does not answer")


@contextlib.contextmanager
def serve(home: Path, *, database: str = "", artifacts: str = "", **variables: str) -> Iterator[str]:
    """Run a server that keeps runs and artifacts in `home`, or where it is told; its address."""
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database or f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination", artifacts or str(home / "artifacts"), "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1",
    ]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    environment |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | variables
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
