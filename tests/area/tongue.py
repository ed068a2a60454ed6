"""A made-up tongue of ice whose retreat is planted, as inputs of the stage, and what the stage writes about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
from shapely.geometry import LineString, box

from sandbox import tiny
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.run.records import read_rows
from stages.common.tables.area import FrontRow, FrontTrendRow
from stages.common.tables.data import AuxiliaryManifest
from tests.area.area_inputs import GRID, write_inputs

OUT = Path("artifacts/area")
PX = 30.0
TOP_ROW, FIRST_FRONT = 20, 120
PRIOR = box(tiny.LEFT + 60 * PX, tiny.TOP - 130 * PX, tiny.LEFT + 90 * PX, tiny.TOP - TOP_ROW * PX)
"""Rows 20 to 129, columns 60 to 89: 900 m wide, 2.97 km2."""


def ice(front: int) -> np.ndarray:
    """Ice down to a row, which is the first without."""
    mask = np.zeros(GRID.shape, dtype=np.uint8)
    mask[TOP_ROW:front, 60:90] = 1
    return mask


def site(fronts: Mapping[int, int], *, dem: bool = True, **kwargs: Any) -> None:
    write_inputs(Path(), {year: ice(front) for year, front in fronts.items()}, prior=[PRIOR], **kwargs)
    if dem:
        height = np.tile(5000 - 5 * np.arange(GRID.height, dtype=np.float32)[:, None], (1, GRID.width))
        write_cog(Path("data/auxiliary/dem.tif"), height, GRID, nodata=-32768)
        write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest(dem="dem.tif"))


def give_line(line: LineString, rgi_id: str = "RGI60-15.00001") -> None:
    frame = geopandas.GeoDataFrame({"rgi_id": [rgi_id]}, geometry=[line], crs=GRID.crs)
    frame.to_file("data/auxiliary/flow_lines.gpkg")
    write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest(flow_lines="flow_lines.gpkg"))


def middle_line() -> LineString:
    return LineString([(tiny.LEFT + 75 * PX, tiny.TOP - 21 * PX), (tiny.LEFT + 75 * PX, tiny.TOP - 130 * PX)])


def front_rows() -> list[FrontRow]:
    return read_rows(OUT / "terminus_by_year.csv", FrontRow)


def trends() -> list[FrontTrendRow]:
    return read_rows(OUT / "terminus_by_glacier.csv", FrontTrendRow)


def hidden(rows: slice) -> np.ndarray:
    observed = np.ones(GRID.shape, dtype=bool)
    observed[rows] = False
    return observed
