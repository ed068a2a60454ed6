"""What the stage writes, as its tests read it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from sandbox import tiny
from stages.common.tables.area import AreaRow, AreaSeries, Trend
from tests.area.area_inputs import GRID, burn

OUT = Path("artifacts/area")


def ice_of(shrink: float = 1.0) -> np.ndarray:
    return (burn(tiny.outlines(shrink=shrink)) > 0).astype(np.uint8)


def rows(name: str, model: type) -> list:
    with (OUT / name).open(encoding="utf-8", newline="") as stream:
        return [model.model_validate({k: v for k, v in row.items() if v != ""}) for row in csv.DictReader(stream)]


def series() -> AreaSeries:
    return AreaSeries.model_validate_json((OUT / "series.json").read_text())


def areas() -> list[AreaRow]:
    return series().years


def gates() -> dict[str, dict]:
    return {finding["gate"]: finding for finding in json.loads((OUT / "gates.json").read_text())["findings"]}


def trend() -> Trend:
    return Trend.model_validate_json((OUT / "trend.json").read_text())


def clouded(rows_hidden: slice) -> np.ndarray:
    observed = np.ones(GRID.shape, dtype=bool)
    observed[rows_hidden] = False
    return observed
