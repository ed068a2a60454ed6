"""Make rows and documents from the measured years, with all digits; `write` rounds them to what is supported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.area.tables.precision import mean
from stages.area.trends.fit import theil_sen
from stages.area.year.truth import TruthComparison
from stages.area.year.year_area import YearArea
from stages.common.display.numbers import EXACT_DECIMALS
from stages.common.tables.area import AreaMetrics, AreaRow, GateFinding, GlacierAreaRow, Trend
from stages.common.tables.change import ChangeMetrics
from stages.common.tables.labels import UNASSIGNED, GlacierRow
from stages.common.tables.truth import TruthMetrics, TruthRow
from stages.common.types import AnyArray, Float64Array


def area_row(year_area: YearArea, *, model_md5: str) -> AreaRow:
    """Make the row of glacier_area_by_year.csv for one year."""
    clean, debris = _surface_km2(year_area.mapped_km2, year_area.debris_km2)
    area_km2 = year_area.glacier_area_km2
    half68_km2, half95_km2 = year_area.half_width_km2(68), year_area.half_width_km2(95)
    return AreaRow(
        year=year_area.year,
        product=year_area.product,
        date=year_area.date,
        glacier_area_km2=area_km2,
        area_low_km2=max(area_km2 - half68_km2, 0.0),
        area_high_km2=area_km2 + half68_km2,
        area_low95_km2=max(area_km2 - half95_km2, 0.0),
        area_high95_km2=area_km2 + half95_km2,
        sigma_delineation_km2=year_area.sigma_delineation_km2,
        sigma_model_km2=year_area.sigma_model_km2,
        sigma_season_km2=year_area.sigma_season_km2,
        interval_method=year_area.factors.method,
        clean_ice_km2=clean,
        debris_covered_km2=debris,
        surface_method=year_area.surface_method,
        image_area_km2=year_area.of_image.glacier_area_km2,
        common_area_km2=year_area.common_km2,
        valid_fraction=round(year_area.valid_fraction, 6),
        unseen_km2=float(year_area.unseen_km2.sum()),
        scene_ids=year_area.scene_ids,
        model_md5=model_md5,
    )


def glacier_area_rows(
    year_area: YearArea, glaciers: Sequence[GlacierRow], outlines_km2: Float64Array
) -> list[GlacierAreaRow]:
    """Make the rows of area_by_glacier.csv for one year; the last is the ice near no outline.

    Parameters
    ----------
    outlines_km2
        (1 + glaciers,) area of each prior outline in the AOI.
    """
    names: list[tuple[int, str, str | None]] = [(row.glacier_index, row.rgi_id, row.glac_name) for row in glaciers]
    half68_km2, half95_km2 = year_area.half_widths_km2(68), year_area.half_widths_km2(95)
    debris = [None] * len(year_area.mapped_km2) if year_area.debris_km2 is None else year_area.debris_km2
    surfaces = [_surface_km2(whole, part) for whole, part in zip(year_area.mapped_km2, debris, strict=True)]
    return [
        GlacierAreaRow(
            year=year_area.year,
            rgi_id=rgi_id,
            glac_name=name,
            product=year_area.product,
            area_km2=float(year_area.mapped_km2[index]),
            area_low_km2=max(float(year_area.mapped_km2[index] - half68_km2[index]), 0.0),
            area_high_km2=float(year_area.mapped_km2[index] + half68_km2[index]),
            area_low95_km2=max(float(year_area.mapped_km2[index] - half95_km2[index]), 0.0),
            area_high95_km2=float(year_area.mapped_km2[index] + half95_km2[index]),
            sigma_delineation_km2=float(year_area.delineation_km2[index]),
            sigma_model_km2=_of(year_area.model.by_glacier_km2 if year_area.model else None, index),
            common_area_km2=None
            if index in year_area.rejected_glaciers
            else _of(year_area.common_by_glacier_km2, index),
            clean_ice_km2=surfaces[index][0],
            debris_covered_km2=surfaces[index][1],
            outline_area_km2=float(outlines_km2[index]),
            unseen_km2=float(year_area.unseen_km2[index]),
        )
        for index, rgi_id, name in [*names, (0, UNASSIGNED, None)]
    ]


def area_metrics(
    year_areas: Sequence[YearArea],
    trend: Trend,
    findings: Sequence[GateFinding],
    *,
    change: ChangeMetrics | None = None,
) -> AreaMetrics:
    """Make metrics/area.json; the change is that of the common area from its first to its last year."""
    first_km2 = next((year_area.common_km2 for year_area in year_areas if year_area.common_km2 is not None), 0.0)
    model = [year_area.sigma_model_km2 for year_area in year_areas if year_area.sigma_model_km2 is not None]
    return AreaMetrics(
        product=year_areas[0].product,
        n_years=len(year_areas),
        first_year=year_areas[0].year,
        last_year=year_areas[-1].year,
        first_area_km2=year_areas[0].glacier_area_km2,
        last_area_km2=year_areas[-1].glacier_area_km2,
        mean_sigma_km2=mean(year_area.sigma_km2 for year_area in year_areas),
        mean_sigma_delineation_km2=mean(year_area.sigma_delineation_km2 for year_area in year_areas),
        mean_sigma_model_km2=mean(model) if model else None,
        mean_half_width95_km2=mean(year_area.half_width_km2(95) for year_area in year_areas),
        change_pct=100 * trend.change_km2 / first_km2 if trend.change_km2 is not None and first_km2 > 0 else None,
        change_km2=trend.change_km2,
        change_sigma_km2=trend.change_sigma_km2,
        slope_km2_per_year=trend.slope_km2_per_year,
        minimum_detectable_km2_per_year=trend.minimum_detectable_km2_per_year,
        glaciers_tested=trend.glaciers_tested,
        glaciers_detectable=trend.glaciers_detectable,
        speckle_removed_km2=max(year_area.speckle_km2 for year_area in year_areas),
        area_by_year_km2={str(year_area.year): year_area.glacier_area_km2 for year_area in year_areas},
        gates_failed=sum(not finding.passed for finding in findings),
        gates_overridden=sum(finding.overridden for finding in findings),
        truth=truth_metrics(year_areas, trend),
        change=change,
    )


def _of(by_glacier: Float64Array | None, index: int) -> float | None:
    return None if by_glacier is None else float(by_glacier[index])


def truth_rows(year_areas: Sequence[YearArea]) -> list[TruthRow]:
    """Make the rows of truth_by_year.csv, rounded to a pixel; none for a real site."""
    return [
        TruthRow(
            year=year_area.year,
            product=year_area.product,
            true_area_km2=_rounded(year_area.truth.true_km2),
            mapped_area_km2=_rounded(year_area.truth.mapped_km2),
            error_km2=_rounded(year_area.truth.error_km2),
            error_pct=round(year_area.truth.error_pct, 3),
            iou=round(year_area.truth.iou, 4),
            debris_recall=_fraction(year_area.truth.debris_mapped_km2, year_area.truth.debris_km2),
            clean_recall=_fraction(year_area.truth.clean_mapped_km2, year_area.truth.clean_km2),
            image_area_km2=_rounded(year_area.image_truth.mapped_km2) if year_area.image_truth else None,
            image_iou=round(year_area.image_truth.iou, 4) if year_area.image_truth else None,
            true_debris_km2=_rounded(year_area.truth.debris_km2),
            mapped_debris_km2=None if year_area.debris_km2 is None else _rounded(float(year_area.debris_km2.sum())),
        )
        for year_area in year_areas
        if year_area.truth
    ]


def truth_metrics(year_areas: Sequence[YearArea], trend: Trend) -> TruthMetrics | None:
    """Measure how far the maps of a simulated site are from its truth; slopes are over years with a common area."""
    truths = [year_area.truth for year_area in year_areas if year_area.truth]
    if not truths:
        return None
    used = [
        (year_area.decimal_year, year_area.truth.true_common_km2)
        for year_area in year_areas
        if year_area.truth and year_area.common_km2 is not None
    ]
    slope = trend.slope_km2_per_year
    of_images = [year_area.image_truth for year_area in year_areas if year_area.image_truth]
    true_slope = None if slope is None else theil_sen([time for time, _ in used], [km2 for _, km2 in used])
    outline_km2 = sum(truth.outline_km2 + truth.true_km2 - truth.outline_both_km2 for truth in truths)
    outline_pct = [100 * abs(truth.outline_km2 - truth.true_km2) / truth.true_km2 for truth in truths if truth.true_km2]
    return TruthMetrics(
        iou=pooled_iou(truths),
        image_iou=pooled_iou(of_images) if of_images else None,
        image_mean_absolute_error_pct=mean(abs(truth.error_pct) for truth in of_images) if of_images else None,
        unchanged_outline_iou=sum(truth.outline_both_km2 for truth in truths) / outline_km2 if outline_km2 else None,
        unchanged_outline_mean_absolute_error_pct=sum(outline_pct) / len(outline_pct) if outline_pct else None,
        mean_absolute_error_pct=sum(abs(truth.error_pct) for truth in truths) / len(truths),
        true_slope_km2_per_year=true_slope,
        slope_ratio=slope / true_slope if slope is not None and true_slope else None,
    )


def pooled_iou(truths: Sequence[TruthComparison]) -> float:
    """Return the IoU over the pixels of all years; 1 where there is no ice and none was mapped."""
    either_km2 = sum(truth.either_km2 for truth in truths)
    return sum(truth.both_km2 for truth in truths) / either_km2 if either_km2 else 1.0


def _fraction(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _surface_km2(mapped_km2: AnyArray, debris_km2: AnyArray | None) -> tuple[float | None, float | None]:
    """Return clean and debris-covered ice in km2; None where the two cannot be told apart."""
    if debris_km2 is None:
        return None, None
    debris = float(np.sum(debris_km2))
    return float(np.sum(mapped_km2)) - debris, debris


def _rounded(area_km2: float) -> float:
    return round(area_km2, EXACT_DECIMALS)
