"""The grid that all years share, and the true area of its pixels."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from affine import Affine
from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError

from stages.common.errors import ParamsError
from stages.common.types import Float64Array

SNAP_TOLERANCE_PX = 1e-6
"""Extents closer to a pixel edge than this lie on it; reprojection leaves errors of 1e-9 px."""

LATTICE_NODES = 17
"""Nodes per side at which the areal scale is computed; it varies by 1e-5 over 20 km, linearly between nodes."""


@dataclass(frozen=True)
class Grid:
    """North-up raster grid in a projected CRS with metres as unit."""

    crs: str
    """Code of the CRS, such as ``EPSG:32645``."""
    transform: Affine
    """Transform of a pixel corner (column, row) to (x, y) in metres."""
    height: int
    """Number of rows."""
    width: int
    """Number of columns."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.height, self.width

    @property
    def pixel_size_m(self) -> float:
        """Length of a pixel's edge in metres."""
        return float(self.transform.a)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top edge in metres."""
        left, top = self.transform.c, self.transform.f
        size = self.pixel_size_m
        return left, top - self.height * size, left + self.width * size, top

    def __str__(self) -> str:
        left, top = self.transform.c, self.transform.f
        size = f"{self.width} x {self.height} px of {self.pixel_size_m:.10g} m"
        return f"{self.crs}, {size}, upper left ({left:.10g}, {top:.10g})"


def parse_metric_crs(name: str, *, where: object) -> CRS:
    """Return the CRS called `name`; refuse one in which areas would be meaningless.

    Raises
    ------
    ParamsError
        Unknown CRS; degrees; a unit other than metres; or web Mercator, which inflates areas 1.36 times at 31 N.
    """
    try:
        crs = CRS.from_user_input(name)
    except CRSError as error:
        raise ParamsError(
            "the CRS is unknown",
            where=where,
            expected="a code such as EPSG:32644",
            found=name,
            fix="see epsg.io",
        ) from error
    fix = "use the UTM zone of the site, such as EPSG:32644 for 78-84 E north of the equator"
    if not crs.is_projected:
        raise ParamsError("the grid's CRS is in degrees", where=where, expected="a projected CRS", found=name, fix=fix)
    if {axis.unit_name for axis in crs.axis_info} != {"metre"}:
        raise ParamsError("the grid's CRS is not in metres", where=where, expected="metres", found=name, fix=fix)
    method = crs.coordinate_operation.method_name if crs.coordinate_operation else ""
    if method.startswith("Mercator") or "Pseudo Mercator" in method:
        raise ParamsError(
            "the grid's CRS is web Mercator, which inflates areas (1.36 times at 31 N)",
            where=where,
            expected="a CRS whose areal scale is near 1",
            found=name,
            fix=fix,
        )
    return crs


def snap_grid(
    bounds_m: tuple[float, float, float, float], *, crs: str, pixel_size_m: float, origin_m: tuple[float, float]
) -> Grid:
    """Return the grid that covers `bounds_m` (left, bottom, right, top), its corners whole pixels from `origin_m`."""

    def steps(value: float, origin: float, outwards: int) -> int:
        exact = (value - origin) / pixel_size_m
        return math.floor(exact + SNAP_TOLERANCE_PX) if outwards < 0 else math.ceil(exact - SNAP_TOLERANCE_PX)

    left, bottom, right, top = bounds_m
    first_column, last_column = steps(left, origin_m[0], -1), steps(right, origin_m[0], 1)
    first_row, last_row = steps(bottom, origin_m[1], -1), steps(top, origin_m[1], 1)
    transform = Affine(
        pixel_size_m,
        0.0,
        origin_m[0] + first_column * pixel_size_m,
        0.0,
        -pixel_size_m,
        origin_m[1] + last_row * pixel_size_m,
    )
    return Grid(crs=crs, transform=transform, height=last_row - first_row, width=last_column - first_column)


def pixel_area_km2(grid: Grid, rows: slice = slice(None)) -> Float64Array:
    """Compute the planimetric area of each pixel of `rows` on the ellipsoid.

    It is the nominal pixel area divided by the projection's areal scale (`pyproj.Proj.get_factors`), which for UTM
    differs from 1 by 0.08 % at Everest and 0.003 % at Gangotri. It is computed on a lattice, and bilinear between its
    nodes, which cover the whole grid: an area does not depend on `rows`.

    Returns
    -------
    (h, W) float64, km2
    """
    nodes, across = _areal_scale(grid)
    down = _interpolated_down(across, nodes, np.arange(0.5, grid.height)[rows])
    return np.divide(grid.pixel_size_m**2 / 1e6, down, out=down)


@functools.lru_cache(maxsize=1)
def _areal_scale(grid: Grid) -> tuple[Float64Array, Float64Array]:
    """Return the rows (N,) of the lattice and the areal scale (N, W) along them: the same for all rows of a grid."""
    nodes = np.linspace(0.5, grid.height - 0.5, LATTICE_NODES)
    columns = np.linspace(0.5, grid.width - 0.5, LATTICE_NODES)
    column, row = np.meshgrid(columns, nodes)
    x, y = grid.transform @ (column, row)
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    scale = np.asarray(Proj(grid.crs).get_factors(longitude, latitude).areal_scale)
    return nodes, np.stack([np.interp(np.arange(grid.width) + 0.5, columns, line) for line in scale])


def _interpolated_down(lines: Float64Array, nodes: Float64Array, centres: Float64Array) -> Float64Array:
    """Return (h, W) values at `centres` between `lines` (N, W), which stand at `nodes`: `np.interp` of all columns."""
    result = np.empty((len(centres), lines.shape[1]))
    starts = np.searchsorted(centres, nodes).tolist()  # first row at or below each node
    result[starts[-1] :] = lines[-1]
    for index, (first, stop) in enumerate(pairwise(starts)):
        if first < stop:
            slope = (lines[index + 1] - lines[index]) / (nodes[index + 1] - nodes[index])
            part = np.multiply.outer(centres[first:stop] - nodes[index], slope, out=result[first:stop])
            part += lines[index]
    return result
