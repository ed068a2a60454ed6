"""Where two maps of the same years disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stages.common.geo.raster import read_band
from stages.common.run.records import read_document, read_rows
from stages.common.tables.area import AreaRow, AreaSeries, GlacierAreaRow
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import BoolArray, Float64Array, UInt8Array
from versions.compare.mapping import Mapped
from versions.compare.tables import GlacierDifference, MetricDifference, ParamDifference, YearDifference
from versions.compare.version import Version

NEITHER, ONLY_A, ONLY_B, BOTH, UNSEEN = range(5)

SERIES, AREAS, GLACIERS = "series.json", "glacier_area_by_year.csv", "area_by_glacier.csv"


def classes(a: Mapped, b: Mapped, year: int) -> UInt8Array:
    """(H, W): `NEITHER`, `ONLY_A`, `ONLY_B`, `BOTH`, or `UNSEEN` by one of the two."""
    (ice_a, seen_a), (ice_b, seen_b) = ice_and_seen(a, year), ice_and_seen(b, year)
    found = ice_a * np.uint8(ONLY_A) + ice_b * np.uint8(ONLY_B)
    return np.where(seen_a & seen_b, found, np.uint8(UNSEEN))


def ice_and_seen(one: Mapped, year: int) -> tuple[BoolArray, BoolArray]:
    """(H, W) each: mapped ice, and what was seen."""
    mask = read_band(one.mask(year))
    seen = (read_band(one.valid(year)) == 1) & (mask != MASK_NODATA)
    return np.asarray((mask == 1) & seen), np.asarray(seen)


def year_rows(
    a: Mapped, b: Mapped, maps: Sequence[UInt8Array], aoi: BoolArray, area_km2: Float64Array
) -> list[YearDifference]:
    """A row a year; `maps` are its `classes`, `area_km2` the area of each pixel (H, W)."""
    rows_a, rows_b = (series_of(one.areas).years for one in (a, b))
    return [_year_row(*three, aoi, area_km2) for three in zip(rows_a, rows_b, maps, strict=True)]


def series_of(folder: Path) -> AreaSeries:
    """Areas with all their digits; of an old version as its tables have them, which were not rounded then."""
    if (folder / SERIES).exists():
        return read_document(folder / SERIES, AreaSeries)
    years, glaciers = read_rows(folder / AREAS, AreaRow), read_rows(folder / GLACIERS, GlacierAreaRow)
    return AreaSeries(years=years, glaciers=glaciers, glacier_trends=[])


def _year_row(a: AreaRow, b: AreaRow, found: UInt8Array, aoi: BoolArray, area_km2: Float64Array) -> YearDifference:
    km2 = np.bincount(found[aoi], weights=area_km2[aoi], minlength=5)
    return YearDifference(
        year=a.year,
        a_km2=a.glacier_area_km2, a_low_km2=a.area_low_km2, a_high_km2=a.area_high_km2,
        b_km2=b.glacier_area_km2, b_low_km2=b.area_low_km2, b_high_km2=b.area_high_km2,
        difference_km2=_rounded(b.glacier_area_km2 - a.glacier_area_km2),
        only_a_km2=_rounded(km2[ONLY_A]), only_b_km2=_rounded(km2[ONLY_B]), both_km2=_rounded(km2[BOTH]),
        unseen_km2=_rounded(km2[UNSEEN]),
    )  # fmt: skip


def dispute_fraction(rows: Sequence[YearDifference]) -> float:
    """Ice in dispute over ice in either map, all years together."""
    dispute = sum(row.dispute_km2 for row in rows)
    return dispute / whole if (whole := dispute + sum(row.both_km2 for row in rows)) else 0.0


def glacier_rows(a: Mapped, b: Mapped) -> list[GlacierDifference]:
    """A row a glacier, the largest difference first."""
    rows = [_glacier_row(ours, theirs) for ours, theirs in _by_glacier(a.areas, b.areas)]
    return sorted(rows, key=lambda row: (-abs(row.mean_difference_km2), row.rgi_id))


def _by_glacier(a: Path, b: Path) -> Iterator[tuple[list[GlacierAreaRow], list[GlacierAreaRow]]]:
    """Rows of all years of each glacier, of both versions."""
    tables = [series_of(folder).glaciers for folder in (a, b)]
    for rgi_id in dict.fromkeys(row.rgi_id for row in tables[0]):
        ours, theirs = ([row for row in table if row.rgi_id == rgi_id] for table in tables)
        yield ours, theirs


def _glacier_row(a: list[GlacierAreaRow], b: list[GlacierAreaRow]) -> GlacierDifference:
    differences = [theirs.area_km2 - ours.area_km2 for ours, theirs in zip(a, b, strict=True)]
    return GlacierDifference(
        rgi_id=a[-1].rgi_id,
        glac_name=a[-1].glac_name,
        outline_km2=a[-1].outline_area_km2,
        a_km2=a[-1].area_km2,
        b_km2=b[-1].area_km2,
        difference_km2=_rounded(differences[-1]),
        mean_difference_km2=_rounded(sum(differences) / len(differences)),
    )


def param_rows(a: Version, b: Version) -> list[ParamDifference]:
    """Parameters that differ, of the sections that both versions tell of."""
    sections = {key.split(".")[0] for key in a.params} & {key.split(".")[0] for key in b.params}
    return [
        ParamDifference(name=name, a=a.params.get(name), b=b.params.get(name))
        for name in sorted(a.params.keys() | b.params.keys())
        if name.split(".")[0] in sections and a.params.get(name) != b.params.get(name)
    ]


def metric_rows(a: Version, b: Version) -> list[MetricDifference]:
    """All numbers of both, as they were recorded."""
    rows = []
    for name in sorted(a.metrics.keys() | b.metrics.keys()):
        ours, theirs = a.metrics.get(name), b.metrics.get(name)
        difference = None if ours is None or theirs is None else theirs - ours
        rows.append(MetricDifference(name=name, a=ours, b=theirs, difference=difference))
    return rows


def _rounded(km2: float) -> float:
    """To 1e-4 km2, as the tables; never -0.0."""
    return round(float(km2), 4) + 0.0
