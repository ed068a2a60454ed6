"""What was lost and gained since the first year, pixel by pixel and glacier by glacier."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stages.area.map.outlines import UNASSIGNED
from stages.area.site import Site
from stages.common.geo.raster import write_cog
from stages.common.tables.area import ChangeRow
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import BoolArray, UInt8Array

UNCHANGED, LOST, GAINED = 1, 2, 3
"""Values of change_<year>.tif; 0 is no glacier in either year."""


@dataclass(frozen=True)
class SeenMap:
    """A year's map: ice, and what was seen, (H, W) within the AOI."""

    year: int
    ice: BoolArray
    seen: BoolArray


@dataclass(kw_only=True)
class Changes:
    """Compares each year that counts with the first one that does."""

    site: Site
    out: Path
    """Folder that the maps are written to."""
    first: SeenMap | None = None
    rows: list[ChangeRow] = field(default_factory=list)

    def add(self, one: SeenMap) -> None:
        """Write a year's change map and keep its rows; the first year is what the others are held against."""
        if self.first is None:
            self.first = one
            return
        change = change_map(self.first, one)
        write_cog(self.out / f"change_{one.year}.tif", change, self.site.grid, nodata=MASK_NODATA)
        self.rows += change_rows(self.site, self.first, one, change)


def change_map(first: SeenMap, second: SeenMap) -> UInt8Array:
    """(H, W) uint8: 0 no glacier, 1 unchanged ice, 2 lost, 3 gained, 255 not seen in one of the two: never a loss."""
    change = np.zeros(first.ice.shape, dtype=np.uint8)
    change[first.ice & second.ice] = UNCHANGED
    change[first.ice & ~second.ice] = LOST
    change[~first.ice & second.ice] = GAINED
    change[~(first.seen & second.seen)] = MASK_NODATA
    return change


def change_rows(site: Site, first: SeenMap, second: SeenMap, change: UInt8Array) -> list[ChangeRow]:
    """Rows of change_by_glacier.csv for one year, unrounded; the last is the ice near no outline."""
    km2 = site.areas_km2(
        lost=change == LOST, gained=change == GAINED, unchanged=change == UNCHANGED,
        unseen=(change == MASK_NODATA) & (first.ice | second.ice | site.prior),
    )  # fmt: skip
    names = {row.glacier_index: (row.rgi_id, row.glac_name) for row in site.glaciers} | {0: (UNASSIGNED, None)}
    return [
        ChangeRow(
            from_year=first.year,
            year=second.year,
            rgi_id=rgi_id,
            glac_name=name,
            **{f"{what}_km2": float(areas[index]) for what, areas in km2.items()},
        )
        for index, (rgi_id, name) in names.items()
    ]
