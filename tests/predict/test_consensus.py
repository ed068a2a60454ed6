"""The rule that makes one map of several: snow in up to half of the passes is no glacier."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.model.inference import read_info
from stages.common.tables.kinds import MASK, PASS_MASKS, PROBABILITY, PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.predict.consensus import STRIP_ROWS, lower_median, majority, map_passes, vote_majority, write_consensus
from stages.predict.predict import map_scene

UNSEEN = 255


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        pytest.param([1], 1, id="one pass decides alone"),
        pytest.param([0], 0, id="one pass decides alone, no glacier"),
        pytest.param([1, 0], 0, id="a tie of two is snow"),
        pytest.param([1, 1], 1, id="both"),
        pytest.param([1, 1, 0], 1, id="two of three"),
        pytest.param([1, 1, 0, 0], 0, id="snow in winter and spring, bare in summer and autumn"),
        pytest.param([1, 1, 1, 0], 1, id="ice that one pass has missed"),
        pytest.param([1, 1, 1, 0, 0], 1, id="three of five"),
        pytest.param([1, UNSEEN, UNSEEN, 0], 0, id="a tie of those that have seen"),
        pytest.param([1, UNSEEN, 1, 0], 1, id="two of the three that have seen"),
        pytest.param([UNSEEN, 1, UNSEEN], 1, id="seen once"),
        pytest.param([UNSEEN, UNSEEN], UNSEEN, id="never seen"),
    ],
)
def test_glacier_is_where_more_than_half_of_the_passes_say_so(passes: list[int], expected: int) -> None:
    assert majority(np.array(passes, dtype=np.uint8)[:, None, None]).item() == expected


PROBABILITIES = st.one_of(st.integers(0, 10_000), st.just(PROBABILITY_NODATA))


@given(
    values=arrays(np.uint16, st.tuples(st.integers(1, 6), st.just(3), st.just(4)), elements=PROBABILITIES),
    threshold=st.integers(1, 10_000),
)
def test_the_lower_median_reaches_a_threshold_where_the_majority_does(values: np.ndarray, threshold: int) -> None:
    unseen = values == PROBABILITY_NODATA
    masks = np.where(unseen, UNSEEN, values >= threshold).astype(np.uint8)
    merged, mask = lower_median(values), majority(masks)
    assert ((merged == PROBABILITY_NODATA) == (mask == UNSEEN)).all()
    observed = mask != UNSEEN
    assert ((merged >= threshold) == (mask == 1))[observed].all()


@given(
    masks=arrays(np.uint8, (3, 4, 5), elements=st.sampled_from([0, 1, UNSEEN])),
    votes=arrays(np.uint16, (3, 4, 5), elements=st.integers(0, 2**16 - 1)),
)
def test_members_vote_each_for_itself(masks: np.ndarray, votes: np.ndarray) -> None:
    merged = vote_majority(np.concatenate([masks.astype(np.uint16), votes]))
    for bit in range(16):
        own = np.where(masks == UNSEEN, UNSEEN, (votes >> bit) & 1).astype(np.uint8)
        assert ((merged >> bit & 1 == 1) == (majority(own) == 1)).all()


def test_seasonal_snow_goes_and_the_glacier_stays(tmp_path: Path) -> None:
    """Four made-up seasons on a grid of more rows than a strip: snow down to another row each time, one cloud."""
    height, width = STRIP_ROWS + 60, 40
    grid = Grid("EPSG:32645", Affine(30, 0, 480_000, 0, -30, 3_100_000), height, width)
    glacier = np.zeros(grid.shape, dtype=bool)
    glacier[100 : STRIP_ROWS + 30, 5:15] = True
    cloud = np.zeros(grid.shape, dtype=bool)
    cloud[500:530, :20] = True
    folders = [tmp_path / str(number) for number in range(4)]
    for number, (folder, snow_rows) in enumerate(zip(folders, (300, 200, 0, 60), strict=True)):
        folder.mkdir()
        ice = glacier.copy()
        ice[:snow_rows] = True
        hidden = cloud if number == 2 else np.zeros_like(cloud)
        write_cog(folder / "mask.tif", np.where(hidden, UNSEEN, ice).astype(np.uint8), grid, nodata=UNSEEN)
        probability = np.where(hidden, PROBABILITY_NODATA, np.where(ice, 9000, 1000)).astype(np.uint16)
        write_cog(folder / "probability.tif", probability, grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    write_consensus(folders, tmp_path)
    for kind, name in ((MASK, "mask.tif"), (PROBABILITY, "probability.tif"), (PASS_MASKS, "passes.tif")):
        kind.check(tmp_path / name)
    expected = glacier.copy()
    expected[:60] = True  # snow in three of four is all that is left
    with rasterio.open(tmp_path / "mask.tif") as mask, rasterio.open(tmp_path / "probability.tif") as probability:
        assert (mask.read(1) == expected).all()
        assert (probability.read(1) == np.where(expected, 9000, 1000)).all()
        half = (height // 2, width // 2)
        assert 5000 in probability.read(1, out_shape=half), "overviews of probabilities are means"
        assert (mask.read(1, out_shape=half) == expected[::2, ::2]).all(), "overviews of classes are pixels"
    with rasterio.open(tmp_path / "passes.tif") as passes:
        assert passes.count == 4
        assert ((passes.read(3) == UNSEEN) == cloud).all()
        assert (passes.read(1)[:300] == 1).all()
    assert not (tmp_path / "votes.tif").exists()


def test_a_scene_that_comes_twice_is_mapped_as_it_is_once(onnx_model: Path, tmp_path: Path) -> None:
    grid = Grid("EPSG:32645", Affine(30, 0, 480_000, 0, -30, 3_100_000), 77, 131)
    pixels = np.random.default_rng(0).integers(1, 255, (3, 77, 131), dtype=np.uint8)
    write_cog(tmp_path / "scene.tif", pixels, grid, nodata=None, bands=["red", "green", "blue"])
    write_cog(tmp_path / "valid.tif", np.ones(grid.shape, dtype=np.uint8), grid, nodata=None)
    scene, info = (tmp_path / "scene.tif", tmp_path / "valid.tif"), read_info(onnx_model)
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    map_scene(info, *scene, tmp_path / "once")
    map_passes([scene, scene], tmp_path / "twice", partial(map_scene, info))
    assert sorted(path.name for path in (tmp_path / "twice").iterdir()) == ["mask.tif", "passes.tif", "probability.tif"]
    for name in ("mask.tif", "probability.tif"):
        with rasterio.open(tmp_path / "once" / name) as once, rasterio.open(tmp_path / "twice" / name) as twice:
            assert (once.read() == twice.read()).all()
            assert (once.scales, once.nodata, once.transform) == (twice.scales, twice.nodata, twice.transform)


@pytest.mark.samples
def test_a_map_that_takes_all_snow_for_glacier_loses_the_seasonal_snow(samples: Path) -> None:
    """The four seasons of Khumbu, each mapped by the snow index alone."""
    masks = []
    for season in ("winter", "spring", "summer", "autumn"):
        with rasterio.open(samples / f"khumbu-sentinel2/s2_l2a_{season}_2024.tif") as dataset:
            bands = dict(zip(dataset.descriptions, dataset.read(), strict=True))
        green, red, swir = bands["B03"], bands["B04"], bands["B11"]
        masks.append((green - swir > 0.4 * (green + swir)) & (red > 0.2))
    snow = np.array(masks, dtype=np.uint8)
    days = snow.sum(axis=0)
    merged = majority(snow)[0]
    autumn = (days <= 2) & (snow[3] == 1)
    assert autumn.mean() > 0.1  # a tenth of the place is under snow that is not there in two other seasons
    assert not merged[autumn].any()
    assert merged[days >= 3].all()
