"""Files that params.yaml names: their paths, and checks that they can be used."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from stages.common import settings
from stages.common.errors import InputError
from stages.common.files import require_file
from stages.common.geo.raster import open_raster
from stages.common.geo.vectors import require_vector_format
from stages.common.types import AnyArray


def resolve_path(text: str, *, where: str) -> Path:
    """Return a path of params.yaml with ``$NAME`` and ``${NAME}`` replaced by the environment variable's value.

    Relative paths are relative to the site's folder.

    Raises
    ------
    ParamsError
        The environment variable is not set.
    """
    return Path(settings.expand(text, where=where))


def open_georeferenced(path: Path) -> DatasetReader:
    """Open a raster, which must state its place on Earth on a north-up grid.

    Raises
    ------
    InputError
        The raster cannot be read, has no CRS, has a rotated, mirrored or empty transform, or marks valid pixels in a
        mask or alpha band.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = open_raster(path, pixels_max=math.inf)  # only a window of it is read
    try:
        _check_georeferencing(path, dataset)
    except InputError:
        dataset.close()
        raise
    return dataset


def _check_georeferencing(path: Path, dataset: DatasetReader) -> None:
    if dataset.crs is None:
        raise InputError(
            "the raster has no CRS",
            where=path,
            expected="a coordinate reference system",
            found="none" if not dataset.gcps[0] else "ground control points only",
            fix="if you know it: `gdal_edit.py -a_srs EPSG:<code> <file>`; with control points: gdalwarp",
        )
    across, skew, _, tilt, down, _ = tuple(dataset.transform)[:6]
    if dataset.transform.is_identity or skew or tilt or across <= 0 or down >= 0:
        raise InputError(
            "the raster is not on a north-up grid",
            where=path,
            expected="pixel width > 0, pixel height < 0, no rotation",
            found=tuple(dataset.transform)[:6],
            fix="warp it: `gdalwarp -t_srs <crs> <file> <new file>`",
        )
    kinds = {flag.name for flags in dataset.mask_flag_enums for flag in flags}
    if "per_dataset" in kinds or "alpha" in kinds:
        raise InputError(
            "the raster marks valid pixels in a mask or alpha band, which would be lost",
            where=path,
            expected="a nodata value",
            found="a mask or alpha band",
            fix="`gdalwarp -dstnodata <value> <file> <new file>`, without the alpha band",
        )


def read_window(path: Path, dataset: DatasetReader, band: int, window: Window) -> AnyArray:
    """Read the pixels of a window. A truncated file opens without an error and is noticed only here.

    Returns
    -------
    Pixels, (H, W) in the file's dtype.

    Raises
    ------
    InputError
        The pixels cannot be read.
    """
    try:
        return np.asarray(dataset.read(band, window=window))
    except RasterioIOError as error:
        raise damaged_raster(path, f"{dataset.width} x {dataset.height} px in band {band}", error) from error


def damaged_raster(path: Path, expected: str, error: RasterioIOError) -> InputError:
    """Return the error of a raster whose pixels cannot be read."""
    return InputError(
        "the raster is truncated or damaged",
        where=path,
        expected=expected,
        found=f"{path.stat().st_size} bytes; {' '.join(str(error).split())}",
        fix="copy or download it again",
    )


def read_vector(path: Path, layer: str | None) -> Any:
    """Read all features of a GeoPackage, Shapefile or GeoJSON into a GeoDataFrame.

    Raises
    ------
    InputError
        The file is absent, a Git LFS pointer, not readable, not in UTF-8, empty, or has no CRS or geometry.
    """
    import geopandas

    expected = "a GeoPackage, Shapefile or GeoJSON"
    require_file(path, what="vector file", expected=expected, fix="check the path in params.yaml")
    require_vector_format(path)
    if set(";!") & set(path.name) or "!" in str(path):  # pyogrio takes what follows for parameters, or an archive
        raise InputError(
            "a vector file cannot be read under this name",
            where=path,
            expected="a name without ';' and '!'",
            found=path.name,
            fix="rename the file, or set a link to it",
        )
    try:
        with warnings.catch_warnings():
            # GDAL warns where it reads the first of several layers; our own checks say what is wrong with it.
            warnings.simplefilter("ignore", UserWarning)
            frame = geopandas.read_file(path, layer=layer)
    except (RuntimeError, UnicodeDecodeError) as error:  # RuntimeError is the base class of all errors of pyogrio
        raise InputError(
            "the vector file is not readable",
            where=path,
            expected=expected + (f" with layer {layer}" if layer else ""),
            found=" ".join(str(error).split()),
            fix="copy or download it again; check the layer's name, and that the text is UTF-8",
        ) from error
    _check_features(path, frame)
    return frame


def _check_features(path: Path, frame: Any) -> None:
    if len(frame) == 0:
        raise InputError(
            "the vector file is empty",
            where=path,
            expected="polygons",
            found="no feature",
            fix="check the file, and which of its layers is meant",
        )
    if getattr(frame, "geometry", None) is None:
        raise InputError(
            "the vector file has no geometry",
            where=path,
            expected="polygons",
            found="a plain table",
            fix="check the file, and which of its layers is meant",
        )
    if frame.crs is None:
        raise InputError(
            "the vector file has no CRS",
            where=path,
            expected="a coordinate reference system",
            found="none (a Shapefile needs its .prj)",
            fix="restore the .prj, or `ogr2ogr -a_srs EPSG:<code> <new file> <file>`",
        )
