"""Planted shifts come back, and changed snow, moving ice and cloud do not pass for one."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import rasterio.features
from affine import Affine

from sandbox.shifted_ground import SIZE_PX as SIZE
from sandbox.shifted_ground import fine_rock, fractal, observed_rock, patches
from stages.common.geo.grid import Grid
from stages.common.params.prepare import CoregisterParams, PrepareParams
from stages.common.scene.scene import Layer, Scene, SceneInfo
from stages.common.scene.store import write_scene
from stages.common.tables.prepare import Registration
from stages.prepare.coregister import Reference, grid_of_scene, make_reference, measure_shift
from stages.prepare.masks import scene_masks
from stages.prepare.scene_pixels import ScenePixels
from tests.prepare.scenes import grid

PARAMS = PrepareParams(bands=["B02", "B03", "B04", "B11"], storage="sentinel2", coregister=CoregisterParams())
PLANTED = [(0.1, 0.0), (0.2, -0.3), (0.5, 0.4), (1.2, -0.7)]
"""Pixels to the south and east."""

SEASONS = ("winter", "spring", "summer", "autumn", "winter")
NO_GLACIER = np.zeros((SIZE, SIZE), dtype=bool)


@pytest.fixture(scope="module")
def ground() -> np.ndarray:
    """Reflectance of rock at a tenth of a pixel."""
    return fine_rock(1)


class SceneWriter:
    """Writes scenes of several years."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def __call__(
        self, rock: np.ndarray, *, snow: np.ndarray | None = None, cloud: np.ndarray | None = None,
        swir: bool = True, noise: float = 0.003, day: dt.date | None = None,
    ) -> Scene:  # fmt: skip
        self.count += 1
        random = np.random.default_rng(self.count)
        white = np.zeros(rock.shape, bool) if snow is None else snow
        bands = {}
        for name, gain, of_snow in (("B02", 0.8, 0.8), ("B03", 0.9, 0.8), ("B04", 1.0, 0.8), ("B11", 1.3, 0.03)):
            if name != "B11" or swir:
                bands[name] = np.where(white, of_snow, gain * rock) + random.normal(0, noise, rock.shape)
        where = grid(size=SIZE)
        layers = [
            Layer(name=name, pixels=np.rint(values * 1e4 + 1000).astype("uint16"), grid=where, nodata=0, scale=1e-4,
                  offset=-0.1)
            for name, values in bands.items()
        ]  # fmt: skip
        if cloud is not None:
            layers.append(Layer(name="cloud_mask", pixels=cloud.astype("uint8"), grid=where, nodata=None))
        year = 2019 + self.count
        info = SceneInfo(id=f"s{year}", year=year, acquired=day, product="x")
        return write_scene(self.folder / f"data/scenes/{year}", info, layers)


@pytest.fixture
def make(tmp_path: Path) -> SceneWriter:
    return SceneWriter(tmp_path)


def reference_of(
    scenes: list[Scene], glacier: np.ndarray, site_grid: Grid, params: PrepareParams = PARAMS
) -> Reference:
    pixels = [ScenePixels(scene, params) for scene in scenes]
    return make_reference(pixels, glacier, site_grid, params.coregister or CoregisterParams())


def shift_of(scene: Scene, reference: Reference, site_grid: Grid, params: PrepareParams = PARAMS) -> Registration:
    pixels = ScenePixels(scene, params)
    masks = scene_masks(pixels, site_grid, params.imagery_bands)
    return measure_shift(pixels, masks, reference, site_grid, params.coregister or CoregisterParams())


def measure(
    first: Scene, second: Scene, *, glacier: np.ndarray = NO_GLACIER, params: PrepareParams = PARAMS
) -> Registration:
    site_grid = grid(size=SIZE)
    return shift_of(second, reference_of([first], glacier, site_grid, params), site_grid, params)


def error_px(registration: Registration, planted: tuple[float, float]) -> float:
    assert registration.south_px is not None
    assert registration.east_px is not None
    return float(np.hypot(registration.south_px - planted[0], registration.east_px - planted[1]))


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_shift_comes_back(planted: tuple[float, float], ground: np.ndarray, make: SceneWriter) -> None:
    registration = measure(make(observed_rock(ground, 0, 0)), make(observed_rock(ground, *planted)))
    assert registration.verdict == "corrected"
    assert error_px(registration, planted) < 0.05
    assert registration.residual_px is not None
    assert registration.residual_px < 0.05


@pytest.mark.parametrize("swir", [True, False], ids=["snow index", "brightness alone"])
@pytest.mark.parametrize("planted", PLANTED[1:2])
def test_changed_snow_and_cloud_are_no_shift(
    planted: tuple[float, float], swir: bool, ground: np.ndarray, make: SceneWriter
) -> None:
    """Snow over a quarter of each scene, in other places; cloud over a part of the second; the sun has moved."""
    params = PARAMS if swir else PARAMS.model_copy(update={"bands": ["B02", "B03", "B04"]})
    cloud = patches(9, 0.1)
    hazy = np.where(cloud, 0.3 + 0.1 * fractal(SIZE, 1.5, 3), 0.7 * observed_rock(ground, *planted) + 0.02)
    first = make(observed_rock(ground, 0, 0), snow=patches(5, 0.25), swir=swir)
    second = make(hazy, snow=patches(6, 0.25), cloud=cloud, swir=swir)
    assert error_px(measure(first, second, params=params), planted) < 0.1


def test_more_snow_at_one_place_is_no_shift(ground: np.ndarray, make: SceneWriter) -> None:
    """The same patches, grown to one side by 4 px: the snow line moves, the rock does not."""
    snow = patches(5, 0.2)
    grown = snow | np.roll(snow, 4, axis=1)
    registration = measure(make(observed_rock(ground, 0, 0), snow=snow), make(observed_rock(ground, 0, 0), snow=grown))
    assert registration.verdict == "small"
    assert error_px(registration, (0, 0)) < 0.05


def test_flowing_ice_is_no_shift(ground: np.ndarray, make: SceneWriter) -> None:
    """A debris-covered glacier over 40 % of the scene flows 3 px; the outlines keep it out."""
    rock, ice = observed_rock(ground, 0, 0), patches(7, 0.4)
    debris = 0.25 + 0.05 * fractal(SIZE, 1.6, 8)
    first, second = np.where(ice, debris, rock), np.where(ice, np.roll(debris, 3, axis=0), rock)
    registration = measure(make(first), make(second), glacier=ice)
    assert registration.verdict == "small"
    assert error_px(registration, (0, 0)) < 0.05


@pytest.mark.parametrize(("planted", "verdict"), [((0.0, 0.0), "small"), ((1.6, 0.4), "too large")])
def test_small_and_large_shifts_are_left_alone(
    planted: tuple[float, float], verdict: str, ground: np.ndarray, make: SceneWriter
) -> None:
    registration = measure(make(observed_rock(ground, 0, 0)), make(observed_rock(ground, *planted)))
    assert registration.verdict == verdict
    assert error_px(registration, planted) < 0.2
    assert grid_of_scene(grid(size=SIZE), registration) == grid(size=SIZE)


def test_other_ground_has_no_shift(ground: np.ndarray, make: SceneWriter) -> None:
    registration = measure(make(observed_rock(ground, 0, 0)), make(0.2 + 0.04 * fractal(SIZE, 1.6, 2)))
    assert registration.verdict == "unknown"
    assert registration.east_px is None


@pytest.mark.parametrize("why", ["all snow", "all cloud", "no detail", "all glacier"])
def test_without_stable_terrain_nothing_is_known(why: str, ground: np.ndarray, make: SceneWriter) -> None:
    rock, everywhere = observed_rock(ground, 0, 0), np.ones((SIZE, SIZE), bool)
    flat = np.full(rock.shape, 0.2)
    second = {
        "all snow": lambda: make(rock, snow=everywhere),
        "all cloud": lambda: make(rock, cloud=everywhere),
        "no detail": lambda: make(flat, noise=0.0),
        "all glacier": lambda: make(rock),
    }[why]()
    first = make(flat, noise=0.0) if why == "no detail" else make(rock)
    registration = measure(first, second, glacier=everywhere if why == "all glacier" else NO_GLACIER)
    assert (registration.verdict, registration.tiles) == ("unknown", 0)


def test_another_date_of_the_reference_year_is_laid_on_the_first(ground: np.ndarray, make: SceneWriter) -> None:
    """Scenes of the first one's day are the reference; a later date that fills gaps is moved like any other."""
    tile, moved = observed_rock(ground, 0, 0), observed_rock(ground, 0.3, -0.4)
    first, same, later = (
        make(pixels, day=dt.date(2020, 10, day)) for pixels, day in ((tile, 1), (tile, 1), (moved, 9))
    )
    site_grid = grid(size=SIZE)
    reference = reference_of([first, same, later], NO_GLACIER, site_grid)
    assert reference.ids == (first.info.id, same.info.id)
    assert shift_of(same, reference, site_grid).verdict == "reference"
    shift = shift_of(later, reference, site_grid)
    assert shift.verdict == "corrected"
    assert error_px(shift, (0.3, -0.4)) < 0.05


def test_the_reference_is_not_moved(ground: np.ndarray, make: SceneWriter) -> None:
    first = make(observed_rock(ground, 0, 0))
    assert measure(first, first).verdict == "reference"


def test_the_grid_is_moved_and_with_it_all_bands_and_masks() -> None:
    registration = Registration(reference=["a"], verdict="corrected", south_px=0.5, east_px=-0.25)
    moved = grid_of_scene(grid(size=SIZE), registration)
    assert moved.transform @ (0.25, -0.5) == pytest.approx(grid(size=SIZE).transform @ (0, 0))
    assert moved.shape == (SIZE, SIZE)


@pytest.mark.samples
@pytest.mark.usefixtures("whole_samples")
class TestKhumbu:
    """Four real seasons of one place, one of them displaced; it takes more ground than the crops show."""

    PX = 25.0
    GRID = Grid(crs="EPSG:32645", transform=Affine(PX, 0, 479_000, 0, -PX, 3_097_000), height=200, width=220)

    @pytest.fixture
    def glacier(self, samples: Path) -> np.ndarray:
        outlines = geopandas.read_file(samples / "everest-landsat7/15_rgi60_glacier_outlines.gpkg").to_crs(32645)
        shapes = [(shape, 1) for shape in outlines.geometry]
        return rasterio.features.rasterize(shapes, out_shape=self.GRID.shape, transform=self.GRID.transform) == 1

    @staticmethod
    def season(samples: Path, folder: Path, name: str, south_px: float = 0, east_px: float = 0) -> Scene:
        with rasterio.open(samples / f"khumbu-sentinel2/s2_l2a_{name}_2024.tif") as dataset:
            shift = Affine.translation(
                east_px * TestKhumbu.PX / 98_400, -south_px * TestKhumbu.PX / 110_800  # metres a degree at 28 N
            )  # fmt: skip
            where = Grid(crs="EPSG:4326", transform=shift @ dataset.transform, height=256, width=256)
            layers = [
                Layer(name=band, pixels=dataset.read(index), grid=where, nodata=None)
                for index, band in enumerate(dataset.descriptions, start=1)
            ]
        info = SceneInfo(id=f"{name}{south_px}{east_px}", year=2024, acquired=None, product=name)
        return write_scene(folder / "data/scenes/2024", info, layers)

    def shift(self, scene: Scene, reference: Reference) -> np.ndarray:
        registration = shift_of(scene, reference, self.GRID)
        assert registration.verdict in ("small", "corrected"), registration
        assert registration.south_px is not None
        return np.array([registration.south_px, registration.east_px])

    @pytest.mark.parametrize("names", list(pairwise(SEASONS)), ids="-".join)
    def test_a_planted_shift_comes_back(
        self, names: tuple[str, str], glacier: np.ndarray, samples: Path, tmp_path: Path
    ) -> None:
        reference = reference_of([self.season(samples, tmp_path, names[0])], glacier, self.GRID)
        own = self.shift(self.season(samples, tmp_path, names[1]), reference)
        assert np.abs(own).max() < 0.25  # the seasons' own geometry
        planted = (-0.4, 0.3)
        with_planted_shift = self.shift(self.season(samples, tmp_path, names[1], *planted), reference)
        assert np.hypot(*(with_planted_shift - own - planted)) < 0.05
