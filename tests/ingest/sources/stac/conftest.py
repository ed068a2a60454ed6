"""Waiting that takes no time."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.common import settings
from stages.ingest.sources.stac import addresses, retries


@pytest.fixture
def sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are waited between attempts, of which there are three; an empty working directory."""
    seconds: list[float] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(addresses, "_numbers", lambda *_: [])  # example.org is neither looked up
    monkeypatch.setattr(addresses, "redirect_of", lambda _: None)  # nor asked
    monkeypatch.setattr(retries.time, "sleep", seconds.append)
    monkeypatch.setenv(settings.HTTP_RETRIES, "2")
    return seconds
