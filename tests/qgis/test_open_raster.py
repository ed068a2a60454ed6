"""Rasters of classes opened by QGIS itself: in their colours, never black."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from stages.common.geo.classes import GLACIER_MAP
from stages.common.geo.raster import write_cog
from stages.ingest.sources.twin.truth import write_surface
from tests.report.report_inputs import GRID

pytestmark = pytest.mark.qgis
SYSTEM_PYTHON = "/usr/bin/python3"


def test_the_truth_opens_at_its_last_year_with_names_and_a_map_with_its_colours(tmp_path: Path) -> None:
    classes = np.indices((GRID.height, GRID.width)).sum(axis=0).astype(np.uint8) % 3
    write_surface(tmp_path, [classes, classes, classes], GRID, [2016, 2017, 2018])
    write_cog(tmp_path / "mask.tif", classes % 2, GRID, nodata=255, classes=GLACIER_MAP)
    home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [SYSTEM_PYTHON, str(Path(__file__).with_name("open_raster.py"))]
    paths = [str(tmp_path / name) for name in ("surface.tif", "mask.tif")]
    result = subprocess.run([*command, *paths], check=True, capture_output=True, text=True, env=home, timeout=300)
    truth, mask = json.loads(result.stdout.splitlines()[-1])
    assert (truth["valid"], truth["renderer"], truth["bands"]) == (True, "paletted", [3])
    assert [label for _, label, _ in truth["classes"]] == ["no glacier", "clean ice", "debris-covered ice"]
    assert len({colour for *_, colour in truth["classes"]}) == 3
    assert (mask["valid"], mask["renderer"]) == (True, "paletted")
    assert {value: colour for value, _, colour in mask["classes"]}[1] == "#56b4e9"
