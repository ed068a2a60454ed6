"""The stage's verb: a year's acquisitions onto the one grid, harmonised, with what was seen and where it is from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from tqdm import tqdm

from stages.common.grid import Grid
from stages.common.harmonise import calibration_of
from stages.common.outputs import write_json
from stages.common.params import PrepareParams
from stages.common.raster import finish_cog, gdal_env, grid_of, known_pixels, open_raster, profile, write_cog
from stages.common.scenes import Scene, read_scenes
from stages.common.stage import Run
from stages.common.tables import Provenance, SceneSource
from stages.common.types import AnyArray, BoolArray, Float32Array
from stages.common.vectors import site_grid
from stages.prepare.masks import cloud_on_grid
from stages.prepare.radiometry import (
    STORAGE,
    check_clipped,
    check_storage,
    encode,
    to_physical,
)
from stages.prepare.warp import bilinear, nearest

FRACTION_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Which acquisition fills which pixel."""

    owner: AnyArray
    """(H, W) int16: position of the acquisition that is seen there, -1 where none is."""
    cloud: BoolArray
    """(H, W) bool: some acquisition has data there, but all that do are cloudy."""

    @property
    def seen(self) -> BoolArray:
        """(H, W) bool."""
        return self.owner >= 0


def prepare(run: Run) -> None:
    """Write scene.tif, valid.tif and provenance.json of one year."""
    params = run.params.prepare
    with gdal_env():
        grid = site_grid(run.params.grid, run.path("data/aoi.gpkg"))
        scenes = read_scenes(run.path("data/scenes/{year}/index.json").parent)
        for scene in scenes:
            check_storage(scene, params.bands, params.storage)
        mosaic = lay_out(scenes, grid, params)
        clipped = write_scene_cog(run.out / "scene.tif", scenes, mosaic, grid, params)
        write_cog(run.out / "valid.tif", mosaic.seen.astype(np.uint8), grid, nodata=None)
    check_clipped(clipped, int(mosaic.seen.sum()) * len(params.bands), scene_ids=", ".join(s.info.id for s in scenes))
    provenance = provenance_of(scenes, mosaic, grid, params, year=int(run.year or 0), clipped=clipped)
    write_json(run.out / "provenance.json", provenance)
    run.log.info(
        "%s; %.1f %% seen, %.1f %% cloud", grid, 100 * provenance.valid_fraction, 100 * provenance.cloud_fraction
    )
    if clipped:
        run.log.warning("%d values lie beyond what the storage holds and were clipped", clipped)


def lay_out(scenes: Sequence[Scene], grid: Grid, params: PrepareParams) -> Mosaic:
    """Give each pixel to the first acquisition, in the index's order, that has data and no cloud there."""
    owner = np.full(grid.shape, -1, dtype=np.int16)
    covered = np.zeros(grid.shape, dtype=bool)
    for position, scene in enumerate(scenes):
        known = _known_on_grid(scene, grid, params)
        covered |= known
        owner[known & (owner < 0) & ~cloud_on_grid(scene, grid)] = position
    return Mosaic(owner=owner, cloud=covered & (owner < 0))


def _known_on_grid(scene: Scene, grid: Grid, params: PrepareParams) -> BoolArray:
    """(H, W) bool: every band has data."""
    known = np.ones(grid.shape, dtype=bool)
    for name in params.bands:
        on_source, source = _known(scene, name, params)
        known &= nearest(on_source.astype(np.uint8), source, grid, outside=0) == 1
    return known


def _known(scene: Scene, name: str, params: PrepareParams) -> tuple[BoolArray, Grid]:
    """Where a band has data, on its own grid.

    In 8-bit RGB a dark pixel may be 0, the usual nodata, in one band and still be real: there a pixel is unknown
    only where all bands are nodata (GDAL's UNIFIED_SRC_NODATA).
    """
    names = params.bands if params.storage == "rgb8" else [name]
    dn, source = _read(scene, names[0])
    known = known_pixels(dn, scene.bands[names[0]].nodata)
    for other in names[1:]:
        known |= known_pixels(_read(scene, other)[0], scene.bands[other].nodata)
    return known, source


def _read(scene: Scene, name: str) -> tuple[AnyArray, Grid]:
    with open_raster(scene.bands[name].path) as dataset:
        return np.asarray(dataset.read(1)), grid_of(dataset)


def write_scene_cog(path: Path, scenes: Sequence[Scene], mosaic: Mosaic, grid: Grid, params: PrepareParams) -> int:
    """Write scene.tif, one band in memory at a time; return the number of clipped values."""
    how, count, clipped = STORAGE[params.storage], len(params.bands), 0
    plain = path.with_suffix(".plain.tif")
    layout = profile(grid, count=count, dtype=how.dtype, nodata=how.nodata) | {"interleave": "band"}
    with rasterio.open(plain, "w", **layout) as out:
        for index, name in enumerate(tqdm(params.bands, unit="band", disable=None), start=1):
            pixels, beyond = encode(_merge(scenes, name, mosaic, grid, params), mosaic.seen, params.storage)
            out.write(pixels, index)
            out.set_band_description(index, name)
            clipped += beyond
        if (how.scale, how.offset) != (1.0, 0.0):
            out.scales, out.offsets = [how.scale] * count, [how.offset] * count
    finish_cog(plain, path, continuous=True)
    return clipped


def _merge(scenes: Sequence[Scene], name: str, mosaic: Mosaic, grid: Grid, params: PrepareParams) -> Float32Array:
    """(H, W) float32: a band of each acquisition where it is the owner; NaN elsewhere."""
    merged = np.full(grid.shape, np.nan, dtype=np.float32)
    for position, scene in enumerate(scenes):
        known, source = _known(scene, name, params)
        values = bilinear(to_physical(_read(scene, name)[0], known, calibration_of(scene, name)), source, grid)
        np.copyto(merged, values, where=mosaic.owner == position)
    return merged


def provenance_of(
    scenes: Sequence[Scene], mosaic: Mosaic, grid: Grid, params: PrepareParams, *, year: int, clipped: int
) -> Provenance:
    """Where the year's pixels come from. Fractions are of the grid; the date is that of the largest part."""
    filled = [float((mosaic.owner == position).mean()) for position in range(len(scenes))]
    main = scenes[int(np.argmax(filled))]
    seen, cloud = _share(mosaic.seen), _share(mosaic.cloud)
    return Provenance(
        year=year,
        date=_iso(main),
        storage=params.storage,
        bands=params.bands,
        grid=str(grid),
        sources=list(_sources(scenes, filled, params.bands[0])),
        valid_fraction=seen,
        outside_fraction=_share(~mosaic.seen & ~mosaic.cloud),
        cloud_fraction=cloud,
        clipped_pixels=clipped,
    )


def _sources(scenes: Sequence[Scene], filled: Sequence[float], first_band: str) -> Iterator[SceneSource]:
    for scene, share in zip(scenes, filled, strict=True):
        info, calibration = scene.info, calibration_of(scene, first_band)
        yield SceneSource(
            id=info.id,
            date=_iso(scene),
            product=info.product,
            platform=info.platform,
            processing_level=info.processing_level,
            processing_baseline=info.processing_baseline,
            relative_orbit=info.relative_orbit,
            tile=info.tile,
            sun_elevation_deg=info.sun_elevation_deg,
            sun_azimuth_deg=info.sun_azimuth_deg,
            scale=calibration.scale,
            offset=calibration.offset,
            filled_fraction=round(share, FRACTION_DECIMALS),
        )


def _iso(scene: Scene) -> str | None:
    return scene.info.day.isoformat() if scene.info.day else None


def _share(mask: BoolArray) -> float:
    return round(float(mask.mean()), FRACTION_DECIMALS)
