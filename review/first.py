"""What is worth a look first: where the area would move most, where years disagree, where ice lies off the outlines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from stages.common.tables.area import AreaRow, GlacierAreaRow
from stages.common.tables.labels import UNASSIGNED

UNUSUAL = 1.1
"""How many times the middle sigma of all years a year's must be to be listed: usually all are alike."""

T = TypeVar("T")

LONGEST = 5
"""Most places of each kind."""


@dataclass(frozen=True)
class Place:
    """A glacier in a year, and why to look at it; without an RGI id the whole year."""

    year: int
    rgi_id: str | None
    why: str


def places(years: Sequence[AreaRow], glaciers: Sequence[GlacierAreaRow]) -> list[Place]:
    """Return what is worth a look, kind by kind, the largest of each first."""
    near = [row for row in glaciers if row.rgi_id != UNASSIGNED]
    far = [row for row in glaciers if row.rgi_id == UNASSIGNED]
    sigmas = [row.sigma_model_km2 or 0.0 for row in years]
    unsure = [(sigma, row.year) for sigma, row in zip(sigmas, years, strict=True) if sigma > UNUSUAL * median(sigmas)]
    return [
        *(
            Place(row.year, row.rgi_id, f"the area is least certain: ± {half:.2f} km² (95 %)")
            for half, row in _largest(_widest(near))
        ),
        *(
            Place(
                row.year,
                row.rgi_id,
                f"the year disagrees with those before and after it by {step:+.2f} km²".replace("-", "\N{MINUS SIGN}"),
            )
            for _, (step, row) in _largest((abs(step), (step, row)) for step, row in _steps(near))
        ),
        *(
            Place(row.year, row.rgi_id, f"{area:.2f} km² of ice are mapped far off the outlines")
            for area, row in _largest((row.area_km2, row) for row in far)
        ),
        *(
            Place(year, None, f"members and test blocks of the model agree least: ± {sigma:.2f} km² (68 %)")
            for sigma, year in _largest(unsure)
        ),
    ]


def _largest(pairs: Iterable[tuple[float, T]]) -> list[tuple[float, T]]:
    return sorted((pair for pair in pairs if pair[0] >= 0.005), key=lambda pair: -pair[0])[:LONGEST]


def _widest(rows: Iterable[GlacierAreaRow]) -> list[tuple[float, GlacierAreaRow]]:
    """Return half the 95 % interval of each glacier in the year in which it is widest."""
    widest: dict[str, tuple[float, GlacierAreaRow]] = {}
    for row in rows:
        if row.rgi_id not in widest or _half(row) > widest[row.rgi_id][0]:
            widest[row.rgi_id] = (_half(row), row)
    return list(widest.values())


def _half(row: GlacierAreaRow) -> float:
    return 0.0 if row.area_high95_km2 is None else row.area_high95_km2 - row.area_km2


def _steps(rows: Sequence[GlacierAreaRow]) -> list[tuple[float, GlacierAreaRow]]:
    """Return by how much a glacier's common area differs from the mean of the years before and after."""
    by_glacier = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.year):
        if row.common_area_km2 is not None:
            by_glacier[row.rgi_id].append((row.common_area_km2, row))
    return [
        (middle[0] - (before[0] + after[0]) / 2, middle[1])
        for series in by_glacier.values()
        for before, middle, after in zip(series, series[1:], series[2:], strict=False)
    ]
