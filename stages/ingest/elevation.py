"""The elevation model that params.yaml names, clipped to the site."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from stages.common.errors import InputError
from stages.common.geo.raster import pixels_with_data
from stages.common.scene.scene import Layer
from stages.common.types import AnyArray, BoolArray
from stages.ingest.input_files import open_georeferenced, read_window
from stages.ingest.region import Region, clip_window, clipped_grid, inside_aoi

DEM_NODATA = -32768.0

ELEVATION_MIN_M, ELEVATION_MAX_M = -500.0, 9000.0
"""Below the shore of the Dead Sea and above Mount Everest there is no ground."""

NEIGHBOURS = np.ones((3, 3), dtype=bool)

SHORE_MAX_M = 200.0
"""The sea, at 0 m, ends at ground that is lower than this along a quarter of its shore at least; a void that is stored
as 0 ends at whatever the ground around it is."""


def clip_dem(path: Path, region: Region) -> Layer:
    """Return the elevation over the region, (H, W) int16 or float32 in metres, as `kinds.DEM` permits it.

    Raises
    ------
    InputError
        The raster cannot be used, holds no elevation over the AOI, or holds elevations that are none on Earth.
    """
    with open_georeferenced(path) as dataset:
        if dataset.count != 1:
            raise InputError(
                "the DEM has several bands",
                where=path,
                expected="one band of elevations in metres",
                found=f"{dataset.count} bands",
                fix="give the file of elevations; or take one band of it: `gdal_translate -b 1 <file> <new file>`",
            )
        window = clip_window(path, dataset, region)
        pixels, nodata, grid = read_window(path, dataset, 1, window), dataset.nodata, clipped_grid(dataset, window)
    has_data = pixels_with_data(pixels, nodata)
    _check_range(path, pixels[has_data], pixels.size)
    _check_zeros(path, pixels, has_data)
    if not (has_data & inside_aoi(grid, region)).any():
        raise InputError(
            "the raster holds no data over the AOI",
            where=path,
            expected="elevations in metres",
            found=f"only nodata ({nodata}) or NaN",
            fix="give the DEM that covers the AOI",
        )
    elevation_m = pixels if pixels.dtype == "int16" else pixels.astype("float32")
    elevation_m[~has_data] = DEM_NODATA
    return Layer(name="dem", pixels=elevation_m, grid=grid, nodata=DEM_NODATA)


def _check_range(path: Path, elevation_m: AnyArray, pixels: int) -> None:
    """Refuse elevations that are none on Earth, as a file has them whose fill value is not stated."""
    impossible = elevation_m[(elevation_m < ELEVATION_MIN_M) | (elevation_m > ELEVATION_MAX_M)]
    if impossible.size == 0:
        return
    values, counts = np.unique(impossible, return_counts=True)
    fill = f"{values[counts.argmax()]:.10g}"
    raise InputError(
        "the DEM holds elevations that are none on Earth",
        where=path,
        expected=f"metres from {ELEVATION_MIN_M:g} to {ELEVATION_MAX_M:g}; voids marked by the file's nodata value",
        found=f"{100 * impossible.size / pixels:.2g} % of the pixels around the AOI outside, most of them {fill}",
        fix=f"if {fill} marks voids: `gdal_edit.py -a_nodata {fill} <file>`, and fill them with gdal_fillnodata.py",
    )


def _check_zeros(path: Path, pixels: AnyArray, has_data: BoolArray) -> None:
    """Refuse areas at exactly 0 m amid mountains: voids that the file does not state. The sea has a shore."""
    areas, count = ndimage.label(has_data & (pixels == 0), structure=NEIGHBOURS)
    voids = [index for index, box in enumerate(ndimage.find_objects(areas), start=1)
             if _is_void(areas, index, box, pixels, has_data)]  # fmt: skip
    if not voids:
        return
    share = np.isin(areas, voids).mean()
    raise InputError(
        "the DEM is 0 m where the ground around is far higher: voids that the file does not state",
        where=path,
        expected="voids marked by the file's nodata value; 0 m at the sea alone",
        found=f"{100 * share:.2g} % of the pixels around the AOI, in {len(voids)} of {count} areas at 0 m",
        fix="`gdal_edit.py -a_nodata 0 <file>` where no sea is in it, and fill the voids with gdal_fillnodata.py",
    )


def _is_void(areas: AnyArray, index: int, box: tuple[slice, ...], pixels: AnyArray, has_data: BoolArray) -> bool:
    """Whether the pixels that border on an area at 0 m lie too high for a shore."""
    around = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    area = areas[around] == index
    border = ndimage.binary_dilation(area, structure=NEIGHBOURS) & ~area & has_data[around]
    return bool(border.any() and np.quantile(pixels[around][border], 0.25) > SHORE_MAX_M)
