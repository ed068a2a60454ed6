"""What counts of each year: years seen well enough, the pixels common to them, and what a person left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.area import contract
from stages.area.site import AreaSite, read_map
from stages.common.geo.planes import Bits
from stages.common.run.stage import Run


@dataclass(frozen=True, kw_only=True)
class CommonGround:
    """Years that count, and the ground over which they are compared."""

    years: frozenset[int]
    """Years of which enough was observed, and whose maps nobody rejected."""
    pixels: Bits
    """(H, W): pixels of the AOI that all these years observed; none if no year counts."""
    left_out: frozenset[int]
    """Numbers of the glaciers that a person rejected in one of these years."""
    compared: Bits
    """(H, W): `pixels` without the ground of `left_out`, over which the areas of the whole site are compared."""


def common_ground(run: Run, site: AreaSite) -> CommonGround:
    """Read the maps of all years and return what they have in common."""
    pixels, years = site.aoi, set()
    valid = run.by_year(contract.VALID)
    for year, mask in run.by_year(contract.MASK).items():
        _, observed = read_map(mask, valid[year])
        enough = observed_fraction(site, observed) >= run.params.area.common_valid_fraction_min
        if enough and not is_rejected(run, site, year):
            pixels = pixels & observed
            years.add(year)
    pixels = pixels if years else Bits(site.grid.shape)
    left_out = frozenset(index for year in years for index in rejected_glaciers(site, year))
    compared = pixels & ~ground_of(site, left_out) if left_out else pixels
    return CommonGround(years=frozenset(years), pixels=pixels, left_out=left_out, compared=compared)


def is_rejected(run: Run, site: AreaSite, year: int) -> bool:
    """Return whether a person rejected the year's map, or in it so many glaciers that too little is left.

    As much of the outlines' area must be left as of the AOI must be observed (`area.common_valid_fraction_min`).
    """
    rejected_km2 = float(site.outlines_km2[sorted(rejected_glaciers(site, year))].sum())
    most_km2 = (1 - run.params.area.common_valid_fraction_min) * float(site.outlines_km2.sum())
    return site.review.rejects(year) or rejected_km2 > most_km2


def rejected_glaciers(site: AreaSite, year: int) -> frozenset[int]:
    """Return the numbers of the glaciers that a person rejected in the year's map."""
    rejected = site.review.rejected_glaciers(year)
    return frozenset(row.glacier_index for row in site.glaciers if row.rgi_id in rejected)


def ground_of(site: AreaSite, glaciers: frozenset[int]) -> Bits:
    """Return the (H, W) pixels whose ice is counted to one of the glaciers; none for no glacier."""
    return Bits.by_rows(site.grid.shape, lambda rows: np.isin(site.owner[rows], sorted(glaciers)))


def observed_fraction(site: AreaSite, observed: Bits) -> float:
    """Return the part of the AOI's pixels that was observed, 0 to 1."""
    return float((observed & site.aoi).sum() / site.aoi.sum())
