"""Elevation and slope as bands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sandbox import tiny
from stages.common.run import stage
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from stages.prepare.terrain import slope_deg
from tests.prepare.scenes import BANDS, PX, SIZE, layer, run, store, write_dem


@pytest.fixture
def with_terrain(site: Path) -> Path:
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["prepare"]["bands"] = [BANDS[0], "elevation", BANDS[1], "slope"]
    tiny.write_params(site, content)
    store(("a", [layer(name, 3000) for name in BANDS]))
    return site


def test_a_tilted_plane(with_terrain: Path) -> None:
    write_dem(rise=0.5)
    scene, valid, provenance = run()
    assert valid.all()
    assert provenance["bands"] == ["B02", "elevation", "B11", "slope"]
    expected_m = 5000 + 0.5 * (np.arange(SIZE) + 0.5) * PX
    assert scene[1] - 1000.0 == pytest.approx(np.tile(expected_m, (SIZE, 1)), abs=0.6)
    assert scene[3] == pytest.approx(1000 + 100 * np.degrees(np.arctan(0.5)), abs=2)
    assert (scene[[0, 2]] == 3000).all()


def test_what_is_not_seen_has_no_terrain_either(with_terrain: Path) -> None:
    blue = np.full((SIZE, SIZE), 3000)
    blue[:7] = 0
    store(("a", [layer("B02", blue), layer("B11", 3000)]))
    write_dem()
    scene, valid, _ = run()
    assert (valid[:7] == 0).all()
    assert (scene[:, :7] == 0).all()
    assert (scene[1, 7:] == 6000).all()
    assert (scene[3, 7:] == 1000).all()


@pytest.mark.parametrize(
    ("void", "message"), [(None, "the raster is absent"), (True, "the DEM does not cover the whole site")]
)
def test_a_dem_with_gaps_or_none_is_refused(
    void: bool | None, message: str, with_terrain: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if void:
        write_dem(void=True)
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    assert message in capfd.readouterr().err


def test_slope_of_a_cone() -> None:
    row, column = np.mgrid[:41, :41] - 20.0
    slope = slope_deg((-np.hypot(row, column) * 10 * np.tan(np.radians(35))).astype("float32"), 10)
    assert slope[5, 20] == pytest.approx(35, abs=0.5)
    assert slope[10, 30] == pytest.approx(35, abs=0.5)


@pytest.mark.parametrize(
    ("prepare_params", "message"),
    [
        ({"bands": ["elevation", "slope"], "storage": "sentinel2"}, "name no band of a scene"),
        ({"bands": ["B02", "slope"], "storage": "rgb8"}, "need storage sentinel2"),
        ({"bands": ["B04"], "storage": "rgb8", "coregister": {}}, "need storage sentinel2"),
        ({"bands": ["B02"], "storage": "sentinel2", "coregister": {}}, "coregister.band B04 is not among bands"),
    ],
)
def test_parameters_that_do_not_fit(prepare_params: dict[str, Any], message: str) -> None:
    from stages.common.params.prepare import PrepareParams

    with pytest.raises(ValueError, match=message):
        PrepareParams.model_validate(prepare_params)
