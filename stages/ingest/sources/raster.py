"""Source ``raster``: GeoTIFFs on this machine, as params.yaml lists them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from rasterio.dtypes import in_dtype_range
from rasterio.io import DatasetReader

from stages.common.errors import InputError, ParamsError
from stages.common.geo.raster import pixels_with_data
from stages.common.params.ingest import RasterSceneParams
from stages.common.params.prepare import PrepareParams
from stages.common.params.schema import Params
from stages.common.scene.scene import CLOUD_MASK, Layer, SceneInfo
from stages.common.types import AnyArray
from stages.ingest.input_files import open_georeferenced, read_window, resolve_path
from stages.ingest.region import Region, clip_window, clipped_grid, inside_aoi
from stages.ingest.season import year_of, year_start
from stages.ingest.sources.acquisition import Acquisition, scene_id
from stages.ingest.sources.band_names import WHERE, check_band_names, check_band_order

MASK_VALUES_MAX = 2
"""A mask has two values; more of them are classes, bits or probabilities, of which only some mean cloud."""


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
    for year, scene, path, name in sorted(zip(years, scenes, paths, ids, strict=True), key=lambda listed: listed[0]):
        yield _acquisition(scene, path, name, region, params.prepare, year=year)


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


def _acquisition(
    scene: RasterSceneParams, path: Path, name: str, region: Region, prepare: PrepareParams, *, year: int
) -> Acquisition:
    with open_georeferenced(path) as dataset:
        check_band_order(path, dataset, scene.bands)
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
    return Acquisition(info=info, layers=partial(_layers, scene, path, region, prepare), layer_count=count)


def _layers(scene: RasterSceneParams, path: Path, region: Region, prepare: PrepareParams) -> Iterator[Layer]:
    with open_georeferenced(path) as dataset:
        window = clip_window(path, dataset, region)
        grid = clipped_grid(dataset, window)
        over_site = inside_aoi(grid, region)
        black = over_site.copy()
        for index, name in enumerate(scene.bands, start=1):
            nodata = _nodata(scene, path, dataset, index)
            pixels = _one_nodata(read_window(path, dataset, index, window), nodata, dataset.nodatavals[index - 1])
            if name in prepare.imagery_bands:
                if not (pixels_with_data(pixels, nodata) & over_site).any():
                    raise _no_data(path, name, nodata)
                black &= (pixels == 0) & (nodata is None)
            yield Layer(
                name=name,
                pixels=pixels,
                grid=grid,
                nodata=nodata,
                scale=_stated(scene, "scale", dataset.scales[index - 1]),
                offset=_stated(scene, "offset", dataset.offsets[index - 1]),
            )
    if black.any() and prepare.storage == "sentinel2" and len(prepare.imagery_bands) > 1:
        raise _zero_in_every_band(path, int(black.sum()), int(over_site.sum()))
    if scene.cloud_mask is not None:
        yield _cloud_mask(resolve_path(scene.cloud_mask, where=f"{WHERE}.cloud_mask"), region)


def _one_nodata(pixels: AnyArray, nodata: float | None, in_file: float | None) -> AnyArray:
    """Return the pixels (H, W) with `nodata` also where the file's own nodata value stands."""
    if nodata is None or in_file is None or in_file == nodata:
        return pixels
    return np.where(pixels_with_data(pixels, in_file), pixels, np.asarray(nodata, dtype=pixels.dtype))


def _zero_in_every_band(path: Path, black: int, pixels: int) -> InputError:
    return InputError(
        "pixels are 0 in every band, and no nodata value is stated",
        where=path,
        expected="a nodata value: ground is never black in every band, pixels that an export fills are",
        found=f"{black} of {pixels} px over the AOI ({100 * black / pixels:.2g} %)",
        fix=f"add nodata: 0 in {WHERE}; if these pixels were really measured, a value that no pixel has",
    )


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
        _check_mask_values(path, np.unique(pixels[pixels_with_data(pixels, dataset.nodata)]))
        cloud = (pixels != 0).astype(rasterio.uint8)
        return Layer(name=CLOUD_MASK, pixels=cloud, grid=clipped_grid(dataset, window), nodata=None)


def _check_mask_values(path: Path, values: AnyArray) -> None:
    """Refuse a quality band in place of a mask: its snow or water would count as cloud."""
    if values.size > MASK_VALUES_MAX:
        raise InputError(
            "the cloud mask has more than two values, as a quality band has",
            where=path,
            expected="0 where the ground is seen, one other value under cloud and shadow",
            found=f"{values.size} values: {', '.join(f'{value:g}' for value in values[:8])}",
            fix='make a mask of its cloud and shadow: `gdal_calc.py -A <file> --outfile=<mask> --calc="<test>"`; test '
            "for Fmask (A==2)|(A==4), for Landsat's QA_PIXEL (A&26)>0, for Fmask of HLS (A&14)>0",
        )
