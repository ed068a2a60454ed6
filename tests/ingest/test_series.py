"""Which scenes of one year can be merged: reflectance is compared, not storage."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.params.prepare import PrepareParams
from stages.common.scene.scene import Layer, Scene, SceneInfo
from stages.common.scene.store import write_scene
from stages.ingest.series import check_offset_steps, check_year

PREPARE = PrepareParams(bands=["B04"], storage="sentinel2")
SIDE = 30


def grid(column: float = 0) -> Grid:
    return Grid(
        crs="EPSG:32644", transform=Affine(10, 0, 350_000 + 10 * column, 0, -10, 3_420_000), height=SIDE, width=SIDE
    )


def truth(column: float = 0) -> np.ndarray:
    """Reflectance of the ground, the same wherever it is looked at from."""
    x = np.arange(SIDE) + column
    return np.tile(0.25 + 0.1 * np.sin(x / 3), (SIDE, 1)) + 0.05 * np.cos(np.arange(SIDE) / 4)[:, None]


STORED: dict[str, tuple[str, float, dict[str, float]]] = {
    "newer": ("uint16", 1e4, {"scale": 1e-4, "offset": -0.1}),
    "older": ("uint16", 1e4, {"scale": 1e-4}),
    "float": ("float32", 1.0, {}),
    "forgotten": ("uint16", 1e4, {}),
}
"""Name of a way to store reflectance to dtype, DN for a reflectance of 1, and what is said of it."""


class Maker:
    """Writes scenes of one year."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data/scenes/2020"
        self.count = 0

    def __call__(
        self, reflectance: Any = None, *, column: float = 0, day: int | None = 15, stored: str = "newer",
        classes: bool = False, **metadata: Any,
    ) -> Scene:  # fmt: skip
        values = truth(column) if reflectance is None else np.broadcast_to(np.asarray(reflectance), (SIDE, SIDE))
        dtype, to_dn, physics = STORED[stored]
        pixels = np.where(np.isnan(values), 0, np.nan_to_num(values) * to_dn - physics.get("offset", 0) * to_dn)
        pixels = pixels.astype(dtype)
        layers = [Layer(name="B04", pixels=pixels, grid=grid(column), nodata=0, **physics)]
        if classes:
            layers.append(Layer(name="scl", pixels=np.full((SIDE, SIDE), 4, "uint8"), grid=grid(column), nodata=None))
        self.count += 1
        name = f"s{self.count}"
        metadata = {"processing_level": "L2A"} | metadata
        info = SceneInfo(id=name, year=2020, acquired=dt.date(2020, 10, day) if day else None, product=name, **metadata)
        return write_scene(self.folder, info, layers)


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"stored": "older", "processing_baseline": "03.01"}, id="another baseline and offset"),
        pytest.param({"stored": "float"}, id="another dtype"),
        pytest.param({"reflectance": truth(20) + 0.02, "stored": "older"}, id="slightly other values"),
        pytest.param({"day": 20, "stored": "older"}, id="another day that shows more"),
    ],
)
def test_what_is_the_same_reflectance_may_be_merged(second: dict[str, Any], make: Maker) -> None:
    check_year([make(processing_baseline="05.00"), make(column=20, **second)], PREPARE)


def test_conventions_may_differ_within_a_year(make: Maker) -> None:
    first = make(convention="by-baseline", processing_baseline="05.00")
    old = make(stored="older", convention="by-baseline", processing_baseline="02.14", column=10)
    flagged = make(
        stored="older", convention="flagged", processing_baseline="05.09", boa_offset_applied=True, column=20
    )
    check_year([first, old, flagged], PREPARE)


def test_another_day_fills_gaps(make: Maker) -> None:
    hole = truth().copy()
    hole[:5] = np.nan
    check_year([make(hole), make(0.8, day=20)], PREPARE)
    check_year([make(classes=True), make(0.8, day=20)], PREPARE)


def test_another_day_need_fill_no_gap_where_it_is_mapped_on_its_own(make: Maker) -> None:
    apart = PREPARE.model_copy(update={"passes": "separate"})
    check_year([make(), make(0.8, day=20)], apart)
    with pytest.raises(InputError, match="overlap wrongly"):
        check_year([make(), make(0.8)], apart)


def test_dates_are_asked_for_where_scenes_of_unknown_days_disagree(make: Maker) -> None:
    """To map each day on its own takes days: that advice alone leads back to the same message."""
    apart = PREPARE.model_copy(update={"passes": "separate"})
    first, second = ({"day": None, "reflectance": reflectance} for reflectance in (0.3, 0.9))
    with pytest.raises(InputError) as caught:
        check_year([make(**first), make(**second)], apart)
    assert "neither has a day, so they count as tiles of one" in caught.value.found
    assert caught.value.fix.endswith("or give each its `date`, and map each day on its own (prepare.passes: separate)")
    check_year([make(**first | {"day": 15}), make(**second | {"day": 20})], apart)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        pytest.param({"day": 20}, "shows nothing that the first does not", id="another day, no gap to fill"),
        pytest.param({"reflectance": 0.9, "column": 20}, "with different values", id="one day, another place or time"),
        pytest.param({"column": 20, "convention": "by-baseline", "processing_baseline": "03.01"},
                     "with different values", id="one day, offset handled wrongly"),
        pytest.param({"stored": "forgotten", "column": 40}, "orders of magnitude", id="scale forgotten"),
        pytest.param({"processing_level": "L1C", "column": 40}, "stored differently", id="another level"),
        pytest.param({"convention": "by-baseline", "column": 40}, "baseline is not known", id="baseline unknown"),
    ],
)  # fmt: skip
def test_real_mistakes_are_caught(second: dict[str, Any], message: str, make: Maker) -> None:
    with pytest.raises(InputError) as caught:
        check_year([make(), make(**second)], PREPARE)
    assert message in f"{caught.value}"


BANDS = {"B02": 0.03, "B04": 0.02, "B08": 0.02, "B11": 0.005}
"""Reflectance of each band's floor."""


def year_of(folder: Path, year: int, wrong: float = 0.0, **floors: float) -> Scene:
    """A scene of a year, a tenth of it dark; `wrong` is added to all bands, `floors` to one of them."""
    rows = np.arange(SIDE)[:, None] + np.zeros(SIDE)
    layers = [
        Layer(
            name=name,
            pixels=np.where(rows < 3, floor + floors.get(name, 0.0), 0.3 + 0.02 * (year % 5)).astype("float32") + wrong,
            grid=grid(),
            nodata=None,
        )
        for name, floor in BANDS.items()
    ]
    info = SceneInfo(id=f"s{year}", year=year, acquired=dt.date(year, 10, 15), product="a")
    return write_scene(folder / f"data/scenes/{year}", info, layers)


class TestYearsAgainstEachOther:
    """No ground makes all bands step alike."""

    params = PrepareParams(bands=list(BANDS), storage="sentinel2")

    @pytest.mark.parametrize("wrong", [0.1, -0.1, 0.2])
    def test_an_offset_that_is_wrong_from_a_year_on_is_refused(self, wrong: float, tmp_path: Path) -> None:
        years = [year_of(tmp_path, year, wrong if year >= 2022 else 0.0) for year in range(2020, 2024)]
        with pytest.raises(InputError, match="step by an offset from one scene to the next") as caught:
            check_offset_steps(years[::-1], self.params)
        assert "s2021 (2021" in caught.value.where
        assert "s2022 (2022" in caught.value.where
        assert f"B11 {wrong:+.3f}" in caught.value.found

    def test_haze_and_snow_change_bands_unlike(self, tmp_path: Path) -> None:
        hazy = year_of(tmp_path, 2021, B02=0.12, B04=0.09, B08=0.06)
        check_offset_steps([year_of(tmp_path, 2020), hazy, year_of(tmp_path, 2022, 0.05)], self.params)

    def test_an_experts_word_lets_a_step_pass(self, tmp_path: Path) -> None:
        trusted = self.params.model_copy(update={"trusted_offsets": ("s2021",)})
        check_offset_steps([year_of(tmp_path, 2020), year_of(tmp_path, 2021, 0.1)], trusted)

    def test_visible_bands_alone_prove_nothing(self, tmp_path: Path) -> None:
        visible = PrepareParams(bands=["B02", "B04"], storage="sentinel2")
        check_offset_steps([year_of(tmp_path, 2020), year_of(tmp_path, 2021, 0.1)], visible)


@pytest.mark.samples
def test_four_real_seasons_do_not_step_unless_the_offset_does(samples: Path, tmp_path: Path) -> None:
    scenes: dict[float, list[Scene]] = {0.0: [], 0.1: []}
    for at, season in enumerate(("winter", "spring", "summer", "autumn")):
        with rasterio.open(samples / f"khumbu-sentinel2/s2_l2a_{season}_2024.tif") as dataset:
            values, names, transform = dataset.read(), dataset.descriptions, dataset.transform
        where = Grid(crs="EPSG:4326", transform=transform, height=values.shape[1], width=values.shape[2])
        for wrong, stored in scenes.items():
            layers = [
                Layer(name=name, pixels=band + np.float32(wrong), grid=where, nodata=None)
                for name, band in zip(names, values, strict=True)
            ]
            info = SceneInfo(id=season, year=2020 + at, acquired=None, product="a")
            stored.append(write_scene(tmp_path / f"{wrong}/data/scenes/{2020 + at}", info, layers))
    params = PrepareParams(bands=list(names), storage="sentinel2")
    check_offset_steps(scenes[0.0], params)
    for at in range(1, 4):
        with pytest.raises(InputError, match="step by an offset"):
            check_offset_steps([*scenes[0.0][:at], *scenes[0.1][at:]], params)
