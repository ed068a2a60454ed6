"""Tables `state` and `front_variation` of the Fluctuations of Glaciers database (World Glacier Monitoring Service).

Columns and units are those of the database of 2024 and later: areas in m2, uncertainties of dates in days. Platform and
method are written as in its files: ``space`` and ``photo``, optical images from a satellite. What only the WGMS knows
(its number of a glacier) is empty, unless `site.contact` states it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from exports.data_package import package, resource
from exports.finished import Finished
from exports.images import Images, images_of
from exports.whole import Chosen
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.area import FrontRow, GlacierAreaRow
from stages.common.tables.base import NotNegative, Record

M2_PER_KM2 = 1e6
Days = Annotated[int, Field(ge=0)]


class Surveyed(Record):
    """What both tables say of a glacier."""

    country: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166, two letters")] = None
    glacier_name: str | None = None
    glacier_id: Annotated[int | None, Field(ge=0, description="number that the WGMS assigns")] = None


class StateRow(Surveyed):
    """Area of a glacier on a day."""

    outline_id: Annotated[str, Field(description="local_id of the outline in the GLIMS files, and the year")]
    date: dt.date
    date_unc: Annotated[Days, Field(description="days")]
    area: Annotated[NotNegative, Field(description="m2")]
    area_unc: Annotated[NotNegative | None, Field(description="m2, half of the 68 % interval")] = None
    terminus_type: Annotated[str | None, Field(description="empty: not known")] = None
    platform: Literal["space"] = "space"
    method: Literal["photo"] = "photo"
    investigators: str
    agencies: str
    references: str | None = None
    remarks: str | None = None


class FrontVariationRow(Surveyed):
    """Change of a glacier's length between two surveys; negative: retreat."""

    begin_date: dt.date
    begin_date_unc: Annotated[Days, Field(description="days")]
    end_date: dt.date
    end_date_unc: Annotated[Days, Field(description="days")]
    length_change: Annotated[float, Field(description="m along the flow line; negative: retreat")]
    length_change_unc: Annotated[NotNegative, Field(description="m, one sigma")]
    length_change_direction: Annotated[
        Literal["retreat", "stationary", "advance"], Field(description="stationary: within one sigma of 0")
    ]
    platform: Literal["space"] = "space"
    method: Literal["photo"] = "photo"
    investigators: str
    agencies: str
    references: str | None = None
    remarks: str | None = None


def write_wgms(site: Finished, chosen: Chosen, caveats: Sequence[str], folder: Path) -> None:
    """Write state.csv, front_variation.csv and the datapackage.json that describes them."""
    folder.mkdir()
    images = {year: images_of(site, year) for year in site.params.years if year not in chosen.rejected_years}
    write_table(folder / "state.csv", [state(site, row, images[row.year], caveats) for row in chosen.rows], StateRow)
    write_table(
        folder / "front_variation.csv", list(front_variations(site, chosen, images, caveats)), FrontVariationRow
    )
    content = package(
        f"{site.params.site.name}-fluctuations",
        title=f"{site.params.site.title}: glacier areas and front variations",
        description=" ".join(caveats) or "Mapped automatically from satellite images.",
        contributors=[{"title": site.contact.name, "organization": site.contact.institution, "role": "author"}],
        resources=[
            resource("state.csv", StateRow, description="Area of each glacier"),
            resource("front_variation.csv", FrontVariationRow, description="Change of length from survey to survey"),
        ],
    )
    write_json(folder / "datapackage.json", content)


def state(site: Finished, row: GlacierAreaRow, images: Images, caveats: Sequence[str]) -> StateRow:
    """Return the area of one glacier in one year."""
    has_interval = row.area_low_km2 is not None and row.area_high_km2 is not None
    half_km2 = ((row.area_high_km2 or 0.0) - (row.area_low_km2 or 0.0)) / 2
    return StateRow(
        **_surveyed(site, row.rgi_id, row.glac_name),
        outline_id=f"{row.rgi_id}_{row.year}",
        date=images.day,
        date_unc=images.day_uncertainty,
        area=round(row.area_km2 * M2_PER_KM2),
        area_unc=round(half_km2 * M2_PER_KM2) if has_interval else None,
        **_people(
            site,
            [*site.product_notes(row.year), *caveats],
            f"Automatic classification of {'; '.join(images.ids)}; {row.rgi_id}.",
        ),
    )


def front_variations(
    site: Finished, chosen: Chosen, images: dict[int, Images], caveats: Sequence[str]
) -> Iterator[FrontVariationRow]:
    """Yield the change between neighbouring years of `images` in which a front has a position.

    Also of a glacier whose head lies outside of the AOI: a front is measured where it stands.
    """
    usable = [row for row in site.fronts if row.year in images and (row.year, row.rgi_id) not in chosen.rejected]
    measured = [row for row in usable if row.position_m is not None]
    by_glacier = sorted(measured, key=lambda row: (row.rgi_id, row.year))
    for _, rows in groupby(by_glacier, key=lambda row: row.rgi_id):
        for before, after in pairwise(rows):
            yield _front_variation(site, before, after, images, caveats)


def _front_variation(
    site: Finished, before: FrontRow, after: FrontRow, images: dict[int, Images], caveats: Sequence[str]
) -> FrontVariationRow:
    change_m = (after.position_m or 0.0) - (before.position_m or 0.0)
    sigma_m = ((before.position_sigma_m or 0.0) ** 2 + (after.position_sigma_m or 0.0) ** 2) ** 0.5
    begin, end = images[before.year], images[after.year]
    direction: Literal["retreat", "stationary", "advance"] = "retreat" if change_m < 0 else "advance"
    return FrontVariationRow(
        **_surveyed(site, after.rgi_id, after.glac_name),
        begin_date=begin.day,
        begin_date_unc=begin.day_uncertainty,
        end_date=end.day,
        end_date_unc=end.day_uncertainty,
        length_change=round(change_m, 1),
        length_change_unc=round(sigma_m, 1),
        length_change_direction="stationary" if abs(change_m) <= sigma_m else direction,
        **_people(site, caveats, f"Along a flow line ({after.flow_line}); {after.rgi_id}."),
    )


def _surveyed(site: Finished, rgi_id: str, name: str | None) -> dict[str, Any]:
    contact = site.contact
    return {"country": contact.country, "glacier_name": name, "glacier_id": contact.wgms_ids.get(rgi_id)}


def _people(site: Finished, caveats: Sequence[str], remark: str) -> dict[str, Any]:
    contact = site.contact
    return {
        "investigators": contact.name,
        "agencies": contact.institution,
        "references": " | ".join(contact.references) or None,
        "remarks": " ".join([remark, *caveats]),
    }
