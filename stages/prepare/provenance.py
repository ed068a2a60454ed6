"""Where a year's pixels come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import Scene
from stages.common.tables.prepare import Provenance, SceneSource
from stages.common.types import BoolArray
from stages.prepare.masks import FRACTION_DECIMALS
from stages.prepare.mosaic import Acquisition, Mosaic


def provenance_of(
    acquisitions: Sequence[Acquisition], mosaic: Mosaic, grid: Grid, params: PrepareParams, *, year: int, clipped: int
) -> Provenance:
    """Where the year's pixels come from. Fractions are of the grid; the date is that of the largest part."""
    filled = [float((mosaic.owner == position).mean()) for position in range(len(acquisitions))]
    return Provenance(
        year=year,
        date=iso_day(acquisitions[int(np.argmax(filled))].scene),
        storage=params.storage,
        bands=params.bands,
        grid=str(grid),
        sources=list(_sources(acquisitions, filled, params.imagery_bands[0])),
        valid_fraction=share(mosaic.seen),
        outside_fraction=share(~mosaic.seen & ~mosaic.cloud),
        cloud_fraction=share(mosaic.cloud),
        clipped_pixels=clipped,
    )


def _sources(acquisitions: Sequence[Acquisition], filled: Sequence[float], first_band: str) -> Iterator[SceneSource]:
    for one, share in zip(acquisitions, filled, strict=True):
        info, calibration = one.scene.info, calibration_of(one.scene, first_band)
        yield SceneSource(
            id=info.id,
            date=iso_day(one.scene),
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
            filled_fraction=round(share, FRACTION_DECIMALS),
            scene_classes=one.cover.classes,
            offset_proof=one.proof,
            registration=one.registration,
        )


def iso_day(scene: Scene) -> str | None:
    """Day of acquisition as ISO 8601, where it is known."""
    return scene.info.day.isoformat() if scene.info.day else None


def share(mask: BoolArray) -> float:
    """Part of the grid, rounded as provenance holds it."""
    return round(float(mask.mean()), FRACTION_DECIMALS)
