"""Regional totals by year, and their trend. Pure numbers.

The errors of two cells are not independent: one model maps all of them, and what it gets wrong in one it gets wrong in
the others. So the errors of cells are added, and never divided by the root of their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated

from pydantic import Field

from stages.area.error import fused_error
from stages.area.error.interval import Factors, half_width
from stages.area.trends.fit import YEARS_FOR_A_TREND, fit_trend
from stages.common.display.change_words import AREA, Rate, sentence
from stages.common.display.phrases import products_of
from stages.common.tables.base import ImageProduct, NotNegative, Record

GLACIERS_TOGETHER = {"outlines": math.sqrt(fused_error.ALIKE_WHOLE_KM2 / fused_error.ALIKE_GLACIER_KM2), "image": 1.0}
"""The model's error of a cell over that of independent glaciers, by product: as `area` has it for a site."""


class GlacierYear(Record):
    """One glacier in one year."""

    rgi_id: str
    glac_name: str | None = None
    cell: str
    year: int
    date: str | None = None
    area_km2: NotNegative
    area_low_km2: NotNegative | None = None
    area_high_km2: NotNegative | None = None
    area_low95_km2: NotNegative | None = None
    area_high95_km2: NotNegative | None = None
    sigma_delineation_km2: NotNegative | None = None
    sigma_model_km2: NotNegative | None = None
    common_area_km2: NotNegative | None = None
    outline_area_km2: NotNegative
    unseen_km2: NotNegative
    model_md5: str
    product: Annotated[str, Field(description="'outlines': image and inventory together; 'image': the image alone")]
    flags: Annotated[str, Field(description="failed gates of the glacier's cell, joined by ;")] = ""


class Total(Record):
    """All glaciers of a region in one year: a row of totals.csv."""

    year: int
    glaciers: int
    area_km2: NotNegative
    area_low_km2: Annotated[NotNegative, Field(description="68 % interval")]
    area_high_km2: NotNegative
    area_low95_km2: Annotated[NotNegative, Field(description="95 % interval")]
    area_high95_km2: NotNegative
    sigma_delineation_km2: Annotated[NotNegative, Field(description="all edges are moved together: a sum")]
    sigma_model_km2: Annotated[NotNegative, Field(description="of a cell as on a site; a sum over cells")]
    unseen_km2: NotNegative
    common_area_km2: Annotated[
        NotNegative | None, Field(description="by the images alone; null: a cell leaves the year out")
    ] = None
    product: Annotated[str, Field(description="of the areas, as in the rows; joined by ; where cells differ")]

    @property
    def in_words(self) -> str:
        """What the areas rest on."""
        return products_of(self.product.split(";"))


class RegionTrend(Record):
    """trend.json of a region: the slope of its common area."""

    product: ImageProduct = "image"
    years: list[int]
    excluded_years: list[int]
    slope_km2_per_year: float | None = None
    slope_low_km2_per_year: Annotated[float | None, Field(description="95 % interval; null below five years")] = None
    slope_high_km2_per_year: float | None = None
    mann_kendall_p: float | None = None
    minimum_detectable_km2_per_year: float | None = None
    statement: str


def totals(rows: Iterable[GlacierYear], image_factors: Factors) -> list[Total]:
    """Return the totals by year, ascending.

    Parameters
    ----------
    image_factors
        Factors of the model's error of maps of the image alone; those of the outlines product have their own.
    """
    by_year = groupby(sorted(rows, key=lambda row: (row.year, row.cell)), key=lambda row: row.year)
    return [_total(year, list(of_year), image_factors) for year, of_year in by_year]


def _total(year: int, rows: Sequence[GlacierYear], image_factors: Factors) -> Total:
    area, delineation = sum(row.area_km2 for row in rows), sum(row.sigma_delineation_km2 or 0.0 for row in rows)
    cells = [list(of_cell) for _, of_cell in groupby(rows, key=lambda row: row.cell)]
    model = sum(
        GLACIERS_TOGETHER[of_cell[0].product] * math.hypot(*(row.sigma_model_km2 or 0.0 for row in of_cell))
        for of_cell in cells
    )
    factors = fused_error.FACTORS if all(row.product == "outlines" for row in rows) else image_factors
    half68, half95 = (float(half_width(delineation, model, factors, level)) for level in (68, 95))
    common = [row.common_area_km2 for row in rows]
    return Total(
        year=year,
        glaciers=len(rows),
        area_km2=area,
        area_low_km2=max(area - half68, 0.0),
        area_high_km2=area + half68,
        area_low95_km2=max(area - half95, 0.0),
        area_high95_km2=area + half95,
        sigma_delineation_km2=delineation,
        sigma_model_km2=model,
        unseen_km2=sum(row.unseen_km2 for row in rows),
        common_area_km2=None if None in common else sum(km2 for km2 in common if km2 is not None),
        product=";".join(sorted({row.product for row in rows})),
    )


def region_trend(by_year: Sequence[Total], *, change_sigma_km2: float) -> RegionTrend:
    """Return the trend of the common area over the years in which every cell has one.

    Times are years: the cells of a region are not seen on one day.

    Parameters
    ----------
    change_sigma_km2
        One sigma of a change between two years: of every cell as its trend.json states it, added over the cells.
    """
    used = [total for total in by_year if total.common_area_km2 is not None]
    excluded = [total.year for total in by_year if total.common_area_km2 is None]
    years = [total.year for total in used]
    if len(used) < YEARS_FOR_A_TREND:
        statement = f"{len(used)} year(s) with all cells; a trend needs at least {YEARS_FOR_A_TREND}"
        return RegionTrend(years=years, excluded_years=excluded, statement=statement)
    common = [total.common_area_km2 or 0.0 for total in used]
    sigma = change_sigma_km2 / math.sqrt(2)  # of a year: the part of its error that other years do not share
    fit = fit_trend([float(year) for year in years], common, [sigma] * len(common))
    rate = Rate(
        per_year=fit.slope, low=fit.low, high=fit.high, minimum=fit.minimum_detectable, first_year=years[0],
        last_year=years[-1], years=float(years[-1] - years[0]), first=common[0],
    )  # fmt: skip
    return RegionTrend(
        years=years,
        excluded_years=excluded,
        slope_km2_per_year=fit.slope,
        slope_low_km2_per_year=fit.low,
        slope_high_km2_per_year=fit.high,
        mann_kendall_p=fit.p,
        minimum_detectable_km2_per_year=fit.minimum_detectable,
        statement=sentence(rate, AREA),
    )
