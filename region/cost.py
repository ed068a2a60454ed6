"""What a region is expected to cost: core-hours, bytes and requests, from measured rates. Pure numbers."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from region.plan import Cell
from region.reads import NOTHING, Reads, reads_of
from stages.common.params.schema import Params

LOCAL_BYTES_PER_PIXEL = 2
"""Of each band of a local file, and of its classes: 16 bits, without compression."""

HOUR_S = 3600.0

MANY_WORKERS = (10, 100, 1000)
"""For which the plan states the time, beside the workers of params.yaml."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Measured on one core: what a cell takes for itself, and for each megapixel of each scene."""

    cell_s: float
    scene_mpx_s: float
    scene_mpx_bytes: float
    """Bytes of results per megapixel of a scene."""
    measured: str
    """Where and on what."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a region is expected to cost."""

    scenes: int
    mpx: float
    """Megapixels of all scenes together."""
    cell_hours: tuple[float, ...]
    """Hours of one core that each cell takes."""
    files: float
    """Files of a catalogue that are opened; local ones are not counted."""
    requests: float
    """Requests to a catalogue and its files."""
    bytes_read: float
    bytes_written: float

    @cached_property
    def core_hours(self) -> float:
        """Hours of one core that all cells take."""
        return sum(self.cell_hours)

    def wall_hours(self, workers: int) -> float:
        """Return the hours that so many workers take: whoever is free takes the largest cell that is left."""
        busy = [0.0] * workers
        for hours in sorted(self.cell_hours, reverse=True):
            heapq.heapreplace(busy, busy[0] + hours)
        return max(busy)


def cost_of(cells: Sequence[Cell], params: Params, rates: Rates) -> Cost:
    """Return what these cells are expected to cost."""
    dates = len(params.years) * params.ingest.choice.scenes_per_year
    mpx = sum(cell.pixels for cell in cells) * dates / 1e6
    if params.ingest.source == "stac":
        reads = sum((reads_of(cell, params) for cell in cells), NOTHING)
    else:
        layers = len(params.prepare.bands) + 1  # and the classes of the scene
        reads = Reads(files=0, requests=0, bytes=mpx * 1e6 * layers * LOCAL_BYTES_PER_PIXEL)
    return Cost(
        scenes=dates * len(cells),
        mpx=mpx,
        cell_hours=tuple((rates.cell_s + rates.scene_mpx_s * cell.pixels * dates / 1e6) / HOUR_S for cell in cells),
        files=reads.files,
        requests=reads.requests,
        bytes_read=reads.bytes,
        bytes_written=rates.scene_mpx_bytes * mpx,
    )


def fitted(seconds: Sequence[float], scene_mpx: Sequence[float], written: Sequence[float], *, measured: str) -> Rates:
    """Return the rates of finished cells: seconds = cell_s + scene_mpx_s x megapixels, by least squares.

    With cells of one size alone the whole time counts as time a megapixel.
    """
    n, mean_mpx, mean_s = len(seconds), sum(scene_mpx) / len(scene_mpx), sum(seconds) / len(seconds)
    spread = sum((mpx - mean_mpx) ** 2 for mpx in scene_mpx)
    together = sum((mpx - mean_mpx) * (s - mean_s) for mpx, s in zip(scene_mpx, seconds, strict=True))
    slope = together / spread if spread > (0.01 * mean_mpx) ** 2 * n else 0.0
    base = mean_s - slope * mean_mpx
    if slope <= 0 or base < 0:
        slope, base = mean_s / mean_mpx, 0.0
    return Rates(cell_s=base, scene_mpx_s=slope, scene_mpx_bytes=sum(written) / sum(scene_mpx), measured=measured)


def lines(cells: Sequence[Cell], cost: Cost, rates: Rates, workers: int) -> list[str]:
    """Return the table of a plan as it is printed."""
    glaciers = sum(len(cell.glaciers) for cell in cells)
    largest = max(cells, key=lambda cell: cell.pixels)
    many = ", ".join(f"{cost.wall_hours(count):.3f} h with {count:,}" for count in MANY_WORKERS)
    asked = f" in about {cost.requests:,.0f} requests to {cost.files:,.0f} files" if cost.requests else ""
    rows = [
        ("cells", f"{len(cells)}, the largest {largest.name} with {largest.pixels / 1e6:.2f} Mpx"),
        ("glaciers", f"{glaciers}"),
        ("outlines", f"{sum(cell.outlines_km2 for cell in cells):.2f} km2"),
        ("scenes", f"{cost.scenes}"),
        ("pixels", f"{cost.mpx:.1f} Mpx of all scenes"),
        ("to read", f"{cost.bytes_read / 1e9:.2f} GB{asked}"),
        ("to write", f"{cost.bytes_written / 1e9:.3f} GB"),
        ("core-hours", f"{cost.core_hours:.3f} (rates: {rates.measured})"),
        ("wall time", f"{cost.wall_hours(workers):.3f} h with {workers} worker(s); {many}"),
    ]
    return [f"{name:<12}{value}" for name, value in rows]
