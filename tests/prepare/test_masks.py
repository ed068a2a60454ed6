"""What the Sentinel-2 scene classification hides, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.common.params.prepare import PrepareParams
from stages.common.run import stage
from stages.common.scene.scene import Layer
from stages.prepare.contract import CONTRACT
from stages.prepare.coregister import bare_ground, may_be_snow
from stages.prepare.masks import SceneMasks, is_snow_like
from stages.prepare.prepare import prepare
from stages.prepare.scene_pixels import ScenePixels
from tests.prepare.scenes import BANDS, PX, SIZE, grid, layer, run, store

HALF = grid(-2, -2, size=32, px=2 * PX)
"""The grid of a 20 m layer over the site, with a margin of one pixel."""


def scl(pixels: Any, where: Grid = HALF) -> Layer:
    values = np.broadcast_to(np.asarray(pixels, dtype="uint8"), where.shape)
    return Layer(name="scl", pixels=values, grid=where, nodata=None)


def every_class() -> np.ndarray:
    """Classes 0 to 11 in stripes of two 20 m rows; row 1 of the layer is row 0 and 1 of the site."""
    return np.repeat(np.append(np.arange(12), [4] * 4), 2)[:, None].repeat(32, axis=1)[np.r_[31, 0:31]]


def classes_of_rows() -> np.ndarray:
    return np.repeat(every_class()[1:31, 0], 2)


def set_prepare(site: Path, **changes: Any) -> None:
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["prepare"] |= changes
    tiny.write_params(site, content)


@pytest.mark.parametrize(
    ("changes", "invalid"),
    [
        pytest.param({}, {0, 1, 3, 8, 9, 10}, id="default"),
        pytest.param({"scl_invalid": [0, 1, 3, 7, 8, 9, 10]}, {0, 1, 3, 7, 8, 9, 10}, id="unclassified too"),
        pytest.param({"scl_invalid": [9]}, {0, 9}, id="dense cloud alone; no data is never seen"),
    ],
)
def test_each_class_is_seen_or_not(changes: dict[str, Any], invalid: set[int], site: Path) -> None:
    set_prepare(site, **changes)
    store(("a", [*(layer(name, 3000) for name in BANDS), scl(every_class())]))
    _, valid, provenance = run()
    rows = classes_of_rows()
    assert (valid == ~np.isin(rows, list(invalid))[:, None]).all()
    assert provenance["outside_fraction"] == pytest.approx((rows == 0).mean(), abs=1e-6)
    assert provenance["cloud_fraction"] == pytest.approx(np.isin(rows, list(invalid - {0})).mean(), abs=1e-6)


@pytest.mark.parametrize("number", [2, 5, 11, 12])
def test_snow_rock_and_shadow_cannot_be_masked(number: int, site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    set_prepare(site, scl_invalid=[number])
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    assert "prepare.scl_invalid" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("baseline", "meaning"), [("02.14", "dark area"), ("04.00", "cast shadow"), ("05.09", "cast shadow"), (None, None)]
)
def test_dark_pixels_are_counted_and_named_by_the_baseline(
    baseline: str | None, meaning: str | None, site: Path
) -> None:
    offset = 0.0 if baseline == "02.14" else -0.1
    bands = [layer(name, 3000, offset=offset) for name in BANDS]
    store(("a", [*bands, scl(every_class())]), processing_baseline=baseline)
    _, _, provenance = run()
    classes = provenance["sources"][0]["scene_classes"]
    assert classes["dark_pixels"] == meaning
    rows = classes_of_rows()
    expected = {str(n): (rows == n).mean() for n in range(1, 12)}
    assert classes["fractions"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("keep", [True, False])
def test_saturated_snow_is_kept_or_not(keep: bool, site: Path) -> None:
    """Bright and dark in SWIR: snow. Bright in both: a saturated cloud or roof. Dark: a defect."""
    set_prepare(site, keep_saturated_snow=keep)
    blue, swir = np.full((SIZE, SIZE), 11_000), np.full((SIZE, SIZE), 1200)
    blue[20:40], swir[40:] = 2000, 9000
    green = Layer(name="B03", pixels=blue.astype("uint16"), grid=grid(), nodata=0, scale=1e-4, offset=-0.1)
    store(("a", [layer("B02", blue), green, layer("B11", swir), scl(1)]))
    _, valid, provenance = run()
    assert valid[:20].all() == keep
    assert valid.any() == keep
    assert not valid[20:].any()
    kept_fraction = provenance["sources"][0]["scene_classes"]["saturated_snow_kept_fraction"]
    assert kept_fraction == pytest.approx(1 / 3 if keep else 0, abs=1e-6)


def test_without_swir_brightness_decides(site: Path) -> None:
    set_prepare(site, bands=["B02"])
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["report"]["rgb"] = ["B02"] * 3
    tiny.write_params(site, content)
    blue = np.full((SIZE, SIZE), 11_000)
    blue[30:] = 4000
    store(("a", [layer("B02", blue), scl(1)]))
    assert run()[1].sum(axis=1).tolist() == [SIZE] * 30 + [0] * 30


def test_classes_are_never_interpolated(site: Path) -> None:
    """Classes on a grid of their own, half a pixel off: only those that are there come out."""
    where = grid(-2.5, -1.5, size=32, px=2 * PX)
    pixels = np.random.default_rng(3).choice([4, 10], (32, 32))
    store(("a", [*(layer(name, 3000) for name in BANDS), scl(pixels, where)]))
    _, valid, provenance = run()
    assert set(provenance["sources"][0]["scene_classes"]["fractions"]) == {"4", "10"}
    assert valid.mean() == pytest.approx((pixels == 4).mean(), abs=0.03)


def test_where_the_classes_do_not_reach_nothing_is_seen(site: Path) -> None:
    store(("a", [*(layer(name, 3000) for name in BANDS), scl(4, grid(size=15, px=2 * PX))]))
    _, valid, provenance = run()
    assert valid[:30, :30].all()
    assert valid.sum() == 900
    assert provenance["outside_fraction"] == 0.75


def test_the_second_date_fills_what_the_classes_hide(site: Path) -> None:
    hidden = np.full(HALF.shape, 4)
    hidden[:16] = 8
    store(
        ("first", [*(layer(name, 3000) for name in BANDS), scl(hidden)]),
        ("second", [*(layer(name, 4000) for name in BANDS), scl(11)]),
    )
    scene, valid, _ = run()
    assert valid.all()
    assert (scene[0, :30] == 4000).all()
    assert (scene[0, 30:] == 3000).all()


def test_a_value_that_is_no_class_is_refused(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store(("a", [*(layer(name, 3000) for name in BANDS), scl(12)]))
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    assert "values that are not classes" in capfd.readouterr().err


def test_snow_is_bright_in_each_visible_band_and_dark_in_swir(site: Path) -> None:
    """Pixel by pixel: snow; B02, B03 and B04 a little too dark; snow index just high enough and just too low."""
    names = ("B02", "B03", "B04", "B11")
    reflectance = np.array([
        [0.90, 0.90, 0.90, 0.10],
        [0.49, 0.90, 0.90, 0.10],
        [0.90, 0.49, 0.90, 0.10],
        [0.90, 0.90, 0.49, 0.10],
        [0.51, 0.51, 0.51, 0.20],
        [0.70, 0.70, 0.70, 0.29],
        [0.70, 0.70, 0.70, 0.31],
    ])  # fmt: skip
    where = Grid(crs=tiny.CRS, transform=grid().transform, height=1, width=len(reflectance))
    dn = np.rint((reflectance + 0.1) * 1e4)
    (scene,) = store(("a", [layer(name, dn[None, :, index], where) for index, name in enumerate(names)]))
    pixels = ScenePixels(scene, PrepareParams(bands=list(names), storage="sentinel2"))
    assert is_snow_like(pixels, where)[:].tolist() == [[True, False, False, False, True, True, False]]
    # On stable ground nothing may be snow: reflectance of B02 to 0.4, and a snow index to 0.2.
    assert may_be_snow(pixels, where)[:].all()


def test_ground_that_may_be_snow_is_not_compared(site: Path) -> None:
    """Rock; bright rock; an index just below and just above that of rock; the same under cloud and without data."""
    blue = np.array([[0.39, 0.41, 0.20, 0.20, 0.20, 0.20]])
    swir = np.array([[0.39, 0.41, 0.14, 0.13, 0.14, 0.14]])
    where = Grid(crs=tiny.CRS, transform=grid().transform, height=1, width=6)
    bands = {"B02": blue, "B03": np.full_like(blue, 0.2), "B11": swir}
    bands["B03"][:, :2] = 0.3
    (scene,) = store(("a", [layer(name, np.rint((values + 0.1) * 1e4), where) for name, values in bands.items()]))
    pixels = ScenePixels(scene, PrepareParams(bands=list(bands), storage="sentinel2"))
    assert may_be_snow(pixels, where)[:].tolist() == [[False, True, False, True, False, False]]
    has_data, hidden = (Bits.of(np.array([mask]) == 1) for mask in ([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 0]))
    masks = SceneMasks(has_data=has_data, hidden=hidden, classes=None)
    assert bare_ground(pixels, masks, where)[:].tolist() == [[True, False, True, False, False, False]]
