"""Measure how far an area is off because its boundary is drawn a little too far in or out: the buffer method."""

from __future__ import annotations

import numpy as np
from shapely.geometry.base import BaseGeometry

from stages.area.map.polygons import buffer_sigma_px, edge_pieces, reach_of, smooth_edge, trace_mask
from stages.area.site import AreaSite
from stages.common.geo.planes import Bits
from stages.common.params.area import AreaParams
from stages.common.types import AnyArray, BoolArray, Float64Array

NEIGHBOUR_STEPS = sorted(
    ((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)), key=lambda step: step[0] ** 2 + step[1] ** 2
)
"""Steps (rows, columns) from a pixel to its neighbours, the pixel itself first."""


def delineation_sigma_km2(
    site: AreaSite, ice: Bits, observed: Bits, params: AreaParams, *, clean: Bits | None = None,
    within: BaseGeometry | None = None,
) -> Float64Array:  # fmt: skip
    """Return one sigma of each glacier's area, for all boundaries misplaced the same way.

    (A(+b) - A(-b)) / 2 of the whole ice (Paul et al. 2013, 2017), shared among the glaciers by the length of their
    edges, each piece weighed by how far it is moved: half a pixel at clean ice, one pixel at debris-covered ice and
    where it is not known. A buffer moves all edges together, so the glaciers' sigmas add up to that of the whole.
    Divides between glaciers are no edges of the ice and do not count.

    Parameters
    ----------
    ice, observed
        (H, W) bool: observed ice without speckle, and observed pixels.
    clean
        (H, W) bool: ice known to be clean; None where nothing is known of any pixel.
    within
        Polygons of the observed pixels within the AOI (`trace_mask`); None: they are traced here.

    Returns
    -------
    (1 + glaciers,) km2; position 0: ice near no outline.
    """
    counted = observed & site.aoi
    buffer_px = params.boundary_buffer_px
    edge = smooth_edge(ice, observed, reach_px=reach_of(buffer_px))
    sigma_px = buffer_sigma_px(edge, trace_mask(counted[:]) if within is None else within, buffer_px=buffer_px)
    middles, lengths = edge_pieces(edge)
    rows, columns, inside = ice_pixels(middles, ice, counted)
    weight = np.full(len(rows), 1.0)
    if clean is not None:
        weight[clean.at(rows, columns)] = params.clean_boundary_buffer_px / buffer_px
    lengths = lengths[inside]
    owners = site.owner.at(rows, columns)
    moved_length = np.bincount(owners, weights=weight * lengths, minlength=1 + len(site.glaciers))
    mean_pixel_km2 = site.aoi_km2 / float(site.aoi.sum())
    return np.asarray(mean_pixel_km2 * sigma_px * moved_length / max(float(lengths.sum()), 1e-12))


def ice_pixels(middles: Float64Array, ice: Bits, counted: Bits) -> tuple[AnyArray, AnyArray, BoolArray]:
    """Find the ice pixel that each piece of an edge bounds.

    Parameters
    ----------
    middles
        (N, 2) middles of the pieces in pixel coordinates (column, row).
    ice, counted
        (H, W) bool: ice, and pixels over which areas are taken.

    Returns
    -------
    (M,) rows and (M,) columns of the ice pixels, and (N,) bool with M True values: the pieces that lie on counted
    pixels and bound ice there.
    """
    column, row = np.floor(middles).astype(np.int64).T
    inside = (row >= 0) & (row < ice.shape[0]) & (column >= 0) & (column < ice.shape[1])
    inside[inside] = counted.at(row[inside], column[inside])
    row, column = row[inside], column[inside]
    mapped, last_row, last_column = ice & counted, ice.shape[0] - 1, ice.shape[1] - 1
    has_ice = np.zeros(len(row), dtype=bool)
    on_row, on_column = row.copy(), column.copy()
    for down, right in NEIGHBOUR_STEPS:
        at_row, at_column = row + down, column + right
        within = (at_row >= 0) & (at_row <= last_row) & (at_column >= 0) & (at_column <= last_column)
        nearest = ~has_ice & within
        nearest[nearest] = mapped.at(at_row[nearest], at_column[nearest])
        on_row[nearest], on_column[nearest] = at_row[nearest], at_column[nearest]
        has_ice |= nearest
    inside[inside] = has_ice
    return on_row[has_ice], on_column[has_ice], inside
