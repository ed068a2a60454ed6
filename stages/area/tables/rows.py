"""Rows and documents from the measured years, with all digits; `tables` rounds them to what is supported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.area.map.outlines import UNASSIGNED
from stages.area.tables.precision import mean
from stages.area.trends.fit import theil_sen
from stages.area.year.year_area import YearArea
from stages.common.display.numbers import EXACT_DECIMALS
from stages.common.tables.area import AreaMetrics, AreaRow, GateFinding, GlacierAreaRow, Trend, TruthMetrics
from stages.common.tables.labels import GlacierRow
from stages.common.tables.truth import TruthRow
from stages.common.types import AnyArray, Float64Array


def area_row(one: YearArea, *, model_md5: str) -> AreaRow:
    """Row of glacier_area_by_year.csv."""
    clean, debris = _surface_km2(one.mapped_km2, one.debris_km2)
    area_km2, half68_km2, half95_km2 = one.glacier_area_km2, one.half_width_km2(68), one.half_width_km2(95)
    return AreaRow(
        year=one.year,
        date=one.date,
        glacier_area_km2=area_km2,
        area_low_km2=max(area_km2 - half68_km2, 0.0),
        area_high_km2=area_km2 + half68_km2,
        area_low95_km2=max(area_km2 - half95_km2, 0.0),
        area_high95_km2=area_km2 + half95_km2,
        sigma_delineation_km2=one.sigma_delineation_km2,
        sigma_model_km2=one.sigma_model_km2,
        sigma_season_km2=one.sigma_season_km2,
        interval_method=one.factors.method,
        clean_ice_km2=clean,
        debris_covered_km2=debris,
        surface_method=one.surface_method,
        common_area_km2=one.common_km2,
        valid_fraction=round(one.valid_fraction, 6),
        unseen_km2=float(one.unseen_km2.sum()),
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
    half68_km2, half95_km2 = one.half_widths_km2(68), one.half_widths_km2(95)
    debris = [None] * len(one.mapped_km2) if one.debris_km2 is None else one.debris_km2
    surfaces = [_surface_km2(whole, part) for whole, part in zip(one.mapped_km2, debris, strict=True)]
    return [
        GlacierAreaRow(
            year=one.year,
            rgi_id=rgi_id,
            glac_name=name,
            area_km2=float(one.mapped_km2[index]),
            area_low_km2=max(float(one.mapped_km2[index] - half68_km2[index]), 0.0),
            area_high_km2=float(one.mapped_km2[index] + half68_km2[index]),
            area_low95_km2=max(float(one.mapped_km2[index] - half95_km2[index]), 0.0),
            area_high95_km2=float(one.mapped_km2[index] + half95_km2[index]),
            sigma_delineation_km2=float(one.delineation_km2[index]),
            sigma_model_km2=_of(one.model.by_glacier_km2 if one.model else None, index),
            common_area_km2=_of(one.common_by_glacier_km2, index),
            clean_ice_km2=surfaces[index][0],
            debris_covered_km2=surfaces[index][1],
            outline_area_km2=float(outlines_km2[index]),
            unseen_km2=float(one.unseen_km2[index]),
        )
        for index, rgi_id, name in [*names, (0, UNASSIGNED, None)]
    ]


def area_metrics(series: Sequence[YearArea], trend: Trend, findings: Sequence[GateFinding]) -> AreaMetrics:
    """metrics/area.json. The change is that of the common area from its first to its last year."""
    first_km2 = next((one.common_km2 for one in series if one.common_km2 is not None), 0.0)
    model = [one.sigma_model_km2 for one in series if one.sigma_model_km2 is not None]
    return AreaMetrics(
        n_years=len(series),
        first_year=series[0].year,
        last_year=series[-1].year,
        first_area_km2=series[0].glacier_area_km2,
        last_area_km2=series[-1].glacier_area_km2,
        mean_sigma_km2=mean(one.sigma_km2 for one in series),
        mean_sigma_delineation_km2=mean(one.sigma_delineation_km2 for one in series),
        mean_sigma_model_km2=mean(model) if model else None,
        mean_half_width95_km2=mean(one.half_width_km2(95) for one in series),
        change_pct=100 * trend.change_km2 / first_km2 if trend.change_km2 is not None and first_km2 > 0 else None,
        change_km2=trend.change_km2,
        change_sigma_km2=trend.change_sigma_km2,
        slope_km2_per_year=trend.slope_km2_per_year,
        minimum_detectable_km2_per_year=trend.minimum_detectable_km2_per_year,
        glaciers_tested=trend.glaciers_tested,
        glaciers_detectable=trend.glaciers_detectable,
        speckle_removed_km2=max(one.speckle_km2 for one in series),
        area_by_year_km2={str(one.year): one.glacier_area_km2 for one in series},
        gates_failed=sum(not finding.passed for finding in findings),
        gates_overridden=sum(finding.overridden for finding in findings),
        truth=truth_metrics(series, trend),
    )


def _of(by_glacier: Float64Array | None, index: int) -> float | None:
    return None if by_glacier is None else float(by_glacier[index])


def truth_rows(series: Sequence[YearArea]) -> list[TruthRow]:
    """Rows of truth_by_year.csv, to a pixel; none for a real site."""
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
            true_debris_km2=_rounded(one.truth.debris_km2),
            mapped_debris_km2=None if one.debris_km2 is None else _rounded(float(one.debris_km2.sum())),
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
    slope, either_km2 = trend.slope_km2_per_year, sum(one.either_km2 for one in compared)
    true_slope = None if slope is None else theil_sen([time for time, _ in used], [km2 for _, km2 in used])
    outline_km2 = sum(one.outline_km2 + one.true_km2 - one.outline_both_km2 for one in compared)
    outline_pct = [100 * abs(one.outline_km2 - one.true_km2) / one.true_km2 for one in compared if one.true_km2]
    return TruthMetrics(
        iou=sum(one.both_km2 for one in compared) / either_km2 if either_km2 else 1.0,  # neither has any ice
        unchanged_outline_iou=sum(one.outline_both_km2 for one in compared) / outline_km2 if outline_km2 else None,
        unchanged_outline_mean_absolute_error_pct=sum(outline_pct) / len(outline_pct) if outline_pct else None,
        mean_absolute_error_pct=sum(abs(one.error_pct) for one in compared) / len(compared),
        true_slope_km2_per_year=true_slope,
        slope_ratio=slope / true_slope if slope is not None and true_slope else None,
    )


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _surface_km2(mapped_km2: AnyArray, debris_km2: AnyArray | None) -> tuple[float | None, float | None]:
    """Clean and debris-covered ice; None where it cannot be told."""
    if debris_km2 is None:
        return None, None
    debris = float(np.sum(debris_km2))
    return float(np.sum(mapped_km2)) - debris, debris


def _rounded(area_km2: float) -> float:
    return round(area_km2, EXACT_DECIMALS)
