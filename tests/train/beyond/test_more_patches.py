"""Patches of other sites: learned with the site's own where they are of one kind and of other ground, else refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from sandbox import tiny
from stages.common.errors import ContractError, GlacierError, ParamsError
from stages.common.geo.grid import Grid
from stages.common.params.learning import TrainParams
from stages.common.run.records import folder_md5
from stages.train.beyond.more_patches import overlap, read_more_patches
from stages.train.data import load
from tests.train.beyond.folders import SIDE, write_patches

AWAY = tiny.LEFT + 50_000
OWN = Path("artifacts/patches/2020")


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The site's own year, in the working directory; returns its training pixels."""
    monkeypatch.chdir(tmp_path)
    return write_patches(OWN)


def params(*folders: str, md5: str | None = None, **more: bool) -> TrainParams:
    pins = [{"path": path, "md5": folder_md5(Path(path)) if md5 is None else md5, **more} for path in folders]
    return TrainParams.model_validate({"more_patches": pins})


def folders_of(given: TrainParams) -> list[Path]:
    return [folder for site in read_more_patches(given, OWN) for folder in site.years]


def test_all_training_patches_are_learned_with_the_statistics_of_all_pixels(own: np.ndarray) -> None:
    images = [own]
    for site, years in (("a", (2019, 2021)), ("b", (2020,))):
        images += [
            write_patches(Path(site, str(year)), year=year, level=60 + year % 7 * 9, count=year - 2017, left=AWAY)
            for year in years
        ]
    sources = read_more_patches(params("a", "b"), OWN)
    assert [source.record.years for source in sources] == [[2019, 2021], [2020]]
    assert [source.record.training_patches for source in sources] == [6, 3]
    data = load({2020: OWN}, [folder for source in sources for folder in source.years])
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]).astype(float)
    assert data.mean == pytest.approx(pixels.mean(axis=0), abs=1e-4)
    assert data.std == pytest.approx(pixels.std(axis=0), abs=1e-4)
    assert np.array_equal(data.train.image, np.concatenate(images))
    assert data.band_references[0].mean == data.mean[0]


def test_the_model_is_chosen_and_calibrated_on_the_sites_own_patches() -> None:
    alone = load({2020: OWN})
    write_patches(Path("a/2020"), level=30, left=AWAY)
    both = load({2020: OWN}, folders_of(params("a")))
    for use in ("validation", "calibration"):
        assert np.array_equal(getattr(both, use).image, getattr(alone, use).image)
    assert both.md5 != alone.md5
    assert load({2020: OWN}, []).md5 == alone.md5


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        pytest.param({"bands": ["red", "green", "nir"]}, "bands red, green, nir", id="bands"),
        pytest.param({"scale": 0.5}, "scale 0.5", id="scale"),
        pytest.param({"offset": -0.1}, "offset -0.1", id="offset"),
        pytest.param({"dtype": "uint16"}, "type of pixels uint16", id="storage"),
        pytest.param({"pixel_m": 10.0}, "pixel size (m) 10.0", id="pixel size"),
        pytest.param({"side": 32}, "side with margin (px) 32", id="size"),
    ],
)
def test_patches_of_another_kind_are_refused_with_what_differs(knobs: dict[str, Any], named: str) -> None:
    write_patches(Path("a/2020"), **({"left": AWAY} | knobs))
    with pytest.raises(ContractError, match="differ from the site's own: ") as caught:
        read_more_patches(params("a"), OWN)
    assert caught.value.found == named
    assert caught.value.exit_code == 2


def test_all_differences_are_named_at_once() -> None:
    write_patches(Path("a/2020"), left=AWAY, scale=0.5, side=32)
    with pytest.raises(ContractError, match="scale, side with margin"):
        read_more_patches(params("a"), OWN)


def test_ground_of_the_site_itself_is_refused() -> None:
    write_patches(Path("a/2020"), left=tiny.LEFT + SIDE * tiny.PIXEL_M / 2)
    with pytest.raises(ContractError, match="show ground of this site"):
        read_more_patches(params("a"), OWN)
    assert len(folders_of(params("a", may_overlap=True))) == 1, "each twin has ground of its own at the same place"


@pytest.mark.parametrize("md5", [pytest.param("", id="none"), pytest.param("0" * 32 + ".dir", id="another")])
def test_what_is_not_pinned_is_refused_with_the_line_to_write(md5: str) -> None:
    write_patches(Path("a/2020"), left=AWAY)
    with pytest.raises(ParamsError, match=r"params\.yaml pins") as caught:
        read_more_patches(params("a", md5=md5), OWN)
    assert f"md5: {folder_md5(Path('a'))}" in caught.value.fix


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda folder: (folder / "split.tif").unlink(), id="a file less"),
        pytest.param(lambda folder: (folder / "train.npz").write_bytes(b"PK"), id="a broken archive"),
        pytest.param(lambda folder: (folder / "stats.json").write_text("{"), id="a broken document"),
        pytest.param(lambda folder: (folder / "stats.json").unlink(), id="no patches"),
    ],
)
def test_damaged_patches_are_refused(spoil: Any) -> None:
    write_patches(Path("a/2020"), left=AWAY)
    spoil(Path("a/2020"))
    with pytest.raises(GlacierError) as caught:
        read_more_patches(params("a"), OWN)
    assert caught.value.exit_code == 2
    assert caught.value.fix


def test_an_absent_folder_is_named() -> None:
    with pytest.raises(ParamsError, match="is absent") as caught:
        read_more_patches(params("../b/artifacts/patches", md5="0" * 32 + ".dir"), OWN)
    assert "../b/artifacts/patches" in caught.value.found


def test_a_folder_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="names a folder twice: a"):
        params("a", "a", md5="")


@pytest.mark.parametrize(
    ("crs", "left", "meets"),
    [
        pytest.param("EPSG:32644", 500_000.0, True, id="one zone"),
        pytest.param("EPSG:32644", 700_000.0, False, id="far"),
        pytest.param("EPSG:32645", -85_000.0, True, id="the next zone"),
        pytest.param("EPSG:32646", 500_000.0, False, id="another zone"),
    ],
)
def test_overlap_across_zones(crs: str, left: float, meets: bool) -> None:
    def grid(crs: str, left: float) -> Grid:
        return Grid(crs, Affine(1000, 0, left, 0, -1000, 3_420_000), 20, 20)

    assert overlap(grid("EPSG:32644", 500_000.0), grid(crs, left)) == meets
