"""Measure how far an area is off because the model takes rock for ice, or ice for rock, from its probability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.area.error.interval import stated
from stages.area.map.surface import ROWS_AT_ONCE, SUM_ROWS, pixel_areas_km2
from stages.area.site import AreaSite
from stages.common.errors import ContractError
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.tables.kinds import PROBABILITY_SCALE
from stages.common.tables.learning import MapModel
from stages.common.types import Float64Array

SURE_LEVEL = round(1 / PROBABILITY_SCALE)
"""Stored probability of 1; the one larger number stands where there is none."""


@dataclass(frozen=True, kw_only=True)
class ModelError:
    """One sigma of the areas of a map, in km2."""

    by_glacier_km2: Float64Array
    """(1 + glaciers,) one sigma of each glacier; position 0: ice near no outline."""
    whole_km2: float
    """One sigma of the whole ice: glaciers err independently, but for what the ensemble's members have in common."""


def model_error(site: AreaSite, counted: Bits, model: MapModel, *, probability: Path, votes: Path) -> ModelError | None:
    """Return the model's error of each glacier's area; None where the model states no error.

    sigma^2 = dispersion x sum a^2 p (1 - p) + variance of the members' areas. The first term is the binomial one with
    pixel areas a, widened because neighbouring pixels err together (McCullagh and Nelder 1989, 4.5): the dispersion
    is measured on held-out blocks, which training never used. Blocks are taken to err independently; what a model
    gets wrong in the same way everywhere is not in it. The second term needs an ensemble.

    Parameters
    ----------
    counted
        (H, W) bool: pixels over which areas are taken.

    Raises
    ------
    ContractError
        The model is an ensemble and its votes are absent.
    """
    error = stated(model.area_error)
    if error is None and model.members == 1:
        return None
    dispersion = error.dispersion if error else 0.0
    variance = dispersion * unsure_sums(site, counted, Plane.of_band(site.scratch, probability), power=2)
    whole = float(variance.sum())
    if model.members > 1:
        areas = member_areas_km2(site, counted, votes, members=model.members)
        variance = variance + areas.var(axis=0, ddof=1)
        whole += float(areas.sum(axis=1).var(ddof=1))
    return ModelError(by_glacier_km2=np.sqrt(variance), whole_km2=whole**0.5)


def unsure_sums(site: AreaSite, counted: Bits, levels: Plane, *, power: int) -> Float64Array:
    """Return the (1 + glaciers,) sums of a^power p (1 - p) over the counted pixels, a in km2.

    With power 2 they are the binomial variances of the areas, in km4; with power 1 the unsure area, in km2. The work
    goes strip by strip, because it needs doubles.

    Parameters
    ----------
    levels
        (H, W) stored probability, 0-10000; 65535: none.
    """
    sums = np.zeros(1 + len(site.glaciers))
    for rows in strips(site.grid.height, SUM_ROWS):
        owners, weights = [], []
        for first in range(rows.start, rows.stop, ROWS_AT_ONCE):
            some = slice(first, min(first + ROWS_AT_ONCE, rows.stop))
            stored = levels[some]
            unsure = counted[some] & (stored > 0) & (stored < SURE_LEVEL)  # a sure pixel adds nothing
            p = stored[unsure] * PROBABILITY_SCALE
            weights.append(pixel_areas_km2(site.grid, rows, some)[unsure] ** power * p * (1 - p))
            owners.append(site.owner[some][unsure])
        sums += np.bincount(np.concatenate(owners), weights=np.concatenate(weights), minlength=len(sums))
    return sums


def member_areas_km2(site: AreaSite, counted: Bits, votes: Path, *, members: int) -> Float64Array:
    """Return the (members, 1 + glaciers) km2 that each member of the ensemble maps.

    Raises
    ------
    ContractError
        votes.tif is absent.
    """
    if not votes.exists():
        raise ContractError(
            "the votes of an ensemble are absent",
            where=votes,
            expected=f"votes.tif of {members} members, as model.json says",
            fix="run the stage predict again",
        )
    bits = Plane.of_band(site.scratch, votes)
    areas = site.areas_by_rows_km2(
        lambda rows: {str(member): counted[rows] & ((bits[rows] >> member) & 1 == 1) for member in range(members)}
    )
    return np.stack(list(areas.values()))
