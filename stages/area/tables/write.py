"""Tables of the areas: rounded to what their uncertainty supports in CSV, whole in series.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from stages.area.site import Site
from stages.area.tables.precision import Row, full, mean, rounded
from stages.area.tables.rows import area_row, glacier_rows, truth_rows
from stages.area.trends.glacier_trend import GlacierTrends
from stages.area.year.year_area import YearArea
from stages.common.display.numbers import decimals_for
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.area import AreaRow, AreaSeries, ChangeRow, GlacierAreaRow, GlacierTrendRow, SeasonRow
from stages.common.tables.truth import TruthRow

OfGlacier = TypeVar("OfGlacier", GlacierAreaRow, ChangeRow)


def write_tables(
    out: Path, site: Site, series: Sequence[YearArea], trends: GlacierTrends, changes: Sequence[ChangeRow],
    *, model_md5: str,
) -> None:  # fmt: skip
    """Write the CSV tables and series.json into `out`."""
    years = [area_row(one, model_md5=model_md5) for one in series]
    passes = [row for one in series for row in one.season]
    glaciers = [row for one in series for row in glacier_rows(one, site.glaciers, site.outlines_km2)]
    write_table(out / "glacier_area_by_year.csv", round_years(years, series), AreaRow)
    write_table(out / "area_by_glacier.csv", round_glaciers(glaciers, site, series), GlacierAreaRow)
    write_table(out / "trend_by_glacier.csv", [round_trend(row) for row in trends.rows], GlacierTrendRow)
    write_table(out / "change_by_glacier.csv", round_glaciers(changes, site, series), ChangeRow)
    if passes:
        write_table(out / "seasons.csv", round_years(passes, series), SeasonRow)
    if truth := truth_rows(series):
        write_table(out / "truth_by_year.csv", truth, TruthRow)
    whole = AreaSeries(
        years=[full(row) for row in years],
        glaciers=[full(row) for row in glaciers],
        glacier_trends=[full(row) for row in trends.rows],
        changes=[full(row) for row in changes],
        seasons=[full(row) for row in passes],
    )
    write_json(out / "series.json", whole)


def round_years(rows: Sequence[Row], series: Sequence[YearArea]) -> list[Row]:
    """One number of decimals for all years, that of their mean sigma, so that columns line up."""
    decimals = decimals_for(mean(one.sigma_km2 for one in series))
    return [rounded(row, decimals) for row in rows]


def round_glaciers(rows: Sequence[OfGlacier], site: Site, series: Sequence[YearArea]) -> list[OfGlacier]:
    """Each glacier with the decimals of its own mean sigma: a small one is known to fewer square metres.

    Areas and their change with the same ones, so that gained less lost is the change of area but for rounding.
    """
    sigmas = zip(*(one.sigma_by_glacier_km2 for one in series), strict=True)
    decimals = {rgi_id: decimals_for(mean(known)) for rgi_id, known in zip(site.rgi_ids, sigmas, strict=True)}
    return [rounded(row, decimals[row.rgi_id]) for row in rows]


def round_trend(row: GlacierTrendRow) -> GlacierTrendRow:
    """Slopes with the decimals of what is detectable, per cent likewise, p with three digits."""
    kept: dict[str, Any] = {name: float(f"{getattr(row, name):.3g}") for name in ("mann_kendall_p", "p_adjusted")}
    if row.slope_pct_per_year is not None:
        detectable_pct = 100 * row.minimum_detectable_km2_per_year / row.first_area_km2
        kept["slope_pct_per_year"] = round(row.slope_pct_per_year, decimals_for(detectable_pct)) + 0.0
    slopes = rounded(row, decimals_for(row.minimum_detectable_km2_per_year))
    return slopes.model_copy(update=kept)
