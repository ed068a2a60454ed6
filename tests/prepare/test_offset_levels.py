"""The check of the offset on other sensors and levels than Sentinel-2 L2A, and against what is stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from stages.common.errors import InputError
from stages.prepare.levels import dark_bands
from tests.prepare.test_offset import SEASONS, checked, scene, snow

Bands = dict[str, np.ndarray]
ALL = ("B02", "B03", "B04", "B08")
SIDE = 60


def slope(seed: int = 0) -> Bands:
    """Rock with 8 % of it in deep shade: red and infrared of the shade near 0.02."""
    noise = np.random.default_rng(seed)
    shade = noise.random((SIDE, SIDE)) < 0.08
    rock = {"B02": 0.14, "B03": 0.18, "B04": 0.20, "B08": 0.24}
    return {
        name: np.where(shade, noise.gamma(2, 0.01, shade.shape), value + noise.normal(0, 0.02, shade.shape))
        for name, value in rock.items()
    }


def from_above(bands: Bands) -> Bands:
    """The same at the top of the atmosphere: light that air scatters is added, most of it blue."""
    return {name: bands[name] + path for name, path in zip(ALL, (0.15, 0.08, 0.03, 0.015), strict=True)}


def overcorrected(bands: Bands) -> Bands:
    """Landsat's surface reflectance: in 4 % of the pixels, shade, too much scattered light is removed."""
    shade = bands["B08"] < np.quantile(bands["B08"], 0.04)
    removed = dict(zip(ALL, (0.08, 0.05, 0.022, 0.01), strict=True))
    return {name: bands[name] - removed[name] * shade for name in ALL}


def test_a_correct_landsat_scene_with_negative_blue_in_shade_passes(tmp_path: Path) -> None:
    bands = overcorrected(slope())
    assert (bands["B02"] < -0.03).mean() > 0.03
    for level in ("HLS", "L2SP", None):
        proof = checked(scene(tmp_path / str(level), bands, processing_level=level))
        assert (proof.method, proof.verdict) == ("dark pixels", "plausible")
    with pytest.raises(InputError, match="subtracted twice"):
        checked(scene(tmp_path / "sentinel", bands, processing_level="L2A"))


@pytest.mark.parametrize("level", ["L1C", "L1TP", "HLS", None])
@pytest.mark.parametrize(("wrong", "way"), [(0.1, "left in"), (-0.1, "subtracted twice")])
def test_a_wrong_offset_is_seen_in_red_and_infrared(level: str | None, wrong: float, way: str, tmp_path: Path) -> None:
    ground = slope() if level == "HLS" else from_above(slope())
    assert checked(scene(tmp_path / "right", ground, processing_level=level)).verdict == "plausible"
    with pytest.raises(InputError, match=f"it is {way}") as caught:
        checked(scene(tmp_path / "wrong", ground, wrong=wrong, processing_level=level))
    assert f"give offset {-wrong:g} in ingest.raster.scenes" in caught.value.fix


@pytest.mark.parametrize(("wrong", "way"), [(0.2, "left in"), (-0.2, "subtracted twice")])
def test_the_offset_of_landsats_surface_reflectance_is_two_tenths(wrong: float, way: str, tmp_path: Path) -> None:
    assert checked(scene(tmp_path / "right", slope(), processing_level="L2SP")).verdict == "plausible"
    with pytest.raises(InputError, match=f"it is {way}") as caught:
        checked(scene(tmp_path / "wrong", slope(), wrong=wrong, processing_level="L2SP"))
    assert f"give offset {-wrong:g}" in caught.value.fix


def test_scattered_light_alone_proves_nothing(tmp_path: Path) -> None:
    """The darkest blue at the top of the atmosphere is a floor above 0.1 of its own."""
    blue = {name: from_above(slope())[name] for name in ("B02", "B03")}
    for level in ("L1C", "L1TP", None):
        assert checked(scene(tmp_path / str(level), blue, processing_level=level)).method is None


@pytest.mark.parametrize(
    ("level", "bands", "expected"),
    [
        ("L2A", ["B02", "B08"], ["B02"]),
        ("L1C", ["B02", "B03", "B04", "B08"], ["B04", "B08"]),
        ("L1TP", ["B02", "B04"], ["B04"]),
        (None, ["B02", "B03", "B04"], ["B02", "B03", "B04"]),
        (None, ["B02", "B04", "B08"], ["B04", "B08"]),
        (None, ["B02", "B08"], []),
        ("another", ["B02", "B04", "B08"], ["B04", "B08"]),
    ],
)
def test_the_bands_whose_dark_pixels_tell(level: str | None, bands: list[str], expected: list[str]) -> None:
    assert dark_bands(level, bands) == expected


@pytest.mark.parametrize("level", ["L1C", "L1TP", "HLS", None])
@pytest.mark.parametrize(("wrong", "way"), [(0.0, None), (0.1, "left in"), (-0.1, "subtracted twice")])
def test_snow_is_found_without_a_classification(
    level: str | None, wrong: float, way: str | None, tmp_path: Path
) -> None:
    bands = {"B03": np.full((40, 40), 0.7)} | snow()
    if way is None:
        proof = checked(scene(tmp_path, bands, processing_level=level))
        assert (proof.method, proof.verdict, proof.pixels) == ("snow by colour", "proven", 1600)
    else:
        with pytest.raises(InputError, match=f"it is {way}"):
            checked(scene(tmp_path, bands, wrong=wrong, processing_level=level))


BASELINES: list[Any] = [
    pytest.param("04.00", 0.0, "baseline 04.00 has offset -0.1, B04 has 0", id="not subtracted"),
    pytest.param("03.01", -0.1, "baseline 03.01 has offset 0, B04 has -0.1", id="subtracted without need"),
    pytest.param("05.11", -0.1, None, id="newer"),
    pytest.param("02.14", 0.0, None, id="older"),
    pytest.param("99.99", 0.0, None, id="made locally"),
    pytest.param(None, -0.1, None, id="not stated"),
]


@pytest.mark.parametrize(("baseline", "offset", "found"), BASELINES)
@pytest.mark.parametrize("level", ["L2A", "L1C", None])
def test_a_stated_offset_has_to_fit_the_stated_baseline(
    level: str | None, baseline: str | None, offset: float, found: str | None, tmp_path: Path
) -> None:
    bright = {"B04": np.random.default_rng(0).normal(0.5, 0.02, (40, 40))}  # proves nothing
    metadata: dict[str, Any] = {"processing_level": level, "processing_baseline": baseline}
    stored = scene(tmp_path, bright, scale=1e-4, offset=offset, **metadata)
    if found is None:
        assert checked(stored).verdict == "not proven"
        return
    with pytest.raises(InputError, match="the scene's offset contradicts its baseline") as caught:
        checked(stored)
    assert found in caught.value.found
    assert checked(stored, trusted=("a",)).verdict == "unlike its baseline"


def test_snow_that_proves_the_offset_outweighs_the_stated_baseline(tmp_path: Path) -> None:
    """Earth Engine's harmonised data: baseline 04.00 and later without the offset."""
    bands = {"B03": np.full((40, 40), 0.7)} | snow()
    assert checked(scene(tmp_path, bands, scale=1e-4, processing_baseline="05.09")).verdict == "proven"


def test_reflectance_needs_no_offset_whatever_its_baseline(tmp_path: Path) -> None:
    bright = {"B04": np.full((40, 40), 0.5)}
    assert checked(scene(tmp_path, bright, processing_baseline="05.09", processing_level="L2A")).verdict == "not proven"


@pytest.mark.parametrize(
    ("convention", "fix"),
    [
        (None, "give offset -0.1 in ingest.raster.scenes"),
        ("stated", "ingest.choice.leave_out, or download the product again"),
        ("always-offset", "ingest.choice.leave_out, or take the series of another catalogue (ingest.stac.profile)"),
    ],
)
def test_the_fix_is_one_that_the_user_of_the_source_can_do(convention: str | None, fix: str, tmp_path: Path) -> None:
    bands = snow()
    if convention == "always-offset":  # a convention takes the DN, and subtracts 0.1 by itself
        bands = {name: (values + 0.1) * 1e4 for name, values in bands.items()}
    wrong = 1000 if convention == "always-offset" else 0.1
    stored = scene(tmp_path, bands, wrong=wrong, classes=11, convention=convention)
    with pytest.raises(InputError, match="left in") as caught:
        checked(stored)
    assert fix in caught.value.fix
    assert "add a to prepare.trusted_offsets" in caught.value.fix


def test_an_experts_word_lets_a_scene_pass_and_stays_in_the_record(tmp_path: Path) -> None:
    stored = scene(tmp_path, snow(), wrong=0.1, classes=11)
    with pytest.raises(InputError):
        checked(stored, trusted=("another",))
    assert checked(stored, trusted=("a",)).verdict == "left in"


@pytest.mark.samples
class TestLhotse:
    """A real Landsat scene at the top of the atmosphere: the darkest blue is 0.08, the darkest infrared 0.003."""

    @pytest.fixture
    def bands(self, whole_samples: Path) -> Bands:
        with rasterio.open(whole_samples / "lhotse-landsat/landsat_toa.tif") as dataset:
            values = np.where(dataset.read() == 0, np.nan, dataset.read())[:5, :224, :224]
        return dict(zip((*ALL, "B11"), values, strict=True))

    @pytest.mark.parametrize("without", [(), ("B11",)], ids=["by snow", "by dark pixels"])
    @pytest.mark.parametrize(("wrong", "way"), [(0.0, None), (0.1, "left in"), (-0.1, "subtracted twice")])
    def test_as_it_is_and_wrongly_handled(
        self, bands: Bands, wrong: float, way: str | None, without: tuple[str, ...], tmp_path: Path
    ) -> None:
        seen = {name: values for name, values in bands.items() if name not in without}
        for level in ("L1TP", None):
            stored = scene(tmp_path / str(level), seen, wrong=wrong, processing_level=level)
            if way is None:
                assert checked(stored).verdict == ("plausible" if without else "proven")
            else:
                with pytest.raises(InputError, match=f"it is {way}"):
                    checked(stored)

    def test_with_its_haze_removed_as_a_surface_product_does(self, bands: Bands, tmp_path: Path) -> None:
        """Dark objects are subtracted by the blue of the darkest 6 %: 3 % of blue is then clearly negative."""
        haze = dict(zip((*ALL, "B11"), (0.125, 0.07, 0.05, 0.02, 0.0), strict=True))
        surface = {name: values - haze[name] for name, values in bands.items()}
        assert np.nanmean(surface["B02"] < -0.03) > 0.02
        for name, seen in {"all": surface, "no SWIR": {band: surface[band] for band in ALL}}.items():
            for level in ("HLS", "L2SP", None):
                assert checked(scene(tmp_path / f"{name} {level}", seen, processing_level=level)).verdict in (
                    "proven", "plausible",
                )  # fmt: skip


@pytest.mark.samples
@pytest.mark.parametrize("season", SEASONS)
@pytest.mark.parametrize("level", ["L1C", None])
def test_a_real_scene_is_right_at_every_level(level: str | None, season: str, samples: Path, tmp_path: Path) -> None:
    with rasterio.open(samples / f"khumbu-sentinel2/s2_l2a_{season}_2024.tif") as dataset:
        bands = dict(zip(dataset.descriptions, dataset.read(), strict=True))
    for name, names in {"all": list(bands), "no SWIR": list(ALL), "visible": list(ALL[:3])}.items():
        stored = scene(tmp_path / name, {band: bands[band] for band in names}, processing_level=level)
        assert checked(stored).verdict in ("proven", "plausible", "not proven")
