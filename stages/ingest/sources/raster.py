"""Source ``raster``: GeoTIFFs on this machine, as params.yaml lists them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import rasterio
from rasterio.dtypes import in_dtype_range
from rasterio.io import DatasetReader
from rasterio.windows import Window

from stages.common.errors import InputError, ParamsError
from stages.common.geo.raster import pixels_with_data
from stages.common.params.ingest import RasterSceneParams
from stages.common.params.schema import Params
from stages.common.scene.scene import CLOUD_MASK, SCL, Layer, SceneInfo
from stages.common.types import AnyArray
from stages.ingest.input_files import open_georeferenced, read_window, resolve_path
from stages.ingest.region import Region, clip_window, clipped_grid, inside_aoi
from stages.ingest.season import year_of, year_start
from stages.ingest.sources.acquisition import Acquisition, scene_id

WHERE = "ingest.raster.scenes"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""Names that a band may have: its name becomes the key of an asset and the name of a file."""

DEM_NODATA = -32768.0


def acquisitions(params: Params, region: Region) -> Iterator[Acquisition]:
    """Yield one acquisition per raster, by year and in the order listed; headers are checked here, pixels when read.

    Raises
    ------
    ParamsError, InputError
        The lists of years, bands or paths do not fit together, or a raster cannot be used.
    """
    scenes, starts = params.ingest.raster.scenes, year_start(params, region)
    years = [scene_year(scene, starts) for scene in scenes]
    check_years(years, params.years)
    check_band_names(scenes, params.prepare.imagery_bands)
    paths = [resolve_path(scene.path, where=f"{WHERE}.path") for scene in scenes]
    check_paths(paths)
    ids = unique_ids(paths)
    for scene, path, name in sorted(
        zip(scenes, paths, ids, strict=True), key=lambda listed: scene_year(listed[0], starts)
    ):
        yield _acquisition(scene, path, name, region, year=scene_year(scene, starts))


def scene_year(scene: RasterSceneParams, starts: str) -> int:
    """Return the year of the series that a scene stands for: the one given, else that of its day."""
    return year_of(scene.date, starts) if scene.year is None and scene.date else int(scene.year or 0)


def check_years(scene_years: Sequence[int], years: Sequence[int]) -> None:
    """Refuse years without a scene, and scenes of undeclared years."""
    if missing := sorted(set(years) - set(scene_years)):
        raise ParamsError(
            "a declared year has no scene",
            where=f"params.yaml: {WHERE}",
            expected=f"a scene for each of {list(years)}",
            found=f"no scene for {missing}",
            fix="add the scene, or leave the year out of years",
        )
    if stray := sorted(set(scene_years) - set(years)):
        raise ParamsError(
            "a scene is of an undeclared year",
            where=f"params.yaml: {WHERE}",
            expected=f"years {list(years)}",
            found=stray,
            fix="add the year to years, or remove the scene",
        )


def check_band_names(scenes: Sequence[RasterSceneParams], required: Sequence[str]) -> None:
    """Refuse scenes that lack a band of `prepare`, or whose bands' names cannot be file names."""
    for scene in scenes:
        where = f"params.yaml: {WHERE}, {scene.path}"
        if unfit := [name for name in scene.bands if not NAME.fullmatch(name) or name in (CLOUD_MASK, SCL)]:
            raise ParamsError(
                "a band's name cannot be used",
                where=where,
                expected=f"letters, digits, '_', '-' and '.', and not {CLOUD_MASK} or {SCL}",
                found=unfit,
                fix="rename the band, here and in prepare.bands",
            )
        if missing := [name for name in required if name not in scene.bands]:
            raise ParamsError(
                "a scene lacks a band",
                where=where,
                expected=f"prepare.bands: {list(required)}",
                found=f"{scene.bands}, without {missing}",
                fix="name the file's bands as prepare.bands does, or take the band out of prepare.bands",
            )


def check_paths(paths: Sequence[Path]) -> None:
    """Refuse a raster that is listed for two scenes."""
    doubled = sorted({str(path) for path in paths if paths.count(path) > 1})
    if doubled:
        raise ParamsError(
            "a raster is listed twice",
            where=f"params.yaml: {WHERE}",
            expected="each raster once",
            found=doubled[0],
            fix="give each scene its own file",
        )


def unique_ids(paths: Sequence[Path]) -> list[str]:
    """Return an id per raster: the file's name without its ending, numbered where another raster before has it.

    Upper and lower case count as equal, as on the file systems of macOS. Rasters that are added at the end of the list
    never change the ids before them.
    """
    ids: list[str] = []
    taken: set[str] = set()
    for path in paths:
        stem = unique = scene_id(path.stem)
        for number in itertools.count(2):
            if unique.lower() not in taken:
                break
            unique = f"{stem}-{number}"
        taken.add(unique.lower())
        ids.append(unique)
    return ids


def _acquisition(scene: RasterSceneParams, path: Path, name: str, region: Region, *, year: int) -> Acquisition:
    with open_georeferenced(path) as dataset:
        _check_band_order(path, dataset, scene.bands)
        clip_window(path, dataset, region)
    info = SceneInfo(
        id=name,
        year=year,
        acquired=scene.acquired,
        product=path.name,
        processing_level=scene.processing_level,
        processing_baseline=scene.processing_baseline,
    )
    count = len(scene.bands) + (scene.cloud_mask is not None)
    return Acquisition(info=info, layers=partial(_layers, scene, path, region), layer_count=count)


def _check_band_order(path: Path, dataset: DatasetReader, names: Sequence[str]) -> None:
    if dataset.count != len(names):
        raise InputError(
            "the raster's number of bands is not that of params.yaml",
            where=path,
            expected=f"{len(names)} bands: {list(names)}",
            found=f"{dataset.count} bands",
            fix="name every band of the file, in its order",
        )
    described = list(dataset.descriptions)
    if sorted(map(str, described)) == sorted(names) and described != list(names):
        raise InputError(
            "the raster names the same bands in another order",
            where=path,
            expected=list(names),
            found=described,
            fix="list the bands in the file's order",
        )


def _layers(scene: RasterSceneParams, path: Path, region: Region) -> Iterator[Layer]:
    with open_georeferenced(path) as dataset:
        window = clip_window(path, dataset, region)
        grid = clipped_grid(dataset, window)
        over_site = inside_aoi(grid, region)
        for index, name in enumerate(scene.bands, start=1):
            nodata = _nodata(scene, path, dataset, index)
            pixels = read_window(path, dataset, index, window)
            if not (pixels_with_data(pixels, nodata) & over_site).any():
                raise _no_data(path, name, nodata)
            yield Layer(
                name=name,
                pixels=pixels,
                grid=grid,
                nodata=nodata,
                scale=_stated(scene, "scale", dataset.scales[index - 1]),
                offset=_stated(scene, "offset", dataset.offsets[index - 1]),
            )
    if scene.cloud_mask is not None:
        yield _cloud_mask(resolve_path(scene.cloud_mask, where=f"{WHERE}.cloud_mask"), region)


def _stated(scene: RasterSceneParams, name: str, in_file: float) -> float:
    """Return what params.yaml states, else what the file states."""
    return float(getattr(scene, name) if name in scene.model_fields_set else in_file)


def _nodata(scene: RasterSceneParams, path: Path, dataset: DatasetReader, index: int) -> float | None:
    nodata, dtype = (
        scene.nodata if scene.nodata is not None else dataset.nodatavals[index - 1],
        dataset.dtypes[index - 1],
    )
    if nodata is not None and not in_dtype_range(nodata, dtype):
        raise InputError(
            "nodata is a value that the raster cannot hold",
            where=path,
            expected=f"a value of {dtype}",
            found=nodata,
            fix=f"correct {WHERE}.nodata",
        )
    return nodata


def _no_data(path: Path, band: str, nodata: float | None) -> InputError:
    return InputError(
        "the raster holds no data over the AOI",
        where=f"{path}, band {band}",
        expected="valid pixels",
        found=f"only nodata ({nodata}) or NaN",
        fix="give the scene that covers the AOI; check ingest.raster.scenes.nodata",
    )


def _cloud_mask(path: Path, region: Region) -> Layer:
    with open_georeferenced(path) as dataset:
        window = clip_window(path, dataset, region)
        pixels: AnyArray = read_window(path, dataset, 1, window)
        cloud = (pixels != 0).astype(rasterio.uint8)
        return Layer(name=CLOUD_MASK, pixels=cloud, grid=clipped_grid(dataset, window), nodata=None)


def clip_dem(path: Path, region: Region) -> Layer:
    """Return the elevation over the region, (H, W) int16 or float32 in metres, as `kinds.DEM` permits it.

    Raises
    ------
    InputError
        The raster cannot be used, or holds no elevation over the AOI.
    """
    with open_georeferenced(path) as dataset:
        window: Window = clip_window(path, dataset, region)
        pixels, nodata, grid = read_window(path, dataset, 1, window), dataset.nodata, clipped_grid(dataset, window)
    has_data = pixels_with_data(pixels, nodata)
    if not (has_data & inside_aoi(grid, region)).any():
        raise _no_data(path, "1", nodata)
    elevation_m = pixels if pixels.dtype == "int16" else pixels.astype("float32")
    elevation_m[~has_data] = DEM_NODATA
    return Layer(name="dem", pixels=elevation_m, grid=grid, nodata=DEM_NODATA)
