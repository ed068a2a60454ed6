"""Outlines that lie over each other: each pixel belongs to one glacier, and the smaller outline has it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from stages.common.errors import InputError
from stages.common.types import Float64Array

COVERED_MAX = 0.5
"""Largest share of an outline that smaller ones may cover: a glacier that loses more is not mapped as itself."""

COVERED_MENTIONED = 0.01
"""Share above which the log names the outline. Divides that two people drew differ by less."""

log = logging.getLogger("ingest")


def check_overlaps(path: Path, outlines: Any) -> None:
    """Refuse outlines most of which lie under smaller ones, and name those of which a part does.

    Parameters
    ----------
    outlines
        GeoDataFrame with the column rgi_id and valid polygons, in any CRS.

    Raises
    ------
    InputError
        An outline lies under others by more than `COVERED_MAX`: it is there under two ids, or neighbours are drawn over
        each other.
    """
    shapes, ids = np.asarray(outlines.geometry), list(outlines["rgi_id"])
    covered, by = covered_shares(shapes)
    for at in np.flatnonzero(covered > COVERED_MENTIONED):
        over = ", ".join(ids[upper] for upper in by[at][:5])
        if covered[at] > COVERED_MAX:
            raise InputError(
                "an outline lies under others, so that nearly nothing would be left of its glacier",
                where=f"{path}, {ids[at]}",
                expected=f"at most {100 * COVERED_MAX:g} % of an outline under others",
                found=f"{100 * covered[at]:.1f} % of it under {over}",
                fix="remove the copy of a glacier that has two ids; draw neighbours so that they adjoin",
            )
        log.warning(
            "%s: %.1f %% of %s lies under %s, and counts as part of the latter", path, 100 * covered[at], ids[at], over
        )


def covered_shares(shapes: Any) -> tuple[Float64Array, list[list[int]]]:
    """Return the share of each polygon (N,) that lies under smaller ones, 0-1, and which these are.

    Of equal polygons the earlier lies under the later, as where they are burnt into a raster.
    """
    areas = shapely.area(shapes)
    lower, upper = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    smaller = (areas[upper] < areas[lower]) | ((areas[upper] == areas[lower]) & (upper > lower))
    by: list[list[int]] = [[] for _ in shapes]
    for at, above in zip(lower[smaller], upper[smaller], strict=True):
        if shapely.area(shapely.intersection(shapes[at], shapes[above])) > 0:
            by[at].append(int(above))
    shares = [
        shapely.area(shapely.intersection(shape, shapely.union_all(shapes[others]))) / area if others else 0.0
        for shape, area, others in zip(shapes, areas, by, strict=True)
    ]
    return np.array(shares), by
