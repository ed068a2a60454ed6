"""Run `ingest` on the small site of the tests, changed first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import yaml

from sandbox import tiny
from stages.ingest.ingest import main
from tests.ingest.spoil import Spoiler


def ingest(site: Path, *changes: Spoiler) -> None:
    params = yaml.safe_load((site / "params.yaml").read_text())
    for change in changes:
        change(site, params)
    tiny.write_params(site, params)
    assert main([]) == 0


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()
