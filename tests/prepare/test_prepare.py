"""A year onto the one grid, run as the pipeline does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml

from sandbox import tiny
from stages.common.run import stage
from stages.common.scene.scene import Layer, SceneInfo
from stages.common.scene.store import write_index, write_scene
from stages.common.tables.kinds import SCENE, VALID
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from tests.prepare.scenes import BANDS, PX, SIZE, cloud, grid, layer, run, store, texture


def test_aligned_scenes_are_bit_identical(site: Path) -> None:
    blue, swir = texture(1), texture(2)
    store(("a", [layer("B02", blue), layer("B11", swir)]))
    scene, valid, provenance = run()
    assert (scene == np.stack([blue, swir])).all()
    assert valid.all()
    assert (provenance["valid_fraction"], provenance["outside_fraction"], provenance["clipped_pixels"]) == (1, 0, 0)


def test_a_larger_scene_is_cut_by_whole_pixels(site: Path) -> None:
    pixels = texture(1, size=80)
    store(("a", [layer(name, pixels, grid(-5, -9, size=80)) for name in BANDS]))
    scene, _, _ = run()
    assert (scene[0] == pixels[9:69, 5:65]).all()


def test_files_say_what_they_are(site: Path) -> None:
    store(("a", [layer(name, 3000) for name in BANDS]))
    run()
    SCENE.check(Path("artifacts/prepare/2020/scene.tif"))
    VALID.check(Path("artifacts/prepare/2020/valid.tif"))
    with rasterio.open("artifacts/prepare/2020/scene.tif") as dataset:
        assert dataset.descriptions == tuple(BANDS)
        assert dataset.scales == (1e-4, 1e-4)
        assert dataset.offsets == (-0.1, -0.1)
        assert dataset.nodata == 0


def test_bands_come_in_the_order_of_the_parameters(site: Path) -> None:
    store(("a", [layer("B11", 1011), layer("B04", 1004), layer("B02", 1002)]))
    scene, _, _ = run()
    assert scene[:, 0, 0].tolist() == [1002, 1011]


def test_a_pixel_counts_only_where_all_bands_have_data(site: Path) -> None:
    blue, swir = texture(1), texture(2)
    blue[0], swir[:, 0] = 0, 0
    store(("a", [layer("B02", blue), layer("B11", swir)]))
    scene, valid, provenance = run()
    expected = np.ones((SIZE, SIZE), bool)
    expected[0], expected[:, 0] = False, False
    assert (valid == expected).all()
    assert (scene[0] == np.where(expected, blue, 0)).all()
    assert provenance["outside_fraction"] == pytest.approx(1 - 59 * 59 / 3600, abs=1e-6)


def test_adjoining_tiles_make_one_scene(site: Path) -> None:
    left, right = texture(1), texture(2)
    store(
        ("left", [layer(name, left, grid(-20)) for name in BANDS]),
        ("right", [layer(name, right, grid(40)) for name in BANDS]),
        days={"left": dt.date(2020, 10, 15), "right": dt.date(2020, 10, 17)},
    )
    scene, valid, provenance = run()
    assert valid.all()
    assert (scene[0, :, :40] == left[:, 20:]).all()
    assert (scene[0, :, 40:] == right[:, :20]).all()
    assert [source["filled_fraction"] for source in provenance["sources"]] == [0.666667, 0.333333]
    assert [source["date"] for source in provenance["sources"]] == ["2020-10-15", "2020-10-17"]
    assert provenance["date"] == "2020-10-15"  # that of the largest part


def test_the_second_tile_fills_what_the_first_does_not_show(site: Path) -> None:
    first, hidden = texture(1), np.zeros((SIZE, SIZE), "uint8")
    first[:10], hidden[10:20] = 0, 1
    store(
        ("first", [*(layer(name, first) for name in BANDS), cloud(hidden)]),
        ("second", [layer(name, 1077) for name in BANDS]),
    )
    scene, valid, provenance = run()
    assert valid.all()
    assert (scene[0, :20] == 1077).all()
    assert (scene[0, 20:] == first[20:]).all()
    assert provenance["cloud_fraction"] == 0


def test_cloud_is_not_seen_and_told_from_no_data(site: Path) -> None:
    pixels, hidden = texture(1), np.zeros((SIZE, SIZE), "uint8")
    pixels[:10], hidden[5:20] = 0, 9
    store(("a", [*(layer(name, pixels) for name in BANDS), cloud(hidden)]))
    _, valid, provenance = run()
    assert (valid[:20] == 0).all()
    assert (valid[20:] == 1).all()
    assert provenance["outside_fraction"] == pytest.approx(10 / 60, abs=1e-6)
    assert provenance["cloud_fraction"] == pytest.approx(10 / 60, abs=1e-6)
    assert provenance["valid_fraction"] == pytest.approx(40 / 60, abs=1e-6)


def test_where_a_cloud_mask_does_not_reach_nothing_counts_as_seen(site: Path) -> None:
    store(("a", [*(layer(name, 3000) for name in BANDS), cloud(0, grid(size=30))]))
    _, valid, _ = run()
    assert valid[:30, :30].all()
    assert valid.sum() == 900


def test_older_convention_and_float_reflectance_become_the_newer(site: Path) -> None:
    reflectance = np.full((SIZE, SIZE), 0.2345, "float32")
    reflectance[0, 0] = np.nan
    reflectance[0, 1] = -0.0123
    float_layer = Layer(name="B11", pixels=reflectance, grid=grid(), nodata=None)
    store(("a", [layer("B02", 2345, offset=0.0), float_layer]), processing_baseline="02.12", processing_level="L2A")
    scene, valid, provenance = run()
    assert (scene[:, 1:] == 3345).all()
    assert scene[1, 0, 1] == 877  # slightly negative is kept
    assert valid[0, 0] == 0
    assert provenance["sources"][0]["offset"] == 0
    assert provenance["sources"][0]["processing_baseline"] == "02.12"


def test_scenes_of_any_convention_meet_without_a_seam(site: Path) -> None:
    """One surface, stored in three ways: as delivered, with the offset taken out by a catalogue, and as floats."""
    surface = np.full((SIZE, SIZE), 0.2345)
    surface[:, ::7] = -0.012
    parts = [
        ("new", surface * 1e4 + 1000, {}, {"convention": "by-baseline", "processing_baseline": "05.10"}),
        ("old", surface.clip(0.0001) * 1e4, {}, {"convention": "by-baseline", "processing_baseline": "02.14"}),
        ("out", surface.clip(0.0001) * 1e4, {}, {
            "convention": "flagged", "processing_baseline": "05.09", "boa_offset_applied": True}),
        ("mine", surface * 1e4 + 1000, {"offset": -0.1}, {}),
    ]  # fmt: skip
    written = []
    for index, (name, dn, physics, details) in enumerate(parts):
        pixels = np.rint(dn).astype("uint16")
        pixels[: index * 15], pixels[(index + 1) * 15 :] = 0, 0
        info = SceneInfo(id=name, year=2020, acquired=None, product=name, **details)
        layers = [layer(band, pixels, **({"offset": 0.0} | physics)) for band in BANDS]
        written.append(write_scene(Path("data/scenes/2020"), info, layers))
    write_index(Path("data/scenes/2020"), 2020, written)
    scene, valid, provenance = run()
    assert valid.all()
    assert [source["offset"] for source in provenance["sources"]] == [-0.1, 0, 0, -0.1]
    assert (scene[:, :, 1] == 3345).all()
    assert scene[0, [0, 20, 35, 50], 0].tolist() == [880, 1001, 1001, 880]  # older storage ends at zero, no other does


@pytest.mark.parametrize("half", [0.0, 0.5])
def test_slightly_negative_reflectance_survives(half: float, site: Path) -> None:
    """Copied or resampled, -0.02 beside rock stays what it is: neither clipped nor nodata."""
    pixels = np.full((80, 80), 2500)
    pixels[20:50] = 800
    store(("a", [layer(name, pixels, grid(-10 + half, -10 + half, size=80)) for name in BANDS]))
    scene, valid, provenance = run()
    assert valid.all()
    assert (scene[:, 11:39] == 800).all()
    assert provenance["clipped_pixels"] == 0


def test_resampling_keeps_nodata_out(site: Path) -> None:
    """Half a pixel off: a constant next to nodata stays that constant."""
    pixels = np.full((80, 80), 4321, "uint16")
    pixels[20:30, 20:30] = 0
    store(("a", [layer(name, pixels, grid(-5.5, -5.25, size=80)) for name in BANDS]))
    scene, valid, _ = run()
    assert (scene[0][valid == 1] == 4321).all()
    assert (valid == 0).sum() == 100


def test_20_m_bands_join_10_m_ones(site: Path) -> None:
    store(("a", [layer("B02", texture(1)), layer("B11", 5000, grid(-2, -2, size=34, px=2 * PX))]))
    scene, valid, _ = run()
    assert valid.all()
    assert (scene[1] == 5000).all()


def test_values_beyond_the_storage_are_counted(site: Path) -> None:
    pixels = np.full((SIZE, SIZE), 2000, "uint16")
    pixels[3, :5] = 65_000
    store(("a", [layer("B02", pixels, offset=0.0), layer("B11", 2000, offset=0.0)]))
    scene, valid, provenance = run()
    assert provenance["clipped_pixels"] == 5
    assert (scene[0, 3, :5] == 65_535).all()
    assert valid.all()


def refused(capfd: pytest.CaptureFixture[str]) -> str:
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    assert not Path("artifacts/prepare").exists() or not list(Path("artifacts/prepare").iterdir())
    return capfd.readouterr().err


def test_a_forgotten_scale_is_refused(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store(("a", [layer(name, 3000, scale=1.0, offset=0.0) for name in BANDS]))
    message = refused(capfd)
    assert "the pixels are brighter than any ground" in message
    assert "100.0 % above it, the median is 3e+03" in message


@pytest.mark.parametrize(("bright", "trusted", "code"), [(36, [], 0), (37, [], 2), (37, ["a"], 0)])
def test_a_hundredth_of_the_pixels_may_be_brighter_than_any_ground(
    site: Path, bright: int, trusted: list[str], code: int
) -> None:
    pixels = np.full((SIZE, SIZE), 3000, "uint16")
    pixels.flat[:bright] = 22_000  # 2.1
    store(("a", [layer("B02", pixels), layer("B11", 1500)]))
    params = tiny.params(site, [2020])
    params["prepare"] = {"bands": BANDS, "storage": "sentinel2", "trusted_offsets": trusted}
    params["report"]["rgb"] = ["B02", "B11", "B02"]
    tiny.write_params(site, params)
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == code


def test_a_missing_band_is_refused(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store(("a", [layer("B02", 3000)]))
    assert "a stored scene lacks a band" in refused(capfd)


def test_a_scene_file_that_is_gone_is_refused(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (written,) = store(("a", [layer(name, 3000) for name in BANDS]))
    written.bands["B11"].path.unlink()
    assert "a stored scene cannot be read" in refused(capfd)


def test_the_same_data_give_the_same_bytes(site: Path) -> None:
    store(("a", [layer(name, texture(3, size=80), grid(-5.5, -5.25, size=80)) for name in BANDS]))
    bytes_of = []
    for _ in range(2):
        run()
        bytes_of.append({path.name: path.read_bytes() for path in Path("artifacts/prepare/2020").iterdir()})
    assert bytes_of[0] == bytes_of[1]
    assert set(bytes_of[0]) == {"scene.tif", "valid.tif", "provenance.json"}


class TestRgb:
    """8-bit RGB as it is."""

    @pytest.fixture(autouse=True)
    def _rgb(self, site: Path) -> None:
        params = tiny.params(site, [2020])
        params["prepare"] = {"bands": BANDS, "storage": "rgb8"}
        params["report"]["rgb"] = ["B02", "B11", "B02"]
        tiny.write_params(site, params)

    @staticmethod
    def layer(name: str, pixels: np.ndarray, nodata: float | None) -> Layer:
        return Layer(name=name, pixels=pixels.astype("uint8"), grid=grid(), nodata=nodata)

    def test_pixels_are_copied(self) -> None:
        blue, swir = texture(1) % 256, texture(2) % 256
        store(("a", [self.layer("B02", blue, None), self.layer("B11", swir, None)]))
        scene, valid, _ = run()
        assert scene.dtype == np.uint8
        assert (scene == np.stack([blue, swir])).all()
        assert valid.all()

    def test_a_dark_pixel_is_no_nodata_unless_all_bands_are(self) -> None:
        blue, swir = np.full((SIZE, SIZE), 90), np.full((SIZE, SIZE), 90)
        blue[0], swir[0, :10] = 0, 0
        store(("a", [self.layer("B02", blue, 0), self.layer("B11", swir, 0)]))
        scene, valid, _ = run()
        assert (valid[0, :10] == 0).all()
        assert valid[0, 10:].all()
        assert scene[:, 0, 10].tolist() == [0, 90]

    def test_reflectance_is_refused(self, capfd: pytest.CaptureFixture[str]) -> None:
        store(("a", [layer(name, 3000) for name in BANDS]))
        assert "the scene is not 8-bit RGB" in refused(capfd)


def test_an_experts_word_on_the_offset_is_reported(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A stated baseline of 03.01 with the offset of 04.00, and pixels that prove neither."""
    store(("a", [layer(name, 8000) for name in BANDS]), processing_baseline="03.01", processing_level="L2A")
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["prepare"]["trusted_offsets"] = ["a"]
    tiny.write_params(site, params)
    _, _, provenance = run()
    assert provenance["sources"][0]["offset_proof"]["verdict"] == "unlike its baseline"
    assert (
        "a: it contradicts the baseline, and the pixels do not prove it; it is taken all the same"
        in capfd.readouterr().err
    )
