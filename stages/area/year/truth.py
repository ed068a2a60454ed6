"""Compare mapped with true glacier where the truth is known: on simulated sites, over the observed pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.area.site import AreaSite
from stages.common.errors import ContractError
from stages.common.geo.raster import open_raster, refuse_unreadable
from stages.common.run.records import read_document
from stages.common.tables.truth import Truth
from stages.common.types import BoolArray, UInt8Array

CLEAN, DEBRIS = 1, 2
"""Values of surface.tif; 0: no glacier."""


@dataclass(frozen=True, kw_only=True)
class TrueSurface:
    """True surface of a simulated site, by year."""

    path: Path
    """Path of surface.tif."""
    bands: dict[int, int]
    """Band of each year, counted from 1."""

    def of_year(self, year: int) -> UInt8Array:
        """Read the (H, W) surface of a year: 0 no glacier, 1 clean ice, 2 debris-covered ice."""
        with open_raster(self.path) as dataset, refuse_unreadable(self.path):
            return np.asarray(dataset.read(self.bands[year]))


@dataclass(frozen=True, kw_only=True)
class TruthComparison:
    """Areas of one year in km2, over the pixels of the AOI that were observed."""

    true_km2: float
    """True glacier."""
    mapped_km2: float
    """Mapped glacier."""
    both_km2: float
    """True glacier that is mapped."""
    clean_km2: float
    """True clean ice."""
    clean_mapped_km2: float
    """True clean ice that is mapped."""
    debris_km2: float
    """True debris-covered ice."""
    debris_mapped_km2: float
    """True debris-covered ice that is mapped."""
    true_common_km2: float
    """True glacier over the pixels that are common to all years."""
    outline_km2: float
    """Prior outline: the map of somebody who assumes that nothing has changed."""
    outline_both_km2: float
    """Prior outline that is true glacier."""

    @property
    def either_km2(self) -> float:
        """Area that is mapped, or true, or both."""
        return self.true_km2 + self.mapped_km2 - self.both_km2

    @property
    def iou(self) -> float:
        """Intersection over union; 1 where there is no glacier and none was mapped."""
        return self.both_km2 / self.either_km2 if self.either_km2 > 0 else 1.0

    @property
    def error_km2(self) -> float:
        """Mapped less true area."""
        return self.mapped_km2 - self.true_km2

    @property
    def error_pct(self) -> float:
        """Error in % of the true area; 0 where there is none."""
        return 100 * self.error_km2 / self.true_km2 if self.true_km2 > 0 else 0.0


def read_truth(document: Path, surface: Path) -> TrueSurface | None:
    """Return the truth of a simulated site, None for a real one.

    Raises
    ------
    ContractError
        surface.tif has other years than truth.json.
    """
    truth = read_document(document, Truth)
    if not truth.simulated:
        return None
    years = [entry.year for entry in truth.years]
    with open_raster(surface) as dataset:
        numbers = {str(name): number for number, name in enumerate(dataset.descriptions, start=1)}
    if sorted(numbers) != sorted(map(str, years)):
        raise ContractError(
            "the years of the true surface are not those of truth.json",
            where=surface,
            expected=", ".join(map(str, years)),
            found=", ".join(sorted(numbers)),
            fix="run `make ingest` again",
        )
    return TrueSurface(path=surface, bands={year: numbers[str(year)] for year in years})


def compare_with_truth(
    site: AreaSite, surface: UInt8Array, *, mapped: BoolArray, observed: BoolArray, common: BoolArray
) -> TruthComparison:
    """Compare the map of one year with the true surface.

    Parameters
    ----------
    surface
        (H, W): 0, 1 or 2, see `TrueSurface`.
    mapped
        (H, W): mapped glacier, within `observed`.
    observed
        (H, W): pixels of the AOI that were observed that year.
    common
        (H, W): pixels that were observed in all years that count.
    """
    glacier, clean, debris = ((part & observed) for part in (surface > 0, surface == CLEAN, surface == DEBRIS))
    sums = site.areas_km2(
        true=glacier, mapped=mapped, both=mapped & glacier, clean=clean, clean_mapped=mapped & clean,
        debris=debris, debris_mapped=mapped & debris, true_common=(surface > 0) & common,
        outline=site.prior & observed, outline_both=site.prior & glacier,
    )  # fmt: skip
    return TruthComparison(**{f"{name}_km2": float(by_glacier.sum()) for name, by_glacier in sums.items()})
