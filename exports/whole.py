"""Which glaciers of which years can be handed on: those that the AOI holds and the scene shows as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exports.edits import drawn_attributes
from exports.finished import AOI, OUTLINES, Finished
from stages.common.geo.vectors import read_polygons
from stages.common.tables.area import GlacierAreaRow
from stages.common.tables.labels import UNASSIGNED
from stages.common.tables.review import Review

INSIDE_MIN = 0.99
"""Least share of an old outline within the AOI: the area of a glacier that the edge cuts is no area of a glacier."""

UNSEEN_MAX = 0.01
"""Largest share of an old outline, within the AOI, that no valid pixel shows: cloud is never loss."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Glaciers to hand on, and why others are left out."""

    rows: list[GlacierAreaRow]
    left_out: list[str]
    """A sentence each."""
    rejected_years: set[int]
    """Years whose maps a person has rejected."""
    rejected: set[tuple[int, str]]
    """Year and rgi_id of single glaciers that a person has rejected."""

    @property
    def keys(self) -> set[tuple[int, str]]:
        """Year and rgi_id of each row."""
        return {(row.year, row.rgi_id) for row in self.rows}


def choose(site: Finished, review: Review | None) -> Chosen:
    """Return the rows of area_by_glacier.csv that hold for a whole glacier, and that nobody has rejected."""
    rejected_years = set(review.rejected_years) if review else set()
    rejected = review.rejected_glaciers(drawn_attributes(site)) if review else set()
    inside = share_inside(site)
    rows: list[GlacierAreaRow] = []
    left_out: list[str] = [f"{year}: a person has rejected the map" for year in sorted(rejected_years)]
    cut: set[str] = set()
    for row in site.glaciers:
        if row.year in rejected_years:
            continue
        if row.rgi_id == UNASSIGNED:
            if row.area_km2 > 0:
                left_out.append(f"{row.year}: {row.area_km2:.2f} km2 of ice that lies near no outline")
        elif inside.get(row.rgi_id, 0.0) < INSIDE_MIN:
            cut.add(row.rgi_id)
        elif (row.year, row.rgi_id) in rejected:
            left_out.append(f"{row.year}: {row.rgi_id}, which a person has rejected")
        elif row.unseen_km2 > UNSEEN_MAX * row.outline_area_km2:
            left_out.append(f"{row.year}: {row.rgi_id}, of which {row.unseen_km2:.3f} km2 are not seen")
        elif row.area_km2 > 0:
            rows.append(row)
    left_out += [f"{rgi_id}: {inside.get(rgi_id, 0.0):.0%} of it lies in the AOI" for rgi_id in sorted(cut)]
    return Chosen(rows=rows, left_out=left_out, rejected_years=rejected_years, rejected=rejected)


def share_inside(site: Finished) -> Mapping[str, float]:
    """Return which share of each old outline lies in the AOI, by rgi_id."""
    crs = site.params.grid.crs
    outlines = read_polygons(site.root / OUTLINES, crs).dissolve("rgi_id")
    aoi = read_polygons(site.root / AOI, crs).union_all()
    shares = outlines.intersection(aoi).area / outlines.area
    return {str(rgi_id): float(share) for rgi_id, share in shares.items()}
