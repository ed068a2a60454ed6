"""Rows and documents from the measured years. Tables hold 1e-4 km2, a pixel of 10 m; metrics are unrounded."""

from __future__ import annotations

from collections.abc import Sequence

from stages.area.outlines import UNASSIGNED
from stages.area.series import YearArea
from stages.area.trend import theil_sen
from stages.common.tables import GlacierRow
from stages.common.tables_area import AreaMetrics, AreaRow, GlacierAreaRow, Trend, TruthMetrics
from stages.common.tables_truth import TruthRow
from stages.common.types import Float64Array

DECIMALS_KM2 = 4


def area_row(one: YearArea, *, model_md5: str) -> AreaRow:
    """Row of glacier_area_by_year.csv."""
    return AreaRow(
        year=one.year,
        date=one.date,
        glacier_area_km2=_rounded(one.glacier_area_km2),
        area_low_km2=_rounded(one.low_km2),
        area_high_km2=_rounded(one.high_km2),
        common_area_km2=None if one.common_km2 is None else _rounded(one.common_km2),
        valid_fraction=round(one.valid_fraction, 6),
        unseen_km2=_rounded(float(one.unseen_km2.sum())),
        scene_ids=one.scene_ids,
        model_md5=model_md5,
    )


def glacier_rows(one: YearArea, glaciers: Sequence[GlacierRow], outlines_km2: Float64Array) -> list[GlacierAreaRow]:
    """Rows of area_by_glacier.csv for one year; the last is the ice near no outline.

    Parameters
    ----------
    outlines_km2
        (1 + glaciers,) prior outline in the AOI.
    """
    names: list[tuple[int, str, str | None]] = [(row.glacier_index, row.rgi_id, row.glac_name) for row in glaciers]
    return [
        GlacierAreaRow(
            year=one.year,
            rgi_id=rgi_id,
            glac_name=name,
            area_km2=_rounded(float(one.mapped_km2[index])),
            outline_area_km2=_rounded(float(outlines_km2[index])),
            unseen_km2=_rounded(float(one.unseen_km2[index])),
        )
        for index, rgi_id, name in [*names, (0, UNASSIGNED, None)]
    ]


def area_metrics(series: Sequence[YearArea], trend: Trend, *, gates_failed: int) -> AreaMetrics:
    """metrics/area.json. The change is that of the common area from its first to its last year."""
    common = [one.common_km2 for one in series if one.common_km2 is not None]
    comparable = len(common) > 1 and common[0] > 0
    return AreaMetrics(
        n_years=len(series),
        first_year=series[0].year,
        last_year=series[-1].year,
        first_area_km2=series[0].glacier_area_km2,
        last_area_km2=series[-1].glacier_area_km2,
        mean_sigma_km2=sum(one.sigma_km2 for one in series) / len(series),
        change_pct=100 * (common[-1] - common[0]) / common[0] if comparable else None,
        slope_km2_per_year=trend.slope_km2_per_year,
        speckle_removed_km2=max(one.speckle_km2 for one in series),
        area_by_year_km2={str(one.year): one.glacier_area_km2 for one in series},
        gates_failed=gates_failed,
        truth=truth_metrics(series, trend),
    )


def truth_rows(series: Sequence[YearArea]) -> list[TruthRow]:
    """Rows of truth_by_year.csv; none for a real site."""
    return [
        TruthRow(
            year=one.year,
            true_area_km2=_rounded(one.truth.true_km2),
            mapped_area_km2=_rounded(one.truth.mapped_km2),
            error_km2=_rounded(one.truth.error_km2),
            error_pct=round(one.truth.error_pct, 3),
            iou=round(one.truth.iou, 4),
            debris_recall=_share(one.truth.debris_found_km2, one.truth.debris_km2),
            clean_recall=_share(one.truth.clean_found_km2, one.truth.clean_km2),
        )
        for one in series
        if one.truth
    ]


def truth_metrics(series: Sequence[YearArea], trend: Trend) -> TruthMetrics | None:
    """How far the maps of a simulated site are from its truth; the slope is that of the common area's years."""
    compared = [one.truth for one in series if one.truth]
    if not compared:
        return None
    used = [(one.decimal_year, one.truth.true_common_km2) for one in series if one.truth and one.common_km2 is not None]
    true_slope = theil_sen([time for time, _ in used], [km2 for _, km2 in used]) if trend.slope_km2_per_year else None
    return TruthMetrics(
        iou=sum(one.both_km2 for one in compared) / sum(one.either_km2 for one in compared),
        mean_absolute_error_pct=sum(abs(one.error_pct) for one in compared) / len(compared),
        true_slope_km2_per_year=true_slope,
        slope_ratio=trend.slope_km2_per_year / true_slope if trend.slope_km2_per_year and true_slope else None,
    )


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _rounded(area_km2: float) -> float:
    return round(area_km2, DECIMALS_KM2)
