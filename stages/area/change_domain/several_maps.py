"""The year's other maps: those of an ensemble's members, and those of the passes of a season.

Each training maps another trend, and each day of a season another area. No series of the years' own maps shows the
first, and a short one shows the second badly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stages.area import contract
from stages.area.site import pixels_of
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import open_raster
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
    with open_raster(path) as dataset:
        bands = dataset.indexes
    maps = [pixels_of(path, 1, MASK_NODATA, band=band) for band in bands]
    return [PassMap(ice & observed, observed & ~unknown) for ice, unknown in maps]
