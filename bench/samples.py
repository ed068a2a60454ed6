"""The folder of real samples that some benchmarks need."""

from __future__ import annotations

import sys
from pathlib import Path

from stages.common import settings
from stages.common.errors import SettingError


def samples_folder() -> Path:
    """Return the folder that ``GLACIER_SAMPLES`` names; without it end with one message and exit code 2."""
    name = settings.lookup(settings.SAMPLES)
    if name and Path(name).is_dir():
        return Path(name)
    error = SettingError(
        "the benchmark needs real scenes",
        where=f"environment: {settings.SAMPLES}",
        expected="the folder of the samples (tests/real/README.md says what is in it)",
        found=name or "nothing",
        fix=f"export {settings.SAMPLES}=<folder>",
    )
    print(error, file=sys.stderr)
    raise SystemExit(error.exit_code)
