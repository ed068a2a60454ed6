"""The pixels prove, or contradict, the offset that was applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import rasterio

from stages.common.errors import InputError
from stages.common.params.prepare import PrepareParams
from stages.common.scene.scene import Layer, Scene, SceneInfo
from stages.common.scene.store import write_scene
from stages.common.tables.prepare import OffsetProof
from stages.prepare.masks import VISIBLE
from stages.prepare.offset import PIXELS_MIN, check_offset
from stages.prepare.offset_shares import OFFSET, Shares, judge_floor, judge_snow, shares_of
from stages.prepare.scene_pixels import ScenePixels
from tests.prepare.scenes import grid

SEASONS = ("winter", "spring", "summer", "autumn")
WRONG = [pytest.param(OFFSET, "left in", id="left in"), pytest.param(-OFFSET, "subtracted twice", id="twice")]


def scene(
    folder: Path, bands: dict[str, np.ndarray], *, wrong: float = 0.0, classes: np.ndarray | int | None = None,
    scale: float = 1.0, offset: float = 0.0, **metadata: Any,
) -> Scene:  # fmt: skip
    """A stored scene of square reflectance bands, `wrong` added to all of them; with a scale, DN."""
    side = next(iter(bands.values())).shape[0]
    layers = [
        Layer(
            name=name,
            pixels=((values + wrong - offset) / scale).astype("float32"),
            grid=grid(size=side),
            nodata=None,
            scale=scale,
            offset=offset,
        )
        for name, values in bands.items()
    ]
    if classes is not None:
        pixels = np.broadcast_to(np.asarray(classes, "uint8"), (side, side))
        layers.append(Layer(name="scl", pixels=pixels, grid=grid(size=side), nodata=None))
    info = SceneInfo(id="a", year=2020, acquired=None, product="a", **metadata)
    return write_scene(folder / "data/scenes/2020", info, layers)


def checked(stored: Scene, *, trusted: tuple[str, ...] = ()) -> OffsetProof:
    params = PrepareParams(bands=list(stored.bands), storage="sentinel2", trusted_offsets=trusted)
    return check_offset(ScenePixels(stored, params))


def snow(seed: int = 0, side: int = 40) -> dict[str, np.ndarray]:
    """SWIR of snow: small and positive, with real noise around zero in the shade."""
    noise = np.random.default_rng(seed)
    return {name: noise.gamma(2.0, 0.012, (side, side)) - 0.002 for name in ("B11", "B12")}


def test_snow_proves_the_offset(tmp_path: Path) -> None:
    proof = checked(scene(tmp_path, snow(), classes=11))
    assert (proof.method, proof.verdict, proof.pixels) == ("snow in SWIR", "proven", 1600)
    assert min(proof.below_offset_fraction.values()) > 0.9


@pytest.mark.parametrize(("wrong", "way"), WRONG)
def test_a_wrong_offset_is_refused_and_the_way_said(wrong: float, way: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"contradict the scene's offset: it is {way}") as caught:
        checked(scene(tmp_path, snow(), wrong=wrong, classes=11))
    assert "B11" in caught.value.found
    assert ("offset -0.1" in caught.value.fix) == (way == "left in")


@pytest.mark.parametrize(("wrong", "way"), WRONG)
def test_rock_around_the_snow_does_not_count(wrong: float, way: str, tmp_path: Path) -> None:
    bands = snow()
    classes = np.full((40, 40), 5)
    classes[:15] = 11
    for values in bands.values():
        values[15:] = 0.25
    assert checked(scene(tmp_path / "right", bands, classes=classes)).pixels == 600
    with pytest.raises(InputError, match=way):
        checked(scene(tmp_path / "wrong", bands, wrong=wrong, classes=classes))


def test_too_little_snow_proves_nothing_and_fails_nothing(tmp_path: Path) -> None:
    classes = np.full((40, 40), 5)
    classes.flat[: PIXELS_MIN - 1] = 11
    proof = checked(scene(tmp_path, snow(), wrong=OFFSET, classes=classes))
    assert (proof.verdict, proof.pixels) == ("not proven", PIXELS_MIN - 1)
    classes.flat[PIXELS_MIN - 1] = 11
    proof = checked(scene(tmp_path / "enough", snow(), classes=classes))
    assert (proof.verdict, proof.pixels) == ("proven", PIXELS_MIN)


def test_ice_cloud_that_passes_for_snow_proves_nothing(tmp_path: Path) -> None:
    """Cloud called snow is bright in SWIR: nothing is below 0.1, nor just above it."""
    cloud = {"B11": np.random.default_rng(0).normal(0.35, 0.04, (40, 40))}
    assert checked(scene(tmp_path, cloud, classes=11)).verdict == "not proven"


def test_thin_cloud_over_half_of_the_snow_does_not_mislead(tmp_path: Path) -> None:
    bands = snow()
    for values in bands.values():
        values[:20] += 0.15
    assert checked(scene(tmp_path / "right", bands, classes=11)).verdict == "proven"
    with pytest.raises(InputError, match="left in"):
        checked(scene(tmp_path / "wrong", bands, wrong=OFFSET, classes=11))


def test_no_band_that_tells_is_recorded(tmp_path: Path) -> None:
    proof = checked(scene(tmp_path, {"B08": np.full((40, 40), 0.3)}, classes=11))
    assert (proof.method, proof.verdict) == (None, "not proven")


@pytest.mark.parametrize(
    ("bands", "verdict"),
    [
        pytest.param([Shares(0.2, 0.1, 0.006, 0.0005)], "plausible", id="dark pixels as they are"),
        pytest.param([Shares(0.02, 0.3, 0.02, 0.0005)], "left in", id="a floor at 0.1, real negatives below it"),
        pytest.param([Shares(0.0, 0.02, 0, 0), Shares(0.03, 0.02, 0, 0)], "not proven", id="one band without a floor"),
        pytest.param([Shares(0.0, 0.0, 0, 0)], "not proven", id="bright everywhere"),
        pytest.param([Shares(0.01, 0.04, 0, 0)], "not proven", id="a smooth tail through 0.1 is no floor"),
        pytest.param([Shares(0.5, 0.1, 0.2, 0.1), Shares(0.3, 0.1, 0, 0)], "subtracted twice", id="negative in one"),
    ],
)
def test_the_visible_floor(bands: list[Shares], verdict: str) -> None:
    assert judge_floor(bands) == verdict


@pytest.mark.parametrize(
    ("bands", "verdict"),
    [
        ([Shares(0.05, 0.9, 0.0, 0.049)], "proven"),
        ([Shares(0.049, 0.2, 0.0, 0.0)], "left in"),
        ([Shares(0.049, 0.199, 0.0, 0.0)], "not proven"),
        ([Shares(0.9, 0.0, 0.9, 0.05)], "subtracted twice"),
        ([Shares(0.049, 0.9, 0.0, 0.0), Shares(0.05, 0.9, 0.0, 0.0)], "proven"),
    ],
)
def test_the_bounds_of_snow(bands: list[Shares], verdict: str) -> None:
    assert judge_snow(bands) == verdict


@pytest.mark.parametrize(
    ("bands", "verdict"),
    [
        ([Shares(0.0002, 0.002, 0.0, 0.0)], "left in"),
        ([Shares(0.0002, 0.0019, 0.0, 0.0)], "not proven"),
        ([Shares(0.0003, 0.002, 0.0, 0.0)], "not proven"),
        ([Shares(0.05, 0.0, 0.05, 0.0199)], "plausible"),
        ([Shares(0.0499, 0.0, 0.0, 0.0)], "not proven"),
        ([Shares(0.05, 0.0, 0.05, 0.02)], "subtracted twice"),
    ],
)
def test_the_bounds_of_the_floor(bands: list[Shares], verdict: str) -> None:
    assert judge_floor(bands) == verdict


@pytest.mark.parametrize(
    "ends", [[], [4], [0, 3, 3, 10]], ids=["at once", "two parts", "parts of which some are empty"]
)
def test_shares_have_known_bounds(ends: list[int]) -> None:
    values = np.array([-0.04, -0.03, -0.001, 0.0, 0.099, 0.1, 0.149, 0.151, 0.2, 0.5], dtype="float32")
    expected = Shares(below=0.5, just_above=0.2, negative=0.3, clearly_negative=0.1, pixels=10)
    assert shares_of(np.split(values, ends), width=0.05) == expected


@pytest.mark.parametrize("parts", [[], [np.empty(0, "float32")]], ids=["no part", "an empty part"])
def test_without_pixels_there_are_no_shares(parts: list[np.ndarray]) -> None:
    assert shares_of(parts, width=0.1) == Shares(0, 0, 0, 0)


@pytest.mark.samples
class TestSpectra:
    """11,729 measured spectra: snow, shadowed snow and ice."""

    @pytest.fixture(params=[[1], [2], [3], [1, 2, 3]], ids=["snow", "shadowed snow", "ice", "all"])
    def swir(self, request: pytest.FixtureRequest, samples: Path) -> list[np.ndarray]:
        table = pandas.read_csv(samples / "spectra/Sentinel-2_SR_training_data.csv")
        chosen = table[table["class"].isin(request.param)]
        return [chosen[name].to_numpy("float32") for name in ("B11", "B12")]

    def test_as_they_are(self, swir: list[np.ndarray]) -> None:
        shares = [shares_of([values], width=OFFSET) for values in swir]
        assert judge_snow(shares) == "proven"
        assert all(0.87 < band.below < 0.98 for band in shares)

    @pytest.mark.parametrize(("wrong", "way"), WRONG)
    def test_wrongly_handled(self, swir: list[np.ndarray], wrong: float, way: str) -> None:
        assert judge_snow([shares_of([values + np.float32(wrong)], width=OFFSET) for values in swir]) == way


@pytest.mark.samples
@pytest.mark.parametrize("season", SEASONS)
class TestKhumbu:
    """A real Himalayan scene in four snow states; a snow index stands in for the scene classes, which it lacks."""

    @pytest.fixture
    def bands(self, season: str, samples: Path) -> dict[str, np.ndarray]:
        with rasterio.open(samples / f"khumbu-sentinel2/s2_l2a_{season}_2024.tif") as dataset:
            return dict(zip(dataset.descriptions, dataset.read(), strict=True))

    @pytest.fixture
    def classes(self, bands: dict[str, np.ndarray]) -> np.ndarray:
        index = (bands["B03"] - bands["B11"]) / (bands["B03"] + bands["B11"])
        return np.where((index > 0.42) & (bands["B08"] > 0.15) & (bands["B02"] > 0.18), 11, 5)

    def test_as_it_is(self, bands: dict[str, np.ndarray], classes: np.ndarray, tmp_path: Path) -> None:
        assert checked(scene(tmp_path / "strong", bands, classes=classes)).verdict == "proven"
        colour = checked(scene(tmp_path / "colour", bands))
        assert (colour.method, colour.verdict) == ("snow by colour", "proven")
        visible = checked(scene(tmp_path / "weak", {name: bands[name] for name in VISIBLE}, processing_level="L2A"))
        assert (visible.method, visible.verdict) == ("visible floor", "plausible")

    @pytest.mark.parametrize(("wrong", "way"), WRONG)
    def test_wrongly_handled(
        self, bands: dict[str, np.ndarray], classes: np.ndarray, wrong: float, way: str, tmp_path: Path
    ) -> None:
        visible = {name: bands[name] for name in VISIBLE}
        far = {name: bands[name] for name in ("B02", "B03", "B04", "B08")}
        for name, seen, metadata in (
            ("strong", bands, {"classes": classes}),
            ("colour", bands, {}),
            ("weak", visible, {"processing_level": "L2A"}),
            ("level not stated", far, {}),
        ):
            with pytest.raises(InputError, match=way):
                checked(scene(tmp_path / name, seen, wrong=wrong, **metadata))


@pytest.mark.samples
@pytest.mark.parametrize(("wrong", "way"), [pytest.param(0.0, None, id="right"), *WRONG])
def test_a_real_product_with_negative_reflectance(wrong: float, way: str | None, samples: Path, tmp_path: Path) -> None:
    """Ireland, baseline 04.00: 2 % of B02 is negative, and no snow; the visible floor decides."""
    bands = {}
    for name in ("B02", "B03", "B04"):
        (path,) = (samples / "safe-l2a").rglob(f"*_{name}_60m.jp2")
        with rasterio.open(path) as dataset:
            dn = dataset.read(1)[192:256, 320:384]
        bands[name] = np.where(dn > 0, dn * 1e-4 - 0.1, np.nan)
    if way is None:
        assert checked(scene(tmp_path, bands, processing_level="L2A")).verdict == "plausible"
    else:
        with pytest.raises(InputError, match=way):
            checked(scene(tmp_path, bands, wrong=wrong, processing_level="L2A"))
