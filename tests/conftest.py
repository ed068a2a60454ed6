"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of the real samples; tests that need it are skipped where it is not given."""
    folder = os.environ.get("GLACIER_SAMPLES")
    if not folder:
        pytest.skip("GLACIER_SAMPLES is not set: the real samples are not committed")
    return Path(folder)
