"""What a cell reads from a catalogue: files, requests and bytes, in the steps in which `ingest` asks. Pure numbers.

How often Sentinel-2 passes and how its tiles lie are averages over places. How many requests a file takes was counted
on a server (`bench.region.catalogue`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from region.plan import Cell
from stages.common.params.ingest import SeasonParams
from stages.common.params.schema import Params
from stages.common.scene.scene import SCL
from stages.ingest.season import CALENDAR_YEAR, season_dates
from stages.ingest.sources.stac.profiles import FINEST_M
from stages.ingest.sources.stac.search import PAGE_ITEMS

SNOW_BANDS = ("B03", "B04", "B11")
"""Bands that `stages.ingest.choice.snow` looks at."""

REVISIT_DAYS = 5.0
"""Days in which the two satellites of Sentinel-2 fly all of their orbits. Until 2017 there was one."""

SWATHS_AT_EQUATOR = 290 * 143 / 40_075
"""Swaths that lie over a place on the equator: their width in km, over the spacing of the 143 orbits."""

TILE_M, TILE_STEP_M = 109_800, 100_000
"""Side of a tile of Sentinel-2, and the distance from one to the next: they overlap."""

FIRST_PAGE_REQUESTS = 2
"""The client asks for the catalogue's first page twice."""

OPEN_REQUESTS = 4
"""Before any pixel of a file: one request for a redirect, two of GDAL for the size, one for the header."""

BLOCK_PX = 1024
"""Side of the blocks of the catalogues' files: each block that a window touches is read whole."""

AT_ONCE_BYTES = 1e7
"""Of a window GDAL takes so much, and the row of blocks that goes beyond it, by one request for each row of blocks."""

LATE_ROW_REQUESTS = 3
"""Requests for each further row of blocks."""

CLASS_BYTES, BAND_BYTES = 0.1, 1.9
"""Of a pixel of the scene classification, and of a band of 16 bits, compressed; real files have 0.03 and 1.9 to 2.0."""

METRES_PER_DEGREE = 111_000.0


@dataclass(frozen=True, kw_only=True)
class Reads:
    """What is read; a sum of averages, so no whole numbers."""

    files: float
    requests: float
    """Searches and requests to files, without repetitions."""
    bytes: float

    def __add__(self, more: Reads) -> Reads:
        return Reads(
            files=self.files + more.files, requests=self.requests + more.requests, bytes=self.bytes + more.bytes
        )

    def times(self, count: float) -> Reads:
        """Return so many times as much."""
        return Reads(files=count * self.files, requests=count * self.requests, bytes=count * self.bytes)


NOTHING = Reads(files=0, requests=0, bytes=0)


def reads_of(cell: Cell, params: Params) -> Reads:
    """Return what a cell reads from a STAC catalogue.

    Each year is searched. Of every date the scene classification is read in all tiles; of the clearest dates, as many
    as ``ingest.choice.snow_looks``, the bands that tell snow; of those taken the other bands: both in the tiles that it
    takes to cover the window.
    """
    left, bottom, right, top = cell.bounds
    width_m, height_m = right - left, top - bottom
    choice, bands = params.ingest.choice, params.prepare.imagery_bands
    dates = passes(params.ingest.season, degrees_from_equator(cell))
    touched = tiles_touched(width_m) * tiles_touched(height_m)
    needed = tiles_needed(width_m) * tiles_needed(height_m)

    def layers(names: list[str], scenes: float) -> Reads:
        each = [window_reads(name, width_m / math.sqrt(needed), height_m / math.sqrt(needed)) for name in names]
        return sum(each, NOTHING).times(scenes)

    year = (
        Reads(files=0, requests=math.ceil(dates * touched / PAGE_ITEMS), bytes=0)
        + layers([SCL], dates * touched)
        + layers([name for name in bands if name in SNOW_BANDS], min(choice.snow_looks, dates) * needed)
        + layers([name for name in bands if name not in SNOW_BANDS], min(choice.scenes_per_year, dates) * needed)
    )
    return year.times(len(params.years)) + Reads(files=0, requests=FIRST_PAGE_REQUESTS, bytes=0)


def window_reads(name: str, width_m: float, height_m: float) -> Reads:
    """Return what the window of one file of a layer takes; a side meets a block more than it is long."""
    pixel_m = FINEST_M.get(name, 20)
    across, down = (side / pixel_m / BLOCK_PX + 1 for side in (width_m, height_m))
    row_bytes = across * BLOCK_PX**2 * (CLASS_BYTES if name == SCL else BAND_BYTES)
    late_rows = max(0.0, down - AT_ONCE_BYTES / row_bytes - 0.5)
    requests = OPEN_REQUESTS + (down - late_rows) + LATE_ROW_REQUESTS * late_rows
    return Reads(files=1, requests=requests, bytes=row_bytes * down)


def passes(season: SeasonParams | None, degrees: float) -> float:
    """Return how many dates of a season show a place so many degrees from the equator, on average."""
    first, last = season_dates(2001, season, CALENDAR_YEAR)
    days = (last - first).days % 365 + 1
    return days / REVISIT_DAYS * SWATHS_AT_EQUATOR / math.cos(math.radians(min(degrees, 80.0)))


def degrees_from_equator(cell: Cell) -> float:
    """Return about how far from the equator a cell lies."""
    middle = (cell.bounds[1] + cell.bounds[3]) / 2
    return (middle if cell.crs.startswith("EPSG:326") else 1e7 - middle) / METRES_PER_DEGREE


def tiles_touched(side_m: float) -> float:
    """Return how many tiles, one beside the other, have a part of a window's side, on average."""
    return (TILE_M + side_m) / TILE_STEP_M


def tiles_needed(side_m: float) -> float:
    """Return how many of them it takes to cover the side, on average."""
    return 1 + max(0.0, side_m - (TILE_M - TILE_STEP_M)) / TILE_STEP_M
