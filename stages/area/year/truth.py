"""Compare mapped with true glacier where the truth is known: on simulated sites, over the observed pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.area.site import AreaSite
from stages.common.errors import ContractError
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import open_raster
from stages.common.run.records import read_document
from stages.common.tables.truth import Truth
from stages.common.types import BoolArray, Rows

CLEAN, DEBRIS = 1, 2
"""Values of surface.tif; 0: no glacier."""

SAME_FOR_ALL_MAPS = ("true", "clean", "debris", "true_common", "outline", "outline_both")
OF_EACH_MAP = ("mapped", "both", "clean_mapped", "debris_mapped")
"""Areas of `TruthComparison`, without their unit."""


@dataclass(frozen=True, kw_only=True)
class TrueSurface:
    """True surface of a simulated site, by year."""

    path: Path
    """Path of surface.tif."""
    bands: dict[int, int]
    """Band of each year, counted from 1."""

    def of_year(self, year: int, scratch: Path | None = None) -> Plane:
        """Read the (H, W) surface of a year: 0 no glacier, 1 clean ice, 2 debris-covered ice.

        `scratch` is the folder of the plane's file; None: that of the system's temporary files.
        """
        return Plane.of_band(scratch, self.path, self.bands[year])


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
    site: AreaSite, surface: Rows, maps: Mapping[str, Bits], *, observed: Bits, common: Bits
) -> dict[str, TruthComparison]:
    """Compare maps of one year, by name, with the true surface.

    Parameters
    ----------
    surface
        (H, W): 0, 1 or 2, see `TrueSurface`.
    maps
        Name to (H, W): mapped glacier, within `observed`.
    observed
        (H, W): pixels of the AOI that were observed that year.
    common
        (H, W): pixels that were observed in all years that count.
    """

    def select(rows: slice) -> dict[str, BoolArray]:
        seen, kind, outline = observed[rows], surface[rows], site.prior[rows]
        true = kind > 0
        glacier, clean, debris = ((part & seen) for part in (true, kind == CLEAN, kind == DEBRIS))
        chosen = {
            "true": glacier, "clean": clean, "debris": debris, "true_common": true & common[rows],
            "outline": outline & seen, "outline_both": outline & glacier,
        }  # fmt: skip
        for name, mapped in maps.items():
            ice = mapped[rows]
            chosen |= {f"{name} mapped": ice, f"{name} both": ice & glacier}
            chosen |= {f"{name} clean_mapped": ice & clean, f"{name} debris_mapped": ice & debris}
        return chosen

    km2 = {name: float(by_glacier.sum()) for name, by_glacier in site.areas_by_rows_km2(select).items()}
    return {
        name: TruthComparison(
            **{f"{part}_km2": km2[part] for part in SAME_FOR_ALL_MAPS},
            **{f"{part}_km2": km2[f"{name} {part}"] for part in OF_EACH_MAP},
        )
        for name in maps
    }
