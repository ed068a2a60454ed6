"""Where two maps of the same years disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stages.common.display.phrases import SHORT_PRODUCTS
from stages.common.errors import InputError
from stages.common.geo.raster import read_band
from stages.common.run.records import read_document, read_rows
from stages.common.tables.area import AreaRow, AreaSeries, GlacierAreaRow
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import BoolArray, Float64Array, UInt8Array
from versions.compare.mapping import MappedVersion
from versions.compare.tables import GlacierDifference, MetricDifference, ParamDifference, YearDifference
from versions.compare.version import Version

NEITHER, ONLY_A, ONLY_B, BOTH, UNSEEN = range(5)
"""Classes of a pixel: mapped as ice by no version, by A alone, by B alone, by both, or not observed by one of them."""

SERIES, AREAS, GLACIERS = "series.json", "glacier_area_by_year.csv", "area_by_glacier.csv"


OF_AREAS = (
    "area/first_area_km2", "area/last_area_km2", "area/mean_sigma_km2", "area/mean_sigma_delineation_km2",
    "area/mean_sigma_model_km2", "area/mean_half_width95_km2", "area/truth/iou", "area/truth/mean_absolute_error_pct",
)  # fmt: skip
"""Metrics of the maps that areas are of (`AreaMetrics.product`)."""

BY_YEAR = "area/area_by_year_km2/"
"""Start of the names of the others: an area a year."""

NOT_SUBTRACTED = "recorded areas, their errors and their scores against the truth are not subtracted"


def difference_classes(a: MappedVersion, b: MappedVersion, year: int) -> UInt8Array:
    """Return the class of each pixel, (H, W): `NEITHER`, `ONLY_A`, `ONLY_B`, `BOTH` or `UNSEEN`."""
    (ice_a, observed_a), (ice_b, observed_b) = ice_and_observed(a, year), ice_and_observed(b, year)
    classes = ice_a * np.uint8(ONLY_A) + ice_b * np.uint8(ONLY_B)
    return np.where(observed_a & observed_b, classes, np.uint8(UNSEEN))


def ice_and_observed(version: MappedVersion, year: int) -> tuple[BoolArray, BoolArray]:
    """Return mapped ice and observed pixels, (H, W) each."""
    mask = read_band(version.mask(year))
    observed = (read_band(version.valid(year)) == 1) & (mask != MASK_NODATA)
    return np.asarray((mask == 1) & observed), np.asarray(observed)


def year_differences(
    a: MappedVersion, b: MappedVersion, maps: Sequence[UInt8Array], aoi: BoolArray, area_km2: Float64Array
) -> list[YearDifference]:
    """Return a row per year; `maps` are its `difference_classes`, `area_km2` the area of each pixel (H, W).

    Raises
    ------
    InputError
        The areas are of two products.
    """
    rows_a, rows_b = (read_series(version.areas).years for version in (a, b))
    check_same_product(rows_a, rows_b)
    return [_year_row(*parts, aoi, area_km2) for parts in zip(rows_a, rows_b, maps, strict=True)]


def check_same_product(a: Sequence[AreaRow], b: Sequence[AreaRow]) -> None:
    """Refuse to subtract areas of two products.

    Raises
    ------
    InputError
        A year's areas are not of one product.
    """
    for row_a, row_b in zip(a, b, strict=True):
        if row_a.product != row_b.product:
            raise InputError(
                "areas of two products cannot be subtracted", where=f"the areas of {row_a.year}",
                expected="one product", found=f"A: {SHORT_PRODUCTS[row_a.product]}, B: {SHORT_PRODUCTS[row_b.product]}",
                fix="measure both with the same area.outlines",
            )  # fmt: skip


def read_series(folder: Path) -> AreaSeries:
    """Return the areas with all their digits; an old version has them in its tables, which were not rounded then."""
    if (folder / SERIES).exists():
        return read_document(folder / SERIES, AreaSeries)
    years, glaciers = read_rows(folder / AREAS, AreaRow), read_rows(folder / GLACIERS, GlacierAreaRow)
    return AreaSeries(years=years, glaciers=glaciers, glacier_trends=[])


def _year_row(a: AreaRow, b: AreaRow, classes: UInt8Array, aoi: BoolArray, area_km2: Float64Array) -> YearDifference:
    km2 = np.bincount(classes[aoi], weights=area_km2[aoi], minlength=5)
    return YearDifference(
        year=a.year,
        a_km2=a.glacier_area_km2, a_low_km2=a.area_low_km2, a_high_km2=a.area_high_km2,
        b_km2=b.glacier_area_km2, b_low_km2=b.area_low_km2, b_high_km2=b.area_high_km2,
        difference_km2=_round_km2(b.glacier_area_km2 - a.glacier_area_km2),
        only_a_km2=_round_km2(km2[ONLY_A]), only_b_km2=_round_km2(km2[ONLY_B]), both_km2=_round_km2(km2[BOTH]),
        unseen_km2=_round_km2(km2[UNSEEN]),
    )  # fmt: skip


def dispute_fraction(rows: Sequence[YearDifference]) -> float:
    """Return the ice in dispute over the ice in either map, all years together (0-1)."""
    dispute = sum(row.dispute_km2 for row in rows)
    return dispute / whole if (whole := dispute + sum(row.both_km2 for row in rows)) else 0.0


def glacier_differences(a: MappedVersion, b: MappedVersion) -> list[GlacierDifference]:
    """Return a row per glacier, the largest difference first."""
    rows = [_glacier_row(rows_a, rows_b) for rows_a, rows_b in _by_glacier(a.areas, b.areas)]
    return sorted(rows, key=lambda row: (-abs(row.mean_difference_km2), row.rgi_id))


def _by_glacier(a: Path, b: Path) -> Iterator[tuple[list[GlacierAreaRow], list[GlacierAreaRow]]]:
    """Yield the rows of all years of each glacier, of both versions."""
    tables = [read_series(folder).glaciers for folder in (a, b)]
    for rgi_id in dict.fromkeys(row.rgi_id for row in tables[0]):
        rows_a, rows_b = ([row for row in table if row.rgi_id == rgi_id] for table in tables)
        yield rows_a, rows_b


def _glacier_row(a: list[GlacierAreaRow], b: list[GlacierAreaRow]) -> GlacierDifference:
    differences = [row_b.area_km2 - row_a.area_km2 for row_a, row_b in zip(a, b, strict=True)]
    return GlacierDifference(
        rgi_id=a[-1].rgi_id,
        glac_name=a[-1].glac_name,
        outline_km2=a[-1].outline_area_km2,
        a_km2=a[-1].area_km2,
        b_km2=b[-1].area_km2,
        difference_km2=_round_km2(differences[-1]),
        mean_difference_km2=_round_km2(sum(differences) / len(differences)),
    )


def param_differences(a: Version, b: Version) -> list[ParamDifference]:
    """Return the parameters that differ, of the sections that both versions have."""
    sections = {key.split(".")[0] for key in a.params} & {key.split(".")[0] for key in b.params}
    return [
        ParamDifference(name=name, a=a.params.get(name), b=b.params.get(name))
        for name in sorted(a.params.keys() | b.params.keys())
        if name.split(".")[0] in sections and a.params.get(name) != b.params.get(name)
    ]


def metric_differences(a: Version, b: Version) -> list[MetricDifference]:
    """Return all metrics of both, as they were recorded; areas of two products are not subtracted."""
    mixed = a.area_product != b.area_product
    rows = []
    for name in sorted(a.metrics.keys() | b.metrics.keys()):
        value_a, value_b = a.metrics.get(name), b.metrics.get(name)
        difference = None if value_a is None or value_b is None else value_b - value_a
        if mixed and is_of_areas(name):
            difference = None
        rows.append(MetricDifference(name=name, a=value_a, b=value_b, difference=difference))
    return rows


def is_of_areas(metric: str) -> bool:
    """Return whether a metric is of the maps that areas are of."""
    return metric in OF_AREAS or metric.startswith(BY_YEAR)


def mixed_products(a: str | None, b: str | None) -> str:
    """Say that the recorded areas of two versions are not of one product; empty where they are, or nothing is known."""
    if a == b:
        return ""
    of_a, of_b = (SHORT_PRODUCTS[product] if product else "product not stated" for product in (a, b))
    return f"A: {of_a}, B: {of_b}; {NOT_SUBTRACTED}"


def _round_km2(km2: float) -> float:
    """Round to 1e-4 km2, as the tables; never -0.0."""
    return round(float(km2), 4) + 0.0
