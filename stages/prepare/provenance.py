"""Where a year's pixels come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import SceneInfo
from stages.common.tables.prepare import Provenance, SceneSource
from stages.prepare.masks import FRACTION_DECIMALS
from stages.prepare.mosaic import Mosaic, PlacedScene


def provenance_of(
    scenes: Sequence[PlacedScene], mosaic: Mosaic, grid: Grid, params: PrepareParams, *, year: int, clipped: int
) -> Provenance:
    """Return where the year's pixels come from; fractions are of the grid, the date is that of the largest part."""
    filled = [_fraction(mask) for mask in mosaic.filled]
    return Provenance(
        year=year,
        date=iso_day(scenes[int(np.argmax(filled))].info),
        storage=params.storage,
        bands=params.bands,
        grid=str(grid),
        sources=list(_sources(scenes, filled, params.imagery_bands[0])),
        valid_fraction=grid_fraction(mosaic.observed),
        outside_fraction=grid_fraction(~mosaic.observed & ~mosaic.cloud),
        cloud_fraction=grid_fraction(mosaic.cloud),
        clipped_pixels=clipped,
    )


def _sources(scenes: Sequence[PlacedScene], filled: Sequence[float], first_band: str) -> Iterator[SceneSource]:
    for scene, fraction in zip(scenes, filled, strict=True):
        info, calibration = scene.info, calibration_of(scene.pixels.scene, first_band)
        yield SceneSource(
            id=info.id,
            date=iso_day(info),
            product=info.product,
            platform=info.platform,
            processing_level=info.processing_level,
            processing_baseline=info.processing_baseline,
            relative_orbit=info.relative_orbit,
            tile=info.tile,
            sun_elevation_deg=info.sun_elevation_deg,
            sun_azimuth_deg=info.sun_azimuth_deg,
            scale=calibration.scale,
            offset=calibration.offset,
            filled_fraction=round(fraction, FRACTION_DECIMALS),
            scene_classes=scene.masks.classes,
            offset_proof=scene.proof,
            registration=scene.registration,
        )


def iso_day(info: SceneInfo) -> str | None:
    """Return the day of acquisition as ISO 8601; None where it is unknown."""
    return info.day.isoformat() if info.day else None


def grid_fraction(mask: Bits) -> float:
    """Return the part of the grid where `mask` is True, 0-1, rounded as provenance holds it."""
    return round(_fraction(mask), FRACTION_DECIMALS)


def _fraction(mask: Bits) -> float:
    return mask.sum() / math.prod(mask.shape)
