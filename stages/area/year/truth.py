"""Mapped against true glacier, where the truth is known: on simulated sites, over the pixels that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.area.site import Site
from stages.common.errors import ContractError
from stages.common.geo.raster import open_raster
from stages.common.run.records import read_document
from stages.common.tables.truth import Truth
from stages.common.types import BoolArray, UInt8Array

CLEAN, DEBRIS = 1, 2
"""Values of surface.tif."""


@dataclass(frozen=True, kw_only=True)
class TrueSurface:
    """The rasters of a simulated site."""

    path: Path
    bands: dict[int, int]
    """Year to band, from 1."""

    def of_year(self, year: int) -> UInt8Array:
        """(H, W): 0 no glacier, 1 clean ice, 2 debris-covered ice."""
        with open_raster(self.path) as dataset:
            return np.asarray(dataset.read(self.bands[year]))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Areas in km2 over the pixels of the AOI seen in a year."""

    true_km2: float
    mapped_km2: float
    both_km2: float
    clean_km2: float
    clean_found_km2: float
    debris_km2: float
    debris_found_km2: float
    true_common_km2: float
    """True glacier over the pixels that are common to all years."""
    outline_km2: float
    """Prior outline over the pixels seen: the map of whoever holds that nothing has changed."""
    outline_both_km2: float
    """Of that, true glacier."""

    @property
    def either_km2(self) -> float:
        """Mapped or true."""
        return self.true_km2 + self.mapped_km2 - self.both_km2

    @property
    def iou(self) -> float:
        """Intersection over union; 1 where there is no glacier and none was mapped."""
        return self.both_km2 / self.either_km2 if self.either_km2 > 0 else 1.0

    @property
    def error_km2(self) -> float:
        """Mapped less true."""
        return self.mapped_km2 - self.true_km2

    @property
    def error_pct(self) -> float:
        """Of the true area; 0 where there is none."""
        return 100 * self.error_km2 / self.true_km2 if self.true_km2 > 0 else 0.0


def read_truth(document: Path, surface: Path) -> TrueSurface | None:
    """The truth of a simulated site, None for a real one.

    Raises
    ------
    ContractError
        truth.json speaks of years that surface.tif does not hold.
    """
    truth = read_document(document, Truth)
    if not truth.simulated:
        return None
    years = [one.year for one in truth.years]
    with open_raster(surface) as dataset:
        bands = {int(name): number for number, name in enumerate(dataset.descriptions, start=1)}
    if sorted(bands) != years:
        raise ContractError(
            "the true surface is of other years than truth.json",
            where=surface,
            expected=years,
            found=sorted(bands),
            fix="run `make ingest` again",
        )
    return TrueSurface(path=surface, bands=bands)


def compare(site: Site, surface: UInt8Array, *, mapped: BoolArray, seen: BoolArray, common: BoolArray) -> Comparison:
    """Compare one year.

    Parameters
    ----------
    surface
        (H, W): 0, 1 or 2, see `TrueSurface`.
    mapped
        (H, W): mapped glacier, within `seen`.
    seen
        (H, W): pixels of the AOI seen that year.
    common
        (H, W): pixels seen in all years that count.
    """
    glacier, clean, debris = ((part & seen) for part in (surface > 0, surface == CLEAN, surface == DEBRIS))
    sums = site.areas_km2(
        true=glacier, mapped=mapped, both=mapped & glacier, clean=clean, clean_found=mapped & clean,
        debris=debris, debris_found=mapped & debris, true_common=(surface > 0) & common,
        outline=site.prior & seen, outline_both=site.prior & glacier,
    )  # fmt: skip
    return Comparison(**{f"{name}_km2": float(by_glacier.sum()) for name, by_glacier in sums.items()})
