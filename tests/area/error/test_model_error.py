"""The model's error on a few pixels, each counted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from stages.area.error.model_error import model_error
from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.learning import AreaError, MapModel
from tests.area.area_inputs import SURE, area_site

GRID = Grid(crs="EPSG:32644", transform=Affine(1000.0, 0, 500_000, 0, -1000.0, 3_420_000), height=2, width=4)
"""Pixels of a square kilometre, but for the scale of the projection."""

SITE = area_site(np.array([[1, 1, 2, 2], [1, 1, 2, 0]]), grid=GRID)
COUNTED = np.array([[1, 1, 1, 1], [1, 0, 1, 1]], dtype=bool)
STORED = np.array([[5000, 10000, 2000, 0], [5000, 5000, PROBABILITY_NODATA, 1000]], dtype=np.uint16)
BINOMIAL_KM4 = [0.09, 0.5, 0.16]
"""Sum of p (1 - p): near no outline, of the first glacier (one pixel of it is not counted), and of the second."""

VOTES = np.array([[0b111, 0b111, 0b111, 0b001], [0b110, 0b111, 0b000, 0b100]], dtype=np.uint8)
MEMBER_AREAS_KM2 = np.array([[0, 2, 2], [0, 3, 1], [1, 3, 1]])
"""Areas of three members near no outline, of the first glacier and of the second."""


def model(*, blocks: int, members: int = 1) -> MapModel:
    return SURE.model_copy(update={"area_error": AreaError(blocks=blocks, dispersion=4.0), "members": members})


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    paths = {"probability": tmp_path / "probability.tif", "votes": tmp_path / "votes.tif"}
    write_cog(paths["probability"], STORED, GRID, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    write_cog(paths["votes"], VOTES, GRID, nodata=None)
    return paths


def test_one_model_has_the_binomial_error_times_its_dispersion(paths: dict[str, Path]) -> None:
    error = model_error(SITE, COUNTED, model(blocks=1), **paths)
    assert error is not None
    assert error.by_glacier_km2 == pytest.approx(np.sqrt(4 * np.array(BINOMIAL_KM4)), rel=2e-3)
    assert error.whole_km2 == pytest.approx((4 * sum(BINOMIAL_KM4)) ** 0.5, rel=2e-3)


def test_an_ensemble_adds_the_variance_of_its_members_areas(paths: dict[str, Path]) -> None:
    """Members that err apart on two glaciers, one up and one down, agree on the whole as well as on either."""
    error = model_error(SITE, COUNTED, model(blocks=1, members=3), **paths)
    assert error is not None
    variance = 4 * np.array(BINOMIAL_KM4) + 1 / 3
    assert error.by_glacier_km2 == pytest.approx(np.sqrt(variance), rel=3e-3)
    whole_km4 = 4 * sum(BINOMIAL_KM4) + MEMBER_AREAS_KM2.sum(axis=1).var(ddof=1)
    assert error.whole_km2 == pytest.approx(whole_km4**0.5, rel=2e-3)


@pytest.mark.parametrize(
    "unknown",
    [
        {"area_error": None},
        {"area_error": AreaError(blocks=0, dispersion=4.0)},
        {"area_error": AreaError(blocks=9, dispersion=0.0003)},
    ],
)
def test_without_held_out_blocks_the_spread_of_an_ensemble_is_all_that_is_known(
    paths: dict[str, Path], unknown: dict[str, AreaError | None]
) -> None:
    assert model_error(SITE, COUNTED, SURE.model_copy(update=unknown), **paths) is None
    error = model_error(SITE, COUNTED, SURE.model_copy(update=unknown | {"members": 3}), **paths)
    assert error is not None
    assert error.by_glacier_km2 == pytest.approx([1 / 3**0.5] * 3, rel=2e-3)


def test_an_ensemble_without_votes_is_refused(paths: dict[str, Path]) -> None:
    paths["votes"].unlink()
    with pytest.raises(ContractError, match="votes of an ensemble are absent"):
        model_error(SITE, COUNTED, model(blocks=1, members=2), **paths)


def test_strips_make_no_difference(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pixels twice, one below the other, read row by row: twice the variance."""
    grid = replace(GRID, height=4)
    write_cog(paths["probability"], np.tile(STORED, (2, 1)), grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    monkeypatch.setattr("stages.area.error.model_error.SUM_ROWS", 1)
    site = area_site(np.tile(SITE.owner, (2, 1)), grid=grid)
    error = model_error(site, np.tile(COUNTED, (2, 1)), model(blocks=1), **paths)
    assert error is not None
    assert error.by_glacier_km2 == pytest.approx(np.sqrt(8 * np.array(BINOMIAL_KM4)), rel=2e-3)
