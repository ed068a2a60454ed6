"""The year's other maps: those of an ensemble's members, and those of the passes of a season.

Each training maps another trend, and each day of a season another area. No series of the years' own maps shows the
first, and a short one shows the second badly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from stages.area import contract
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import open_raster, refuse_unreadable
from stages.common.geo.rows import strips
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.learning import MapModel
from stages.common.types import BoolArray


@dataclass(frozen=True)
class PassMap:
    """The map of one pass of a year."""

    ice: Bits
    """(H, W): mapped glacier."""
    seen: Bits
    """(H, W): pixels that the pass observed."""


def member_maps(run: Run, year: int, observed: Bits) -> Iterator[Bits]:
    """Yield the (H, W) ice that each member of an ensemble maps, where it is `observed`; nothing for a single model."""
    model = read_document(run.by_year(contract.MAP_MODEL)[year], MapModel)
    if model.members == 1:
        return
    votes = Plane.of_band(run.out, run.by_year(contract.VOTES)[year])
    for member in range(model.members):

        def strip(rows: slice, bit: int = 1 << member) -> BoolArray:
            return np.asarray(observed[rows] & (votes[rows] & bit > 0))

        yield Bits.by_rows(observed.shape, strip)


def pass_maps(run: Run, year: int, observed: Bits) -> list[PassMap]:
    """Return the maps of a year's passes, where the year itself is `observed`; none where it has one pass."""
    path = run.by_year(contract.PASS_MASKS)[year]
    if not path.is_file():
        return []
    maps = []
    with open_raster(path) as dataset, refuse_unreadable(path):
        for number in dataset.indexes:
            ice, seen = Bits(dataset.shape), Bits(dataset.shape)
            for rows in strips(dataset.height):
                mask = dataset.read(number, window=Window(0, rows.start, dataset.width, rows.stop - rows.start))
                ice[rows], seen[rows] = observed[rows] & (mask == 1), observed[rows] & (mask != MASK_NODATA)
            maps.append(PassMap(ice, seen))
    return maps
