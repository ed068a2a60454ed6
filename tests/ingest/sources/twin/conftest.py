"""A small twin, made once: 16 x 16 km at 32 m."""

from __future__ import annotations

from functools import cache

import pytest
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.params.ingest import TwinParams
from stages.ingest.sources.twin.landscape import Landscape, make_landscape
from stages.ingest.sources.twin.overpass import Overpass, overpasses

PIXEL_M = 32.0
SHAPE = (500, 500)
CROP = (slice(20, 480), slice(20, 480))
GRID = Grid(crs="EPSG:32644", transform=Affine(PIXEL_M, 0, 322_000, 0, -PIXEL_M, 3_422_000), height=460, width=460)


@cache
def landscape(seed: int) -> Landscape:
    """Return the twin's landscape of a seed, which nobody may change."""
    return make_landscape(seed, SHAPE, PIXEL_M)


@pytest.fixture(scope="session")
def world() -> Landscape:
    return landscape(1)


def candidates(world: Landscape, params: TwinParams, *years: int, per_year: int = 1) -> list[Overpass]:
    return list(overpasses(world, params, years, CROP, GRID, per_year=per_year))
