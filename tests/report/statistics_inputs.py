"""Statistics of an invented site: intervals from two sources, trends, fronts, lost ground, passes and drift."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json, write_table
from stages.common.tables import area as tables_area
from stages.common.tables.change import ChangeAreaRow, ChangeTrend
from stages.common.tables.drift import DriftRow
from stages.common.tables.kinds import MASK_NODATA

METHOD = "normal: 5 held-out blocks, 19 are needed for 95 %"
SNOWY = 1
"""Index of the year whose pixels have drifted."""


def with_intervals(row: tables_area.AreaRow) -> tables_area.AreaRow:
    """The row with its 95 % interval, sources and surface; a fifth of the ice lies under debris."""
    sigma = (row.area_high_km2 - row.area_low_km2) / 2
    return row.model_copy(
        update={
            "area_low95_km2": row.glacier_area_km2 - 1.96 * sigma,
            "area_high95_km2": row.glacier_area_km2 + 1.96 * sigma,
            "sigma_delineation_km2": 0.8 * sigma,
            "sigma_model_km2": 0.6 * sigma,
            "interval_method": METHOD,
            "clean_ice_km2": 0.8 * row.glacier_area_km2,
            "debris_covered_km2": 0.2 * row.glacier_area_km2,
            "surface_method": "band ratio B04 / B11 >= 2",
        }
    )


def glacier_trends(glaciers: list[tables_area.GlacierAreaRow]) -> list[tables_area.GlacierTrendRow]:
    """A trend for each glacier; the first is detectable."""
    first = [row for row in glaciers if row.year == glaciers[0].year and row.rgi_id != "unassigned"]
    return [
        tables_area.GlacierTrendRow(
            rgi_id=row.rgi_id, glac_name=row.glac_name, n_years=9, first_area_km2=row.area_km2,
            slope_km2_per_year=-0.0123 * row.area_km2 / (index + 1), slope_low_km2_per_year=-0.02 * row.area_km2,
            slope_high_km2_per_year=-0.004 * row.area_km2, slope_pct_per_year=-1.23 / (index + 1),
            minimum_detectable_km2_per_year=0.01 * row.area_km2, mann_kendall_p=0.012, p_adjusted=0.012 * (index + 1),
            detectable=index == 0,
        )
        for index, row in enumerate(first)
    ]  # fmt: skip


def fronts(years: tuple[int, ...], glaciers: list[tables_area.GlacierAreaRow], cloudy: int | None) -> list[
    tables_area.FrontRow
]:  # fmt: skip
    """Three fronts: one goes back 20 m per year, one stands, one advances; in the cloudy year the first is hidden."""
    names = {row.rgi_id: row.glac_name for row in glaciers if row.rgi_id != "unassigned"}
    rng = np.random.default_rng(3)
    rows = []
    for (rgi_id, name), rate in zip(names.items(), (20.0, 0.0, -8.0), strict=False):
        for year in years:
            hidden = year == cloudy and rate > 0
            retreat = None if hidden else float(rate * (year - years[0]) + rng.normal(0, 8) * (year != years[0]))
            rows.append(
                tables_area.FrontRow(
                    year=year, rgi_id=rgi_id, glac_name=name, flow_line="derived from DEM and outline",
                    position_m=None if retreat is None else 5000 - retreat, position_sigma_m=None if hidden else 11.0,
                    retreat_m=retreat, box_retreat_m=None if retreat is None else 0.9 * retreat,
                    box_sigma_m=None if hidden else 7.0, reason="the front was not observed" if hidden else None,
                )
            )  # fmt: skip
    return rows


def front_trends(rows: list[tables_area.FrontRow]) -> list[tables_area.FrontTrendRow]:
    trends = []
    for rgi_id in dict.fromkeys(row.rgi_id for row in rows):
        positions = [row for row in rows if row.rgi_id == rgi_id and row.retreat_m is not None]
        first, last = positions[0], positions[-1]
        rate = ((last.retreat_m or 0.0) - (first.retreat_m or 0.0)) / (last.year - first.year)
        trends.append(
            tables_area.FrontTrendRow(
                rgi_id=rgi_id, glac_name=first.glac_name, n_years=len(positions), first_year=first.year,
                last_year=last.year, retreat_m=last.retreat_m or 0.0, retreat_sigma_m=15.6,
                rate_m_per_year=rate, rate_low_m_per_year=rate - 2.5, rate_high_m_per_year=rate + 2.5,
                box_rate_m_per_year=0.9 * rate, minimum_detectable_m_per_year=4.6, mann_kendall_p=0.001,
                detectable=abs(rate) > 4.6,
            )
        )  # fmt: skip
    return trends


def change(first: np.ndarray, last: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(H, W) classes of `stages.common.tables.kinds.CHANGE_MAP`."""
    classes = np.select([first & last, first, last], [1, 2, 3], 0)
    return np.where(observed, classes, MASK_NODATA).astype(np.uint8)


def changes(
    classes: np.ndarray, owner: np.ndarray, names: dict[int, str], *, span: tuple[int, int], pixel_km2: float
) -> list[tables_area.ChangeRow]:
    """Sums by glacier; `owner` is glacier_id.tif, and what is near no outline is in 0."""
    return [
        tables_area.ChangeRow(
            from_year=span[0], year=span[1], rgi_id=names.get(index, "unassigned"),
            lost_km2=float(((classes == 2) & (owner == index)).sum() * pixel_km2),
            gained_km2=float(((classes == 3) & (owner == index)).sum() * pixel_km2),
            unchanged_km2=float(((classes == 1) & (owner == index)).sum() * pixel_km2),
            unseen_km2=float(((classes == MASK_NODATA) & (owner == index) & (index > 0)).sum() * pixel_km2),
        )
        for index in [*names, 0]
    ]  # fmt: skip


def drift(index: int, year: int, bands: list[str]) -> list[DriftRow]:
    """Little, but for one year after early snow."""
    psi = 0.45 if index == SNOWY else 0.0312
    shift = 0.81 if index == SNOWY else -0.09
    return [DriftRow(year=year, band=band, psi=psi / (1 + n / 10), mean_shift_sd=shift) for n, band in enumerate(bands)]


def seasons(year: int, area_km2: float) -> list[tables_area.SeasonRow]:
    """Two passes, the second with snow."""
    return [
        tables_area.SeasonRow(
            year=year, pass_number=number, date=date, area_km2=area_km2 + snow - 0.05, difference_km2=snow - 0.05,
            added_km2=snow, missing_km2=0.05, consensus_km2=area_km2, shared_fraction=0.97,
        )
        for number, (date, snow) in enumerate(((f"{year}-10-15", 0.1), (f"{year}-11-20", 0.81)), start=1)
    ]  # fmt: skip


def write(
    folder: Path, rows: list[tables_area.AreaRow], glaciers: list[tables_area.GlacierAreaRow], classes: np.ndarray,
    grid: Grid, changed: list[tables_area.ChangeRow], *, bands: list[str], cloudy: int | None,
) -> None:  # fmt: skip
    """Every optional table of `area` and `predict` into a site's artifacts."""
    area, years = folder / "artifacts/area", tuple(row.year for row in rows)
    write_table(area / "trend_by_glacier.csv", glacier_trends(glaciers), tables_area.GlacierTrendRow)
    followed = fronts(years, glaciers, cloudy)
    write_table(area / "terminus_by_year.csv", followed, tables_area.FrontRow)
    write_table(area / "terminus_by_glacier.csv", front_trends(followed), tables_area.FrontTrendRow)
    write_cog(area / f"change_{years[-1]}.tif", classes, grid, nodata=MASK_NODATA)
    write_table(area / "change_by_glacier.csv", changed, tables_area.ChangeRow)
    write_table(area / "seasons.csv", seasons(years[-1], rows[-1].glacier_area_km2), tables_area.SeasonRow)
    drifts = [row for index, year in enumerate(years) for row in drift(index, year, bands)]
    write_table(area / "drift_by_year.csv", drifts, DriftRow)


def write_change_product(area: Path, years: tuple[int, ...]) -> None:
    """A change product that lost 0.05 km2 a year; the year at `SNOWY` is not used."""
    snowy = years[SNOWY]
    rows = [
        ChangeAreaRow(
            year=year, date=f"{year}-10-15", change_area_km2=5 - 0.05 * index + 0.4 * (year == snowy),
            adjusted_area_km2=None if year == snowy else 5 - 0.05 * index,
            control_km2=0.9 if year == snowy else 0.1, used=year != snowy,
            reason="ice where no glacier can be: snow or cloud" if year == snowy else None,
        )
        for index, year in enumerate(years)
    ]  # fmt: skip
    trend = ChangeTrend(
        n_years=len(years) - 1, years=[year for year in years if year != snowy], excluded_years=[],
        flagged_years=[snowy], statement=f"Lost 0.4 ± 0.1 km² in the change domain; {snowy}: left out",
        domain_method="outlines and low ground", domain_km2=7.0, control_ground_km2=9.0, slope_km2_per_year=-0.05,
        slope_low_km2_per_year=-0.06, slope_high_km2_per_year=-0.04, slope_pct_per_year=-1.0, p=0.001,
        minimum_detectable_km2_per_year=0.014, detectable=True, first_area_km2=5.0, sigma_own_km2=0.03,
        sigma_season_km2=0.02, sigma_shared_km2=0.11, correlation_between_years=0.9,
    )  # fmt: skip
    write_table(area / "change_area_by_year.csv", rows, ChangeAreaRow)
    write_json(area / "change_trend.json", trend)
