"""Tables of `labels`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import NotNegative, Record

UNASSIGNED = "unassigned"
"""rgi_id of ice that lies near no prior outline."""

INVENTORY_YEAR = 2000
"""Year that an outline without a date is taken to be of: the one that the RGI aims at (RGI Consortium 2023)."""


def year_of_outline(src_date: str | None) -> int:
    """Return the year of an outline from its date (YYYY-MM-DD); `INVENTORY_YEAR` where it has none."""
    return int(src_date[:4]) if src_date else INVENTORY_YEAR


class GlacierRow(Record):
    """One glacier of glacier_id.tif."""

    glacier_index: Annotated[int, Field(ge=1)]
    rgi_id: str
    glac_name: str | None = None
    outline_area_km2: Annotated[NotNegative, Field(description="planimetric area of the outline's pixels in the AOI")]
    geodesic_area_km2: Annotated[NotNegative, Field(description="area of the whole outline on the ellipsoid")]
    src_date: str | None = None
    terminus: Annotated[
        Literal["given", "lowest point", "unknown"],
        Field(description="origin of the front's position, around which the ignore band is wider"),
    ]
    age_years: Annotated[
        NotNegative | None, Field(description="years between the outline and the mean of the training years")
    ] = None
    boundary_ignore_m: Annotated[
        NotNegative | None, Field(description="half width of the band at its boundary that training ignores")
    ] = None
    terminus_ignore_m: Annotated[
        NotNegative | None, Field(description="radius at its front within which training ignores the labels")
    ] = None
