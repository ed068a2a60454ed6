"""Errors of the measured shifts of scenes, where shifts were planted.

    GLACIER_SAMPLES=<folder> python -m bench.shifts [--demo FOLDER]

Rows: images of made-up rock; pairs of real seasons of the Khumbu, one of which is displaced; the scenes of the demo,
whose shifts the simulator chose and which `prepare` of that folder has measured.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from affine import Affine

from bench.fresh_process import ROOT
from bench.samples import samples_folder
from sandbox.shifted_ground import fine_rock, fractal, observed_rock, patches
from stages.common.geo.grid import Grid
from stages.common.geo.vectors import pixels_inside, site_grid
from stages.common.params.prepare import CoregisterParams, PrepareParams
from stages.common.params.schema import load_params
from stages.common.scene.scene import Layer, Scene, SceneInfo
from stages.common.scene.store import write_scene
from stages.common.tables.prepare import Provenance
from stages.common.types import BoolArray, Float64Array
from stages.ingest.region import Region
from stages.ingest.sources.twin.overpass import overpasses
from stages.ingest.sources.twin.source import frame_of
from stages.prepare.coregister import Reference, make_reference, measure_shift
from stages.prepare.masks import scene_masks
from stages.prepare.scene_pixels import ScenePixels

Shift = tuple[float, float]
"""Pixels to the south and east."""

PLANTED: tuple[Shift, ...] = (
    (0.1, 0.0), (0.2, -0.3), (0.5, 0.4), (-0.8, 0.2), (0.3, 0.7), (0.0, -0.6), (1.0, -0.9), (1.2, -0.7)
)  # fmt: skip
SEEDS = range(6)
NOISE = 0.003
"""Standard deviation of reflectance."""

PARAMS = PrepareParams(bands=["B02", "B03", "B04", "B11"], storage="sentinel2", coregister=CoregisterParams())
SEASONS = ("winter", "spring", "summer", "autumn")
SEASONS_PLANTED: tuple[Shift, ...] = ((0.1, 0.0), (-0.4, 0.3), (0.5, -0.5))
METRES_A_DEGREE = 110_800, 98_400
"""To the north and to the east at 28 N."""


def main() -> None:
    """Print a row for each kind of ground."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    demo = parser.parse_args().demo
    samples = samples_folder()
    print(f"{'planted':<60}  shifts  median, px  most, px")
    with tempfile.TemporaryDirectory() as scratch:
        for name, errors in (
            ("0.1 to 1.4 px, made-up rock", rock_errors(Path(scratch, "rock"), PLANTED)),
            ("the same; snow, cloud, weaker light", rock_errors(Path(scratch, "snow"), PLANTED, changed=True)),
            ("nothing; debris-covered ice moves by 3 px", rock_errors(Path(scratch, "ice"), [(0, 0)], flow_px=3)),
            ("0.1 to 0.7 px between the seasons of the Khumbu", season_errors(Path(scratch, "khumbu"), samples)),
            ("up to 0.9 px in the scenes of the demo", demo_errors(demo)),
        ):
            sizes = np.array(list(errors))
            print(f"{name:<60}  {sizes.size:>6}  {np.median(sizes):>10.3f}  {sizes.max():>8.3f}", flush=True)


def rock_errors(
    folder: Path, planted: tuple[Shift, ...] | list[Shift], *, changed: bool = False, flow_px: int = 0
) -> Iterator[float]:
    """Yield the errors of shifts of made-up rock, in pixels.

    `changed`: snow over a quarter of each image, in other places, cloud over a tenth of the second, and less light.
    `flow_px`: 40 % are debris-covered ice that moves so far; outlines keep it out.
    """
    ground = fine_rock(1)
    grid = Grid(crs="EPSG:32645", transform=Affine(10, 0, 479_000, 0, -10, 3_097_000), height=192, width=192)
    for number, (seed, (south, east)) in enumerate(itertools.product(SEEDS, planted)):
        still, moved, nowhere = (
            observed_rock(ground, 0, 0),
            observed_rock(ground, south, east),
            np.zeros((192, 192), bool),
        )
        ice = patches(seed, 0.4) if flow_px else nowhere
        debris = 0.25 + 0.05 * fractal(192, 1.6, seed + 2)
        still, moved = np.where(ice, debris, still), np.where(ice, np.roll(debris, flow_px, axis=0), moved)
        snow, cloud = (nowhere, nowhere), nowhere
        if changed:
            snow, cloud = (patches(seed, 0.25), patches(seed + 100, 0.25)), patches(seed + 200, 0.1)
            moved = np.where(cloud, 0.3 + 0.1 * fractal(192, 1.5, seed + 50), 0.7 * moved + 0.02)
        pair = folder / str(number)
        first = write_rock(pair, still, snow[0], nowhere, grid, seed=2 * number)
        second = write_rock(pair, moved, snow[1], cloud, grid, seed=2 * number + 1)
        yield error_of(second, reference_of(first, ice, grid), grid, (south, east))


def write_rock(folder: Path, rock: Float64Array, snow: BoolArray, cloud: BoolArray, grid: Grid, *, seed: int) -> Scene:
    """Store an image of rock, snow and noise as a scene."""
    random = np.random.default_rng(seed)
    layers = [Layer(name="cloud_mask", pixels=cloud.astype("uint8"), grid=grid, nodata=None)]
    for name, gain, of_snow in (("B02", 0.8, 0.8), ("B03", 0.9, 0.8), ("B04", 1.0, 0.8), ("B11", 1.3, 0.03)):
        values = np.where(snow, of_snow, gain * rock) + random.normal(0, NOISE, rock.shape)
        dn = np.rint(values * 1e4 + 1000).astype("uint16")
        layers.append(Layer(name=name, pixels=dn, grid=grid, nodata=0, scale=1e-4, offset=-0.1))
    return write_scene(folder / "scenes/2020", SceneInfo(id=f"s{seed}", year=2020, acquired=None, product="x"), layers)


def season_errors(folder: Path, samples: Path) -> Iterator[float]:
    """Yield the errors of shifts planted into one of two seasons, against what is measured without them."""
    grid = Grid(crs="EPSG:32645", transform=Affine(25, 0, 479_000, 0, -25, 3_097_000), height=200, width=220)
    outlines = geopandas.read_file(samples / "everest-landsat7/15_rgi60_glacier_outlines.gpkg").to_crs(grid.crs)
    glacier = pixels_inside(outlines.geometry, grid)
    for first, second in itertools.permutations(SEASONS, 2):
        reference = reference_of(write_season(folder, samples, first, grid), glacier, grid)
        south, east = measured(write_season(folder, samples, second, grid), reference, grid)
        for planted in SEASONS_PLANTED:
            displaced = write_season(folder, samples, second, grid, planted)
            yield error_of(displaced, reference, grid, (south + planted[0], east + planted[1]))


def write_season(folder: Path, samples: Path, season: str, grid: Grid, shift: Shift = (0.0, 0.0)) -> Scene:
    """Store a real season, displaced by pixels of `grid`, as a scene."""
    north, east = (
        grid.pixel_size_m * px / metres for px, metres in zip((-shift[0], shift[1]), METRES_A_DEGREE, strict=True)
    )
    with rasterio.open(samples / f"khumbu-sentinel2/s2_l2a_{season}_2024.tif") as dataset:
        place = Grid(
            crs="EPSG:4326", transform=Affine.translation(east, north) @ dataset.transform,
            height=dataset.height, width=dataset.width,
        )  # fmt: skip
        layers = [
            Layer(name=band, pixels=dataset.read(index), grid=place, nodata=None)
            for index, band in enumerate(dataset.descriptions, start=1)
        ]
    written = sum(1 for _ in folder.glob("scenes/2024/*/"))
    info = SceneInfo(id=f"{season}{written}", year=2024, acquired=None, product=season)
    return write_scene(folder / "scenes/2024", info, layers)


def demo_errors(demo: Path) -> Iterator[float]:
    """Yield the errors of the scenes of a simulated site, against the shifts that its simulator chose."""
    params = load_params(demo / "params.yaml")
    grid = site_grid(params.grid, demo / "data/aoi.gpkg")
    frame = frame_of(params, Region(grid=grid, aoi=None))
    chosen = {
        each.info.id: np.array(each.shift_px)
        for each in overpasses(
            frame.world, params.ingest.twin, params.years, frame.crop(0, grid), grid,
            per_year=params.ingest.choice.scenes_per_year,
        )
    }  # fmt: skip
    for year in params.years:
        text = (demo / f"artifacts/prepare/{year}/provenance.json").read_text(encoding="utf-8")
        for source in Provenance.model_validate_json(text).sources:
            shift = source.registration
            if shift and shift.south_px is not None and shift.east_px is not None:
                planted = chosen[source.id] - chosen[shift.reference[0]]
                yield float(np.hypot(shift.south_px - planted[0], shift.east_px - planted[1]))


def reference_of(scene: Scene, glacier: BoolArray, grid: Grid) -> Reference:
    """Return the reference that is made of one scene."""
    return make_reference([ScenePixels(scene, PARAMS)], glacier, grid, CoregisterParams())


def measured(scene: Scene, reference: Reference, grid: Grid) -> Shift:
    """Return the measured shift of a scene."""
    pixels = ScenePixels(scene, PARAMS)
    shift = measure_shift(pixels, scene_masks(pixels, grid, PARAMS.imagery_bands), reference, grid, CoregisterParams())
    if shift.south_px is None or shift.east_px is None:
        raise RuntimeError(f"{scene.info.id}: no shift was measured: {shift}")
    return shift.south_px, shift.east_px


def error_of(scene: Scene, reference: Reference, grid: Grid, planted: Shift) -> float:
    """Return how far the measured shift lies from the planted one, in pixels."""
    south, east = measured(scene, reference, grid)
    return float(np.hypot(south - planted[0], east - planted[1]))


if __name__ == "__main__":
    main()
