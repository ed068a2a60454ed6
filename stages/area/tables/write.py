"""Write the tables of the areas: in CSV rounded to what their uncertainty supports, in series.json with all digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from stages.area.site import AreaSite
from stages.area.tables.precision import Row, mean, round_areas, with_all_digits
from stages.area.tables.rows import area_row, glacier_area_rows, truth_rows
from stages.area.trends.glacier_trend import GlacierTrends
from stages.area.year.year_area import YearArea
from stages.common.display.numbers import decimals_for
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.area import AreaRow, AreaSeries, ChangeRow, GlacierAreaRow, GlacierTrendRow, SeasonRow
from stages.common.tables.truth import TruthRow

PerGlacierRow = TypeVar("PerGlacierRow", GlacierAreaRow, ChangeRow)


def write_area_tables(
    out: Path, site: AreaSite, year_areas: Sequence[YearArea], trends: GlacierTrends, changes: Sequence[ChangeRow],
    *, model_md5: str,
) -> None:  # fmt: skip
    """Write the CSV tables and series.json into `out`."""
    years = [area_row(year_area, model_md5=model_md5) for year_area in year_areas]
    passes = [row for year_area in year_areas for row in year_area.season]
    glaciers = [
        row for year_area in year_areas for row in glacier_area_rows(year_area, site.glaciers, site.outlines_km2)
    ]
    write_table(out / "glacier_area_by_year.csv", round_years(years, year_areas), AreaRow)
    write_table(out / "area_by_glacier.csv", round_glaciers(glaciers, site, year_areas), GlacierAreaRow)
    write_table(out / "trend_by_glacier.csv", [round_trend(row) for row in trends.rows], GlacierTrendRow)
    write_table(out / "change_by_glacier.csv", round_glaciers(changes, site, year_areas), ChangeRow)
    if passes:
        write_table(out / "seasons.csv", round_years(passes, year_areas), SeasonRow)
    if truth := truth_rows(year_areas):
        write_table(out / "truth_by_year.csv", truth, TruthRow)
    whole = AreaSeries(
        years=[with_all_digits(row) for row in years],
        glaciers=[with_all_digits(row) for row in glaciers],
        glacier_trends=[with_all_digits(row) for row in trends.rows],
        changes=[with_all_digits(row) for row in changes],
        seasons=[with_all_digits(row) for row in passes],
    )
    write_json(out / "series.json", whole)


def round_years(rows: Sequence[Row], year_areas: Sequence[YearArea]) -> list[Row]:
    """Round all years to the decimals of their mean sigma, so that columns line up."""
    decimals = decimals_for(mean(year_area.sigma_km2 for year_area in year_areas))
    return [round_areas(row, decimals) for row in rows]


def round_glaciers(
    rows: Sequence[PerGlacierRow], site: AreaSite, year_areas: Sequence[YearArea]
) -> list[PerGlacierRow]:
    """Round each glacier to the decimals of its own mean sigma: the area of a small one is known more closely.

    Areas and their changes have the same decimals, so that gained less lost is the change of area but for rounding.
    """
    sigmas = zip(*(year_area.sigma_by_glacier_km2 for year_area in year_areas), strict=True)
    decimals = {rgi_id: decimals_for(mean(by_year)) for rgi_id, by_year in zip(site.rgi_ids, sigmas, strict=True)}
    return [round_areas(row, decimals[row.rgi_id]) for row in rows]


def round_trend(row: GlacierTrendRow) -> GlacierTrendRow:
    """Round slopes to the decimals of the detectable slope, per cent likewise, and p to three digits."""
    numbers: dict[str, Any] = {name: float(f"{getattr(row, name):.3g}") for name in ("mann_kendall_p", "p_adjusted")}
    if row.slope_pct_per_year is not None:
        detectable_pct = 100 * row.minimum_detectable_km2_per_year / row.first_area_km2
        numbers["slope_pct_per_year"] = round(row.slope_pct_per_year, decimals_for(detectable_pct)) + 0.0
    slopes = round_areas(row, decimals_for(row.minimum_detectable_km2_per_year))
    return slopes.model_copy(update=numbers)
