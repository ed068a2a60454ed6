"""The server, once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stac_server import Server, missing_parts, serve
from stages.common import settings


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    if parts := missing_parts():
        reason = f"run bin/stac-server: there is no {', '.join(parts)}"
        if settings.lookup(settings.STAC_REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    with serve() as server:
        yield server


@pytest.fixture
def server(running_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, well-behaved and with an empty catalogue; a reader that does not wait long."""
    monkeypatch.setenv(settings.HTTP_RETRY_WAIT, "0.05")
    monkeypatch.setenv(settings.HTTP_RETRIES, "3")
    running_server.faults.clear()
    yield running_server
    running_server.empty()


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path
