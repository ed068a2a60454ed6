"""Make the best map of each year: read the probabilities of all years, estimate the movement, and map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stages.area import contract
from stages.area.fusion.margin import Margin, beyond_outlines, margin_of
from stages.area.fusion.model import (
    DECAY,
    DRAWN_M,
    IMAGE_WEIGHT_FRONT,
    IMAGE_WEIGHT_HEAD,
    Evidence,
    Movement,
    decisive_m,
    estimate_movement,
    image_evidence,
    outline_evidence,
    probability_levels,
)
from stages.area.map.surface import ROWS_AT_ONCE
from stages.area.site import AreaSite
from stages.area.year.year_area import decimal_year
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.model.probability import threshold_level
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.fusion import FusionModel
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.learning import MapModel
from stages.common.tables.prepare import Provenance
from stages.common.types import BoolArray, Float32Array, UInt16Array

NEAR_M = 600.0
"""Pixels nearer to an outline than this estimate the movement: a front that goes back 20 m a year moves as far in 30
years."""

PIXELS_A_YEAR = 8_000
"""Pixels of a year that estimate it, evenly spread: two numbers need no more."""

HALF = 0.5
"""Probability from which a pixel is rather glacier than not."""


@dataclass(frozen=True)
class OutlinesProduct:
    """The best maps of a site: what each year's image says, and where the outlines lie."""

    run: Run
    site: AreaSite
    margin: Margin
    movement: Movement

    @classmethod
    def start(cls, run: Run, site: AreaSite, heights: Plane | None) -> OutlinesProduct:
        """Measure the place of each pixel against the outlines, and estimate how far the fronts have moved since."""
        near = margin_of(site, heights, reach_m=NEAR_M)
        pixels = [evidence_of_year(run, site, near, year) for year in run.params.years]
        joined = Evidence(*(np.concatenate(parts) for parts in zip(*pixels, strict=True)))
        movement = estimate_movement(joined, has_height=near.has_height)
        ages = [np.abs(time_of(run, year) - near.outline_year).max() for year in run.params.years]
        reach_m = decisive_m(movement, float(max(ages)))
        return cls(run, site, replace(near, beyond_m=beyond_outlines(site, reach_m=reach_m)), movement)

    def document(self) -> FusionModel:
        """Make outlines_product.json."""
        return FusionModel(
            image_weight_front=IMAGE_WEIGHT_FRONT, image_weight_head=IMAGE_WEIGHT_HEAD, drawn_m=DRAWN_M, decay=DECAY,
            retreat_m_per_year=self.movement.retreat, spread_m_per_year=self.movement.spread,
            statement=self.statement,
        )  # fmt: skip

    @property
    def statement(self) -> str:
        """What the outlines count for, in a sentence."""
        if not self.margin.has_height:
            return (
                "without a DEM nobody knows where the fronts are: an outline's edge may have moved either way by "
                f"{self.movement.spread:g} m a year since it was drawn"
            )
        way = "back" if self.movement.retreat >= 0 else "forward"
        return (
            f"by the images, the fronts have gone {way} by {abs(self.movement.retreat):g} m a year since the outlines "
            f"were drawn, give or take {self.movement.spread:g} m a year; margins higher up have moved less"
        )

    def levels(self, year: int) -> Plane:
        """Return the (H, W) probability of a year, image and outline together, as levels 0-10000; 65535: not observed.

        Raises
        ------
        InputError
            The year's probability cannot be read.
        """
        probability = Plane.of_band(self.site.scratch, self.run.by_year(contract.PROBABILITY)[year])
        threshold = threshold_of(self.run, year)
        levels = Plane(self.site.scratch, self.site.grid.shape, np.uint16)
        ages = np.abs(time_of(self.run, year) - self.margin.outline_year)
        for rows in strips(self.site.grid.height, ROWS_AT_ONCE):
            stored, height, age = probability[rows], self.margin.height[rows], ages[self.site.owner[rows]]
            image = image_evidence(_probability(stored), height, threshold)
            outline = outline_evidence(self.movement, self.margin.beyond_m[rows], height, age)
            fused = probability_levels((image + outline).astype(np.float32))
            levels[rows] = np.where(stored == PROBABILITY_NODATA, stored, fused)
        return levels


def is_glacier(levels: Plane, observed: Bits) -> Bits:
    """Return (H, W) bool: observed, and rather glacier than not."""

    def strip(rows: slice) -> BoolArray:
        stored = levels[rows]
        return np.asarray(observed[rows] & (stored >= threshold_level(HALF)) & (stored != PROBABILITY_NODATA))

    return Bits.by_rows(observed.shape, strip)


def evidence_of_year(run: Run, site: AreaSite, margin: Margin, year: int) -> tuple[np.ndarray, ...]:
    """Return image evidence, distance, height and age of evenly spread pixels of a year near the outlines, all (N,)."""
    stored = Plane.of_band(site.scratch, run.by_year(contract.PROBABILITY)[year])
    near = np.concatenate(
        [
            np.flatnonzero(
                site.aoi[rows] & (np.abs(margin.beyond_m[rows]) < NEAR_M) & (stored[rows] != PROBABILITY_NODATA)
            )
            + rows.start * site.grid.width
            for rows in strips(site.grid.height, ROWS_AT_ONCE)
        ]
    )
    chosen = np.divmod(near[:: max(len(near) // PIXELS_A_YEAR, 1)], site.grid.width)
    beyond_m, height = (plane.at(*chosen).astype(np.float64) for plane in (margin.beyond_m, margin.height))
    image = image_evidence(_probability(stored.at(*chosen)), height, threshold_of(run, year))
    age = np.abs(time_of(run, year) - margin.outline_year)[site.owner.at(*chosen)]
    return image.astype(np.float64), beyond_m, height, age


def time_of(run: Run, year: int) -> float:
    """Return the mean time of a year's scenes in decimal years."""
    return decimal_year(read_document(run.by_year(contract.PROVENANCE)[year], Provenance))[0]


def threshold_of(run: Run, year: int) -> float:
    """Return the probability from which the model calls a pixel glacier."""
    return read_document(run.by_year(contract.MAP_MODEL)[year], MapModel).threshold


def _probability(stored: UInt16Array) -> Float32Array:
    return stored.astype(np.float32) * np.float32(PROBABILITY_SCALE)
