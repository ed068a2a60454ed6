"""Map what was lost and gained since the first year, pixel by pixel and glacier by glacier."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stages.area.site import AreaSite
from stages.common.geo.classes import CHANGE
from stages.common.geo.planes import Bits, ByRows
from stages.common.geo.raster import write_cog
from stages.common.tables.area import ChangeRow
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.labels import UNASSIGNED
from stages.common.types import BoolArray, Rows, UInt8Array

UNCHANGED, LOST, GAINED = 1, 2, 3
"""Values of change_<year>.tif; 0: no glacier in either year, `MASK_NODATA`: not observed in one of the two."""


@dataclass(frozen=True)
class ObservedMap:
    """Map of one year, within the AOI."""

    year: int
    ice: Bits
    """(H, W): mapped ice."""
    observed: Bits
    """(H, W): pixels that were observed."""


@dataclass(kw_only=True)
class Changes:
    """Compares each year that counts with the first year that counts."""

    site: AreaSite
    out: Path
    """Folder that the maps are written to."""
    first: ObservedMap | None = None
    """Map of the first year; None before it was added."""
    rows: list[ChangeRow] = field(default_factory=list)
    """Rows of change_by_glacier.csv so far, unrounded."""

    def add(self, later: ObservedMap) -> None:
        """Write the change map of a year and collect its rows; all years are compared with the first one added."""
        if self.first is None:
            self.first = later
            return
        change = change_map(self.first, later)
        write_cog(self.out / f"change_{later.year}.tif", change, self.site.grid, nodata=MASK_NODATA, classes=CHANGE)
        self.rows += change_rows(self.site, self.first, later, change)


def change_map(first: ObservedMap, second: ObservedMap) -> ByRows:
    """Return (H, W) uint8: 0 no glacier, 1 unchanged ice, 2 lost, 3 gained.

    255 where one of the two years was not observed: a pixel that nobody saw is never a loss.
    """

    def change(rows: slice) -> UInt8Array:
        before, after = first.ice[rows], second.ice[rows]
        part = np.zeros(before.shape, dtype=np.uint8)
        part[before & after] = UNCHANGED
        part[before & ~after] = LOST
        part[~before & after] = GAINED
        part[~(first.observed[rows] & second.observed[rows])] = MASK_NODATA
        return part

    return ByRows(first.ice.shape, np.dtype(np.uint8), change)


def change_rows(site: AreaSite, first: ObservedMap, second: ObservedMap, change: Rows) -> list[ChangeRow]:
    """Return the rows of change_by_glacier.csv for one year, unrounded; the last is the ice near no outline."""

    def select(rows: slice) -> dict[str, BoolArray]:
        part = change[rows]
        unseen = (part == MASK_NODATA) & (first.ice[rows] | second.ice[rows] | site.prior[rows])
        return {"lost": part == LOST, "gained": part == GAINED, "unchanged": part == UNCHANGED, "unseen": unseen}

    km2 = site.areas_by_rows_km2(select)
    names = {row.glacier_index: (row.rgi_id, row.glac_name) for row in site.glaciers} | {0: (UNASSIGNED, None)}
    return [
        ChangeRow(
            from_year=first.year,
            year=second.year,
            rgi_id=rgi_id,
            glac_name=name,
            product="image",
            **{f"{selection}_km2": float(areas[index]) for selection, areas in km2.items()},
        )
        for index, (rgi_id, name) in names.items()
    ]
