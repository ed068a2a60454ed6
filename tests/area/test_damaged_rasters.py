"""A raster whose header is whole and whose pixels are spoilt ends the stage with exit code 2 and the file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stages.area.fronts.series import FrontSeries
from stages.area.map.elevation import Elevation
from stages.area.year.cover import ice_cover
from stages.area.year.season import measure_season
from stages.area.year.truth import TrueSurface
from stages.common.errors import InputError
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.tables.prepare import Pass, Passes
from tests.area.area_inputs import GRID, area_site
from tests.damage import spoil_pixels

EVERYWHERE = np.ones(GRID.shape, dtype=bool)
SITE = area_site(EVERYWHERE.astype(np.uint16), grid=GRID)


def read_passes(masks: Path) -> None:
    document = masks.with_name("passes.json")
    overpasses = [
        Pass(number=number, date=f"2020-10-0{number}", relative_orbit=19, scene_ids=["s"], valid_fraction=1)
        for number in (1, 2)
    ]
    write_json(document, Passes(year=2020, passes=overpasses))
    measure_season(SITE, 2020, Bits.of(EVERYWHERE), passes_json=document, masks=masks, min_pixels=1)


def read_fronts(probability: Path) -> None:
    lane: Any = SimpleNamespace(window=(slice(0, 9), slice(0, 9)))
    series = FrontSeries(grid_px_m=30, params=SimpleNamespace(), flows={}, lanes={1: lane})  # type: ignore[arg-type]
    nothing: Any = None
    series.add(nothing, nothing, ice=EVERYWHERE, observed=EVERYWHERE, probability=probability)


def read_scene(scene: Path) -> None:
    surface = SimpleNamespace(clean_ratio_min=2.0, off_glacier_snow_max=0.1)
    run: Any = SimpleNamespace(
        params=SimpleNamespace(area=SimpleNamespace(surface=surface)), by_year=lambda template: {2020: scene}
    )
    ice_cover(run, SITE, 2020, ice=Bits.of(EVERYWHERE), observed=Bits.of(EVERYWHERE))


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda path: TrueSurface(path=path, bands={2020: 1}).of_year(2020), id="truth"),
        pytest.param(Elevation.read, id="elevation"),
        pytest.param(lambda path: Plane.of_band(None, path), id="probability"),
        pytest.param(read_passes, id="passes"),
        pytest.param(read_fronts, id="fronts"),
        pytest.param(read_scene, id="scene"),
    ],
)
def test_spoilt_pixels_are_an_error_of_the_input(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "spoilt.tif"
    noise = np.random.default_rng(1).integers(1, 9999, (2, *GRID.shape)).astype(np.uint16)
    write_cog(path, noise, GRID, nodata=0, bands=["B04", "B11"])
    spoil_pixels(path)
    with pytest.raises(InputError, match="not readable as a raster") as caught:
        read(path)
    assert caught.value.where == str(path)
