"""How far an area is off because its boundary is drawn a little too far in or out: the buffer method, by glacier."""

from __future__ import annotations

import numpy as np

from stages.area.map.polygons import buffer_sigma_px, edge_pieces, reach_of, smooth_edge
from stages.area.site import Site
from stages.common.params.area import AreaParams
from stages.common.types import AnyArray, BoolArray, Float64Array

AROUND = sorted(((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)), key=lambda at: at[0] ** 2 + at[1] ** 2)
"""Steps to a pixel's neighbours, itself first."""


def delineation_sigma_km2(
    site: Site, ice: BoolArray, seen: BoolArray, params: AreaParams, *, clean: BoolArray | None = None
) -> Float64Array:
    """One sigma of each glacier's area, for all boundaries misplaced the same way.

    (A(+b) - A(-b)) / 2 of the whole ice (Paul et al. 2013, 2017), dealt to the glaciers by the length of their edges,
    each piece weighed by how far it is moved: half a pixel at clean ice, one at debris-covered ice and where it is
    not known. A buffer moves all edges together, so the glaciers' sigmas add up to that of the whole. Divides between
    glaciers are no edges of the ice and have no part in it.

    Parameters
    ----------
    ice, seen
        (H, W) bool; ice is seen ice, as it is counted.
    clean
        (H, W) bool: ice known to be clean; None: not known anywhere.

    Returns
    -------
    (1 + glaciers,) km2; position 0: ice near no outline.
    """
    counted = seen & site.aoi
    buffer_px = params.boundary_buffer_px
    edge = smooth_edge(ice, seen, reach_px=reach_of(buffer_px))
    sigma_px = buffer_sigma_px(edge, counted, buffer_px=buffer_px)
    middles, lengths = edge_pieces(edge)
    rows, columns, inside = ice_pixels(middles, ice, counted)
    moved = np.full(len(rows), 1.0)
    if clean is not None:
        moved[clean[rows, columns]] = params.clean_boundary_buffer_px / buffer_px
    lengths = lengths[inside]
    dealt = np.bincount(site.owner[rows, columns], weights=moved * lengths, minlength=1 + len(site.glaciers))
    mean_pixel_km2 = site.aoi_km2 / float(site.aoi.sum())
    return np.asarray(mean_pixel_km2 * sigma_px * dealt / max(float(lengths.sum()), 1e-12))


def ice_pixels(middles: Float64Array, ice: BoolArray, counted: BoolArray) -> tuple[AnyArray, AnyArray, BoolArray]:
    """The ice pixel that each piece of an edge bounds.

    Parameters
    ----------
    middles
        (N, 2) pixel coordinates (column, row).
    ice, counted
        (H, W) bool.

    Returns
    -------
    Rows and columns of the ice pixels, and (N,) bool: the piece lies on counted pixels and bounds ice there; only of
    these are the rows and columns.
    """
    column, row = np.floor(middles).astype(np.int64).T
    inside = (row >= 0) & (row < ice.shape[0]) & (column >= 0) & (column < ice.shape[1])
    inside[inside] = counted[row[inside], column[inside]]
    row, column = row[inside], column[inside]
    around = np.pad(ice & counted, 1)
    found = np.zeros(len(row), dtype=bool)
    on_row, on_column = row.copy(), column.copy()
    for down, right in AROUND:
        here = ~found & around[row + down + 1, column + right + 1]
        on_row[here], on_column[here] = row[here] + down, column[here] + right
        found |= here
    inside[inside] = found
    return on_row[found], on_column[found], inside
